//! When in a day people sign in.

use crate::chance::Chance;

/// Seconds.
pub(super) const DAY: usize = 86_400;
pub(super) const HOUR: usize = 3_600;
/// The second at which most sign in.
pub(super) const BUSIEST: usize = 9 * HOUR;
/// How far the day is from even: the rate goes with exp(K cos t), so that with 2 the busiest moment has 3.2 times the mean, and
/// the stillest a seventeenth of it.
const K: f64 = 2.0;

/// A day's sign-ins, second by second: a Poisson process whose rate follows one wave a day.
pub(super) struct Day {
    /// Sign-ins a second.
    rates: Vec<f64>,
}

impl Day {
    /// With so many sign-ins on the average.
    pub(super) fn of(sign_ins: f64) -> Self {
        let shape: Vec<f64> = (0..DAY).map(weight).collect();
        let whole: f64 = shape.iter().sum();
        Self {
            rates: shape
                .iter()
                .map(|weight| sign_ins * weight / whole)
                .collect(),
        }
    }

    /// Sign-ins a second at the busiest moment.
    pub(super) fn busiest(&self) -> f64 {
        self.rates[BUSIEST]
    }

    /// The moments, in seconds, at which somebody signs in from the second `from` to before `to`, in their order.
    pub(super) fn arrivals(
        &self,
        from: usize,
        to: usize,
        mut chance: Chance,
    ) -> impl Iterator<Item = f64> {
        let rates = &self.rates[from..to];
        rates.iter().zip(from..).flat_map(move |(rate, second)| {
            // A Poisson process remembers nothing, so that each second may begin anew.
            let (begin, rate) = (seconds(second), *rate);
            let mut own = Chance::of(chance.bits());
            let mut at = 0.0;
            std::iter::from_fn(move || {
                at += own.exponential() / rate;
                (at < 1.0).then_some(begin + at)
            })
        })
    }
}

fn weight(second: usize) -> f64 {
    let turn = std::f64::consts::TAU * (seconds(second) - seconds(BUSIEST)) / seconds(DAY);
    (K * turn.cos()).exp()
}

fn seconds(count: usize) -> f64 {
    crate::figures::float(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_as_many_sign_ins_as_were_asked_for() {
        let day = Day::of(200_000.0);
        let arrivals: Vec<f64> = day.arrivals(0, DAY, Chance::of(1)).collect();
        // Four times the standard deviation of a Poisson count.
        let (count, expected) = (seconds(arrivals.len()), 200_000.0_f64);
        assert!((count - expected).abs() < 4.0 * expected.sqrt(), "{count}");
        assert!(arrivals.is_sorted());
    }

    #[test]
    fn most_come_at_the_busiest_hour_and_fewest_half_a_day_later() {
        let day = Day::of(86_400.0);
        assert!((day.busiest() - 3.24).abs() < 0.01, "{}", day.busiest());
        let count = |from: usize| day.arrivals(from, from + HOUR, Chance::of(1)).count();
        let (most, fewest) = (count(BUSIEST - HOUR / 2), count(BUSIEST + 12 * HOUR));
        assert!(most > 40 * fewest, "{most} and {fewest}");
    }

    #[test]
    fn the_same_seed_is_the_same_day() {
        let of = |seed| {
            Day::of(86_400.0)
                .arrivals(0, HOUR, Chance::of(seed))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }
}
