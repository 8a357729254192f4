#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::post;
use tower::ServiceExt as _;

use super::*;

async fn ask(origins: &[&str], allow_localhost: bool, request: Request<Body>) -> Response<Body> {
    let config = CorsConfig {
        origins: origins
            .iter()
            .map(|origin| Origin::parse(origin).unwrap())
            .collect(),
        allow_localhost,
    };
    let app = Router::new()
        .route("/auth/sign", post(|| async { StatusCode::UNAUTHORIZED }))
        .layer(cors(&config));
    app.oneshot(request).await.unwrap()
}

fn request(method: &str, path: &str, origin: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(ORIGIN, origin)
        .body(Body::empty())
        .unwrap()
}

/// What `Access-Control-Allow-Origin` says to a page of `origin`.
async fn allowed(origins: &[&str], allow_localhost: bool, origin: &str) -> Option<String> {
    let answer = ask(
        origins,
        allow_localhost,
        request("POST", "/auth/sign", origin),
    )
    .await;
    let headers = answer.headers();
    let value = headers.get("access-control-allow-origin");
    let cookies = headers.get("access-control-allow-credentials");
    assert_eq!(value.is_some(), cookies.is_some());
    assert!(cookies.is_none_or(|cookies| cookies == "true"));
    Some(value?.to_str().unwrap().to_owned())
}

const APP: &str = "https://app.example.com";

#[tokio::test]
async fn c16_a_listed_origin_may_read_every_answer() {
    for path in ["/auth/sign", "/missing"] {
        let answer = ask(&[APP], false, request("POST", path, APP)).await;
        let headers = answer.headers();
        assert!(answer.status().is_client_error());
        assert_eq!(headers["access-control-allow-origin"], APP);
        assert_eq!(headers["vary"], "origin");
        assert_eq!(
            headers["access-control-expose-headers"],
            "x-request-id,retry-after,ratelimit-limit,ratelimit-remaining,ratelimit-reset"
        );
    }
}

#[tokio::test]
async fn c16_no_cookies_come_to_what_is_not_the_api() {
    for path in ["/.well-known/jwks.json", "/livez", "/", "/authentic/x"] {
        let answer = ask(&[APP], false, request("GET", path, APP)).await;
        let headers = answer.headers();
        assert_eq!(headers["access-control-allow-origin"], APP, "{path}");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }
}

#[tokio::test]
async fn c16_the_preflight_of_the_documented_call_passes() {
    let mut preflight = request("OPTIONS", "/auth/sign", APP);
    let headers = preflight.headers_mut();
    headers.insert(
        "access-control-request-method",
        HeaderValue::from_static("POST"),
    );
    headers.insert(
        "access-control-request-headers",
        HeaderValue::from_static("content-type"),
    );
    let answer = ask(&[APP], false, preflight).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let headers = answer.headers();
    assert_eq!(headers["access-control-allow-origin"], APP);
    assert_eq!(
        headers["access-control-allow-methods"],
        "GET,POST,PATCH,DELETE"
    );
    assert_eq!(
        headers["access-control-allow-headers"],
        "content-type,authorization,x-request-id"
    );
    assert_eq!(headers["access-control-max-age"], "600");
    assert!(!headers.contains_key("access-control-allow-private-network"));
}

#[tokio::test]
async fn c16_no_other_origin_is_reflected() {
    for origin in [
        "null",
        "*",
        "https://app.example.com.evil.example",
        "https://evil.example/app.example.com",
        "https://xapp.example.com",
        "https://sub.app.example.com",
        "https://app.example.com:8443",
        "http://app.example.com",
        "HTTPS://APP.EXAMPLE.COM",
        "https://app.example.com/",
        "https://app.example.com, https://evil.example",
        "https://user@app.example.com",
        "http://localhost",
        "",
    ] {
        assert_eq!(allowed(&[APP], false, origin).await, None, "{origin:?}");
    }
    let answer = ask(
        &[APP],
        false,
        request("POST", "/auth/sign", "https://evil.example"),
    )
    .await;
    assert_eq!(answer.headers()["vary"], "origin");
}

#[tokio::test]
async fn origins_are_compared_as_browsers_write_them() {
    for (listed, origin) in [
        ("https://app.example.com/", APP),
        ("https://App.Example.com:443", APP),
        ("http://app.example.com:80/", "http://app.example.com"),
        ("http://app.example.com:8080", "http://app.example.com:8080"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ] {
        assert_eq!(
            allowed(&[listed], false, origin).await.as_deref(),
            Some(origin),
            "{listed}"
        );
    }
}

#[tokio::test]
async fn localhost_is_this_machine_and_nothing_that_looks_like_it() {
    for origin in [
        "http://localhost",
        "https://localhost",
        "http://localhost:3000",
        "http://127.0.0.1:5173",
        "http://[::1]:65535",
    ] {
        assert_eq!(allowed(&[], true, origin).await.as_deref(), Some(origin));
        assert_eq!(allowed(&[], false, origin).await, None);
    }
    for origin in [
        "http://localhost.evil.example",
        "http://localhost:3000.evil.example",
        "http://localhost:",
        "http://localhost:+80",
        "http://localhost:65536",
        "http://localhost@evil.example",
        "http://localhost/",
        "http://xlocalhost",
        "http://127.0.0.10",
        "http://127.0.0.1.nip.io",
        "http://[::1].evil.example",
        "ws://localhost",
        "localhost",
        "null",
    ] {
        assert_eq!(allowed(&[], true, origin).await, None, "{origin}");
    }
}

#[test]
fn a_refused_origin_is_logged_escaped_and_cut() {
    let hostile = HeaderValue::from_bytes(b"http://a\tb\xe2\x80\xa8\"").unwrap();
    assert_eq!(shown(&hostile), r#"http://a\tb\xe2\x80\xa8\""#);
    let long = HeaderValue::from_str(&"x".repeat(5000)).unwrap();
    assert_eq!(shown(&long).len(), LOGGED_CHARS);
}

#[test]
fn our_own_pages_are_not_called_refused() {
    let parts = |uri: &str, host: Option<&'static str>| {
        let mut builder = Request::builder().uri(uri);
        if let Some(host) = host {
            builder = builder.header(HOST, host);
        }
        builder.body(()).unwrap().into_parts().0
    };
    let origin = HeaderValue::from_static("https://auth.example.com");
    assert!(is_own(&origin, &parts("/", Some("auth.example.com"))));
    assert!(is_own(&origin, &parts("https://auth.example.com/", None)));
    assert!(!is_own(&origin, &parts("/", Some("other.example.com"))));
    assert!(!is_own(&origin, &parts("/", None)));
    assert!(!is_own(
        &HeaderValue::from_static("null"),
        &parts("/", None)
    ));
}
