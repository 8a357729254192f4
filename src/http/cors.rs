//! Which other origins' pages may read our answers (the Fetch standard's CORS protocol). It guards readers, not us: a
//! request from a refused origin is still served, and its page does not get to see the answer.

use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::{CorsConfig, Origin};

/// How long a browser may remember a preflight's answer.
const PREFLIGHT_AGE: Duration = Duration::from_mins(10);
/// The most characters of a refused origin that are logged.
const LOGGED_CHARS: usize = 200;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATELIMIT: [HeaderName; 3] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];

/// The CORS rules for the whole router.
///
/// Credentials are not allowed, so a foreign page can send no cookie; the bearer token in `Authorization` is enough.
/// The layer also answers every `OPTIONS` request, and puts `Vary: Origin` on every answer.
pub fn cors(config: &CorsConfig) -> CorsLayer {
    let listed: Vec<String> = config.origins.iter().map(Origin::to_string).collect();
    let allow_localhost = config.allow_localhost;
    let is_allowed = move |origin: &HeaderValue, request: &Parts| {
        let allowed = origin.to_str().is_ok_and(|origin| {
            listed.iter().any(|listed| listed == origin)
                || (allow_localhost && is_localhost(origin))
        });
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

fn shown(origin: &HeaderValue) -> String {
    let escaped = origin.as_bytes().escape_ascii().to_string();
    escaped.chars().take(LOGGED_CHARS).collect()
}

#[cfg(test)]
mod tests;
