//! Authenticator apps. The numbers are those of one catalogue of bad inputs; every code here is one that `oathtool` made.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

mod enrolment;

use std::time::Duration;

use db::sql;
use doorward::clock::Timestamp;
use doorward::ids::UserId;
use doorward::secret::Secret;
use doorward::totp;
use serde_json::json;

use crate::harness::phone::{Phone, confirms};
use crate::harness::{ADA, Server, rows, server, server_with, together};

/// Whose token it is.
pub async fn owner(server: &Server, token: &str) -> UserId {
    let me = server.get_as(token, "/auth/me").await;
    UserId::from_stored(me.json()["id"].as_str().unwrap().to_owned())
}

/// Whether a code is taken from whoever signs in with it now.
async fn takes(server: &Server, user: &UserId, code: &str) -> bool {
    takes_at(server, user, code, server.clock.now()).await
}

async fn takes_at(server: &Server, user: &UserId, code: &str, now: Timestamp) -> bool {
    let app = &server.app;
    let code = Secret::new(code.to_owned());
    let unit = totp::check(&app.db, app.sealer(), user, &code, now);
    match unit.await.unwrap() {
        None => false,
        Some(unit) => server.writes(unit).await,
    }
}

/// Somebody whose app counts, half a minute after it was confirmed.
async fn somebody(server: &Server, email: &str) -> (Phone, UserId, String) {
    let token = server.signs_up(email).await;
    let (phone, _) = Phone::is_set_up(server, &token).await;
    server.wait(Duration::from_secs(90));
    (phone, owner(server, &token).await, token)
}

#[tokio::test]
async fn F1_the_codes_of_this_step_and_the_one_before_count() {
    server(async |server| {
        for (n, (steps, counts)) in [(-2, false), (-1, true), (0, true), (1, false), (2, false)]
            .into_iter()
            .enumerate()
        {
            let token = server.signs_up(&format!("ada{n}@example.com")).await;
            let phone = Phone::enrols(server, &token).await;
            let answer = confirms(server, &token, &json!(phone.shows_in(server, steps))).await;
            assert_eq!(answer.status == 200, counts, "step {steps}: {answer:?}");
            let (phone, user, _) = somebody(server, &format!("eve{n}@example.com")).await;
            let code = phone.shows_in(server, steps);
            assert_eq!(takes(server, &user, &code).await, counts, "step {steps}");
        }
    })
    .await;
}

#[tokio::test]
async fn F2_F3_a_step_counts_once_and_none_before_it_afterwards() {
    server(async |server| {
        let (phone, user, _) = somebody(server, ADA).await;
        let (before, now) = (phone.shows_in(server, -1), phone.shows_in(server, 0));
        assert!(takes(server, &user, &now).await);
        assert!(!takes(server, &user, &now).await, "twice");
        assert!(!takes(server, &user, &before).await, "an older one");
        server.wait(Duration::from_secs(30));
        assert!(!takes(server, &user, &now).await, "as the one before");
        let next = phone.shows_in(server, 0);
        let another = server.another().await;
        assert!(takes(&another, &user, &next).await);
        assert!(!takes(server, &user, &next).await, "at another node");
        another.app.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn F2_what_confirmed_an_app_signs_nobody_in() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let phone = Phone::enrols(server, &token).await;
        let code = phone.shows_in(server, 0);
        let user = owner(server, &token).await;
        assert!(!takes(server, &user, &code).await, "not confirmed");
        assert_eq!(confirms(server, &token, &json!(code)).await.status, 200);
        assert!(!takes(server, &user, &code).await, "taken");
    })
    .await;
}

#[tokio::test]
async fn F5_every_algorithm_and_length_is_that_of_the_enrolment() {
    for algorithm in ["SHA1", "SHA256", "SHA512"] {
        for digits in ["6", "8"] {
            let settings = [
                ("second_factor.totp_algorithm", algorithm),
                ("second_factor.totp_digits", digits),
            ];
            server_with(&settings, async |server| {
                let (phone, user, _) = somebody(server, ADA).await;
                // Through a day, a month and past 2038.
                for span in [30, 86_400, 30 * 86_400, 12 * 365 * 86_400] {
                    server.wait(Duration::from_secs(span));
                    let code = phone.shows_in(server, 0);
                    assert_eq!(code.len().to_string(), digits);
                    assert!(takes(server, &user, &code).await, "{algorithm} {digits}");
                }
                server.wait(Duration::from_secs(30));
                for other in ["SHA1", "SHA256", "SHA512"] {
                    for length in ["6", "8"] {
                        if (other, length) != (algorithm, digits) {
                            let url = format!(
                                "otpauth://totp/a?secret={}&algorithm={other}&digits={length}&period=30",
                                phone.secret
                            );
                            let code = Phone::told(&url).shows_in(server, 0);
                            assert!(!takes(server, &user, &code).await, "{other} {length}");
                        }
                    }
                }
            })
            .await;
        }
    }
}

#[tokio::test]
async fn F8_what_changes_a_second_factor_asks_for_a_new_sign_in() {
    server(async |server| {
        let (_, user, token) = somebody(server, ADA).await;
        server.wait(Duration::from_mins(9));
        let before = rows::all(&server.app.db).await;
        let empty = json!({});
        let code = json!({"code": "123456"});
        for answer in [
            server.delete_as(&token, "/auth/totp").await,
            server.post_as(&token, "/auth/totp", &empty).await,
            server.post_as(&token, "/auth/totp/confirm", &code).await,
            server.post_as(&token, "/auth/recovery-codes", &empty).await,
        ] {
            let told = (answer.status.as_u16(), answer.code());
            assert_eq!(told, (403, "reauthentication_required"));
        }
        assert_eq!(rows::all(&server.app.db).await, before);
        let app = &server.app;
        let enrolled = totp::store::enrolled(&app.db, &user).await.unwrap();
        assert!(enrolled.is_some_and(|enrolled| enrolled.is_confirmed));
    })
    .await;
}

#[tokio::test]
async fn F15_a_clock_that_was_set_back_takes_no_step_twice() {
    server(async |server| {
        let (phone, user, _) = somebody(server, ADA).await;
        let then = server.clock.now();
        server.wait(Duration::from_hours(2));
        assert!(takes(server, &user, &phone.shows_in(server, 0)).await);
        assert!(!takes_at(server, &user, &phone.shows(then), then).await);
        server.wait(Duration::from_secs(30));
        assert!(takes(server, &user, &phone.shows_in(server, 0)).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn X5_of_sixty_four_who_show_one_code_at_once_one_is_taken() {
    server(async |server| {
        let (phone, user, _) = somebody(server, ADA).await;
        for round in 0..20 {
            server.wait(Duration::from_secs(30));
            let code = phone.shows_in(server, 0);
            let all = together((0..64).map(|_| takes(server, &user, &code))).await;
            let taken = all.into_iter().filter(|taken| *taken).count();
            assert_eq!(taken, 1, "round {round}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_app_that_is_removed_counts_no_more_and_leaves_nothing() {
    server(async |server| {
        let (phone, user, token) = somebody(server, ADA).await;
        let removed = server.delete_as(&token, "/auth/totp").await;
        assert_eq!(removed.status, 204, "{removed:?}");
        assert!(!takes(server, &user, &phone.shows_in(server, 0)).await);
        for table in ["totp", "recovery_codes"] {
            let count: &'static str =
                format!("SELECT CAST(count(*) AS BIGINT) AS n FROM {table}").leak();
            let left = server.app.db.one(sql(count), |row| row.int("n")).await;
            assert_eq!(left.unwrap(), Some(0), "{table}");
        }
        let again = server.delete_as(&token, "/auth/totp").await;
        assert_eq!(
            (again.status.as_u16(), again.code()),
            (409, "totp_not_enabled")
        );
        // And the way is free for another one.
        let (phone, _) = Phone::is_set_up(server, &token).await;
        server.wait(Duration::from_secs(30));
        assert!(takes(server, &user, &phone.shows_in(server, 0)).await);
    })
    .await;
}

#[tokio::test]
async fn a_code_that_was_read_before_its_app_was_replaced_takes_no_step_of_the_next() {
    server(async |server| {
        let (phone, user, token) = somebody(server, ADA).await;
        let app = &server.app;
        let code = Secret::new(phone.shows_in(server, 0));
        let read = totp::check(&app.db, app.sealer(), &user, &code, server.clock.now()).await;
        let written = read.unwrap().unwrap();
        assert_eq!(server.delete_as(&token, "/auth/totp").await.status, 204);
        let next = Phone::enrols(server, &token).await;
        let before = json!(next.shows_in(server, -1));
        assert_eq!(confirms(server, &token, &before).await.status, 200);
        let late = app.db.write(written).await;
        assert!(matches!(late, Err(db::Error::Touched { .. })), "{late:?}");
        assert!(takes(server, &user, &next.shows_in(server, 0)).await);
    })
    .await;
}

#[tokio::test]
async fn each_change_of_an_app_is_in_the_audit_trail() {
    server(async |server| {
        let (_, user, token) = somebody(server, ADA).await;
        assert_eq!(server.delete_as(&token, "/auth/totp").await.status, 204);
        let trail = sql("SELECT event FROM audit WHERE user_id = $1 ORDER BY event").bind(&user);
        let trail = server.app.db.all(trail, |row| row.text("event")).await;
        let expected = [
            "recovery_codes_made",
            "signed_in",
            "signed_up",
            "totp_begun",
            "totp_disabled",
            "totp_enabled",
        ];
        assert_eq!(trail.unwrap(), expected);
    })
    .await;
}
