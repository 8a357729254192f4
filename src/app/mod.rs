//! What every request can reach: the sum of the rooms below it, opened once at the start.

mod store;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use db::{Db, Migration};

use crate::attempts::spray::Spray;
use crate::breached::{Breached, Unreadable};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, PasswordConfig};
use crate::error::{Error, Refusal};
use crate::limits::Limits;
use crate::passkeys::relying_party::RelyingParty;
use crate::password::Passwords;
use crate::revocations::{CannotTell, Revocations};
use crate::secret::{Sealer, Secret, Stamp};
use crate::sessions::Session;
use crate::sessions::grant::Grant;
use crate::sessions::renewal::Renewal;
use crate::tokens::Tokens;
use crate::tokens::keys::KeyRing;
use crate::users::User;

/// The steps that made the schema what it is, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "accounts",
        sql: include_str!("../../migrations/0001_accounts.sql"),
    },
    Migration {
        version: 2,
        name: "sessions",
        sql: include_str!("../../migrations/0002_sessions.sql"),
    },
    Migration {
        version: 3,
        name: "guessing",
        sql: include_str!("../../migrations/0003_guessing.sql"),
    },
    Migration {
        version: 4,
        name: "second factors",
        sql: include_str!("../../migrations/0004_second_factors.sql"),
    },
    Migration {
        version: 5,
        name: "second steps",
        sql: include_str!("../../migrations/0005_second_steps.sql"),
    },
    Migration {
        version: 6,
        name: "passkeys",
        sql: include_str!("../../migrations/0006_passkeys.sql"),
    },
    Migration {
        version: 7,
        name: "lean sessions",
        sql: include_str!("../../migrations/0007_lean_sessions.sql"),
    },
];

/// The service, cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Rooms>);

/// What the service is made of.
pub struct Rooms {
    /// What the operator asked for.
    pub config: Config,
    /// What tells the time.
    pub clock: Clock,
    /// What remembers.
    pub db: Db,
    /// What hashes.
    pub passwords: Passwords,
    /// Whom passkeys are made for; `None` where browsers make none.
    pub relying_party: Option<RelyingParty>,
    /// What signs.
    pub tokens: Tokens,
    /// What proves that we made what others keep for us.
    pub stamp: Stamp,
    /// What knows which sessions were ended before their time, and what every write goes through that ends some.
    pub revocations: Revocations,
    /// What counts the attempts of each address.
    pub limits: Limits,
    /// What counts the pages that each address opens.
    pub page_limits: Limits,
    /// What notices a password that is tried at many accounts.
    pub spray: Spray,
    sealer: Sealer,
    is_draining: AtomicBool,
}

impl Deref for App {
    type Target = Rooms;

    fn deref(&self) -> &Rooms {
        &self.0
    }
}

/// Why the service does not start, beyond configuration and the database itself.
#[derive(Debug, thiserror::Error)]
pub enum CannotStart {
    /// The database was sealed under another key.
    #[error(
        "the secret key is not the one that sealed this database. Set DOORWARD_SECRET_KEY (or DOORWARD_SECRET_KEY_FILE) \
         to the key it was first started with; with SQLite that is the file secret.key in the data folder. \
         Without it the signing keys cannot be opened"
    )]
    WrongSecretKey,
    /// The database has forgotten that sessions were ended, or nothing tells that it has not.
    #[error(transparent)]
    Revocations(#[from] CannotTell),
    /// The file of breached passwords does not tell.
    #[error(
        "password.breached_file (DOORWARD_PASSWORD__BREACHED_FILE): {0}. `doorward breached build` makes it of the public \
         list; `doorward config show --origin` tells where it is named. Without it new passwords would go unchecked"
    )]
    Breached(#[from] Unreadable),
    /// Something else, in words.
    #[error("{0}")]
    Broken(String),
}

/// Notes how long one hash took.
fn hashed(scheme: passhash::Scheme, took: Duration) {
    metrics::histogram!("doorward_password_hash_duration_seconds", "scheme" => scheme.to_string())
        .record(took);
}

impl From<Error> for CannotStart {
    fn from(error: Error) -> Self {
        match error {
            Error::Broken(
                crate::error::Broken::Unavailable(why) | crate::error::Broken::Bug(why),
            ) => Self::Broken(why.to_string()),
            Error::Refused(refusal) => Self::Broken(format!("{refusal:?}")),
        }
    }
}

impl App {
    /// Opens everything that a request needs. The database is open and migrated already, and the data folder is there.
    pub async fn open(
        config: Config,
        secret_key: &Secret<String>,
        clock: Clock,
        db: Db,
    ) -> Result<Self, CannotStart> {
        let sealer = Sealer::new(secret_key);
        prove_sealer(&db, &sealer).await?;
        let revocations = Revocations::open(&db, &config.data_dir).await?;
        let host = config.public_url.origin().host();
        let breached = breached(&config.password)?;
        let passwords = Passwords::start(&config.password, host, breached, hashed)?;
        passwords.refresh_recipes(&db).await?;
        let keys = KeyRing::open(&config.tokens, &db, &sealer, clock.now()).await?;
        Ok(Self(Arc::new(Rooms {
            relying_party: RelyingParty::of(&config)?,
            passwords,
            tokens: Tokens::new(&config.tokens, Arc::new(keys)),
            stamp: Stamp::new(secret_key),
            revocations,
            limits: Limits::new(&config.limits),
            page_limits: Limits::of_pages(&config.limits),
            spray: Spray::new(clock.now()),
            is_draining: AtomicBool::new(false),
            config,
            clock,
            db,
            sealer,
        })))
    }

    /// Takes in keys that another node or the operator made.
    pub async fn refresh_keys(&self) -> Result<(), Error> {
        self.tokens
            .keys
            .refresh(&self.config.tokens, &self.db, &self.sealer)
            .await
    }

    /// What the holder of a session gets at `now`.
    pub fn grant(
        &self,
        user: &User,
        session: &Session,
        renewal: Option<&Renewal>,
        now: Timestamp,
    ) -> Result<Grant, Error> {
        Grant::new(user, session, renewal, &self.tokens, &self.stamp, now)
    }

    /// Whom passkeys are made for.
    ///
    /// # Errors
    /// [`Refusal::PasskeysUnavailable`] where browsers make none.
    pub fn relying_party(&self) -> Result<&RelyingParty, Refusal> {
        self.relying_party
            .as_ref()
            .ok_or(Refusal::PasskeysUnavailable)
    }

    /// What opens sealed keys: for the operator's commands.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Says that the service is about to stop: readiness turns to no.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// Whether the service is about to stop.
    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }
}

/// Opens the file of breached passwords, if the operator has one.
pub fn breached(config: &PasswordConfig) -> Result<Option<Breached>, CannotStart> {
    let file = config.breached_file.as_deref().map(Breached::open);
    Ok(file.transpose()?)
}

/// Whether the database was sealed before, so that one key alone is the right one.
pub async fn is_sealed(db: &Db) -> Result<bool, Error> {
    store::is_marked(db).await
}

/// Leaves a sealed mark in a new database, and opens the mark of an old one: two nodes, or a node and its past, never
/// seal under different keys.
pub async fn prove_sealer(db: &Db, sealer: &Sealer) -> Result<(), CannotStart> {
    let found = store::mark(db, &sealer.seal(store::MARK, store::MARK.as_bytes())).await?;
    sealer
        .open(store::MARK, &found)
        .map(drop)
        .map_err(|_| CannotStart::WrongSecretKey)
}
