//! The signed-in person's own account.

use serde_json::json;

use crate::harness::{ADA, server};

#[tokio::test]
async fn a_token_says_who_its_holder_is() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let me = server.get_as(&token, "/auth/me").await;
        assert_eq!(me.status, 200, "{me:?}");
        assert_eq!(me.json()["email"], ADA);
        assert_eq!(me.json()["emailVerified"], false);
        assert_eq!(me.json()["createdAt"], "2026-06-01T12:00:00.000Z");
    })
    .await;
}

#[tokio::test]
async fn what_is_sent_is_changed_what_is_null_is_cleared_and_what_is_absent_stays() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let both = json!({"name": "Ada", "locale": "en-GB", "metadata": {"plan": "gold"}});
        assert_eq!(server.patch_as(&token, "/auth/me", &both).await.status, 200);
        let me = server
            .patch_as(&token, "/auth/me", &json!({"name": null}))
            .await;
        assert_eq!(me.json()["name"], json!(null));
        assert_eq!(me.json()["locale"], "en-GB");
        assert_eq!(me.json()["metadata"], json!({"plan": "gold"}));
    })
    .await;
}
