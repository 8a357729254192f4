//! The key ring: which key signs now, which ones still verify, which one comes next. Keys rest sealed in the database
//! and are opened once; a new key is known to every node, and published, well before it signs.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use db::{Db, Unit};
use jose::{Algorithm, Jwk, Jwks, SigningKey, VerifyingKey};

use super::store::{self, StoredKey};
use crate::audit::{self, About, By, Event};
use crate::clock::Timestamp;
use crate::config::TokensConfig;
use crate::error::Error;
use crate::secret::{Sealer, Secret};

/// How often a node looks for keys that another made.
pub const REFRESH_EVERY: Duration = Duration::from_secs(5);
/// How long a new key is published before it signs: longer than a back end may cache the key set, and than a node
/// takes to notice.
pub const PUBLISH_AHEAD: Duration = Duration::from_mins(15);
/// How long back ends may cache the key set.
pub const JWKS_MAX_AGE: Duration = Duration::from_mins(10);
/// No token counts for longer, whatever is configured.
pub const LONGEST_LIFETIME: Duration = Duration::from_hours(24);
/// How long past a token's end its key, and the word that its session was revoked, are kept for clocks that disagree.
pub const SKEW: Duration = Duration::from_mins(1);

/// The keys of one algorithm, kept up to date in the background and read without waiting.
pub struct KeyRing {
    algorithm: Algorithm,
    ring: ArcSwap<Ring>,
}

/// The keys at one moment, newest first.
#[derive(Default)]
pub struct Ring(Vec<Key>);

struct Key {
    generation: i64,
    signs_from: Timestamp,
    verifies_until: Option<Timestamp>,
    signing: Arc<SigningKey>,
    verifying: VerifyingKey,
}

impl Key {
    fn is_alive(&self, now: Timestamp) -> bool {
        self.verifies_until.is_none_or(|until| now < until)
    }
}

impl Ring {
    /// The keys that verify a token at `now`, the likeliest first.
    pub fn verifying(&self, now: Timestamp) -> impl Iterator<Item = &VerifyingKey> {
        self.0
            .iter()
            .filter(move |key| key.is_alive(now))
            .map(|key| &key.verifying)
    }

    /// When the first of those stops to verify; `None` when none is to.
    pub(super) fn next_end(&self, now: Timestamp) -> Option<Timestamp> {
        let living = self.0.iter().filter(|key| key.is_alive(now));
        living.filter_map(|key| key.verifies_until).min()
    }

    fn signing(&self, now: Timestamp) -> Option<&Arc<SigningKey>> {
        self.0
            .iter()
            .find(|key| key.signs_from <= now)
            .map(|key| &key.signing)
    }
}

impl KeyRing {
    /// The ring of the configured algorithm: the configured secret, or the keys in the database, of which the first is
    /// made here if there is none.
    pub async fn open(
        config: &TokensConfig,
        db: &Db,
        sealer: &Sealer,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let algorithm = config.algorithm;
        let ring = if let Some(secret) = &config.hs256_secret {
            Ring(vec![configured(secret)?])
        } else {
            let stored = stored(db, sealer, algorithm, By::Service(now)).await?;
            opened(sealer, algorithm, stored)?
        };
        Ok(Self {
            algorithm,
            ring: ArcSwap::from_pointee(ring),
        })
    }

    /// The keys as they are known now.
    pub fn current(&self) -> arc_swap::Guard<Arc<Ring>> {
        self.ring.load()
    }

    /// The key that signs at `now`.
    pub fn signing(&self, now: Timestamp) -> Result<Arc<SigningKey>, Error> {
        self.ring
            .load()
            .signing(now)
            .cloned()
            .ok_or_else(|| Error::bug("no signing key has begun to sign"))
    }

    /// The public halves, for back ends: those that signed, sign and will sign. Empty for HS256, whose key is a secret.
    pub fn published(&self, now: Timestamp) -> Jwks {
        let ring = self.ring.load();
        let keys: Vec<Jwk> = ring
            .0
            .iter()
            .filter(|key| key.is_alive(now))
            .filter_map(|key| key.signing.public_jwk())
            .collect();
        Jwks { keys }
    }

    /// Takes in what other nodes, or the operator, did to the keys. Opens only keys that are new.
    pub async fn refresh(
        &self,
        config: &TokensConfig,
        db: &Db,
        sealer: &Sealer,
    ) -> Result<(), Error> {
        if config.hs256_secret.is_some() {
            return Ok(());
        }
        let known = self.ring.load();
        let stored = store::all(db, self.algorithm).await?;
        let is_same = stored.len() == known.0.len()
            && stored.iter().zip(&known.0).all(|(stored, known)| {
                stored.generation == known.generation
                    && stored.verifies_until == known.verifies_until
            });
        if !is_same {
            self.ring
                .store(Arc::new(opened(sealer, self.algorithm, stored)?));
        }
        Ok(())
    }
}

/// The secret that the operator shares with the back ends, when it comes from configuration.
fn configured(secret: &Secret<String>) -> Result<Key, Error> {
    let signing = Arc::new(SigningKey::hs256(secret.expose().as_bytes()).map_err(Error::bug)?);
    let verifying = signing.verifying_key();
    Ok(Key {
        generation: 0,
        signs_from: Timestamp::from_micros(i64::MIN),
        verifies_until: None,
        signing,
        verifying,
    })
}

/// The keys of `algorithm`, newest first; the first one is made here, and signs at once, if there is none.
async fn stored(
    db: &Db,
    sealer: &Sealer,
    algorithm: Algorithm,
    by: By<'_>,
) -> Result<Vec<StoredKey>, Error> {
    let stored = store::all(db, algorithm).await?;
    if !stored.is_empty() {
        return Ok(stored);
    }
    let now = by.now();
    make(db, sealer, algorithm, 1, by, (now, now)).await?;
    store::all(db, algorithm).await
}

/// Makes the key of `generation`, and gives the one before it an end: once the last token that it signs has expired.
/// `false` when somebody else made that generation first: then nothing happened.
async fn make(
    db: &Db,
    sealer: &Sealer,
    algorithm: Algorithm,
    generation: i64,
    by: By<'_>,
    (signs_from, previous_until): (Timestamp, Timestamp),
) -> Result<bool, Error> {
    let (_, bytes) = SigningKey::generate(algorithm).map_err(Error::bug)?;
    let sealed = sealer.seal(&store::place(algorithm, generation), &bytes);
    let unit = Unit::new()
        .run(store::insert(
            algorithm,
            generation,
            &sealed,
            by.now(),
            signs_from,
        ))
        .run(store::retire(algorithm, generation - 1, previous_until))
        .run(audit::row(Event::KeyCreated, by, About::default()));
    match db.write(unit).await {
        Ok(_) => Ok(true),
        Err(db::Error::Unique { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What became of a rotation.
pub enum Rotated {
    /// There is a next key.
    Made(Rotation),
    /// Nothing: the key of the last rotation begins to sign only then, and a further one could overtake it.
    Waiting {
        /// When that is.
        signs_from: Timestamp,
    },
    /// Nothing: another rotation made the next key at the same moment.
    Overtaken,
    /// Nothing: the secret that signs is configured, and changes with the configuration.
    Configured,
}

/// A key that a rotation made.
pub struct Rotation {
    /// The number of the new key.
    pub generation: i64,
    /// When it begins to sign.
    pub signs_from: Timestamp,
    /// When the one before it stops to verify.
    pub previous_until: Timestamp,
}

/// Makes the next key: published at once, signing `ahead` from now; the present one verifies until its last token has
/// expired.
pub async fn rotate(
    db: &Db,
    sealer: &Sealer,
    config: &TokensConfig,
    by: By<'_>,
    ahead: Duration,
) -> Result<Rotated, Error> {
    if config.hs256_secret.is_some() {
        return Ok(Rotated::Configured);
    }
    let (algorithm, now) = (config.algorithm, by.now());
    let signs_from = now.plus(ahead);
    // Not this process's own setting: the services may run with another, and the old key must outlive their tokens.
    let previous_until = signs_from.plus(LONGEST_LIFETIME).plus(SKEW);
    let stored = stored(db, sealer, algorithm, by).await?;
    let newest = stored
        .first()
        .ok_or_else(|| Error::bug("the first signing key was made and is not there"))?;
    if newest.signs_from > now {
        let signs_from = newest.signs_from;
        return Ok(Rotated::Waiting { signs_from });
    }
    let generation = newest.generation + 1;
    let times = (signs_from, previous_until);
    if !make(db, sealer, algorithm, generation, by, times).await? {
        return Ok(Rotated::Overtaken);
    }
    Ok(Rotated::Made(Rotation {
        generation,
        signs_from,
        previous_until,
    }))
}

/// An HS256 secret in the database, for the operator to hand to a back end: the one that signs at `now`, or with `next`
/// the one that a rotation made and that does not sign yet. `None` when there is none.
pub async fn shared_secret(
    db: &Db,
    sealer: &Sealer,
    now: Timestamp,
    next: bool,
) -> Result<Option<Secret<Vec<u8>>>, Error> {
    let stored = store::all(db, Algorithm::Hs256).await?;
    let wanted = stored.iter().find(|key| (key.signs_from > now) == next);
    wanted
        .map(|key| open(sealer, Algorithm::Hs256, key))
        .transpose()
}

fn opened(sealer: &Sealer, algorithm: Algorithm, stored: Vec<StoredKey>) -> Result<Ring, Error> {
    let opened = stored.into_iter().map(|stored| {
        let bytes = open(sealer, algorithm, &stored)?;
        let signing =
            Arc::new(SigningKey::from_stored(algorithm, bytes.expose()).map_err(Error::bug)?);
        let StoredKey {
            generation,
            signs_from,
            verifies_until,
            ..
        } = stored;
        Ok(Key {
            generation,
            signs_from,
            verifies_until,
            verifying: signing.verifying_key(),
            signing,
        })
    });
    opened.collect::<Result<_, Error>>().map(Ring)
}

pub(super) fn open(
    sealer: &Sealer,
    algorithm: Algorithm,
    key: &StoredKey,
) -> Result<Secret<Vec<u8>>, Error> {
    sealer
        .open(&store::place(algorithm, key.generation), &key.sealed)
        .map_err(|error| {
            Error::bug(format_args!(
                "signing key {} of {algorithm} cannot be opened: {error}",
                key.generation
            ))
        })
}
