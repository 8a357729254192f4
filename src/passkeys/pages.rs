//! What browsers and password managers look for at well-known addresses.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::App;
use crate::config::Origin;
use crate::error::Refusal;
use crate::http::route::{Answer, Route, Schema};

/// What is served there.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::get("/.well-known/passkey-endpoints", endpoints)
            .about("Where people make and manage their passkeys, for password managers")
            .answers([Answer::ok(ENDPOINTS, "The pages")])
            .refuses(&[StatusCode::NOT_FOUND]),
        Route::get("/.well-known/webauthn", related_origins)
            .about("Whose pages may use our passkeys beside our own, for browsers (WebAuthn level 3, section 5.11)")
            .answers([Answer::ok(ORIGINS, "The origins")])
            .refuses(&[StatusCode::NOT_FOUND]),
    ]
}

const ENDPOINTS: Schema = Schema {
    name: "PasskeyEndpoints",
    text: r#"{
        "type": "object",
        "properties": {
            "enroll": {"type": "string", "format": "uri"},
            "manage": {"type": "string", "format": "uri"}
        }
    }"#,
};

const ORIGINS: Schema = Schema {
    name: "RelatedOrigins",
    text: r#"{
        "type": "object",
        "required": ["origins"],
        "properties": {"origins": {"type": "array", "items": {"type": "string"}}}
    }"#,
};

async fn endpoints(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    let passkeys = &app.config.passkeys;
    let pages = [
        ("enroll", &passkeys.enroll_url),
        ("manage", &passkeys.manage_url),
    ];
    let told: Value = pages
        .into_iter()
        .filter_map(|(name, page)| Some((name, page.as_ref()?.as_str())))
        .collect();
    if told == json!({}) {
        return Err(Refusal::NotFound);
    }
    Ok(Json(told))
}

async fn related_origins(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    let origins = &app.config.passkeys.origins;
    if origins.is_empty() {
        return Err(Refusal::NotFound);
    }
    let origins: Vec<&str> = origins.iter().map(Origin::as_str).collect();
    Ok(Json(json!({"origins": origins})))
}
