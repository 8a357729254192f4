//! Which other origins' pages may read our answers (the Fetch standard's CORS protocol). It guards readers, not us: a
//! request from a refused origin is still served, and its page does not get to see the answer.

use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use tower_http::cors::{AllowOrigin, CorsLayer};

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

/// An entry of `cors.origins` that is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cors.origins: {0:?} is not an origin; write scheme and host as the browser shows them, such as https://app.example.com, \
     with no path, no `*`, and an international name in its xn-- form"
)]
pub struct InvalidOrigin(String);

/// The CORS rules for the whole router: exactly `origins`, and with `allow_localhost` any port of this machine.
///
/// Credentials are not allowed, so a foreign page can send no cookie; the bearer token in `Authorization` is enough.
/// The layer also answers every `OPTIONS` request, and puts `Vary: Origin` on every answer.
pub fn cors(origins: &[String], allow_localhost: bool) -> Result<CorsLayer, InvalidOrigin> {
    let allowed = origins
        .iter()
        .map(|origin| normal_form(origin).ok_or_else(|| InvalidOrigin(origin.clone())))
        .collect::<Result<Vec<_>, _>>()?;
    let is_allowed = move |origin: &HeaderValue, request: &Parts| {
        let allowed = origin.to_str().is_ok_and(|origin| {
            allowed.iter().any(|a| a == origin) || (allow_localhost && is_localhost(origin))
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
    Ok(CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([CONTENT_TYPE, AUTHORIZATION, X_REQUEST_ID])
        .expose_headers([X_REQUEST_ID, RETRY_AFTER, limit, remaining, reset])
        .max_age(PREFLIGHT_AGE)
        .vary([ORIGIN]))
}

/// An origin as browsers serialise it: lower case, no default port, no trailing slash. `None` when it is not one.
fn normal_form(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let scheme = uri.scheme_str()?;
    let authority = uri.authority()?;
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let bare = uri.path() == "/" && uri.query().is_none() && !text.ends_with('?');
    let host = authority.host();
    if !bare || host.is_empty() || host.contains('*') || authority.as_str().contains('@') {
        return None;
    }
    let port = match authority.port() {
        None => String::new(),
        Some(port) if port.as_u16() == default_port => String::new(),
        Some(port) => format!(":{}", port.as_u16()),
    };
    Some(format!("{scheme}://{}{port}", host.to_ascii_lowercase()))
}

/// Whether an origin is this machine, whatever the port. The whole text is matched: `localhost.evil.example` is not.
fn is_localhost(origin: &str) -> bool {
    let host = ["http://", "https://"]
        .iter()
        .find_map(|scheme| origin.strip_prefix(scheme));
    let port = host.and_then(|host| {
        ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .find_map(|name| host.strip_prefix(name))
    });
    match port {
        None => false,
        Some("") => true,
        Some(port) => port.strip_prefix(':').is_some_and(|port| {
            port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
        }),
    }
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
