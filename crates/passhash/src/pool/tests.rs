use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};

use super::*;

mod leisure;
mod turns;

const SMALL: Cost = Cost {
    memory_kib: 64,
    iterations: 1,
    parallelism: 1,
};

/// A second of Argon2d at the pace that a pool starts with, whatever the processor.
const ONE_SECOND: Work = Work {
    scheme: Scheme::Argon2d,
    units: 1_000_000,
};

const NO_WORK: Work = Work {
    scheme: Scheme::Argon2id,
    units: 0,
};

const ANYBODY: Turn = Turn {
    ahead: false,
    network: None,
};

const AT_ONCE: Duration = Duration::ZERO;

fn pool(threads: usize) -> Pool {
    Pool::start(PoolSettings {
        threads,
        max_wait: Duration::from_secs(2),
    })
    .expect("start")
}

/// A job that holds its thread until it is let go (or dropped).
struct Held {
    answer: Answer<()>,
    release: mpsc::Sender<()>,
}

impl Held {
    /// Returns when the job has begun.
    fn begin(pool: &Pool) -> Self {
        let (begun, has_begun) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let answer = pool
            .submit(ANYBODY, NO_WORK, move |_| {
                begun.send(()).expect("the test waits");
                // An error is a release too: the test has ended.
                let _ = released.recv();
                Ok(())
            })
            .expect("admitted");
        has_begun.recv().expect("begun");
        Self { answer, release }
    }

    async fn release(self) {
        self.release.send(()).expect("held");
        finished(self.answer).await.expect("done");
    }
}

fn password() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(b"correct horse".to_vec())
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn hashes_and_verifies() {
    let pool = pool(2);
    let hash = pool.hash(password(), SMALL, ANYBODY).await.expect("hash");
    let stored: StoredHash = hash.parse().expect("parse");
    let wrong = Zeroizing::new(b"wrong horse".to_vec());
    assert!(
        pool.verify(password(), Some(stored.clone()), SMALL, ANYBODY, AT_ONCE)
            .await
            .expect("verify")
            .is_right
    );
    assert!(
        !pool
            .verify(wrong, Some(stored), SMALL, ANYBODY, AT_ONCE)
            .await
            .expect("verify")
            .is_right
    );
    assert!(
        !pool
            .verify(password(), None, SMALL, ANYBODY, AT_ONCE)
            .await
            .expect("decoy")
            .is_right
    );
    let counts = pool.counts();
    assert_eq!((counts.done, counts.refused, counts.abandoned), (4, 0, 0));
    assert!(counts.hashing > Duration::ZERO);
    assert_eq!(
        pool.load(),
        Load {
            queued: 0,
            ahead: 0,
            busy: 0,
            threads: 2,
            expected_wait: Duration::ZERO
        }
    );
}

#[tokio::test]
async fn a_cost_out_of_bounds_is_refused_before_it_waits() {
    let pool = pool(1);
    let cost = Cost {
        memory_kib: u32::MAX,
        ..SMALL
    };
    for error in [
        pool.hash(password(), cost, ANYBODY)
            .await
            .expect_err("too much"),
        pool.verify(password(), None, cost, ANYBODY, AT_ONCE)
            .await
            .expect_err("too much"),
    ] {
        assert!(
            matches!(error, PoolError::Failed(HashError::Cost(CostError::Memory))),
            "{error}"
        );
    }
    assert_eq!(pool.counts(), Counts::default());
}

#[test]
fn a_pool_has_threads() {
    let settings = PoolSettings {
        threads: 0,
        max_wait: Duration::ZERO,
    };
    assert!(matches!(Pool::start(settings), Err(StartError::NoThreads)));
}

#[tokio::test]
async fn l1_what_cannot_begin_in_time_is_refused_and_told_when() {
    let pool = pool(1);
    let held = Held::begin(&pool);
    let mut admitted = Vec::new();
    // One that could begin at once, one after a second; the third would begin after two and a
    // little.
    for _ in 0..2 {
        admitted.push(
            pool.submit(ANYBODY, ONE_SECOND, |_| Ok(()))
                .expect("admitted"),
        );
    }
    let full = pool.verify(password(), None, SMALL, ANYBODY, AT_ONCE);
    // At once: the first poll has the answer.
    let Poll::Ready(Err(PoolError::Full { retry_after })) = poll_once(pin!(full)) else {
        panic!("not refused at once");
    };
    assert_eq!(retry_after.as_secs(), 2);
    let load = pool.load();
    assert_eq!((load.queued, load.busy, load.threads), (2, 1, 1));
    assert_eq!(load.expected_wait.as_secs(), 2);
    held.release().await;
    for answer in admitted {
        finished(answer).await.expect("done");
    }
    assert!(
        !pool
            .verify(password(), None, SMALL, ANYBODY, AT_ONCE)
            .await
            .expect("room again")
            .is_right
    );
    assert_eq!((pool.counts().refused, pool.counts().done), (1, 4));
}

#[tokio::test]
async fn more_threads_let_more_wait() {
    let pool = pool(2);
    let held = [Held::begin(&pool), Held::begin(&pool)];
    let admitted: Vec<_> = (0..9)
        .map_while(|_| pool.submit(ANYBODY, ONE_SECOND, |_| Ok(())).ok())
        .collect();
    assert_eq!(admitted.len(), 4);
    for held in held {
        held.release().await;
    }
}

#[tokio::test]
async fn a_free_thread_takes_a_job_however_slow_the_pace() {
    let pool = Pool::start(PoolSettings {
        threads: 1,
        max_wait: Duration::ZERO,
    })
    .expect("start");
    let slow = Work {
        units: u64::from(u32::MAX),
        ..ONE_SECOND
    };
    finished(pool.submit(ANYBODY, slow, |_| Ok(())).expect("admitted"))
        .await
        .expect("done");
}

#[tokio::test]
async fn l5_nobody_hashes_for_who_has_gone() {
    let pool = pool(1);
    let held = Held::begin(&pool);
    {
        let gone = pin!(pool.verify(password(), None, SMALL, ANYBODY, AT_ONCE));
        assert!(poll_once(gone).is_pending());
    }
    let stays = pool
        .submit(ANYBODY, NO_WORK, |_| Ok("computed"))
        .expect("admitted");
    assert_eq!(pool.load().queued, 2);
    held.release().await;
    assert_eq!(finished(stays).await.expect("done"), "computed");
    let counts = pool.counts();
    assert_eq!((counts.done, counts.abandoned), (2, 1));
}

#[tokio::test]
async fn who_has_gone_takes_no_room() {
    let pool = pool(1);
    let held = Held::begin(&pool);
    let gone = [
        pool.submit(ANYBODY, ONE_SECOND, |_| Ok(()))
            .expect("admitted"),
        pool.submit(ANYBODY, ONE_SECOND, |_| Ok(()))
            .expect("admitted"),
    ];
    pool.submit(ANYBODY, NO_WORK, |_| Ok(())).expect_err("full");
    drop(gone);
    let answer = pool.submit(ANYBODY, NO_WORK, |_| Ok(())).expect("room");
    assert_eq!((pool.counts().abandoned, pool.load().queued), (2, 1));
    held.release().await;
    finished(answer).await.expect("done");
}

#[tokio::test]
async fn jobs_begin_in_the_order_they_came() {
    let pool = pool(1);
    let held = Held::begin(&pool);
    let order = Arc::new(Mutex::new(Vec::new()));
    let answers: Vec<_> = (0..20)
        .map(|number| {
            let order = Arc::clone(&order);
            pool.submit(ANYBODY, NO_WORK, move |_| {
                order.lock().expect("lock").push(number);
                Ok(())
            })
            .expect("admitted")
        })
        .collect();
    held.release().await;
    for answer in answers {
        finished(answer).await.expect("done");
    }
    assert_eq!(*order.lock().expect("lock"), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_panic_fails_its_job_alone() {
    let pool = pool(1);
    let answer: Answer<()> = pool
        .submit(ANYBODY, NO_WORK, |_| panic!("as the test asks"))
        .expect("admitted");
    let error = finished(answer).await.expect_err("panicked");
    assert!(
        matches!(error, PoolError::Failed(HashError::Panicked)),
        "{error}"
    );
    assert!(
        !pool
            .verify(password(), None, SMALL, ANYBODY, AT_ONCE)
            .await
            .expect("goes on")
            .is_right
    );
    assert_eq!((pool.counts().done, pool.counts().panicked), (2, 1));
    assert_eq!(pool.load().busy, 0);
}

#[tokio::test]
async fn a_failure_says_nothing_about_the_pace() {
    let pool = pool(1);
    for _ in 0..100 {
        let answer: Answer<()> = pool
            .submit(ANYBODY, ONE_SECOND, |_| Err(HashError::Library))
            .expect("admitted");
        finished(answer).await.expect_err("failed");
    }
    let held = Held::begin(&pool);
    let answer = pool
        .submit(ANYBODY, ONE_SECOND, |_| Ok(()))
        .expect("admitted");
    assert_eq!(pool.load().expected_wait.as_secs(), 1);
    held.release().await;
    finished(answer).await.expect("done");
}

#[tokio::test]
async fn shutdown_finishes_what_was_admitted() {
    let pool = pool(1);
    let held = Held::begin(&pool);
    let admitted = pool
        .submit(ANYBODY, NO_WORK, |_| Ok("computed"))
        .expect("admitted");
    let mut shutdown = pin!(pool.shutdown());
    assert!(poll_once(shutdown.as_mut()).is_pending());
    let late = pool
        .hash(password(), SMALL, ANYBODY)
        .await
        .expect_err("late");
    assert!(matches!(late, PoolError::Stopped), "{late}");
    held.release().await;
    shutdown.await;
    assert_eq!(finished(admitted).await.expect("done"), "computed");
    // Asked twice, it returns at once.
    pool.shutdown().await;
}

#[tokio::test]
async fn threads_end_when_the_last_clone_is_dropped() {
    let pool = pool(2);
    let mut threads_left = pool.owner.threads_left.clone();
    let other = pool.clone();
    drop(pool);
    let admitted = other
        .submit(ANYBODY, NO_WORK, |_| Ok("computed"))
        .expect("admitted");
    drop(other);
    assert_eq!(finished(admitted).await.expect("done"), "computed");
    threads_left
        .wait_for(|&threads| threads == 0)
        .await
        .expect("ended");
}

#[tokio::test]
async fn each_computed_job_is_observed() {
    static OBSERVED: AtomicUsize = AtomicUsize::new(0);
    let settings = PoolSettings {
        threads: 1,
        max_wait: Duration::from_secs(2),
    };
    let pool = Pool::start_observed(settings, |scheme, _took| {
        assert_eq!(scheme, Scheme::Argon2id);
        OBSERVED.fetch_add(1, Ordering::Relaxed);
    })
    .expect("start");
    for _ in 0..3 {
        pool.verify(password(), None, SMALL, ANYBODY, AT_ONCE)
            .await
            .expect("decoy");
    }
    pool.shutdown().await;
    assert_eq!(OBSERVED.load(Ordering::Relaxed), 3);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn hash_threads_yield_to_others() {
    let priority = || rustix::process::getpriority_process(None).expect("priority");
    let ours = priority();
    let theirs = pool(1)
        .submit(ANYBODY, NO_WORK, move |_| Ok(priority()))
        .expect("admitted");
    assert_eq!(finished(theirs).await.expect("done"), (ours + 10).min(19));
    assert_eq!(priority(), ours);
}
