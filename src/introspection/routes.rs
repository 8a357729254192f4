//! `POST /auth/introspect`, for clients with a secret.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{introspect, is_client};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::http::body::{Field, Fields, Kind, MAX_BYTES};
use crate::http::route::{Answer, Route, Schema};
use crate::http::strict_form;
use crate::secret::Secret;

const ASKED: &[Field] = &[
    Field::required(
        "token",
        Kind::Text { max: MAX_BYTES },
        "What is asked about",
    ),
    Field::optional(
        "token_type_hint",
        Kind::Text { max: MAX_BYTES },
        "Taken, and of no consequence: only access tokens are ever active",
    ),
    Field::optional(
        "client_id",
        Kind::Text { max: MAX_BYTES },
        "The client's name, where there is no Authorization header",
    ),
    Field::optional(
        "client_secret",
        Kind::Text { max: MAX_BYTES },
        "The client's secret, where there is no Authorization header",
    ),
];

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::post("/auth/introspect", answer)
            .about(
                "Tells a back end whether an access token is good now, and what it says (RFC 7662)",
            )
            .form(ASKED)
            .answers([Answer::ok(
                INTROSPECTION,
                "What there is to say of the token",
            )])
            .client(),
    ]
}

const INTROSPECTION: Schema = Schema {
    name: "Introspection",
    text: r#"{
        "type": "object",
        "description": "Of anything but a live access token, active alone, which is false",
        "required": ["active"],
        "properties": {
            "active": {"type": "boolean"},
            "token_type": {"const": "Bearer"},
            "iss": {"type": "string"},
            "aud": {"type": "string"},
            "sub": {"type": "string", "description": "Whose token it is"},
            "sid": {"type": "string", "description": "The session that it came from"},
            "jti": {"type": "string"},
            "iat": {"type": "integer", "description": "When it was issued, in seconds"},
            "exp": {"type": "integer", "description": "Until when it counts, in seconds"},
            "auth_time": {"type": "integer", "description": "When its owner proved who they are, in seconds"},
            "amr": {"type": "array", "items": {"type": "string"}, "description": "How they proved it (RFC 8176)"},
            "email": {"type": "string"},
            "email_verified": {"type": "boolean"},
            "name": {"type": "string"},
            "roles": {"type": "array", "items": {"type": "string"}}
        }
    }"#,
};

async fn answer(
    State(app): State<App>,
    asking: Asking,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Json<Map<String, Value>>, Error> {
    let is_right = presented(&headers, &mut fields)?
        .iter()
        .fold(false, |found, (name, secret)| {
            found | is_client(&app.config.introspection.clients, name, secret)
        });
    // A right secret is never counted nor held back by what others tried from its address: it is no guess.
    if !is_right {
        let charged = app.limits.spend(asking.client.key(), asking.now);
        charged.map_err(|(limited, _)| limited)?;
        return Err(Refusal::ClientInvalid.into());
    }
    let token = fields.required("token").map(Secret::new)?;
    Ok(Json(introspect(&app, token.expose(), asking.now).await?))
}

/// A name and a secret that somebody presents.
type Presented = (String, Secret<String>);

/// What the caller presents, in each way in which it can be read: nothing, or what is in the form, or what is in the header,
/// as it stands and with the form's escapes taken away. RFC 6749 section 2.3.1 has them there, and many programs do not.
fn presented(headers: &HeaderMap, fields: &mut Fields) -> Result<Vec<Presented>, Refusal> {
    let in_form = (fields.text("client_id"), fields.secret("client_secret"));
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next(), in_form) {
        (None, _, (Some(name), Some(secret))) => Ok(vec![(name, secret)]),
        (None, _, _) | (Some(_), Some(_), _) => Ok(Vec::new()),
        // Programs that send the header may name themselves in the form too.
        (Some(value), None, (named, None)) => {
            let read = basic(value).unwrap_or_default();
            let is_another =
                |named| !read.is_empty() && read.iter().all(|(name, _)| *name != named);
            if named.is_some_and(is_another) {
                return Err(Refusal::invalid(
                    "client_id must be the name that is in the header Authorization",
                ));
            }
            Ok(read)
        }
        // Section 2.3: not more than one way in a request.
        (Some(_), None, _) => Err(Refusal::invalid(
            "client_secret must not be there when the header Authorization is",
        )),
    }
}

/// `Authorization: Basic`, read in both ways.
fn basic(value: &HeaderValue) -> Option<Vec<Presented>> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = Zeroizing::new(STANDARD.decode(encoded.trim_start_matches(' ')).ok()?);
    let (name, secret) = str::from_utf8(&plain).ok()?.split_once(':')?;
    let mut read = vec![(name.to_owned(), Secret::new(secret.to_owned()))];
    if let (Ok(name), Ok(secret)) = (
        strict_form::decode(name.as_bytes()),
        strict_form::decode(secret.as_bytes()),
    ) {
        read.push((name, Secret::new(secret)));
    }
    Some(read)
}
