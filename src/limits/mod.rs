//! How often one address may try a credential: the generic cell rate algorithm, in memory, a few bytes an address.
//! It bounds what one stranger costs; it never decides whether a credential is right.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::LimitsConfig;
use crate::error::Refusal;
use crate::http::client::AddressKey;

/// Forget those who have rested once so many are known.
const SWEEP_AT: usize = 100_000;

/// The budget of each address for attempts at credentials.
pub struct Limits {
    enabled: bool,
    interval: Duration,
    burst: u32,
    // For each household, the moment at which its budget is whole again.
    whole_at: Mutex<HashMap<AddressKey, Timestamp>>,
}

/// What an address has left, for the `RateLimit-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Attempts that may follow one another at once.
    pub limit: u32,
    /// Attempts left now.
    pub remaining: u32,
    /// Until the budget is whole again.
    pub reset: Duration,
}

impl Limits {
    /// The budget that the operator configured.
    pub fn new(config: &LimitsConfig) -> Self {
        Self {
            enabled: config.enabled,
            interval: Duration::from_mins(1) / config.per_minute.max(1),
            burst: config.burst.max(1),
            whole_at: Mutex::new(HashMap::new()),
        }
    }

    /// Takes one attempt from the budget of `key`, or refuses with the time to wait. `None` when limits are off.
    pub fn spend(
        &self,
        key: AddressKey,
        now: Timestamp,
    ) -> Result<Option<Standing>, (Refusal, Standing)> {
        if !self.enabled {
            return Ok(None);
        }
        let mut whole_at = self.whole_at.lock().unwrap_or_else(PoisonError::into_inner);
        if whole_at.len() >= SWEEP_AT {
            whole_at.retain(|_, at| *at > now);
        }
        let allowed = self.interval * self.burst;
        let whole_at = whole_at.entry(key).or_insert(now);
        // A clock that was set back must not make anybody's debt longer than it can be.
        *whole_at = (*whole_at).clamp(now, now.plus(allowed));
        let whole = whole_at.plus(self.interval);
        let debt = until(now, whole);
        if debt > allowed {
            let standing = Standing {
                limit: self.burst,
                remaining: 0,
                reset: debt.saturating_sub(self.interval),
            };
            let retry_after = debt.saturating_sub(allowed);
            return Err((Refusal::RateLimited { retry_after }, standing));
        }
        *whole_at = whole;
        let remaining = allowed.saturating_sub(debt).as_micros() / self.interval.as_micros().max(1);
        let remaining = u32::try_from(remaining).unwrap_or(0);
        Ok(Some(Standing {
            limit: self.burst,
            remaining,
            reset: debt,
        }))
    }
}

fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(then.micros() - now.micros()).unwrap_or(0))
}

#[cfg(test)]
#[expect(non_snake_case, reason = "the catalogue names its cases in capitals")]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::config::Config;

    #[test]
    fn B14_a_clock_set_back_neither_locks_out_nor_refills() {
        let limits = Limits::new(&Config::for_tests().limits);
        let key = AddressKey::of(IpAddr::from([192, 0, 2, 1]));
        let now = Timestamp::from_micros(1_780_315_200_000_000);
        while limits.spend(key, now).is_ok() {}
        let earlier = now.minus(Duration::from_hours(1));
        assert!(limits.spend(key, earlier).is_err());
        let later = earlier.plus(Duration::from_secs(2));
        assert!(limits.spend(key, later).is_ok());
    }
}
