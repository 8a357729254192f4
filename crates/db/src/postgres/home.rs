//! Which connections a thread uses before others: those whose tasks run on it.

use std::{
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// More homes than these would only hold more connections.
const MOST: usize = 8;

/// How many homes there are: one for each core, for each has a thread that serves, on all but the largest machines.
pub(super) fn number() -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    cores.min(MOST)
}

/// This thread's, of what there are several of.
pub(super) fn of<T>(each: &[T]) -> &T {
    &each[mine() % each.len()]
}

/// A number for this thread, the next one for each that asks for the first time.
fn mine() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    MINE.with(|mine| *mine)
}
