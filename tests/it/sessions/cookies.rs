//! The session cookie as requests bring it: planted, doubled, misshapen, old, or beside somebody else's token.
//! What steps up within a session (C2) gets its test with the step.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::browser::{Deed, claims_of, deeds, send, session_of};
use crate::harness::rows;
use crate::harness::{ADA, PASSWORD, Server, server, server_with};
use crate::wire::listening::{Door, listening_to};

const EVE: &str = "eve@example.com";

/// The value of a new session's cookie.
async fn cookie(server: &Server, email: &str) -> String {
    let begun = server.begins(email, "cookie").await;
    begun.cookie().unwrap().to_owned()
}

fn carried(value: &str) -> String {
    format!("__Host-doorward={value}")
}

#[tokio::test]
async fn C1_a_cookie_from_before_the_sign_in_is_replaced_and_its_session_is_not_taken_over() {
    server(async |server| {
        server.signs_up(ADA).await;
        server.signs_up(EVE).await;
        let of_eve = cookie(server, EVE).await;
        let ended = cookie(server, ADA).await;
        let out = json!({});
        server
            .call_by(&ended, Method::POST, "/auth/signout", Some(&out))
            .await;
        for preset in [of_eve.as_str(), &ended, "AAAA", &"A".repeat(75)] {
            let whose = session_of(server, preset).await;
            let wrong =
                json!({"email": ADA, "password": "not the password at all", "session": "cookie"});
            let failed = server
                .call_by(preset, Method::POST, "/auth/signin", Some(&wrong))
                .await;
            assert_eq!((failed.status.as_u16(), failed.cookie()), (401, None));
            assert_eq!(session_of(server, preset).await, whose);
            let account = json!({"email": ADA, "password": PASSWORD, "session": "cookie"});
            let signed_in = server
                .call_by(preset, Method::POST, "/auth/signin", Some(&account))
                .await;
            assert_eq!(signed_in.status, 200, "{signed_in:?}");
            let new = signed_in.cookie().unwrap();
            assert_ne!(new, preset);
            assert_eq!(session_of(server, new).await.as_deref(), Some(ADA));
            assert_eq!(session_of(server, preset).await, None);
        }
    })
    .await;
}

#[tokio::test]
async fn C3_with_two_of_them_nobody_is_anybody() {
    server(async |server| {
        server.signs_up(ADA).await;
        server.signs_up(EVE).await;
        let (ours, planted) = (cookie(server, ADA).await, cookie(server, EVE).await);
        let mut tried = deeds(server, ADA).await;
        for (path, email) in [("/auth/signin", ADA), ("/auth/signup", "new@example.com")] {
            tried.push(Deed {
                method: Method::POST,
                path: path.to_owned(),
                body: Some(json!({"email": email, "password": PASSWORD, "session": "cookie"})),
                ..Deed::me()
            });
        }
        for deed in tried {
            for (first, second) in [(&ours, &planted), (&planted, &ours), (&ours, &ours)] {
                let (first, second) = (carried(first), carried(second));
                let joined = format!("{first}; theme=dark; {second}");
                let in_one = [("cookie", joined.as_str())];
                let in_two = [("cookie", first.as_str()), ("cookie", second.as_str())];
                for cookies in [&in_one[..], &in_two] {
                    let before = rows::all(&server.app.db).await;
                    let answer = send(server, &deed, cookies).await;
                    assert_eq!(answer.status, 400, "{deed}: {answer:?}");
                    assert_eq!(answer.code(), "bad_request", "{deed}");
                    assert_eq!(answer.cookie(), None, "{deed}");
                    assert_eq!(rows::all(&server.app.db).await, before, "{deed}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn C3_C4_C5_whatever_else_comes_along_does_not_matter() {
    server(async |server| {
        server.signs_up(ADA).await;
        let (ours, long) = (carried(&cookie(server, ADA).await), "a".repeat(8 * 1024));
        let many: Vec<String> = (0..200).map(|n| format!("c{n}={n}")).collect();
        for others in [
            "__host-doorward=planted; __HOST-DOORWARD=planted; doorward=planted".to_owned(),
            "__Secure-doorward=planted; x__Host-doorward=planted; __Host-doorward".to_owned(),
            "=__Host-doorward=planted; theme=__Host-doorward=planted".to_owned(),
            format!("long={long}"),
            many.join("; "),
            "quoted=\"a b, c\\\"; odd=é; =; ;; broken".to_owned(),
        ] {
            for line in [format!("{others}; {ours}"), format!("{ours}; {others}")] {
                let me = send(server, &Deed::me(), &[("cookie", &line)]).await;
                assert_eq!(me.json()["email"], ADA, "{line}: {me:?}");
            }
            let me = send(server, &Deed::me(), &[("cookie", &others)]).await;
            assert_eq!((me.status.as_u16(), me.code()), (401, "token_missing"));
        }
        // On the wire, where heads have a bound: it is no bound for these.
        listening_to(server, Default::default(), Door::default(), async |on| {
            let line = format!("{}; long={long}; {ours}", many.join("; "));
            let mut socket = on.connect().await;
            let head =
                format!("GET /auth/me HTTP/1.1\r\nHost: localhost\r\nCookie: {line}\r\n\r\n");
            socket.write(head.as_bytes()).await;
            assert_eq!(socket.answer().await.unwrap().json()["email"], ADA);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn C5_a_value_that_is_not_ours_to_the_letter_is_nobody_s() {
    server(async |server| {
        server.signs_up(ADA).await;
        let ours = cookie(server, ADA).await;
        for value in [
            format!("\"{ours}\""),
            format!("{ours}\""),
            format!("{ours}="),
            format!("{ours}A"),
            format!("{ours}%00"),
            format!("{ours},{ours}"),
            format!(" {} ", &ours[1..]),
            ours[..74].to_owned(),
            ours.to_uppercase(),
            ours.replacen(|first: char| first.is_ascii_alphabetic(), "+", 1),
            "a".repeat(8 * 1024),
            String::new(),
        ] {
            for deed in deeds(server, ADA).await {
                let before = rows::all(&server.app.db).await;
                let carried = carried(&value);
                let answer = send(server, &deed, &[("cookie", &carried)]).await;
                // Nobody is out already, and is told so.
                let is_out = deed.path == "/auth/signout" && answer.status == deed.yes;
                let is_refused = [400, 401].contains(&answer.status.as_u16());
                assert!(is_out || is_refused, "{deed} {value}: {answer:?}");
                let now = rows::all(&server.app.db).await;
                assert_eq!(now, before, "{deed} {value}");
            }
        }
        assert_eq!(session_of(server, &ours).await.as_deref(), Some(ADA));
    })
    .await;
}

#[tokio::test]
async fn C7_a_cookie_s_session_ends_to_the_second_idle_or_in_use() {
    const SECOND: Duration = Duration::from_secs(1);
    let settings = [("sessions.idle", "10m"), ("sessions.lifetime", "25m")];
    server_with(&settings, async |server| {
        server.signs_up(ADA).await;
        let is_live = async |value: &str| session_of(server, value).await.is_some();
        // Idle: it is told at the last second, one by one, without a use in between.
        for (waits, expected) in [(599, true), (600, false), (601, false)] {
            let value = cookie(server, ADA).await;
            server.wait(waits * SECOND);
            assert_eq!(is_live(&value).await, expected, "after {waits} s");
        }
        // In use: each use carries it on, and no use beyond its end.
        let value = cookie(server, ADA).await;
        for _ in 0..3 {
            server.wait(480 * SECOND);
            assert!(is_live(&value).await);
        }
        server.wait(59 * SECOND);
        assert!(is_live(&value).await, "a second before its end");
        server.wait(SECOND);
        assert!(!is_live(&value).await, "at its end");
        server.wait(SECOND);
        assert!(!is_live(&value).await, "after its end");
    })
    .await;
}

#[tokio::test]
async fn C17_no_answer_to_a_cookie_is_kept() {
    server(async |server| {
        server.signs_up(ADA).await;
        for deed in deeds(server, ADA).await.into_iter().chain([Deed::me()]) {
            let value = carried(&cookie(server, ADA).await);
            for cookies in [
                &[("cookie", value.as_str())][..],
                &[("cookie", "__Host-doorward=A")],
                &[],
            ] {
                let answer = send(server, &deed, cookies).await;
                assert_eq!(
                    answer.header("cache-control"),
                    "no-store",
                    "{deed}: {answer:?}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn C19_a_token_and_a_cookie_of_different_people_are_refused_together() {
    server(async |server| {
        server.signs_up(ADA).await;
        server.signs_up(EVE).await;
        for (bearer, other) in [(ADA, EVE), (EVE, ADA)] {
            for deed in deeds(server, bearer)
                .await
                .iter()
                .filter(|deed| deed.takes_tokens)
            {
                let signed_in = server.signs_in(bearer, PASSWORD).await;
                let authorization = format!("Bearer {}", signed_in.token().unwrap());
                let theirs = carried(&cookie(server, other).await);
                let both = [
                    ("authorization", authorization.as_str()),
                    ("cookie", &theirs),
                ];
                let before = rows::all(&server.app.db).await;
                let answer = send(server, deed, &both).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code()),
                    (403, "forbidden"),
                    "{deed}"
                );
                assert_eq!(answer.cookie(), None, "{deed}");
                assert_eq!(rows::all(&server.app.db).await, before, "{deed}");

                let own = carried(&cookie(server, bearer).await);
                let both = [("authorization", authorization.as_str()), ("cookie", &own)];
                let answer = send(server, deed, &both).await;
                assert_eq!(answer.status, deed.yes, "{deed}: {answer:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_cookie_that_is_over_does_not_stand_in_the_way_of_a_token() {
    server(async |server| {
        server.signs_up(ADA).await;
        server.signs_up(EVE).await;
        let over = cookie(server, EVE).await;
        server
            .call_by(&over, Method::POST, "/auth/signout", Some(&json!({})))
            .await;
        for value in [over.as_str(), "A", "\"\""] {
            let signed_in = server.signs_in(ADA, PASSWORD).await;
            let authorization = format!("Bearer {}", signed_in.token().unwrap());
            let old = carried(value);
            let both = [("authorization", authorization.as_str()), ("cookie", &old)];
            let me = send(server, &Deed::me(), &both).await;
            assert_eq!(
                (me.status, &me.json()["email"]),
                (StatusCode::OK, &json!(ADA))
            );
        }
    })
    .await;
}

#[tokio::test]
async fn T24_each_of_ours_is_taken_in_its_own_place_alone() {
    server(async |server| {
        server.signs_up(ADA).await;
        for kind in ["token", "refresh", "cookie"] {
            let begun = server.begins(ADA, kind).await;
            let value = match kind {
                "token" => begun.token(),
                "refresh" => begun.refresh_token(),
                _ => begun.cookie(),
            };
            let value = value.unwrap();
            let empty = json!({});
            let places = [
                (
                    "a bearer",
                    server.get_as(value, "/auth/me").await.status == 200,
                    "token",
                ),
                (
                    "introspected",
                    server.introspects(value).await.json()["active"] == true,
                    "token",
                ),
                (
                    "a cookie",
                    session_of(server, value).await.is_some(),
                    "cookie",
                ),
                (
                    "refreshed",
                    server.refreshes(value).await.status == 200,
                    "refresh",
                ),
                (
                    "refreshed as a cookie",
                    server
                        .call_by(value, Method::POST, "/auth/refresh", Some(&empty))
                        .await
                        .status
                        == 200,
                    "cookie",
                ),
            ];
            for (place, is_taken, of) in places {
                assert_eq!(is_taken, kind == of, "{kind} as {place}");
            }
        }
        // The token that comes with a refresh token is one like any other, and says nothing of how its session is carried.
        let begun = server.begins(ADA, "refresh").await;
        let told = server.introspects(begun.token().unwrap()).await;
        assert_eq!(told.json()["sid"], claims_of(&begun)["sid"]);
    })
    .await;
}
