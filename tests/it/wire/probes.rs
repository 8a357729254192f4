//! One request for each route of the table.

use std::fmt::Write as _;

use axum::http::{Method, StatusCode};
use doorward::http::body::{Field, Kind, Media};
use doorward::http::route::{Limit, Who};
use doorward::router;
use serde_json::{Map, Value, json};

use super::listening::Listening;
use crate::harness::form::{basic, form_of};
use crate::harness::{ADA, CLIENT, PASSWORD};

/// The address of somebody who has no account, and must not get one by accident.
pub const MALLORY: &str = "mallory@example.com";

/// A route, and what to ask it.
#[derive(Clone)]
pub struct Probe {
    pub method: String,
    pub path: &'static str,
    pub who: Who,
    pub limit: Limit,
    /// A body that would change something, for routes that read one.
    pub body: Option<Value>,
    pub media: Media,
}

/// All of them.
pub fn probes() -> Vec<Probe> {
    let table = router::table().into_iter().map(|route| {
        let makes = route
            .answers
            .iter()
            .any(|it| it.status == StatusCode::CREATED);
        let email = if makes { MALLORY } else { ADA };
        Probe {
            method: route.method.to_string(),
            path: route.path,
            who: route.who,
            limit: route.limit,
            body: (!route.body.is_empty()).then(|| body(route.body, email)),
            media: route.media,
        }
    });
    table.collect()
}

impl Probe {
    /// `POST /auth/signin`, for whoever reads of a failure.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The first line and `Host`, without the end of the head.
    pub fn head(&self) -> String {
        format!(
            "{} {} HTTP/1.1\r\nHost: localhost\r\n",
            self.method, self.path
        )
    }

    /// The request as it should be, with a token if it needs one, and with `extra` header lines.
    pub fn request(&self, on: &Listening, extra: &str) -> Vec<u8> {
        self.request_at(self.path, on, extra)
    }

    /// The same for another target.
    pub fn request_at(&self, target: &str, on: &Listening, extra: &str) -> Vec<u8> {
        let mut head = format!(
            "{} {target} HTTP/1.1\r\nHost: localhost\r\n{extra}",
            self.method
        );
        if self.who == Who::Client {
            write!(head, "Authorization: {}\r\n", basic(CLIENT.0, CLIENT.1)).unwrap();
        } else if let Some(token) = on.token_for(self.sender()) {
            write!(head, "Authorization: Bearer {token}\r\n").unwrap();
        }
        let body = self.body.as_ref().map(|body| written(self.media, body));
        let body = body.unwrap_or_default();
        if self.body.is_some() {
            let length = body.len();
            write!(
                head,
                "Content-Type: {}\r\nContent-Length: {length}\r\n",
                self.media.name()
            )
            .unwrap();
        }
        format!("{head}\r\n{body}").into_bytes()
    }

    /// Who sends it: what is posted without a body changes something whatever is wrong with it, unless the session is over.
    pub fn sender(&self) -> Who {
        match self.who {
            Who::SignedIn if self.method == "POST" && self.body.is_none() => Who::Leaving,
            who => who,
        }
    }

    /// Whether it answers to a GET.
    pub fn is_get(&self) -> bool {
        self.method == "GET"
    }
}

/// The refusal that whoever is let in gets all the same: nobody's code is in the body, and nobody has a second
/// factor.
pub fn told_no(method: &Method, path: &str) -> Option<(StatusCode, &'static str)> {
    match (method.as_str(), path) {
        ("POST", "/auth/totp/confirm") => Some((StatusCode::BAD_REQUEST, "code_invalid")),
        ("POST", "/auth/signin/second-factor" | "/auth/signin/enrol") => {
            Some((StatusCode::UNAUTHORIZED, "challenge_expired"))
        }
        ("DELETE", "/auth/trusted-devices/{id}") => Some((StatusCode::NOT_FOUND, "not_found")),
        ("DELETE", "/auth/totp") => Some((StatusCode::CONFLICT, "totp_not_enabled")),
        ("POST", "/auth/recovery-codes") => {
            Some((StatusCode::CONFLICT, "second_factor_not_enabled"))
        }
        ("POST", "/auth/passkeys/register") => Some((StatusCode::BAD_REQUEST, "passkey_invalid")),
        ("POST", "/auth/passkeys/signin") => Some((StatusCode::UNAUTHORIZED, "passkey_invalid")),
        ("PATCH" | "DELETE", "/auth/passkeys/{id}")
        | ("GET", "/.well-known/passkey-endpoints" | "/.well-known/webauthn") => {
            Some((StatusCode::NOT_FOUND, "not_found"))
        }
        _ => None,
    }
}

/// Whether a field is for those who leave out others: a client says who it is in the header; a code or a password is shown, or
/// else a passkey; and who has no challenge asks for a passkey of anybody.
pub fn is_in_the_place_of_another(field: &Field) -> bool {
    let is_one_of = ["ceremonyId", "credential", "challenge"].contains(&field.name);
    field.name.starts_with("client_") || (is_one_of && !field.required)
}

/// A body as a route reads it.
pub fn written(media: Media, body: &Value) -> String {
    match media {
        Media::Json => body.to_string(),
        Media::Form => form_of(body),
    }
}

/// A body with every field that a route declares, and right in each.
pub fn body(fields: &[Field], email: &str) -> Value {
    let fields = fields.iter().filter(|it| !is_in_the_place_of_another(it));
    let values = fields.map(|field| {
        let value = match field.kind {
            Kind::Email => json!(email),
            Kind::Password => json!(PASSWORD),
            Kind::Text { .. } => json!("Another Name"),
            Kind::Locale => json!("pt-BR"),
            Kind::Object { .. } => json!({"changed": true}),
            Kind::Boolean => json!(true),
            Kind::OneOf(words) => json!(words[0]),
        };
        (field.name.to_owned(), value)
    });
    Value::Object(values.collect::<Map<_, _>>())
}
