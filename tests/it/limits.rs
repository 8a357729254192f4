//! How often one address may try.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

use crate::harness::{ADA, Answer, PASSWORD, Server, server_with, unique};

const TIGHT: &[(&str, &str)] = &[
    ("limits.enabled", "true"),
    ("limits.burst", "3"),
    ("limits.per_minute", "6"),
    ("limits.proof", "never"),
];

async fn tries_from(server: &Server, address: &str, email: &str) -> Answer {
    let body = json!({"email": email, "password": "not the password at all"}).to_string();
    let request = Request::post("/auth/signin").header(header::CONTENT_TYPE, "application/json");
    server
        .send_from(
            address.parse::<IpAddr>().unwrap(),
            request.body(Body::from(body)).unwrap(),
        )
        .await
}

#[tokio::test]
async fn a_budget_is_spent_told_and_refilled() {
    server_with(TIGHT, async |server| {
        for left in ["2", "1", "0"] {
            let answer = tries_from(server, "203.0.113.7", ADA).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("ratelimit-remaining")),
                (401, left)
            );
            assert_eq!(answer.header("ratelimit-limit"), "3");
        }
        let refused = tries_from(server, "203.0.113.7", ADA).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (429, "rate_limited")
        );
        assert_eq!(refused.header("retry-after"), "10");
        server.wait(Duration::from_secs(9));
        assert_eq!(tries_from(server, "203.0.113.7", ADA).await.status, 429);
        server.wait(Duration::from_secs(1));
        assert_eq!(tries_from(server, "203.0.113.7", ADA).await.status, 401);
    })
    .await;
}

#[tokio::test]
async fn it_is_one_budget_for_every_route_with_a_credential() {
    server_with(TIGHT, async |server| {
        for _ in 0..3 {
            server.signs_in("nobody@example.com", PASSWORD).await;
        }
        let answer = server
            .post("/auth/signup", &json!({"email": ADA, "password": PASSWORD}))
            .await;
        assert_eq!(answer.status, 429);
        assert_eq!(
            server.get("/auth/config").await.status,
            200,
            "what checks no credential goes on"
        );
    })
    .await;
}

#[tokio::test]
async fn known_and_unknown_addresses_are_held_back_alike() {
    server_with(TIGHT, async |server| {
        server.signs_up(ADA).await;
        let mut answers = Vec::new();
        for (from, email) in [("203.0.113.1", ADA), ("203.0.113.2", "nobody@example.com")] {
            for _ in 0..3 {
                tries_from(server, from, email).await;
            }
            let refused = tries_from(server, from, email).await;
            answers.push((
                refused.status,
                refused.body.clone(),
                refused.header("retry-after").to_owned(),
            ));
        }
        assert_eq!(answers[0], answers[1]);
    })
    .await;
}

#[tokio::test]
async fn B4_a_thousand_addresses_of_one_64_and_a_thousand_64s_of_one_48_are_no_thousand_budgets() {
    server_with(TIGHT, async |server| {
        let evaluated = async |address: fn(u16) -> String| {
            let mut evaluated = 0;
            for n in 0..1_000 {
                // Each time at another account, so that it is the address that is held back.
                let email = format!("person{n}@example.com");
                let answer = tries_from(server, &address(n), &email).await;
                evaluated += usize::from(answer.status == 401);
            }
            evaluated
        };
        assert_eq!(evaluated(|n| format!("2001:db8:1:1::{n:x}")).await, 3);
        assert_eq!(evaluated(|n| format!("2001:db8:2:{n:x}::1")).await, 24);
        assert_eq!(
            evaluated(|n| format!("2001:db8:{:x}::1", n + 256)).await,
            1_000
        );
    })
    .await;
}

#[tokio::test]
async fn a_site_that_is_held_back_says_so_and_takes_nothing_from_its_households() {
    server_with(TIGHT, async |server| {
        let tries = async |n: u16| {
            let email = format!("{}@example.com", unique());
            tries_from(server, &format!("2001:db8:2:{n:x}::1"), &email).await
        };
        for n in 0..24 {
            assert_eq!(tries(n).await.status, 401);
        }
        let refused = tries(99).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (429, "rate_limited")
        );
        assert_eq!(refused.header("ratelimit-limit"), "24");
        assert_eq!(refused.header("retry-after"), "2");
        server.wait(Duration::from_secs(2));
        let admitted = tries(99).await;
        assert_eq!(
            (
                admitted.status.as_u16(),
                admitted.header("ratelimit-remaining")
            ),
            (401, "2")
        );
    })
    .await;
}

#[tokio::test]
async fn B5_one_household_is_one_address_and_a_neighbour_is_another() {
    server_with(TIGHT, async |server| {
        let tries = async |address: &str| {
            // Each time at another account, so that it is the address that is held back.
            let email = format!("{}@example.com", unique());
            tries_from(server, address, &email).await.status.as_u16()
        };
        for host in 1..=3 {
            assert_eq!(tries(&format!("2001:db8:0:1::{host:x}")).await, 401);
        }
        assert_eq!(tries("2001:db8:0:1:ffff::1").await, 429);
        assert_eq!(tries("2001:db8:0:2::1").await, 401);
        for spelling in ["203.0.113.9", "::ffff:203.0.113.9", "::ffff:cb00:7109"] {
            assert_eq!(tries(spelling).await, 401, "{spelling}");
        }
        assert_eq!(tries("203.0.113.9").await, 429);
    })
    .await;
}
