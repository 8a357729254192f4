//! The caller's recovery codes: new ones, and how many are left.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::Made;
use crate::app::App;
use crate::audit::By;
use crate::error::Error;
use crate::http::Asking;
use crate::http::route::{Answer, Route, Schema};
use crate::password;
use crate::second_factors::Owner;
use crate::sessions::extract::{Fresh, SignedIn};

/// New recovery codes, shown this once.
pub const CODES: Schema = Schema {
    name: "RecoveryCodes",
    text: r#"{
        "type": "object",
        "required": ["recoveryCodes"],
        "properties": {"recoveryCodes": {
            "type": "array",
            "description": "Ten, each a digit and four times four characters, between dashes",
            "items": {"type": "string"}
        }}
    }"#,
};

const LEFT: Schema = Schema {
    name: "RecoveryCodesLeft",
    text: r#"{
        "type": "object",
        "required": ["left"],
        "properties": {"left": {"type": "integer", "description": "How many were not used"}}
    }"#,
};

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/auth/recovery-codes", make)
            .about("Makes ten new recovery codes for an account with a second factor")
            .signed_in()
            .answers([Answer::ok(
                CODES,
                "The codes are shown this once, and those before them are void",
            )])
            .refuses(&[StatusCode::FORBIDDEN, StatusCode::CONFLICT])
            .credential(),
        Route::get("/auth/recovery-codes", left)
            .about("How many recovery codes the caller has left")
            .signed_in()
            .answers([Answer::ok(LEFT, "The number")]),
    ]
}

/// New codes, as their owner sees them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    recovery_codes: Vec<String>,
}

impl Shown {
    /// For the one answer that shows them.
    pub fn new(made: &Made) -> Self {
        let codes = made.codes.iter().map(|code| code.expose().clone());
        Self {
            recovery_codes: codes.collect(),
        }
    }
}

async fn make(
    State(app): State<App>,
    asking: Asking,
    Fresh(caller): Fresh,
) -> Result<Json<Shown>, Error> {
    let SignedIn { user, session, .. } = &caller;
    let by = By::Caller(&asking);
    super::may_be_made(&app.db, &user.id).await?;
    let made = super::make(&app.passwords, password::turn(by)).await?;
    super::replace(&app.db, &made, Owner { user, session }, &asking).await?;
    Ok(Json(Shown::new(&made)))
}

/// How many are left.
#[derive(Serialize)]
struct Left {
    left: u32,
}

async fn left(State(app): State<App>, caller: SignedIn) -> Result<Json<Left>, Error> {
    let left = super::left(&app.db, &caller.user.id).await?;
    Ok(Json(Left { left }))
}
