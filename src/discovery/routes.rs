//! What can be asked before anybody is known.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::Value;

use super::Offer;
use crate::app::App;
use crate::http::openapi::Document;
use crate::http::route::{Answer, Route, Schema};

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::get("/auth/config", config)
            .about("What a sign-in form needs to know: which ways in are open, what a password must be")
            .answers([Answer::ok(OFFER, "What is offered")]),
        Route::get("/auth/openapi.json", document)
            .about("This interface as an OpenAPI 3.1 document")
            .answers([Answer::ok(DOCUMENT, "The document")]),
    ]
}

const OFFER: Schema = Schema {
    name: "Offer",
    text: r#"{
        "type": "object",
        "required": ["signup", "methods", "password"],
        "properties": {
            "signup": {
                "type": "object",
                "required": ["enabled", "answer"],
                "properties": {
                    "enabled": {"type": "boolean"},
                    "answer": {
                        "enum": ["session", "accepted"],
                        "description": "Whether a sign-up signs in, or is accepted and leads to the sign-in"
                    }
                }
            },
            "methods": {"type": "array", "items": {"enum": ["password", "passkey"]}},
            "password": {
                "type": "object",
                "required": ["minLength", "maxLength"],
                "properties": {
                    "minLength": {"type": "integer", "description": "In characters"},
                    "maxLength": {"type": "integer", "description": "In characters"}
                }
            }
        }
    }"#,
};

const DOCUMENT: Schema = Schema {
    name: "Document",
    text: r#"{"type": "object", "required": ["openapi", "paths"]}"#,
};

async fn config(State(app): State<App>) -> Json<Offer> {
    Json(Offer::of(&app.config))
}

async fn document(Extension(document): Extension<Document>) -> Json<Value> {
    Json(document.0.as_ref().clone())
}
