//! Passwords: what a new one must be, how one is hashed and verified. Hashing is the one expensive thing in the house
//! and runs on threads of its own; an unknown account costs the same as a known one.

mod floor;
pub mod policy;
mod recipes;
pub mod store;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use db::{Db, Unit};
use passhash::{
    Cost, Counts, Load, Pool, PoolError, PoolSettings, Recipe, Scheme, StoredHash, Turn, Verified,
};
use tokio::task;
use tokio::time::Instant;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};
use zeroize::Zeroizing;

use crate::attempts::{self, Lane, Permit};
use crate::audit::{self, About, By, Event};
use crate::breached::{self, Breached, Unreadable};
use crate::challenges;
use crate::clock::Timestamp;
use crate::config::PasswordConfig;
use crate::error::{Broken, Error, Refusal};
use crate::revocations::Revocations;
use crate::revocations::store::{Which, end};
use crate::secret::{Secret, Stamp};
use crate::trusted_devices;
use crate::users::{self, Email, User};
use floor::Floor;
use policy::Policy;
use recipes::Recipes;

pub use recipes::survey;

/// How long a change of a sign-in waits for others at most.
const MOST_LEISURE: Duration = Duration::from_millis(40);

/// How a password was made into bytes before it was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// Unicode's NFC, so that é is é on every keyboard (NIST SP 800-63B section 3.1.1.2). Ours.
    Nfc,
    /// As it was typed. Another system's.
    Raw,
}

impl Norm {
    /// The name it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nfc => "nfc",
            Self::Raw => "raw",
        }
    }

    fn bytes(self, password: &Secret<String>) -> Zeroizing<Vec<u8>> {
        let text = password.expose();
        Zeroizing::new(match self {
            Self::Nfc if is_nfc_quick(text.chars()) != IsNormalized::Yes => {
                Zeroizing::new(text.nfc().collect::<String>())
                    .as_bytes()
                    .to_vec()
            }
            Self::Nfc | Self::Raw => text.as_bytes().to_vec(),
        })
    }
}

/// A password at rest.
#[derive(Clone)]
pub struct Stored {
    /// The hash, as PHC or modular crypt text.
    pub hash: String,
    /// How the password was made into bytes.
    pub norm: Norm,
}

/// An account, as a sign-in sees it.
pub struct Account {
    /// Whose it is.
    pub user: User,
    /// Its password, if it has one.
    pub stored: Option<Stored>,
    /// When that was set; a stronger hash of the same password changes nothing.
    pub set_at: Option<Timestamp>,
}

/// Gives an account a new password, whoever asks for it, ends all its sessions, and opens its lane to strangers. `false`
/// when the account is gone.
pub async fn set(
    db: &Db,
    revocations: &Revocations,
    passwords: &Passwords,
    stamp: &Stamp,
    user: &User,
    password: &Secret<String>,
    by: By<'_>,
) -> Result<bool, Error> {
    let email = Email::parse(&user.email)?;
    let stored = passwords.accept(password, &email, turn(by)).await?;
    let (id, now) = (&user.id, by.now());
    let about = About {
        user: Some(id),
        session: None,
    };
    let unit = Unit::new()
        // The account's row is held first, so that a sign-in by the old password has begun its session before, and
        // that session ends below, or finds the new password.
        .expect(1, users::store::touch(id, now))
        .expect(1, store::set(id, &stored, now))
        .append(end(Which::All(id), now))
        // Nobody goes on by the password before it.
        .run(challenges::store::delete(id))
        .run(trusted_devices::store::delete(id))
        // What was guessed at is gone.
        .run(attempts::store::clear(&Lane::of_strangers(
            stamp,
            email.key(),
        )))
        .run(audit::row(Event::PasswordSet, by, about));
    match revocations.write(db, unit).await {
        Ok(_) => Ok(true),
        Err(db::Error::Touched { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whose turn at the hash threads it is when nothing is known of who asks but where from.
pub fn turn(by: By<'_>) -> Turn {
    let network = match by {
        By::Caller(asking) => Some(asking.client.network().0),
        By::Operator(_) | By::Service(_) => None,
    };
    Turn {
        ahead: false,
        network,
    }
}

/// How many threads hash: as configured, by default one for each core.
pub fn threads(config: &PasswordConfig) -> usize {
    match config.threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads as usize,
    }
}

/// The threads that hash, and what a hash of ours costs.
pub struct Passwords {
    pool: Pool,
    cost: Cost,
    /// How a hash of ours is made, and a decoy, so it is in use whatever is stored.
    own: Recipe,
    recipes: Recipes,
    floor: Floor,
    policy: Policy,
    max_wait: Duration,
    breached: Option<Arc<Breached>>,
}

impl Passwords {
    /// Starts the threads, for the site at `host`; a new password is none of those that are `breached`.
    pub fn start(
        config: &PasswordConfig,
        host: &str,
        breached: Option<Breached>,
        observe: fn(Scheme, Duration),
    ) -> Result<Self, Error> {
        let pool = Pool::start_observed(
            PoolSettings {
                threads: threads(config),
                max_wait: config.max_wait,
            },
            observe,
        )
        .map_err(Error::bug)?;
        Ok(Self {
            pool,
            cost: config.argon2,
            own: Recipe::made_at(&config.argon2),
            recipes: Recipes::default(),
            floor: Floor::default(),
            policy: Policy::new(config.min_length, host),
            max_wait: config.max_wait,
            breached: breached.map(Arc::new),
        })
    }

    /// Refuses who would find no room for a hash of ours now, before anything else is done for them.
    pub fn admits(&self, turn: Turn) -> Result<(), Error> {
        Ok(self.pool.admits(self.cost, turn)?)
    }

    /// Whether `password` is the one that `stored` was made from, and when a thread would have begun to find out had `stored` cost
    /// no time to read. Without a stored one that is a hash the same work is done for nothing, and the answer is no. It costs a
    /// permit, which is charged by then, so that no guess goes uncounted. A yes may be later by `leisure`.
    pub async fn verify(
        &self,
        permit: &Permit,
        password: &Secret<String>,
        stored: Option<&Stored>,
        leisure: Duration,
    ) -> Result<Verified, Error> {
        let came = Instant::now();
        let norm = stored.map_or(Norm::Nfc, |stored| stored.norm);
        let hash = stored.and_then(|stored| match stored.hash.parse::<StoredHash>() {
            Ok(hash) => {
                if self.recipes.see(&hash) {
                    self.floor.unsettle();
                }
                Some(hash)
            }
            // As good as none, and whoever asks is not told.
            Err(error) => {
                tracing::error!(%error, "a stored password can be verified by nobody; its owner needs a new one");
                None
            }
        });
        let bytes = norm.bytes(password);
        let read = came.elapsed();
        let verifying = async {
            let turn = permit.turn();
            let verified = self.pool.verify(bytes, hash, self.cost, turn, leisure);
            Ok(verified.await?)
        };
        // In this order: a thread has begun by the time that another writes the charge, and who finds no room is not charged. Nobody
        // learns what came of a guess before it is counted for good; and that it is not counted, everybody is told when it is
        // found out, whatever came of it and however long that took.
        let (verified, ()) = tokio::try_join!(biased; verifying, permit.kept())?;
        let Verified { is_right, began } = verified;
        // How long it took to read what is stored tells whether anything is.
        let began = began.checked_sub(read).unwrap_or(began);
        Ok(Verified { is_right, began })
    }

    /// The hash of a new password for the account at `email`, if it may be one. There is no other way to one that a person
    /// chose.
    ///
    /// # Errors
    /// [`Refusal::WeakPassword`] and [`Refusal::BreachedPassword`] say why it may not; [`Refusal::Overloaded`], when it is worth
    /// another try.
    pub async fn accept(
        &self,
        password: &Secret<String>,
        email: &Email,
        turn: Turn,
    ) -> Result<Stored, Error> {
        self.policy.check(password, email)?;
        if self.is_breached(password).await? {
            return Err(Refusal::BreachedPassword.into());
        }
        let bytes = Norm::Nfc.bytes(password);
        let hash = self.pool.hash(bytes, self.cost, turn).await?;
        Ok(Stored {
            hash,
            norm: Norm::Nfc,
        })
    }

    /// The hash of a code that we made ourselves, all chance: no policy is asked about it.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`], when it is worth another try.
    pub async fn hash_code(&self, code: &Secret<String>, turn: Turn) -> Result<Stored, Error> {
        let norm = Norm::Raw;
        let hash = self.pool.hash(norm.bytes(code), self.cost, turn).await?;
        Ok(Stored { hash, norm })
    }

    /// A hash at today's cost of a password that has just been verified against a weaker one; `None` when it is as
    /// strong, or when the new hash would accept other passwords than the old one did.
    pub async fn rehash(
        &self,
        permit: &Permit,
        password: &Secret<String>,
        old: &Stored,
    ) -> Result<Option<Stored>, Error> {
        let parsed: StoredHash = old.hash.parse().map_err(Error::bug)?;
        let bytes = old.norm.bytes(password);
        if !parsed.is_weaker_than(&self.cost) || !parsed.is_replaceable_by(&bytes) {
            return Ok(None);
        }
        match self.pool.hash(bytes, self.cost, permit.turn()).await {
            Ok(hash) => Ok(Some(Stored {
                hash,
                norm: old.norm,
            })),
            // The sign-in is good; the stronger hash can wait for the next one.
            Err(PoolError::Full { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes in how other nodes found passwords hashed, and tells them what was found here.
    pub async fn refresh_recipes(&self, db: &Db) -> Result<(), Error> {
        if self.recipes.refresh(db).await? {
            self.floor.unsettle();
        }
        Ok(())
    }

    /// Whether it is among those of the operator's file, as it was typed or as we hash it: the lists have what some
    /// service stored, which may be either.
    async fn is_breached(&self, password: &Secret<String>) -> Result<bool, Error> {
        let Some(file) = self.breached.clone() else {
            return Ok(false);
        };
        let hash_by = |norm: Norm| breached::hash(&norm.bytes(password));
        let hashes = Zeroizing::new([Norm::Raw, Norm::Nfc].map(hash_by));
        // A disk may take its time.
        let look = task::spawn_blocking(move || {
            Ok(file.holds(&hashes[0])? || hashes[0] != hashes[1] && file.holds(&hashes[1])?)
        });
        look.await.map_err(Error::bug)?
    }

    /// How long a change of a sign-in whose turn it is may wait for others to share the disk with.
    pub fn leisure(&self, turn: Turn) -> Duration {
        leisure(self.pool.expected_wait(turn), self.max_wait)
    }

    /// How busy the threads are, for the figures.
    pub fn load(&self) -> Load {
        self.pool.load()
    }

    /// What they have done so far.
    pub fn counts(&self) -> Counts {
        self.pool.counts()
    }

    /// Finishes what has begun and ends the threads.
    pub async fn stop(&self) {
        self.pool.shutdown().await;
    }
}

/// A part of what a sign-in waits at the threads anyway, and so nothing where nobody waits. Nor is it long where room runs
/// out: who was admitted there and is not back with a job would not be counted, and others be admitted in their place.
fn leisure(wait: Duration, max_wait: Duration) -> Duration {
    let room = max_wait.saturating_sub(wait);
    MOST_LEISURE.min(wait / 4).min(room / 32)
}

impl From<Unreadable> for Error {
    /// What cannot be looked up is a failure, never a "no".
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Io(..) => Self::Broken(Broken::Unavailable(error.to_string().into())),
            _ => Self::bug(error),
        }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Full { retry_after } => Refusal::Overloaded { retry_after }.into(),
            PoolError::Stopped => {
                Self::Broken(Broken::Unavailable("the hash threads have stopped".into()))
            }
            failed => Self::bug(failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_waits_anyway_has_leisure() {
        let second = Duration::from_secs(1);
        assert_eq!(leisure(Duration::ZERO, 2 * second), Duration::ZERO);
        assert_eq!(leisure(second / 100, 2 * second), second / 400);
        assert_eq!(leisure(second / 5, 2 * second), MOST_LEISURE);
        assert_eq!(leisure(2 * second, 2 * second), Duration::ZERO);
        assert_eq!(leisure(3 * second, 2 * second), Duration::ZERO);
    }

    #[test]
    fn one_letter_typed_in_two_ways_is_one_password() {
        let composed = Norm::Nfc.bytes(&Secret::new("caf\u{e9}".to_owned()));
        let decomposed = Norm::Nfc.bytes(&Secret::new("cafe\u{301}".to_owned()));
        assert_eq!(composed, decomposed);
        let raw = Norm::Raw.bytes(&Secret::new("cafe\u{301}".to_owned()));
        assert_ne!(composed, raw);
    }
}
