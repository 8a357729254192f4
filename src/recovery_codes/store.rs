//! The rows of recovery codes, one a slot.

use db::{Db, Sql, sql};

use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::UserId;
use crate::password::{Norm, Stored};
use crate::second_factors::store::has_second_factor;

/// The hash of the code in a slot that was not used; `None` when there is none.
pub async fn unused(db: &Db, user: &UserId, slot: u8) -> Result<Option<Stored>, Error> {
    let query =
        sql("SELECT hash FROM recovery_codes WHERE user_id = $1 AND slot = $2 AND used_at IS NULL")
            .bind(user)
            .bind(i64::from(slot));
    let stored = db.one(query, |row| {
        Ok(Stored {
            hash: row.text("hash")?,
            norm: Norm::Raw,
        })
    });
    Ok(stored.await?)
}

/// How many were not used.
pub async fn left(db: &Db, user: &UserId) -> Result<u32, Error> {
    let query =
        sql("SELECT CAST(count(*) AS BIGINT) AS n FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL")
            .bind(user);
    let left = db.one(query, |row| row.int("n")).await?;
    Ok(left.and_then(|left| u32::try_from(left).ok()).unwrap_or(0))
}

/// Puts a code into a slot that is empty.
pub fn insert(user: &UserId, slot: u8, stored: &Stored, now: Timestamp) -> Sql {
    sql("INSERT INTO recovery_codes (user_id, slot, hash, created_at) VALUES ($1, $2, $3, $4)")
        .bind(user)
        .bind(i64::from(slot))
        .bind(stored.hash.as_str())
        .bind(now)
}

/// Uses the code that was verified; touches no row when it was used meanwhile, or is another by now.
pub fn spend(user: &UserId, slot: u8, verified: &Stored, now: Timestamp) -> Sql {
    sql("UPDATE recovery_codes SET used_at = $4 \
         WHERE user_id = $1 AND slot = $2 AND hash = $3 AND used_at IS NULL")
    .bind(user)
    .bind(i64::from(slot))
    .bind(verified.hash.as_str())
    .bind(now)
}

/// Voids all of an account that has no second factor.
pub fn delete_without_factor(user: &UserId) -> Sql {
    sql(concat!(
        "DELETE FROM recovery_codes WHERE user_id = $1 AND NOT ",
        has_second_factor!()
    ))
    .bind(user)
}

/// Voids all of an account's.
pub fn delete(user: &UserId) -> Sql {
    sql("DELETE FROM recovery_codes WHERE user_id = $1").bind(user)
}
