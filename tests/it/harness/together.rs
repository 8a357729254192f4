//! Many at once, and the patience that this asks of each.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use super::Answer;

/// Runs all of them at once, each as far as it goes, and gives back what they came to, in their order.
pub async fn together<F: Future>(all: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Pin<Box<F>>> = all.into_iter().map(Box::pin).collect();
    let mut ended: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, end) in running.iter_mut().zip(&mut ended) {
            if end.is_none()
                && let Poll::Ready(output) = future.as_mut().poll(context)
            {
                *end = Some(output);
            }
        }
        if ended.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    ended.into_iter().flatten().collect()
}

/// Runs `attack` to its end and gives what it came to. Meanwhile, and once more afterwards, `ask` goes on as people do:
/// one after the other, a moment apart.
pub async fn meanwhile<T>(attack: impl Future<Output = T>, ask: impl AsyncFn()) -> T {
    let is_over = Cell::new(false);
    let attacking = async {
        let outcome = attack.await;
        is_over.set(true);
        outcome
    };
    let asking = async {
        while !is_over.get() {
            ask().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ask().await;
    };
    tokio::join!(attacking, asking).0
}

/// Asks again for as long as the answer is that the database is too busy, as whoever reads `Retry-After` does: a crowd
/// at one row on a slow machine may be told so.
pub async fn insist(ask: impl AsyncFn() -> Answer) -> Answer {
    loop {
        let answer = ask().await;
        if answer.code() != "unavailable" {
            return answer;
        }
    }
}

/// Asks again and again until the answer is there, which a running server may take some seconds to have.
pub fn sooner_or_later<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1_200 {
        if let Some(answer) = ask() {
            return answer;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("it never came");
}
