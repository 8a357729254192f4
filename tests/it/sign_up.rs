//! Making an account. Tests are named by their ids in the catalogue of attacks.
#![expect(non_snake_case, reason = "the catalogue names its cases in capitals")]

use db::sql;
use serde_json::json;

use crate::harness::{ADA, PASSWORD, insist, server, server_with, together};

#[tokio::test]
async fn an_account_is_made_once_whatever_the_spelling() {
    server(async |server| {
        server.signs_up(ADA).await;
        for spelling in [
            "ada@example.com",
            "ADA@EXAMPLE.COM",
            "ada@ｅｘａｍｐｌｅ.com",
        ] {
            let again = server
                .post(
                    "/auth/signup",
                    &json!({"email": spelling, "password": PASSWORD}),
                )
                .await;
            assert_eq!(
                (again.status.as_u16(), again.code()),
                (409, "email_taken"),
                "{spelling}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn it_is_closed_unless_the_operator_opens_it() {
    server_with(&[("signup.enabled", "false")], async |server| {
        let answer = server
            .post("/auth/signup", &json!({"email": ADA, "password": PASSWORD}))
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (403, "signup_disabled")
        );
        assert_eq!(
            server.get("/auth/config").await.json()["signup"]["enabled"],
            false
        );
    })
    .await;
}

#[tokio::test]
async fn N3_a_quiet_sign_up_answers_the_same_whether_or_not_there_is_an_account() {
    server_with(&[("signup.answer", "accepted")], async |server| {
        let again = "another password of hers";
        let mut answers = Vec::new();
        for (email, password, session) in [
            (ADA, PASSWORD, "cookie"),
            (ADA, again, "cookie"),
            ("ADA@EXAMPLE.COM", PASSWORD, "cookie"),
            ("new@example.com", again, "cookie"),
        ] {
            let before = server.app.passwords.counts().done;
            let body = json!({"email": email, "password": password, "session": session});
            let mut answer = server.post("/auth/signup", &body).await;
            assert_eq!(answer.status, 202, "{answer:?}");
            assert_eq!(answer.body, r#"{"status":"accepted"}"#);
            assert_eq!(answer.header("set-cookie"), "");
            assert_eq!(server.app.passwords.counts().done, before + 1);
            answer.headers.remove("x-request-id");
            answers.push(answer.headers);
        }
        assert!(answers.iter().all(|headers| *headers == answers[0]), "{answers:?}");

        // The account is as it was made first, and the trail knows.
        assert_eq!(server.signs_in(ADA, PASSWORD).await.status, 200);
        assert_eq!(server.signs_in(ADA, again).await.status, 401);
        assert_eq!(server.signs_in("new@example.com", again).await.status, 200);
        let trail = sql("SELECT event, user_id FROM audit WHERE event LIKE 'signed_up%' ORDER BY event, user_id");
        let rows = server.app.db.all(trail, |row| Ok((row.text("event")?, row.text("user_id")?)));
        let rows = rows.await.unwrap();
        let events: Vec<&str> = rows.iter().map(|(event, _)| event.as_str()).collect();
        assert_eq!(events, ["signed_up", "signed_up", "signed_up_again", "signed_up_again"]);
        assert_eq!(rows[2].1, rows[3].1, "both were about Ada");
        assert_eq!(server.get("/auth/config").await.json()["signup"]["answer"], "accepted");
    })
    .await;
}

#[tokio::test]
async fn N3_sixty_four_quiet_sign_ups_at_once_make_one_account() {
    server_with(&[("signup.answer", "accepted")], async |server| {
        let body = json!({"email": ADA, "password": PASSWORD});
        let tries = (0..64).map(|_| insist(async || server.post("/auth/signup", &body).await));
        let answers = together(tries).await;
        assert!(
            answers.iter().all(|answer| answer.status == 202),
            "{answers:?}"
        );
        let users = sql("SELECT id FROM users");
        let users = server
            .app
            .db
            .all(users, |row| row.text("id"))
            .await
            .unwrap();
        assert_eq!(users.len(), 1);
        let trail = sql("SELECT id FROM audit WHERE event = 'signed_up_again'");
        let trail = server
            .app
            .db
            .all(trail, |row| row.text("id"))
            .await
            .unwrap();
        assert_eq!(trail.len(), 63);
    })
    .await;
}

#[tokio::test]
async fn N3_a_quiet_sign_up_judges_the_password_the_same_and_stays_closed_where_it_is() {
    for (enabled, status, code) in [
        ("true", 400, "weak_password"),
        ("false", 403, "signup_disabled"),
    ] {
        let settings = [("signup.answer", "accepted"), ("signup.enabled", enabled)];
        server_with(&settings, async |server| {
            let made = json!({"email": ADA, "password": PASSWORD});
            server.post("/auth/signup", &made).await;
            for email in [ADA, "nobody@example.com"] {
                let weak = json!({"email": email, "password": "password"});
                let refused = server.post("/auth/signup", &weak).await;
                assert_eq!(
                    (refused.status.as_u16(), refused.code()),
                    (status, code),
                    "{email}"
                );
            }
        })
        .await;
    }
}
