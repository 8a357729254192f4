//! Seeing sessions and ending them.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::claims;
use crate::harness::{ADA, Answer, PASSWORD, Server, server};

const GRACE: &str = "grace@example.com";

async fn is_live(server: &Server, answer: &Answer) -> bool {
    let me = server.get_as(answer.token().unwrap(), "/auth/me").await;
    match me.status.as_u16() {
        200 => true,
        401 => {
            assert_eq!(me.code(), "session_revoked");
            false
        }
        _ => panic!("{me:?}"),
    }
}

async fn sign_out(server: &Server, answer: &Answer, scope: Value) -> Answer {
    let body = json!({"scope": scope});
    server
        .post_as(answer.token().unwrap(), "/auth/signout", &body)
        .await
}

async fn listed(server: &Server, answer: &Answer) -> Vec<Value> {
    let list = server
        .get_as(answer.token().unwrap(), "/auth/sessions")
        .await;
    assert_eq!(list.status, 200, "{list:?}");
    list.json()["data"].as_array().unwrap().clone()
}

async fn three(server: &Server) -> [Answer; 3] {
    server.signs_up(ADA).await;
    [
        server.begins(ADA, "refresh").await,
        server.begins(ADA, "token").await,
        server.begins(ADA, "refresh").await,
    ]
}

#[tokio::test]
async fn C6_this_session_ends_and_no_other_and_again_is_no_error() {
    server(async |server| {
        let [one, two, three] = three(server).await;
        for scope in [Value::Null, json!("this")] {
            let out = sign_out(server, &one, scope).await;
            assert_eq!((out.status.as_u16(), out.body.as_str()), (204, ""));
            assert_eq!(out.header("content-type"), "");
            assert_eq!(out.cookie(), None, "there is no cookie to be taken back");
            assert!(!is_live(server, &one).await);
        }
        let refused = server.refreshes(one.refresh_token().unwrap()).await;
        assert_eq!(refused.code(), "refresh_token_invalid");
        assert!(is_live(server, &two).await && is_live(server, &three).await);
        // Without a body, and as somebody who is out already.
        let out = server
            .post_as(two.token().unwrap(), "/auth/signout", &json!({}))
            .await;
        assert_eq!(out.status, 204);
        assert!(!is_live(server, &two).await);
    })
    .await;
}

#[tokio::test]
async fn others_end_and_this_one_lives_then_all_end() {
    server(async |server| {
        let [one, two, three] = three(server).await;
        server.signs_up(GRACE).await;
        let grace = server.begins(GRACE, "refresh").await;
        let out = sign_out(server, &two, json!("others")).await;
        assert_eq!((out.status.as_u16(), out.cookie()), (204, None));
        assert!(!is_live(server, &one).await && !is_live(server, &three).await);
        assert!(is_live(server, &two).await);
        let four = server.begins(ADA, "refresh").await;
        assert_eq!(sign_out(server, &two, json!("all")).await.status, 204);
        assert!(!is_live(server, &two).await && !is_live(server, &four).await);
        // Who is out ends nobody else's session.
        let five = server.begins(ADA, "refresh").await;
        for scope in ["all", "others"] {
            let refused = sign_out(server, &four, json!(scope)).await;
            assert_eq!(
                (refused.status.as_u16(), refused.code()),
                (401, "session_revoked")
            );
        }
        assert!(is_live(server, &five).await && is_live(server, &grace).await);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_expired_ends_its_own_session_and_no_other() {
    server(async |server| {
        let [one, _, three] = three(server).await;
        server.wait(Duration::from_mins(11));
        let refused = sign_out(server, &one, json!("all")).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (401, "token_expired")
        );
        assert_eq!(sign_out(server, &one, json!("this")).await.status, 204);
        let refused = server.refreshes(one.refresh_token().unwrap()).await;
        assert_eq!(refused.code(), "refresh_token_invalid");
        assert_eq!(
            server
                .refreshes(three.refresh_token().unwrap())
                .await
                .status,
            200
        );
    })
    .await;
}

#[tokio::test]
async fn a_cookie_signs_out_and_is_taken_back() {
    server(async |server| {
        server.signs_up(ADA).await;
        let begun = server.begins(ADA, "cookie").await;
        let cookie = begun.cookie().unwrap();
        for _ in 0..2 {
            let out = server
                .call_by(cookie, Method::POST, "/auth/signout", Some(&json!({})))
                .await;
            assert_eq!((out.status.as_u16(), out.cookie()), (204, Some("")));
            let me = server.call_by(cookie, Method::GET, "/auth/me", None).await;
            assert_eq!((me.status.as_u16(), me.code()), (401, "session_revoked"));
        }
        let refused = server
            .call_by(
                cookie,
                Method::POST,
                "/auth/signout",
                Some(&json!({"scope": "all"})),
            )
            .await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (401, "session_revoked")
        );
    })
    .await;
}

#[tokio::test]
async fn sessions_are_seen_by_their_owner_with_where_and_when() {
    server(async |server| {
        let [one, two, _] = three(server).await;
        server.signs_up(GRACE).await;
        server.wait(Duration::from_mins(2));
        server.refreshes(one.refresh_token().unwrap()).await;
        let list = listed(server, &two).await;
        // The sign-up began one too.
        assert_eq!(list.len(), 4);
        let first = &list[0];
        assert_eq!(
            first["id"],
            claims(&one)["sid"],
            "the one used last comes first"
        );
        assert_eq!(first["createdAt"], "2026-06-01T12:00:00.000Z");
        assert_eq!(first["lastSeenAt"], "2026-06-01T12:02:00.000Z");
        assert_eq!(first["expiresAt"], "2026-07-01T12:02:00.000Z");
        assert_eq!(
            (&first["ip"], &first["amr"]),
            (&json!("192.0.2.1"), &json!(["pwd"]))
        );
        assert!(first["userAgent"].is_null());
        let current: Vec<_> = list.iter().filter(|one| one["current"] == true).collect();
        assert_eq!(current.len(), 1);
        assert_eq!(current[0]["id"], claims(&two)["sid"]);
    })
    .await;
}

#[tokio::test]
async fn C18_a_hundred_sessions_are_listed_and_one_and_the_others_end() {
    server(async |server| {
        server.signs_up(ADA).await;
        let mut begun = Vec::new();
        for _ in 0..99 {
            begun.push(server.begins(ADA, "refresh").await);
        }
        let (me, one) = (&begun[7], &begun[50]);
        assert_eq!(listed(server, me).await.len(), 100);
        let path = format!("/auth/sessions/{}", claims(one)["sid"].as_str().unwrap());
        let ended = server.delete_as(me.token().unwrap(), &path).await;
        assert_eq!((ended.status.as_u16(), ended.body.as_str()), (204, ""));
        assert!(!is_live(server, one).await);
        assert_eq!(listed(server, me).await.len(), 99);
        let again = server.delete_as(me.token().unwrap(), &path).await;
        assert_eq!((again.status.as_u16(), again.code()), (404, "not_found"));
        assert_eq!(sign_out(server, me, json!("others")).await.status, 204);
        assert_eq!(listed(server, me).await.len(), 1);
        // Its own session can be ended by its id too.
        let path = format!("/auth/sessions/{}", claims(me)["sid"].as_str().unwrap());
        assert_eq!(
            server.delete_as(me.token().unwrap(), &path).await.status,
            204
        );
        assert!(!is_live(server, me).await);
    })
    .await;
}

#[tokio::test]
async fn nobody_sees_or_ends_another_s_session() {
    server(async |server| {
        let [one, ..] = three(server).await;
        server.signs_up(GRACE).await;
        let grace = server.signs_in(GRACE, PASSWORD).await;
        let sid = claims(&one)["sid"].as_str().unwrap().to_owned();
        assert!(
            listed(server, &grace)
                .await
                .iter()
                .all(|other| other["id"] != sid.as_str())
        );
        for id in [
            sid.as_str(),
            "x",
            "%00",
            "..",
            "a%2Fb",
            "\u{e9}",
            "*",
            "%25",
        ] {
            let path = format!("/auth/sessions/{id}").replace('\u{e9}', "%C3%A9");
            let refused = server.delete_as(grace.token().unwrap(), &path).await;
            assert_eq!(
                (refused.status.as_u16(), refused.code()),
                (404, "not_found"),
                "{id}"
            );
        }
        assert!(is_live(server, &one).await);
    })
    .await;
}

/// A browser's page may hold a token and send the cookie along.
#[tokio::test]
async fn C19_who_sends_a_token_and_a_cookie_leaves_both_sessions_if_they_are_theirs() {
    server(async |server| {
        server.signs_up(ADA).await;
        server.signs_up(GRACE).await;
        let ada = server.begins(ADA, "refresh").await;
        let with_both = async |cookie: &str, path: &str, method: Method| {
            let request = axum::http::Request::builder()
                .method(method)
                .uri(path)
                .header("authorization", format!("Bearer {}", ada.token().unwrap()))
                .header("cookie", format!("__Host-doorward={cookie}"))
                .body(axum::body::Body::empty());
            server.send(request.unwrap()).await
        };
        let grace = server.begins(GRACE, "cookie").await;
        let theirs = grace.cookie().unwrap();
        for (path, method) in [("/auth/me", Method::GET), ("/auth/signout", Method::POST)] {
            let refused = with_both(theirs, path, method).await;
            assert_eq!(
                (refused.status.as_u16(), refused.code()),
                (403, "forbidden")
            );
        }
        assert!(is_live(server, &ada).await);
        let own = server.begins(ADA, "cookie").await;
        let own = own.cookie().unwrap();
        assert_eq!(with_both(own, "/auth/me", Method::GET).await.status, 200);
        let out = with_both(own, "/auth/signout", Method::POST).await;
        assert_eq!((out.status.as_u16(), out.cookie()), (204, Some("")));
        assert!(!is_live(server, &ada).await);
        for (cookie, status) in [(own, 401), (theirs, 200)] {
            let me = server.call_by(cookie, Method::GET, "/auth/me", None).await;
            assert_eq!(me.status, status);
        }
    })
    .await;
}

#[tokio::test]
async fn C1_a_cookie_that_is_replaced_by_a_sign_in_is_over() {
    server(async |server| {
        server.signs_up(ADA).await;
        server.signs_up(GRACE).await;
        let first = server.begins(GRACE, "cookie").await;
        let first = first.cookie().unwrap();
        let other = server.begins(GRACE, "cookie").await;
        let account = json!({"email": ADA, "password": PASSWORD, "session": "cookie"});
        let second = server
            .call_by(first, Method::POST, "/auth/signin", Some(&account))
            .await;
        let second = second.cookie().unwrap();
        assert_ne!(first, second);
        for (cookie, status) in [(first, 401), (second, 200), (other.cookie().unwrap(), 200)] {
            let me = server.call_by(cookie, Method::GET, "/auth/me", None).await;
            assert_eq!(me.status, status, "{me:?}");
        }
        // Who asks for a token leaves the cookie alone.
        let account = json!({"email": GRACE, "password": PASSWORD});
        server
            .call_by(second, Method::POST, "/auth/signin", Some(&account))
            .await;
        let me = server.call_by(second, Method::GET, "/auth/me", None).await;
        assert_eq!(me.json()["email"], ADA);
    })
    .await;
}
