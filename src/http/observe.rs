//! The edge: gives each request its id, its moment and its client, and writes one line and one figure about it.
//! Neither line nor figure holds a path as it was sent, an address of a person, or anything else a stranger typed.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;

use crate::clock::Clock;
use crate::error::{Broken, Code, Error};
use crate::http::Asking;
use crate::http::client::{Client, IsProxy, Peer};
use crate::ids::RequestId;

/// The header that carries a request's id, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer id from outside is not taken over, in characters.
const MAX_REQUEST_ID: usize = 128;

/// What the edge needs to know.
#[derive(Clone)]
pub struct Edge {
    /// What tells the time.
    pub clock: Clock,
    /// Whose word on who their client is counts.
    pub is_proxy: IsProxy,
}

/// The outermost layer of every route.
#[expect(
    clippy::disallowed_methods,
    reason = "how long an answer took is measured here and told to no one but the log"
)]
pub async fn observe(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let now = edge.clock.now();
    let request_id =
        given_id(request.headers()).unwrap_or_else(|| RequestId::new(now).as_str().to_owned());
    let Some(peer) = request.extensions().get::<Peer>() else {
        return Error::bug("a request came in without its peer").into_response();
    };
    let client = Client::of(peer.address.ip(), request.headers(), |address| {
        (edge.is_proxy)(address)
    });
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let method = known_method(request.method());
    let ip = client.address;
    let span = tracing::error_span!("request", request_id, user_id = tracing::field::Empty);

    request.extensions_mut().insert(Asking {
        now,
        client,
        request_id: request_id.clone(),
    });
    let mut answer = next.run(request).instrument(span.clone()).await;

    let took = began.elapsed();
    let status = answer.status().as_u16();
    let code = answer.extensions().get::<Code>().map(|code| code.0);
    span.in_scope(|| {
        if let Some(Broken::Unavailable(cause) | Broken::Bug(cause)) = answer.extensions().get::<Broken>() {
            tracing::error!(%cause, "a request failed on our side");
        }
        let ms = took.as_secs_f64() * 1_000.0;
        tracing::info!(target: "doorward::access", method, route, status, ms, %ip, code, "answered");
    });
    metrics::histogram!(
        "http_server_request_duration_seconds",
        "http_route" => route.to_owned(),
        "http_request_method" => method,
        "http_response_status_code" => status.to_string()
    )
    .record(took);
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    answer
}

/// The caller's own id, if it is one that a log can bear.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_fit = (1..=MAX_REQUEST_ID).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    is_fit.then(|| id.to_owned())
}

/// Methods are an open set, and labels must not be.
fn known_method(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}
