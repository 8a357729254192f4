//! Cross-site request forgery: a page of another site makes a browser send what its person never meant, with their cookie.
//! Browsers say whose page asks (`Sec-Fetch-Site`, `Origin`), and tower-http's layer judges what they say. Each request is
//! judged once, at the edge, and goes on whatever the verdict: a bearer token is nothing that a browser adds by itself.
//! Whatever acts by the cookie, or sets it, asks the [`Sender`] first.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::extract::FromRequestParts;
use axum::http::header::ORIGIN;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use tower::util::ServiceFn;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::csrf::{Csrf, CsrfLayer, ProtectionError};

use super::body::Media;
use super::cors::{self, Allowed};
use crate::config::{CorsConfig, Origin};
use crate::error::{Error, Refusal};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a request looks like to the layer: its method and what the browser says of the page, and nothing else.
type Outline = axum::http::Request<()>;
/// Stands behind the layer: what comes through to it has passed.
type Passed = ServiceFn<fn(Outline) -> Ready<Result<Response<()>, Infallible>>>;

/// Knows whose pages may act by the cookie: our own, and those that may read our answers.
pub struct Guard {
    own: Arc<str>,
    allowed: Allowed,
    layer: Csrf<Passed>,
}

/// What a request's headers say of the page that sent it.
#[derive(Debug, Clone)]
pub struct Sender {
    is_trusted: bool,
    // Anything but JSON is what a form can send too, without a preflight.
    is_form_like: bool,
    origin: Option<HeaderValue>,
    site: Option<HeaderValue>,
}

impl Guard {
    /// The guard of the service that people reach at `own`. The origin is the operator's word and not the `Host` header's,
    /// which a proxy may rewrite and which has no scheme.
    pub fn new(own: &Origin, cors: &CorsConfig) -> Self {
        let passed: fn(Outline) -> _ = |_| ready(Ok(Response::new(())));
        Self {
            own: own.as_str().into(),
            allowed: Allowed::new(cors),
            layer: CsrfLayer::new().layer(service_fn(passed)),
        }
    }

    /// What these headers say of the page that sent them.
    pub(super) fn judge(&self, method: &Method, headers: &HeaderMap) -> Sender {
        let said = |name: &HeaderName| headers.get(name).cloned();
        let (origin, site) = (said(&ORIGIN), said(&SEC_FETCH_SITE));
        let is_known = origin
            .as_ref()
            .is_some_and(|origin| *origin == *self.own || self.allowed.has(origin));
        Sender {
            is_trusted: is_known || self.passes(method, [&origin, &site]),
            is_form_like: method == Method::POST && Media::Json.is_told(headers).is_err(),
            origin,
            site,
        }
    }

    fn passes(&self, method: &Method, [origin, site]: [&Option<HeaderValue>; 2]) -> bool {
        if origin.is_none() && site.is_none() {
            return true; // No browser sent it, as the layer has it too.
        }
        let mut outline = Outline::default();
        outline.method_mut().clone_from(method);
        for (name, value) in [(ORIGIN, origin), (SEC_FETCH_SITE, site)] {
            if let Some(value) = value {
                outline.headers_mut().insert(name, value.clone());
            }
        }
        // Nothing in it waits for anything.
        let answer =
            pin!(self.layer.clone().oneshot(outline)).poll(&mut Context::from_waker(Waker::noop()));
        matches!(answer, Poll::Ready(Ok(answer)) if answer.extensions().get::<ProtectionError>().is_none())
    }
}

impl Sender {
    /// Who sent the request of these parts.
    pub fn of(parts: &Parts) -> Result<&Self, Error> {
        let sender = parts.extensions.get::<Self>();
        sender.ok_or_else(|| Error::bug("a request reached a route unjudged"))
    }

    /// Whether the request may act by the session cookie, or have one set. `GET` and `HEAD` always may: they change nothing.
    ///
    /// # Errors
    /// [`Refusal::OriginNotAllowed`] to a page of another origin that `cors.origins` does not list; a program that is no
    /// browser says nothing of pages and passes. [`Refusal::UnsupportedMediaType`] to a `POST` that is not
    /// `application/json`, even one without a body: any page may have such a thing sent.
    pub fn may_use_cookie(&self) -> Result<(), Refusal> {
        if !self.is_trusted {
            let shown = |said: &Option<HeaderValue>| said.as_ref().map(cors::shown);
            tracing::info!(
                origin = shown(&self.origin),
                site = shown(&self.site),
                "a page of an origin that cors.origins does not list was refused: it may not use the session cookie"
            );
            return Err(Refusal::OriginNotAllowed);
        }
        if self.is_form_like {
            return Err(Refusal::UnsupportedMediaType {
                wanted: Media::Json.name(),
            });
        }
        Ok(())
    }

    /// Whether a browser sent it, for a page that may use our cookies.
    pub fn is_page_with_cookies(&self) -> bool {
        let is_page = self.site.is_some() || self.origin.is_some();
        is_page && self.is_trusted && !self.is_form_like
    }
}

impl<S: Sync> FromRequestParts<S> for Sender {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Self::of(parts).cloned()
    }
}

#[cfg(test)]
mod tests;
