//! The signed-in person's own account.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::store::{self, Profile};
use super::{MAX_METADATA, MAX_NAME, User};
use crate::app::App;
use crate::audit::{self, About, By, Event};
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::http::body::{Change, Field, Fields, Kind};
use crate::http::route::{Answer, Route, Schema};
use crate::sessions::extract::SignedIn;

const PROFILE: &[Field] = &[
    Field::optional(
        "name",
        Kind::Text { max: MAX_NAME },
        "What they want to be called; null clears it",
    ),
    Field::optional(
        "locale",
        Kind::Locale,
        "Their language, as an RFC 5646 tag; null clears it",
    ),
    Field::optional(
        "metadata",
        Kind::Object { max: MAX_METADATA },
        "The application's notes; null empties them",
    ),
];

const USER: &[Answer] = &[Answer::ok(SCHEMA, "The account")];

const SCHEMA: Schema = Schema {
    name: "User",
    text: r#"{
        "type": "object",
        "required": ["id", "email", "emailVerified", "name", "locale", "roles", "metadata", "mfa", "createdAt", "updatedAt",
            "lastSignInAt"],
        "properties": {
            "id": {"type": "string", "description": "Stable and opaque; the token's sub"},
            "email": {"type": "string", "format": "email"},
            "emailVerified": {"type": "boolean"},
            "name": {"type": ["string", "null"]},
            "locale": {"type": ["string", "null"]},
            "roles": {"type": "array", "items": {"type": "string"}},
            "metadata": {"type": "object", "description": "The application's own notes"},
            "mfa": {
                "type": "object",
                "required": ["totp", "passkeys", "recoveryCodesLeft"],
                "properties": {
                    "totp": {"type": "boolean"},
                    "passkeys": {"type": "integer"},
                    "recoveryCodesLeft": {"type": "integer"}
                }
            },
            "createdAt": {"type": "string", "format": "date-time"},
            "updatedAt": {"type": "string", "format": "date-time"},
            "lastSignInAt": {"type": ["string", "null"], "format": "date-time"}
        }
    }"#,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::get("/auth/me", me)
            .about("Who the caller is")
            .signed_in()
            .answers(USER),
        Route::patch("/auth/me", change)
            .about("Changes what the caller may change of their own account")
            .signed_in()
            .body(PROFILE)
            .answers(USER),
    ]
}

async fn me(signed_in: SignedIn) -> Result<impl IntoResponse, Error> {
    Ok(([(CONTENT_TYPE, JSON)], signed_in.user.json()?))
}

async fn change(
    State(app): State<App>,
    asking: Asking,
    signed_in: SignedIn,
    mut fields: Fields,
) -> Result<Json<User>, Error> {
    let id = signed_in.user.id.clone();
    let profile = Profile {
        name: fields.change("name"),
        locale: fields.change("locale"),
        metadata: fields.change("metadata"),
    };
    if profile.is_empty() {
        return Ok(Json(live(&app, &id).await?));
    }
    let about = About {
        user: Some(&id),
        session: Some(&signed_in.session),
    };
    let unit = store::hold(&id, &signed_in.session, asking.now)
        .expect(1, store::update(&id, &profile, asking.now))
        .run(audit::row(
            Event::ProfileChanged,
            By::Caller(&asking),
            about,
        ));
    match app.db.write(unit).await {
        Err(db::Error::Touched { .. }) => Err(Refusal::SessionRevoked.into()),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(Json(live(&app, &id).await?)),
    }
}

async fn live(app: &App, id: &crate::ids::UserId) -> Result<User, Error> {
    Ok(store::by_id(&app.db, id)
        .await?
        .ok_or(Refusal::SessionRevoked)?)
}

impl Profile {
    fn is_empty(&self) -> bool {
        [&self.name, &self.locale, &self.metadata]
            .into_iter()
            .all(|change| *change == Change::Keep)
    }
}
