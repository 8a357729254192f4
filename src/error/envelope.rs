//! How a refusal and a failure are said over HTTP: one envelope for both.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{Asked, Broken, Code, Error, Message, Refusal, Said};

/// The envelope of api.md section 2; the first three keys always first and in this order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    status_code: u16,
    message: Message,
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(flatten)]
    asked: Option<More>,
}

/// What a half-done sign-in goes on with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct More {
    challenge: String,
    methods: Vec<&'static str>,
    expires_in: u64,
}

impl From<&Asked> for More {
    fn from(asked: &Asked) -> Self {
        Self {
            challenge: asked.challenge.expose().clone(),
            methods: asked.methods.clone(),
            expires_in: asked.expires_in.as_secs(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Broken(broken) => broken.into_response(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut answer = envelope(self.said(), self.asked());
        if let Some(wait) = self.retry_after() {
            set_retry_after(&mut answer, wait);
        }
        if let Some(challenge) = self.challenge() {
            answer.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        answer
    }
}

impl IntoResponse for Broken {
    fn into_response(self) -> Response {
        let (status, code, words) = match &self {
            Self::Unavailable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Something this service depends on does not answer; try again soon",
            ),
            Self::Bug(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Internal server error",
            ),
        };
        let mut answer = envelope(
            Said {
                status,
                code: Some(code),
                message: Message::One(words.into()),
            },
            None,
        );
        if matches!(self, Self::Unavailable(_)) {
            set_retry_after(&mut answer, Duration::from_secs(1));
        }
        answer.extensions_mut().insert(self);
        answer
    }
}

fn envelope(said: Said, asked: Option<&Asked>) -> Response {
    let Said {
        status,
        code,
        message,
    } = said.clone();
    let error = status.canonical_reason().unwrap_or("Error");
    let body = Envelope {
        status_code: status.as_u16(),
        message,
        error,
        code,
        asked: asked.map(More::from),
    };
    let mut answer = (status, axum::Json(body)).into_response();
    let extensions = answer.extensions_mut();
    extensions.insert(Code(code.unwrap_or("unauthorized")));
    extensions.insert(said);
    answer
}

/// Whole seconds, rounded up: coming back at the second named is never too early (RFC 9110 section 10.2.3).
fn set_retry_after(answer: &mut Response, wait: Duration) {
    let seconds = wait.as_micros().div_ceil(1_000_000).max(1).to_string();
    if let Ok(value) = HeaderValue::from_str(&seconds) {
        answer.headers_mut().insert(header::RETRY_AFTER, value);
    }
}
