//! The edge: gives each request its id, its moment, its client and what its headers say of the page that sent it; gives each
//! answer the headers that all have, and writes one line and one figure about it. Neither line nor figure holds a path as it
//! was sent, an address of a person, or anything else a stranger typed.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use metrics::Histogram;
use tower::Service;
use tracing::{Instrument as _, Span};

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
pub struct Durations(ArcSwap<HashMap<Labels, Histogram>>);

type Labels = (&'static str, &'static str, StatusCode);

impl Durations {
    fn note(&self, labels: Labels, took: Duration) {
        if let Some(histogram) = self.0.load().get(&labels) {
            return histogram.record(took);
        }
        let (route, method, status) = labels;
        let histogram = metrics::histogram!(
            "http_server_request_duration_seconds",
            "http_route" => route,
            "http_request_method" => method,
            "http_response_status_code" => status.as_str().to_owned()
        );
        histogram.record(took);
        self.0.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.insert(labels, histogram.clone());
            known
        });
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

/// What is kept of a request until it is answered.
struct Visit {
    began: Instant,
    method: &'static str,
    ip: IpAddr,
    is_https: bool,
    request_id: String,
    noted: Noted,
    span: Span,
}

impl Edge {
    /// Stands around every route: those that `within` has.
    pub fn around<S, B>(
        self: Arc<Self>,
        mut request: Request,
        within: &mut S,
    ) -> impl Future<Output = Response> + Send + use<S, B>
    where
        S: Service<Request, Response = Response<B>, Error = Infallible, Future: Send>,
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let going_on = self.enter(&mut request).map(|visit| {
            let answer = within.call(request).instrument(visit.span.clone());
            (visit, answer)
        });
        async move {
            match going_on {
                Ok((visit, answer)) => {
                    let Ok(answer) = answer.await;
                    self.leave(&visit, answer.map(Body::new))
                }
                Err(bug) => bug.into_response(),
            }
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "how long an answer took is measured here and told to no one but the log"
    )]
    fn enter(&self, request: &mut Request) -> Result<Visit, Error> {
        let began = Instant::now();
        let now = self.clock.now();
        let request_id =
            given_id(request.headers()).unwrap_or_else(|| RequestId::new(now).as_str().to_owned());
        let Some(&peer) = request.extensions().get::<Peer>() else {
            return Err(Error::bug("a request came in without its peer"));
        };
        let client = Client::of(peer.address.ip(), request.headers(), |address| {
            (self.is_proxy)(address)
        });
        let sender = self.guard.judge(request.method(), request.headers());
        let visit = Visit {
            began,
            method: known_method(request.method()),
            ip: client.address,
            is_https: self.is_https || peer.tls,
            request_id: request_id.clone(),
            noted: Noted::default(),
            span: tracing::error_span!("request", request_id),
        };
        let extensions = request.extensions_mut();
        extensions.insert(sender);
        extensions.insert(visit.noted.clone());
        extensions.insert(Asking {
            now,
            client,
            request_id,
        });
        Ok(visit)
    }

    fn leave(&self, visit: &Visit, mut answer: Response) -> Response {
        let Visit { method, ip, .. } = *visit;
        headers::harden(answer.headers_mut(), visit.is_https);
        if method == "HEAD" {
            // The router sees to its own answers; the one for a panic is not of them.
            *answer.body_mut() = Body::empty();
        }

        let took = visit.began.elapsed();
        let Notes { route, caller } = &*visit.noted.0;
        let (route, user_id) = (route.get().copied().unwrap_or("none"), caller.get());
        let status = answer.status();
        visit.span.in_scope(|| {
            if let Some(Broken::Unavailable(cause) | Broken::Bug(cause)) = answer.extensions().get::<Broken>() {
                tracing::error!(%cause, "a request failed on our side");
            }
            let code = answer.extensions().get::<Code>().map(|code| code.0);
            let (status, ms) = (status.as_u16(), took.as_secs_f64() * 1_000.0);
            let user_id = user_id.map(UserId::as_str);
            tracing::info!(target: "doorward::access", method, route, status, ms, %ip, code, user_id, "answered");
        });
        self.durations.note((route, method, status), took);
        if let Ok(id) = HeaderValue::from_str(&visit.request_id) {
            answer.headers_mut().insert(REQUEST_ID, id);
        }
        answer
    }
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
