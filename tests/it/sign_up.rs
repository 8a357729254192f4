//! Making an account.

use serde_json::json;

use crate::harness::{ADA, PASSWORD, server, server_with};

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
