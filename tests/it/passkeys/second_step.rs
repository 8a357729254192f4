//! A passkey behind a password, and in the place of one for whoever proves again who they are.

use db::sql;
use serde_json::{Value, json};

use super::{ASK, PASSKEYS, begun, ending, is_refused, registers, request, signs_in};
use crate::harness::authenticator::{Passkey, written};
use crate::harness::phone::{Phone, recovery_codes};
use crate::harness::{ADA, Answer, PASSWORD, Server, server, server_with, together};
use crate::totp::owner;

const GO_ON: &str = "/auth/signin/second-factor";
const AGAIN: &str = "/auth/reauthenticate";

/// Ada, with a password and a passkey.
async fn ada(server: &Server) -> (String, Passkey) {
    let token = server.signs_up(ADA).await;
    let passkey = registers(server, &token).await;
    (token, passkey)
}

/// What somebody's right password gets them: a challenge.
async fn asked(server: &Server, email: &str) -> String {
    let answer = server.signs_in(email, PASSWORD).await;
    let said = (answer.status.as_u16(), answer.code());
    assert_eq!(said, (401, "second_factor_required"), "{answer:?}");
    answer.json()["challenge"].as_str().unwrap().to_owned()
}

/// What the browser is to be asked, to go on with that.
async fn request_for(server: &Server, challenge: &str) -> Value {
    let answer = server.post(ASK, &json!({"challenge": challenge})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    begun(server, &answer)
}

fn going_on(challenge: &str, options: &Value, passkey: &Passkey) -> Value {
    let mut body = ending(options, &passkey.prove(options).json());
    body["challenge"] = challenge.into();
    body
}

async fn goes_on(server: &Server, challenge: &str, passkey: &Passkey) -> Answer {
    let options = request_for(server, challenge).await;
    let body = going_on(challenge, &options, passkey);
    server.post(GO_ON, &body).await
}

fn amr(answer: &Answer) -> Value {
    let (_, claims) = jose::decode_unverified(answer.token().unwrap()).unwrap();
    claims["amr"].clone()
}

#[tokio::test]
async fn a_password_and_a_passkey_sign_in() {
    server(async |server| {
        let (_, passkey) = ada(server).await;
        let answer = server.signs_in(ADA, PASSWORD).await;
        assert_eq!(
            answer.json()["methods"],
            json!(["passkey", "recovery_code"])
        );
        let challenge = answer.json()["challenge"].as_str().unwrap();
        let options = request_for(server, challenge).await;
        let allowed = &options["publicKey"]["allowCredentials"];
        assert_eq!(allowed.as_array().unwrap().len(), 1);
        assert_eq!(allowed[0]["id"], written(&passkey.id));
        assert_eq!(options["publicKey"]["userVerification"], "required");

        let body = going_on(challenge, &options, &passkey);
        let signed_in = server.post(GO_ON, &body).await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        assert_eq!(amr(&signed_in), json!(["pwd", "pop", "user", "mfa"]));
        let me = server.get_as(signed_in.token().unwrap(), "/auth/me").await;
        assert_eq!(me.json()["mfa"]["passkeys"], 1);
        // It was one sign-in.
        for answer in [
            server.post(GO_ON, &body).await,
            server.post(ASK, &json!({"challenge": challenge})).await,
        ] {
            assert_eq!(answer.code(), "challenge_expired", "{answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_recovery_code_stands_in_for_a_lost_passkey() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let answer = super::makes(server, &token, |_| {}).await;
        let codes = recovery_codes(server, &answer);
        let challenge = asked(server, ADA).await;
        let body = json!({"challenge": challenge, "code": codes[3]});
        let signed_in = server.post(GO_ON, &body).await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        let me = server.get_as(signed_in.token().unwrap(), "/auth/me").await;
        assert_eq!(
            me.json()["mfa"],
            json!({"totp": false, "passkeys": 1, "recoveryCodesLeft": 9})
        );
    })
    .await;
}

#[tokio::test]
async fn W2_what_was_begun_for_one_step_ends_no_other() {
    server(async |server| {
        let (_, passkey) = ada(server).await;
        let challenge = asked(server, ADA).await;
        // Begun by whoever asked, not by the half-done sign-in.
        let options = request(server).await;
        let body = going_on(&challenge, &options, &passkey);
        is_refused(&server.post(GO_ON, &body).await, "a sign-in's own ceremony");
        // And the other way round.
        let options = request_for(server, &challenge).await;
        let body = ending(&options, &passkey.prove(&options).json());
        is_refused(
            &server.post(super::SIGN_IN, &body).await,
            "a ceremony of a second step",
        );
        assert_eq!(goes_on(server, &challenge, &passkey).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn W1_a_proof_is_for_the_sign_in_that_asked_for_it() {
    server(async |server| {
        let (_, passkey) = ada(server).await;
        let (one, two) = (asked(server, ADA).await, asked(server, ADA).await);
        let options = request_for(server, &one).await;
        let body = going_on(&two, &options, &passkey);
        is_refused(&server.post(GO_ON, &body).await, "another sign-in's");
        let body = going_on(&one, &options, &passkey);
        assert_eq!(server.post(GO_ON, &body).await.status, 200);
        assert_eq!(goes_on(server, &two, &passkey).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn W10_anothers_passkey_is_no_second_factor() {
    server(async |server| {
        let (token, passkey) = ada(server).await;
        let mallory = server.signs_up("mallory@example.com").await;
        let theirs = registers(server, &mallory).await;
        let challenge = asked(server, ADA).await;
        is_refused(&goes_on(server, &challenge, &theirs).await, "another's");
        // With the ceremony of one's own half-done sign-in.
        let own = asked(server, "mallory@example.com").await;
        let options = request_for(server, &own).await;
        let body = going_on(&challenge, &options, &theirs);
        is_refused(&server.post(GO_ON, &body).await, "another's ceremony");
        let options = request(server).await;
        let body = ending(&options, &theirs.prove(&options).json());
        is_refused(
            &server.post_as(&token, AGAIN, &body).await,
            "another's, to prove again who one is",
        );
        // All of it is told of the account that was to be proved.
        let told = sql("SELECT event, user_id FROM audit WHERE event IN ('second_factor_failed', 'sign_in_failed') ORDER BY event");
        let told = server.app.db.all(told, |row| {
            Ok((row.text("event")?, row.text("user_id")?))
        });
        let whose = owner(server, &token).await.to_string();
        let failed = |event: &str| (event.to_owned(), whose.clone());
        let two = failed("second_factor_failed");
        let all = [two.clone(), two, failed("sign_in_failed")];
        assert_eq!(told.await.unwrap(), all);
        assert_eq!(server.get_as(&token, "/auth/me").await.status, 200);
        assert_eq!(goes_on(server, &challenge, &passkey).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn five_wrong_proofs_end_a_challenge() {
    server(async |server| {
        let (_, passkey) = ada(server).await;
        let challenge = asked(server, ADA).await;
        for _ in 0..5 {
            let options = request_for(server, &challenge).await;
            let mut wrong = passkey.prove(&options);
            wrong.data.flags = 0;
            let mut body = ending(&options, &wrong.json());
            body["challenge"] = challenge.as_str().into();
            is_refused(&server.post(GO_ON, &body).await, "not verified");
        }
        let answer = server.post(ASK, &json!({"challenge": challenge})).await;
        assert_eq!(answer.code(), "challenge_expired", "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn who_has_no_passkey_is_asked_for_none() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        Phone::is_set_up(server, &token).await;
        let challenge = asked(server, ADA).await;
        let answer = server.post(ASK, &json!({"challenge": challenge})).await;
        let said = (answer.status.as_u16(), answer.code());
        assert_eq!(said, (400, "validation_failed"), "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn one_second_factor_is_shown_and_it_is_whole() {
    server(async |server| {
        let (token, passkey) = ada(server).await;
        let challenge = asked(server, ADA).await;
        let options = request_for(server, &challenge).await;
        let whole = going_on(&challenge, &options, &passkey);
        let without = |name: &str| {
            let mut body = whole.clone();
            body.as_object_mut().unwrap().remove(name);
            body
        };
        let mut both = whole.clone();
        both["code"] = "123456".into();
        for body in [
            json!({"challenge": challenge}),
            without("ceremonyId"),
            without("credential"),
            both,
        ] {
            let answer = server.post(GO_ON, &body).await;
            let said = (answer.status.as_u16(), answer.code());
            assert_eq!(said, (400, "validation_failed"), "{body}: {answer:?}");
        }
        let mut both = whole.clone();
        both["password"] = PASSWORD.into();
        for body in [json!({}), both] {
            let answer = server.post_as(&token, AGAIN, &body).await;
            let said = (answer.status.as_u16(), answer.code());
            assert_eq!(said, (400, "validation_failed"), "{body}: {answer:?}");
        }
        // Nothing was tried by any of it.
        assert_eq!(server.post(GO_ON, &whole).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn who_proves_again_who_they_are_does_so_by_a_passkey_alone() {
    server(async |server| {
        let (token, passkey) = ada(server).await;
        server.wait(std::time::Duration::from_mins(11));
        let stale = server.post_as(&token, super::MAKE, &json!({})).await;
        assert_eq!(stale.code(), "reauthentication_required", "{stale:?}");
        let options = request(server).await;
        let body = ending(&options, &passkey.prove(&options).json());
        let again = server.post_as(&token, AGAIN, &body).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(amr(&again), json!(["pop", "user", "mfa"]));
        registers(server, again.token().unwrap()).await;
        let before = server.get_as(&token, "/auth/me").await;
        assert_eq!(before.code(), "session_revoked", "{before:?}");
    })
    .await;
}

#[tokio::test]
async fn X6_of_many_who_end_one_ceremony_at_once_one_is_signed_in() {
    server(async |server| {
        let (_, passkey) = ada(server).await;
        let challenge = asked(server, ADA).await;
        let options = request_for(server, &challenge).await;
        let body = going_on(&challenge, &options, &passkey);
        let answers = together((0..16).map(|_| server.post(GO_ON, &body))).await;
        let signed_in = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(signed_in, 1, "{answers:?}");
        assert!(answers.iter().all(|answer| answer.status != 500));
    })
    .await;
}

#[tokio::test]
async fn a_device_is_remembered_behind_a_passkey_until_a_factor_goes() {
    server(async |server| {
        let (_, passkey) = ada(server).await;
        let challenge = asked(server, ADA).await;
        let options = request_for(server, &challenge).await;
        let mut body = going_on(&challenge, &options, &passkey);
        body["rememberDevice"] = true.into();
        body["deviceToken"] = Value::Null;
        let signed_in = server.post(GO_ON, &body).await;
        let device = &signed_in.json()["deviceToken"];
        assert!(device.is_string(), "{signed_in:?}");
        let alone = json!({"email": ADA, "password": PASSWORD, "deviceToken": device});
        let spared = server.post("/auth/signin", &alone).await;
        assert_eq!(amr(&spared), json!(["pwd"]), "{spared:?}");

        // A second factor of another kind comes, and the passkey goes.
        let token = signs_in(server, &passkey, |_| {}).await;
        let token = token.token().unwrap();
        Phone::is_set_up(server, token).await;
        let listed = server.get_as(token, PASSKEYS).await;
        let id = listed.json()["data"][0]["id"].as_str().unwrap();
        let removed = server.delete_as(token, &format!("{PASSKEYS}/{id}")).await;
        assert_eq!(removed.status, 200, "{removed:?}");
        let answer = server.post("/auth/signin", &alone).await;
        assert_eq!(answer.code(), "second_factor_required", "{answer:?}");
        assert_eq!(answer.json()["methods"], json!(["totp", "recovery_code"]));
    })
    .await;
}

#[tokio::test]
async fn where_a_second_factor_is_required_a_passkey_is_one_and_the_last_stays() {
    let admins = [("second_factor.required_roles", "admin")];
    server_with(&admins, async |server| {
        let (_, passkey) = ada(server).await;
        server.gives_role(ADA, "admin").await;
        let challenge = asked(server, ADA).await;
        let signed_in = goes_on(server, &challenge, &passkey).await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        let token = signed_in.token().unwrap();
        let listed = server.get_as(token, PASSKEYS).await;
        let id = listed.json()["data"][0]["id"].as_str().unwrap();
        let path = format!("{PASSKEYS}/{id}");
        let kept = server.delete_as(token, &path).await;
        let said = (kept.status.as_u16(), kept.code());
        assert_eq!(said, (409, "last_second_factor"), "{kept:?}");
        assert_eq!(signs_in(server, &passkey, |_| {}).await.status, 200);

        Phone::is_set_up(server, token).await;
        let removed = server.delete_as(token, &path).await;
        assert_eq!(removed.status, 200, "{removed:?}");
        let kept = server.delete_as(token, "/auth/totp").await;
        assert_eq!(kept.code(), "last_second_factor", "{kept:?}");
    })
    .await;
}
