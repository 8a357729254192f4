//! `doorward key`.

use jose::{Policy, SigningKey};
use serde_json::{Value, json};

use super::{
    bare, call, creates, ends, me, prints, prints_json, refuses, sooner_or_later, token_of,
};
use crate::harness::process::{Place, Process};
use crate::harness::{ADA, PASSWORD};

/// `kid` and state of each key, as listed.
fn listed(place: &Place) -> Vec<(Option<String>, String)> {
    let keys = prints_json(place, &["key", "list", "--json"], "");
    let told = keys["data"].as_array().unwrap().iter().map(|key| {
        (
            key["kid"].as_str().map(str::to_owned),
            key["state"].as_str().unwrap().to_owned(),
        )
    });
    told.collect()
}

fn published(server: &Process) -> Vec<String> {
    let keys = call(server, "GET", "/.well-known/jwks.json", None, None);
    let kids = keys.json()["keys"].as_array().unwrap().iter();
    kids.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn kid_of(token: &str) -> String {
    let (header, _) = jose::decode_unverified(token).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_back_end_verifies_by_the_secret_that_is_printed() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let server = place.serve();
    let secret = prints(&place, &["key", "secret"], "");
    let key = SigningKey::hs256(secret.trim_end().as_bytes()).unwrap();
    let policy = Policy {
        typ: "JWT",
        issuer: "http://localhost".to_owned(),
        audience: "http://localhost".to_owned(),
        leeway_seconds: 0,
        max_len: 4_096,
    };
    let token = token_of(&server, ADA, PASSWORD);
    let (_, told) = jose::decode_unverified(&token).unwrap();
    let policy = Policy {
        issuer: told["iss"].as_str().unwrap().to_owned(),
        audience: told["aud"].as_str().unwrap().to_owned(),
        ..policy
    };
    let now = told["iat"].as_i64().unwrap();
    let claims: Value = jose::verify(&token, [key.verifying_key()].iter(), &policy, now).unwrap();
    assert_eq!(claims["email"], ADA);

    let shown =
        prints(&place, &["key", "list"], "") + &prints(&place, &["key", "list", "--json"], "");
    assert!(
        !shown.contains(secret.trim_end()),
        "a list shows no key: {shown}"
    );
}

#[tokio::test]
async fn the_next_secret_is_there_to_be_handed_on_before_it_signs() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    refuses(
        &place.run(&["key", "secret", "--next"], ""),
        4,
        "`doorward key rotate` makes one",
    );
    let before = prints(&place, &["key", "secret"], "");
    let rotated = place.run(&["key", "rotate"], "");
    assert!(
        rotated.said.contains("doorward key secret --next"),
        "{rotated:?}"
    );
    assert_eq!(prints(&place, &["key", "secret"], ""), before);
    assert_ne!(prints(&place, &["key", "secret", "--next"], ""), before);
    assert_eq!(
        listed(&place),
        [(None, "next".to_owned()), (None, "signing".to_owned())]
    );
    refuses(
        &place.run(&["key", "rotate"], ""),
        1,
        "the key of the last rotation begins to sign at",
    );
}

#[tokio::test]
async fn a_running_server_takes_a_new_key_in_and_what_the_old_one_signed_counts_on() {
    let place = Place::new().await.with("tokens.algorithm", "ES256");
    creates(&place, ADA, PASSWORD);
    let server = place.serve();
    let old = token_of(&server, ADA, PASSWORD);
    assert_eq!(published(&server), [kid_of(&old)]);

    let made = prints_json(&place, &["key", "rotate", "--ahead", "0s", "--json"], "");
    assert_eq!(
        (&made["algorithm"], &made["generation"]),
        (&json!("ES256"), &json!(2))
    );
    let keys = sooner_or_later(|| Some(published(&server)).filter(|keys| keys.len() == 2));
    let new = token_of(&server, ADA, PASSWORD);
    assert_eq!(keys, [kid_of(&new), kid_of(&old)]);
    assert_eq!(
        (
            me(&server, &new).status.as_u16(),
            me(&server, &old).status.as_u16()
        ),
        (200, 200)
    );
    let states = [
        (Some(kid_of(&new)), "signing".to_owned()),
        (Some(kid_of(&old)), "verifying".to_owned()),
    ];
    assert_eq!(listed(&place), states);
}

/// A rotation before there was any key would otherwise leave none that signs until its own begins to.
#[tokio::test]
async fn a_rotation_of_an_algorithm_that_was_never_used_makes_the_present_key_too() {
    let mut place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    place.set("tokens.algorithm", "EdDSA");
    prints(&place, &["key", "rotate"], "");
    let states: Vec<_> = listed(&place).into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["next", "signing", "unused"]);
    let server = place.serve();
    assert_eq!(me(&server, &token_of(&server, ADA, PASSWORD)).status, 200);
}

#[tokio::test]
async fn a_configured_secret_rules() {
    let secret = "a secret that the back end has too";
    let place = Place::new().await.with("tokens.hs256_secret", secret);
    creates(&place, ADA, PASSWORD);
    assert_eq!(
        prints(&place, &["key", "secret"], ""),
        format!("{secret}\n")
    );
    refuses(
        &place.run(&["key", "rotate"], ""),
        1,
        "tokens.hs256_secret is set, and it alone signs",
    );
    refuses(
        &place.run(&["key", "secret", "--next"], ""),
        4,
        "no secret waits to sign",
    );
    let list = place.run(&["key", "list"], "");
    assert!(
        list.code == Some(0) && list.said.contains("it alone signs"),
        "{list:?}"
    );
    assert!(!format!("{list:?}").contains(secret), "{list:?}");
}

#[tokio::test]
async fn a_key_pair_has_no_secret_to_share() {
    let place = Place::new()
        .await
        .with("tokens.algorithm", "RS256")
        .with("public_url", "https://auth.example.com");
    creates(&place, ADA, PASSWORD);
    refuses(
        &place.run(&["key", "secret"], ""),
        1,
        "https://auth.example.com/.well-known/jwks.json",
    );
    refuses(
        &place.run(&["key", "rotate", "--ahead", "soon"], ""),
        2,
        "it is not a duration",
    );
    refuses(
        &place.run(&["key", "rotate", "--ahead", "31d"], ""),
        2,
        "it is more than 30d",
    );
}

#[tokio::test]
async fn the_wrong_secret_key_opens_no_key_and_a_lost_one_is_not_replaced() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    for arguments in [
        &["serve"][..],
        &["key", "list"],
        &["key", "rotate"],
        &["token", "verify"],
    ] {
        let mut command = place.command(arguments);
        command.env(
            "DOORWARD_SECRET_KEY",
            "another secret key that is long enough",
        );
        refuses(
            &ends(command, "a.b.c"),
            78,
            "the secret key is not the one that sealed this database",
        );
    }

    // With SQLite the key is in the data folder.
    let place = Place::new().await;
    let variables = [
        ("DOORWARD_METRICS_LISTEN", "off"),
        ("DOORWARD_LISTEN", "127.0.0.1:0"),
    ];
    let run = |arguments: &[&str], input| ends(bare(&place, &variables, arguments), input);
    let made = run(&["user", "create", ADA, "--password-stdin"], PASSWORD);
    assert_eq!(made.code, Some(0), "{made:?}");
    let key = place
        .data()
        .with_file_name("doorward-data")
        .join("secret.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    for arguments in [
        &["serve"][..],
        &["key", "list"],
        &["user", "create", "bob@example.com", "--password-stdin"],
    ] {
        refuses(
            &run(arguments, PASSWORD),
            78,
            "is not there, and the database was sealed under it",
        );
        assert!(!key.exists(), "{arguments:?}");
    }
    std::fs::write(&key, b"short").unwrap();
    refuses(
        &run(&["serve"], ""),
        78,
        "is too short to be the one that was made there",
    );
    std::fs::write(&key, kept).unwrap();
    assert_eq!(run(&["key", "list"], "").code, Some(0));
}
