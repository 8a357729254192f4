//! Many times in little memory.

/// Steps between a time and its double: a percentile is at most a 64th too high.
const STEPS: u32 = 6;

/// Counts of times in microseconds, in steps that grow with the time.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    whole: u64,
}

impl Histogram {
    /// One more that took so many seconds.
    pub(super) fn count(&mut self, seconds: f64) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some seconds, none below 0"
        )]
        let at = step((seconds * 1e6) as u64);
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        self.whole += 1;
    }

    pub(super) fn len(&self) -> u64 {
        self.whole
    }

    /// Seconds within which so many of a thousand are, the last microsecond of its step. Of none, not a number.
    pub(super) fn permille(&self, permille: u64) -> f64 {
        let rank = (self.whole * permille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return float(first(at + 1) - 1) / 1e6;
            }
        }
        f64::NAN
    }
}

/// The step of a time: each microsecond has its own up to 64, then each power of two has 64.
fn step(micros: u64) -> usize {
    let shift = (u64::BITS - micros.leading_zeros()).saturating_sub(STEPS + 1);
    let within = micros >> shift;
    usize::try_from((u64::from(shift) << STEPS) + within).unwrap_or(usize::MAX)
}

/// The first microsecond of a step.
fn first(step: usize) -> u64 {
    let step = step as u64;
    let power = (step >> STEPS).saturating_sub(1);
    (step - (power << STEPS)) << power
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_the_step_that_begins_no_later() {
        for micros in (0..5_000).chain([65_535, 65_536, 1_000_000, 123_456_789]) {
            let at = step(micros);
            assert!(
                first(at) <= micros && micros < first(at + 1),
                "{micros} in {at}"
            );
        }
    }

    #[test]
    fn percentiles_are_true_to_a_64th() {
        let mut histogram = Histogram::default();
        for micros in 1..=100_000 {
            histogram.count(f64::from(micros) / 1e6);
        }
        for (permille, seconds) in [(500, 0.05), (990, 0.099), (999, 0.0999)] {
            let found = histogram.permille(permille);
            assert!(
                found >= seconds - 2e-6 && found <= seconds * (1.0 + 1.0 / 64.0),
                "{found}"
            );
        }
        assert_eq!(histogram.len(), 100_000);
        assert!(Histogram::default().permille(990).is_nan());
    }
}
