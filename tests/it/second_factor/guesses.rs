//! How often a code may be guessed.

use std::time::Duration;

use db::{Unit, sql};
use serde_json::json;

use super::{ada, at_once, challenge, goes_on, is_asked, is_refused};
use crate::harness::{ADA, PASSWORD, insist, rows, server_with, together};

const LIMITED: &[(&str, &str)] = &[
    ("limits.enabled", "true"),
    ("limits.per_minute", "100000"),
    ("limits.burst", "100000"),
];

#[tokio::test]
async fn B12_five_wrong_codes_end_a_challenge_and_another_brings_no_more() {
    server_with(LIMITED, async |server| {
        let (phone, codes) = ada(server).await;
        let first = challenge(server).await;
        let wrong = phone.shows_in(server, 9);
        for _ in 0..5 {
            is_refused(&goes_on(server, &first, &wrong).await, "code_invalid");
        }
        // Even the right one.
        server.wait(Duration::from_secs(1));
        let right = phone.shows_in(server, 0);
        is_refused(&goes_on(server, &first, &right).await, "challenge_expired");

        let second = challenge(server).await;
        is_refused(&goes_on(server, &second, &wrong).await, "code_invalid");
        for again in [
            goes_on(server, &second, &right).await,
            goes_on(server, &challenge(server).await, &right).await,
            at_once(server, &right).await,
            at_once(server, &codes[0]).await,
        ] {
            assert_eq!((again.status.as_u16(), again.code()), (429, "rate_limited"));
            assert_eq!(again.header("retry-after"), "3");
        }
        // The password is not held back, and being told to wait cost the challenge nothing.
        is_asked(&server.signs_in(ADA, PASSWORD).await);
        server.wait(Duration::from_secs(3));
        let right = phone.shows_in(server, 0);
        assert_eq!(goes_on(server, &second, &right).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn X15_of_64_guesses_at_once_no_more_are_looked_at_than_one_after_the_other() {
    server_with(LIMITED, async |server| {
        let (phone, _) = ada(server).await;
        let wrong = phone.shows_in(server, 9);
        let mut halves = Vec::new();
        for _ in 0..16 {
            halves.push(challenge(server).await);
        }
        let wrong = &wrong;
        let all = halves.iter().cycle().take(64);
        let all = all.map(|half| insist(async move || goes_on(server, half, wrong).await));
        let answers = together(all).await;
        let looked_at = answers
            .iter()
            .filter(|answer| answer.code() == "code_invalid")
            .count();
        // Fewer when the database had no time for one that was counted already.
        assert!((1..=5).contains(&looked_at), "{looked_at}");
        let held_back = answers.iter().filter(|answer| answer.status == 429).count();
        assert_eq!(looked_at + held_back, 64);
    })
    .await;
}

#[tokio::test]
async fn X15_of_64_guesses_at_one_challenge_at_once_five_are_looked_at() {
    server_with(&[], async |server| {
        let (phone, _) = ada(server).await;
        let wrong = phone.shows_in(server, 9);
        let half = challenge(server).await;
        let answers = together((0..64).map(|_| goes_on(server, &half, &wrong))).await;
        let looked_at = answers
            .iter()
            .filter(|answer| answer.code() == "code_invalid")
            .count();
        assert_eq!(looked_at, 5);
    })
    .await;
}

#[tokio::test]
async fn a_code_that_nobody_asked_for_is_ignored() {
    server_with(&[], async |server| {
        server.signs_up(ADA).await;
        let body = json!({"email": ADA, "password": PASSWORD, "code": "000000"});
        assert_eq!(server.post("/auth/signin", &body).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn who_waits_for_the_lane_of_codes_has_failed_at_no_password() {
    server_with(LIMITED, async |server| {
        let (phone, _) = ada(server).await;
        let wrong = phone.shows_in(server, 9);
        for _ in 0..5 {
            is_refused(&at_once(server, &wrong).await, "code_invalid");
        }
        // More often than a password may be wrong before anybody has to wait.
        let before = rows::all(&server.app.db).await;
        for _ in 0..8 {
            let waits = at_once(server, &phone.shows_in(server, 0)).await;
            assert_eq!((waits.status.as_u16(), waits.code()), (429, "rate_limited"));
        }
        assert_eq!(rows::all(&server.app.db).await, before);
        is_asked(&server.signs_in(ADA, PASSWORD).await);
    })
    .await;
}

#[tokio::test]
async fn whose_code_cannot_be_looked_at_has_failed_at_nothing() {
    server_with(LIMITED, async |server| {
        let (phone, _) = ada(server).await;
        // Not what was sealed: nobody can tell what the app shows.
        let spoilt = sql("UPDATE totp SET sealed = $1").bind([0; 40].as_slice());
        let spoil = Unit::new().expect(1, spoilt);
        server.app.db.write(spoil).await.unwrap();
        let half = challenge(server).await;
        let before = rows::all(&server.app.db).await;
        for _ in 0..8 {
            let answer = at_once(server, &phone.shows_in(server, 0)).await;
            assert_eq!(answer.status, 500, "{answer:?}");
        }
        assert_eq!(rows::all(&server.app.db).await, before);
        let answer = goes_on(server, &half, &phone.shows_in(server, 0)).await;
        assert_eq!(answer.status, 500, "{answer:?}");
        is_asked(&server.signs_in(ADA, PASSWORD).await);
    })
    .await;
}
