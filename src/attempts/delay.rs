//! How long whoever has failed waits: nothing at first, since people mistype, then longer each time, to a day.

use std::time::Duration;

/// So many failures in a row cost nothing but themselves.
pub(super) const FREE: u32 = 5;
/// From so many failures in a row on, the wait is the longest (NIST SP 800-63B section 3.2.2 allows no more than these).
pub(super) const MOST: u32 = 100;
/// The longest wait.
pub(super) const LONGEST: Duration = Duration::from_hours(24);

/// How long after the last of so many failures in a row the next attempt is looked at.
pub(super) fn after(failures: u32) -> Duration {
    let seconds = match failures {
        ..FREE => return Duration::ZERO,
        MOST.. => return LONGEST,
        5 => 1.0,
        6 => 3.0,
        7 => 5.0,
        _ => {
            // Each so many times the one before that the longest comes when it should.
            let way = f64::from(failures - 8) / f64::from(MOST - 8);
            (10.0 * (LONGEST.as_secs_f64() / 10.0).powf(way)).round()
        }
    };
    Duration::from_secs_f64(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many attempts fit into `time` when each comes the moment it may.
    fn evaluated_within(time: Duration) -> usize {
        let mut at = Duration::ZERO;
        let in_time = |failures: &u32| {
            at += after(*failures);
            at <= time
        };
        (0..10_000).take_while(in_time).count()
    }

    #[test]
    fn five_are_free_and_the_rest_wait_longer_each_to_a_day() {
        let waits: Vec<u64> = (0..=9).map(|failures| after(failures).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 3, 5, 10, 11]);
        assert!((5..MOST).all(|failures| after(failures) < after(failures + 1)));
        assert!(after(MOST - 1) < LONGEST);
        assert_eq!([after(MOST), after(u32::MAX)], [LONGEST; 2]);
    }

    #[test]
    fn so_many_guesses_fit_into_a_day_a_week_and_a_year() {
        let days = |days: u64| Duration::from_hours(24 * days);
        let fit = [1, 7, 365].map(|count| evaluated_within(days(count)));
        assert_eq!(fit, [76, 96, 455]);
    }
}
