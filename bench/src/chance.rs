//! Chances that come again: the same seed draws the same.

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and good enough to shuffle by.
pub(crate) struct Chance(u64);

impl Chance {
    /// Draws that belong to `seed`.
    pub(crate) const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 on, below `end`, as likely as any other but for a bias of `end` in 2^64.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// A number from 0 to below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 has")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// How long to wait for what happens once in a unit of time on the average, and remembers nothing.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// One of two, as likely as the other.
    pub(crate) fn coin(&mut self) -> bool {
        self.bits() & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_what_the_published_generator_draws() {
        let mut chance = Chance::of(1_234_567);
        let drawn = [chance.bits(), chance.bits(), chance.bits()];
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn exponential_waits_have_their_mean_and_their_median() {
        let mut chance = Chance::of(1);
        let mut waits: Vec<f64> = (0..100_000).map(|_| chance.exponential()).collect();
        waits.sort_unstable_by(f64::total_cmp);
        let mean = waits.iter().sum::<f64>() / 100_000.0;
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
        assert!(
            (waits[50_000] - std::f64::consts::LN_2).abs() < 0.02,
            "{}",
            waits[50_000]
        );
    }
}
