//! The sign-in by a passkey, in two requests.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

use super::{Attempt, with_passkey};
use crate::app::App;
use crate::attempts::extract::{DEVICE_TOKEN, Keeping};
use crate::challenges::Challenge;
use crate::error::Error;
use crate::http::Asking;
use crate::http::body::{Field, Fields, Kind};
use crate::http::csrf::Sender;
use crate::http::route::{Answer, Route, Schema};
use crate::passkeys::routes::{ENDING, ending};
use crate::passkeys::{self, Begun};
use crate::sessions::routes::{GRANT, SESSION};
use crate::sign_in::routes::{CHALLENGE, answer, carried};
use crate::sign_in::second_factor;

const OPTIONS: &[Field] = &[
    Field {
        required: false,
        about: "The challenge of the answer to the password, to go on with that by a passkey of its account",
        ..CHALLENGE
    },
    Field::optional(
        "mediation",
        Kind::OneOf(&["conditional"]),
        "conditional, when the browser is to offer passkeys where it fills in the form",
    ),
];

const ATTEMPT: &[Field] = &[ENDING[0], ENDING[1], SESSION, DEVICE_TOKEN];

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/auth/passkeys/signin/options", options)
            .about("Begins a sign-in by a passkey: what the browser is to be asked")
            .body(OPTIONS)
            .answers([Answer::ok(REQUEST, "For navigator.credentials.get()")])
            .refuses(&[StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND])
            .page(),
        Route::post("/auth/passkeys/signin", signin)
            .about("Signs in by the passkey that the browser proved, and answers a token")
            .body(ATTEMPT)
            .answers([Answer::ok(GRANT, "Signed in")])
            .refuses(&[StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND])
            .failure(),
    ]
}

const REQUEST: Schema = Schema {
    name: "PasskeyRequest",
    text: r#"{
        "type": "object",
        "required": ["ceremonyId", "publicKey"],
        "properties": {
            "ceremonyId": {"type": "string", "description": "Goes with the credential; it counts once, and for five minutes"},
            "publicKey": {"type": "object", "description": "PublicKeyCredentialRequestOptionsJSON, for PublicKeyCredential.parseRequestOptionsFromJSON()"},
            "mediation": {"const": "conditional", "description": "As it was asked for; it goes beside publicKey"}
        }
    }"#,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    ceremony_id: String,
    public_key: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    mediation: Option<String>,
}

async fn options(
    State(app): State<App>,
    asking: Asking,
    mut fields: Fields,
) -> Result<Json<Request>, Error> {
    let begun = match fields.secret("challenge") {
        Some(challenge) => {
            second_factor::options(&app, &Challenge::brought(challenge), &asking).await?
        }
        None => passkeys::options(&app.db, app.relying_party()?, None, &asking).await?,
    };
    let Begun {
        ceremony,
        public_key,
    } = begun;
    Ok(Json(Request {
        ceremony_id: ceremony.expose().clone(),
        public_key,
        mediation: fields.text("mediation"),
    }))
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
        ending: ending(&mut fields)?,
        again: None,
        carried: carried(&mut fields, &sender, &headers)?,
        device: keeping.brought().cloned(),
    };
    match with_passkey(&app, attempt, &asking).await {
        Ok(outcome) => answer(&app, outcome, &keeping, &headers, &asking).await,
        Err(Error::Refused(refusal)) => {
            // Who signs in is not held back by what others tried from the same address.
            let charged = app.limits.spend(asking.client.key(), asking.now);
            Err(charged
                .map_or_else(|(limited, _)| limited, |_| refusal)
                .into())
        }
        Err(broken) => Err(broken),
    }
}
