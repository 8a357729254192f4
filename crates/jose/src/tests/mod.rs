//! Tests named `T<n>_..` are the cases of one catalogue of bad tokens, so that a reader can count them off.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

mod every_change;
mod forged;
mod form;
mod garbage;
mod jwk;
mod keys;
mod registered;
mod signing;
mod vectors;

use serde_json::{Value, json};

use crate::compact::encode;
use crate::{Policy, Rejected, SigningKey, VerifyingKey, verify};

const NOW: i64 = 1_800_000_000;

fn policy() -> Policy {
    Policy {
        typ: "JWT",
        issuer: "https://id.example".into(),
        audience: "app".into(),
        leeway_seconds: 0,
        max_len: 4096,
    }
}

/// Claims that pass.
fn good_claims() -> Value {
    json!({
        "iss": "https://id.example", "aud": "app", "sub": "01JD-ada", "iat": NOW, "nbf": NOW,
        "exp": NOW + 600, "jti": "j1", "roles": ["admin"], "email_verified": true,
    })
}

/// The good claims, with one of them set or added.
fn claims_with(name: &str, value: Value) -> String {
    let mut claims = good_claims();
    let members = claims.as_object_mut().expect("an object");
    members.insert(name.into(), value);
    claims.to_string()
}

fn claims_without(name: &str) -> String {
    let mut claims = good_claims();
    claims.as_object_mut().expect("an object").remove(name);
    claims.to_string()
}

/// Header and claims as they are given, under a true signature of `key`.
fn signed(key: &SigningKey, header: &str, claims: &str) -> String {
    signed_by(header, claims, |message| {
        key.signature(message).expect("a signature")
    })
}

fn signed_by(header: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!(
        "{}.{}",
        encode(header.as_bytes()),
        encode(claims.as_bytes())
    );
    let signature = sign(message.as_bytes());
    format!("{message}.{}", encode(&signature))
}

/// The header that `key` itself writes.
fn header_of(key: &SigningKey) -> String {
    let alg = key.algorithm();
    match key.kid() {
        Some(kid) => format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"{kid}"}}"#),
        None => format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#),
    }
}

fn verified(token: &str, key: &SigningKey) -> Result<Value, Rejected> {
    verified_by(token, &[key.verifying_key()])
}

fn verified_by(token: &str, keys: &[VerifyingKey]) -> Result<Value, Rejected> {
    verify(token, keys.iter(), &policy(), NOW)
}
