//! Whom the policy is about, and that nothing goes round it but the operator.

use std::time::Duration;

use doorward::audit::By;
use doorward::{second_factors, sign_in, users};
use serde_json::{Value, json};

use super::{ADMINS, EVERYBODY, begins, counts, is_led};
use crate::harness::phone::Phone;
use crate::harness::{ADA, Answer, PASSWORD, Server, rows, server_with};
use crate::second_factor::{claims, goes_on, id, is_asked, is_refused};

/// Sets up an app on the way in.
async fn comes_in(server: &Server, led: &Answer) -> (Phone, Answer) {
    let challenge = is_led(led);
    let phone = begins(server, &challenge).await;
    let begun = goes_on(server, &challenge, &phone.shows_in(server, 0)).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    (phone, begun)
}

#[tokio::test]
async fn whoever_has_one_of_the_roles_has_to_have_one_and_nobody_else() {
    server_with(ADMINS, async |server| {
        for (email, role, is_required) in [
            ("ada@example.com", "admin", true),
            ("eve@example.com", "administrator", false),
            ("joe@example.com", "owner", true),
        ] {
            server.signs_up(email).await;
            assert_eq!(server.signs_in(email, PASSWORD).await.status, 200);
            server.gives_role(email, role).await;
            let answer = server.signs_in(email, PASSWORD).await;
            if !is_required {
                assert_eq!(answer.status, 200, "{role}: {answer:?}");
                continue;
            }
            let (_, begun) = comes_in(server, &answer).await;
            assert_eq!(claims(&begun)["roles"], json!([role]));
        }
    })
    .await;
}

#[tokio::test]
async fn a_quiet_sign_up_stays_quiet_and_the_sign_in_leads() {
    let quiet = [EVERYBODY[0], ("signup.answer", "accepted")];
    server_with(&quiet, async |server| {
        let account = json!({"email": ADA, "password": PASSWORD});
        let answer = server.post("/auth/signup", &account).await;
        assert_eq!(answer.body, "{\"status\":\"accepted\"}");
        comes_in(server, &server.signs_in(ADA, PASSWORD).await).await;
    })
    .await;
}

#[tokio::test]
async fn the_last_one_is_not_its_owners_to_remove() {
    server_with(ADMINS, async |server| {
        server.signs_up(ADA).await;
        server.gives_role(ADA, "admin").await;
        let led = server.signs_in(ADA, PASSWORD).await;
        let (phone, begun) = comes_in(server, &led).await;
        let before = rows::all(&server.app.db).await;
        let token = begun.token().unwrap();
        let kept = server.delete_as(token, "/auth/totp").await;
        assert_eq!(
            (kept.status.as_u16(), kept.code()),
            (409, "last_second_factor")
        );
        assert_eq!(rows::all(&server.app.db).await, before);
        server.wait(Duration::from_secs(30));
        is_asked(&server.signs_in(ADA, PASSWORD).await);
        // It is, once they have no such role any more.
        server.gives_role(ADA, "reader").await;
        let gone = server.delete_as(token, "/auth/totp").await;
        assert_eq!(gone.status, 204, "{gone:?}");
        let none = server.delete_as(token, "/auth/totp").await;
        assert_eq!(none.code(), "totp_not_enabled");
        let code = phone.shows_in(server, 0);
        let body = json!({"email": ADA, "password": PASSWORD, "code": code});
        assert_eq!(server.post("/auth/signin", &body).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn F12_nothing_of_a_factor_that_was_removed_stands_in_for_another() {
    server_with(EVERYBODY, async |server| {
        let mut account = json!({"email": ADA, "password": PASSWORD, "deviceToken": null});
        let led = server.post("/auth/signup", &account).await;
        let (phone, begun) = comes_in(server, &led).await;
        let codes = begun.json()["recoveryCodes"].clone();
        server.wait(Duration::from_secs(30));
        account["code"] = phone.shows_in(server, 0).into();
        account["rememberDevice"] = true.into();
        let remembered = server.post("/auth/signin", &account).await;
        assert_eq!(remembered.status, 200, "{remembered:?}");
        account["deviceToken"] = remembered.json()["deviceToken"].clone();

        let (app, ada) = (&server.app, id(server).await);
        let by = By::Operator(server.clock.now());
        let removed = second_factors::remove(&app.db, &app.revocations, &ada, by).await;
        assert!(removed.unwrap(), "the operator may");
        server.wait(Duration::from_secs(30));
        for code in [
            Value::Null,
            codes[0].clone(),
            phone.shows_in(server, 0).into(),
        ] {
            account["code"] = code.clone();
            let challenge = is_led(&server.post("/auth/signin", &account).await);
            if let Some(code) = code.as_str() {
                is_refused(&goes_on(server, &challenge, code).await, "code_invalid");
            }
        }
        account["code"] = Value::Null;
        comes_in(server, &server.post("/auth/signin", &account).await).await;
        // The next one has its own codes alone.
        let challenge = server.signs_in(ADA, PASSWORD).await;
        let challenge = challenge.json()["challenge"].as_str().unwrap();
        let old = codes[1].as_str().unwrap();
        is_refused(&goes_on(server, challenge, old).await, "code_invalid");
    })
    .await;
}

#[tokio::test]
async fn a_device_is_remembered_from_the_enrolment_on() {
    server_with(EVERYBODY, async |server| {
        let mut account = json!({"email": ADA, "password": PASSWORD, "deviceToken": null});
        let challenge = is_led(&server.post("/auth/signup", &account).await);
        let phone = begins(server, &challenge).await;
        let code = phone.shows_in(server, 0);
        let body = json!({"challenge": challenge, "code": code, "rememberDevice": true, "deviceToken": null});
        let begun = server.post("/auth/signin/second-factor", &body).await;
        account["deviceToken"] = begun.json()["deviceToken"].clone();
        let spared = server.post("/auth/signin", &account).await;
        assert_eq!(spared.status, 200, "{spared:?}");
    })
    .await;
}

#[tokio::test]
async fn the_operator_lets_in_whatever_the_policy_is() {
    server_with(EVERYBODY, async |server| {
        let account = json!({"email": ADA, "password": PASSWORD});
        is_led(&server.post("/auth/signup", &account).await);
        let app = &server.app;
        let ada = users::store::by_id(&app.db, &id(server).await).await;
        let token = sign_in::let_in(app, &ada.unwrap().unwrap(), server.clock.now()).await;
        let token = token.unwrap().unwrap();
        server.must_stay_unseen(token.expose());
        // Enough to set one up.
        Phone::is_set_up(server, token.expose()).await;
        is_asked(&server.signs_in(ADA, PASSWORD).await);
    })
    .await;
}

#[tokio::test]
async fn who_is_signed_in_stays_so_and_is_led_when_they_prove_themselves_again() {
    server_with(ADMINS, async |server| {
        server.signs_up(ADA).await;
        let begun = server.begins(ADA, "refresh").await;
        let elsewhere = server.begins(ADA, "refresh").await;
        server.gives_role(ADA, "admin").await;
        let token = begun.token().unwrap();
        assert_eq!(server.get_as(token, "/auth/me").await.status, 200);
        let renewed = server.refreshes(elsewhere.refresh_token().unwrap()).await;
        assert_eq!(renewed.status, 200, "{renewed:?}");

        let right = json!({"password": PASSWORD});
        let led = server.post_as(token, "/auth/reauthenticate", &right).await;
        let challenge = is_led(&led);
        let phone = begins(server, &challenge).await;
        assert_eq!(server.get_as(token, "/auth/me").await.status, 200);
        let code = phone.shows_in(server, 0);
        // It replaces that session of hers and no other: what it says cannot be changed.
        for other in [
            challenge.split('.').next().unwrap().to_owned(),
            format!("{challenge}0"),
        ] {
            is_refused(&goes_on(server, &other, &code).await, "challenge_expired");
        }
        let again = goes_on(server, &challenge, &code).await;
        assert!(again.refresh_token().is_some(), "{again:?}");
        assert_eq!(counts(server, ["recovery_codes"]).await, [10]);
        is_refused(&server.get_as(token, "/auth/me").await, "session_revoked");
        let other = renewed.token().unwrap();
        assert_eq!(server.get_as(other, "/auth/me").await.status, 200);
    })
    .await;
}
