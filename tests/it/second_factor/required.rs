//! Second factors that accounts have to have: set up behind the password, before the first token.

mod policy;

use std::time::Duration;

use db::sql;
use doorward::audit::By;
use doorward::ids::UserId;
use doorward::{second_factors, users};
use serde_json::{Value, json};

use super::{at_once, challenge, claims, goes_on, id, is_asked, is_refused, succeeded};
use crate::harness::phone::{self, Phone};
use crate::harness::{ADA, Answer, PASSWORD, Server, server, server_with, together};
use crate::passkeys::registers;

pub const EVERYBODY: &[(&str, &str)] = &[("second_factor.required", "true")];
const ADMINS: &[(&str, &str)] = &[("second_factor.required_roles", "admin,owner")];

/// The challenge in an answer that leads to enrolment.
pub fn is_led(answer: &Answer) -> String {
    is_refused(answer, "second_factor_enrolment_required");
    answer.json()["challenge"].as_str().unwrap().to_owned()
}

pub async fn enrols(server: &Server, challenge: &str) -> Answer {
    let body = json!({"challenge": challenge});
    server.post("/auth/signin/enrol", &body).await
}

/// The app that somebody begins with who was led to.
pub async fn begins(server: &Server, challenge: &str) -> Phone {
    let answer = enrols(server, challenge).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for secret in ["secret", "otpauthUrl", "qrSvg"] {
        server.must_stay_unseen(answer.json()[secret].as_str().unwrap());
    }
    Phone::told(answer.json()["otpauthUrl"].as_str().unwrap())
}

/// Ada has no account yet and is led from her sign-up.
async fn ada_is_led(server: &Server) -> String {
    let account = json!({"email": ADA, "password": PASSWORD});
    is_led(&server.post("/auth/signup", &account).await)
}

/// What the database holds of each of these tables.
async fn counts<const N: usize>(server: &Server, tables: [&str; N]) -> [i64; N] {
    let mut counts = [0; N];
    for (count, table) in counts.iter_mut().zip(tables) {
        let query = format!("SELECT CAST(count(*) AS BIGINT) AS n FROM {table}").leak();
        let found = server.app.db.one(sql(query), |row| row.int("n")).await;
        *count = found.unwrap().unwrap();
    }
    counts
}

#[tokio::test]
async fn who_has_none_sets_one_up_before_the_first_token() {
    server_with(EVERYBODY, async |server| {
        let signed_up = ada_is_led(server).await;
        assert_eq!(counts(server, ["users", "sessions"]).await, [1, 0]);
        let asked = server.signs_in(ADA, PASSWORD).await;
        let challenge = is_led(&asked);
        server.must_stay_unseen(&challenge);
        assert_eq!(
            asked.body,
            format!(
                "{{\"statusCode\":401,\"message\":\"A second factor has to be set up first; POST /auth/signin/enrol begins with \
                 one\",\"error\":\"Unauthorized\",\"code\":\"second_factor_enrolment_required\",\"challenge\":\"{challenge}\",\
                 \"methods\":[\"totp\"],\"expiresIn\":300}}"
            )
        );
        let phone = begins(server, &challenge).await;
        let begun = goes_on(server, &challenge, &phone.shows_in(server, 0)).await;
        assert_eq!(begun.status, 200, "{begun:?}");
        let keys: Vec<_> = begun.json().as_object().unwrap().keys().collect();
        assert_eq!(keys, ["token", "recoveryCodes"]);
        assert_eq!(claims(&begun)["amr"], json!(["pwd", "otp", "mfa"]));
        let codes = phone::recovery_codes(server, &begun);
        assert_eq!(codes.len(), 10);
        let token = begun.token().unwrap();
        let me = server.get_as(token, "/auth/me").await;
        assert_eq!(
            me.json()["mfa"],
            json!({"totp": true, "passkeys": 0, "recoveryCodesLeft": 10})
        );
        // It is fresh, and has shown a second factor.
        let empty = json!({});
        let made = server.post_as(token, "/auth/recovery-codes", &empty).await;
        assert_eq!(made.status, 200, "{made:?}");

        server.wait(Duration::from_secs(30));
        let code = phone.shows_in(server, 0);
        let again = goes_on(server, &challenge, &code).await;
        is_refused(&again, "challenge_expired");
        is_asked(&server.signs_in(ADA, PASSWORD).await);
        // The one from before goes on with the app that there is by now, and begins with no other.
        is_refused(&enrols(server, &signed_up).await, "challenge_expired");
        let first = goes_on(server, &signed_up, &code).await;
        let keys: Vec<_> = first.json().as_object().unwrap().keys().collect();
        assert_eq!(keys, ["token"], "{first:?}");
    })
    .await;
}

#[tokio::test]
async fn each_step_is_in_the_audit_trail() {
    server_with(EVERYBODY, async |server| {
        let challenge = ada_is_led(server).await;
        let phone = begins(server, &challenge).await;
        let wrong = goes_on(server, &challenge, &phone.shows_in(server, 9)).await;
        is_refused(&wrong, "code_invalid");
        let right = goes_on(server, &challenge, &phone.shows_in(server, 0)).await;
        let gone = server.delete_as(right.token().unwrap(), "/auth/totp").await;
        assert_eq!(gone.code(), "last_second_factor");
        let trail = sql("SELECT event FROM audit WHERE user_id = $1 ORDER BY event");
        let trail = trail.bind(&id(server).await);
        let trail = server.app.db.all(trail, |row| row.text("event")).await;
        let expected = [
            "recovery_codes_made",
            "second_factor_enrolment_asked",
            "second_factor_failed",
            "signed_in",
            "signed_up",
            "totp_begun",
            "totp_enabled",
        ];
        assert_eq!(trail.unwrap(), expected);
    })
    .await;
}

#[tokio::test]
async fn a_session_is_carried_as_was_said() {
    for session in ["refresh", "cookie"] {
        server_with(EVERYBODY, async |server| {
            let account = json!({"email": ADA, "password": PASSWORD, "session": session});
            let challenge = is_led(&server.post("/auth/signup", &account).await);
            let phone = begins(server, &challenge).await;
            let begun = goes_on(server, &challenge, &phone.shows_in(server, 0)).await;
            assert_eq!(begun.status, 200, "{begun:?}");
            assert_eq!(begun.refresh_token().is_some(), session == "refresh");
            assert_eq!(begun.cookie().is_some(), session == "cookie");
            if session == "cookie" {
                let mfa = json!({"totp": true, "passkeys": 0, "recoveryCodesLeft": 10});
                assert_eq!(begun.json()["user"]["mfa"], mfa);
            }
            assert_eq!(phone::recovery_codes(server, &begun).len(), 10);
        })
        .await;
    }
}

#[tokio::test]
async fn F7_to_begin_again_voids_the_secret_before() {
    server_with(EVERYBODY, async |server| {
        let challenge = ada_is_led(server).await;
        // Nothing was begun with.
        is_refused(&goes_on(server, &challenge, "123456").await, "code_invalid");
        let first = begins(server, &challenge).await;
        let second = begins(server, &challenge).await;
        assert_ne!(first.secret, second.secret);
        let void = goes_on(server, &challenge, &first.shows_in(server, 0)).await;
        is_refused(&void, "code_invalid");
        let right = goes_on(server, &challenge, &second.shows_in(server, 0)).await;
        assert_eq!(right.status, 200, "{right:?}");
    })
    .await;
}

#[tokio::test]
async fn B12_wrong_codes_have_the_budget_that_they_have_everywhere() {
    let limited = [
        EVERYBODY[0],
        ("limits.enabled", "true"),
        ("limits.per_minute", "100000"),
        ("limits.burst", "100000"),
    ];
    server_with(&limited, async |server| {
        let first = ada_is_led(server).await;
        let phone = begins(server, &first).await;
        let wrong = phone.shows_in(server, 9);
        for _ in 0..5 {
            is_refused(&goes_on(server, &first, &wrong).await, "code_invalid");
        }
        let right = phone.shows_in(server, 0);
        let second = is_led(&server.signs_in(ADA, PASSWORD).await);
        let waits = goes_on(server, &second, &right).await;
        assert_eq!((waits.status.as_u16(), waits.code()), (429, "rate_limited"));
        server.wait(Duration::from_secs(1));
        is_refused(&goes_on(server, &first, &right).await, "challenge_expired");
        is_refused(&enrols(server, &first).await, "challenge_expired");
        let begun = goes_on(server, &second, &right).await;
        assert_eq!(begun.status, 200, "{begun:?}");
    })
    .await;
}

#[tokio::test]
async fn a_challenge_lasts_five_minutes() {
    server_with(EVERYBODY, async |server| {
        let challenge = ada_is_led(server).await;
        server.wait(Duration::from_secs(299));
        let phone = begins(server, &challenge).await;
        server.wait(Duration::from_secs(1));
        let code = phone.shows_in(server, 0);
        is_refused(&enrols(server, &challenge).await, "challenge_expired");
        is_refused(
            &goes_on(server, &challenge, &code).await,
            "challenge_expired",
        );
        // What was begun with waits for whoever signs in again.
        let again = is_led(&server.signs_in(ADA, PASSWORD).await);
        assert_eq!(goes_on(server, &again, &code).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn of_many_who_show_the_code_at_once_one_enrols() {
    server_with(EVERYBODY, async |server| {
        let one = ada_is_led(server).await;
        let phone = begins(server, &one).await;
        let mut challenges = vec![one; 8];
        for _ in 0..8 {
            challenges.push(is_led(&server.signs_in(ADA, PASSWORD).await));
        }
        let second = server.another().await;
        let nodes = [server, &second];
        // Of two steps, so that one that was taken does not decide it.
        let codes = [phone.shows_in(server, -1), phone.shows_in(server, 0)];
        let all = challenges
            .iter()
            .enumerate()
            .map(|(n, challenge)| goes_on(nodes[n % 2], challenge, &codes[n / 2 % 2]));
        let answers = together(all).await;
        assert_eq!(succeeded(&answers), 1, "{answers:?}");
        let tables = ["sessions", "totp", "recovery_codes"];
        assert_eq!(counts(server, tables).await, [1, 1, 10]);
        // The codes are those that the one was shown.
        let won = answers.iter().find(|answer| answer.status == 200).unwrap();
        let codes = phone::recovery_codes(server, won);
        assert_eq!(at_once(server, &codes[7]).await.status, 200);
        second.app.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_password_alone_sets_up_nothing_beside_a_passkey() {
    server_with(ADMINS, async |server| {
        let token = server.signs_up(ADA).await;
        server.gives_role(ADA, "admin").await;
        // Begun with while there was none.
        let led = is_led(&server.signs_in(ADA, PASSWORD).await);
        let phone = begins(server, &led).await;
        let ada = id(server).await;
        assert!(may_set_one_up(server, &ada).await);
        registers(server, &token).await;
        assert!(!may_set_one_up(server, &ada).await);

        let code = phone.shows_in(server, 0);
        let half = challenge(server).await;
        for challenge in [&led, &half] {
            is_refused(&enrols(server, challenge).await, "challenge_expired");
            is_refused(&goes_on(server, challenge, &code).await, "code_invalid");
        }
        let me = server.get_as(&token, "/auth/me").await;
        assert_eq!(me.json()["mfa"]["totp"], false);
        assert_eq!(counts(server, ["sessions"]).await, [1]);
    })
    .await;
}

/// Whether what a half-done sign-in sets up is written, as far as the factors tell that there are.
async fn may_set_one_up(server: &Server, user: &UserId) -> bool {
    let unit = db::Unit::new().expect(1, second_factors::store::ask_none(user));
    server.writes(unit).await
}

#[tokio::test]
async fn whoever_is_shut_out_between_the_steps_has_set_up_nothing() {
    server_with(EVERYBODY, async |server| {
        let challenge = ada_is_led(server).await;
        let phone = begins(server, &challenge).await;
        let (app, ada) = (&server.app, id(server).await);
        let by = By::Operator(server.clock.now());
        assert!(
            users::disable(&app.db, &app.revocations, &ada, by)
                .await
                .unwrap()
        );
        let code = phone.shows_in(server, 0);
        for refused in [
            goes_on(server, &challenge, &code).await,
            enrols(server, &challenge).await,
        ] {
            is_refused(&refused, "challenge_expired");
        }
        assert!(users::enable(&app.db, &ada, by).await.unwrap());
        is_refused(
            &goes_on(server, &challenge, &code).await,
            "challenge_expired",
        );
        is_led(&server.signs_in(ADA, PASSWORD).await);
        let tables = ["sessions", "recovery_codes"];
        assert_eq!(counts(server, tables).await, [0, 0]);
    })
    .await;
}

#[tokio::test]
async fn who_is_asked_for_the_factor_that_there_is_sets_up_no_other() {
    server(async |server| {
        let (phone, _) = super::ada(server).await;
        let half = challenge(server).await;
        is_refused(&enrols(server, &half).await, "challenge_expired");
        is_refused(&enrols(server, &"a".repeat(43)).await, "challenge_expired");
        let signed_in = goes_on(server, &half, &phone.shows_in(server, 0)).await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        assert_eq!(signed_in.json()["recoveryCodes"], Value::Null);
    })
    .await;
}
