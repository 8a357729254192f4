//! What is begun is ended once, in time, as what it began as, by whom it began for.

use std::time::Duration;

use serde_json::json;

use super::{
    ASK, REGISTER, SIGN_IN, creation, ending, is_not_registered, is_refused, registers, request,
    signs_in,
};
use crate::harness::authenticator::Passkey;
use crate::harness::{ADA, server, together};

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
        let answers = together((0..64).map(|_| server.post(SIGN_IN, &body))).await;
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
