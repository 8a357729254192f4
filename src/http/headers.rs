//! The headers that every answer carries, whatever route gave it. A route that has set one itself keeps its own.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, Entry, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// What a route may replace by setting its own, and why it stands here.
static DEFAULTS: [(HeaderName, HeaderValue); 6] = [
    // Answers hold tokens and people's data; what may be kept (the key set, a style sheet) says so itself.
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    // JSON needs nothing. Should a browser ever take an answer for a page, it can neither load, run, send nor be framed.
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    // Links in mails carry secrets in their address.
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // A window that another origin opened gets no handle on it.
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    // Keeps answers out of foreign pages' `<script>` and `<img>`, and so out of their processes. It binds no-cors
    // requests alone: a permitted cross-origin `fetch`, of the key set too, goes by CORS.
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// One year and all subdomains, which is the least that browsers' preload lists and ASVS 3.4.1 accept.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// Adds what is missing among the security headers.
///
/// `https` says whether the service is reached by `https:`, or this connection is TLS itself: then
/// `Strict-Transport-Security` is sent. Browsers ignore it elsewhere (RFC 6797 section 8.1), and behind a proxy that ends TLS
/// only the public address can tell.
pub fn harden(headers: &mut HeaderMap, https: bool) {
    // At once rather than twice on the way: these, HSTS, and the request's id from the edge.
    headers.reserve(DEFAULTS.len() + 2);
    for (name, value) in &DEFAULTS {
        if let Entry::Vacant(entry) = headers.entry(name) {
            entry.insert(value.clone());
        }
    }
    if https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_set_nothing_gets_every_header() {
        let mut headers = HeaderMap::new();
        harden(&mut headers, true);
        let mut seen: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("ASCII")))
            .collect();
        seen.sort();
        assert_eq!(
            seen,
            [
                "cache-control: no-store",
                "content-security-policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                "cross-origin-opener-policy: same-origin",
                "cross-origin-resource-policy: same-origin",
                "referrer-policy: no-referrer",
                "strict-transport-security: max-age=31536000; includeSubDomains",
                "x-content-type-options: nosniff",
            ]
        );
    }

    #[test]
    fn a_route_keeps_what_it_set_itself() {
        let mut headers = HeaderMap::new();
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=600"),
        );
        harden(&mut headers, false);
        let kept: Vec<_> = headers.get_all(CACHE_CONTROL).iter().collect();
        assert_eq!(kept, ["public, max-age=600"]);
    }

    #[test]
    fn hsts_is_for_https_alone() {
        let mut headers = HeaderMap::new();
        harden(&mut headers, false);
        assert!(!headers.contains_key(STRICT_TRANSPORT_SECURITY));
    }
}
