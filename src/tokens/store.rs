//! The rows of signing keys.

use db::{Db, Sql, sql};
use jose::Algorithm;

use crate::clock::Timestamp;
use crate::error::Error;

/// A signing key at rest.
pub struct StoredKey {
    /// Which of its algorithm's keys it is, counted from one.
    pub generation: i64,
    /// The key itself, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub signs_from: Timestamp,
    /// When it stops to verify; `None` while it is the newest.
    pub verifies_until: Option<Timestamp>,
}

/// Where a key is sealed to: it opens in no other row.
pub fn place(algorithm: Algorithm, generation: i64) -> String {
    format!("signing_keys/{algorithm}/{generation}")
}

/// The keys of `algorithm`, newest first.
pub async fn all(db: &Db, algorithm: Algorithm) -> Result<Vec<StoredKey>, Error> {
    let keys = sql(
        "SELECT generation, sealed, created_at, signs_from, verifies_until FROM signing_keys \
         WHERE algorithm = $1 ORDER BY generation DESC",
    )
    .bind(algorithm.as_str());
    let keys = db.all(keys, |row| {
        Ok(StoredKey {
            generation: row.int("generation")?,
            sealed: row.bytes("sealed")?,
            created_at: Timestamp::from_micros(row.int("created_at")?),
            signs_from: Timestamp::from_micros(row.int("signs_from")?),
            verifies_until: row.opt_int("verifies_until")?.map(Timestamp::from_micros),
        })
    });
    Ok(keys.await?)
}

/// Keeps a key; breaks the unique rule when that generation exists.
pub fn insert(
    algorithm: Algorithm,
    generation: i64,
    sealed: &[u8],
    now: Timestamp,
    signs_from: Timestamp,
) -> Sql {
    sql("INSERT INTO signing_keys (algorithm, generation, sealed, created_at, signs_from) VALUES ($1, $2, $3, $4, $5)")
        .bind(algorithm.as_str())
        .bind(generation)
        .bind(sealed)
        .bind(now)
        .bind(signs_from)
}

/// Gives a key its end.
pub fn retire(algorithm: Algorithm, generation: i64, until: Timestamp) -> Sql {
    sql("UPDATE signing_keys SET verifies_until = $3 WHERE algorithm = $1 AND generation = $2 AND verifies_until IS NULL")
        .bind(algorithm.as_str())
        .bind(generation)
        .bind(until)
}

/// Removes keys that have not verified since `moment`.
pub fn delete_dead(moment: Timestamp) -> Sql {
    sql("DELETE FROM signing_keys WHERE verifies_until < $1").bind(moment)
}
