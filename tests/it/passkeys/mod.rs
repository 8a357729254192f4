//! Passkeys from outside: with a browser and an authenticator in software that do as they should, and with ones that do
//! everything that they should not. No answer is ever a failure of ours.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

mod authenticator_data;
mod ceremonies;
mod client_data;
mod counters;
mod keys;
mod origins;
mod proving;
mod registering;
mod removing;
mod second_step;

use doorward::app::App;
use doorward::http::route::Route;
use serde_json::{Value, json};

use crate::harness::authenticator::{Making, Passkey, Proving};
use crate::harness::{Answer, Server, unique};

pub const MAKE: &str = "/auth/passkeys/register/options";
pub const REGISTER: &str = "/auth/passkeys/register";
pub const ASK: &str = "/auth/passkeys/signin/options";
pub const SIGN_IN: &str = "/auth/passkeys/signin";
pub const PASSKEYS: &str = "/auth/passkeys";

/// What `path` answers to the holder of `token`: what a browser is to be asked.
pub async fn creation(server: &Server, token: &str) -> Value {
    let answer = server.post_as(token, MAKE, &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    begun(server, &answer)
}

/// What whoever signs in is to be asked.
pub async fn request(server: &Server) -> Value {
    let answer = server.post(ASK, &json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    begun(server, &answer)
}

fn begun(server: &Server, answer: &Answer) -> Value {
    let options = answer.json().clone();
    server.must_stay_unseen(options["ceremonyId"].as_str().unwrap());
    options
}

/// What ends a ceremony.
pub fn ending(options: &Value, credential: &Value) -> Value {
    json!({"ceremonyId": options["ceremonyId"], "credential": credential})
}

/// Somebody registers a passkey.
pub async fn registers(server: &Server, token: &str) -> Passkey {
    let options = creation(server, token).await;
    let (passkey, making) = Passkey::make(&options);
    let answer = server
        .post_as(token, REGISTER, &ending(&options, &making.json()))
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    passkey
}

/// Somebody signs in by a passkey, with a proof that `change` has changed.
pub async fn signs_in<'a>(
    server: &Server,
    passkey: &'a Passkey,
    change: impl FnOnce(&mut Proving<'a>),
) -> Answer {
    let options = request(server).await;
    let mut proof = passkey.prove(&options);
    change(&mut proof);
    server.post(SIGN_IN, &ending(&options, &proof.json())).await
}

/// Somebody registers a passkey that `change` has changed, to which the answer is an answer.
pub async fn makes(server: &Server, token: &str, change: impl FnOnce(&mut Making)) -> Answer {
    let options = creation(server, token).await;
    let (_, mut making) = Passkey::make(&options);
    change(&mut making);
    server
        .post_as(token, REGISTER, &ending(&options, &making.json()))
        .await
}

/// Says no to a proof that does not verify.
pub fn is_refused(answer: &Answer, what: &str) {
    let said = (answer.status.as_u16(), answer.code());
    assert_eq!(said, (401, "passkey_invalid"), "{what}: {answer:?}");
    assert_eq!(answer.header("www-authenticate"), "", "{what}");
}

/// Says no to a passkey that does not verify.
pub fn is_not_registered(answer: &Answer, what: &str) {
    let said = (answer.status.as_u16(), answer.code());
    assert_eq!(said, (400, "passkey_invalid"), "{what}: {answer:?}");
}

/// Whoever does as they should is let in and may register one more, whatever came before.
pub async fn all_is_well(server: &Server, token: &str, passkey: &Passkey, after: &str) {
    let answer = signs_in(server, passkey, |_| {}).await;
    assert_eq!(answer.status, 200, "after {after}: {answer:?}");
    let listed = server.get_as(token, PASSKEYS).await;
    assert_eq!(
        listed.json()["data"].as_array().unwrap().len(),
        1,
        "after {after}"
    );
}

/// What a route of passkeys answers to somebody new who does everything right.
pub async fn is_done_rightly(server: &Server, route: &Route<App>) -> Answer {
    let token = server.signs_up(&format!("{}@example.com", unique())).await;
    let passkey = registers(server, &token).await;
    let listed = server.get_as(&token, PASSKEYS).await;
    let id = listed.json()["data"][0]["id"].as_str().unwrap();
    let path = route.path.replace("{id}", id);
    match (route.method.as_str(), route.path) {
        (_, MAKE) => server.post_as(&token, MAKE, &json!({})).await,
        (_, REGISTER) => makes(server, &token, |_| {}).await,
        (_, ASK) => server.post(ASK, &json!({"mediation": "conditional"})).await,
        (_, SIGN_IN) => signs_in(server, &passkey, |_| {}).await,
        ("GET", _) => server.get_as(&token, &path).await,
        ("PATCH", _) => {
            server
                .patch_as(&token, &path, &json!({"name": "Desk"}))
                .await
        }
        ("DELETE", _) => server.delete_as(&token, &path).await,
        (method, path) => panic!("say how to call {method} {path} rightly"),
    }
}
