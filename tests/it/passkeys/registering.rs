//! A passkey is registered, by whom, and under which name.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use super::{MAKE, PASSKEYS, REGISTER, creation, ending, makes, registers, signs_in};
use crate::harness::authenticator::{Passkey, written};
use crate::harness::{ADA, Server, server, server_with};

#[tokio::test]
async fn the_browser_is_asked_for_a_passkey_that_can_sign_in_alone() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let me = server.get_as(&token, "/auth/me").await;
        let id = uuid::Uuid::parse_str(me.json()["id"].as_str().unwrap()).unwrap();
        let known = registers(server, &token).await;
        let options = creation(server, &token).await;
        let keys: Vec<&String> = options.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["ceremonyId", "publicKey"]);
        let mut asked = options["publicKey"].clone();
        assert_eq!(asked["challenge"].as_str().unwrap().len(), 43, "256 bits");
        asked["challenge"] = Value::Null;
        assert_eq!(
            asked,
            json!({
                "rp": {"id": "localhost", "name": "localhost"},
                "user": {"id": written(id.as_bytes()), "name": ADA, "displayName": ADA},
                "challenge": null,
                "pubKeyCredParams": [
                    {"type": "public-key", "alg": -7},
                    {"type": "public-key", "alg": -35},
                    {"type": "public-key", "alg": -257},
                ],
                "timeout": 300_000,
                "excludeCredentials": [
                    {"type": "public-key", "id": written(&known.id), "transports": ["hybrid", "internal"]},
                ],
                "authenticatorSelection": {
                    "residentKey": "required",
                    "requireResidentKey": true,
                    "userVerification": "required",
                },
                "attestation": "none",
                "extensions": {
                    "credentialProtectionPolicy": "userVerificationRequired",
                    "enforceCredentialProtectionPolicy": false,
                    "credProps": true,
                },
            })
        );
    })
    .await;
}

#[tokio::test]
async fn the_first_one_brings_recovery_codes_and_the_next_none() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        for codes in [Some(10), None] {
            let options = creation(server, &token).await;
            let (passkey, making) = Passkey::make(&options);
            let answer = server
                .post_as(&token, REGISTER, &ending(&options, &making.json()))
                .await;
            assert_eq!(answer.status, 201, "{answer:?}");
            let said = answer.json();
            let shown = said["recoveryCodes"].as_array();
            assert_eq!(shown.map(Vec::len), codes, "{answer:?}");
            for code in shown.into_iter().flatten() {
                server.must_stay_unseen(code.as_str().unwrap());
            }
            assert_eq!(said["passkey"]["credentialId"], written(&passkey.id));
            assert_eq!(said["passkey"]["name"], "Passkey");
            assert_eq!(said["passkey"]["backedUp"], true);
        }
        let me = server.get_as(&token, "/auth/me").await;
        let factors = json!({"totp": false, "passkeys": 2, "recoveryCodesLeft": 10});
        assert_eq!(me.json()["mfa"], factors);
    })
    .await;
}

#[tokio::test]
async fn it_is_called_what_its_owner_says_or_for_the_device() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15";
        for (name, agent, called) in [
            (json!("Kitchen tablet"), None, "Kitchen tablet"),
            (Value::Null, Some(phone), "iPhone"),
            (json!("  "), None, "Passkey"),
        ] {
            let options = creation(server, &token).await;
            let mut body = ending(&options, &Passkey::make(&options).1.json());
            body["name"] = name;
            let mut request = Request::post(REGISTER)
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .header(header::CONTENT_TYPE, "application/json");
            if let Some(agent) = agent {
                request = request.header(header::USER_AGENT, agent);
            }
            let answer = server
                .send(request.body(Body::from(body.to_string())).unwrap())
                .await;
            assert_eq!(answer.json()["passkey"]["name"], called, "{answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn W9_one_that_anybody_has_is_not_registered_again() {
    server(async |server| {
        let ada = server.signs_up(ADA).await;
        let mallory = server.signs_up("mallory@example.com").await;
        let known = registers(server, &ada).await;
        let answer = makes(server, &mallory, |making| making.id.clone_from(&known.id)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (409, "passkey_exists")
        );
        // Its owner's browser was told not to make it.
        let answer = makes(server, &ada, |making| making.id.clone_from(&known.id)).await;
        super::is_not_registered(&answer, "one's own again");
        let listed = server.get_as(&mallory, PASSKEYS).await;
        assert_eq!(listed.json()["data"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn W9_an_id_has_at_most_1023_bytes() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        for (length, status) in [(1, 201), (1_023, 201), (0, 400), (1_024, 400), (4_097, 400)] {
            let answer = makes(server, &token, |making| making.id = vec![7; length]).await;
            assert_eq!(answer.status, status, "{length} bytes: {answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_account_has_at_most_twenty() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        for _ in 0..19 {
            registers(server, &token).await;
        }
        // Begun while there was room.
        let [one, two] = [
            creation(server, &token).await,
            creation(server, &token).await,
        ];
        for (options, status) in [(one, 201), (two, 409)] {
            let (_, making) = Passkey::make(&options);
            let answer = server
                .post_as(&token, REGISTER, &ending(&options, &making.json()))
                .await;
            assert_eq!(answer.status, status, "{answer:?}");
        }
        let answer = server.post_as(&token, MAKE, &json!({})).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (409, "passkeys_full")
        );
    })
    .await;
}

#[tokio::test]
async fn W16_whoever_signed_in_long_ago_signs_in_again_first() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let options = creation(server, &token).await;
        let (_, making) = Passkey::make(&options);
        let passkey = registers(server, &token).await;
        let listed = server.get_as(&token, PASSKEYS).await;
        let id = listed.json()["data"][0]["id"].as_str().unwrap();
        server.wait(Duration::from_secs(601));
        let stale = [
            server.post_as(&token, MAKE, &json!({})).await,
            server
                .post_as(&token, REGISTER, &ending(&options, &making.json()))
                .await,
            server.delete_as(&token, &format!("{PASSKEYS}/{id}")).await,
        ];
        for answer in stale {
            let said = (answer.status.as_u16(), answer.code());
            assert_eq!(said, (403, "reauthentication_required"), "{answer:?}");
        }
        let answer = signs_in(server, &passkey, |_| {}).await;
        registers(server, answer.token().unwrap()).await;
    })
    .await;
}

#[tokio::test]
async fn under_an_address_there_are_none() {
    for url in [
        "http://127.0.0.1:8080",
        "https://192.0.2.7",
        "https://[2001:db8::1]",
        "http://box:8080",
    ] {
        server_with(&[("public_url", url)], async |server: &Server| {
            let token = server.signs_up(ADA).await;
            for answer in [
                server.post_as(&token, MAKE, &json!({})).await,
                server.post(super::ASK, &json!({})).await,
            ] {
                let said = (answer.status.as_u16(), answer.code());
                assert_eq!(said, (404, "passkeys_unavailable"), "{url}: {answer:?}");
            }
            let listed = server.get_as(&token, PASSKEYS).await;
            assert_eq!(listed.body, r#"{"data":[]}"#, "{url}");
            let offer = server.get("/auth/config").await;
            assert_eq!(offer.json()["methods"], json!(["password"]), "{url}");
        })
        .await;
    }
}
