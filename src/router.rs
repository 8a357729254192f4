//! Joins the features' routes into one table, and serves it under the layers that every route shares.

use std::any::Any;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, AddExtension, Next};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use tower::{Service, ServiceBuilder};
use tower_http::catch_panic::{CatchPanic, CatchPanicLayer, ResponseForPanic};
use tower_http::cors::Cors;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Refusal};
use crate::http::body::{Declared, Media};
use crate::http::client::IsProxy;
use crate::http::csrf::Guard;
use crate::http::edge::{Durations, Edge, Noted};
use crate::http::route::{Limit, Route};
use crate::http::server::IsShared;
use crate::http::{Asking, cors, oauth, openapi};
use crate::limits::{Limits, Standing};
use crate::{
    discovery, health, introspection, passkeys, proofs, recovery_codes, refresh, sessions, sign_in,
    sign_up, tokens, totp, trusted_devices, users,
};

/// Every route there is.
pub fn table() -> Vec<Route<App>> {
    [
        sign_in::routes::routes(),
        sign_up::routes::routes(),
        refresh::routes::routes(),
        proofs::routes::routes(),
        passkeys::routes::routes(),
        passkeys::pages::routes(),
        sign_in::passkeys::routes::routes(),
        sessions::routes::routes(),
        users::routes::routes(),
        totp::routes::routes(),
        recovery_codes::routes::routes(),
        trusted_devices::routes::routes(),
        tokens::routes::routes(),
        introspection::routes::routes(),
        discovery::routes::routes(),
        discovery::pages::routes(),
        health::routes::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The service, ready to be served: what all routes share stands around the table once, rather than around each of its lines.
#[derive(Clone)]
pub struct Front {
    edge: Arc<Edge>,
    within: Within,
}

/// What stands between the edge and the lines of the table.
type Within = Cors<CatchPanic<AddExtension<Router, openapi::Document>, Panicked>>;

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    /// At once, as what it is made of.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let served = Arc::clone(&self.edge).around(request, &mut self.within);
        Box::pin(async move { Ok(served.await) })
    }
}

/// The service over `app`.
pub fn router(app: &App) -> Front {
    let table = table();
    let document = openapi::document(&table);
    let paths: Arc<[_]> = table.iter().map(|route| route.path).collect();
    let lines = table
        .into_iter()
        .fold(Router::new(), |router, route| serve(router, route, app))
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(move |at: MatchedPath, noted: Extension<Noted>| async move {
            // As the table writes it, for what is noted is to last.
            if let Some(path) = paths.iter().find(|path| **path == at.as_str()) {
                noted.came_to(path);
            }
            Refusal::MethodNotAllowed
        })
        .with_state(app.clone());
    Front::before(lines, document, &app.config, app.clock.clone())
}

impl Front {
    /// What all these lines share.
    fn before(lines: Router, document: openapi::Document, config: &Config, clock: Clock) -> Self {
        let edge = Edge {
            clock,
            is_proxy: is_proxy(config),
            guard: Guard::new(config.public_url.origin(), &config.cors),
            is_https: config.public_url.is_https(),
            durations: Durations::default(),
        };
        let around = ServiceBuilder::new()
            .layer(cors::cors(&config.cors))
            .layer(CatchPanicLayer::custom(Panicked))
            .layer(Extension(document));
        Self {
            edge: Arc::new(edge),
            within: around.service(lines),
        }
    }
}

/// Which peers' word on who their client is counts.
pub fn is_proxy(config: &Config) -> IsProxy {
    let trusted = config.trusted_proxies.clone();
    Arc::new(move |address| trusted.iter().any(|net| net.contains(address)))
}

/// Which addresses many people share: those of the named proxies, and this machine's own, where one may be that nobody named.
pub fn is_shared(config: &Config) -> IsShared {
    let is_proxy = is_proxy(config);
    Arc::new(move |address| address.is_loopback() || is_proxy(address))
}

/// What a line of the table asks for before its handler is asked.
struct Threshold {
    app: App,
    path: &'static str,
    declared: Declared,
    /// Whether its body has fields, or it costs somebody their budget: what belongs there is not to be in the query.
    has_secrets: bool,
    budget: Option<Budget>,
}

/// Which budget of each address a route counts against.
type Budget = fn(&App) -> &Limits;

/// Adds one line of the table, with what the line asks for.
fn serve(router: Router<App>, route: Route<App>, app: &App) -> Router<App> {
    let (path, limit) = (route.path, route.limit);
    let threshold = Threshold {
        app: app.clone(),
        path,
        declared: Declared {
            fields: route.body,
            media: route.media,
        },
        has_secrets: !route.body.is_empty() || limit != Limit::Free,
        budget: match limit {
            Limit::Credential => Some(|app| &app.limits),
            Limit::Page => Some(|app| &app.page_limits),
            Limit::Free | Limit::Failure => None,
        },
    };
    let cross = middleware::from_fn_with_state(Arc::new(threshold), cross);
    router.route(path, route.into_handler().route_layer(cross))
}

/// What stands before every handler.
async fn cross(
    State(threshold): State<Arc<Threshold>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(noted) = request.extensions().get::<Noted>() {
        noted.came_to(threshold.path);
    }
    request.extensions_mut().insert(threshold.declared);
    let answer = match threshold.admit(&request) {
        Ok(standing) => tell(standing, next.run(request).await),
        Err((refusal, standing)) => tell(standing, refusal.into_response()),
    };
    match threshold.declared.media {
        Media::Json => answer,
        Media::Form => oauth::say_again(answer),
    }
}

impl Threshold {
    /// Whether the request may go on, and how its address stands then.
    fn admit(&self, request: &Request) -> Result<Option<Standing>, (Error, Option<Standing>)> {
        let standing = match self.budget {
            Some(budget) => {
                let asking = Asking::of(request.extensions()).map_err(|bug| (bug, None))?;
                budget(&self.app)
                    .spend(asking.client.key(), asking.now)
                    .map_err(|(refusal, standing)| (refusal.into(), Some(standing)))?
            }
            None => None,
        };
        if self.has_secrets && has_credentials(request.uri().query()) {
            return Err((Refusal::CredentialsInQuery.into(), standing));
        }
        Ok(standing)
    }
}

/// What a credential is called in a body.
const CREDENTIALS: [&str; 12] = [
    "email",
    "password",
    "username",
    "token",
    "refreshtoken",
    "code",
    "challenge",
    "client_secret",
    "devicetoken",
    "ceremonyid",
    "credential",
    "proof",
];

/// Whether the query string, which every log on the way reads, names a credential, in any case and however it is escaped.
fn has_credentials(query: Option<&str>) -> bool {
    query.is_some_and(|query| {
        query.split('&').any(|pair| {
            let name = pair.split('=').next().unwrap_or(pair).to_ascii_lowercase();
            name.contains('%') || CREDENTIALS.contains(&name.as_str())
        })
    })
}

/// draft-ietf-httpapi-ratelimit-headers, in the form that clients read today.
fn tell(standing: Option<Standing>, mut answer: Response) -> Response {
    let Some(Standing {
        limit,
        remaining,
        reset,
    }) = standing
    else {
        return answer;
    };
    let reset = reset.as_micros().div_ceil(1_000_000);
    for (name, value) in [
        ("ratelimit-limit", u128::from(limit)),
        ("ratelimit-remaining", u128::from(remaining)),
        ("ratelimit-reset", reset),
    ] {
        answer.headers_mut().insert(
            HeaderName::from_static(name),
            HeaderValue::from(u64::try_from(value).unwrap_or(0)),
        );
    }
    answer
}

/// A handler that panics costs its own request and nothing else.
#[derive(Clone, Copy)]
struct Panicked;

impl ResponseForPanic for Panicked {
    type ResponseBody = Body;

    fn response_for_panic(&mut self, cause: Box<dyn Any + Send>) -> Response {
        metrics::counter!("doorward_panics_total").increment(1);
        let text = cause
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| cause.downcast_ref::<String>().cloned());
        Error::bug(format_args!("panic: {}", text.unwrap_or_default())).into_response()
    }
}

#[cfg(test)]
mod tests;
