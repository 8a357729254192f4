//! The documented call, to the byte.

use serde_json::json;

use crate::harness::{ADA, PASSWORD, server};

#[tokio::test]
async fn the_right_password_gets_the_token_and_nothing_else() {
    server(async |server| {
        server.signs_up(ADA).await;
        let answer = server.signs_in(ADA, PASSWORD).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        let token = answer.token().unwrap();
        assert_eq!(answer.body, format!(r#"{{"token":"{token}"}}"#));
        assert!(
            token.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."),
            "the document's own header"
        );
        assert!(token.len() <= 700, "{} bytes", token.len());
    })
    .await;
}

#[tokio::test]
async fn asking_for_the_token_by_name_is_the_documented_call_too() {
    server(async |server| {
        server.signs_up(ADA).await;
        let body = json!({"email": ADA, "password": PASSWORD, "session": "token"});
        assert_eq!(server.post("/auth/signin", &body).await.status, 200);
    })
    .await;
}
