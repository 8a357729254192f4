//! When a unit leaves that may wait for others: at a moment at which they leave, too.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Moments are counted from the same one for all.
#[derive(Clone, Copy)]
pub(super) struct Departures(Instant);

impl Departures {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }

    /// Waits for no longer than `at_most`, until others leave whose time overlaps with this.
    pub(super) async fn wait(&self, at_most: Duration) {
        if at_most.is_zero() {
            return;
        }
        let now = self.0.elapsed();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let moment = roundest(millis(now), millis(now.saturating_add(at_most)));
        sleep_until(self.0 + Duration::from_millis(moment)).await;
    }
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
