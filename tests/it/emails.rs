//! Which spellings are one address and which are two, and that no race makes two accounts of one. What is no address at
//! all is told in `bad_input::emails`; ids are those of the catalogue of bad inputs.
#![expect(
    non_snake_case,
    reason = "a case is named by its id in the catalogue of bad inputs"
)]

use db::sql;
use serde_json::json;

use crate::harness::{ADA, PASSWORD, Server, insist, server, together};

/// The first makes the account, whose address then reads `stored`; each of the others signs in to it, and makes no
/// second one.
async fn one_account(spellings: &[&str], stored: &str) {
    server(async |server| {
        server.signs_up(spellings[0]).await;
        for spelling in spellings {
            let signed_in = server.signs_in(spelling, PASSWORD).await;
            assert_eq!(signed_in.status, 200, "{spelling}: {signed_in:?}");
            let me = server.get_as(signed_in.token().unwrap(), "/auth/me").await;
            assert_eq!(me.json()["email"], stored, "{spelling}");
            let again = json!({"email": spelling, "password": PASSWORD});
            let again = server.post("/auth/signup", &again).await;
            assert_eq!(
                (again.status.as_u16(), again.code()),
                (409, "email_taken"),
                "{spelling}"
            );
        }
        assert_eq!(accounts(server).await, 1);
    })
    .await;
}

/// Each has an account of its own.
async fn accounts_of_their_own(addresses: &[&str]) {
    server(async |server| {
        for address in addresses {
            server.signs_up(address).await;
        }
        assert_eq!(accounts(server).await, addresses.len());
        for address in addresses {
            let me = server.signs_in(address, PASSWORD).await;
            let me = server.get_as(me.token().unwrap(), "/auth/me").await;
            let email = me.json()["email"].as_str().unwrap();
            let (local, _) = address.split_once('@').unwrap();
            assert!(
                email.starts_with(&format!("{local}@")),
                "{address} became {email}"
            );
        }
    })
    .await;
}

async fn accounts(server: &Server) -> usize {
    let ids = server
        .app
        .db
        .all(sql("SELECT id FROM users"), |row| row.text("id"));
    ids.await.unwrap().len()
}

#[tokio::test]
async fn E4_as_long_as_an_address_may_be() {
    let local = "a".repeat(64);
    let label = "b".repeat(63);
    let domain = format!("{label}.{label}.{}.com", "b".repeat(57));
    let longest = format!("{local}@{domain}");
    assert_eq!(longest.len(), 254);
    one_account(&[&longest, &longest.to_uppercase()], &longest).await;
}

#[tokio::test]
async fn E12_domains_that_look_alike_are_two() {
    accounts_of_their_own(&[
        "ada@example.com",
        "ada@\u{435}xample.com",
        "ada@ex\u{e4}mple.com",
    ])
    .await;
}

#[tokio::test]
async fn E13_an_international_domain_and_its_ascii_form() {
    let spellings = [
        "ada@b\u{fc}cher.example",
        "ada@xn--bcher-kva.example",
        "ada@XN--BCHER-KVA.example",
        "ada@B\u{dc}CHER.example",
    ];
    one_account(&spellings, "ada@xn--bcher-kva.example").await;
}

#[tokio::test]
async fn E15_full_width_letters_and_dots_in_the_domain() {
    let spellings = [
        "ada@example.com",
        "ada@\u{ff45}\u{ff58}\u{ff41}\u{ff4d}\u{ff50}\u{ff4c}\u{ff45}.com",
        "ada@example\u{ff0e}com",
        "ada@example\u{3002}com",
        "ada@example\u{ff61}com",
    ];
    one_account(&spellings, "ada@example.com").await;
}

#[tokio::test]
async fn E16_composed_and_decomposed_in_the_domain() {
    one_account(
        &["ada@b\u{fc}cher.example", "ada@bu\u{308}cher.example"],
        "ada@xn--bcher-kva.example",
    )
    .await;
}

#[tokio::test]
async fn E18_letters_whose_lower_case_is_another_letter() {
    one_account(
        &["ada@kelvin.example", "ada@\u{212a}elvin.example"],
        "ada@kelvin.example",
    )
    .await;
    accounts_of_their_own(&["ada@strasse.example", "ada@stra\u{df}e.example"]).await;
    accounts_of_their_own(&[
        "ada@istanbul.example",
        "ada@\u{130}stanbul.example",
        "ada@\u{131}stanbul.example",
    ])
    .await;
}

#[tokio::test]
async fn E19_upper_and_lower_case() {
    // Mail goes to the address as its owner wrote it when the account was made.
    let spellings = [
        "Ada.Lovelace@Example.COM",
        "ada.lovelace@example.com",
        "ADA.LOVELACE@EXAMPLE.COM",
    ];
    one_account(&spellings, "Ada.Lovelace@example.com").await;
}

#[tokio::test]
async fn E20_tags_and_dots_are_the_providers_business() {
    accounts_of_their_own(&[
        "ada@gmail.com",
        "ada+shop@gmail.com",
        "a.da@gmail.com",
        "ada@googlemail.com",
        "ada-shop@gmail.com",
    ])
    .await;
}

#[tokio::test]
async fn E31_names_that_sound_like_the_operator_give_nothing() {
    let settings = [("public_url", "https://auth.example.com")];
    crate::harness::server_with(&settings, async |server| {
        for name in ["admin", "root", "postmaster", "security", "no-reply"] {
            let token = server.signs_up(&format!("{name}@auth.example.com")).await;
            let me = server.get_as(&token, "/auth/me").await;
            assert_eq!(
                (&me.json()["roles"], &me.json()["emailVerified"]),
                (&json!([]), &json!(false))
            );
        }
    })
    .await;
}

#[tokio::test]
async fn X7_sixty_four_sign_ups_of_one_address_make_one_account() {
    let spellings = [
        "ada@b\u{fc}cher.example",
        "ADA@bu\u{308}cher.example",
        "Ada@xn--bcher-kva.example",
        "aDa@B\u{dc}CHER\u{3002}example",
    ];
    server(async |server| {
        let sign_ups = (0..64).map(|n| async move {
            let password = format!("{PASSWORD} {n}");
            let body = json!({"email": spellings[n % spellings.len()], "password": password});
            let answer = insist(async || server.post("/auth/signup", &body).await).await;
            (answer, password)
        });
        let answers = together(sign_ups).await;
        let mut winners = Vec::new();
        for (answer, password) in &answers {
            match (answer.status.as_u16(), answer.code()) {
                (201, _) => winners.push(password),
                (409, "email_taken") => {}
                _ => panic!("{answer:?}"),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(accounts(server).await, 1);
        for (_, password) in &answers {
            let expected = if password == winners[0] { 200 } else { 401 };
            assert_eq!(
                server.signs_in(spellings[0], password).await.status,
                expected
            );
        }
    })
    .await;
}

#[tokio::test]
async fn X7_sign_ups_of_many_addresses_each_make_one_account() {
    server(async |server| {
        let addresses: Vec<String> = (0..64).map(|n| format!("{n}{ADA}")).collect();
        let answers = together(addresses.iter().chain(&addresses).map(|address| {
            let body = json!({"email": address, "password": PASSWORD});
            insist(async move || server.post("/auth/signup", &body).await)
        }))
        .await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        let taken = answers
            .iter()
            .filter(|answer| answer.code() == "email_taken")
            .count();
        assert_eq!((made, taken, accounts(server).await), (64, 64, 64));
    })
    .await;
}
