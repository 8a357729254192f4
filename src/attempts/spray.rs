//! One password tried at many accounts, a few times each, slips past what is counted by account. It is noticed here, and
//! no password is kept for it: a sketch holds how many accounts a password was wrong for, by a keyed hash of which but a
//! few bits decide where it is noted. The key is made of chance, never leaves memory, and is another each hour.
//!
//! A count-min sketch (Cormode and Muthukrishnan, 2005) of linear counters (Whang et al., 1990): a password has a cell in
//! each row, and an account a bit in each cell, so that who mistypes their own password again and again counts once.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::secret::{self, Secret, Stamp};
use crate::users::EmailKey;

const ROWS: usize = 4;
const CELLS: usize = 1 << 16;
/// How long one key and what was noted under it are kept.
const KEPT: Duration = Duration::from_hours(1);
/// A password that was wrong for so many accounts within the hour is being sprayed. More people than these mistype alike
/// only where thousands sign in each minute.
pub const MANY: u32 = 16;

/// What was noted within the hour: 2 MiB, of which the system gives what was written to.
pub struct Spray(Mutex<Noted>);

struct Noted {
    key: Stamp,
    since: Timestamp,
    cells: Box<[u64]>,
    /// How many bits of them are set.
    bits: usize,
    /// Whether the log was told.
    is_told: bool,
}

impl fmt::Debug for Spray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spray(***)")
    }
}

impl Spray {
    /// Nothing noted yet.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Noted::new(now)))
    }

    /// Until when this password is taken to be one that is sprayed, if it is.
    pub fn is_sprayed(&self, password: &Secret<String>, now: Timestamp) -> Option<Duration> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.rotate(now);
        let accounts = noted
            .cells_of(password)
            .map(|cell| noted.cells[cell].count_ones());
        let fewest = accounts.into_iter().min().unwrap_or(0);
        if fewest < MANY + noted.noise() {
            return None;
        }
        if !std::mem::replace(&mut noted.is_told, true) {
            tracing::warn!(
                "a password is tried at many accounts; strangers who try one that is bring a proof of work"
            );
        }
        Some(KEPT.saturating_sub(now.since(noted.since)))
    }

    /// Notes that this password was wrong for the account at an address, or that there is none.
    pub fn note(&self, password: &Secret<String>, account: &EmailKey, now: Timestamp) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.rotate(now);
        let [which, ..] = noted.key.tag("account", account.as_str().as_bytes());
        for cell in noted.cells_of(password) {
            let before = noted.cells[cell];
            noted.cells[cell] |= 1 << (which % 64);
            noted.bits += usize::from(noted.cells[cell] != before);
        }
    }
}

impl Noted {
    fn new(now: Timestamp) -> Self {
        Self {
            key: Stamp::new(&secret::token()),
            since: now,
            cells: vec![0; ROWS * CELLS].into_boxed_slice(),
            bits: 0,
            is_told: false,
        }
    }

    fn rotate(&mut self, now: Timestamp) {
        if now < self.since || now.since(self.since) >= KEPT {
            *self = Self::new(now);
        }
    }

    /// How many accounts a password that nobody tried may seem to have been wrong for, where so much was noted that all cells
    /// fill: twice what they hold on average.
    fn noise(&self) -> u32 {
        u32::try_from(2 * self.bits / self.cells.len()).unwrap_or(u32::MAX)
    }

    /// Where a password is noted: a cell in each row.
    fn cells_of(&self, password: &Secret<String>) -> [usize; ROWS] {
        let tag = self.key.tag("password", password.expose().as_bytes());
        let mut pairs = tag.chunks_exact(2);
        std::array::from_fn(|row| {
            let pair = pairs.next().unwrap_or(&[0, 0]);
            row * CELLS + usize::from(u16::from_be_bytes([pair[0], pair[1]]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::Email;

    const NOW: Timestamp = Timestamp::from_micros(1_780_315_200_000_000);

    fn password(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn note(spray: &Spray, text: &str, account: usize, now: Timestamp) {
        let email = Email::parse(&format!("person{account}@example.com")).expect("an address");
        spray.note(&password(text), email.key(), now);
    }

    fn is_sprayed(spray: &Spray, text: &str, now: Timestamp) -> bool {
        spray.is_sprayed(&password(text), now).is_some()
    }

    #[test]
    fn one_password_at_many_accounts_is_noticed_and_no_other_password() {
        let spray = Spray::new(NOW);
        // Two accounts may share a bit: seldom so many that twice as many are not enough.
        let noticed = (0..2 * MANY as usize).find(|&account| {
            note(&spray, "Winter2026!", account, NOW);
            is_sprayed(&spray, "Winter2026!", NOW)
        });
        assert!(noticed.is_some_and(|account| account + 1 >= MANY as usize));
        assert!(!is_sprayed(&spray, "Winter2026?", NOW));
    }

    #[test]
    fn many_passwords_at_one_account_and_many_at_many_are_another_pattern() {
        let spray = Spray::new(NOW);
        for _ in 0..1_000 {
            note(&spray, "my own one, mistyped", 1, NOW);
        }
        assert!(!is_sprayed(&spray, "my own one, mistyped", NOW));
        for account in 0..100_000 {
            note(&spray, &format!("password {account}"), account, NOW);
        }
        let taken = (0..1_000).filter(|other| is_sprayed(&spray, &format!("other {other}"), NOW));
        assert_eq!(
            taken.count(),
            0,
            "of a thousand passwords that nobody tried"
        );
    }

    #[test]
    fn in_a_flood_that_fills_it_a_sprayed_password_still_stands_out() {
        let spray = Spray::new(NOW);
        let mut noted = spray.0.lock().expect("lock");
        for cell in &mut noted.cells {
            // Sixteen bits on average, as a million and more failures leave them.
            let [one, other] = [(); 2].map(|()| u64::from_le_bytes(secret::bytes()));
            *cell = one & other;
        }
        noted.bits = noted
            .cells
            .iter()
            .map(|cell| cell.count_ones() as usize)
            .sum();
        drop(noted);
        let taken = (0..1_000).filter(|other| is_sprayed(&spray, &format!("other {other}"), NOW));
        assert_eq!(
            taken.count(),
            0,
            "of a thousand passwords that nobody tried"
        );
        for account in 0..1_000 {
            note(&spray, "Winter2026!", account, NOW);
        }
        assert!(is_sprayed(&spray, "Winter2026!", NOW));
    }

    #[test]
    fn an_hour_later_nothing_is_known_of_it_and_the_wait_says_so() {
        let spray = Spray::new(NOW);
        for account in 0..200 {
            note(&spray, "Winter2026!", account, NOW);
        }
        let in_a_while = NOW.plus(Duration::from_mins(50));
        let wait = spray.is_sprayed(&password("Winter2026!"), in_a_while);
        assert_eq!(wait, Some(Duration::from_mins(10)));
        assert!(!is_sprayed(&spray, "Winter2026!", NOW.plus(KEPT)));
    }
}
