//! Who waits: two lines, and what each network holds of them.

use std::collections::{HashMap, VecDeque};

use super::Turn;
use super::job::Job;
use super::pace::{Backlog, Pace};
use crate::schemes::Work;

/// A job in its line.
pub(super) struct Waiting {
    pub(super) turn: Turn,
    pub(super) work: Work,
    pub(super) job: Box<dyn Job>,
    /// What it counts for against its network.
    held: Work,
    /// What [`Lines::overtaking`] had come to when it joined.
    overtaking_before: f64,
}

/// Those who go ahead, and the others.
#[derive(Default)]
pub(super) struct Lines {
    ahead: Line,
    others: Line,
    /// What waits, by the network that asked for it. No network is kept of which
    /// nothing waits.
    shares: HashMap<u64, Backlog>,
    /// The work of those ahead that began while others waited, in seconds of one thread. It only
    /// grows.
    overtaking: f64,
    /// Jobs that were dropped because whoever asked had gone.
    pub(super) abandoned: u64,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    work: Backlog,
}

impl Lines {
    pub(super) fn join(&mut self, turn: Turn, [work, held]: [Work; 2], job: Box<dyn Job>) {
        if let Some(network) = turn.network {
            self.shares.entry(network).or_default().add(held);
        }
        let overtaking_before = self.overtaking;
        let line = self.line(turn.ahead);
        line.work.add(work);
        line.waiting.push_back(Waiting {
            turn,
            work,
            job,
            held,
            overtaking_before,
        });
    }

    /// The next to begin: the first of those ahead, unless as much work as `patience` (in seconds
    /// of one thread) has overtaken the first of the others.
    pub(super) fn next(&mut self, pace: &Pace, patience: f64) -> Option<Waiting> {
        loop {
            let is_patient = self
                .others
                .waiting
                .front()
                .is_none_or(|first| self.overtaking - first.overtaking_before < patience);
            let is_ahead = is_patient && !self.ahead.waiting.is_empty();
            let next = self
                .line(is_ahead)
                .waiting
                .pop_front()
                .or_else(|| self.ahead.waiting.pop_front())?;
            self.forget(&next);
            if next.job.is_abandoned() {
                self.abandoned += 1;
                continue;
            }
            if next.turn.ahead && !self.others.waiting.is_empty() {
                self.overtaking += pace.of(next.work);
            }
            return Some(next);
        }
    }

    /// Takes out whatever nobody waits for any more.
    pub(super) fn drop_abandoned(&mut self) {
        for ahead in [true, false] {
            let waiting = std::mem::take(&mut self.line(ahead).waiting);
            let (gone, stay): (VecDeque<_>, VecDeque<_>) = waiting
                .into_iter()
                .partition(|waiting| waiting.job.is_abandoned());
            self.line(ahead).waiting = stay;
            for gone in &gone {
                self.forget(gone);
                self.abandoned += 1;
            }
        }
    }

    /// Whether one more job that counts for `held` leaves the network that asks within `share`, in seconds of
    /// one thread. One job may always wait.
    pub(super) fn fits_share(&self, turn: Turn, held: Work, pace: &Pace, share: f64) -> bool {
        turn.network
            .and_then(|network| self.shares.get(&network))
            .is_none_or(|before| before.seconds(pace) + pace.of(held) <= share)
    }

    /// Jobs that would begin before one that came now, and how long they will take one thread.
    pub(super) fn before(&self, turn: Turn, pace: &Pace) -> (usize, f64) {
        let (jobs, seconds) = (self.ahead.waiting.len(), self.ahead.work.seconds(pace));
        if turn.ahead {
            return (jobs, seconds);
        }
        let others = &self.others;
        (
            jobs + others.waiting.len(),
            seconds + others.work.seconds(pace),
        )
    }

    /// How many wait, and how many of them go ahead.
    pub(super) fn lengths(&self) -> (usize, usize) {
        let ahead = self.ahead.waiting.len();
        (ahead + self.others.waiting.len(), ahead)
    }

    fn line(&mut self, ahead: bool) -> &mut Line {
        if ahead {
            &mut self.ahead
        } else {
            &mut self.others
        }
    }

    /// Takes out of the accounts what was taken out of its line.
    fn forget(&mut self, gone: &Waiting) {
        self.line(gone.turn.ahead).work.remove(gone.work);
        let Some(network) = gone.turn.network else {
            return;
        };
        if let Some(held) = self.shares.get_mut(&network) {
            held.remove(gone.held);
            if held.is_empty() {
                self.shares.remove(&network);
            }
        }
    }

    /// Nothing waits, and nothing is held to anybody's account.
    #[cfg(test)]
    pub(super) fn is_settled(&self) -> bool {
        self.lengths() == (0, 0)
            && self.ahead.work.is_empty()
            && self.others.work.is_empty()
            && self.shares.is_empty()
    }

    /// What waits on the account of each network, in seconds of one thread.
    #[cfg(test)]
    pub(super) fn held(&self, pace: &Pace) -> HashMap<u64, f64> {
        let seconds = |(&network, held): (&u64, &Backlog)| (network, held.seconds(pace));
        self.shares.iter().map(seconds).collect()
    }
}
