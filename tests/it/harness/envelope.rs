//! The one form that every refusal has, and the other one of OAuth endpoints.

use axum::http::StatusCode;
use doorward::error::Refusal;
use serde_json::Value;

use super::Answer;

/// A refusal in the form of its route.
pub fn is_refusal(answer: &Answer, about: &str) {
    if answer.is_oauth() {
        is_oauth(answer, about);
    } else {
        is_envelope(answer, about);
    }
}

/// RFC 6749 section 5.2: one of its errors, under a status that says the same, and a description.
fn is_oauth(answer: &Answer, about: &str) {
    assert_eq!(answer.header("content-type"), "application/json", "{about}");
    let object = answer.json().as_object().unwrap();
    let keys: Vec<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(keys, ["error", "error_description"], "{about}: {answer:?}");
    let challenge = match answer.status.as_u16() {
        401 => "Basic realm=\"doorward\"",
        _ => "",
    };
    assert_eq!(answer.header("www-authenticate"), challenge, "{about}");
    let error = match answer.status.as_u16() {
        401 => "invalid_client",
        429 | 503 => "temporarily_unavailable",
        500 => "server_error",
        _ => "invalid_request",
    };
    assert_eq!(answer.code(), error, "{about}: {answer:?}");
    assert_ne!(object["error_description"], "", "{about}");
}

/// JSON with the first three keys always, in their order, and then the code; without one only the documented 401.
fn is_envelope(answer: &Answer, about: &str) {
    assert_eq!(
        answer.header("content-type"),
        "application/json",
        "{about}: {answer:?}"
    );
    let envelope = answer.json().as_object().expect("a refusal is an object");
    let keys: Vec<&str> = envelope.keys().map(String::as_str).collect();
    match keys.as_slice() {
        ["statusCode", "message", "error", "code"] => assert!(
            codes().any(|known| known == (answer.status, answer.code())),
            "{about}: {answer:?}"
        ),
        ["statusCode", "message", "error"] => assert_eq!(
            answer.body, r#"{"statusCode":401,"message":"Unauthorized","error":"Unauthorized"}"#,
            "{about}"
        ),
        other => panic!("{about}: an envelope of {other:?}"),
    }
    assert_eq!(envelope["statusCode"], answer.status.as_u16(), "{about}");
    assert_eq!(
        envelope["error"].as_str(),
        answer.status.canonical_reason(),
        "{about}"
    );
    let is_sentence = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let is_message = match &envelope["message"] {
        Value::Array(sentences) => !sentences.is_empty() && sentences.iter().all(is_sentence),
        sentence => is_sentence(sentence),
    };
    assert!(is_message, "{about}: {answer:?}");
}

/// Every status and code that a refusal can have.
fn codes() -> impl Iterator<Item = (StatusCode, &'static str)> {
    Refusal::catalogue().into_iter().map(|refusal| {
        let said = refusal.said();
        (said.status, said.code.unwrap_or(""))
    })
}
