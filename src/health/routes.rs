//! Probes, for whoever restarts and routes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Health;
use crate::app::App;
use crate::http::route::{Answer, Content, Route, Schema};

const HEALTHY: &[Answer] = &[Answer::ok(SCHEMA, "It is well")];

const READY: [Answer; 2] = [
    Answer::ok(SCHEMA, "It can serve"),
    Answer {
        status: StatusCode::SERVICE_UNAVAILABLE,
        content: Content::Json(SCHEMA),
        about: "It cannot; the checks say why",
    },
];

const SCHEMA: Schema = Schema {
    name: "Health",
    text: r#"{
        "type": "object",
        "required": ["status", "checks"],
        "properties": {
            "status": {"enum": ["ok", "unavailable"]},
            "checks": {"type": "object", "additionalProperties": {"type": "string"}}
        }
    }"#,
};

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::get("/livez", live)
            .about("Whether the process answers")
            .answers(HEALTHY),
        Route::get("/readyz", ready)
            .about("Whether it can serve")
            .answers(READY),
        Route::get("/healthz", ready)
            .about("The same as /readyz")
            .answers(READY),
    ]
}

async fn live() -> Json<Health> {
    Json(Health::live())
}

async fn ready(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let health = Health::ready(&app).await;
    let status = if health.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(health))
}
