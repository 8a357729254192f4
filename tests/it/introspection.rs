//! What back ends are told about tokens (RFC 7662), and who may ask. Tests named `T<n>_..` are the catalogue's bad tokens, at
//! the reader that says "not active" where others refuse.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Builder;
use doorward::audit::By;
use doorward::error::{Broken, Error};
use doorward::introspection::introspect;
use doorward::users;
use serde_json::{Value, json};

use crate::harness::form::{FORM, basic, escaped, form};
use crate::harness::{ADA, Answer, CLIENT, Server, log, server, server_with};
use crate::tokens::endings::{end_sessions, owner};
use crate::tokens::forge::{for_each_algorithm, hmac_by, token_by};

const NOT_ACTIVE: &str = r#"{"active":false}"#;

/// Asks as `change` says, with `body` as a form.
async fn ask(server: &Server, change: impl FnOnce(Builder) -> Builder, body: &str) -> Answer {
    let request = Request::post("/auth/introspect").header(CONTENT_TYPE, FORM);
    let request = change(request).body(Body::from(body.to_owned()));
    server.send(request.unwrap()).await
}

/// Asks with these headers `Authorization`.
async fn ask_as(server: &Server, authorizations: &[&str], body: &str) -> Answer {
    let add = |request: Builder, value: &&str| request.header(AUTHORIZATION, *value);
    ask(server, |it| authorizations.iter().fold(it, add), body).await
}

/// Only that it is not, and nothing that a cache keeps.
fn is_not_active(answer: &Answer, why: &str) {
    assert_eq!(answer.status, 200, "{why}: {answer:?}");
    assert_eq!(answer.body, NOT_ACTIVE, "{why}");
    assert_eq!(answer.header("cache-control"), "no-store", "{why}");
}

/// Refused as no client, whoever they say that they are, in the same bytes.
fn is_no_client(answer: &Answer, why: &str) {
    assert_eq!(answer.status, 401, "{why}: {answer:?}");
    let body = json!({
        "error": "invalid_client",
        "error_description": "Send the name and the secret of one of introspection.clients as Authorization: Basic",
    });
    assert_eq!(answer.body, body.to_string(), "{why}");
    assert_eq!(
        answer.header("www-authenticate"),
        "Basic realm=\"doorward\"",
        "{why}"
    );
    assert_eq!(answer.header("cache-control"), "no-store", "{why}");
}

#[tokio::test]
async fn a_live_token_is_active_and_says_all_that_it_says() {
    for_each_algorithm(async |forger| {
        let answer = forger.server.introspects(&forger.token).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let mut expected = json!({"active": true});
        let told = expected.as_object_mut().unwrap();
        told.extend(forger.claims.as_object().unwrap().clone());
        told.insert("token_type".to_owned(), "Bearer".into());
        assert_eq!(answer.body, expected.to_string());
        for name in [
            "sub",
            "sid",
            "iss",
            "aud",
            "exp",
            "iat",
            "jti",
            "auth_time",
            "amr",
            "email",
            "roles",
        ] {
            assert!(!answer.json()[name].is_null(), "{name}: {answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_live_is_not_active_and_nothing_else_is_said() {
    for_each_algorithm(async |forger| {
        let server = forger.server;
        for (why, token) in [
            ("garbage", "garbage".to_owned()),
            ("dots", "..".to_owned()),
            ("changed", format!("{}A", forger.token)),
            ("cut", forger.token[..forger.token.len() - 1].to_owned()),
            (
                "by another key",
                forger.signed_by(|it| hmac_by(b"another secret of thirty-two bytes")(it)),
            ),
            (
                "for others",
                forger.with_claim("aud", json!("https://other.example")),
            ),
            (
                "of others",
                forger.with_claim("iss", json!("https://other.example")),
            ),
            ("without a session", forger.without_claim("sid")),
            (
                "of the past",
                forger.with_claim("exp", json!(1_000_000_000)),
            ),
            (
                "of the future",
                forger.with_claim("nbf", json!(4_000_000_000_u32)),
            ),
            ("of 10 KB", "a".repeat(10_000)),
            ("of 10 000 dots", ".".repeat(10_000)),
        ] {
            is_not_active(&server.introspects(&token).await, why);
        }
        let unsigned = token_by(
            r#"{"alg":"none","typ":"JWT"}"#,
            &forger.claims.to_string(),
            |_| Vec::new(),
        );
        is_not_active(&server.introspects(&unsigned).await, "unsigned");
        let exp = forger.claims["exp"].as_i64().unwrap();
        server.wait(Duration::from_secs(
            u64::try_from(exp - server.clock.now().seconds() - 1).unwrap(),
        ));
        assert_eq!(
            server.introspects(&forger.token).await.json()["active"],
            true
        );
        server.wait(Duration::from_secs(1));
        is_not_active(&server.introspects(&forger.token).await, "expired");
    })
    .await;
}

#[tokio::test]
async fn T24_another_type_of_token_is_not_active() {
    for_each_algorithm(async |forger| {
        for typ in [
            "at+jwt",
            "logout+jwt",
            "refresh+jwt",
            "reset",
            "secevent+jwt",
            "JOSE",
            "",
        ] {
            let token = forger.with_header("typ", json!(typ));
            is_not_active(&forger.server.introspects(&token).await, typ);
            forger.refused(&token, typ).await;
        }
        let token = forger.with_header("typ", Value::Null);
        is_not_active(&forger.server.introspects(&token).await, "no type");
    })
    .await;
}

#[tokio::test]
async fn a_claim_cannot_say_that_a_token_is_active() {
    for_each_algorithm(async |forger| {
        let server = forger.server;
        let token = forger.with_claim("active", json!("yes"));
        assert_eq!(server.introspects(&token).await.json()["active"], true);
        end_sessions(server, &owner(forger)).await;
        is_not_active(&server.introspects(&token).await, "ended");
    })
    .await;
}

#[tokio::test]
async fn T30_a_session_that_ended_is_not_active_from_then_on() {
    for_each_algorithm(async |forger| {
        let (server, id) = (forger.server, &owner(forger));
        let by = By::Operator(server.clock.now());
        let told = async |token: &str| server.introspects(token).await;
        end_sessions(server, id).await;
        is_not_active(&told(&forger.token).await, "ended");
        let again = server.signs_in(ADA, crate::harness::PASSWORD).await;
        let token = again.token().unwrap();
        assert_eq!(told(token).await.json()["active"], true);
        assert!(
            users::disable(&server.app.db, &server.app.revocations, id, by)
                .await
                .unwrap()
        );
        is_not_active(&told(token).await, "shut");
        assert!(users::enable(&server.app.db, id, by).await.unwrap());
        is_not_active(&told(token).await, "opened again");
        assert!(
            users::delete(&server.app.db, &server.app.revocations, id, by)
                .await
                .unwrap()
        );
        is_not_active(&told(token).await, "gone");
    })
    .await;
}

#[tokio::test]
async fn the_database_is_asked_only_when_there_is_no_knowing_and_its_failure_is_no_no() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let there = server.another_node().await;
        let now = there.clock.now();
        there.revocations.refresh(&there.db, now).await.unwrap();
        there.db.close().await;
        tokio::time::pause();
        let told = introspect(&there, &token, now).await.unwrap();
        assert_eq!(told["active"], true);
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::time::resume();
        let asked = introspect(&there, &token, now).await;
        assert!(matches!(asked, Err(Error::Broken(Broken::Unavailable(_)))));
    })
    .await;
}

#[tokio::test]
async fn a_client_is_known_by_its_header_or_by_its_form() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let (name, secret) = CLIENT;
        let body = form([
            ("token", token.as_str()),
            ("token_type_hint", "refresh_token"),
        ]);
        for value in [
            basic(name, secret),
            // As RFC 6749 section 2.3.1 has it.
            basic(&escaped(name), &escaped(secret)),
            basic(name, secret).replacen("Basic", "bAsIc", 1),
            basic(name, secret).replacen(' ', "   ", 1),
        ] {
            let answer = ask_as(server, &[&value], &body).await;
            assert_eq!(answer.json()["active"], true, "{value}: {answer:?}");
        }
        let in_form = form([
            ("token", token.as_str()),
            ("client_id", name),
            ("client_secret", secret),
        ]);
        assert_eq!(ask_as(server, &[], &in_form).await.json()["active"], true);
        let named = format!("{body}&client_id={}", escaped(name));
        let answer = ask_as(server, &[&basic(name, secret)], &named).await;
        assert_eq!(answer.json()["active"], true, "{answer:?}");
        for unlucky in ["client_id", "client_secret"] {
            let both = format!("{body}&{unlucky}=x");
            let answer = ask_as(server, &[&basic(name, secret)], &both).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (400, "invalid_request")
            );
        }
    })
    .await;
}

#[tokio::test]
async fn T32_whoever_is_no_client_learns_nothing() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        server.must_stay_unseen(&token);
        let body = form([("token", token.as_str())]);
        let (name, secret) = CLIENT;
        let right = basic(name, secret);
        for wrong in [
            String::new(),
            "Basic".into(),
            "Basic ".into(),
            "Basic !!!!".into(),
            right.trim_end_matches('=').to_owned() + "x",
            format!("Basic{}", &right[6..]),
            format!("Bearer {token}"),
            format!("Bearer {}", &right[6..]),
            format!("Digest {}", &right[6..]),
            format!("{right}, {right}"),
            basic(name, ""),
            basic("", secret),
            basic("", ""),
            basic(name, &secret[1..]),
            basic(name, &secret[..secret.len() - 1]),
            basic(name, &format!("{secret} ")),
            basic(name, &secret.to_uppercase()),
            basic(name, "another-secret-of-thirty-two-characters"),
            basic("nobody", "another-secret-of-thirty-two-characters"),
            basic("nobody", secret),
            basic(&name.to_uppercase(), secret),
            basic(&format!("{name}:"), secret),
            basic("%", secret),
        ] {
            is_no_client(&ask_as(server, &[&wrong], &body).await, &wrong);
        }
        for second in [right.as_str(), "", "Basic eDp5"] {
            is_no_client(
                &ask_as(server, &[&right, second], &body).await,
                "two headers",
            );
        }
        for fields in [
            vec![],
            vec![("client_id", name)],
            vec![("client_secret", secret)],
            vec![("client_id", name), ("client_secret", "")],
            vec![
                ("client_id", name),
                ("client_secret", "another-secret-of-thirty-two-characters"),
            ],
            vec![("client_id", "nobody"), ("client_secret", secret)],
        ] {
            let body = format!("{body}&{}", form(fields));
            is_no_client(&ask_as(server, &[], &body).await, &body);
        }
        assert!(!log::holds(&token));
    })
    .await;
}

#[tokio::test]
async fn T31_nothing_is_read_from_the_query() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        server.must_stay_unseen(&token);
        let right = basic(CLIENT.0, CLIENT.1);
        for query in [
            format!("token={token}"),
            format!("token={token}&client_id=orders"),
            format!("client_secret={}", CLIENT.1),
        ] {
            for body in ["", &form([("token", "garbage")])] {
                let at = |it: Builder| it.uri(format!("/auth/introspect?{query}"));
                let answer = ask(server, |it| at(it).header(AUTHORIZATION, &right), body).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code()),
                    (400, "invalid_request")
                );
            }
        }
        assert!(!log::holds(&token) && !log::holds(CLIENT.1));
    })
    .await;
}

#[tokio::test]
async fn without_clients_nobody_is_one() {
    server_with(&[("introspection.clients", "")], async |server| {
        let token = server.signs_up(ADA).await;
        is_no_client(&server.introspects(&token).await, "no clients");
        let body = form([
            ("token", token.as_str()),
            ("client_id", ""),
            ("client_secret", ""),
        ]);
        is_no_client(&ask_as(server, &[], &body).await, "empty");
    })
    .await;
}

#[tokio::test]
async fn each_client_has_a_secret_of_its_own() {
    let one = "the-secret-of-the-first-of-both-clients";
    let other = "the-secret-of-the-other-of-both-clients";
    let clients = format!("one:{one},other:{other}");
    server_with(&[("introspection.clients", &clients)], async |server| {
        for (name, secret, is_right) in [
            ("one", one, true),
            ("other", other, true),
            ("one", other, false),
            ("other", one, false),
        ] {
            server.must_stay_unseen(secret);
            let answer = ask_as(server, &[&basic(name, secret)], "token=x").await;
            let expected = if is_right { 200 } else { 401 };
            assert_eq!(answer.status, expected, "{name}: {answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn failures_are_limited_and_a_client_that_is_right_is_not() {
    let tight = [
        ("limits.enabled", "true"),
        ("limits.burst", "3"),
        ("limits.per_minute", "6"),
    ];
    server_with(&tight, async |server| {
        let ask_from = async |address: &str, secret: &str| {
            let request = Request::post("/auth/introspect")
                .header(CONTENT_TYPE, FORM)
                .header(AUTHORIZATION, basic(CLIENT.0, secret))
                .body(Body::from("token=x"));
            let address: IpAddr = address.parse().unwrap();
            server.send_from(address, request.unwrap()).await
        };
        let wrong = "another-secret-of-thirty-two-characters";
        for _ in 0..50 {
            assert_eq!(ask_from("203.0.113.7", CLIENT.1).await.status, 200);
        }
        for _ in 0..3 {
            is_no_client(&ask_from("203.0.113.7", wrong).await, "within the budget");
        }
        // What others try from its address holds no back end up.
        let answer = ask_from("203.0.113.7", wrong).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (429, "temporarily_unavailable")
        );
        assert_eq!(answer.header("retry-after"), "10");
        assert_eq!(ask_from("203.0.113.7", CLIENT.1).await.status, 200);
        assert_eq!(ask_from("203.0.113.8", CLIENT.1).await.status, 200);
        server.wait(Duration::from_secs(10));
        assert_eq!(ask_from("203.0.113.7", CLIENT.1).await.status, 200);
        is_no_client(&ask_from("203.0.113.7", wrong).await, "one more");
        assert_eq!(ask_from("203.0.113.7", wrong).await.status, 429);
    })
    .await;
}
