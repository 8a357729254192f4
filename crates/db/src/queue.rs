//! What waits for a thread: bounded, closed once, taken one by one or many at a time.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    capacity: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
    /// When the first of what waits will have waited for company for as long as it may.
    due: Instant,
    is_closed: bool,
}

/// Why something was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            due: Instant::now(),
            is_closed: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            capacity,
        }
    }

    pub(crate) fn push(&self, item: T) -> Result<(), Refused> {
        self.push_in_company(item, Duration::ZERO)
    }

    /// The same for something that may wait for so long until more has come. What is in a hurry takes it along.
    pub(crate) fn push_in_company(&self, item: T, at_most: Duration) -> Result<(), Refused> {
        let due = Instant::now() + at_most;
        let mut state = self.lock();
        if state.is_closed {
            return Err(Refused::Closed);
        }
        if state.waiting.len() >= self.capacity {
            return Err(Refused::Full);
        }
        let is_first = state.waiting.is_empty() || due < state.due;
        if is_first {
            state.due = due;
        }
        state.waiting.push_back(item);
        drop(state);
        if is_first || at_most.is_zero() {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Waits until there is something that waits for no company any more, and takes up to `most` of all that is there. Nothing
    /// comes once the queue is closed and empty.
    pub(crate) fn take(&self, most: usize) -> Vec<T> {
        let mut state = self.lock();
        while !state.is_closed {
            let left = state.due.saturating_duration_since(Instant::now());
            state = if state.waiting.is_empty() {
                let woken = self.changed.wait(state);
                woken.unwrap_or_else(PoisonError::into_inner)
            } else if left.is_zero() {
                break;
            } else {
                let woken = self.changed.wait_timeout(state, left);
                woken.unwrap_or_else(PoisonError::into_inner).0
            };
        }
        let taken = state.waiting.len().min(most);
        state.waiting.drain(..taken).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Takes in nothing more. What waits can still be taken.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Closes and forgets what waits: those who wait for an answer then see that none will come.
    pub(crate) fn abandon(&self) {
        self.close();
        let forgotten = std::mem::take(&mut self.lock().waiting);
        drop(forgotten);
    }

    /// Nothing can panic while the lock is held, so a poisoned one guards a whole state.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
