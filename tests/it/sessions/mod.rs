//! Sessions: how they are carried, renewed, seen and ended.

mod browser;
mod cookies;
mod ending;
mod forgery;
mod model;
mod refresh;

use axum::http::Method;
use serde_json::json;

use crate::harness::{ADA, Answer, PASSWORD, Server, server};

/// The claims of the token that an answer gives.
fn claims(answer: &Answer) -> serde_json::Value {
    jose::decode_unverified(answer.token().unwrap()).unwrap().1
}

fn keys(answer: &Answer) -> Vec<&str> {
    let body = answer.json().as_object().unwrap();
    body.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_session_is_carried_as_it_is_asked_for() {
    server(async |server| {
        for path in ["/auth/signup", "/auth/signin"] {
            for (session, expected) in [
                (json!({}), &["token"][..]),
                (json!({"session": null}), &["token"]),
                (json!({"session": "token"}), &["token"]),
                (
                    json!({"session": "refresh"}),
                    &["token", "expiresIn", "refreshToken"],
                ),
                (json!({"session": "cookie"}), &["user"]),
            ] {
                let email = format!("{}@example.com", session.to_string().len());
                let mut body = json!({"email": email, "password": PASSWORD});
                body.as_object_mut()
                    .unwrap()
                    .extend(session.as_object().unwrap().clone());
                let answer = server.post(path, &body).await;
                assert!(answer.status.is_success(), "{answer:?}");
                assert_eq!(keys(&answer), expected, "{path} {session}");
                assert_eq!(answer.cookie().is_some(), session["session"] == "cookie");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_cookie_is_opaque_and_signs_in_whoever_sends_it() {
    server(async |server| {
        server.signs_up(ADA).await;
        let answer = server.begins(ADA, "cookie").await;
        let set = answer.header("set-cookie");
        let (pair, attributes) = set.split_once("; ").unwrap();
        assert_eq!(
            attributes,
            "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=7776000"
        );
        let (_, value) = pair.split_once('=').unwrap();
        assert_eq!(value.len(), 75);
        assert!(
            !answer.body.contains(value) && !answer.body.contains("eyJ"),
            "{answer:?}"
        );
        assert_eq!(answer.json()["user"]["email"], ADA);
        assert_eq!(answer.header("cache-control"), "no-store");

        let me = server.call_by(value, Method::GET, "/auth/me", None).await;
        assert_eq!(
            (me.status.as_u16(), &me.json()["email"]),
            (200, &json!(ADA))
        );
        let change = json!({"name": "Countess"});
        let changed = server
            .call_by(value, Method::PATCH, "/auth/me", Some(&change))
            .await;
        assert_eq!(changed.json()["name"], "Countess", "{changed:?}");
        // A token is no cookie, and a cookie no token.
        let refused = server.get_as(value, "/auth/me").await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (401, "token_invalid")
        );
        let token = server.signs_in(ADA, PASSWORD).await;
        let refused = server
            .call_by(token.token().unwrap(), Method::GET, "/auth/me", None)
            .await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (401, "token_missing")
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_new_session_says_of_itself_ends_with_it() {
    let settings = [("sessions.lifetime", "30s"), ("sessions.idle", "20s")];
    crate::harness::server_with(&settings, async |server: &Server| {
        server.signs_up(ADA).await;
        let answer = server.begins(ADA, "refresh").await;
        assert_eq!(answer.json()["expiresIn"], 20, "{answer:?}");
        let said = claims(&answer);
        assert_eq!(
            said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(),
            20
        );
        assert_eq!(said["amr"], json!(["pwd"]));
    })
    .await;
}
