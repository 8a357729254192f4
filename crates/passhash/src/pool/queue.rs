//! Who waits, who runs, and who is let in.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::pace::{Backlog, Pace};
use super::{Counts, Load, PoolSettings};
use crate::hasher::{HashError, Hasher};
use crate::schemes::Work;

/// Least time after which it may be worth trying again.
const SOONEST_RETRY: Duration = Duration::from_millis(100);

/// How a job ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Computed,
    /// With an error, and so perhaps without the work: its time tells nothing about the pace.
    Failed,
    Panicked,
}

/// A computation and where its result goes, whatever its type is.
pub(super) trait Job: Send {
    /// Whoever asked has gone.
    fn is_abandoned(&self) -> bool;
    fn compute(&mut self, hasher: &mut Hasher) -> Outcome;
    /// Apart from the computation, so that a job counts as done before its caller hears of it.
    fn deliver(self: Box<Self>);
}

/// A job whose `reply` is dropped unused if `compute` panics.
pub(super) fn job<T: Send + 'static>(
    compute: impl FnOnce(&mut Hasher) -> Result<T, HashError> + Send + 'static,
    reply: oneshot::Sender<Result<T, HashError>>,
) -> Box<dyn Job> {
    Box::new(Computation {
        compute: Some(compute),
        result: None,
        reply,
    })
}

struct Computation<T, F> {
    compute: Option<F>,
    result: Option<Result<T, HashError>>,
    reply: oneshot::Sender<Result<T, HashError>>,
}

impl<T, F> Job for Computation<T, F>
where
    T: Send,
    F: FnOnce(&mut Hasher) -> Result<T, HashError> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn compute(&mut self, hasher: &mut Hasher) -> Outcome {
        self.result = self.compute.take().map(|compute| compute(hasher));
        match self.result {
            Some(Ok(_)) => Outcome::Computed,
            _ => Outcome::Failed,
        }
    }

    fn deliver(self: Box<Self>) {
        if let Some(result) = self.result {
            // Whoever asked may have gone meanwhile; then nobody misses the result.
            let _ = self.reply.send(result);
        }
    }
}

pub(super) struct Waiting {
    pub(super) work: Work,
    pub(super) job: Box<dyn Job>,
}

pub(super) enum Refusal {
    /// With the time until all that waits is expected to have begun.
    Full(Duration),
    Closed,
}

/// The queue and all that is known about its threads. No job runs while the lock is held.
pub(super) struct Queue {
    settings: PoolSettings,
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    waiting: VecDeque<Waiting>,
    backlog: Backlog,
    /// What each thread computes, and since when.
    running: Vec<Option<(Work, Instant)>>,
    pace: Pace,
    counts: Counts,
    open: bool,
}

impl Queue {
    pub(super) fn new(settings: PoolSettings) -> Self {
        Self {
            settings,
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                backlog: Backlog::default(),
                running: vec![None; settings.threads],
                pace: Pace::guessed(),
                counts: Counts::default(),
                open: true,
            }),
            wake: Condvar::new(),
        }
    }

    pub(super) fn admit(&self, newcomer: Waiting) -> Result<(), Refusal> {
        let mut state = self.state();
        if !state.open {
            return Err(Refusal::Closed);
        }
        let now = Instant::now();
        if state.expected_wait(now) > self.settings.max_wait {
            // Nobody is turned away for the sake of those who have left.
            state.forget_abandoned();
            let wait = state.expected_wait(now);
            if wait > self.settings.max_wait {
                state.counts.refused += 1;
                return Err(Refusal::Full(wait.max(SOONEST_RETRY)));
            }
        }
        state.backlog.add(newcomer.work);
        state.waiting.push_back(newcomer);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// The next job for the thread of `slot`, which is running from now on; `None` when nothing
    /// waits.
    pub(super) fn begin(&self, slot: usize) -> Option<Waiting> {
        self.state().begin(slot)
    }

    /// The same, but waits for one; `None` when the queue is closed and empty.
    pub(super) fn wait_to_begin(&self, slot: usize) -> Option<Waiting> {
        let mut state = self.state();
        loop {
            if let Some(next) = state.begin(slot) {
                return Some(next);
            }
            if !state.open {
                return None;
            }
            state = self
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The thread of `slot` has done what it began. Answers how long that took.
    pub(super) fn end(&self, slot: usize, outcome: Outcome) -> Duration {
        let mut state = self.state();
        let Some((work, since)) = state.running[slot].take() else {
            return Duration::ZERO;
        };
        let took = since.elapsed();
        state.counts.done += 1;
        state.counts.hashing += took;
        match outcome {
            Outcome::Computed => state.pace.learn(work, took),
            Outcome::Failed => {}
            Outcome::Panicked => state.counts.panicked += 1,
        }
        took
    }

    pub(super) fn close(&self) {
        self.state().open = false;
        self.wake.notify_all();
    }

    pub(super) fn load(&self) -> Load {
        let state = self.state();
        Load {
            queued: state.waiting.len(),
            busy: state.running.iter().flatten().count(),
            threads: state.running.len(),
            expected_wait: state.expected_wait(Instant::now()),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.state().counts
    }

    /// The state is whole at every point where a panic could leave it, so a poisoned lock is as
    /// good as another.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self, slot: usize) -> Option<Waiting> {
        while let Some(next) = self.waiting.pop_front() {
            self.backlog.remove(next.work);
            if next.job.is_abandoned() {
                self.counts.abandoned += 1;
                continue;
            }
            self.running[slot] = Some((next.work, Instant::now()));
            return Some(next);
        }
        None
    }

    fn forget_abandoned(&mut self) {
        let Self {
            waiting,
            backlog,
            counts,
            ..
        } = self;
        waiting.retain(|waiting| {
            let abandoned = waiting.job.is_abandoned();
            if abandoned {
                backlog.remove(waiting.work);
                counts.abandoned += 1;
            }
            !abandoned
        });
    }

    /// When a job that came at `now` would begin: at once on a free thread, else when the threads
    /// together have worked off what waits and what they are at. What runs longer than foretold is
    /// taken to be as good as done.
    fn expected_wait(&self, now: Instant) -> Duration {
        let threads = self.running.len();
        let busy = self.running.iter().flatten().count();
        if busy + self.waiting.len() < threads {
            return Duration::ZERO;
        }
        let running: f64 = self
            .running
            .iter()
            .flatten()
            .map(|&(work, since)| {
                let expected = self.pace.seconds(work.scheme, work.units);
                (expected - now.saturating_duration_since(since).as_secs_f64()).max(0.0)
            })
            .sum();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = (running + self.backlog.seconds(&self.pace)) / threads as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}
