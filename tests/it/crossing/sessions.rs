//! Sessions that end, are renewed or begin.

use db::{Sql, sql};
use doorward::audit::{About, Event};
use doorward::clock::Timestamp;
use doorward::ids::SessionId;
use doorward::sessions::renewal::Renewal;
use doorward::sessions::store::{self, Proof};
use doorward::sessions::{Carried, Session};
use doorward::users;
use serde_json::json;

use super::{is_noted, password_of, shut, touches};
use crate::harness::phone::Phone;
use crate::harness::{ADA, Server, server};

/// A session as a refresh finds it, what that brings it on to, and its token.
async fn found(server: &Server) -> (Session, Renewal, String) {
    let begun = server.begins(ADA, "refresh").await;
    let app = &server.app;
    let presented = Renewal::read(begun.refresh_token().unwrap(), &app.stamp).unwrap();
    let now = server.clock.now();
    let found = store::of_family(&app.db, &presented, Carried::Refresh, now).await;
    let (session, _) = found.unwrap().unwrap();
    (session, presented.next(), begun.token().unwrap().to_owned())
}

/// What a request does to a live session: hold it, note that it was used, renew it.
fn uses(server: &Server, session: &Session, next: &Renewal, now: Timestamp) -> [Sql; 3] {
    let used = session.clone().seen(&server.app.config.sessions, now);
    [
        store::hold(&session.id, &session.user, now),
        store::see(&used, session.last_seen_at),
        store::renew(&used, next),
    ]
}

#[tokio::test]
async fn a_session_that_ends_meanwhile_is_neither_held_nor_seen_nor_renewed() {
    server(async |server| {
        server.signs_up(ADA).await;
        for end in ["none", "sign-out", "time", "epoch"] {
            let (session, next, token) = found(server).await;
            let mut now = server.clock.now();
            match end {
                "sign-out" => {
                    let out = server.post_as(&token, "/auth/signout", &json!({})).await;
                    assert_eq!(out.status, 204, "{out:?}");
                }
                "time" => now = session.expires_at,
                "epoch" => {
                    let raised = sql("UPDATE revocation_count SET epoch = epoch + 1");
                    assert!(touches(server, raised).await);
                }
                _ => {}
            }
            for (n, used) in uses(server, &session, &next, now).into_iter().enumerate() {
                assert_eq!(touches(server, used).await, end == "none", "{end}, {n}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_is_renewed_once_by_whoever_found_it_the_same() {
    server(async |server| {
        server.signs_up(ADA).await;
        let (session, next, _) = found(server).await;
        for is_first in [true, false] {
            let renewed = store::renew(&session, &next);
            assert_eq!(touches(server, renewed).await, is_first);
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_does_not_begin_by_what_counts_no_more() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let (session, ..) = found(server).await;
        let hash = password_of(server, &session.user).await;
        let begins = async |hash: &str| {
            let mut begun = Vec::new();
            for proof in [
                Proof::PasswordAlone(hash),
                Proof::Password(hash),
                Proof::Spent,
            ] {
                let session = Session {
                    id: SessionId::new(server.clock.now()),
                    ..session.clone()
                };
                let about = About {
                    user: Some(&session.user),
                    session: Some(&session.id),
                };
                let begin = store::insert(&session, None, proof);
                begun.push(is_noted(server, begin, Event::SignedIn, about).await);
            }
            begun
        };
        assert_eq!(begins(&hash).await, [true, true, true]);
        assert_eq!(begins("another").await, [false, false, true]);
        Phone::is_set_up(server, &token).await;
        assert_eq!(begins(&hash).await, [false, true, true]);
        let noted = || users::store::touch_sign_in(&session.user, server.clock.now());
        assert!(touches(server, noted()).await);
        shut(server, &session.user).await;
        assert_eq!(begins(&hash).await, [false, false, false]);
        assert!(!touches(server, noted()).await);
    })
    .await;
}
