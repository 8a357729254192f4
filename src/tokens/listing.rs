//! The keys as an operator sees them: which there are, which one signs, and until when the others verify. No key leaves.

use db::Db;
use jose::{Algorithm, SigningKey};
use serde::Serialize;

use super::keys;
use super::store;
use crate::clock::Timestamp;
use crate::config::TokensConfig;
use crate::error::Error;
use crate::secret::Sealer;

/// What a key is for at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is published and will sign.
    Next,
    /// It signs.
    Signing,
    /// It signed, and its last tokens count still.
    Verifying,
    /// No token of its counts any more.
    Ended,
    /// The configuration names another algorithm, or a secret of its own.
    Unused,
}

/// A key at rest.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// What it signs by, as in a token's `alg`.
    pub algorithm: &'static str,
    /// Which of its algorithm's keys it is, counted from one.
    pub generation: i64,
    /// The `kid` of its tokens; none with HS256.
    pub kid: Option<String>,
    /// What it is for now.
    pub state: State,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub signs_from: Timestamp,
    /// When it stops to verify; `None` while it is the newest.
    pub verifies_until: Option<Timestamp>,
}

/// Every key in the database, those of the configured algorithm first, the newest first.
pub async fn all(
    db: &Db,
    sealer: &Sealer,
    config: &TokensConfig,
    now: Timestamp,
) -> Result<Vec<Listed>, Error> {
    let mut algorithms = [
        Algorithm::Hs256,
        Algorithm::Es256,
        Algorithm::Rs256,
        Algorithm::EdDsa,
    ];
    algorithms.sort_by_key(|algorithm| *algorithm != config.algorithm);
    let mut listed = Vec::new();
    for algorithm in algorithms {
        let is_used = algorithm == config.algorithm && config.hs256_secret.is_none();
        let mut signs_already = false;
        for key in store::all(db, algorithm).await? {
            let bytes = keys::open(sealer, algorithm, &key)?;
            let signing = SigningKey::from_stored(algorithm, bytes.expose()).map_err(Error::bug)?;
            let state = if !is_used {
                State::Unused
            } else if key.signs_from > now {
                State::Next
            } else if !signs_already {
                signs_already = true;
                State::Signing
            } else if key.verifies_until.is_none_or(|until| now < until) {
                State::Verifying
            } else {
                State::Ended
            };
            listed.push(Listed {
                algorithm: algorithm.as_str(),
                generation: key.generation,
                kid: signing.kid().map(str::to_owned),
                state,
                created_at: key.created_at,
                signs_from: key.signs_from,
                verifies_until: key.verifies_until,
            });
        }
    }
    Ok(listed)
}
