//! The refresh over HTTP, by refresh token or by cookie.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::renew;
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::http::body::{Field, Fields, Kind};
use crate::http::cookie;
use crate::http::csrf::Sender;
use crate::http::route::{Answer, Route};
use crate::sessions::Carried;
use crate::sessions::grant::Grant;
use crate::sessions::renewal::Renewal;
use crate::sessions::routes::GRANT;

const REFRESH: &[Field] = &[Field::optional(
    "refreshToken",
    Kind::Text { max: 1_024 },
    "What the last sign-in or refresh gave; a browser sends its cookie instead",
)];

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/auth/refresh", refresh)
            .about("Renews a session: a new token, and what gets the next one")
            .body(REFRESH)
            .answers([Answer::ok(GRANT, "Renewed; a retry gets the same")])
            .refuses(&[StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN]),
    ]
}

async fn refresh(
    State(app): State<App>,
    asking: Asking,
    headers: HeaderMap,
    sender: Sender,
    mut fields: Fields,
) -> Result<Grant, Error> {
    let (presented, carried) = if let Some(token) = fields.secret("refreshToken") {
        (Renewal::read(token.expose(), &app.stamp), Carried::Refresh)
    } else {
        let value = cookie::session(&headers)?
            .ok_or_else(|| Refusal::invalid("refreshToken is required"))?;
        sender.may_use_cookie()?;
        (Renewal::read(value, &app.stamp), Carried::Cookie)
    };
    let presented = presented.ok_or(Refusal::RefreshTokenInvalid)?;
    renew(&app, &presented, carried, &asking).await
}
