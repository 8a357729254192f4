//! `doorward user`.

use serde_json::{Value, json};

use super::{creates, me, prints, prints_json, refuses, signs_in, token_of};
use crate::harness::process::Place;
use crate::harness::{ADA, PASSWORD};

const NEW_PASSWORD: &str = "another walk in the hills";
const DOCUMENTED: &str = r#"{"statusCode":401,"message":"Unauthorized","error":"Unauthorized"}"#;

#[tokio::test]
async fn an_account_can_be_made_before_the_service_ever_ran_and_beside_it() {
    let place = Place::new().await;
    let id = creates(&place, ADA, PASSWORD);
    let server = place.serve();
    creates(&place, "bob@example.com", PASSWORD);
    for email in [ADA, "bob@example.com"] {
        let answer = signs_in(&server, email, PASSWORD);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let token = token_of(&server, ADA, PASSWORD);
    assert_eq!(me(&server, &token).json()["id"], id);
}

#[tokio::test]
async fn what_is_asked_for_is_what_the_account_has() {
    let place = Place::new().await;
    let arguments = [
        "user",
        "create",
        "Ada@Example.com",
        "--name",
        "Ada Lovelace",
        "--role",
        "admin",
        "--role",
        "lab:lead",
        "--password-stdin",
        "--json",
    ];
    let made: Value = prints_json(&place, &arguments, PASSWORD);
    assert_eq!(made["email"], "Ada@example.com");
    assert_eq!(made["name"], "Ada Lovelace");
    assert_eq!(made["roles"], json!(["admin", "lab:lead"]));
    assert_eq!(made["disabledAt"], json!(null));

    let by_address = prints(&place, &["user", "get", "ADA@example.com", "--json"], "");
    let by_id = prints(
        &place,
        &["user", "get", made["id"].as_str().unwrap(), "--json"],
        "",
    );
    assert_eq!(serde_json::from_str::<Value>(&by_address).unwrap(), made);
    assert_eq!(by_address, by_id);

    let shown = prints(&place, &["user", "get", ADA], "");
    for line in [
        "email         Ada@example.com",
        "roles         admin,lab:lead",
        "state         open",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
}

#[tokio::test]
async fn a_password_is_taken_less_one_newline_and_judged_as_at_a_sign_up() {
    let place = Place::new().await;
    let with_newline = format!("{PASSWORD}\n");
    creates(&place, ADA, &with_newline);
    let with_two = format!("{PASSWORD}\n\n");
    creates(&place, "bob@example.com", &with_two);
    let server = place.serve();
    assert_eq!(signs_in(&server, ADA, PASSWORD).status, 200);
    assert_eq!(signs_in(&server, "bob@example.com", PASSWORD).status, 401);
    assert_eq!(
        signs_in(&server, "bob@example.com", &with_newline).status,
        200
    );

    let long = "x".repeat(1_025);
    for (password, code, words) in [
        ("", 2, "password should not be empty"),
        (
            long.as_str(),
            2,
            "password must be at most 1024 characters long",
        ),
        ("short", 1, "password must be at least 8 characters long"),
        ("password1", 1, "password is among the most common ones"),
        (
            "eve@example.com",
            1,
            "password must not be the e-mail address",
        ),
    ] {
        let refused = place.run(
            &["user", "create", "eve@example.com", "--password-stdin"],
            password,
        );
        refuses(&refused, code, words);
    }
    let refused = place.run(&["user", "create", "eve@example.com"], PASSWORD);
    refuses(&refused, 2, "add --password-stdin");
    refuses(
        &place.run(&["user", "get", "eve@example.com"], ""),
        4,
        "has no account here",
    );
}

#[tokio::test]
async fn what_is_no_account_is_not_made() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let control = "Ada\u{1b}[2J";
    let long = "x".repeat(201);
    for (arguments, code, words) in [
        (&["ADA@EXAMPLE.COM"][..], 1, "has an account already"),
        (&["ada"], 2, "it is not an e-mail address"),
        (
            &["eve@example.com", "--role", "a,b"],
            2,
            "a role is 1 to 64 letters",
        ),
        (
            &["eve@example.com", "--role", ""],
            2,
            "a role is 1 to 64 letters",
        ),
        (
            &["eve@example.com", "--name", control],
            2,
            "must not hold control characters",
        ),
        (
            &["eve@example.com", "--name", &long],
            2,
            "must be at most 200 characters long",
        ),
        (
            &["eve@example.com", "--password", "x"],
            2,
            "unexpected argument '--password'",
        ),
        (&[], 2, "<EMAIL>"),
    ] {
        let arguments = [&["user", "create", "--password-stdin"], arguments].concat();
        refuses(&place.run(&arguments, PASSWORD), code, words);
    }
    let all = prints_json(&place, &["user", "list", "--json"], "");
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_list_goes_on_where_it_ended() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    prints(&place, &["user", "delete", ADA, "--yes"], "");
    let empty = prints_json(&place, &["user", "list", "--json"], "");
    assert_eq!(empty, json!({"data": [], "nextCursor": null}));

    let people: Vec<String> = (0..5)
        .map(|number| format!("person{number}@example.com"))
        .collect();
    let ids: Vec<String> = people
        .iter()
        .map(|person| creates(&place, person, PASSWORD))
        .collect();
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut arguments = vec!["user", "list", "--limit", "2", "--json"];
        if !cursor.is_empty() {
            arguments.extend(["--cursor", &cursor]);
        }
        let page = prints_json(&place, &arguments, "");
        found.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(found, ids);

    let listed = place.run(&["user", "list", "--limit", "2"], "");
    assert_eq!(
        listed.output.lines().count(),
        3,
        "a heading and two: {listed:?}"
    );
    let next = "doorward user list --limit 2 --cursor ";
    assert!(listed.said.contains(next), "{listed:?}");
    assert!(listed.said.contains(&ids[1]), "{listed:?}");
    for wrong in ["", "7", "x.y"] {
        refuses(
            &place.run(&["user", "list", "--cursor", wrong], ""),
            2,
            "it is not the nextCursor of a page",
        );
    }
    refuses(
        &place.run(&["user", "list", "--limit", "0"], ""),
        2,
        "0 is not in 1..=1000",
    );
}

#[tokio::test]
async fn who_is_shut_out_is_out_at_once_and_back_only_by_a_new_sign_in() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let server = place.serve();
    let token = token_of(&server, ADA, PASSWORD);
    assert_eq!(me(&server, &token).status, 200);

    let shut = place.run(&["user", "disable", ADA], "");
    assert_eq!((shut.code, shut.output.as_str()), (Some(0), ""), "{shut:?}");
    assert_eq!(me(&server, &token).code(), "session_revoked");
    let answer = signs_in(&server, ADA, PASSWORD);
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (401, DOCUMENTED)
    );
    let again = place.run(&["user", "disable", ADA], "");
    assert!(
        again.code == Some(0) && again.said.contains("was shut already"),
        "{again:?}"
    );

    let open: Value = prints_json(&place, &["user", "enable", ADA, "--json"], "");
    assert_eq!(open["disabledAt"], json!(null));
    assert_eq!(me(&server, &token).code(), "session_revoked");
    assert_eq!(signs_in(&server, ADA, PASSWORD).status, 200);
}

#[tokio::test]
async fn who_waits_for_strangers_guesses_is_let_in_by_the_operator() {
    let place = Place::new()
        .await
        .with("limits.enabled", "true")
        .with("limits.per_minute", "100000")
        .with("limits.burst", "100000");
    creates(&place, ADA, PASSWORD);
    let server = place.serve();
    let guesses = || {
        // Until the lane is closed for so long that it does not open before the next line.
        while signs_in(&server, ADA, "not the password").header("retry-after") != "5" {}
        assert_eq!(signs_in(&server, ADA, PASSWORD).status, 429);
    };
    guesses();
    let open = prints_json(&place, &["user", "unlock", ADA, "--json"], "");
    assert_eq!(open["email"], ADA);
    assert_eq!(signs_in(&server, ADA, PASSWORD).status, 200);
    guesses();
    let set = ["user", "set-password", ADA, "--password-stdin"];
    assert_eq!(place.run(&set, NEW_PASSWORD).code, Some(0));
    assert_eq!(signs_in(&server, ADA, NEW_PASSWORD).status, 200);
}

#[tokio::test]
async fn a_new_password_ends_what_the_old_one_began() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let server = place.serve();
    let token = token_of(&server, ADA, PASSWORD);
    let weak = place.run(&["user", "set-password", ADA, "--password-stdin"], "short");
    refuses(&weak, 1, "password must be at least 8 characters long");
    assert_eq!(me(&server, &token).status, 200);

    prints(
        &place,
        &["user", "set-password", ADA, "--password-stdin"],
        NEW_PASSWORD,
    );
    assert_eq!(me(&server, &token).code(), "session_revoked");
    assert_eq!(signs_in(&server, ADA, PASSWORD).body, DOCUMENTED);
    assert_eq!(signs_in(&server, ADA, NEW_PASSWORD).status, 200);
}

#[tokio::test]
async fn who_is_deleted_is_gone_and_nobody_is_deleted_by_accident() {
    let place = Place::new().await;
    let id = creates(&place, ADA, PASSWORD);
    let server = place.serve();
    let token = token_of(&server, ADA, PASSWORD);
    refuses(
        &place.run(&["user", "delete", ADA], "y\n"),
        2,
        "add --yes to go on",
    );
    assert_eq!(me(&server, &token).status, 200);

    let gone: Value = prints_json(&place, &["user", "delete", &id, "--yes", "--json"], "");
    assert_eq!(gone["email"], ADA);
    assert_eq!(me(&server, &token).code(), "session_revoked");
    assert_eq!(signs_in(&server, ADA, PASSWORD).body, DOCUMENTED);
    for verb in [
        &["get"][..],
        &["disable"],
        &["enable"],
        &["unlock"],
        &["delete", "--yes"],
        &["set-password", "--password-stdin"],
    ] {
        let arguments = [&["user"], verb, &[ADA]].concat();
        refuses(
            &place.run(&arguments, NEW_PASSWORD),
            4,
            "ada@example.com has no account here",
        );
    }
    assert_ne!(creates(&place, ADA, NEW_PASSWORD), id);
}
