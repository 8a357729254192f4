//! Seeing and revoking the devices on which no second factor is asked for.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::{TrustedDevice, store};
use crate::app::App;
use crate::error::Error;
use crate::http::route::{Answer, Route, Schema};
use crate::http::{Asking, LastSegment};
use crate::ids::TrustedDeviceId;
use crate::sessions::extract::SignedIn;

/// More of one person's are not listed; setting a password revokes these too.
const MOST_LISTED: u32 = 500;

const DEVICES: Schema = Schema {
    name: "TrustedDevices",
    text: r#"{
        "type": "object",
        "required": ["data"],
        "properties": {"data": {"type": "array", "items": {
            "type": "object",
            "required": ["id", "ip", "userAgent", "createdAt", "expiresAt"],
            "properties": {
                "id": {"type": "string"},
                "ip": {"type": "string", "description": "The address that it was trusted from"},
                "userAgent": {"type": ["string", "null"], "description": "The program that it was trusted with"},
                "createdAt": {"type": "string", "format": "date-time"},
                "expiresAt": {"type": "string", "format": "date-time", "description": "When it is asked for a second factor again"}
            }
        }}}
    }"#,
};

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::get("/auth/trusted-devices", list)
            .about("The devices on which the caller is asked for no second factor")
            .signed_in()
            .answers([Answer::ok(DEVICES, "The trusted devices")]),
        Route::delete("/auth/trusted-devices/{id}", end)
            .about("Asks for a second factor on a device again")
            .signed_in()
            .answers([Answer::nothing("It is trusted no more")])
            .refuses(&[StatusCode::NOT_FOUND]),
    ]
}

#[derive(Serialize)]
struct List {
    data: Vec<TrustedDevice>,
}

async fn list(
    State(app): State<App>,
    asking: Asking,
    signed_in: SignedIn,
) -> Result<Json<List>, Error> {
    let data = store::of_user(&app.db, &signed_in.user.id, asking.now, MOST_LISTED).await?;
    Ok(Json(List { data }))
}

async fn end(
    State(app): State<App>,
    asking: Asking,
    signed_in: SignedIn,
    LastSegment(id): LastSegment,
) -> Result<StatusCode, Error> {
    let id = TrustedDeviceId::from_stored(id);
    super::revoke(
        &app.db,
        &id,
        &signed_in.user.id,
        &signed_in.session,
        &asking,
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
