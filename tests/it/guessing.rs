//! Guessing a password: how many guesses are looked at, whoever sends them, and that whose account it is never pays for
//! them. The numbers are those of one catalogue of bad inputs.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use db::sql;
use serde_json::{Value, json};

use crate::harness::{ADA, Answer, PASSWORD, Server, server_with, together};
use crate::proofs::{asks, solved, written};

/// No address is held back, so that only accounts are.
const BY_ACCOUNT: &[(&str, &str)] = &[
    ("limits.enabled", "true"),
    ("limits.burst", "100000"),
    ("limits.per_minute", "100000"),
];
const NOBODY: &str = "nobody@example.com";
const WRONG: &str = "not the password at all";

/// A sign-in from an address of its own for each `n`, with more fields in its body.
async fn tries(server: &Server, n: u32, email: &str, password: &str, more: Value) -> Answer {
    let mut body = json!({"email": email, "password": password});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let request = Request::post("/auth/signin").header(header::CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_string())).unwrap();
    let address = IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n));
    server.send_from(address, request).await
}

async fn guesses(server: &Server, n: u32, email: &str) -> Answer {
    tries(server, n, email, WRONG, json!({})).await
}

/// Guesses until the lane is closed; answers how often it was not, and the seconds that it then is.
async fn guesses_on(server: &Server, email: &str) -> (u32, u64) {
    for n in 0..1_000 {
        let answer = guesses(server, n, email).await;
        if answer.status == 429 {
            assert_eq!(answer.code(), "rate_limited");
            return (n, answer.header("retry-after").parse().unwrap());
        }
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    panic!("nobody was held back");
}

/// Somebody signs in with a device and is told what tells it the next time.
async fn device_of(server: &Server, email: &str) -> String {
    let asks = json!({"deviceToken": null});
    let answer = tries(server, 7, email, PASSWORD, asks).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    server.must_stay_unseen(answer.token().unwrap());
    let device = answer.json()["deviceToken"].as_str().unwrap().to_owned();
    server.must_stay_unseen(&device);
    device
}

#[tokio::test]
async fn B1_B2_a_hundred_failures_in_a_row_cost_a_day_wherever_they_come_from() {
    server_with(BY_ACCOUNT, async |server| {
        server.signs_up(ADA).await;
        for email in [ADA, NOBODY] {
            let (evaluated, wait) = guesses_on(server, email).await;
            assert_eq!((evaluated, wait), (5, 1), "{email}");
            let mut waits = vec![wait];
            for failure in 6..=100 {
                server.wait(Duration::from_secs(waits[waits.len() - 1]));
                let (evaluated, wait) = guesses_on(server, email).await;
                assert_eq!(evaluated, 1, "{email}: failure {failure}");
                waits.push(wait);
            }
            assert_eq!(waits[..4], [1, 3, 5, 10]);
            assert!(waits.is_sorted(), "{waits:?}");
            assert_eq!(waits[95], 86_400);
        }
    })
    .await;
}

#[tokio::test]
async fn the_wait_that_is_told_is_the_true_one() {
    server_with(BY_ACCOUNT, async |server| {
        let (_, wait) = guesses_on(server, NOBODY).await;
        server.wait(Duration::from_secs(wait).saturating_sub(Duration::from_micros(1)));
        assert_eq!(guesses(server, 0, NOBODY).await.status, 429);
        server.wait(Duration::from_micros(1));
        assert_eq!(guesses(server, 0, NOBODY).await.status, 401);
    })
    .await;
}

#[tokio::test]
async fn B15_every_spelling_of_an_address_is_one_lane_and_others_are_others() {
    server_with(BY_ACCOUNT, async |server| {
        for spelling in [
            "ada@bücher.example",
            "ADA@bücher.example",
            "ada@BÜCHER.example",
            "ada@xn--bcher-kva.example",
            "Ada@bu\u{308}cher.example",
        ] {
            assert_eq!(guesses(server, 0, spelling).await.status, 401, "{spelling}");
        }
        assert_eq!(guesses(server, 0, "ada@bücher.example").await.status, 429);
        for other in ["ada+1@bücher.example", "ada@bucher.example"] {
            assert_eq!(guesses(server, 0, other).await.status, 401, "{other}");
        }
    })
    .await;
}

#[tokio::test]
async fn N10_a_closed_lane_tells_nothing_of_the_account() {
    server_with(BY_ACCOUNT, async |server| {
        server.signs_up(ADA).await;
        let mut told = Vec::new();
        for email in [ADA, NOBODY] {
            guesses_on(server, email).await;
            for password in [PASSWORD, WRONG] {
                let mut answer = tries(server, 1, email, password, json!({})).await;
                for own in ["x-request-id", "ratelimit-remaining", "ratelimit-reset"] {
                    answer.headers.remove(own);
                }
                told.push(format!("{answer:?}"));
            }
        }
        assert!(told.windows(2).all(|two| two[0] == two[1]), "{told:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn B7_five_hundred_at_once_on_two_nodes_are_five_guesses_at_most() {
    server_with(BY_ACCOUNT, async |server| {
        server.signs_up(ADA).await;
        let other = server.another().await;
        for email in [ADA, NOBODY] {
            let all = (0..500).map(|n| {
                let node = if n % 2 == 0 { server } else { &other };
                guesses(node, n, email)
            });
            let answers = together(all).await;
            let with = |status: u16| answers.iter().filter(|one| one.status == status).count();
            // A crowd at one row on a slow machine may be told to come again; what was charged by then stays charged.
            let [evaluated, held_back, busy] = [401, 429, 503].map(with);
            assert_eq!(evaluated + held_back + busy, 500, "{email}");
            assert!((1..=5).contains(&evaluated), "{email}: {evaluated}");
            assert_eq!(guesses(&other, 0, email).await.status, 429);
        }
        other.app.db.close().await;
    })
    .await;
}

/// Behind the hash, the time would tell what came of a guess that was charged nothing.
#[tokio::test]
async fn B7_who_comes_too_late_is_told_so_before_a_guess_is_looked_at() {
    let slow = [
        ("password.argon2.memory_kib", "262144"),
        ("password.argon2.iterations", "4"),
    ];
    server_with(&[BY_ACCOUNT, &slow].concat(), async |server| {
        let ended = &AtomicUsize::new(0);
        let all = (0..12).map(|n| async move {
            let answer = guesses(server, n, ADA).await;
            (answer.status, ended.fetch_add(1, Ordering::Relaxed))
        });
        let all: Vec<_> = together(all).await;
        let places = |status| {
            let with = all.iter().filter(move |one| one.0 == status);
            with.map(|one| one.1)
        };
        let (last_held_back, first_evaluated) = (places(429).max(), places(401).min());
        assert!(
            last_held_back.unwrap() < first_evaluated.unwrap(),
            "{all:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn B8_failures_are_remembered_by_the_next_start_and_by_another_node() {
    server_with(BY_ACCOUNT, async |server| {
        guesses_on(server, ADA).await;
        let other = server.another().await;
        assert_eq!(guesses(&other, 0, ADA).await.status, 429);
        server.wait(Duration::from_secs(1));
        assert_eq!(guesses(&other, 0, ADA).await.status, 401);
        assert_eq!(guesses(server, 0, ADA).await.status, 429);
        other.app.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn B9_a_success_forgets_the_failures_of_its_own_lane_alone() {
    server_with(BY_ACCOUNT, async |server| {
        server.signs_up(ADA).await;
        let device = device_of(server, ADA).await;
        for n in 0..4 {
            guesses(server, n, ADA).await;
        }
        // The device's success is no stranger's.
        let known = json!({"deviceToken": device});
        assert_eq!(tries(server, 1, ADA, PASSWORD, known).await.status, 200);
        assert_eq!(guesses_on(server, ADA).await, (1, 1));
        // A stranger's is every stranger's.
        server.wait(Duration::from_secs(1));
        assert_eq!(tries(server, 1, ADA, PASSWORD, json!({})).await.status, 200);
        assert_eq!(guesses_on(server, ADA).await, (5, 1));
    })
    .await;
}

#[tokio::test]
async fn B10_whose_device_is_known_signs_in_while_strangers_guess() {
    server_with(BY_ACCOUNT, async |server| {
        server.signs_up(ADA).await;
        let mut device = device_of(server, ADA).await;
        for _ in 0..30 {
            let (_, wait) = guesses_on(server, ADA).await;
            assert_eq!(tries(server, 1, ADA, PASSWORD, json!({})).await.status, 429);
            let known = json!({"deviceToken": device});
            let answer = tries(server, 1, ADA, PASSWORD, known).await;
            assert_eq!(answer.status, 200);
            device = answer.json()["deviceToken"].as_str().unwrap().to_owned();
            server.must_stay_unseen(&device);
            server.must_stay_unseen(answer.token().unwrap());
            server.wait(Duration::from_secs(wait));
        }
    })
    .await;
}

#[tokio::test]
async fn a_device_has_no_more_guesses_than_strangers_have() {
    server_with(BY_ACCOUNT, async |server| {
        server.signs_up(ADA).await;
        let known = json!({"deviceToken": device_of(server, ADA).await});
        for n in 0..5 {
            let answer = tries(server, n, ADA, WRONG, known.clone()).await;
            assert_eq!(answer.status, 401);
        }
        let answer = tries(server, 9, ADA, PASSWORD, known.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("retry-after")),
            (429, "1")
        );
        // It is slowed by itself alone, and slows nobody.
        assert_eq!(guesses_on(server, ADA).await, (5, 1));
    })
    .await;
}

#[tokio::test]
async fn a_device_is_known_where_it_was_signed_in_with_and_while_the_password_is_the_same() {
    server_with(BY_ACCOUNT, async |server| {
        let eve = "eve@example.com";
        for email in [ADA, eve] {
            server.signs_up(email).await;
        }
        let eves = device_of(server, eve).await;
        let adas = device_of(server, ADA).await;
        guesses_on(server, ADA).await;
        for other in [&eves, "", "not a device", &"A".repeat(54), &adas[..53]] {
            let answer = tries(server, 1, ADA, PASSWORD, json!({"deviceToken": other})).await;
            assert_eq!(answer.status, 429, "{other}");
        }
        server.wait(Duration::from_micros(1));
        let changed = sql("UPDATE passwords SET changed_at = $1").bind(server.clock.now());
        server.app.db.write(changed).await.unwrap();
        let known = json!({"deviceToken": adas});
        assert_eq!(tries(server, 1, ADA, PASSWORD, known).await.status, 429);
    })
    .await;
}

#[tokio::test]
async fn a_browser_keeps_its_device_in_a_cookie_and_nobody_else_is_given_one() {
    server_with(BY_ACCOUNT, async |server| {
        server.signs_up(ADA).await;
        let signs_in = async |headers: &[(&str, &str)]| {
            let mut request =
                Request::post("/auth/signin").header(header::CONTENT_TYPE, "application/json");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let body = json!({"email": ADA, "password": PASSWORD}).to_string();
            server.send(request.body(Body::from(body)).unwrap()).await
        };
        for foreign in [&[][..], &[("sec-fetch-site", "cross-site")]] {
            let answer = signs_in(foreign).await;
            assert_eq!(answer.json().as_object().unwrap().len(), 1, "{answer:?}");
            assert_eq!(answer.header("set-cookie"), "");
            server.must_stay_unseen(answer.token().unwrap());
        }
        let answer = signs_in(&[("sec-fetch-site", "same-origin")]).await;
        server.must_stay_unseen(answer.token().unwrap());
        assert_eq!(answer.json().as_object().unwrap().len(), 1, "{answer:?}");
        let (cookie, attributes) = answer.header("set-cookie").split_once("; ").unwrap();
        assert!(cookie.starts_with("__Host-doorward-device="), "{cookie}");
        server.must_stay_unseen(cookie.split_once('=').unwrap().1);
        assert_eq!(
            attributes,
            "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000"
        );
        guesses_on(server, ADA).await;
        assert_eq!(signs_in(&[]).await.status, 429);
        let answer = signs_in(&[("cookie", cookie)]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        server.must_stay_unseen(answer.token().unwrap());
    })
    .await;
}

#[tokio::test]
async fn B14_a_clock_set_back_does_not_freeze_a_lane_that_asks_for_work_either() {
    let always = [BY_ACCOUNT, &[("limits.proof", "always")]].concat();
    server_with(&always, async |server| {
        let proof = async || json!({"proof": written(&solved(&asks(server).await))});
        for n in 0..5 {
            tries(server, n, ADA, WRONG, proof().await).await;
        }
        let failed_at = server.clock.now().plus(Duration::from_hours(1));
        let later = sql("UPDATE attempts SET failed_at = $1").bind(failed_at);
        server.app.db.write(later).await.unwrap();
        let refused = tries(server, 0, ADA, WRONG, proof().await).await;
        assert_eq!(refused.header("retry-after"), "1");
        server.wait(Duration::from_secs(1));
        let admitted = tries(server, 0, ADA, WRONG, proof().await).await;
        assert_eq!(admitted.status, 401, "{admitted:?}");
    })
    .await;
}

#[tokio::test]
async fn B14_a_clock_set_back_neither_frees_nor_freezes_a_lane() {
    server_with(BY_ACCOUNT, async |server| {
        guesses_on(server, ADA).await;
        let failed_at = server.clock.now().plus(Duration::from_hours(1));
        let later = sql("UPDATE attempts SET failed_at = $1").bind(failed_at);
        server.app.db.write(later).await.unwrap();
        let refused = guesses(server, 0, ADA).await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("retry-after")),
            (429, "1")
        );
        server.wait(Duration::from_secs(1));
        assert_eq!(guesses(server, 0, ADA).await.status, 401);
    })
    .await;
}

/// Tries one password at ever more accounts, until that costs a proof of work.
async fn sprays(server: &Server, password: &str) -> u32 {
    for n in 0..10_000 {
        let email = format!("person{n}@example.com");
        let answer = tries(server, n, &email, password, json!({})).await;
        if answer.status == 429 {
            assert_eq!(answer.code(), "proof_required");
            return n;
        }
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    panic!("nobody noticed");
}

#[tokio::test]
async fn B3_one_password_at_ten_thousand_accounts_costs_work_from_the_first_few_on() {
    server_with(BY_ACCOUNT, async |server| {
        server.signs_up(ADA).await;
        let device = device_of(server, ADA).await;
        let evaluated = sprays(server, "Winter2026!").await;
        assert!((16..40).contains(&evaluated), "{evaluated}");
        for n in evaluated..10_000 {
            let email = format!("person{n}@example.com");
            let answer = tries(server, n, &email, "Winter2026!", json!({})).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (429, "proof_required")
            );
            assert_eq!(answer.header("retry-after"), "3600");
        }
        // No other password costs it, nor does this one on a device that is known.
        assert_eq!(guesses(server, 1, "other@example.com").await.status, 401);
        let known = json!({"deviceToken": device});
        let mistaken = tries(server, 1, ADA, "Winter2026!", known).await;
        assert_eq!(mistaken.status, 401);
        // An hour later it begins anew.
        server.wait(Duration::from_hours(1));
        assert!(sprays(server, "Winter2026!").await >= 16);
    })
    .await;
}

#[tokio::test]
async fn a_proof_of_work_is_worth_one_attempt() {
    server_with(BY_ACCOUNT, async |server| {
        server.signs_up(ADA).await;
        sprays(server, PASSWORD).await;
        let without = tries(server, 1, ADA, PASSWORD, json!({})).await;
        assert_eq!(without.code(), "proof_required");
        let proof = written(&solved(&asks(server).await));
        let with = json!({"proof": proof});
        let answer = tries(server, 1, ADA, PASSWORD, with.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        server.must_stay_unseen(answer.token().unwrap());
        for again in [with, json!({"proof": "no proof"}), json!({"proof": ""})] {
            let answer = tries(server, 1, ADA, PASSWORD, again).await;
            assert_eq!(answer.code(), "proof_required");
        }
    })
    .await;
}

#[tokio::test]
async fn a_proof_is_not_spent_on_a_lane_that_is_closed() {
    let always = [BY_ACCOUNT, &[("limits.proof", "always")]].concat();
    server_with(&always, async |server| {
        let proof = async || json!({"proof": written(&solved(&asks(server).await))});
        assert_eq!(guesses(server, 0, ADA).await.code(), "proof_required");
        assert_eq!(guesses(server, 0, ADA).await.header("retry-after"), "");
        for n in 0..5 {
            let answer = tries(server, n, ADA, WRONG, proof().await).await;
            assert_eq!(answer.status, 401, "{answer:?}");
        }
        let kept = proof().await;
        let answer = tries(server, 0, ADA, WRONG, kept.clone()).await;
        assert_eq!(answer.code(), "rate_limited");
        server.wait(Duration::from_secs(1));
        assert_eq!(tries(server, 0, ADA, WRONG, kept).await.status, 401);
    })
    .await;
}

#[tokio::test]
async fn what_nobody_has_tried_for_long_is_forgotten_and_its_row_removed() {
    server_with(BY_ACCOUNT, async |server| {
        guesses(server, 0, NOBODY).await;
        guesses_on(server, ADA).await;
        server.wait(Duration::from_secs(1));
        guesses(server, 0, ADA).await;
        let rows = async |days: u64| {
            server.wait(Duration::from_hours(24 * days));
            let removal = doorward::attempts::store::delete_forgotten(server.clock.now(), 100);
            server.app.db.write(removal).await.unwrap();
            let all = sql("SELECT lane FROM attempts");
            server
                .app
                .db
                .all(all, |row| row.bytes("lane"))
                .await
                .unwrap()
                .len()
        };
        assert_eq!([rows(6).await, rows(2).await, rows(81).await], [2, 1, 1]);
        assert_eq!(rows(2).await, 0);
        assert_eq!(guesses_on(server, ADA).await, (5, 1));
    })
    .await;
}
