//! The queue before the hash threads: who is turned away, in which words, and who is no longer waited for.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use axum::http::HeaderMap;

use crate::harness::{ADA, Answer, PASSWORD, server_with, together};

/// One thread, and a hash that takes it longer than anybody may wait.
const SLOW: &[(&str, &str)] = &[
    ("password.threads", "1"),
    ("password.argon2.memory_kib", "262144"),
    ("password.argon2.iterations", "4"),
];

/// Polls `waiting` until `is_so`, and leaves it there.
async fn until<F: Future>(waiting: &mut std::pin::Pin<&mut F>, is_so: impl Fn() -> bool) {
    poll_fn(|context| {
        assert!(
            waiting.as_mut().poll(context).is_pending(),
            "it came to its end too soon"
        );
        if is_so() {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The headers that do not say when or which.
fn lasting(answer: &Answer) -> HeaderMap {
    let mut headers = answer.headers.clone();
    headers.remove("x-request-id");
    headers.remove("retry-after");
    headers
}

#[tokio::test]
async fn a_full_queue_says_so_in_the_same_words_whether_or_not_there_is_an_account() {
    let settings = [SLOW, &[("password.max_wait", "100ms")]].concat();
    server_with(&settings, async |server| {
        server.signs_up(ADA).await;
        let emails = [ADA, "nobody@example.com"];
        let answers = together((0..16).map(|n| server.signs_in(emails[n % 2], PASSWORD))).await;
        let mut turned_away = [Vec::new(), Vec::new()];
        for (n, answer) in answers.iter().enumerate() {
            match (n % 2, answer.status.as_u16()) {
                (0, 200) | (1, 401) => {}
                (who, 503) => turned_away[who].push(answer),
                _ => panic!("{answer:?}"),
            }
        }
        let [known, unknown] = &turned_away;
        assert!(!known.is_empty() && !unknown.is_empty(), "{answers:?}");
        for answer in known.iter().chain(unknown) {
            assert_eq!(answer.code(), "overloaded");
            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
            assert_eq!(answer.body, known[0].body);
            assert_eq!(lasting(answer), lasting(known[0]));
        }
        let refused = server.app.passwords.counts().refused;
        assert_eq!(refused, (known.len() + unknown.len()) as u64);
        // Nobody was turned away for good.
        assert_eq!(server.signs_in(ADA, PASSWORD).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_has_gone_away_is_not_hashed_for() {
    server_with(SLOW, async |server| {
        let passwords = &server.app.passwords;
        let mut first = pin!(server.signs_in(ADA, PASSWORD));
        until(&mut first, || passwords.load().busy == 1).await;
        {
            let mut gone = pin!(server.signs_in(ADA, PASSWORD));
            until(&mut gone, || passwords.load().queued == 1).await;
        }
        assert_eq!(first.await.status, 401);
        let before = passwords.counts();
        assert_eq!(server.signs_in(ADA, PASSWORD).await.status, 401);
        let counts = passwords.counts();
        assert_eq!(
            (counts.abandoned, counts.done - before.done),
            (1, 1),
            "{before:?} {counts:?}"
        );
    })
    .await;
}
