//! Refusals come no earlier than a common moment, so that their time does not tell whose password was hashed by which
//! system, or whether there was one.

use std::sync::{Mutex, PoisonError};
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
/// How long a floor stays what it is while recipes do.
const KEPT: Duration = Duration::from_secs(10);
/// Each step of the floor is so many times the one below.
const STEP: f64 = 1.25;

/// The floor as it was last settled. One that moved with each hash would tell by the next refusal what the one before had
/// cost, so it moves seldom, and in steps.
#[derive(Default)]
pub(super) struct Floor(Mutex<Option<Settled>>);

struct Settled {
    at: Instant,
    step: i32,
}

impl Floor {
    /// What is hashed here is another thing now.
    pub(super) fn unsettle(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The step at or above what is `needed`, which is asked for seldom.
    fn step(&self, needed: impl FnOnce() -> Duration) -> i32 {
        let mut settled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(settled) = &*settled
            && settled.at.elapsed() < KEPT
        {
            return settled.step;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "some forty steps are all there are between a millisecond and the longest"
        )]
        let step = needed().as_secs_f64().log(STEP).ceil() as i32;
        // A step down may be but the noise of a hash; it is taken with the next.
        let step = match &*settled {
            Some(before) if before.step - step == 1 => before.step,
            _ => step,
        };
        *settled = Some(Settled {
            at: Instant::now(),
            step,
        });
        step
    }
}

impl Passwords {
    /// How long after a thread began with its hash a refusal is given: as long as a hash of the slowest recipe in use
    /// takes, and a margin.
    pub fn floor(&self) -> Duration {
        let needed = || {
            let recipes = self.recipes.all();
            let all = recipes.iter().chain([&self.own]);
            let slowest = all.map(|recipe| self.pool.expected(recipe)).max();
            (slowest.unwrap_or_default().mul_f64(MARGIN) + BESIDES).min(LONGEST)
        };
        Duration::from_secs_f64(STEP.powi(self.floor.step(needed))).min(LONGEST)
    }

    /// Returns when what began at `began` may be refused.
    pub async fn wait_for_floor(&self, began: Instant) {
        sleep_until(began + self.floor()).await;
    }
}
