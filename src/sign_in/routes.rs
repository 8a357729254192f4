//! The documented call.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::{Attempt, Outcome, SignedIn, with_password};
use crate::app::App;
use crate::error::Error;
use crate::http::Asking;
use crate::http::body::{Field, Fields, Kind};
use crate::http::route::{Answer, Route, Schema};
use crate::users::Email;

/// How a session can be carried: as the documented token.
pub const CARRIED: Kind = Kind::OneOf(&["token"]);

const ATTEMPT: &[Field] = &[
    Field::required("email", Kind::Email, "Whose account"),
    Field::required("password", Kind::Password, "The password, as typed"),
    Field::optional(
        "session",
        CARRIED,
        "How the session is carried; token is the documented answer",
    ),
];

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/auth/signin", signin)
            .about("Signs in by e-mail and password and answers a token")
            .body(ATTEMPT)
            .answers([Answer::ok(TOKEN, "Signed in")])
            .refuses(&[StatusCode::UNAUTHORIZED])
            .credential(),
    ]
}

/// What a completed sign-in answers.
pub const TOKEN: Schema = Schema {
    name: "Token",
    text: r#"{
        "type": "object",
        "required": ["token"],
        "properties": {"token": {"type": "string", "description": "A JWT; send it as Authorization: Bearer"}}
    }"#,
};

/// The documented answer: one key.
#[derive(Serialize)]
pub struct Token {
    token: String,
}

impl From<SignedIn> for Token {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            token: signed_in.token,
        }
    }
}

async fn signin(
    State(app): State<App>,
    asking: Asking,
    mut fields: Fields,
) -> Result<Json<Token>, Error> {
    let attempt = Attempt {
        email: Email::parse(&fields.required("email")?)?,
        password: fields.password("password")?,
    };
    match with_password(&app, attempt, &asking).await? {
        Outcome::SignedIn(signed_in) => Ok(Json(signed_in.into())),
    }
}
