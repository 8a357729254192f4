//! What is begun is ended once, in time, as what it began as, by whom it began for.

use std::time::Duration;

use doorward::audit::By;
use doorward::challenges::Challenge;
use doorward::error::{Error, Refusal};
use doorward::ids::SessionId;
use doorward::passkeys::{self, HalfDone};
use doorward::second_factors::Owner;
use doorward::users;
use serde_json::json;

use super::{
    ASK, REGISTER, SIGN_IN, creation, ending, is_not_registered, is_refused, registers, request,
    signs_in,
};
use crate::harness::authenticator::Passkey;
use crate::harness::{ADA, PASSWORD, asking, insist, server, together};
use crate::totp::owner;

#[tokio::test]
async fn W1_a_proof_counts_once_and_so_does_a_registration() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let options = creation(server, &token).await;
        let (passkey, making) = Passkey::make(&options);
        let body = ending(&options, &making.json());
        assert_eq!(server.post_as(&token, REGISTER, &body).await.status, 201);
        let again = server.post_as(&token, REGISTER, &body).await;
        is_not_registered(&again, "registered again");

        let options = request(server).await;
        let body = ending(&options, &passkey.prove(&options).json());
        assert_eq!(server.post(SIGN_IN, &body).await.status, 200);
        is_refused(&server.post(SIGN_IN, &body).await, "proved again");
    })
    .await;
}

#[tokio::test]
async fn W1_what_fails_is_over_too() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        let options = request(server).await;
        let mut wrong = passkey.prove(&options);
        wrong.data.flags = 0;
        is_refused(
            &server.post(SIGN_IN, &ending(&options, &wrong.json())).await,
            "a wrong proof",
        );
        let right = ending(&options, &passkey.prove(&options).json());
        is_refused(&server.post(SIGN_IN, &right).await, "a right one after it");
    })
    .await;
}

#[tokio::test]
async fn W1_five_minutes_are_enough_and_more_too_many() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        for (wait, status) in [(299, 200), (300, 401)] {
            let options = request(server).await;
            server.wait(Duration::from_secs(wait));
            let body = ending(&options, &passkey.prove(&options).json());
            let answer = server.post(SIGN_IN, &body).await;
            assert_eq!(answer.status, status, "after {wait} s: {answer:?}");
        }
        let token = signs_in(server, &passkey, |_| {}).await;
        let token = token.token().unwrap();
        let options = creation(server, token).await;
        server.wait(Duration::from_mins(5));
        let body = ending(&options, &Passkey::make(&options).1.json());
        is_not_registered(&server.post_as(token, REGISTER, &body).await, "after 300 s");
    })
    .await;
}

#[tokio::test]
async fn W1_a_ceremony_is_its_own() {
    server(async |server| {
        let ada = server.signs_up(ADA).await;
        let mallory = server.signs_up("mallory@example.com").await;
        let passkey = registers(server, &ada).await;

        // Another's registration, under one's own name or with one's own challenge.
        let (hers, mine) = (
            creation(server, &ada).await,
            creation(server, &mallory).await,
        );
        let body = ending(&hers, &Passkey::make(&hers).1.json());
        is_not_registered(
            &server.post_as(&mallory, REGISTER, &body).await,
            "another's",
        );
        let body = ending(&mine, &Passkey::make(&hers).1.json());
        is_not_registered(
            &server.post_as(&mallory, REGISTER, &body).await,
            "another's challenge",
        );
        // It was not spent on whoever it is not for.
        let body = ending(&hers, &Passkey::make(&hers).1.json());
        assert_eq!(server.post_as(&ada, REGISTER, &body).await.status, 201);

        let (one, two) = (request(server).await, request(server).await);
        let body = ending(&one, &passkey.prove(&two).json());
        is_refused(
            &server.post(SIGN_IN, &body).await,
            "the challenge of another one",
        );
        for id in ["", "nothing", &"A".repeat(43), &"A".repeat(64)] {
            let body = json!({"ceremonyId": id, "credential": passkey.prove(&two).json()});
            is_refused(&server.post(SIGN_IN, &body).await, id);
        }
    })
    .await;
}

#[tokio::test]
async fn W1_a_registration_is_ended_from_the_session_that_began_it() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let elsewhere = server.signs_in(ADA, PASSWORD).await;
        let options = creation(server, &token).await;
        let body = ending(&options, &Passkey::make(&options).1.json());
        let elsewhere = elsewhere.token().unwrap();
        let answer = server.post_as(elsewhere, REGISTER, &body).await;
        is_not_registered(&answer, "from another session");
        let answer = server.post_as(&token, REGISTER, &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn W2_making_is_not_proving() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;

        // The one's ceremony for the other.
        let options = creation(server, &token).await;
        let body = ending(&options, &passkey.prove(&options).json());
        is_refused(
            &server.post(SIGN_IN, &body).await,
            "a proof in a registration",
        );
        let options = request(server).await;
        let body = json!({"ceremonyId": options["ceremonyId"], "credential": {}});
        is_not_registered(&server.post_as(&token, REGISTER, &body).await, "nothing");

        // The one's type for the other, in any spelling.
        for kind in [
            "webauthn.create",
            "webauthn.Get",
            "payment.get",
            "",
            "webauthn.get ",
        ] {
            let answer = signs_in(server, &passkey, |proof| {
                proof.client.said["type"] = kind.into();
            })
            .await;
            is_refused(&answer, kind);
        }
        for kind in ["webauthn.get", "WEBAUTHN.CREATE", ""] {
            let answer =
                super::makes(server, &token, |it| it.client.said["type"] = kind.into()).await;
            is_not_registered(&answer, kind);
        }
        // And the one's answer for the other.
        let options = creation(server, &token).await;
        let body = ending(&options, &passkey.prove(&options).json());
        is_not_registered(&server.post_as(&token, REGISTER, &body).await, "a proof");
        let options = request(server).await;
        let made = super::creation(server, &token).await;
        let body = ending(&options, &Passkey::make(&made).1.json());
        is_refused(&server.post(SIGN_IN, &body).await, "a new passkey");
        super::all_is_well(server, &token, &passkey, "all that").await;
    })
    .await;
}

#[tokio::test]
async fn X14_of_many_with_one_proof_one_is_let_in() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        let options = request(server).await;
        let body = ending(&options, &passkey.prove(&options).json());
        let sent = || insist(async || server.post(SIGN_IN, &body).await);
        let answers = together((0..64).map(|_| sent())).await;
        let let_in = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(let_in, 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            is_refused(answer, "one of many");
        }
    })
    .await;
}

#[tokio::test]
async fn another_node_ends_what_one_began() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        let options = request(server).await;
        let other = server.another().await;
        let body = ending(&options, &passkey.prove(&options).json());
        assert_eq!(other.post(SIGN_IN, &body).await.status, 200);
        is_refused(&server.post(SIGN_IN, &body).await, "at the first node");
        other.app.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn N6_the_options_tell_of_nobody() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        registers(server, &token).await;
        let mut seen = Vec::new();
        for body in [
            json!({}),
            json!({"email": ADA}),
            json!({"email": "nobody@example.com"}),
        ] {
            let answer = server.post(ASK, &body).await;
            let mut said = answer.json().clone();
            let ceremony = said["ceremonyId"].take();
            assert_eq!(ceremony.as_str().unwrap().len(), 43, "256 bits");
            let challenge = said["publicKey"]["challenge"].take();
            assert_eq!(challenge.as_str().unwrap().len(), 43, "256 bits");
            seen.push((answer.status, answer.body.len(), said));
        }
        let asked = json!({
            "ceremonyId": null,
            "publicKey": {
                "challenge": null,
                "timeout": 300_000,
                "rpId": "localhost",
                "allowCredentials": [],
                "userVerification": "required",
            },
        });
        assert_eq!(seen[0].2, asked);
        assert!(seen.iter().all(|it| *it == seen[0]), "{seen:?}");
        let by_itself = server.post(ASK, &json!({"mediation": "conditional"})).await;
        assert_eq!(by_itself.json()["mediation"], "conditional");
    })
    .await;
}

/// Whoever asked is known by then, and gone.
#[tokio::test]
async fn nothing_is_begun_for_an_account_that_was_removed_or_shut_meanwhile() {
    server(async |server| {
        let (app, now) = (&server.app, server.clock.now());
        let asking = asking(now);
        let relying_party = app.relying_party().unwrap();
        for is_removed in [false, true] {
            let token = server.signs_up(ADA).await;
            let id = owner(server, &token).await;
            let user = users::store::by_id(&app.db, &id).await.unwrap().unwrap();
            let (_, claims) = jose::decode_unverified(&token).unwrap();
            let session = SessionId::from_stored(claims["sid"].as_str().unwrap().to_owned());
            let owner = Owner {
                user: &user,
                session: &session,
            };
            let half_done = HalfDone {
                user: &id,
                challenge: &Challenge::new(),
            };
            let (by, revocations) = (By::Operator(now), &app.revocations);
            if is_removed {
                users::delete(&app.db, revocations, &id, by).await.unwrap();
            } else {
                users::disable(&app.db, revocations, &id, by).await.unwrap();
            }
            let making = passkeys::begin_registration(&app.db, relying_party, owner, &asking).await;
            assert!(
                matches!(making, Err(Error::Refused(Refusal::SessionRevoked))),
                "{:?}",
                making.err()
            );
            let proving = passkeys::options(&app.db, relying_party, Some(half_done), &asking).await;
            assert!(
                matches!(proving, Err(Error::Refused(Refusal::ChallengeExpired))),
                "{:?}",
                proving.err()
            );
            users::delete(&app.db, revocations, &id, by).await.unwrap();
        }
    })
    .await;
}
