//! How a no is said at an OAuth endpoint: in the form of RFC 6749 section 5.2, which those who call it read, rather than in
//! our own envelope. Status, headers and log line stay what they are.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::error::{Message, Said};

#[derive(Serialize)]
struct Refused {
    error: &'static str,
    error_description: String,
}

/// What an OAuth endpoint answers: a refusal is said again, in the form that it has there.
pub fn say_again(answer: Response) -> Response {
    let Some(said) = answer.extensions().get::<Said>() else {
        return answer;
    };
    let again = Json(refused(said)).into_response();
    let (parts, _) = answer.into_parts();
    Response::from_parts(parts, again.into_body())
}

fn refused(said: &Said) -> Refused {
    let error = match said.status {
        StatusCode::UNAUTHORIZED => "invalid_client",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            "temporarily_unavailable"
        }
        status if status.is_server_error() => "server_error",
        _ => "invalid_request",
    };
    let error_description = match &said.message {
        Message::One(sentence) => sentence.clone().into_owned(),
        Message::Many(sentences) => sentences.join("; "),
    };
    Refused {
        error,
        error_description,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Refusal;

    #[test]
    fn every_description_has_the_characters_that_the_rfc_lets_it_have() {
        let is_allowed = |byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~');
        for refusal in Refusal::catalogue() {
            let words = refused(&refusal.said()).error_description;
            assert!(words.bytes().all(is_allowed), "{words}");
            assert!(!words.is_empty(), "{refusal:?}");
        }
    }
}
