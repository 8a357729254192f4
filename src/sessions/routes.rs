//! Sessions over HTTP: what their holder is given, seeing them, ending them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::extract::{Leaving, SignedIn};
use super::grant::Grant;
use super::{Carried, Ending, Session, store};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::body::{Field, Fields, Kind};
use crate::http::route::{Answer, Route, Schema};
use crate::http::{Asking, LastSegment, cookie};
use crate::ids::SessionId;
use crate::secret::Secret;
use crate::users::User;

/// The field that says how a session is to be carried.
pub const SESSION: Field = Field::optional(
    "session",
    Kind::OneOf(Carried::NAMES),
    "How the session is carried: token is the documented answer, refresh adds a refresh token, cookie sets a cookie that \
     no script can read",
);

const SIGN_OUT: &[Field] = &[Field::optional(
    "scope",
    Kind::OneOf(&["this", "others", "all"]),
    "Which sessions end: this one unless it says otherwise",
)];

/// More of one person's sessions are not listed; ending the others or all of them ends these too.
const MOST_LISTED: u32 = 500;

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/auth/signout", sign_out)
            .about("Ends sessions of the caller; done already is done too")
            .leaving()
            .body(SIGN_OUT)
            .answers([Answer::nothing(
                "They have ended, and the cookie is taken back",
            )]),
        Route::get("/auth/sessions", list)
            .about("Where the caller is signed in, the session used last first")
            .signed_in()
            .answers([Answer::ok(SESSIONS, "The live sessions")]),
        Route::delete("/auth/sessions/{id}", end)
            .about("Ends one of the caller's sessions")
            .signed_in()
            .answers([Answer::nothing("It has ended")])
            .refuses(&[StatusCode::NOT_FOUND]),
    ]
}

/// What a completed sign-in answers, by how the session is carried.
pub const GRANT: Schema = Schema {
    name: "Grant",
    text: r##"{
        "oneOf": [
            {
                "title": "token",
                "type": "object",
                "required": ["token"],
                "properties": {
                    "token": {"type": "string", "description": "A JWT; send it as Authorization: Bearer"},
                    "deviceToken": {"type": "string", "description": "What tells this device the next time, if the request had deviceToken"},
                    "recoveryCodes": {"type": "array", "items": {"type": "string"}, "description": "Ten, shown this once, when the sign-in set up the second factor"}
                }
            },
            {
                "title": "refresh",
                "type": "object",
                "required": ["token", "expiresIn", "refreshToken"],
                "properties": {
                    "token": {"type": "string", "description": "A JWT; send it as Authorization: Bearer"},
                    "expiresIn": {"type": "integer", "description": "For how many seconds the token counts"},
                    "refreshToken": {"type": "string", "description": "What POST /auth/refresh takes for the next token, once"},
                    "deviceToken": {"type": "string", "description": "What tells this device the next time, if the request had deviceToken"},
                    "recoveryCodes": {"type": "array", "items": {"type": "string"}, "description": "Ten, shown this once, when the sign-in set up the second factor"}
                }
            },
            {
                "title": "cookie",
                "description": "With Set-Cookie: __Host-doorward, which browsers send by themselves",
                "type": "object",
                "required": ["user"],
                "properties": {
                    "user": {"$ref": "#/components/schemas/User"},
                    "recoveryCodes": {"type": "array", "items": {"type": "string"}, "description": "Ten, shown this once, when the sign-in set up the second factor"}
                }
            }
        ]
    }"##,
};

const SESSIONS: Schema = Schema {
    name: "Sessions",
    text: r#"{
        "type": "object",
        "required": ["data"],
        "properties": {"data": {"type": "array", "items": {
            "type": "object",
            "required": ["id", "current", "createdAt", "lastSeenAt", "expiresAt", "ip", "userAgent", "amr"],
            "properties": {
                "id": {"type": "string"},
                "current": {"type": "boolean", "description": "Whether it is the one that asks"},
                "createdAt": {"type": "string", "format": "date-time"},
                "lastSeenAt": {"type": "string", "format": "date-time", "description": "When it was last renewed, or its cookie used, to five minutes"},
                "expiresAt": {"type": "string", "format": "date-time", "description": "When it ends unless it is used before"},
                "ip": {"type": "string", "description": "The address that the sign-in came from"},
                "userAgent": {"type": ["string", "null"], "description": "The program that the sign-in came with"},
                "amr": {"type": "array", "items": {"type": "string"}, "description": "How they proved who they are (RFC 8176)"}
            }
        }}}
    }"#,
};

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    #[serde(rename_all = "camelCase")]
    Token {
        token: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        device_token: Option<&'a str>,
    },
    #[serde(rename_all = "camelCase")]
    Refresh {
        token: &'a str,
        expires_in: u64,
        refresh_token: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        device_token: Option<&'a str>,
    },
    Cookie {
        user: &'a User,
    },
}

/// The body of a grant, and what else is said with it.
#[derive(Serialize)]
struct Whole<'a, M> {
    #[serde(flatten)]
    body: Body<'a>,
    #[serde(flatten)]
    more: Option<&'a M>,
}

fn told(device: Option<&Secret<String>>) -> Option<&str> {
    device.map(|text| text.expose().as_str())
}

impl IntoResponse for Grant {
    fn into_response(self) -> Response {
        self.answer(None::<&()>)
    }
}

impl Grant {
    /// The answer that gives it, with the members of `more` in its body.
    pub(crate) fn answer<M: Serialize>(&self, more: Option<&M>) -> Response {
        match self {
            Self::Token { token, device } => {
                let device_token = told(device.as_ref());
                let body = Body::Token {
                    token,
                    device_token,
                };
                Json(Whole { body, more }).into_response()
            }
            Self::Refresh {
                token,
                expires_in,
                refresh_token,
                device,
            } => {
                let body = Body::Refresh {
                    token,
                    expires_in: expires_in.as_secs(),
                    refresh_token: refresh_token.expose(),
                    device_token: told(device.as_ref()),
                };
                Json(Whole { body, more }).into_response()
            }
            Self::Cookie {
                value,
                max_age,
                user,
            } => {
                let cookie = [(SET_COOKIE, cookie::set(value, *max_age))];
                let body = Body::Cookie { user };
                (cookie, Json(Whole { body, more })).into_response()
            }
        }
    }
}

async fn sign_out(
    State(app): State<App>,
    asking: Asking,
    leaving: Leaving,
    mut fields: Fields,
) -> Result<Response, Error> {
    let ending = match fields.text("scope").as_deref() {
        Some("others") => Ending::Others,
        Some("all") => Ending::All,
        _ => Ending::This,
    };
    super::sign_out(&app.db, &app.revocations, &leaving, ending, &asking).await?;
    // What a browser sent and is good for nothing any more is taken back.
    if leaving.has_cookie && ending != Ending::Others {
        return Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie::clear())]).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A session as its owner sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: SessionId,
    current: bool,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
    ip: String,
    user_agent: Option<String>,
    amr: Vec<String>,
}

#[derive(Serialize)]
struct List {
    data: Vec<Listed>,
}

async fn list(
    State(app): State<App>,
    asking: Asking,
    signed_in: SignedIn,
) -> Result<Json<List>, Error> {
    let sessions = store::of_user(&app.db, &signed_in.user.id, asking.now, MOST_LISTED).await?;
    let listed = |session: Session| Listed {
        current: session.id == signed_in.session,
        id: session.id,
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        expires_at: session.expires_at,
        ip: session.ip,
        user_agent: session.agent,
        amr: session.amr,
    };
    Ok(Json(List {
        data: sessions.into_iter().map(listed).collect(),
    }))
}

async fn end(
    State(app): State<App>,
    asking: Asking,
    signed_in: SignedIn,
    LastSegment(id): LastSegment,
) -> Result<StatusCode, Error> {
    let SignedIn { user, session, .. } = signed_in;
    let which = [&SessionId::from_stored(id), &session];
    super::end_from(&app.db, &app.revocations, &user.id, which, &asking).await?;
    Ok(StatusCode::NO_CONTENT)
}
