//! Which other origins' pages may read our answers (the Fetch standard's CORS protocol). It guards readers, not us: a
//! request from a refused origin is still served, and its page does not get to see the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowCredentials, AllowOrigin, CorsLayer};

use crate::config::{CorsConfig, Origin};

/// How long a browser may remember a preflight's answer.
const PREFLIGHT_AGE: Duration = Duration::from_mins(10);
/// Where the cookie means something. The key set and the probes are elsewhere.
const API: &str = "/auth/";
/// The most characters of a refused origin that are logged.
const LOGGED_CHARS: usize = 200;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATELIMIT: [HeaderName; 3] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];

/// The origins whose pages may call: those that the operator listed, and with `--dev` those of this machine.
#[derive(Debug, Clone)]
pub(super) struct Allowed {
    listed: Arc<[Origin]>,
    localhost: bool,
}

impl Allowed {
    pub(super) fn new(config: &CorsConfig) -> Self {
        Self {
            listed: config.origins.as_slice().into(),
            localhost: config.allow_localhost,
        }
    }

    /// Whether `origin` is one of them, to the letter as browsers write it.
    pub(super) fn has(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| {
            self.listed.iter().any(|listed| listed.as_str() == origin)
                || (self.localhost && is_localhost(origin))
        })
    }
}

/// The CORS rules for the whole router.
///
/// A page of an allowed origin may send the session cookie to the API and read the answer, where its browser adds the
/// cookie at all: `SameSite=Lax` keeps it to pages of our own site. What is open to every origin is open without cookies.
/// The layer also answers every `OPTIONS` request, and puts `Vary: Origin` on every answer.
pub fn cors(config: &CorsConfig) -> CorsLayer {
    let allowed = Allowed::new(config);
    let may_send_cookies = {
        let allowed = allowed.clone();
        move |origin: &HeaderValue, request: &Parts| {
            request.uri.path().starts_with(API) && allowed.has(origin)
        }
    };
    let is_allowed = move |origin: &HeaderValue, request: &Parts| {
        let allowed = allowed.has(origin);
        if !allowed && !is_own(origin, request) {
            tracing::info!(
                origin = %shown(origin),
                "an origin that cors.origins does not list was refused: its pages cannot read our answers"
            );
        }
        allowed
    };
    let [limit, remaining, reset] = RATELIMIT;
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_credentials(AllowCredentials::predicate(may_send_cookies))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([CONTENT_TYPE, AUTHORIZATION, X_REQUEST_ID])
        .expose_headers([X_REQUEST_ID, RETRY_AFTER, limit, remaining, reset])
        .max_age(PREFLIGHT_AGE)
        .vary([ORIGIN])
}

/// Whether an origin is this machine, whatever the port. Read as an origin, not searched for a word:
/// `localhost.evil.example` is another host.
fn is_localhost(origin: &str) -> bool {
    Origin::parse(origin).is_ok_and(|parsed| {
        parsed.as_str() == origin
            && matches!(parsed.scheme(), "http" | "https")
            && matches!(parsed.host(), "localhost" | "127.0.0.1" | "[::1]")
    })
}

/// Whether the page is one of ours: browsers name the origin on their own site's POSTs too, and no CORS is needed.
fn is_own(origin: &HeaderValue, request: &Parts) -> bool {
    let asked = request
        .uri
        .authority()
        .map(Authority::as_str)
        .or_else(|| request.headers.get(HOST)?.to_str().ok());
    let named = origin
        .to_str()
        .ok()
        .and_then(|o| Some(o.split_once("://")?.1));
    named.is_some() && named == asked
}

/// What a stranger wrote, as a log can bear it: ASCII, escaped, short.
pub(super) fn shown(origin: &HeaderValue) -> String {
    let escaped = origin.as_bytes().escape_ascii().to_string();
    escaped.chars().take(LOGGED_CHARS).collect()
}

#[cfg(test)]
mod tests;
