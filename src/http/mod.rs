//! What every route shares: who asks, how a body is read, which limits hold, what is written down about it.
//! It knows no feature: a route is data here, and the router joins the two.

pub mod body;
pub mod client;
pub mod cookie;
pub mod cors;
pub mod csrf;
pub mod edge;
pub mod headers;
pub mod oauth;
pub mod openapi;
pub mod route;
pub mod server;
pub mod strict_form;
pub mod strict_json;
pub mod tls;

use axum::extract::FromRequestParts;
use axum::http::Extensions;
use axum::http::request::Parts;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::error::Refusal;
use client::Client;

/// The last segment of the path, for a route that ends with an id of ours. Such an id needs no escaping, so whatever is
/// escaped names nothing.
pub struct LastSegment(pub String);

impl<S: Sync> FromRequestParts<S> for LastSegment {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let (_, last) = parts.uri.path().rsplit_once('/').unwrap_or_default();
        let is_id = !last.is_empty()
            && last
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        is_id
            .then(|| Self(last.to_owned()))
            .ok_or(Refusal::NotFound)
    }
}

/// Who asks, and when: read once at the edge and handed down, so that one request has one `now`.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The moment the request arrived.
    pub now: Timestamp,
    /// The address and the agent.
    pub client: Client,
    /// The id that the answer, the log line and the audit rows share.
    pub request_id: String,
}

impl Asking {
    /// Who sent the request with these extensions.
    ///
    /// # Errors
    /// One of ours, when it did not come in by the edge.
    pub fn of(extensions: &Extensions) -> Result<&Self, Error> {
        let asking = extensions.get::<Self>();
        asking.ok_or_else(|| Error::bug("a request reached a route past the edge"))
    }
}

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Self::of(&parts.extensions).cloned()
    }
}
