//! Passkeys that are listed, renamed and removed, and what authenticators are told of it.

use std::time::Duration;

use doorward::audit::By;
use doorward::error::{Error, Refusal};
use doorward::ids::UserId;
use doorward::second_factors;
use serde_json::{Value, json};

use super::proving::forget_password;
use super::{PASSKEYS, REGISTER, creation, ending, registers, signs_in};
use crate::harness::authenticator::{Passkey, written};
use crate::harness::{ADA, PASSWORD, Server, insist, server, together};

async fn ids(server: &Server, token: &str) -> Vec<String> {
    let listed = server.get_as(token, PASSKEYS).await;
    let data = listed.json()["data"].as_array().unwrap().clone();
    data.iter()
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_is_answered_is_what_the_signal_api_takes() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let one = registers(server, &token).await;
        server.wait(Duration::from_secs(1));
        let two = registers(server, &token).await;
        let signal = |accepted: Vec<&Passkey>| {
            let accepted: Vec<String> = accepted.iter().map(|it| written(&it.id)).collect();
            json!({
                "rpId": "localhost",
                "userId": written(&one.user_handle),
                "allAcceptedCredentialIds": accepted,
                "name": ADA,
                "displayName": ADA,
            })
        };
        let listed = server.get_as(&token, PASSKEYS).await;
        assert_eq!(listed.json()["signal"], signal(vec![&one, &two]));
        let first = &listed.json()["data"][0];
        let keys: Vec<&String> = first.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "id",
                "credentialId",
                "name",
                "backedUp",
                "createdAt",
                "lastUsedAt"
            ]
        );
        assert_eq!(first["createdAt"], "2026-06-01T12:00:00.000Z");

        let path = format!("{PASSKEYS}/{}", first["id"].as_str().unwrap());
        let renamed = server
            .patch_as(&token, &path, &json!({"name": "Desk"}))
            .await;
        assert_eq!(renamed.status, 200, "{renamed:?}");
        assert_eq!(renamed.json()["data"][0]["name"], "Desk");
        assert_eq!(renamed.json()["signal"], signal(vec![&one, &two]));

        let removed = server.delete_as(&token, &path).await;
        assert_eq!(removed.status, 200, "{removed:?}");
        assert_eq!(removed.json()["signal"], signal(vec![&two]));
        assert_eq!(removed.json()["data"].as_array().unwrap().len(), 1);
        assert_eq!(signs_in(server, &two, |_| {}).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_passkey_keeps_a_name() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        registers(server, &token).await;
        let path = format!("{PASSKEYS}/{}", ids(server, &token).await[0]);
        for name in ["", "  ", "\u{3000}"] {
            let answer = server.patch_as(&token, &path, &json!({"name": name})).await;
            assert_eq!(answer.status, 400, "{answer:?}");
            assert_eq!(answer.json()["message"][0], "name should not be empty");
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_touches_anothers() {
    server(async |server| {
        let ada = server.signs_up(ADA).await;
        let mallory = server.signs_up("mallory@example.com").await;
        registers(server, &ada).await;
        let id = ids(server, &ada).await.remove(0);
        for id in [id.as_str(), "nothing", "0197-", "x%2f"] {
            let path = format!("{PASSKEYS}/{id}");
            let renamed = server
                .patch_as(&mallory, &path, &json!({"name": "Mine"}))
                .await;
            let removed = server.delete_as(&mallory, &path).await;
            for answer in [renamed, removed] {
                assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"));
            }
        }
        assert_eq!(
            server.get_as(&ada, PASSKEYS).await.json()["data"][0]["name"],
            "Passkey"
        );
    })
    .await;
}

#[tokio::test]
async fn W18_the_last_way_in_stays() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let one = registers(server, &token).await;
        server.wait(Duration::from_secs(1));
        registers(server, &token).await;
        forget_password(server).await;
        let [first, second] = ids(server, &token).await.try_into().unwrap();
        let removed = server
            .delete_as(&token, &format!("{PASSKEYS}/{second}"))
            .await;
        assert_eq!(removed.status, 200, "{removed:?}");
        let last = server
            .delete_as(&token, &format!("{PASSKEYS}/{first}"))
            .await;
        assert_eq!(
            (last.status.as_u16(), last.code()),
            (409, "last_credential")
        );
        assert_eq!(signs_in(server, &one, |_| {}).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn with_the_last_second_factor_go_its_recovery_codes() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        registers(server, &token).await;
        registers(server, &token).await;
        for (left, codes) in [(1, 10), (0, 0)] {
            let id = ids(server, &token).await.remove(0);
            let removed = server.delete_as(&token, &format!("{PASSKEYS}/{id}")).await;
            assert_eq!(removed.status, 200, "{removed:?}");
            let me = server.get_as(&token, "/auth/me").await;
            assert_eq!(me.json()["mfa"]["passkeys"], left);
            assert_eq!(me.json()["mfa"]["recoveryCodesLeft"], codes);
        }
    })
    .await;
}

#[tokio::test]
async fn an_operator_takes_passkeys_away_where_a_password_is_left() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let passkey = registers(server, &token).await;
        let me = server.get_as(&token, "/auth/me").await;
        let id = UserId::from_stored(me.json()["id"].as_str().unwrap().to_owned());
        let remove = async || {
            let by = By::Operator(server.clock.now());
            second_factors::remove(&server.app.db, &server.app.revocations, &id, by).await
        };
        assert!(remove().await.unwrap());
        assert_eq!(
            signs_in(server, &passkey, |_| {}).await.code(),
            "passkey_unknown"
        );
        let again = server.signs_in(ADA, PASSWORD).await;
        let me = server.get_as(again.token().unwrap(), "/auth/me").await;
        let none = json!({"totp": false, "passkeys": 0, "recoveryCodesLeft": 0});
        assert_eq!(me.json()["mfa"], none);
        assert!(!remove().await.unwrap());

        let last = registers(server, again.token().unwrap()).await;
        forget_password(server).await;
        let refused = remove().await.unwrap_err();
        assert!(matches!(refused, Error::Refused(Refusal::LastCredential)));
        assert_eq!(signs_in(server, &last, |_| {}).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn X14_of_two_last_ones_one_stays_however_they_are_removed() {
    server(async |server| {
        for round in 0..20 {
            let token = server.signs_up(&format!("ada{round}@example.com")).await;
            registers(server, &token).await;
            registers(server, &token).await;
            forget_password(server).await;
            let token = token.as_str();
            let paths: Vec<String> = ids(server, token)
                .await
                .iter()
                .map(|id| format!("{PASSKEYS}/{id}"))
                .collect();
            let remove = |path: &'_ str| {
                let path = path.to_owned();
                async move { insist(async || server.delete_as(token, &path).await).await }
            };
            let answers = together(paths.iter().cycle().take(16).map(|path| remove(path))).await;
            let removed = answers.iter().filter(|answer| answer.status == 200).count();
            assert_eq!(removed, 1, "round {round}: {answers:?}");
            assert_eq!(ids(server, token).await.len(), 1, "round {round}");
        }
    })
    .await;
}

#[tokio::test]
async fn X14_the_last_one_goes_only_when_another_has_come() {
    server(async |server| {
        for round in 0..20 {
            let token = server.signs_up(&format!("ada{round}@example.com")).await;
            registers(server, &token).await;
            forget_password(server).await;
            let path = format!("{PASSKEYS}/{}", ids(server, &token).await[0]);
            let options = creation(server, &token).await;
            let body = ending(&options, &Passkey::make(&options).1.json());
            let (removed, added) = tokio::join!(
                insist(async || server.delete_as(&token, &path).await),
                server.post_as(&token, REGISTER, &body),
            );
            assert_eq!(added.status, 201, "round {round}: {added:?}");
            assert!([200, 409].contains(&removed.status.as_u16()), "{removed:?}");
            let left = 2 - usize::from(removed.status == 200);
            assert_eq!(ids(server, &token).await.len(), left, "round {round}");
        }
    })
    .await;
}

#[tokio::test]
async fn first_ones_that_come_at_once_bring_recovery_codes_once() {
    server(async |server| {
        let token = server.signs_up(ADA).await;
        let mut bodies: Vec<Value> = Vec::new();
        for _ in 0..6 {
            let options = creation(server, &token).await;
            bodies.push(ending(&options, &Passkey::make(&options).1.json()));
        }
        let answers = together(
            bodies
                .iter()
                .map(|body| server.post_as(&token, REGISTER, body)),
        )
        .await;
        assert!(
            answers.iter().all(|answer| answer.status == 201),
            "{answers:?}"
        );
        let with_codes = answers
            .iter()
            .filter(|answer| answer.json()["recoveryCodes"].is_array());
        assert_eq!(with_codes.count(), 1);
        let me = server.get_as(&token, "/auth/me").await;
        assert_eq!(me.json()["mfa"]["recoveryCodesLeft"], 10);
    })
    .await;
}
