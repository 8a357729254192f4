//! Every method on every path: what is not in the table is refused, and what only asks changes nothing.

use std::collections::BTreeMap;

use serde_json::json;

use super::line::Line;
use super::listening::{Listening, listening};
use super::probes::{Probe, probes};
use crate::harness::{Answer, rows};

/// Methods that exist somewhere, and some that do not.
const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "TRACK", "DEBUG", "PROPFIND",
    "SEARCH", "LINK", "QUERY", "BREW", "get", "Post", "GETS", "PRI", "X-Y_Z!",
];

/// The methods of each path of the table.
fn methods() -> BTreeMap<&'static str, Vec<String>> {
    let mut methods: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for probe in probes() {
        let of_path = methods.entry(probe.path).or_default();
        if probe.is_get() {
            of_path.push("HEAD".to_owned());
        }
        of_path.push(probe.method);
    }
    methods
}

/// `Allow`, as a set.
fn sorted<'a>(methods: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut methods: Vec<String> = methods.map(|it| it.trim().to_owned()).collect();
    methods.sort();
    methods
}

#[tokio::test]
async fn H11_a_method_that_a_path_does_not_take() {
    listening(async |on| {
        for (path, of_path) in methods() {
            let wrong = METHODS.iter().filter(|it| !of_path.iter().any(|known| known == *it));
            for method in wrong {
                let why = format!("{method} {path}");
                // With what would be right for another method.
                let body = json!({"email": "mallory@example.com", "password": "a long walk by the sea", "name": "x"}).to_string();
                let length = body.len();
                let token = &on.token;
                let bytes = format!(
                    "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
                     Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
                );
                let answer = on.refused(405, &why, bytes.as_bytes()).await;
                let code = if *method == "HEAD" { "" } else { "method_not_allowed" };
                assert_eq!(answer.code(), code, "{why}");
                let allow = answer.headers.get_all("allow").iter().map(|it| it.to_str().unwrap());
                let allow = sorted(allow.flat_map(|line| line.split(',')));
                assert_eq!(allow, sorted(of_path.iter().map(String::as_str)), "{why}");
                // TRACE echoes nothing.
                assert!(!answer.body.contains(token.as_str()) && !answer.body.contains("mallory"), "{why}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H11_a_method_on_no_path() {
    listening(async |on| {
        for method in METHODS {
            let bytes = format!("{method} /auth/nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n");
            if *method == "HEAD" {
                assert_eq!(on.bad(method, bytes.as_bytes()).await.unwrap().status, 404);
            } else {
                assert_eq!(
                    on.refused(404, method, bytes.as_bytes()).await.code(),
                    "not_found"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H11_connect_opens_no_tunnel() {
    listening(async |on| {
        let paths = probes();
        let paths = paths.iter().map(|probe| probe.path);
        for target in paths.chain([
            "localhost:22",
            "127.0.0.1:5432",
            "evil.example:443",
            "*",
            "http://evil.example/",
        ]) {
            let bytes = format!("CONNECT {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let answer = on.bad(target, bytes.as_bytes()).await.expect("an answer");
            assert!(answer.status.is_client_error(), "{target}: {answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn H12_no_header_query_or_field_is_another_method() {
    listening(async |on| {
        for probe in probes() {
            // The body of no route, so that nothing is meant to change.
            let probe = Probe {
                body: probe.body.is_some().then(|| json!({"_method": "DELETE"})),
                ..probe
            };
            let why = probe.name();
            // No two challenges are alike.
            let said = |answer: &Answer| match probe.path {
                "/auth/challenge" | "/auth/passkeys/signin/options" => (answer.status, None),
                _ => (answer.status, Some(answer.body.clone())),
            };
            let plain = on.bad(&why, &probe.request(on, "")).await.unwrap();
            for other in ["PATCH", "DELETE", "PUT", "GET", "BREW"] {
                let headers = format!("X-HTTP-Method-Override: {other}\r\nX-Method-Override: {other}\r\nX-HTTP-Method: {other}\r\n");
                let answer = on.bad(&why, &probe.request(on, &headers)).await.unwrap();
                assert_eq!(said(&answer), said(&plain), "{why} as {other}");
                let target = format!("{}?_method={other}", probe.path);
                let answer = on.bad(&why, &probe.request_at(&target, on, "")).await.unwrap();
                assert_eq!(said(&answer), said(&plain), "{why} as {other}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H13_head_and_options_change_nothing() {
    listening(async |on| {
        for probe in probes() {
            for method in ["HEAD", "OPTIONS"] {
                let asking = Probe {
                    method: method.to_owned(),
                    ..probe.clone()
                };
                let bytes = asking.request(on, "Origin: https://evil.example\r\n");
                on.bad(&format!("{method} for {}", probe.name()), &bytes)
                    .await;
            }
        }
        on.bad(
            "OPTIONS *",
            b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn H13_head_is_get_without_its_body() {
    listening(async |on| {
        let before = rows::all(&on.server.app.db).await;
        for probe in probes().iter().filter(|it| it.is_get()) {
            let get = said(on, probe).await;
            let head = Probe {
                method: "HEAD".to_owned(),
                ..probe.clone()
            };
            assert_eq!(said(on, &head).await, get, "{}", probe.path);
        }
        assert_eq!(rows::all(&on.server.app.db).await, before);
    })
    .await;
}

/// The status and the headers of the answer, but for what differs by request.
async fn said(on: &Listening<'_>, probe: &Probe) -> (u16, Vec<(String, String)>) {
    let mut line: Line = on.connect().await;
    line.write(&probe.request(on, "X-Request-Id: same\r\n"))
        .await;
    let answer = line.answer_to(&probe.method).await.unwrap();
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (answer.status.as_u16(), headers.collect())
}
