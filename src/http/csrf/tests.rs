#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

use axum::http::header::CONTENT_TYPE;

use super::*;

const OWN: &str = "https://auth.example.com";
const APP: &str = "https://app.example.com";

/// The code of the refusal of a request with these headers; `None` when it may use the cookie.
fn refused(method: Method, headers: &[(&str, &str)]) -> Option<&'static str> {
    judged(false, method, headers)
}

fn judged(allow_localhost: bool, method: Method, headers: &[(&str, &str)]) -> Option<&'static str> {
    let cors = CorsConfig {
        origins: vec![
            Origin::parse(APP).unwrap(),
            Origin::parse("capacitor://localhost").unwrap(),
        ],
        allow_localhost,
    };
    let guard = Guard::new(&Origin::parse(OWN).unwrap(), &cors);
    let mut request = axum::http::Request::builder()
        .method(method)
        .uri("/auth/signout")
        .header("host", "10.0.0.7:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(()).unwrap();
    let sender = guard.judge(request.method(), request.headers());
    sender.may_use_cookie().err()?.said().code
}

/// What becomes of a JSON request that says this of its page.
fn post(headers: &[(&str, &str)]) -> Option<&'static str> {
    let json = [("content-type", "application/json")];
    refused(Method::POST, &[&json, headers].concat())
}

const FOREIGN: Option<&str> = Some("origin_not_allowed");
const SITE: &str = "sec-fetch-site";

#[test]
fn our_own_pages_pass_in_browsers_new_and_old_and_so_does_what_is_no_browser() {
    for headers in [
        &[("origin", OWN), (SITE, "same-origin")][..],
        &[(SITE, "same-origin")],
        &[(SITE, "none")],
        &[("origin", OWN)],
        &[],
    ] {
        assert_eq!(post(headers), None, "{headers:?}");
    }
}

#[test]
fn a_listed_origin_passes_wherever_it_is() {
    for origin in [APP, "capacitor://localhost"] {
        for site in ["same-site", "cross-site"] {
            assert_eq!(
                post(&[("origin", origin), (SITE, site)]),
                None,
                "{origin} {site}"
            );
        }
        assert_eq!(post(&[("origin", origin)]), None, "{origin}");
    }
}

#[test]
fn C13_pages_of_other_origins_are_refused() {
    for headers in [
        &[("origin", "https://blog.example.com"), (SITE, "same-site")][..],
        &[("origin", "https://evil.example"), (SITE, "cross-site")],
        &[("origin", "null"), (SITE, "cross-site")],
        &[(SITE, "cross-site")],
        &[(SITE, "same-site")],
        &[(SITE, "Same-Origin")],
        &[(SITE, "same-origin, cross-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "https://auth.example.com.evil.example")],
        &[("origin", "https://auth.example.com:8443")],
        // The same host in plain HTTP is whoever stands on the way.
        &[("origin", "http://auth.example.com")],
        // What a proxy made of the Host header is nobody's name.
        &[("origin", "http://10.0.0.7:8080")],
        &[("origin", "null")],
        &[("origin", "http://localhost:3000")],
        &[("origin", "HTTPS://APP.EXAMPLE.COM")],
        &[("origin", "https://app.example.com/")],
    ] {
        assert_eq!(post(headers), FOREIGN, "{headers:?}");
        for method in [Method::PATCH, Method::DELETE, Method::PUT] {
            assert_eq!(refused(method, headers), FOREIGN, "{headers:?}");
        }
    }
}

#[test]
fn C15_what_changes_nothing_passes_from_anywhere() {
    let anywhere = [("origin", "https://evil.example"), (SITE, "cross-site")];
    for method in [Method::GET, Method::HEAD] {
        assert_eq!(refused(method, &anywhere), None);
    }
}

#[test]
fn C14_what_a_form_can_send_is_refused_even_to_our_own_pages() {
    for media_type in [
        "text/plain",
        "text/plain; charset=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json, text/plain",
        "application/jsonp",
        "",
    ] {
        let headers = [(SITE, "same-origin"), ("content-type", media_type)];
        assert_eq!(
            refused(Method::POST, &headers),
            Some("unsupported_media_type"),
            "{media_type}"
        );
    }
    let untold = refused(Method::POST, &[(SITE, "same-origin")]);
    assert_eq!(untold, Some("unsupported_media_type"));
    let twice = [
        (CONTENT_TYPE.as_str(), "application/json"),
        (CONTENT_TYPE.as_str(), "text/plain"),
    ];
    assert_eq!(
        refused(Method::POST, &twice),
        Some("unsupported_media_type")
    );
    // No page sends these without asking first, so they need not say what they do not have.
    assert_eq!(refused(Method::DELETE, &[(SITE, "same-origin")]), None);
}

#[test]
fn pages_of_this_machine_pass_in_development_alone() {
    let json = ("content-type", "application/json");
    for (origin, in_development) in [
        ("http://localhost:3000", None),
        ("http://127.0.0.1:5173", None),
        ("http://localhost.evil.example", FOREIGN),
        ("http://evil.localhost:3000", FOREIGN),
        ("null", FOREIGN),
    ] {
        let headers = [json, ("origin", origin), (SITE, "same-site")];
        let verdict = judged(true, Method::POST, &headers);
        assert_eq!(verdict, in_development, "{origin}");
        assert_eq!(post(&headers[1..]), FOREIGN, "{origin}");
    }
}

#[test]
fn a_request_that_nobody_judged_is_refused() {
    let (parts, ()) = axum::http::Request::new(()).into_parts();
    assert!(matches!(Sender::of(&parts), Err(Error::Broken(_))));
}
