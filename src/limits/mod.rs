//! How often one address may try a credential: the generic cell rate algorithm, in memory, a few bytes an address.
//! It bounds what one stranger costs; it never decides whether a credential is right.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::LimitsConfig;
use crate::error::Refusal;
use crate::http::client::{AddressKey, SiteKey};

/// Forget those who have rested once so many are known, or more where many come at once.
const SWEEP_AT: usize = 100_000;
/// How many households' budget a /48 network has: as many as a stranger may have there for the asking, and enough for a
/// company's or a dormitory's people.
const HOUSEHOLDS: u32 = 8;

/// How many pages are opened for one sign-in, where many people share an address.
const PAGES: u32 = 10;

/// The budget of each address for attempts at credentials.
pub struct Limits {
    enabled: bool,
    interval: Duration,
    burst: u32,
    spent: Mutex<Spent>,
}

struct Spent {
    /// The moment at which each one's budget is whole again.
    whole_at: HashMap<Spender, Timestamp>,
    /// How many are known when those who have rested are forgotten.
    sweep_at: usize,
}

/// Who has a budget.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Spender {
    Household(AddressKey),
    Site(SiteKey),
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
            spent: Mutex::new(Spent {
                whole_at: HashMap::new(),
                sweep_at: SWEEP_AT,
            }),
        }
    }

    /// The budget for what a page asks as it opens, whether anybody signs in there or not: ten times that for credentials.
    pub fn of_pages(config: &LimitsConfig) -> Self {
        let credentials = Self::new(config);
        Self {
            interval: credentials.interval / PAGES,
            burst: credentials.burst.saturating_mul(PAGES),
            ..credentials
        }
    }

    /// Takes one attempt from the budget of `key`, and of the /48 network that it is in, or refuses with the time to wait.
    /// `None` when limits are off.
    pub fn spend(
        &self,
        key: AddressKey,
        now: Timestamp,
    ) -> Result<Option<Standing>, (Refusal, Standing)> {
        if !self.enabled {
            return Ok(None);
        }
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let Spent { whole_at, sweep_at } = &mut *spent;
        if whole_at.len() >= *sweep_at {
            whole_at.retain(|_, at| *at > now);
            // A crowd in which nobody has rested is not looked through again for each who comes.
            *sweep_at = SWEEP_AT.max(2 * whole_at.len());
        }
        // Both or neither: whoever is refused for the one pays nothing to the other.
        let household = Spender::Household(key);
        let site = key.site().map(Spender::Site);
        for spender in [Some(household), site].into_iter().flatten() {
            // A clock that was set back must not make anybody's debt longer than it can be.
            let whole_at = whole_at.entry(spender).or_insert(now);
            *whole_at = (*whole_at).clamp(now, now.plus(self.interval * self.burst));
        }
        let known = |spender| whole_at.get(&spender).copied().unwrap_or(now);
        let (household_then, standing) = self.take(known(household), 1, now)?;
        let site_then = match site {
            Some(site) => Some(self.take(known(site), HOUSEHOLDS, now)?.0),
            None => None,
        };
        whole_at.insert(household, household_then);
        whole_at.extend(site.zip(site_then));
        Ok(Some(standing))
    }

    /// When a budget that is `times` that of a household, and was to be whole again at `whole_at`, will be once an attempt
    /// is taken from it.
    fn take(
        &self,
        whole_at: Timestamp,
        times: u32,
        now: Timestamp,
    ) -> Result<(Timestamp, Standing), (Refusal, Standing)> {
        let interval = self.interval / times;
        let limit = self.burst.saturating_mul(times);
        let allowed = interval * limit;
        let whole = whole_at.plus(interval);
        let debt = until(now, whole);
        if debt > allowed {
            let standing = Standing {
                limit,
                remaining: 0,
                reset: debt.saturating_sub(interval),
            };
            let retry_after = debt.saturating_sub(allowed);
            return Err((Refusal::RateLimited { retry_after }, standing));
        }
        let remaining = allowed.saturating_sub(debt).as_micros() / interval.as_micros().max(1);
        let standing = Standing {
            limit,
            remaining: u32::try_from(remaining).unwrap_or(0),
            reset: debt,
        };
        Ok((whole, standing))
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
