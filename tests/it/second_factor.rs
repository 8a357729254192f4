//! Sign-ins for which a password is not enough. The numbers are those of one catalogue of bad inputs; every code here is one
//! that `oathtool` made.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

mod again;
mod devices;
mod guesses;
pub mod required;

use std::time::Duration;

use doorward::audit::By;
use doorward::ids::UserId;
use doorward::secret::Secret;
use doorward::{password, users};
use serde_json::{Value, json};

use crate::harness::phone::Phone;
use crate::harness::{ADA, Answer, PASSWORD, Server, server, together};

/// Ada, with an app and recovery codes, a while after she set them up.
pub async fn ada(server: &Server) -> (Phone, Vec<String>) {
    let token = server.signs_up(ADA).await;
    let set_up = Phone::is_set_up(server, &token).await;
    server.wait(Duration::from_secs(90));
    set_up
}

/// What Ada's right password gets her.
pub async fn challenge(server: &Server) -> String {
    let answer = server.signs_in(ADA, PASSWORD).await;
    is_asked(&answer);
    answer.json()["challenge"].as_str().unwrap().to_owned()
}

pub fn is_asked(answer: &Answer) {
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (401, "second_factor_required"),
        "{answer:?}"
    );
}

pub fn is_refused(answer: &Answer, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (401, code),
        "{answer:?}"
    );
}

/// Goes on with a sign-in by a code.
pub async fn goes_on(server: &Server, challenge: &str, code: &str) -> Answer {
    let body = json!({"challenge": challenge, "code": code});
    server.post("/auth/signin/second-factor", &body).await
}

/// Signs in by a password and a code in one request.
pub async fn at_once(server: &Server, code: &str) -> Answer {
    let body = json!({"email": ADA, "password": PASSWORD, "code": code});
    server.post("/auth/signin", &body).await
}

pub fn claims(answer: &Answer) -> Value {
    let (_, claims) = jose::decode_unverified(answer.token().unwrap()).unwrap();
    claims
}

#[tokio::test]
async fn a_password_and_a_code_sign_in_by_two_requests() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let asked = server.signs_in(ADA, PASSWORD).await;
        is_asked(&asked);
        let challenge = asked.json()["challenge"].as_str().unwrap();
        assert_eq!(challenge.len(), 43);
        server.must_stay_unseen(challenge);
        assert_eq!(
            asked.body,
            format!(
                "{{\"statusCode\":401,\"message\":\"Second factor required\",\"error\":\"Unauthorized\",\
                 \"code\":\"second_factor_required\",\"challenge\":\"{challenge}\",\"methods\":[\"totp\",\"recovery_code\"],\
                 \"expiresIn\":300}}"
            )
        );
        assert_eq!(asked.header("www-authenticate"), "");
        assert_eq!(asked.header("cache-control"), "no-store");
        assert_eq!(asked.header("set-cookie"), "");

        let signed_in = goes_on(server, challenge, &phone.shows_in(server, 0)).await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        let keys: Vec<_> = signed_in.json().as_object().unwrap().keys().collect();
        assert_eq!(keys, ["token"]);
        let claims = claims(&signed_in);
        assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
        let me = server.get_as(signed_in.token().unwrap(), "/auth/me").await;
        assert_eq!(me.json()["mfa"]["totp"], true);
        // It was one sign-in.
        server.wait(Duration::from_secs(30));
        let again = goes_on(server, challenge, &phone.shows_in(server, 0)).await;
        is_refused(&again, "challenge_expired");
    })
    .await;
}

#[tokio::test]
async fn a_password_and_a_code_sign_in_by_one_request() {
    server(async |server| {
        let (phone, codes) = ada(server).await;
        let signed_in = at_once(server, &phone.shows_in(server, 0)).await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        assert_eq!(claims(&signed_in)["amr"], json!(["pwd", "otp", "mfa"]));
        // F2: the same code again.
        is_refused(
            &at_once(server, &phone.shows_in(server, 0)).await,
            "code_invalid",
        );
        // F3: one of an earlier step.
        is_refused(
            &at_once(server, &phone.shows_in(server, -1)).await,
            "code_invalid",
        );
        let by_recovery = at_once(server, &codes[3]).await;
        assert_eq!(by_recovery.status, 200, "{by_recovery:?}");
        is_refused(&at_once(server, &codes[3]).await, "code_invalid");
        // F12: the app is still asked for.
        is_asked(&server.signs_in(ADA, PASSWORD).await);
        // A wrong password is one, whatever the code is.
        server.wait(Duration::from_secs(30));
        let code = phone.shows_in(server, 0);
        let body = json!({"email": ADA, "password": "not hers at all", "code": code});
        let wrong = server.post("/auth/signin", &body).await;
        assert_eq!(
            wrong.body,
            "{\"statusCode\":401,\"message\":\"Unauthorized\",\"error\":\"Unauthorized\"}"
        );
        assert_eq!(at_once(server, &code).await.status, 200, "it was not spent");
    })
    .await;
}

#[tokio::test]
async fn a_session_is_carried_as_was_said_with_the_password_or_with_the_code() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let account = json!({"email": ADA, "password": PASSWORD, "session": "refresh"});
        for session in [None, Some("token")] {
            let asked = server.post("/auth/signin", &account).await;
            is_asked(&asked);
            let mut body =
                json!({"challenge": asked.json()["challenge"], "code": phone.shows_in(server, 0)});
            if let Some(session) = session {
                body["session"] = session.into();
            }
            let signed_in = server.post("/auth/signin/second-factor", &body).await;
            assert_eq!(signed_in.status, 200, "{signed_in:?}");
            assert_eq!(signed_in.refresh_token().is_some(), session.is_none());
            server.wait(Duration::from_mins(1));
        }
    })
    .await;
}

#[tokio::test]
async fn a_challenge_lasts_five_minutes() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let first = challenge(server).await;
        server.wait(Duration::from_secs(299));
        let signed_in = goes_on(server, &first, &phone.shows_in(server, 0)).await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        let second = challenge(server).await;
        server.wait(Duration::from_mins(5));
        let late = goes_on(server, &second, &phone.shows_in(server, 0)).await;
        is_refused(&late, "challenge_expired");
    })
    .await;
}

#[tokio::test]
async fn nobody_goes_on_by_an_old_password_into_a_shut_account_or_by_an_app_that_is_gone() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let app = &server.app;
        let by = By::Operator(server.clock.now());
        let half = challenge(server).await;
        let account = users::store::by_id(&app.db, &id(server).await)
            .await
            .unwrap()
            .unwrap();
        let other = Secret::new("quite another password".to_owned());
        let set = password::set(
            &app.db,
            &app.revocations,
            &app.passwords,
            &app.stamp,
            &account,
            &other,
            by,
        );
        assert!(set.await.unwrap());
        let code = phone.shows_in(server, 0);
        is_refused(&goes_on(server, &half, &code).await, "challenge_expired");

        let again = server.signs_in(ADA, other.expose()).await;
        let half = again.json()["challenge"].as_str().unwrap();
        users::disable(&app.db, &app.revocations, &account.id, by)
            .await
            .unwrap();
        is_refused(&goes_on(server, half, &code).await, "challenge_expired");
        users::enable(&app.db, &account.id, by).await.unwrap();
        // It does not come back.
        is_refused(&goes_on(server, half, &code).await, "challenge_expired");
        let again = server.signs_in(ADA, other.expose()).await;
        let half = again.json()["challenge"].as_str().unwrap();
        let signed_in = goes_on(server, half, &code).await;
        let token = signed_in.token().unwrap();

        let half = server.signs_in(ADA, other.expose()).await;
        let half = half.json()["challenge"].as_str().unwrap();
        assert_eq!(server.delete_as(token, "/auth/totp").await.status, 204);
        server.wait(Duration::from_secs(30));
        let code = phone.shows_in(server, 0);
        is_refused(&goes_on(server, half, &code).await, "challenge_expired");
        assert_eq!(server.signs_in(ADA, other.expose()).await.status, 200);
    })
    .await;
}

async fn id(server: &Server) -> UserId {
    let email = users::Email::parse(ADA).unwrap();
    let account = users::store::by_email(&server.app.db, email.key()).await;
    account.unwrap().unwrap().id
}

fn succeeded(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

#[tokio::test]
async fn X5_one_of_64_sign_ins_with_one_code_succeeds() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let second = server.another().await;
        let nodes = [server, &second];
        for _ in 0..4 {
            server.wait(Duration::from_secs(30));
            let code = phone.shows_in(server, 0);
            let body = json!({"email": ADA, "password": PASSWORD, "code": code});
            let all = (0..64).map(|n| nodes[n % 2].post("/auth/signin", &body));
            assert_eq!(succeeded(&together(all).await), 1);
            // The same with a challenge for each, and with one for all.
            server.wait(Duration::from_secs(30));
            let code = phone.shows_in(server, 0);
            let halves = together((0..32).map(|_| challenge(server))).await;
            let all = halves
                .iter()
                .enumerate()
                .map(|(n, half)| goes_on(nodes[n % 2], half, &code));
            assert_eq!(succeeded(&together(all).await), 1);
        }
        second.app.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn X6_one_of_64_sign_ins_with_one_recovery_code_succeeds() {
    server(async |server| {
        let (_, codes) = ada(server).await;
        let second = server.another().await;
        let nodes = [server, &second];
        for code in &codes[..4] {
            let body = json!({"email": ADA, "password": PASSWORD, "code": code});
            let all = (0..64).map(|n| nodes[n % 2].post("/auth/signin", &body));
            assert_eq!(succeeded(&together(all).await), 1);
        }
        second.app.db.close().await;
    })
    .await;
}
