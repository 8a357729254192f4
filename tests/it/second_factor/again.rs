//! Proving again who one is.

use std::time::Duration;

use serde_json::json;

use super::{ada, at_once, claims, is_asked, is_refused};
use crate::harness::{ADA, PASSWORD, server};

#[tokio::test]
async fn what_changes_a_second_factor_asks_for_a_proof_of_the_last_ten_minutes() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        server.wait(Duration::from_mins(10));
        assert_eq!(
            server
                .post_as(&token, "/auth/totp", &json!({}))
                .await
                .status,
            200
        );
        server.wait(Duration::from_secs(1));
        let stale = server.post_as(&token, "/auth/totp", &json!({})).await;
        assert_eq!(
            (stale.status.as_u16(), stale.code()),
            (403, "reauthentication_required")
        );
        let wrong = json!({"password": "not hers at all"});
        let refused = server.post_as(&token, "/auth/reauthenticate", &wrong).await;
        assert_eq!(refused.status, 401, "{refused:?}");
        assert_eq!(server.get_as(&token, "/auth/me").await.status, 200);

        let right = json!({"password": PASSWORD});
        let again = server.post_as(&token, "/auth/reauthenticate", &right).await;
        assert_eq!(again.status, 200, "{again:?}");
        let fresh = again.token().unwrap();
        assert_ne!(
            claims(&again)["sid"],
            jose::decode_unverified(&token).unwrap().1["sid"]
        );
        assert_eq!(claims(&again)["auth_time"], server.clock.now().seconds());
        assert_eq!(
            server.post_as(fresh, "/auth/totp", &json!({})).await.status,
            200
        );
        // C2: the one before is over.
        is_refused(&server.get_as(&token, "/auth/me").await, "session_revoked");
    })
    .await;
}

#[tokio::test]
async fn a_session_goes_on_as_it_was_carried() {
    server(async |server| {
        server.signs_up(ADA).await;
        let begun = server.begins(ADA, "refresh").await;
        let right = json!({"password": PASSWORD});
        let again = server
            .post_as(begun.token().unwrap(), "/auth/reauthenticate", &right)
            .await;
        assert_eq!(again.status, 200, "{again:?}");
        let successor = server.refreshes(again.refresh_token().unwrap()).await;
        assert_eq!(successor.status, 200);
        let old = server.refreshes(begun.refresh_token().unwrap()).await;
        is_refused(&old, "refresh_token_invalid");
    })
    .await;
}

#[tokio::test]
async fn who_has_a_second_factor_shows_it_again_too() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let signed_in = at_once(server, &phone.shows_in(server, 0)).await;
        let token = signed_in.token().unwrap();
        server.wait(Duration::from_mins(11));
        let alone = json!({"password": PASSWORD});
        is_asked(&server.post_as(token, "/auth/reauthenticate", &alone).await);
        let both = json!({"password": PASSWORD, "code": phone.shows_in(server, 0)});
        let again = server.post_as(token, "/auth/reauthenticate", &both).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(claims(&again)["amr"], json!(["pwd", "otp", "mfa"]));
        let fresh = again.token().unwrap();
        assert_eq!(server.delete_as(fresh, "/auth/totp").await.status, 204);
    })
    .await;
}
