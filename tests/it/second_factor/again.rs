//! Proving again who one is.

use std::time::Duration;

use doorward::audit::By;
use doorward::error::{Error, Refusal};
use doorward::ids::SessionId;
use doorward::second_factors::Owner;
use doorward::users;
use doorward::{passkeys, password, recovery_codes, totp};
use serde_json::json;

use super::{ada, at_once, claims, goes_on, is_asked, is_refused};
use crate::harness::phone::Phone;
use crate::harness::{ADA, PASSWORD, asking, rows, server, server_with};
use crate::passkeys::registers;
use crate::proofs::{asks, solved, written};

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

#[tokio::test]
async fn a_session_that_is_proved_again_in_two_requests_ends_with_the_second() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let signed_in = at_once(server, &phone.shows_in(server, 0)).await;
        let token = signed_in.token().unwrap();
        server.wait(Duration::from_mins(11));
        let alone = json!({"password": PASSWORD});
        let asked = server.post_as(token, "/auth/reauthenticate", &alone).await;
        is_asked(&asked);
        assert_eq!(server.get_as(token, "/auth/me").await.status, 200);
        let challenge = asked.json()["challenge"].as_str().unwrap();
        let again = goes_on(server, challenge, &phone.shows_in(server, 0)).await;
        assert_eq!(again.status, 200, "{again:?}");
        is_refused(&server.get_as(token, "/auth/me").await, "session_revoked");
    })
    .await;
}

#[tokio::test]
async fn where_each_sign_in_proves_work_so_does_who_signs_in_again() {
    let settings = [
        ("limits.enabled", "true"),
        ("limits.proof", "always"),
        ("limits.proof_work", "1000"),
    ];
    server_with(&settings, async |server| {
        let token = server.signs_up(ADA).await;
        let mut again = json!({"password": PASSWORD});
        let refused = server.post_as(&token, "/auth/reauthenticate", &again).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (429, "proof_required")
        );
        again["proof"] = written(&solved(&asks(server).await)).into();
        let fresh = server.post_as(&token, "/auth/reauthenticate", &again).await;
        assert_eq!(fresh.status, 200, "{fresh:?}");
    })
    .await;
}

#[tokio::test]
async fn a_session_from_before_the_app_proves_itself_again_and_the_one_that_set_it_up_goes_on() {
    server(async |server| {
        let setting_up = server.signs_up(ADA).await;
        let elsewhere = server.begins(ADA, "refresh").await;
        let before = elsewhere.token().unwrap();
        let (phone, _) = Phone::is_set_up(server, &setting_up).await;
        let stale = server.delete_as(before, "/auth/totp").await;
        assert_eq!(
            (stale.status.as_u16(), stale.code()),
            (403, "reauthentication_required")
        );
        server.wait(Duration::from_secs(30));
        let both = json!({"password": PASSWORD, "code": phone.shows_in(server, 0)});
        let again = server.post_as(before, "/auth/reauthenticate", &both).await;
        assert_eq!(again.status, 200, "{again:?}");

        let made = server
            .post_as(&setting_up, "/auth/recovery-codes", &json!({}))
            .await;
        assert_eq!(made.status, 200, "{made:?}");
        let listed = server.get_as(&setting_up, "/auth/sessions").await;
        let shown: Vec<_> = listed.json()["data"].as_array().unwrap().iter().collect();
        let own = shown.iter().find(|session| session["current"] == true);
        assert_eq!(own.unwrap()["amr"], json!(["pwd", "otp", "mfa"]));
    })
    .await;
}

/// Who asked before there was a second factor, and is written down after.
#[tokio::test]
async fn a_session_that_has_shown_no_second_factor_changes_none_that_came_meanwhile() {
    server(async |server| {
        let [token, elsewhere] = [
            server.signs_up(ADA).await,
            server.signs_in(ADA, PASSWORD).await.token().unwrap().into(),
        ];
        let (app, asking) = (&server.app, asking(server.clock.now()));
        let id = crate::totp::owner(server, &token).await;
        let user = users::store::by_id(&app.db, &id).await.unwrap().unwrap();
        let [shown, stale] = [&token, &elsewhere].map(|token| {
            let (_, claims) = jose::decode_unverified(token).unwrap();
            SessionId::from_stored(claims["sid"].as_str().unwrap().to_owned())
        });
        registers(server, &token).await;
        let passkey = passkeys::list(&app.db, &id).await.unwrap().remove(0).id;

        let (user, config) = (&user, &app.config.second_factor);
        let stale = Owner {
            user,
            session: &stale,
        };
        let turn = password::turn(By::Caller(&asking));
        let made = recovery_codes::make(&app.passwords, turn).await.unwrap();
        let before = rows::all(&app.db).await;
        for refused in [
            totp::enrol(&app.db, app.sealer(), config, stale, &asking)
                .await
                .map(drop),
            recovery_codes::replace(&app.db, &made, stale, &asking).await,
            passkeys::remove(&app.db, config, stale, &passkey, &asking).await,
        ] {
            let is_asked_again = matches!(
                refused,
                Err(Error::Refused(Refusal::ReauthenticationRequired))
            );
            assert!(is_asked_again, "{refused:?}");
        }
        assert_eq!(rows::all(&app.db).await, before);
        let shown = Owner {
            user,
            session: &shown,
        };
        let removed = passkeys::remove(&app.db, config, shown, &passkey, &asking).await;
        removed.unwrap();
    })
    .await;
}
