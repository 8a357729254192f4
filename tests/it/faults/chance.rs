//! Chance that can be had again: every test says the seed of its choices, and takes it from `TEST_SEED`.

use std::env;
use std::time::Duration;

use doorward::secret;

/// A sequence of choices.
pub struct Chance(u64);

impl Chance {
    /// The choices of a test, which says where they began: to see a failure again, set `TEST_SEED` to it.
    pub fn of(test: &str) -> Self {
        let seed = env::var("TEST_SEED").map_or_else(
            |_| u64::from_le_bytes(secret::bytes()),
            |seed| seed.parse().expect("TEST_SEED is a number"),
        );
        println!("{test}: TEST_SEED={seed}");
        Self(seed)
    }

    /// The choices of one of many that choose at once: each has its own, whoever comes first.
    pub fn split(&mut self) -> Self {
        Self(self.next())
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A span shorter than `end`.
    pub fn span(&mut self, end: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(end.as_micros()).unwrap()))
    }

    // SplitMix64 (Steele, Lea and Flood, 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
