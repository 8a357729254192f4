//! Authenticators that count their signatures tell of copies of them.

use db::sql;
use doorward::passkeys::{self, Ending};
use doorward::secret::Secret;
use serde_json::json;

use super::{PASSKEYS, REGISTER, creation, ending, is_refused, registers, request, signs_in};
use crate::harness::authenticator::Passkey;
use crate::harness::{ADA, Server, asking, server, server_with};

/// How often the trail tells of a copy.
async fn copies(server: &Server) -> usize {
    let rows = sql("SELECT id FROM audit WHERE event = 'passkey_copied' AND user_id IS NOT NULL");
    let rows = server.app.db.all(rows, |row| row.text("id")).await;
    rows.unwrap().len()
}

/// A passkey that has signed five times.
async fn counting(server: &Server) -> Passkey {
    let token = server.signs_up(ADA).await;
    let options = creation(server, &token).await;
    let (mut passkey, mut making) = Passkey::make(&options);
    making.data.sign_count = 5;
    let body = ending(&options, &making.json());
    assert_eq!(server.post_as(&token, REGISTER, &body).await.status, 201);
    passkey.sign_count = 5;
    passkey
}

#[tokio::test]
async fn W11_a_count_that_was_before_is_a_copy_and_refused() {
    server(async |server| {
        let mut passkey = counting(server).await;
        for (told, (count, is_let_in)) in [(6, true), (6, false), (5, false), (0, false), (9, true)]
            .into_iter()
            .enumerate()
        {
            let before = copies(server).await;
            passkey.sign_count = count;
            let answer = signs_in(server, &passkey, |_| {}).await;
            if is_let_in {
                assert_eq!(answer.status, 200, "{told}: {answer:?}");
            } else {
                is_refused(&answer, &format!("{told}: {count}"));
            }
            assert_eq!(
                copies(server).await - before,
                usize::from(!is_let_in),
                "{told}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn W11_whoever_never_counts_is_no_copy() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        for _ in 0..3 {
            assert_eq!(signs_in(server, &passkey, |_| {}).await.status, 200);
        }
        assert_eq!(copies(server).await, 0);
    })
    .await;
}

#[tokio::test]
async fn W11_an_operator_may_let_copies_in_and_is_told() {
    server_with(
        &[("passkeys.counter_regression", "allow")],
        async |server| {
            let mut passkey = counting(server).await;
            for (count, told) in [(5, 1), (0, 2), (6, 2), (3, 3)] {
                passkey.sign_count = count;
                let answer = signs_in(server, &passkey, |_| {}).await;
                assert_eq!(answer.status, 200, "{count}: {answer:?}");
                assert_eq!(copies(server).await, told, "{count}");
            }
            // A wrong proof is no less wrong for it.
            let answer = signs_in(server, &passkey, |proof| proof.data.flags = 0).await;
            is_refused(&answer, "nobody was there");
        },
    )
    .await;
}

#[tokio::test]
async fn its_use_is_noted() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        let listed = server.get_as(&token, PASSKEYS).await;
        assert_eq!(listed.json()["data"][0]["lastUsedAt"], json!(null));
        assert_eq!(signs_in(server, &passkey, |_| {}).await.status, 200);
        let listed = server.get_as(&token, PASSKEYS).await;
        assert_eq!(
            listed.json()["data"][0]["lastUsedAt"],
            "2026-06-01T12:00:00.000Z"
        );
    })
    .await;
}

#[tokio::test]
async fn two_signatures_with_one_count_that_were_verified_at_once_are_used_once() {
    server(async |server| {
        let mut passkey = counting(server).await;
        passkey.sign_count = 6;
        let app = &server.app;
        let mut verified = Vec::new();
        for _ in 0..2 {
            let options = request(server).await;
            let ceremony = options["ceremonyId"].as_str().unwrap().to_owned();
            let ending = Ending {
                ceremony: Secret::new(ceremony),
                credential: passkey.prove(&options).json().to_string(),
            };
            let asking = asking(server.clock.now());
            let relying_party = app.relying_party().unwrap();
            let proven = passkeys::prove(&app.db, relying_party, None, &ending, &asking).await;
            verified.push(proven.unwrap().unit);
        }
        let [first, second] = verified.try_into().ok().unwrap();
        app.db.write(first).await.unwrap();
        let late = app.db.write(second).await;
        assert!(matches!(late, Err(db::Error::Touched { .. })), "{late:?}");
    })
    .await;
}
