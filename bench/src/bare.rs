//! What `GET /auth/me` is compared with: a handler that verifies the same token by the same code, and does nothing else.

use std::fs;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use axum::{Json, Router};
use jose::{Jwk, Policy, SigningKey, VerifyingKey};
use serde_json::{Map, Value};
use tokio::net::TcpListener;

use crate::say;

/// Who makes the tokens, and whom they are for: a service that runs for development.
const ISSUER: &str = "http://localhost:8080";

struct Verifier {
    key: VerifyingKey,
    policy: Policy,
}

/// `bare KEY`: serves on a free port, which it prints, until it is ended. The key is the path of a JWK set, of which the first
/// counts, or else a secret for HS256.
///
/// # Errors
/// When the key is none, or no port is free.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let (Some(key), None) = (arguments.next(), arguments.next()) else {
        bail!("call it by dev/bench");
    };
    let verifier = Verifier {
        key: verifying(&key)?,
        policy: Policy {
            typ: "JWT",
            issuer: ISSUER.to_owned(),
            audience: ISSUER.to_owned(),
            leeway_seconds: 60,
            max_len: 4096,
        },
    };
    let router = Router::new()
        .route("/auth/me", get(me))
        .with_state(Arc::new(verifier));
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let socket = TcpListener::bind("127.0.0.1:0").await?;
            say(format_args!("Listening on http://{}", socket.local_addr()?));
            Ok(axum::serve(socket, router).await?)
        })
}

fn verifying(key: &str) -> anyhow::Result<VerifyingKey> {
    let Ok(set) = fs::read(key) else {
        return Ok(SigningKey::hs256(key.as_bytes())?.verifying_key().clone());
    };
    let set: Value = serde_json::from_slice(&set)?;
    let jwk: Jwk = serde_json::from_value(set["keys"][0].clone()).context("a JWK")?;
    Ok(VerifyingKey::from_jwk(&jwk)?)
}

async fn me(
    State(verifier): State<Arc<Verifier>>,
    headers: HeaderMap,
) -> Result<Json<Map<String, Value>>, StatusCode> {
    let claims = bearer(&headers).and_then(|token| {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok()?;
        let keys = std::iter::once(&verifier.key);
        let now = i64::try_from(now.as_secs()).ok()?;
        jose::verify(token, keys, &verifier.policy, now).ok()
    });
    claims.map(Json).ok_or(StatusCode::UNAUTHORIZED)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}
