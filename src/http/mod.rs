//! What every route shares: who asks, how a body is read, which limits hold, what is written down about it.
//! It knows no feature: a route is data here, and the router joins the two.

pub mod body;
pub mod client;
pub mod cookie;
pub mod cors;
pub mod csrf;
pub mod headers;
pub mod oauth;
pub mod observe;
pub mod openapi;
pub mod route;
pub mod server;
pub mod strict_form;
mod strict_json;
pub mod tls;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::clock::Timestamp;
use crate::error::Error;
use client::Client;

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

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Error::bug("a request reached a route unobserved"))
    }
}
