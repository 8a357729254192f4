//! Units on their way: those that may wait for others leave together, and share a transaction.
//!
//! A unit that is refused undoes nothing but itself. Where it has changed nothing, as most that are refused, the others go on
//! without it; otherwise, and whatever else happens to one of them, the transaction is undone and each has one of its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use deadpool_postgres::Pool;
use tokio::{
    sync::OwnedRwLockReadGuard,
    time::{Instant, sleep_until},
};

use super::{unit, with_room};
use crate::{
    Unit,
    caller::{self, Caller},
};

/// Who may wait for less leaves at once.
const SHORTEST: Duration = Duration::from_millis(1);
/// How many units share a transaction at most.
const GROUP: usize = 64;

/// A unit on its way, and who waits for it.
pub(super) struct Passenger {
    pub(super) unit: Unit,
    pub(super) caller: Caller,
    /// Closing waits until this is dropped.
    pub(super) begun: OwnedRwLockReadGuard<bool>,
}

/// Who waits, by the moment at which they leave.
pub(super) struct Departures(Arc<Inner>);

struct Inner {
    /// Moments are counted from the same one for all, in milliseconds.
    beginning: Instant,
    waiting: Mutex<BTreeMap<u64, Vec<Passenger>>>,
}

/// A moment at which some leave, until they have been taken along. They are forgotten with this.
struct Departure {
    departures: Arc<Inner>,
    moment: Option<u64>,
}

impl Departures {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner {
            beginning: Instant::now(),
            waiting: Mutex::default(),
        }))
    }

    /// Sends a unit on its way, in a task of its own or of the first of its company: with that one's runtime it would end.
    pub(super) fn depart(&self, pools: &Arc<[Pool]>, passenger: Passenger) {
        let pools = Arc::clone(pools);
        let at_most = passenger.unit.company;
        if at_most < SHORTEST {
            tokio::spawn(alone(pools, passenger));
        } else if let Some(departure) = self.join(passenger, at_most) {
            tokio::spawn(departure.leave(pools));
        }
    }

    /// Lets one wait for no longer than `at_most`, until others leave whose time overlaps with this. The first to choose a moment
    /// takes along who comes after.
    fn join(&self, passenger: Passenger, at_most: Duration) -> Option<Departure> {
        let now = self.0.beginning.elapsed();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let moment = roundest(millis(now) + 1, millis(now.saturating_add(at_most)));
        let mut waiting = self.0.waiting();
        let company = waiting.entry(moment).or_default();
        company.push(passenger);
        (company.len() == 1).then(|| Departure {
            departures: Arc::clone(&self.0),
            moment: Some(moment),
        })
    }
}

impl Departure {
    async fn leave(mut self, pools: Arc<[Pool]>) {
        if let Some(moment) = self.moment {
            sleep_until(self.departures.beginning + Duration::from_millis(moment)).await;
        }
        let mut company = self.take();
        while !company.is_empty() {
            let rest = company.split_off(company.len().min(GROUP));
            tokio::spawn(together(Arc::clone(&pools), company));
            company = rest;
        }
    }

    /// Once: who comes later and chooses the same moment is another's.
    fn take(&mut self) -> Vec<Passenger> {
        let taken = |moment| self.departures.waiting().remove(&moment);
        self.moment.take().and_then(taken).unwrap_or_default()
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl Inner {
    /// Nothing can panic while the lock is held, so a poisoned one guards a whole state.
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, Vec<Passenger>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn together(pools: Arc<[Pool]>, company: Vec<Passenger>) {
    let units: Vec<&Unit> = company.iter().map(|it| &it.unit).collect();
    let written = match units.len() {
        1 => None,
        _ => unit::write_together(with_room(&pools), &units).await,
    };
    let Some(words) = written else {
        for passenger in company {
            // By the connections that the caller's thread uses.
            let home = passenger.caller.home().clone();
            home.spawn(alone(Arc::clone(&pools), passenger));
        }
        return;
    };
    let (callers, begun): (Vec<_>, Vec<_>) =
        company.into_iter().map(|it| (it.caller, it.begun)).unzip();
    caller::tell(callers.into_iter().zip(words));
    drop(begun);
}

async fn alone(pools: Arc<[Pool]>, passenger: Passenger) {
    let word = unit::write(with_room(&pools), &passenger.unit).await;
    passenger.caller.tell(word);
    drop(passenger.begun);
}

/// Of the numbers from `first` to `last` the one that most powers of two divide. Who chooses so of other numbers that overlap
/// with these mostly chooses the same.
fn roundest(first: u64, last: u64) -> u64 {
    let mut round = last;
    while round > first {
        let rounder = round & (round - 1);
        if rounder < first {
            break;
        }
        round = rounder;
    }
    round
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_whose_time_overlaps_leave_together() {
        assert_eq!(roundest(17, 37), 32);
        assert_eq!(roundest(13, 33), 32);
        assert_eq!(roundest(31, 32), 32);
        assert_eq!(roundest(33, 36), 36);
        assert_eq!(roundest(35, 38), 36);
        assert_eq!(roundest(5, 5), 5);
        assert_eq!(roundest(0, 20), 0);
    }
}
