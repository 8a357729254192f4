//! Refusals come no earlier than a common moment, so that their time does not tell whose password was hashed by which
//! system, or whether there was one.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Passwords;

/// How much longer than expected the slowest hash may take and still be hidden. Hashes on a busy machine vary by a
/// quarter or so; what is longer is rare, and is paid for by everybody who mistypes.
const MARGIN: f64 = 1.5;
/// What is done besides the hash: the queries and the row in the audit trail.
const BESIDES: Duration = Duration::from_millis(10);
/// Nobody waits longer, whatever the stored hashes ask for: the dearest that are taken need some three seconds.
const LONGEST: Duration = Duration::from_secs(5);

impl Passwords {
    /// How long after a thread began with its hash a refusal is given: as long as a hash of the slowest recipe in use
    /// takes now, and a margin.
    pub fn floor(&self) -> Duration {
        let recipes = self.recipes.all();
        let slowest = recipes
            .iter()
            .chain([&self.own])
            .map(|recipe| self.pool.expected(recipe))
            .max();
        let floor = slowest.unwrap_or_default().mul_f64(MARGIN) + BESIDES;
        floor.min(LONGEST)
    }

    /// Returns when what began at `began` may be refused.
    pub async fn wait_for_floor(&self, began: Instant) {
        sleep_until(began + self.floor()).await;
    }
}
