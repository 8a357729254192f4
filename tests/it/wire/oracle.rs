//! What must hold after every bad input, whatever it was: a refusal in our shape and no failure of ours, nothing changed, and
//! a connection that is good for the next request, or closed.

use super::listening::Listening;
use crate::harness::Answer;
use crate::harness::envelope;
use crate::harness::rows;

/// What a good request behind the bad one is called, and one that hides inside of it.
pub const AFTER: &str = "after";
pub const SMUGGLED: &str = "smuggled";

/// A request that is right in every way, and the last on its connection.
const GOOD: &[u8] = b"GET /auth/config HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: after\r\nConnection: close\r\n\r\n";

impl Listening<'_> {
    /// Sends `bytes`, which hold one request at the most that may be answered. Gives the answer; `None` when the connection
    /// was closed without one.
    pub async fn bad(&self, why: &str, bytes: &[u8]) -> Option<Answer> {
        let before = rows::all(&self.server.app.db).await;
        self.with_a_good_one_behind(why, bytes).await;
        let answer = self.and_then_a_good_one(why, bytes).await;
        assert_eq!(
            rows::all(&self.server.app.db).await,
            before,
            "{why}: something changed"
        );
        answer
    }

    /// The same, refused with `status`.
    pub async fn refused(&self, status: u16, why: &str, bytes: &[u8]) -> Answer {
        let answer = self.bad(why, bytes).await;
        let answer = answer.unwrap_or_else(|| panic!("{why}: no answer"));
        assert_eq!(answer.status, status, "{why}: {answer:?}");
        answer
    }

    /// Both in one packet, as a proxy would send the requests of two people.
    async fn with_a_good_one_behind(&self, why: &str, bytes: &[u8]) {
        let mut line = self.connect().await;
        line.write(&[bytes, GOOD].concat()).await;
        let mut answers = Vec::from_iter(line.answer_to(method_of(bytes)).await);
        answers.extend(line.answers().await);
        if answers
            .last()
            .is_some_and(|it| it.header("x-request-id") == AFTER)
        {
            is_the_good_one(why, &answers.pop().unwrap());
        }
        assert!(answers.len() <= 1, "{why}: {answers:?}");
        for answer in &answers {
            is_in_shape(why, answer);
        }
    }

    /// The good one once the bad one has been answered.
    async fn and_then_a_good_one(&self, why: &str, bytes: &[u8]) -> Option<Answer> {
        let mut line = self.connect().await;
        line.write(bytes).await;
        let answer = line.answer_to(method_of(bytes)).await?;
        is_in_shape(why, &answer);
        line.write(GOOD).await;
        if let Some(next) = line.answer().await {
            assert_ne!(answer.header("connection"), "close", "{why}: it said close");
            is_the_good_one(why, &next);
            assert!(line.answer().await.is_none(), "{why}: a third answer");
        }
        Some(answer)
    }
}

/// All that matters to a reader: the answer to HEAD has no body.
fn method_of(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"HEAD ") {
        "HEAD"
    } else {
        "GET"
    }
}

fn is_the_good_one(why: &str, answer: &Answer) {
    assert_eq!(answer.header("x-request-id"), AFTER, "{why}: {answer:?}");
    assert_eq!(answer.status, 200, "{why}: {answer:?}");
    assert!(answer.json()["methods"].is_array(), "{why}: {answer:?}");
}

/// Not a failure of ours, not the answer to what was smuggled; and where it is a refusal, one in our envelope, or one without
/// a word, which is what the HTTP library says to what it cannot read at all.
pub fn is_in_shape(why: &str, answer: &Answer) {
    assert!(!answer.status.is_server_error(), "{why}: {answer:?}");
    assert!(
        ![AFTER, SMUGGLED].contains(&answer.header("x-request-id")),
        "{why}: {answer:?}"
    );
    if !answer.status.is_client_error() {
        return;
    }
    if answer.header("content-length") == "0" {
        assert_eq!(answer.header("connection"), "close", "{why}: {answer:?}");
        return;
    }
    if !answer.body.is_empty() {
        return envelope::is_refusal(answer, why);
    }
    // To a HEAD.
    assert_eq!(
        answer.header("content-type"),
        "application/json",
        "{why}: {answer:?}"
    );
}
