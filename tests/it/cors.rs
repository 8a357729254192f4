//! Which pages may read our answers (C16 of the catalogue), whatever the answer is.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use doorward::http::route::Who;
use doorward::router;
use serde_json::json;

use crate::harness::{ADA, Answer, PASSWORD, Server, log, server, server_with};

const GOOD: &str = "https://good.example";
const CREDENTIALS: &str = "access-control-allow-credentials";
const JWKS: &str = "/.well-known/jwks.json";

/// Pages of one origin may call, and no others: not those of this machine either.
const LISTED: &[(&str, &str)] = &[
    (
        "cors.origins",
        "https://good.example, http://also.example:8080/",
    ),
    ("cors.allow_localhost", "false"),
];

/// What no list of origins means by `https://good.example`.
const OTHERS: &[&str] = &[
    "null",
    "https://good.example.evil",
    "https://evil-good.example",
    "https://evil.example/https://good.example",
    "https://evil.example#https://good.example",
    "https://good.example@evil.example",
    "https://sub.good.example",
    "http://good.example",
    "https://good.example:8443",
    "https://good.example:443",
    "https://good.example/",
    "https://good.example.",
    "https://GOOD.example",
    "HTTPS://good.example",
    " https://good.example",
    "https://good.example ",
    "https://good.example,https://evil.example",
    "https://good.example https://evil.example",
    "https://good.example\thttps://evil.example",
    "http://also.example",
    "http://localhost",
    "http://localhost:3000",
    "http://127.0.0.1",
    "file://",
    "chrome-extension://good.example",
    "*",
    "",
];

async fn ask(server: &Server, method: Method, path: &str, origin: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("origin", HeaderValue::from_str(origin).unwrap())
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()));
    server.send(request.unwrap()).await
}

/// An answer of every kind: of each route, and each kind of refusal.
async fn answers(server: &Server, origin: &str) -> Vec<(String, Answer)> {
    let wrong = json!({"email": ADA, "password": "not the password at all"}).to_string();
    let right = json!({"email": ADA, "password": PASSWORD}).to_string();
    let mut asked: Vec<(Method, String, &str, Option<u16>)> = vec![
        (Method::POST, "/auth/signin".into(), &right, Some(200)),
        (Method::POST, "/auth/signin".into(), &wrong, Some(401)),
        (Method::POST, "/auth/signin".into(), "{}", Some(400)),
        (
            Method::POST,
            "/auth/signin?password=x".into(),
            &right,
            Some(400),
        ),
        (Method::POST, "/auth/signup".into(), &right, Some(409)),
        (Method::DELETE, "/auth/signin".into(), "", Some(405)),
        (Method::GET, "/auth/nowhere".into(), "", Some(404)),
    ];
    for route in router::table() {
        let status = matches!(route.who, Who::SignedIn | Who::Leaving).then_some(401);
        asked.push((route.method, route.path.to_owned(), "{}", status));
    }
    let mut answers = Vec::new();
    for (method, path, body, status) in asked {
        let why = format!("{method} {path} {body} from {origin:?}");
        let answer = ask(server, method, &path, origin, body).await;
        if let Some(status) = status {
            assert_eq!(answer.status, status, "{why}: {answer:?}");
        }
        answers.push((why, answer));
    }
    answers
}

/// The last of them: those of a service that has begun to stop.
async fn answers_503(server: &Server, origin: &str) -> Vec<(String, Answer)> {
    server.app.drain();
    server.app.passwords.stop().await;
    let body = json!({"email": ADA, "password": PASSWORD}).to_string();
    let mut answers = Vec::new();
    for (method, path) in [(Method::GET, "/readyz"), (Method::POST, "/auth/signin")] {
        let answer = ask(server, method, path, origin, &body).await;
        assert_eq!(answer.status, 503, "{path}: {answer:?}");
        answers.push((path.to_owned(), answer));
    }
    answers
}

fn is_readable_by(origin: &str, why: &str, answer: &Answer) {
    let allowed: Vec<_> = answer
        .headers
        .get_all("access-control-allow-origin")
        .iter()
        .collect();
    assert_eq!(allowed, [origin], "{why}: {answer:?}");
    let exposed = answer.header("access-control-expose-headers");
    for name in [
        "x-request-id",
        "retry-after",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
    ] {
        assert!(exposed.contains(name), "{why}: {exposed}");
    }
    let cookies = if why.contains("/auth/") { "true" } else { "" };
    assert_eq!(answer.header(CREDENTIALS), cookies, "{why}");
    is_kept_apart(why, answer);
}

/// Nothing is said of cookies to a page that may not read the answer, nor to one that may because everyone may.
fn is_without_cookies(why: &str, answer: &Answer) {
    assert_eq!(answer.header(CREDENTIALS), "", "{why}");
    is_kept_apart(why, answer);
}

/// No cache gives one origin what was said to another, and what is open to everyone is open without cookies.
fn is_kept_apart(why: &str, answer: &Answer) {
    let vary: Vec<_> = answer
        .headers
        .get_all("vary")
        .iter()
        .map(|it| it.to_str().unwrap())
        .collect();
    assert!(
        vary.join(",").to_lowercase().contains("origin"),
        "{why}: {vary:?}"
    );
    let is_open = answer.header("access-control-allow-origin") == "*";
    assert!(!is_open || answer.header(CREDENTIALS).is_empty(), "{why}");
}

#[tokio::test]
async fn C16_a_listed_origin_reads_every_answer() {
    server_with(LISTED, async |server| {
        server.signs_up(ADA).await;
        // The second was listed with a slash at its end, as people write it.
        for origin in [GOOD, "http://also.example:8080"] {
            for (why, answer) in answers(server, origin).await {
                is_readable_by(origin, &why, &answer);
            }
        }
        for (why, answer) in answers_503(server, GOOD).await {
            is_readable_by(GOOD, &why, &answer);
        }
    })
    .await;
}

#[tokio::test]
async fn C16_a_listed_origin_reads_that_it_asks_too_often() {
    let tight = [
        LISTED,
        &[
            ("limits.enabled", "true"),
            ("limits.burst", "1"),
            ("limits.per_minute", "1"),
        ],
    ]
    .concat();
    server_with(&tight, async |server| {
        let first = ask(server, Method::POST, "/auth/signin", GOOD, "{}").await;
        let second = ask(server, Method::POST, "/auth/signin", GOOD, "{}").await;
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (400, 429));
        is_readable_by(GOOD, "429 of /auth/signin", &second);
        assert_ne!(second.header("retry-after"), "");
    })
    .await;
}

#[tokio::test]
async fn C16_no_other_origin_reads_anything_but_the_public_keys() {
    server_with(LISTED, async |server| {
        server.signs_up(ADA).await;
        for origin in OTHERS {
            for (why, answer) in answers(server, origin).await {
                let expected = if why.contains(JWKS) { "*" } else { "" };
                assert_eq!(
                    answer.header("access-control-allow-origin"),
                    expected,
                    "{why}"
                );
                is_without_cookies(&why, &answer);
            }
        }
        for (why, answer) in answers_503(server, OTHERS[0]).await {
            assert_eq!(answer.header("access-control-allow-origin"), "", "{why}");
            is_without_cookies(&why, &answer);
        }
    })
    .await;
}

#[tokio::test]
async fn C16_two_origins_are_none() {
    server_with(LISTED, async |server| {
        for (first, second) in [
            (GOOD, "https://evil.example"),
            ("https://evil.example", GOOD),
        ] {
            let request = Request::get("/auth/config")
                .header("origin", first)
                .header("origin", second)
                .body(Body::empty());
            let answer = server.send(request.unwrap()).await;
            assert_ne!(
                answer.header("access-control-allow-origin"),
                "https://evil.example"
            );
            assert_ne!(answer.header("access-control-allow-origin"), "*");
            let is_first = answer.header("access-control-allow-origin") == first;
            assert!(is_first || answer.header(CREDENTIALS).is_empty());
        }
    })
    .await;
}

/// What a browser asks before it sends what no form could send.
async fn preflight(server: &Server, path: &str, origin: &str, method: &str) -> Answer {
    let request = Request::options(path)
        .header("origin", HeaderValue::from_str(origin).unwrap())
        .header("access-control-request-method", method)
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        )
        .body(Body::empty());
    server.send(request.unwrap()).await
}

#[tokio::test]
async fn C16_the_preflight_of_every_route() {
    server_with(LISTED, async |server| {
        for route in router::table() {
            let (method, path) = (route.method.as_str(), route.path);
            let answer = preflight(server, path, GOOD, method).await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(answer.body, "", "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), GOOD, "{path}");
            assert_eq!(answer.header("access-control-max-age"), "600", "{path}");
            assert!(
                answer
                    .header("access-control-allow-methods")
                    .contains(method),
                "{path}"
            );
            let headers = answer.header("access-control-allow-headers");
            for name in ["authorization", "content-type", "x-request-id"] {
                assert!(headers.contains(name), "{path}: {headers}");
            }
            assert!(!headers.contains('*'), "{path}");
            let cookies = if path.starts_with("/auth/") {
                "true"
            } else {
                ""
            };
            assert_eq!(answer.header(CREDENTIALS), cookies, "{path}");
            is_kept_apart(path, &answer);
            for origin in OTHERS {
                let answer = preflight(server, path, origin, method).await;
                assert_eq!(
                    answer.header("access-control-allow-origin"),
                    "",
                    "{path} from {origin:?}"
                );
                is_without_cookies(path, &answer);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn C16_development_lets_in_pages_of_this_machine_and_no_others() {
    server(async |server| {
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "https://localhost:8443",
            "http://127.0.0.1:5173",
            "http://[::1]:3000",
        ] {
            let answer = ask(server, Method::GET, "/auth/config", origin, "").await;
            is_readable_by(origin, "/auth/config", &answer);
        }
        for origin in [
            "http://localhost.evil.example",
            "http://localhost:3000.evil.example",
            "http://localhost@evil.example",
            "http://evil-localhost",
            "http://127.0.0.1.evil.example",
            "http://127.0.0.2",
            "http://0.0.0.0",
            "http://[::2]",
            "http://localhost:99999",
            "http://localhost:",
            "ftp://localhost",
            "https://good.example",
            "null",
        ] {
            let answer = ask(server, Method::GET, "/auth/config", origin, "").await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
            is_without_cookies(origin, &answer);
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_refused_is_logged_with_the_setting_that_would_allow_it() {
    server_with(LISTED, async |server| {
        let id = uuid::Uuid::from_bytes(doorward::secret::bytes()).simple();
        let refused = format!("https://{id}.example");
        ask(server, Method::GET, "/auth/config", &refused, "").await;
        let text = log::text();
        let line = text
            .lines()
            .find(|line| line.contains(&refused))
            .expect("a line");
        assert!(line.contains("cors.origins"), "{line}");
        // An origin that is allowed, and a page of our own, are no news.
        let own = format!("http://{id}.localhost:8080");
        for (origin, host) in [
            (GOOD, "localhost:8080"),
            (&own, own.strip_prefix("http://").unwrap()),
        ] {
            let request = Request::get(format!("/auth/config?{id}"))
                .header("host", host)
                .header("origin", origin)
                .body(Body::empty());
            server.send(request.unwrap()).await;
        }
        assert!(!log::holds(&own));
    })
    .await;
}

#[tokio::test]
async fn what_is_logged_of_an_origin_is_one_short_line() {
    server_with(LISTED, async |server| {
        let id = uuid::Uuid::from_bytes(doorward::secret::bytes())
            .simple()
            .to_string();
        let long = format!("https://{id}.{}", "x".repeat(10_000));
        ask(server, Method::GET, "/auth/config", &long, "").await;
        let colourful = [b"https://", id.as_bytes(), b"\xe2\x80\xa8\xff"].concat();
        let request = Request::get("/auth/config")
            .header("origin", HeaderValue::from_bytes(&colourful).unwrap());
        server.send(request.body(Body::empty()).unwrap()).await;
        let text = log::text();
        let lines: Vec<_> = text.lines().filter(|line| line.contains(&id)).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines.iter().all(|line| line.len() < 800 && line.is_ascii()),
            "{lines:?}"
        );
    })
    .await;
}
