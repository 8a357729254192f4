//! Whose turn it is: the two lines, and each network's share of the second.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::pool::job::Outcome;
use crate::pool::pace::Pace;
use crate::pool::queue::Call;

const AHEAD: Turn = Turn {
    ahead: true,
    network: None,
};

/// Half a second of Argon2d at the pace that a pool starts with: a quarter of what may wait before
/// one thread.
const QUARTER: Work = Work {
    units: 499_000,
    ..ONE_SECOND
};

const fn from(network: u64) -> Turn {
    Turn {
        ahead: false,
        network: Some(network),
    }
}

/// Notes in which order jobs begin.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<Vec<&'static str>>>);

impl Order {
    fn submit(&self, pool: &Pool, turn: Turn, work: Work, name: &'static str) -> Answer<()> {
        let order = self.clone();
        pool.submit(turn, work, move |_| {
            order.0.lock().expect("lock").push(name);
            // What a test pretends to have computed says nothing about the pace.
            Err(HashError::Library)
        })
        .expect("admitted")
    }

    async fn of(&self, answers: Vec<Answer<()>>) -> String {
        for answer in answers {
            finished(answer).await.expect_err("as the test asks");
        }
        self.0.lock().expect("lock").concat()
    }
}

fn retry_after(refused: Result<impl Sized, PoolError>) -> Duration {
    match refused {
        Err(PoolError::Full { retry_after }) => retry_after,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("admitted"),
    }
}

#[tokio::test]
async fn l2_those_ahead_begin_before_the_others_and_each_in_their_order() {
    let pool = pool(1);
    let held = Held::begin(&pool);
    let order = Order::default();
    let answers = [(ANYBODY, "1"), (AHEAD, "a"), (from(7), "2"), (AHEAD, "b")]
        .map(|(turn, name)| order.submit(&pool, turn, NO_WORK, name));
    let load = pool.load();
    assert_eq!((load.queued, load.ahead), (4, 2));
    held.release().await;
    assert_eq!(order.of(answers.into()).await, "ab12");
    assert_eq!(pool.load().ahead, 0);
}

#[tokio::test]
async fn l2_those_ahead_have_room_when_the_others_have_none() {
    let pool = pool(1);
    let held = Held::begin(&pool);
    let others = [(); 3].map(|()| pool.submit(ANYBODY, ONE_SECOND, |_| Ok(())));
    assert_eq!(others.iter().filter(|other| other.is_ok()).count(), 2);
    pool.admits(SMALL, ANYBODY).expect_err("full");
    let ahead = [(); 3].map(|()| pool.submit(AHEAD, ONE_SECOND, |_| Ok(())));
    assert_eq!(ahead.iter().filter(|other| other.is_ok()).count(), 2);
    // Theirs is the time of those ahead alone; the others wait for all.
    assert_eq!(retry_after(pool.admits(SMALL, AHEAD)).as_secs(), 2);
    assert_eq!(retry_after(pool.admits(SMALL, ANYBODY)).as_secs(), 4);
    held.release().await;
}

#[test]
fn the_others_are_overtaken_by_no_more_than_may_wait() {
    let queue = Queue::new(PoolSettings {
        threads: 1,
        max_wait: Duration::from_secs(2),
    });
    let order = Arc::new(Mutex::new(String::new()));
    let come = |turn, units, name| {
        let order = Arc::clone(&order);
        let note = move |_: &mut Hasher| {
            order.lock().expect("lock").push(name);
            Ok(())
        };
        let (reply, answer) = oneshot::channel();
        let work = Work {
            units,
            ..ONE_SECOND
        };
        assert!(
            queue.admit(turn, [work; 2], job(note, reply, None)).is_ok(),
            "{name}"
        );
        answer
    };
    let mut answers = vec![come(ANYBODY, 0, '1')];
    // Each of those ahead is six tenths of a second: the fourth makes it more than two.
    for round in 0..9 {
        answers.push(come(AHEAD, 600_000, 'a'));
        if round == 2 {
            answers.push(come(ANYBODY, 0, '2'));
        }
        let mut next = queue.begin(0).expect("somebody waits");
        next.job.compute(&mut Hasher::default());
        queue.end(0, Outcome::Failed);
    }
    assert_eq!(*order.lock().expect("lock"), "aaaa1aa2a");
}

#[test]
fn who_rested_last_is_called_first() {
    let queue = Queue::new(PoolSettings {
        threads: 2,
        max_wait: Duration::from_secs(2),
    });
    let come = || {
        let (reply, answer) = oneshot::channel();
        let admitted = queue.admit(ANYBODY, [NO_WORK; 2], job(|_| Ok(()), reply, None));
        assert!(admitted.is_ok());
        answer
    };
    let resting = || [0, 1].map(|slot| queue.rests(slot));
    assert_eq!(resting(), [false, false]);
    assert!(queue.begin(0).is_none());
    assert!(queue.begin(1).is_none());
    assert_eq!(resting(), [true, true]);
    let _first = come();
    assert_eq!(resting(), [true, false]);
    let _second = come();
    assert_eq!(resting(), [false, false]);
    assert_eq!(
        queue.wait_for_call(1, Duration::MAX),
        Call::Work,
        "for the first"
    );
    queue.begin(1).expect("the first");
    // The other's job is taken by one that has just become free: it rests again.
    queue.end(1, Outcome::Failed);
    queue.begin(1).expect("the other one");
    assert_eq!(
        queue.wait_for_call(0, Duration::MAX),
        Call::Work,
        "for the second"
    );
    assert!(queue.begin(0).is_none());
    assert_eq!(resting(), [true, false]);
    assert_eq!(queue.wait_for_call(0, Duration::ZERO), Call::None);
    queue.close();
    assert_eq!(queue.wait_for_call(0, Duration::MAX), Call::End);
}

#[tokio::test]
async fn l2_one_network_leaves_three_quarters_to_the_others() {
    let pool = pool(1);
    let held = Held::begin(&pool);
    let waits = pool
        .submit(from(1), QUARTER, |_| Ok(()))
        .expect("its share");
    let refused = pool.submit(from(1), QUARTER, |_| Ok(()));
    // Shorter than a second, and never nothing.
    assert!((1..1_000).contains(&retry_after(refused).as_millis()));
    pool.admits(SMALL, from(1)).expect("this little fits");
    let counts = pool.counts();
    assert_eq!((counts.refused, counts.refused_by_share), (1, 1));

    // The next network, no network and those ahead have room.
    for turn in [from(2), from(3), ANYBODY] {
        drop(pool.submit(turn, QUARTER, |_| Ok(())).expect("room"));
    }
    // Stays, so that nobody else who goes ahead would begin at once.
    let first = pool.submit(AHEAD, QUARTER, |_| Ok(())).expect("room");
    let known = Turn {
        ahead: true,
        ..from(1)
    };
    // Whoever has an account anywhere is known; that alone does not give them the queue.
    retry_after(pool.submit(known, QUARTER, |_| Ok(())));
    let elsewhere = Turn {
        ahead: true,
        ..from(4)
    };
    drop(pool.submit(elsewhere, QUARTER, |_| Ok(())).expect("room"));

    held.release().await;
    finished(first).await.expect("done");
    finished(waits).await.expect("done");
    pool.shutdown().await;
    assert!(pool.owner.queue.is_settled());
}

#[tokio::test]
async fn n11_whether_there_is_room_does_not_tell_what_a_hash_costs() {
    let pool = pool(1);
    let held = Held::begin(&pool);
    // More than a quarter of what may wait, the second of them.
    let dear = "$2b$12$abcdefghijklmnopqrstuuCi15uRb1eH7NAlJ/TgeJertyknQpYn2";
    let waiting = [(); 3].map(|()| {
        let stored = Some(dear.parse().expect("a hash"));
        let verify = pool.submit_verify(Zeroizing::new(vec![]), stored, SMALL, from(1), AT_ONCE);
        verify.expect("they count as what an unknown address costs")
    });
    pool.admits(SMALL, from(1)).expect("so does the next");
    drop(waiting);
    held.release().await;
}

#[tokio::test]
async fn one_job_of_a_network_may_always_wait() {
    let pool = pool(1);
    let held = Held::begin(&pool);
    let large = pool.submit(from(1), ONE_SECOND, |_| Ok(())).expect("one");
    retry_after(pool.submit(from(1), NO_WORK, |_| Ok(())));
    drop(large);
    drop(pool.submit(from(1), ONE_SECOND, |_| Ok(())).expect("one"));
    held.release().await;
}

#[tokio::test]
async fn a_network_has_every_thread_that_is_free() {
    let pool = pool(2);
    let first = Held::begin(&pool);
    let large = Work {
        units: 8_000_000,
        ..ONE_SECOND
    };
    finished(pool.submit(from(1), large, |_| Ok(())).expect("free"))
        .await
        .expect("done");
    first.release().await;
}

#[tokio::test]
async fn l5_who_has_gone_gives_the_share_back() {
    let pool = pool(1);
    let held = Held::begin(&pool);
    let gone = pool.submit(from(1), QUARTER, |_| Ok(())).expect("share");
    retry_after(pool.submit(from(1), QUARTER, |_| Ok(())));
    drop(gone);
    let stays = pool.submit(from(1), QUARTER, |_| Ok(())).expect("room");
    assert_eq!((pool.counts().abandoned, pool.load().queued), (1, 1));
    held.release().await;
    finished(stays).await.expect("done");
    assert!(pool.owner.queue.is_settled());
}

/// What may happen to a queue.
#[derive(Clone, Debug)]
enum Step {
    Come(Turn, Work),
    /// Whoever came so many before the last has gone.
    Leave(usize),
    /// The thread ends with what it has, and takes the next.
    Begin,
}

fn turn() -> impl Strategy<Value = Turn> {
    (any::<bool>(), proptest::option::of(0..4_u64))
        .prop_map(|(ahead, network)| Turn { ahead, network })
}

fn work() -> impl Strategy<Value = Work> {
    (0..Scheme::COUNT, 0..400_000_u64).prop_map(|(scheme, units)| Work {
        scheme: Scheme::ALL[scheme],
        units,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (turn(), work()).prop_map(|(turn, work)| Step::Come(turn, work)),
        1 => (0..8_usize).prop_map(Step::Leave),
        2 => Just(Step::Begin),
    ]
}

proptest! {
    /// Whatever comes, leaves and is computed: no network holds more than its share unless it is by
    /// one job, everybody who stays is computed, and in the end nobody is held to anything.
    #[test]
    fn the_accounts_are_settled_in_the_end(steps in proptest::collection::vec(step(), 0..200)) {
        let settings = PoolSettings { threads: 1, max_wait: Duration::from_secs(2) };
        let queue = Queue::new(settings);
        let mut answers: VecDeque<Answer<()>> = VecDeque::new();
        let mut admitted = 0_u64;
        let begin = || queue.begin(0).map(|mut next| {
            next.job.compute(&mut Hasher::default());
            next.job.deliver();
        });
        let mut largest = 0.0_f64;
        for step in steps {
            match step {
                Step::Come(turn, work) => {
                    let (reply, answer) = oneshot::channel();
                    if queue.admit(turn, [work; 2], job(|_| Ok(()), reply, None)).is_ok() {
                        admitted += 1;
                        answers.push_front(answer);
                        largest = largest.max(Pace::guessed().of(work));
                    }
                }
                Step::Leave(which) => drop(answers.remove(which)),
                Step::Begin => {
                    // An outcome that teaches nothing: the pace stays what it was.
                    queue.end(0, Outcome::Failed);
                    begin();
                }
            }
            for (network, held) in queue.held() {
                // One that would begin at once comes on top: here the thread is only slow to take it.
                prop_assert!(held <= largest.max(0.5) + largest + 1e-9, "{network} holds {held} s");
            }
        }
        queue.end(0, Outcome::Failed);
        while begin().is_some() {
            queue.end(0, Outcome::Failed);
        }
        prop_assert!(queue.is_settled());
        let counts = queue.counts();
        prop_assert_eq!(counts.done + counts.abandoned, admitted);
        for mut answer in answers {
            prop_assert!(answer.try_recv().is_ok());
        }
    }
}
