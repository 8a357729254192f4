//! Sign-ins that are half done: the password was right, and a second factor is still to be shown, or set up. Who holds a challenge may
//! go on with this one sign-in and reaches nothing else with it.

pub mod store;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::ids::{SessionId, UserId};
use crate::secret::{self, Secret};
use crate::sessions::Carried;

/// How long the second factor may take.
pub const LIFETIME: Duration = Duration::from_mins(5);
/// How many wrong codes end it. Another challenge brings no further ones: an account's codes have a lane of their own.
pub(super) const TRIES: i64 = 5;
/// Longer texts name none of ours, in characters.
pub const MAX_LENGTH: usize = 128;

/// What names a sign-in that is half done: 256 bits of chance, of which the store knows the hash alone. Behind a point it may
/// say which session it replaces, and nobody can say that of another's.
pub struct Challenge(Secret<String>);

impl Challenge {
    /// A new one.
    pub fn new() -> Self {
        Self(secret::token())
    }

    /// A new one, of a sign-in that replaces a session.
    pub fn replacing(session: &SessionId) -> Self {
        let chance = secret::token();
        Self(Secret::new(format!("{}.{session}", chance.expose())))
    }

    /// Which session ends when this sign-in is done. Of one that waits; what was made up may say anything.
    pub fn replaces(&self) -> Option<SessionId> {
        let (_, session) = self.0.expose().split_once('.')?;
        Some(SessionId::from_stored(session.to_owned()))
    }

    /// The one that a caller sends back, unproven.
    pub fn brought(text: Secret<String>) -> Self {
        Self(text)
    }

    /// As its holder keeps it: 43 characters of base64url, and what it replaces.
    pub fn text(&self) -> &Secret<String> {
        &self.0
    }

    fn hash(&self) -> Vec<u8> {
        secret::fingerprint(self.0.expose().as_bytes()).to_vec()
    }
}

impl Default for Challenge {
    fn default() -> Self {
        Self::new()
    }
}

/// A sign-in that waits for a second factor.
pub struct Waiting {
    /// Whose password was right.
    pub user: UserId,
    /// How the session was to be carried.
    pub carried: Carried,
}

fn until(now: Timestamp) -> Timestamp {
    now.plus(LIFETIME)
}
