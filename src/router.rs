//! Joins the features' routes into one table, and serves it under the layers that every route shares.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::config::Config;
use crate::error::{Error, Refusal};
use crate::http::body::{Declared, Media};
use crate::http::client::IsProxy;
use crate::http::csrf::{self, Guard};
use crate::http::observe::{Edge, observe};
use crate::http::route::{Limit, Route};
use crate::http::server::IsShared;
use crate::http::{Asking, cors, headers, oauth, openapi};
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

/// The service, ready to be served.
pub fn router(app: &App) -> Router {
    let edge = Edge {
        clock: app.clock.clone(),
        is_proxy: is_proxy(&app.config),
    };
    let csrf = Guard::new(app.config.public_url.origin(), &app.config.cors);
    let table = table();
    let document = openapi::document(&table);
    table
        .into_iter()
        .fold(Router::new(), |router, route| serve(router, route, app))
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async { Refusal::MethodNotAllowed })
        .layer(axum::Extension(document))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(csrf, csrf::judge))
        .layer(cors::cors(&app.config.cors))
        .layer(middleware::from_fn_with_state(
            app.config.public_url.is_https(),
            headers::secure,
        ))
        .layer(middleware::from_fn_with_state(edge, observe))
        .with_state(app.clone())
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

/// Adds one line of the table, with what the line asks for.
fn serve(router: Router<App>, route: Route<App>, app: &App) -> Router<App> {
    let (path, limit, media) = (route.path, route.limit, route.media);
    let fields = route.body;
    let mut handler = route
        .into_handler()
        .route_layer(axum::Extension(Declared { fields, media }));
    if !fields.is_empty() || limit != Limit::Free {
        handler = handler.route_layer(middleware::from_fn(keep_out_of_the_query));
    }
    let budget: Option<Budget> = match limit {
        Limit::Credential => Some(|app| &app.limits),
        Limit::Page => Some(|app| &app.page_limits),
        Limit::Free | Limit::Failure => None,
    };
    if let Some(budget) = budget {
        let state = (app.clone(), budget);
        handler = handler.route_layer(middleware::from_fn_with_state(state, guard));
    }
    if media == Media::Form {
        handler = handler.route_layer(middleware::from_fn(oauth::say_again));
    }
    router.route(path, handler)
}

/// Which budget of each address a route counts against.
type Budget = fn(&App) -> &Limits;

/// What stands before every route that checks or makes a credential, and before those that pages ask as they open.
async fn guard(
    State((app, budget)): State<(App, Budget)>,
    asking: Asking,
    request: Request,
    next: Next,
) -> Response {
    let standing = match budget(&app).spend(asking.client.key(), asking.now) {
        Ok(standing) => standing,
        Err((refusal, standing)) => {
            let mut answer = refusal.into_response();
            tell(standing, &mut answer);
            return answer;
        }
    };
    let mut answer = next.run(request).await;
    if let Some(standing) = standing {
        tell(standing, &mut answer);
    }
    answer
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

/// Refuses what every log on the way has read.
async fn keep_out_of_the_query(request: Request, next: Next) -> Response {
    if has_credentials(request.uri().query()) {
        return Refusal::CredentialsInQuery.into_response();
    }
    next.run(request).await
}

/// Whether the query string names a credential, in any case and however it is escaped.
fn has_credentials(query: Option<&str>) -> bool {
    query.is_some_and(|query| {
        query.split('&').any(|pair| {
            let name = pair.split('=').next().unwrap_or(pair).to_ascii_lowercase();
            name.contains('%') || CREDENTIALS.contains(&name.as_str())
        })
    })
}

/// draft-ietf-httpapi-ratelimit-headers, in the form that clients read today.
fn tell(standing: Standing, answer: &mut Response) {
    let Standing {
        limit,
        remaining,
        reset,
    } = standing;
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
}

/// A handler that panics costs its own request and nothing else.
#[expect(clippy::needless_pass_by_value, reason = "the layer gives it away")]
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    metrics::counter!("doorward_panics_total").increment(1);
    let text = cause
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| cause.downcast_ref::<String>().cloned());
    Error::bug(format_args!("panic: {}", text.unwrap_or_default())).into_response()
}
