//! The public keys, for back ends that verify tokens (RFC 7517 section 5).

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use jose::Jwks;

use super::keys::JWKS_MAX_AGE;
use crate::app::App;
use crate::http::Asking;
use crate::http::route::{Answer, Route, Schema};

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::get("/.well-known/jwks.json", jwks)
            .about("The public keys that verify tokens; empty with HS256, whose key is a shared secret")
            .answers([Answer::ok(SCHEMA, "The key set")]),
    ]
}

const SCHEMA: Schema = Schema {
    name: "Jwks",
    text: r#"{
        "type": "object",
        "required": ["keys"],
        "properties": {
            "keys": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["kty", "kid", "alg", "use"],
                    "properties": {
                        "kty": {"type": "string"},
                        "kid": {"type": "string", "description": "RFC 7638 thumbprint"},
                        "alg": {"enum": ["ES256", "RS256", "EdDSA"]},
                        "use": {"const": "sig"}
                    }
                }
            }
        }
    }"#,
};

/// Anyone may read it from any page, and may keep it for a while.
async fn jwks(State(app): State<App>, asking: Asking) -> ([(HeaderName, String); 2], Json<Jwks>) {
    let headers = [
        (
            header::CACHE_CONTROL,
            format!("public, max-age={}", JWKS_MAX_AGE.as_secs()),
        ),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*".to_owned()),
    ];
    (headers, Json(app.tokens.keys.published(asking.now)))
}
