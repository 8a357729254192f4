//! Requests that a page of another site makes a browser send: none of them acts by the cookie, and none begins a session
//! that the browser would carry.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

use std::time::Duration;

use axum::http::{Method, StatusCode};
use doorward::router;
use serde_json::json;

use super::browser::{Deed, deeds, send, send_as, session_of};
use crate::harness::rows;
use crate::harness::{ADA, PASSWORD, Server, log, server, server_with, unique};

const SITE: &str = "sec-fetch-site";
const APP: &str = "https://app.example.com";

/// How the service of these tests is reached, and one page that may call it.
const SETTINGS: &[(&str, &str)] = &[
    ("public_url", "https://auth.example.com"),
    ("cors.origins", APP),
    ("cors.allow_localhost", "false"),
];

/// What browsers, new and old, say of pages that may not.
const FOREIGN: &[&[(&str, &str)]] = &[
    &[("origin", "https://evil.example"), (SITE, "cross-site")],
    &[("origin", "https://blog.example.com"), (SITE, "same-site")],
    &[("origin", "http://auth.example.com"), (SITE, "cross-site")],
    &[("origin", "null"), (SITE, "cross-site")],
    &[(SITE, "cross-site")],
    &[(SITE, "same-site")],
    &[("origin", "https://evil.example")],
    &[("origin", "https://blog.example.com")],
    &[("origin", "http://auth.example.com")],
    &[("origin", "https://auth.example.com.evil.example")],
    &[("origin", "null")],
    // Whatever a proxy makes of the host, and whatever a page calls it.
    &[("origin", "https://evil.example"), ("host", "evil.example")],
];

/// What they say of our own pages, of listed ones, and of what is no page.
const HONEST: &[&[(&str, &str)]] = &[
    &[
        ("origin", "https://auth.example.com"),
        (SITE, "same-origin"),
    ],
    &[("origin", "https://auth.example.com"), ("host", "10.0.0.7")],
    &[(SITE, "same-origin")],
    &[("origin", APP), (SITE, "same-site")],
    &[("origin", APP)],
    &[],
];

async fn carried(server: &Server) -> String {
    let begun = server.begins(ADA, "cookie").await;
    format!("__Host-doorward={}", begun.cookie().unwrap())
}

#[tokio::test]
async fn C13_a_foreign_page_does_nothing_by_the_cookie() {
    server_with(SETTINGS, async |server| {
        server.signs_up(ADA).await;
        let cookie = carried(server).await;
        // Long enough that an honest use would be noted.
        server.wait(Duration::from_mins(6));
        for deed in deeds(server, ADA).await {
            for page in FOREIGN {
                let before = rows::all(&server.app.db).await;
                let headers = [&[("cookie", cookie.as_str())], *page].concat();
                let answer = send(server, &deed, &headers).await;
                let refused = (answer.status.as_u16(), answer.code());
                assert_eq!(refused, (403, "origin_not_allowed"), "{deed} {page:?}");
                assert_eq!(answer.cookie(), None, "{deed} {page:?}");
                assert_eq!(rows::all(&server.app.db).await, before, "{deed} {page:?}");
            }
        }
        for page in HONEST {
            for deed in deeds(server, ADA).await {
                let cookie = carried(server).await;
                let headers = [&[("cookie", cookie.as_str())], *page].concat();
                let answer = send(server, &deed, &headers).await;
                assert_eq!(answer.status, deed.yes, "{deed} {page:?}: {answer:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn C8_to_C11_nothing_makes_up_for_a_foreign_page() {
    server_with(SETTINGS, async |server| {
        server.signs_up(ADA).await;
        let token = server.signs_up("eve@example.com").await;
        let value = carried(server).await;
        let foreign = [("origin", "https://evil.example"), (SITE, "cross-site")];
        for deed in deeds(server, ADA).await {
            for proof in [
                ("x-csrf-token", value.as_str()),
                ("x-xsrf-token", &token),
                ("x-requested-with", "XMLHttpRequest"),
                ("referer", "https://auth.example.com/"),
                ("x-forwarded-host", "evil.example"),
                ("origin", "https://auth.example.com"),
            ] {
                let cookie = format!("{value}; csrf={token}; XSRF-TOKEN={token}");
                let headers = [&foreign[..], &[("cookie", cookie.as_str()), proof]].concat();
                let answer = send(server, &deed, &headers).await;
                assert_eq!(answer.code(), "origin_not_allowed", "{deed} {proof:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_bearer_token_is_taken_from_any_page() {
    server_with(SETTINGS, async |server| {
        server.signs_up(ADA).await;
        let cookie = carried(server).await;
        for page in FOREIGN {
            for deed in deeds(server, ADA)
                .await
                .iter()
                .filter(|deed| deed.takes_tokens)
            {
                let signed_in = server.signs_in(ADA, PASSWORD).await;
                let authorization = format!("Bearer {}", signed_in.token().unwrap());
                let bearer = ("authorization", authorization.as_str());
                // The cookie that the browser adds changes nothing.
                let headers = [&[bearer, ("cookie", cookie.as_str())], *page].concat();
                let answer = send(server, deed, &headers).await;
                assert_eq!(answer.status, deed.yes, "{deed} {page:?}: {answer:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn C12_a_foreign_page_signs_a_browser_in_as_nobody() {
    server_with(SETTINGS, async |server| {
        server.signs_up(ADA).await;
        let begin = |path: &str, email: &str, session: &str| Deed {
            method: Method::POST,
            path: path.to_owned(),
            body: Some(json!({"email": email, "password": PASSWORD, "session": session})),
            yes: if path == "/auth/signup" {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            },
            takes_tokens: false,
        };
        for (n, page) in FOREIGN.iter().enumerate() {
            let new = &format!("new{n}@example.com");
            for (path, email) in [("/auth/signin", ADA), ("/auth/signup", new)] {
                let before = rows::all(&server.app.db).await;
                let answer = send(server, &begin(path, email, "cookie"), page).await;
                let refused = (answer.status.as_u16(), answer.code());
                assert_eq!(refused, (403, "origin_not_allowed"), "{path} {page:?}");
                assert_eq!(answer.header("set-cookie"), "", "{path} {page:?}");
                assert_eq!(rows::all(&server.app.db).await, before, "{path} {page:?}");
                // What the browser does not carry by itself, CORS alone keeps from the page.
                let deed = begin(path, email, "refresh");
                let answer = send(server, &deed, page).await;
                assert_eq!(answer.status, deed.yes, "{path} {page:?}: {answer:?}");
                assert_eq!(answer.header("set-cookie"), "");
            }
        }
        for page in HONEST {
            let answer = send(server, &begin("/auth/signin", ADA, "cookie"), page).await;
            assert!(answer.cookie().is_some(), "{page:?}: {answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn C14_only_json_acts_by_the_cookie() {
    server(async |server| {
        server.signs_up(ADA).await;
        let cookie = carried(server).await;
        let with_body = |deed: &Deed| deed.body.is_some();
        for deed in deeds(server, ADA).await.into_iter().filter(with_body) {
            let body = deed.body.as_ref().unwrap().to_string();
            let mut tried = vec![
                (Some("text/plain"), body.clone()),
                (Some("text/plain;charset=application/json"), body.clone()),
                (
                    Some("application/x-www-form-urlencoded"),
                    "scope=all&name=Eve".to_owned(),
                ),
                (Some("multipart/form-data; boundary=b"), body.clone()),
                (Some(""), body.clone()),
                (None, body.clone()),
            ];
            // What a page can send by itself is refused even where there is nothing in it.
            if deed.method == Method::POST {
                tried.extend([(None, String::new()), (Some("text/plain"), String::new())]);
            }
            for (media_type, body) in tried {
                let mut headers = vec![("cookie", cookie.as_str()), (SITE, "same-origin")];
                headers.extend(media_type.map(|it| ("content-type", it)));
                let before = rows::all(&server.app.db).await;
                let answer = send_as(server, &deed, &headers, body.clone()).await;
                let refused = (answer.status.as_u16(), answer.code());
                let why = format!("{deed} {media_type:?} {body:?}");
                assert_eq!(refused, (415, "unsupported_media_type"), "{why}");
                assert_eq!(rows::all(&server.app.db).await, before, "{why}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn C15_asking_changes_nothing_whoever_asks() {
    server_with(SETTINGS, async |server| {
        server.signs_up(ADA).await;
        let cookie = carried(server).await;
        let before = rows::all(&server.app.db).await;
        let paths: Vec<String> = router::table()
            .iter()
            .map(|it| it.path.replace("{id}", "x"))
            .collect();
        for path in paths {
            for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
                for query in ["", "?scope=all", "?_method=DELETE"] {
                    let deed = Deed {
                        method: method.clone(),
                        path: format!("{path}{query}"),
                        ..Deed::me()
                    };
                    let headers = [FOREIGN[0], &[("cookie", cookie.as_str())]].concat();
                    let answer = send(server, &deed, &headers).await;
                    assert!(!answer.status.is_server_error(), "{deed}: {answer:?}");
                    assert_eq!(answer.header("set-cookie"), "", "{deed}");
                }
            }
        }
        assert_eq!(rows::all(&server.app.db).await, before);
        let value = cookie.split_once('=').unwrap().1;
        assert_eq!(session_of(server, value).await.as_deref(), Some(ADA));
    })
    .await;
}

#[tokio::test]
async fn a_page_that_was_refused_is_logged_with_the_setting_that_would_let_it() {
    server_with(SETTINGS, async |server| {
        server.signs_up(ADA).await;
        let cookie = carried(server).await;
        let origin = format!("https://{}.example", unique());
        let headers = [
            ("cookie", cookie.as_str()),
            ("origin", &origin),
            (SITE, "cross-site"),
        ];
        let change = Deed {
            method: Method::PATCH,
            body: Some(json!({"name": "Eve"})),
            ..Deed::me()
        };
        assert_eq!(send(server, &change, &headers).await.status, 403);
        let text = log::text();
        let line = text
            .lines()
            .find(|line| line.contains(&origin) && line.contains("may not use the session cookie"))
            .expect("a line");
        assert!(
            line.contains("cors.origins") && line.contains("cross-site"),
            "{line}"
        );
    })
    .await;
}
