//! An answer, read whole.

use std::fmt;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use doorward::http::cookie;
use http_body_util::BodyExt as _;
use serde_json::Value;

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
    json: Value,
}

impl Answer {
    pub async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec())
            .expect("answers are UTF-8");
        Self::new(parts.status, parts.headers, body)
    }

    pub fn new(status: StatusCode, headers: HeaderMap, body: String) -> Self {
        let json = serde_json::from_str(&body).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            body,
            json,
        }
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The token in it.
    pub fn token(&self) -> Option<&str> {
        self.json["token"].as_str()
    }

    /// The refresh token in it.
    pub fn refresh_token(&self) -> Option<&str> {
        self.json["refreshToken"].as_str()
    }

    /// The value of the session cookie that it sets; empty when it takes the cookie back.
    pub fn cookie(&self) -> Option<&str> {
        let set = self.header("set-cookie").split_once('=')?;
        (set.0 == cookie::NAME).then(|| set.1.split(';').next().unwrap())
    }

    /// The code of the refusal, or at an OAuth endpoint its error.
    pub fn code(&self) -> &str {
        let at = if self.is_oauth() { "error" } else { "code" };
        self.json[at].as_str().unwrap_or("")
    }

    /// Whether it is a refusal in the form of RFC 6749 section 5.2.
    pub fn is_oauth(&self) -> bool {
        self.json["error_description"].is_string()
    }

    /// A header's text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, self.body)
    }
}
