//! Which connections a thread uses before others: those whose tasks run on it.

use std::{
    iter,
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// More homes than these would only hold more connections.
const MOST: usize = 8;

/// How many homes there are: one for the thread that does what nobody asked for, and one for each core, for each has a thread that
/// serves, on all but the largest machines.
pub(super) fn number() -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    1 + cores.min(MOST)
}

/// What each home gets of `all` things, of which there is one at least: one for the first, whose thread opened the database
/// and has little to do, and the same for the others. There are no more homes than things.
pub(super) fn shares(all: usize) -> impl Iterator<Item = usize> {
    let others = number().min(all) - 1;
    let share = move |home| (all - 1) / others + usize::from(home < (all - 1) % others);
    iter::once(1).chain((0..others).map(share))
}

/// This thread's, of what there are several of.
pub(super) fn of<T>(each: &[T]) -> &T {
    &each[index(each.len())]
}

/// Which of so many this thread's is.
pub(super) fn index(number: usize) -> usize {
    mine() % number
}

/// A number for this thread, the next one for each that asks for the first time.
fn mine() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    MINE.with(|mine| *mine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_none_is_empty() {
        for all in 1..=40 {
            let shares: Vec<usize> = shares(all).collect();
            assert_eq!(shares.iter().sum::<usize>(), all, "{shares:?}");
            assert!(shares.iter().all(|&it| it > 0), "{shares:?}");
            assert_eq!(shares.len(), number().min(all));
        }
    }
}
