//! What must be true of every refusal, whatever it refuses.

use axum::http::StatusCode;
use doorward::error::Refusal;
use serde_json::Value;

use crate::harness::Answer;

/// A no of ours, in the one form that a no has: not a failure on our side, in the envelope, and without a word of what
/// was sent.
pub fn is_refusal(answer: &Answer, canary: &str, about: &str) {
    is_answer(answer, about);
    assert!(answer.status.is_client_error(), "{about}: {answer:?}");
    let echoes = |text: &[u8]| {
        text.windows(canary.len())
            .any(|part| part == canary.as_bytes())
    };
    assert!(
        !echoes(answer.body.as_bytes()),
        "{about} is echoed: {answer:?}"
    );
    assert!(
        !answer
            .headers
            .values()
            .any(|value| echoes(value.as_bytes())),
        "{about} is echoed: {answer:?}"
    );
}

/// A yes, or a no in its one form; never a failure on our side.
pub fn is_answer(answer: &Answer, about: &str) {
    assert!(!answer.status.is_server_error(), "{about}: {answer:?}");
    if answer.status.is_client_error() {
        is_envelope(answer, about);
    }
}

/// The first three keys always, in their order, and then the code; without one only the documented 401.
fn is_envelope(answer: &Answer, about: &str) {
    assert_eq!(
        answer.header("content-type"),
        "application/json",
        "{about}: {answer:?}"
    );
    assert_eq!(
        answer.header("cache-control"),
        "no-store",
        "{about}: {answer:?}"
    );
    assert!(
        !answer.header("x-request-id").is_empty(),
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
