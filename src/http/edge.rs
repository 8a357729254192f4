//! The edge: gives each request its id, its moment, its client and what its headers say of the page that sent it; gives each
//! answer the headers that all have, and writes one line and one figure about it. Neither line nor figure holds a path as it
//! was sent, an address of a person, or anything else a stranger typed.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use metrics::Histogram;
use tracing::Instrument as _;

use crate::clock::Clock;
use crate::error::{Broken, Code, Error};
use crate::http::client::{Client, IsProxy, Peer};
use crate::http::csrf::Guard;
use crate::http::{Asking, headers};
use crate::ids::{RequestId, UserId};

/// The header that carries a request's id, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer id from outside is not taken over, in characters.
const MAX_REQUEST_ID: usize = 128;

/// What the edge needs to know.
pub struct Edge {
    /// What tells the time.
    pub clock: Clock,
    /// Whose word on who their client is counts.
    pub is_proxy: IsProxy,
    /// Whose pages may use the session cookie.
    pub guard: Guard,
    /// Whether people reach the service by `https:`, whatever this connection is.
    pub is_https: bool,
    /// How long answers took.
    pub durations: Durations,
}

/// How long answers took, by the line of the table, the method and the status: the figure of each, found once. There are few of
/// them, and to look one up by its labels takes as long as the rest of the edge.
#[derive(Default)]
pub struct Durations(RwLock<HashMap<Labels, Histogram>>);

type Labels = (&'static str, &'static str, StatusCode);

impl Durations {
    fn note(&self, labels: Labels, took: Duration) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(histogram) = known.get(&labels) {
            return histogram.record(took);
        }
        drop(known);
        let (route, method, status) = labels;
        let histogram = metrics::histogram!(
            "http_server_request_duration_seconds",
            "http_route" => route,
            "http_request_method" => method,
            "http_response_status_code" => status.as_str().to_owned()
        );
        histogram.record(took);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(labels, histogram);
    }
}

/// What becomes known of a request on its way, for the line that is written about it.
#[derive(Clone, Default)]
pub struct Noted(Arc<Notes>);

#[derive(Default)]
struct Notes {
    route: OnceLock<&'static str>,
    caller: OnceLock<UserId>,
}

impl Noted {
    /// Notes that it came to the line of the table with this path, as the table writes it: never for what CORS answers before, a
    /// preflight.
    pub fn came_to(&self, path: &'static str) {
        self.0.route.get_or_init(|| path);
    }

    /// Notes who sent it.
    pub fn is_from(&self, caller: &UserId) {
        self.0.caller.get_or_init(|| caller.clone());
    }
}

/// The outermost layer of every route.
#[expect(
    clippy::disallowed_methods,
    reason = "how long an answer took is measured here and told to no one but the log"
)]
pub async fn edge(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let now = edge.clock.now();
    let request_id =
        given_id(request.headers()).unwrap_or_else(|| RequestId::new(now).as_str().to_owned());
    let Some(&peer) = request.extensions().get::<Peer>() else {
        return Error::bug("a request came in without its peer").into_response();
    };
    let client = Client::of(peer.address.ip(), request.headers(), |address| {
        (edge.is_proxy)(address)
    });
    let sender = edge.guard.judge(request.method(), request.headers()).await;
    let method = known_method(request.method());
    let (ip, noted) = (client.address, Noted::default());
    let span = tracing::error_span!("request", request_id);

    let extensions = request.extensions_mut();
    extensions.insert(sender);
    extensions.insert(noted.clone());
    extensions.insert(Asking {
        now,
        client,
        request_id: request_id.clone(),
    });
    let mut answer = next.run(request).instrument(span.clone()).await;
    headers::harden(answer.headers_mut(), edge.is_https || peer.tls);
    if method == "HEAD" {
        // The router sees to its own answers; the one for a panic is not of them.
        *answer.body_mut() = Body::empty();
    }

    let took = began.elapsed();
    let route = noted.0.route.get().copied().unwrap_or("none");
    let user_id = noted.0.caller.get().map(UserId::as_str);
    let status = answer.status();
    let code = answer.extensions().get::<Code>().map(|code| code.0);
    span.in_scope(|| {
        if let Some(Broken::Unavailable(cause) | Broken::Bug(cause)) = answer.extensions().get::<Broken>() {
            tracing::error!(%cause, "a request failed on our side");
        }
        let (status, ms) = (status.as_u16(), took.as_secs_f64() * 1_000.0);
        tracing::info!(target: "doorward::access", method, route, status, ms, %ip, code, user_id, "answered");
    });
    edge.durations.note((route, method, status), took);
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
