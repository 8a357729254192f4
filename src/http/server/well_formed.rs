//! What HTTP/1 demands of a request and hyper leaves to us to check, so that no proxy on the way can have read it
//! differently. HTTP/2 has no such doubt: its frames say where a request ends.

use axum::body::Body;
use axum::http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Request, Response, Version};
use axum::response::IntoResponse as _;

use crate::error::Refusal;

/// Why the application must not see this request, in words for the caller; `None` when it may.
pub(super) fn objection<B>(request: &Request<B>) -> Option<&'static str> {
    match request.version() {
        Version::HTTP_10 | Version::HTTP_11 => {
            host(request).or_else(|| transfer_coding(request.headers()))
        }
        _ => None,
    }
}

/// RFC 9112 section 3.2: one `Host`, and in it no more than a name and a port. HTTP/1.0 may leave it out.
fn host<B>(request: &Request<B>) -> Option<&'static str> {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if request.version() == Version::HTTP_10 => None,
        (None, _) => Some("An HTTP/1.1 request needs a Host header"),
        (Some(_), Some(_)) => Some("A request must have only one Host header"),
        (Some(host), None) if is_host(host) => None,
        (Some(_), None) => Some("Host must be a name or an address, with or without a port"),
    }
}

fn is_host(value: &HeaderValue) -> bool {
    let is_name_and_port = |authority: Authority| {
        // `strip_prefix` finds nothing where a user's name comes first.
        match authority.as_str().strip_prefix(authority.host()) {
            Some("" | ":") => true,
            Some(_) => authority.port_u16().is_some(),
            None => false,
        }
    };
    value.is_empty() || Authority::try_from(value.as_bytes()).is_ok_and(is_name_and_port)
}

/// RFC 9112 section 6.1: a coding that is not understood must not be taken for a plain body. hyper sees to `chunked` being
/// last; what might stand before it is not decoded by anybody here.
fn transfer_coding(headers: &HeaderMap) -> Option<&'static str> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let first = codings.next()?;
    let only_chunked =
        first.as_bytes().eq_ignore_ascii_case(b"chunked") && codings.next().is_none();
    (!only_chunked).then_some("The only transfer coding known here is chunked")
}

/// The answer to such a request. The connection closes after it: where the next request begins is what is in doubt.
pub(super) fn refusal(why: &'static str) -> Response<Body> {
    let mut answer = Refusal::NotHttp { why }.into_response();
    answer
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
