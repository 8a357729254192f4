//! How well one measurement tells two kinds of things apart: the area under the ROC curve, which is the chance that one of
//! the second kind measures more than one of the first, with ties counted as half. 0.5 is a coin; 0 and 1 are certainty.

use crate::figures::float;

/// Half the width of a 95% interval, in standard errors.
const Z: f64 = 1.959_964;

/// An area, and the interval that covers the true one 95 times in 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Auc {
    pub(crate) area: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Auc {
    /// The area of measurements that were taken in pairs, at least two: `(of the first kind, of the second kind)`.
    ///
    /// The variance is that of DeLong, DeLong and Clarke-Pearson ("Comparing the areas under two or more correlated receiver
    /// operating characteristic curves", Biometrics 44, 1988), with a pair as the unit of sampling as in Obuchowski
    /// ("Nonparametric analysis of clustered ROC curve data", Biometrics 53, 1997): what made both of a pair slow, such as
    /// the machine's other work, tells nothing about either. The interval is the area and 1.96 standard errors to each
    /// side, cut at 0 and 1.
    pub(crate) fn of(pairs: &[(f64, f64)]) -> Self {
        let (first, second) = (sorted(pairs, |pair| pair.0), sorted(pairs, |pair| pair.1));
        // DeLong's placements: the share of the other kind that lies on the side where it is expected.
        let placements: Vec<(f64, f64)> = pairs
            .iter()
            .map(|(one, other)| {
                (
                    1.0 - share_below(&second, *one),
                    share_below(&first, *other),
                )
            })
            .collect();
        let count = float(pairs.len());
        let area = placements.iter().map(|(_, above)| above).sum::<f64>() / count;
        let deviation = |(below, above): &(f64, f64)| (below - area) + (above - area);
        let squares: f64 = placements.iter().map(|both| deviation(both).powi(2)).sum();
        let half = Z * (squares / (count * (count - 1.0))).sqrt();
        Self {
            area,
            low: (area - half).max(0.0),
            high: (area + half).min(1.0),
        }
    }

    /// Whether all of the interval is within `margin` of a coin's.
    pub(crate) fn is_coin(&self, margin: f64) -> bool {
        self.low >= 0.5 - margin && self.high <= 0.5 + margin
    }

    /// Whether all of the interval is further than `margin` from a coin's.
    pub(crate) fn is_telling(&self, margin: f64) -> bool {
        self.low > 0.5 + margin || self.high < 0.5 - margin
    }
}

fn sorted(pairs: &[(f64, f64)], side: fn(&(f64, f64)) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = pairs.iter().map(side).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The share of `sorted` that is less than `value`, with half of what equals it.
fn share_below(sorted: &[f64], value: f64) -> f64 {
    let less = sorted.partition_point(|other| *other < value);
    let not_more = sorted.partition_point(|other| *other <= value);
    f64::midpoint(float(less), float(not_more)) / float(sorted.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    /// Placements of 1, 3, 5 among 2, 4, 3: 1, 1/2, 0; of 2, 4, 3 among 1, 3, 5: 1/3, 2/3, 1/2. Area 1/2; deviations of the
    /// pairs 1/3, 1/6, -1/2; variance (1/9 + 1/36 + 1/4) / (3 * 2) = 7/108.
    #[test]
    fn three_pairs_come_out_as_by_hand() {
        let auc = Auc::of(&[(1.0, 2.0), (3.0, 4.0), (5.0, 3.0)]);
        let half = Z * (7.0_f64 / 108.0).sqrt();
        assert!(near(auc.area, 0.5), "{auc:?}");
        assert!(near(auc.low, 0.5 - half), "{auc:?}");
        assert!(near(auc.high, 0.5 + half), "{auc:?}");
    }

    /// Placements of 1, 2 among 3, 2: 1, 3/4; of 3, 2 among 1, 2: 1, 3/4. Area 7/8; deviations 1/4, -1/4; variance 1/16.
    #[test]
    fn ties_count_half() {
        let auc = Auc::of(&[(1.0, 3.0), (2.0, 2.0)]);
        assert!(near(auc.area, 0.875), "{auc:?}");
        assert!(near(auc.low, 0.875 - Z / 4.0), "{auc:?}");
        assert!(near(auc.high, 1.0), "{auc:?}");
    }

    #[test]
    fn what_never_overlaps_is_certain_and_what_is_equal_is_a_coin() {
        let apart = Auc::of(&[(1.0, 10.0), (2.0, 11.0), (3.0, 12.0)]);
        assert!(near(apart.area, 1.0) && near(apart.low, 1.0), "{apart:?}");
        let equal = Auc::of(&[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]);
        assert!(near(equal.area, 0.5) && equal.is_coin(0.0), "{equal:?}");
    }

    /// Near enough to normal: the sum of twelve uniform ones, less six.
    fn normal(chance: &mut Chance) -> f64 {
        let unit =
            |bits: u64| float(usize::try_from(bits >> 11).expect("64 bits")) / 2_f64.powi(53);
        (0..12).map(|_| unit(chance.bits())).sum::<f64>() - 6.0
    }

    /// Pairs that share some of what makes them slow, the second `shift` standard deviations slower.
    fn measured(chance: &mut Chance, count: usize, shift: f64) -> Vec<(f64, f64)> {
        let mut one = || {
            let both = normal(chance);
            (
                both + normal(chance),
                both + normal(chance) + shift * 2_f64.sqrt(),
            )
        };
        (0..count).map(|_| one()).collect()
    }

    #[test]
    fn too_few_tell_neither_way() {
        let few = Auc::of(&measured(&mut Chance::of(3), 20, 0.0));
        assert!(!few.is_coin(0.02) && !few.is_telling(0.02), "{few:?}");
    }

    #[test]
    fn equals_are_a_coin_and_a_shift_is_found() {
        let mut chance = Chance::of(1);
        let equal = Auc::of(&measured(&mut chance, 20_000, 0.0));
        assert!(equal.is_coin(0.02) && !equal.is_telling(0.02), "{equal:?}");
        // A normal variable exceeds another by half a standard deviation's shift with the chance Phi(0.5 / sqrt 2).
        let shifted = Auc::of(&measured(&mut chance, 20_000, 0.5));
        assert!(
            shifted.low < 0.638_163 && shifted.high > 0.638_163,
            "{shifted:?}"
        );
        assert!(
            shifted.is_telling(0.02) && !shifted.is_coin(0.02),
            "{shifted:?}"
        );
    }

    /// Of a thousand intervals 950 are expected to cover, with a standard deviation of 7.
    #[test]
    fn the_interval_covers_as_often_as_it_says() {
        let mut chance = Chance::of(2);
        let mut covers = || {
            let auc = Auc::of(&measured(&mut chance, 200, 0.0));
            auc.low <= 0.5 && auc.high >= 0.5
        };
        let covered = (0..1_000).filter(|_| covers()).count();
        assert!((925..=975).contains(&covered), "{covered} of 1000");
    }
}
