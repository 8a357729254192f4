//! Who is kept from a yes, and until when.

use super::*;

/// Longer than any test.
const AN_HOUR: Duration = Duration::from_hours(1);

/// Verifies `password` behind a job that holds the only thread and before another, and tells whether the answer was there
/// when the thread had begun with that one. Then the thread rests, and the answer is there in any case.
async fn is_told_before_the_next(password: Zeroizing<Vec<u8>>, leisure: Duration) -> bool {
    let pool = pool(1);
    let hash = pool
        .hash(super::password(), SMALL, ANYBODY)
        .await
        .expect("hash");
    let stored = Some(hash.parse().expect("parse"));
    let before = Held::begin(&pool);
    let verified = pool.submit_verify(password, stored, SMALL, ANYBODY, leisure);
    let mut verified = verified.expect("admitted");
    let (begun, has_begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let next = pool.submit(ANYBODY, NO_WORK, move |_| {
        begun.send(()).expect("the test waits");
        let _ = released.recv();
        Ok(())
    });
    before.release().await;
    has_begun.recv().expect("begun");
    let is_told = verified.try_recv().is_ok();
    drop(release);
    finished(next.expect("admitted")).await.expect("done");
    if !is_told {
        finished(verified).await.expect("told when nobody waits");
    }
    is_told
}

#[tokio::test]
async fn a_yes_is_kept_back_while_others_wait() {
    assert!(!is_told_before_the_next(password(), AN_HOUR).await);
}

#[tokio::test]
async fn a_no_is_told_at_once() {
    let wrong = Zeroizing::new(b"wrong horse".to_vec());
    assert!(is_told_before_the_next(wrong, AN_HOUR).await);
}

#[tokio::test]
async fn who_has_no_leisure_is_told_at_once() {
    assert!(is_told_before_the_next(password(), AT_ONCE).await);
}

#[tokio::test]
async fn who_has_too_little_leisure_is_told_at_once() {
    // What comes next is expected to take longer.
    assert!(is_told_before_the_next(password(), Duration::from_nanos(1)).await);
}

#[tokio::test]
async fn nobody_is_kept_waiting_where_nobody_else_is() {
    let pool = pool(1);
    let hash = pool.hash(password(), SMALL, ANYBODY).await.expect("hash");
    let stored = hash.parse().ok();
    let verified = pool.verify(password(), stored, SMALL, ANYBODY, AN_HOUR);
    assert!(verified.await.expect("verify").is_right);
}

#[tokio::test]
async fn the_first_that_has_to_be_told_takes_the_others_along() {
    let queue = Queue::new(PoolSettings {
        threads: 1,
        max_wait: Duration::from_secs(2),
    });
    let keep = |at_most| {
        let (reply, answer) = oneshot::channel();
        let leisure = Leisure {
            at_most,
            home: Handle::current(),
            allows: |(): &()| true,
        };
        let mut job = job(|_| Ok(()), reply, Some(leisure));
        job.compute(&mut Hasher::default());
        assert!(queue.keep(job).is_none());
        answer
    };
    let patient = keep(AN_HOUR);
    assert_eq!(queue.due(Some(ONE_SECOND)).len(), 0);
    let hasty = keep(Duration::from_millis(10));
    let due = queue.due(Some(ONE_SECOND));
    assert_eq!(due.len(), 2);
    assert_eq!(queue.due(None).len(), 0);
    job::deliver(due);
    for answer in [patient, hasty] {
        finished(answer).await.expect("told");
    }
}
