//! What ends a token before its time.

use db::Unit;
use doorward::audit::{self, About, By, Event};
use doorward::ids::UserId;
use doorward::revocations::store::{Which, end};
use doorward::secret::Secret;
use doorward::{password, users};
use serde_json::Value;

use super::forge::{Forger, for_each_algorithm};
use crate::harness::{ADA, PASSWORD, Server};

/// Whose token this is.
pub fn owner(forger: &Forger) -> UserId {
    UserId::from_stored(forger.claims["sub"].as_str().unwrap().to_owned())
}

/// Every session of `id` ends, and nothing else happens.
pub async fn end_sessions(server: &Server, id: &UserId) {
    let ending = end(Which::All(id), server.clock.now());
    let app = &server.app;
    app.revocations.write(&app.db, ending).await.unwrap();
}

fn operator(server: &Server) -> By<'static> {
    By::Operator(server.clock.now())
}

/// After an ending: no token of before is good, one of after is, and nothing was changed meanwhile.
async fn only_new_ones_count(forger: &Forger<'_>, password: &str) {
    let old = [&forger.token, &forger.with_claim("x", Value::Null)];
    for token in old {
        forger
            .refused_as("session_revoked", token, "of before")
            .await;
    }
    let again = forger.server.signs_in(ADA, password).await;
    let token = again.token().unwrap();
    let me = forger.server.get_as(token, "/auth/me").await;
    assert_eq!(me.json()["name"], Value::Null);
    for token in old {
        forger
            .refused_as("session_revoked", token, "of before, still")
            .await;
    }
}

#[tokio::test]
async fn T30_after_the_sessions_ended() {
    for_each_algorithm(async |forger| {
        end_sessions(forger.server, &owner(forger)).await;
        only_new_ones_count(forger, PASSWORD).await;
    })
    .await;
}

#[tokio::test]
async fn T30_after_another_password() {
    for_each_algorithm(async |forger| {
        let (server, app) = (forger.server, &forger.server.app);
        let new = "a longer walk by the sea";
        server.must_stay_unseen(new);
        let ada = users::store::by_id(&app.db, &owner(forger))
            .await
            .unwrap()
            .unwrap();
        let secret = Secret::new(new.to_owned());
        let by = operator(server);
        let set = password::set(
            &app.db,
            &app.revocations,
            &app.passwords,
            &app.stamp,
            &ada,
            &secret,
            by,
        );
        assert!(set.await.unwrap());
        only_new_ones_count(forger, new).await;
        assert_eq!(server.signs_in(ADA, PASSWORD).await.status, 401);
    })
    .await;
}

#[tokio::test]
async fn T30_after_the_account_was_shut_and_opened_again() {
    for_each_algorithm(async |forger| {
        let (server, id) = (forger.server, &owner(forger));
        assert!(
            users::disable(
                &server.app.db,
                &server.app.revocations,
                id,
                operator(server)
            )
            .await
            .unwrap()
        );
        forger
            .refused_as("session_revoked", &forger.token, "shut")
            .await;
        assert_eq!(server.signs_in(ADA, PASSWORD).await.status, 401);
        assert!(
            users::enable(&server.app.db, id, operator(server))
                .await
                .unwrap()
        );
        only_new_ones_count(forger, PASSWORD).await;
    })
    .await;
}

#[tokio::test]
async fn T30_after_the_account_was_shut_though_its_session_was_forgotten() {
    for_each_algorithm(async |forger| {
        let (server, id) = (forger.server, &owner(forger));
        let about = About {
            user: Some(id),
            session: None,
        };
        let unit = Unit::new()
            .expect(1, users::store::disable(id, server.clock.now()))
            .run(audit::row(Event::UserDisabled, operator(server), about));
        server.app.db.write(unit).await.unwrap();
        forger
            .refused_as("session_revoked", &forger.token, "shut")
            .await;
    })
    .await;
}

#[tokio::test]
async fn T30_after_the_account_is_gone_and_another_has_its_address() {
    for_each_algorithm(async |forger| {
        let (server, id) = (forger.server, &owner(forger));
        assert!(
            users::delete(
                &server.app.db,
                &server.app.revocations,
                id,
                operator(server)
            )
            .await
            .unwrap()
        );
        forger
            .refused_as("session_revoked", &forger.token, "gone")
            .await;
        let heir = server.signs_up(ADA).await;
        only_new_ones_count(forger, PASSWORD).await;
        let me = server.get_as(&heir, "/auth/me").await;
        assert_ne!(me.json()["id"], forger.claims["sub"]);
    })
    .await;
}
