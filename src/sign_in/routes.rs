//! The documented call.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::{Attempt, Outcome, with_password};
use crate::app::App;
use crate::attempts::extract::{DEVICE_TOKEN, Keeping};
use crate::error::Error;
use crate::http::body::{Field, Fields, Kind};
use crate::http::csrf::Sender;
use crate::http::route::{Answer, Route};
use crate::http::{Asking, cookie};
use crate::proofs::MAX_LENGTH;
use crate::sessions::Carried;
use crate::sessions::extract::end_replaced;
use crate::sessions::grant::Grant;
use crate::sessions::routes::{GRANT, SESSION};
use crate::users::Email;

const ATTEMPT: &[Field] = &[
    Field::required("email", Kind::Email, "Whose account"),
    Field::required("password", Kind::Password, "The password, as typed"),
    SESSION,
    DEVICE_TOKEN,
    Field::optional(
        "proof",
        Kind::Text { max: MAX_LENGTH },
        "The answer to a challenge of POST /auth/challenge, when a sign-in was refused as proof_required",
    ),
];

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/auth/signin", signin)
            .about("Signs in by e-mail and password and answers a token")
            .body(ATTEMPT)
            .answers([Answer::ok(GRANT, "Signed in")])
            .refuses(&[StatusCode::UNAUTHORIZED])
            .credential(),
    ]
}

async fn signin(
    State(app): State<App>,
    asking: Asking,
    sender: Sender,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, Error> {
    let keeping = Keeping::read(&mut fields, &sender, &headers);
    let attempt = Attempt {
        email: Email::parse(&fields.required("email")?)?,
        password: fields.password("password")?,
        carried: carried(&mut fields, &sender, &headers)?,
        device: keeping.brought().cloned(),
        proof: fields.text("proof"),
    };
    let outcome = with_password(&app, attempt, &asking).await?;
    answer(&app, outcome, &keeping, &headers, &asking).await
}

/// Gives what the outcome is, and what tells the device the next time. A session's cookie takes the place of the one that
/// the browser sent, whose session then ends.
pub(crate) async fn answer(
    app: &App,
    outcome: Outcome,
    keeping: &Keeping,
    headers: &HeaderMap,
    asking: &Asking,
) -> Result<Response, Error> {
    let Outcome::SignedIn { grant, device } = outcome;
    if matches!(grant, Grant::Cookie { .. }) {
        end_replaced(app, headers, asking).await?;
    }
    let mut answer = grant.with_device(keeping.in_body(&device)).into_response();
    keeping.in_headers(&device, &mut answer);
    Ok(answer)
}

/// How the caller wants the session carried. A cookie is given only to a page that may use it: one of another origin could
/// sign a browser in as somebody else. Nor to one that brings two already, of which it would replace but one.
pub(crate) fn carried(
    fields: &mut Fields,
    sender: &Sender,
    headers: &HeaderMap,
) -> Result<Carried, Error> {
    let carried = fields
        .text("session")
        .as_deref()
        .and_then(Carried::named)
        .unwrap_or(Carried::Token);
    if carried == Carried::Cookie {
        sender.may_use_cookie()?;
        cookie::session(headers)?;
    }
    Ok(carried)
}
