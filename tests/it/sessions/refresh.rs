//! The refresh: what one gets, what a retry gets, and what becomes of a copy.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

use std::time::Duration;

use axum::http::Method;
use db::sql;
use doorward::audit::By;
use doorward::ids::UserId;
use doorward::secret::Secret;
use doorward::{password, users};
use serde_json::json;

use super::{claims, keys};
use crate::harness::{ADA, Answer, PASSWORD, Server, insist, rows, server, server_with, together};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

/// Somebody's first refresh token.
async fn first(server: &Server) -> String {
    server.signs_up(ADA).await;
    let answer = server.begins(ADA, "refresh").await;
    answer.refresh_token().unwrap().to_owned()
}

/// The successor of a refresh token.
async fn next(server: &Server, refresh_token: &str) -> String {
    let answer = insist(async || server.refreshes(refresh_token).await).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.refresh_token().unwrap().to_owned()
}

fn is_refused(answer: &Answer, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (401, code),
        "{answer:?}"
    );
}

async fn audited(server: &Server, event: &'static str) -> usize {
    let rows = sql("SELECT id FROM audit WHERE event = $1").bind(event);
    server
        .app
        .db
        .all(rows, |row| row.text("id"))
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn a_refresh_gives_a_new_token_of_the_same_session_and_what_gets_the_next() {
    server(async |server| {
        server.signs_up(ADA).await;
        let begun = server.begins(ADA, "refresh").await;
        server.wait(60 * SECOND);
        let answer = server.refreshes(begun.refresh_token().unwrap()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(keys(&answer), ["token", "expiresIn", "refreshToken"]);
        assert_eq!(answer.json()["expiresIn"], 600);
        assert_eq!(answer.header("cache-control"), "no-store");
        let (old, new) = (claims(&begun), claims(&answer));
        for same in ["sub", "sid", "auth_time", "amr"] {
            assert_eq!(old[same], new[same], "{same}");
        }
        assert_ne!(old["jti"], new["jti"]);
        assert_eq!(
            new["iat"].as_i64().unwrap() - old["iat"].as_i64().unwrap(),
            60
        );
        for token in [begun.token(), answer.token()] {
            assert_eq!(server.get_as(token.unwrap(), "/auth/me").await.status, 200);
        }
    })
    .await;
}

#[tokio::test]
async fn a_retry_gets_the_same_successor_until_that_was_used() {
    server(async |server| {
        let first = first(server).await;
        let second = next(server, &first).await;
        assert_ne!(first, second);
        server.wait(3 * DAY);
        assert_eq!(next(server, &first).await, second);
        assert_eq!(next(&server.another().await, &first).await, second);
        let third = next(server, &second).await;
        assert_eq!(next(server, &second).await, third);
        assert_eq!(audited(server, "refresh_reused").await, 0);

        let held = server.refreshes(&third).await;
        is_refused(&server.refreshes(&first).await, "refresh_token_reused");
        assert_eq!(audited(server, "refresh_reused").await, 1);
        for gone in [&first, &second, &third, held.refresh_token().unwrap()] {
            is_refused(&server.refreshes(gone).await, "refresh_token_invalid");
        }
        let me = server.get_as(held.token().unwrap(), "/auth/me").await;
        is_refused(&me, "session_revoked");
        assert_eq!(audited(server, "refresh_reused").await, 1);
    })
    .await;
}

#[tokio::test]
async fn X3_64_refreshes_at_once_get_one_successor_from_two_nodes() {
    server(async |server| {
        let other = server.another().await;
        let mut held = first(server).await;
        for _ in 0..8 {
            let nodes = [server, &other].into_iter().cycle().take(64);
            let answers = together(nodes.map(|node| next(node, &held))).await;
            assert!(answers.iter().all(|answer| *answer == answers[0]));
            held.clone_from(&answers[0]);
        }
        assert_eq!(audited(server, "refresh_reused").await, 0);
    })
    .await;
}

#[tokio::test]
async fn C7_an_idle_session_ends_to_the_second_and_so_does_one_in_use() {
    let settings = [("sessions.idle", "10m"), ("sessions.lifetime", "25m")];
    for (seconds, is_live) in [
        (&[599][..], true),
        (&[600], false),
        (&[601], false),
        (&[599, 599, 301], true),
        (&[599, 599, 302], false),
        (&[599, 599, 303], false),
    ] {
        server_with(&settings, async |server: &Server| {
            let mut held = first(server).await;
            let (last, before) = seconds.split_last().unwrap();
            for wait in before {
                server.wait(*wait * SECOND);
                held = next(server, &held).await;
            }
            server.wait(*last * SECOND);
            let answer = server.refreshes(&held).await;
            if is_live {
                assert_eq!(answer.status, 200, "{seconds:?}: {answer:?}");
            } else {
                is_refused(&answer, "refresh_token_invalid");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn T24_nothing_else_of_ours_is_a_refresh_token() {
    server(async |server| {
        server.signs_up(ADA).await;
        let by_refresh = server.begins(ADA, "refresh").await;
        let by_cookie = server.begins(ADA, "cookie").await;
        let refresh_token = by_refresh.refresh_token().unwrap();
        let cut = &refresh_token[..refresh_token.len() - 1];
        for other in [
            "",
            "x",
            cut,
            by_refresh.token().unwrap(),
            by_cookie.cookie().unwrap(),
            claims(&by_refresh)["sid"].as_str().unwrap(),
        ] {
            is_refused(&server.refreshes(other).await, "refresh_token_invalid");
        }
        is_refused(
            &server.get_as(refresh_token, "/auth/me").await,
            "token_invalid",
        );
        let as_cookie = server
            .call_by(refresh_token, Method::GET, "/auth/me", None)
            .await;
        is_refused(&as_cookie, "session_revoked");
        let as_cookie = server
            .call_by(
                refresh_token,
                Method::POST,
                "/auth/refresh",
                Some(&json!({})),
            )
            .await;
        is_refused(&as_cookie, "refresh_token_invalid");
        let missing = server.post("/auth/refresh", &json!({})).await;
        assert_eq!(
            missing.json()["message"],
            json!(["refreshToken is required"])
        );
        next(server, refresh_token).await;
    })
    .await;
}

#[tokio::test]
async fn a_cookie_is_renewed_like_a_refresh_token() {
    server(async |server| {
        server.signs_up(ADA).await;
        let begun = server.begins(ADA, "cookie").await;
        let first = begun.cookie().unwrap();
        let renew = async |cookie: &str| {
            let body = json!({});
            server
                .call_by(cookie, Method::POST, "/auth/refresh", Some(&body))
                .await
        };
        server.wait(DAY);
        let renewed = renew(first).await;
        let second = renewed.cookie().unwrap();
        assert_eq!(keys(&renewed), ["user"]);
        assert!(
            renewed.header("set-cookie").ends_with("Max-Age=7689600"),
            "{renewed:?}"
        );
        assert_eq!(renew(first).await.cookie(), Some(second));
        for cookie in [first, second] {
            let me = server.call_by(cookie, Method::GET, "/auth/me", None).await;
            assert_eq!(me.status, 200, "requests that were on their way");
        }
        let third = renew(second).await;
        is_refused(&renew(first).await, "refresh_token_reused");
        let me = server
            .call_by(third.cookie().unwrap(), Method::GET, "/auth/me", None)
            .await;
        is_refused(&me, "session_revoked");
    })
    .await;
}

/// Whoever has a copy may renew it until the owner's cookie is too old; whatever the owner does then ends both.
#[tokio::test]
async fn a_cookie_that_was_renewed_by_a_thief_ends_the_session_wherever_it_is_shown() {
    server(async |server| {
        server.signs_up(ADA).await;
        for (method, path, status) in [
            (Method::GET, "/auth/me", 401),
            (Method::GET, "/auth/sessions", 401),
            (Method::POST, "/auth/signout", 204),
        ] {
            let begun = server.begins(ADA, "cookie").await;
            let body = json!({});
            let mut stolen = begun.cookie().unwrap().to_owned();
            for _ in 0..2 {
                let renewed = server
                    .call_by(&stolen, Method::POST, "/auth/refresh", Some(&body))
                    .await;
                renewed.cookie().unwrap().clone_into(&mut stolen);
            }
            let before = audited(server, "refresh_reused").await;
            let body = (method == Method::POST).then_some(&body);
            let owner = server
                .call_by(begun.cookie().unwrap(), method, path, body)
                .await;
            assert_eq!(owner.status, status, "{path}: {owner:?}");
            assert_eq!(audited(server, "refresh_reused").await, before + 1);
            let me = server.call_by(&stolen, Method::GET, "/auth/me", None).await;
            is_refused(&me, "session_revoked");
        }
    })
    .await;
}

#[tokio::test]
async fn T35_no_row_holds_a_token_or_what_one_could_be_made_from() {
    server(async |server| {
        let first = first(server).await;
        let second = next(server, &first).await;
        let cookie = server.begins(ADA, "cookie").await;
        let rows = rows::all(&server.app.db).await;
        for secret in [&first, &second, cookie.cookie().unwrap()] {
            assert!(!rows.hold(secret), "a whole token");
            // The family's secret is the beginning of each of its tokens.
            assert!(!rows.hold(&secret[..42]), "its secret");
        }
        // A stolen database knows families by their hashes, and those open nothing.
        let hashes = sql("SELECT secret_hash FROM sessions WHERE secret_hash IS NOT NULL");
        let read = |row: &db::Row| row.bytes("secret_hash");
        for hash in server.app.db.all(hashes, read).await.unwrap() {
            use base64::Engine as _;
            let tag = &first[first.len() - 32..];
            let forged = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash);
            is_refused(
                &server.refreshes(&format!("{forged}{tag}")).await,
                "refresh_token_invalid",
            );
        }
    })
    .await;
}

#[tokio::test]
async fn T30_what_ends_an_account_s_sessions_ends_their_refresh() {
    server(async |server| {
        let user = |answer: &Answer| {
            UserId::from_stored(claims(answer)["sub"].as_str().unwrap().to_owned())
        };
        server.signs_up(ADA).await;
        let app = &server.app;
        let by = By::Operator(server.clock.now());
        let held = server.begins(ADA, "refresh").await;
        let ada = user(&held);

        let account = users::store::by_id(&app.db, &ada).await.unwrap().unwrap();
        let same = Secret::new(PASSWORD.to_owned());
        let set = password::set(
            &app.db,
            &app.revocations,
            &app.passwords,
            &app.stamp,
            &account,
            &same,
            by,
        );
        assert!(set.await.unwrap());
        is_refused(
            &server.refreshes(held.refresh_token().unwrap()).await,
            "refresh_token_invalid",
        );

        let held = server.begins(ADA, "refresh").await;
        assert!(
            users::disable(&app.db, &app.revocations, &ada, by)
                .await
                .unwrap()
        );
        is_refused(
            &server.refreshes(held.refresh_token().unwrap()).await,
            "refresh_token_invalid",
        );
        assert!(users::enable(&app.db, &ada, by).await.unwrap());
        is_refused(
            &server.refreshes(held.refresh_token().unwrap()).await,
            "refresh_token_invalid",
        );

        let held = server.begins(ADA, "refresh").await;
        assert!(
            users::delete(&app.db, &app.revocations, &ada, by)
                .await
                .unwrap()
        );
        is_refused(
            &server.refreshes(held.refresh_token().unwrap()).await,
            "refresh_token_invalid",
        );
    })
    .await;
}

/// A database that fails over to a replica may lack the last refreshes; their clients hold what it never heard of.
#[tokio::test]
async fn a_database_that_lost_a_refresh_keeps_nobody_out_and_makes_no_second_child() {
    server(async |server| {
        let first = first(server).await;
        let second = next(server, &first).await;
        let third = next(server, &second).await;
        let back = sql("UPDATE sessions SET generation = 0 WHERE secret_hash IS NOT NULL");
        server.app.db.write(back).await.unwrap();
        assert_eq!(next(server, &second).await, third);
        let fourth = next(server, &third).await;
        is_refused(&server.refreshes(&first).await, "refresh_token_reused");
        is_refused(&server.refreshes(&fourth).await, "refresh_token_invalid");
    })
    .await;
}
