//! Who runs, and who is let in.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::job::{Job, Outcome};
use super::lines::{Lines, Waiting};
use super::pace::Pace;
use super::{Counts, Load, PoolSettings, Turn};
use crate::schemes::Work;

/// Least time after which it may be worth trying again.
const SOONEST_RETRY: Duration = Duration::from_millis(100);
/// How much of the time that may wait one network holds at most.
const SHARE: f64 = 0.25;

pub(super) enum Refusal {
    /// With the time until all that waits before it is expected to have begun.
    Full(Duration),
    Closed,
}

/// What a thread that rests is called for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    Work,
    None,
    /// The queue is closed, and nothing waits.
    End,
}

/// Why a job cannot wait, and when all that waits before it is expected to have begun.
enum Obstacle {
    Time(Duration),
    Share(Duration),
}

/// The queue and all that is known about its threads. No job runs while the lock is held.
pub(super) struct Queue {
    settings: PoolSettings,
    state: Mutex<State>,
    /// One for each thread.
    wakes: Vec<Condvar>,
}

struct State {
    lines: Lines,
    /// What each thread computes, and since when.
    running: Vec<Option<(Work, Instant)>>,
    /// The threads that have nothing to do. The last one to rest is called first: its memory is the
    /// likeliest to be in the caches.
    resting: Vec<usize>,
    /// What was computed and is kept back, and until when at the most.
    kept: Vec<Box<dyn Job>>,
    kept_until: Instant,
    pace: Pace,
    counts: Counts,
    open: bool,
}

impl Queue {
    pub(super) fn new(settings: PoolSettings) -> Self {
        Self {
            settings,
            state: Mutex::new(State {
                lines: Lines::default(),
                running: vec![None; settings.threads],
                resting: Vec::with_capacity(settings.threads),
                kept: Vec::new(),
                kept_until: Instant::now(),
                pace: Pace::guessed(),
                counts: Counts::default(),
                open: true,
            }),
            wakes: (0..settings.threads).map(|_| Condvar::new()).collect(),
        }
    }

    pub(super) fn admit(
        &self,
        turn: Turn,
        [work, held]: [Work; 2],
        job: Box<dyn Job>,
    ) -> Result<(), Refusal> {
        let mut state = self.state();
        state.judge(turn, held, self.settings)?;
        state.lines.join(turn, [work, held], job);
        let called = state.resting.pop();
        drop(state);
        if let Some(slot) = called {
            self.wakes[slot].notify_one();
        }
        Ok(())
    }

    /// What [`Queue::admit`] would say now.
    pub(super) fn judge(&self, turn: Turn, held: Work) -> Result<(), Refusal> {
        self.state().judge(turn, held, self.settings)
    }

    /// The next job for the thread of `slot`, which is running from now on; `None` when nothing
    /// waits: then it rests until it is called.
    pub(super) fn begin(&self, slot: usize) -> Option<Waiting> {
        self.state().begin_or_rest(slot, self.settings)
    }

    /// Whether the thread of `slot` rests and was not called.
    pub(super) fn rests(&self, slot: usize) -> bool {
        self.state().resting.contains(&slot)
    }

    /// Waits until the thread of `slot`, which rests, is called, or for so long. What it was called for may have been taken by one
    /// that had just become free.
    pub(super) fn wait_for_call(&self, slot: usize, at_most: Duration) -> Call {
        let rests = |state: &mut State| state.open && state.resting.contains(&slot);
        let state = self.wakes[slot].wait_timeout_while(self.state(), at_most, rests);
        let (state, _) = state.unwrap_or_else(PoisonError::into_inner);
        match (state.resting.contains(&slot), state.open) {
            (false, _) => Call::Work,
            (true, true) => Call::None,
            (true, false) => Call::End,
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

    /// Keeps back what was computed; gives it back where there is no leisure. The thread asks [`Queue::due`] when it has begun
    /// with another job, or found none.
    pub(super) fn keep(&self, job: Box<dyn Job>) -> Option<Box<dyn Job>> {
        let Some((leisure, _)) = job.leisure() else {
            return Some(job);
        };
        let now = Instant::now();
        let until = now.checked_add(leisure).unwrap_or(now);
        let mut state = self.state();
        if state.kept.is_empty() || until < state.kept_until {
            state.kept_until = until;
        }
        state.kept.push(job);
        None
    }

    /// What was kept back and is to be told now: all, unless the thread that asks has begun with `next` and is expected back
    /// in time.
    pub(super) fn due(&self, next: Option<Work>) -> Vec<Box<dyn Job>> {
        let mut state = self.state();
        let left = state.kept_until.saturating_duration_since(Instant::now());
        if next.is_some_and(|next| state.pace.of(next) < left.as_secs_f64()) {
            return Vec::new();
        }
        std::mem::take(&mut state.kept)
    }

    pub(super) fn close(&self) {
        self.state().open = false;
        self.wakes.iter().for_each(Condvar::notify_one);
    }

    /// How long a thread takes for `work`, at the present pace.
    pub(super) fn expected(&self, work: Work) -> Duration {
        let seconds = self.state().pace.of(work);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// When a job of `turn` that came now would be expected to begin.
    pub(super) fn expected_wait(&self, turn: Turn) -> Duration {
        self.state().expected_wait(turn, Instant::now())
    }

    pub(super) fn load(&self) -> Load {
        let state = self.state();
        let (queued, ahead) = state.lines.lengths();
        Load {
            queued,
            ahead,
            busy: state.busy(),
            threads: state.running.len(),
            expected_wait: state.expected_wait(Turn::default(), Instant::now()),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let state = self.state();
        Counts {
            abandoned: state.lines.abandoned,
            ..state.counts
        }
    }

    /// The state is whole at every point where a panic could leave it, so a poisoned lock is as
    /// good as another.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing waits and nothing is held to anybody's account.
    #[cfg(test)]
    pub(super) fn is_settled(&self) -> bool {
        self.state().lines.is_settled()
    }

    /// What waits on the account of each network, in seconds of one thread.
    #[cfg(test)]
    pub(super) fn held(&self) -> std::collections::HashMap<u64, f64> {
        let state = self.state();
        state.lines.held(&state.pace)
    }
}

impl PoolSettings {
    /// The work that may wait, in seconds of one thread.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn room(&self) -> f64 {
        self.max_wait.as_secs_f64() * self.threads as f64
    }
}

impl State {
    fn begin_or_rest(&mut self, slot: usize, settings: PoolSettings) -> Option<Waiting> {
        let next = self.lines.next(&self.pace, settings.room());
        match &next {
            Some(next) => {
                self.resting.retain(|&resting| resting != slot);
                self.running[slot] = Some((next.work, Instant::now()));
            }
            None if self.resting.contains(&slot) => {}
            None => self.resting.push(slot),
        }
        next
    }

    fn judge(&mut self, turn: Turn, held: Work, settings: PoolSettings) -> Result<(), Refusal> {
        if !self.open {
            return Err(Refusal::Closed);
        }
        let now = Instant::now();
        if self.obstacle(turn, held, settings, now).is_none() {
            return Ok(());
        }
        // Nobody is turned away for the sake of those who have left.
        self.lines.drop_abandoned();
        let wait = match self.obstacle(turn, held, settings, now) {
            None => return Ok(()),
            Some(Obstacle::Time(wait)) => wait,
            Some(Obstacle::Share(wait)) => {
                self.counts.refused_by_share += 1;
                wait
            }
        };
        self.counts.refused += 1;
        Err(Refusal::Full(wait.max(SOONEST_RETRY)))
    }

    fn obstacle(
        &self,
        turn: Turn,
        held: Work,
        settings: PoolSettings,
        now: Instant,
    ) -> Option<Obstacle> {
        let wait = self.expected_wait(turn, now);
        if wait > settings.max_wait {
            return Some(Obstacle::Time(wait));
        }
        // What begins at once takes no place in the queue.
        let begins_at_once = wait.is_zero();
        let share = settings.room() * SHARE;
        if begins_at_once || self.lines.fits_share(turn, held, &self.pace, share) {
            return None;
        }
        Some(Obstacle::Share(wait))
    }

    fn busy(&self) -> usize {
        self.running.iter().flatten().count()
    }

    /// When a job that came at `now` would begin: at once on a free thread, else when the threads
    /// together have worked off what waits before it and what they are at. What runs longer than
    /// foretold is taken to be as good as done, and nobody is taken to come and overtake.
    fn expected_wait(&self, turn: Turn, now: Instant) -> Duration {
        let threads = self.running.len();
        let (jobs, seconds) = self.lines.before(turn, &self.pace);
        if self.busy() + jobs < threads {
            return Duration::ZERO;
        }
        let running: f64 = self
            .running
            .iter()
            .flatten()
            .map(|&(work, since)| {
                let elapsed = now.saturating_duration_since(since).as_secs_f64();
                (self.pace.of(work) - elapsed).max(0.0)
            })
            .sum();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = (running + seconds) / threads as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}
