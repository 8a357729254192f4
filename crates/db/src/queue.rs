//! What waits for a thread: bounded, closed once, taken one by one or many at a time.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    capacity: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
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
            is_closed: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            capacity,
        }
    }

    pub(crate) fn push(&self, item: T) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(Refused::Closed);
        }
        if state.waiting.len() >= self.capacity {
            return Err(Refused::Full);
        }
        state.waiting.push_back(item);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits until there is something and takes up to `most` of it. Nothing comes once the queue is closed and empty.
    pub(crate) fn take(&self, most: usize) -> Vec<T> {
        let state = self.lock();
        let waits = |state: &mut State<T>| state.waiting.is_empty() && !state.is_closed;
        let mut state = self
            .changed
            .wait_while(state, waits)
            .unwrap_or_else(PoisonError::into_inner);
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
