//! What a browser can be made to send: every route that acts by the session cookie, with whatever headers its pages bring.

use std::fmt;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use doorward::http::route::Who;
use doorward::router;
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Server};
use crate::wire::probes::{body, told_no};

/// Something that a caller does with a cookie.
pub struct Deed {
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    /// The status of a yes, or of what is as good.
    pub yes: StatusCode,
    /// Whether a bearer token does as well.
    pub takes_tokens: bool,
}

impl Deed {
    /// Looks at one's own account.
    pub fn me() -> Self {
        Self {
            method: Method::GET,
            path: "/auth/me".to_owned(),
            body: None,
            yes: StatusCode::OK,
            takes_tokens: true,
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Every deed of the table that changes something for whoever the cookie says it is, ready to be done by `email` once.
pub async fn deeds(server: &Server, email: &str) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for route in router::table() {
        let takes_tokens = matches!(route.who, Who::SignedIn | Who::Leaving);
        let takes_cookies = takes_tokens || route.path == "/auth/refresh";
        if route.method == Method::GET || !takes_cookies {
            continue;
        }
        let mut fields = body(route.body, email);
        // In its place comes the cookie.
        fields.as_object_mut().unwrap().remove("refreshToken");
        let other = server.signs_in(email, PASSWORD).await;
        deeds.push(Deed {
            path: route
                .path
                .replace("{id}", claims_of(&other)["sid"].as_str().unwrap()),
            // By a cookie nothing is posted but JSON.
            body: (!route.body.is_empty() || route.method == Method::POST).then_some(fields),
            yes: told_no(&route.method, route.path)
                .map_or(route.answers[0].status, |(status, _)| status),
            method: route.method,
            takes_tokens,
        });
    }
    assert!(deeds.len() >= 4, "the table has lost its routes");
    deeds
}

/// Does it, in JSON, with these headers.
pub async fn send(server: &Server, deed: &Deed, headers: &[(&str, &str)]) -> Answer {
    let json = [("content-type", "application/json")];
    let body = deed.body.as_ref().map(Value::to_string);
    match body {
        Some(body) => send_as(server, deed, &[&json, headers].concat(), body).await,
        None => send_as(server, deed, headers, String::new()).await,
    }
}

/// Does it with these headers and this body, whatever they are.
pub async fn send_as(
    server: &Server,
    deed: &Deed,
    headers: &[(&str, &str)],
    body: String,
) -> Answer {
    let request = Request::builder().method(&deed.method).uri(&deed.path);
    let add = |request: axum::http::request::Builder, header: &(&str, &str)| {
        request.header(header.0, header.1)
    };
    let request = headers.iter().fold(request, add).body(Body::from(body));
    server.send(request.unwrap()).await
}

/// Whom a cookie of this value signs in.
pub async fn session_of(server: &Server, value: &str) -> Option<String> {
    let me = server.call_by(value, Method::GET, "/auth/me", None).await;
    me.json()["email"].as_str().map(str::to_owned)
}

/// The claims of the token that an answer gives.
pub fn claims_of(answer: &Answer) -> Value {
    answer
        .token()
        .map_or(json!({}), |token| jose::decode_unverified(token).unwrap().1)
}
