//! The signed-in person's own account.

use std::time::Duration;

use serde_json::json;

use crate::harness::{ADA, server, server_with};

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

#[tokio::test]
async fn a_holder_who_was_seen_before_is_seen_as_they_are_now_whoever_changed_them() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let beside = server.another().await;
        let name = async || server.get_as(&token, "/auth/me").await.json()["name"].clone();
        for _ in 0..2 {
            assert_eq!(name().await, json!(null));
        }
        for (node, new) in [
            (server, "Ada"),
            (&beside, "Ada Lovelace"),
            (server, "A. L."),
        ] {
            let new = json!({"name": new});
            let changed = node.patch_as(&token, "/auth/me", &new);
            assert_eq!(changed.await.status, 200);
            for _ in 0..2 {
                assert_eq!(name().await, new["name"]);
            }
        }
        let all = json!({"scope": "all"});
        let ended = beside.post_as(&token, "/auth/signout", &all).await;
        assert_eq!(ended.status, 204, "{ended:?}");
        for _ in 0..2 {
            let refused = server.get_as(&token, "/auth/me").await;
            assert_eq!(refused.code(), "session_revoked");
        }
        beside.app.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_token_that_was_shown_before_counts_until_its_time_and_no_longer() {
    for algorithm in ["HS256", "ES256"] {
        let settings = [("tokens.algorithm", algorithm), ("tokens.lifetime", "10m")];
        server_with(&settings, async |server| {
            let token = server.signs_up(ADA).await;
            for wait in [Duration::ZERO, Duration::from_secs(599)] {
                server.wait(wait);
                for _ in 0..2 {
                    assert_eq!(server.get_as(&token, "/auth/me").await.status, 200);
                    assert_eq!(server.introspects(&token).await.json()["active"], true);
                }
            }
            server.wait(Duration::from_secs(1));
            for _ in 0..2 {
                let refused = server.get_as(&token, "/auth/me").await;
                assert_eq!(refused.code(), "token_expired");
                assert_eq!(server.introspects(&token).await.json()["active"], false);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn who_was_seen_before_is_not_asked_for_again_unless_they_are_large() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let questions = async || {
            let before = server.app.db.counts().questions;
            assert_eq!(server.get_as(&token, "/auth/me").await.status, 200);
            server.app.db.counts().questions - before
        };
        let notes = async |length| {
            let metadata = json!({"metadata": {"notes": "x".repeat(length)}});
            let changed = server.patch_as(&token, "/auth/me", &metadata).await;
            assert_eq!(changed.status, 200);
        };
        // Not at once on PostgreSQL, where others write meanwhile.
        while questions().await > 0 {}
        notes(1024).await;
        for _ in 0..20 {
            assert_eq!(questions().await, 1);
        }
        notes(512).await;
        while questions().await > 0 {}
    })
    .await;
}
