//! What must be true of every refusal, whatever it refuses.

use crate::harness::Answer;
use crate::harness::envelope;

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
        envelope::is_refusal(answer, about);
        assert_eq!(
            answer.header("cache-control"),
            "no-store",
            "{about}: {answer:?}"
        );
        assert!(
            !answer.header("x-request-id").is_empty(),
            "{about}: {answer:?}"
        );
    }
}
