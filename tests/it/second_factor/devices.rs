//! Devices on which no second factor is asked for.

use std::time::Duration;

use doorward::audit::By;
use doorward::secret::Secret;
use doorward::{password, users};
use serde_json::{Value, json};

use super::{ada, claims, id, is_asked};
use crate::harness::phone::Phone;
use crate::harness::{ADA, Answer, PASSWORD, Server, server};

/// Signs in on a device that keeps its token, and gives what it keeps from then on.
async fn signs_in(server: &Server, email: &str, device: &Value, more: &Value) -> Answer {
    let mut body = json!({"email": email, "password": PASSWORD, "deviceToken": device});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    server.post("/auth/signin", &body).await
}

async fn remembered(server: &Server, phone: &Phone) -> Value {
    let more = json!({"code": phone.shows_in(server, 0), "rememberDevice": true});
    let signed_in = signs_in(server, ADA, &Value::Null, &more).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    signed_in.json()["deviceToken"].clone()
}

#[tokio::test]
async fn a_remembered_device_is_asked_for_no_second_factor_for_thirty_days() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let half = server.signs_in(ADA, PASSWORD).await;
        let body = json!({"challenge": half.json()["challenge"], "code": phone.shows_in(server, 0),
            "rememberDevice": true, "deviceToken": null});
        let signed_in = server.post("/auth/signin/second-factor", &body).await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        let device = &signed_in.json()["deviceToken"];

        let spared = signs_in(server, ADA, device, &json!({})).await;
        assert_eq!(spared.status, 200, "{spared:?}");
        assert_eq!(
            claims(&spared)["amr"],
            json!(["pwd"]),
            "no more than was shown"
        );
        // Another device, and one that was known before without being remembered.
        is_asked(&server.signs_in(ADA, PASSWORD).await);
        server.wait(Duration::from_hours(30 * 24) - Duration::from_secs(1));
        assert_eq!(signs_in(server, ADA, device, &json!({})).await.status, 200);
        server.wait(Duration::from_secs(1));
        is_asked(&signs_in(server, ADA, device, &json!({})).await);
    })
    .await;
}

#[tokio::test]
async fn a_known_device_is_not_a_remembered_one() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let more = json!({"code": phone.shows_in(server, 0)});
        let known = signs_in(server, ADA, &Value::Null, &more).await;
        let device = &known.json()["deviceToken"];
        assert!(device.is_string());
        is_asked(&signs_in(server, ADA, device, &json!({})).await);
    })
    .await;
}

#[tokio::test]
async fn F16_a_remembered_device_is_remembered_for_one_account() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let device = remembered(server, &phone).await;
        let eve = "eve@example.com";
        let token = server.signs_up(eve).await;
        Phone::is_set_up(server, &token).await;
        is_asked(&signs_in(server, eve, &device, &json!({})).await);
    })
    .await;
}

#[tokio::test]
async fn a_remembered_device_is_listed_and_can_be_revoked_by_its_owner_alone() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let device = remembered(server, &phone).await;
        let spared = signs_in(server, ADA, &device, &json!({})).await;
        let token = spared.token().unwrap();
        let listed = server.get_as(token, "/auth/trusted-devices").await;
        let data = listed.json()["data"].as_array().unwrap();
        assert_eq!(data.len(), 1);
        assert_eq!(data[0]["ip"], "192.0.2.1");
        let path = format!("/auth/trusted-devices/{}", data[0]["id"].as_str().unwrap());

        let eve = server.signs_up("eve@example.com").await;
        assert_eq!(server.delete_as(&eve, &path).await.status, 404);
        assert_eq!(signs_in(server, ADA, &device, &json!({})).await.status, 200);
        assert_eq!(server.delete_as(token, &path).await.status, 204);
        is_asked(&signs_in(server, ADA, &device, &json!({})).await);
        assert_eq!(server.delete_as(token, &path).await.status, 404);
    })
    .await;
}

/// How many devices the owner of an account sees that are trusted, who signs in with a code for that.
async fn trusted(server: &Server, phone: &Phone, password: &str) -> usize {
    server.wait(Duration::from_secs(30));
    let body = json!({"email": ADA, "password": password, "code": phone.shows_in(server, 0)});
    let signed_in = server.post("/auth/signin", &body).await;
    let token = signed_in.token().unwrap();
    let listed = server.get_as(token, "/auth/trusted-devices").await;
    listed.json()["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_new_password_trusts_no_device() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        remembered(server, &phone).await;
        assert_eq!(trusted(server, &phone, PASSWORD).await, 1);
        let app = &server.app;
        let account = users::store::by_id(&app.db, &id(server).await).await;
        let account = account.unwrap().unwrap();
        let other = Secret::new("quite another password".to_owned());
        let set = password::set(
            &app.db,
            &app.revocations,
            &app.passwords,
            &app.stamp,
            &account,
            &other,
            By::Operator(server.clock.now()),
        );
        assert!(set.await.unwrap());
        assert_eq!(trusted(server, &phone, other.expose()).await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_account_that_is_opened_again_trusts_no_device() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let device = remembered(server, &phone).await;
        let app = &server.app;
        let by = By::Operator(server.clock.now());
        let ada = id(server).await;
        let shut = users::disable(&app.db, &app.revocations, &ada, by).await;
        assert!(shut.unwrap());
        assert!(users::enable(&app.db, &ada, by).await.unwrap());
        is_asked(&signs_in(server, ADA, &device, &json!({})).await);
        assert_eq!(trusted(server, &phone, PASSWORD).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_remembered_device_changes_no_second_factor() {
    server(async |server| {
        let (phone, _) = ada(server).await;
        let device = remembered(server, &phone).await;
        let spared = signs_in(server, ADA, &device, &json!({})).await;
        let token = spared.token().unwrap();
        for refused in [
            server.delete_as(token, "/auth/totp").await,
            server
                .post_as(token, "/auth/recovery-codes", &json!({}))
                .await,
        ] {
            assert_eq!(
                (refused.status.as_u16(), refused.code()),
                (403, "reauthentication_required")
            );
        }
        // Nor does it stand in for the code of somebody who is to show that they are there.
        let mut again = json!({"password": PASSWORD, "deviceToken": device});
        is_asked(&server.post_as(token, "/auth/reauthenticate", &again).await);
        assert_eq!(server.get_as(token, "/auth/me").await.status, 200);
        server.wait(Duration::from_secs(30));
        again["code"] = phone.shows_in(server, 0).into();
        let fresh = server.post_as(token, "/auth/reauthenticate", &again).await;
        let gone = server.delete_as(fresh.token().unwrap(), "/auth/totp").await;
        assert_eq!(gone.status, 204, "{gone:?}");
    })
    .await;
}
