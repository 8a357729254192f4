//! Making an account over HTTP.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::{quietly, with_password};
use crate::app::App;
use crate::attempts::extract::{DEVICE_TOKEN, Keeping};
use crate::config::SignupAnswer;
use crate::error::Error;
use crate::http::Asking;
use crate::http::body::{Field, Fields, Kind};
use crate::http::csrf::Sender;
use crate::http::route::{Answer, Content, Route, Schema};
use crate::sessions::routes::{GRANT, SESSION};
use crate::sign_in::routes::{answer, carried};
use crate::users::{Email, MAX_METADATA, MAX_NAME, NewUser};

const NEW_USER: &[Field] = &[
    Field::required("email", Kind::Email, "Where mail goes"),
    Field::required("password", Kind::Password, "The password they choose"),
    Field::optional(
        "name",
        Kind::Text { max: MAX_NAME },
        "What they want to be called",
    ),
    Field::optional("locale", Kind::Locale, "Their language, as an RFC 5646 tag"),
    Field::optional(
        "metadata",
        Kind::Object { max: MAX_METADATA },
        "What the application notes about them",
    ),
    SESSION,
    DEVICE_TOKEN,
];

const RECEIVED: Schema = Schema {
    name: "Received",
    text: r#"{
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"const": "accepted"}}
    }"#,
};

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/auth/signup", signup)
            .about(
                "Makes an account and signs its owner in, or leads them to set up a second factor; or makes it quietly, where \
                 signup.answer is accepted",
            )
            .body(NEW_USER)
            .answers([
                Answer {
                    status: StatusCode::CREATED,
                    content: Content::Json(GRANT),
                    about: "The account is made",
                },
                Answer {
                    status: StatusCode::ACCEPTED,
                    content: Content::Json(RECEIVED),
                    about: "Now there is an account with this address, if there was none before",
                },
            ])
            .refuses(&[
                StatusCode::UNAUTHORIZED,
                StatusCode::FORBIDDEN,
                StatusCode::CONFLICT,
            ])
            .credential(),
    ]
}

async fn signup(
    State(app): State<App>,
    asking: Asking,
    sender: Sender,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, Error> {
    let keeping = Keeping::read(&mut fields, &sender, &headers);
    let password = fields.password("password")?;
    let new = NewUser {
        email: Email::parse(&fields.required("email")?)?,
        name: fields.text("name"),
        locale: fields.text("locale"),
        metadata: fields.object("metadata"),
        roles: Vec::new(),
    };
    let carried = carried(&mut fields, &sender, &headers)?;
    if app.config.signup.answer == SignupAnswer::Accepted {
        quietly(&app, new, password, &asking).await?;
        let received = Json(json!({"status": "accepted"}));
        return Ok((StatusCode::ACCEPTED, received).into_response());
    }
    let outcome = with_password(&app, new, password, carried, &asking).await?;
    let mut answer = answer(&app, outcome, &keeping, &headers, &asking).await?;
    *answer.status_mut() = StatusCode::CREATED;
    Ok(answer)
}
