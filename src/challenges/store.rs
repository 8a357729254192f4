//! The rows of sign-ins that are half done.

use db::{Db, Sql, sql};

use super::{Challenge, TRIES, Waiting, until};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::UserId;
use crate::sessions::Carried;

/// Begins a challenge, if the account is open and its password still the one that was verified.
pub fn insert(
    challenge: &Challenge,
    user: &UserId,
    carried: Carried,
    verified_hash: &str,
    now: Timestamp,
) -> Sql {
    sql(
        "INSERT INTO challenges (hash, user_id, carried, tries_left, until) \
         SELECT $1, u.id, $3, $4, $5 FROM users u JOIN passwords p ON p.user_id = u.id \
         WHERE u.id = $2 AND u.disabled_at IS NULL AND p.hash = $6",
    )
    .bind(challenge.hash())
    .bind(user)
    .bind(carried.as_str())
    .bind(TRIES)
    .bind(until(now))
    .bind(verified_hash)
}

/// What waits; `None` when it was never there, was ended, or took too long.
pub async fn waiting(
    db: &Db,
    challenge: &Challenge,
    now: Timestamp,
) -> Result<Option<Waiting>, Error> {
    let query = sql(
        "SELECT user_id, carried FROM challenges WHERE hash = $1 AND tries_left > 0 AND until > $2",
    )
    .bind(challenge.hash())
    .bind(now);
    let waiting = db.one(query, |row| {
        let carried = row.text("carried")?;
        Ok(Waiting {
            user: UserId::from_stored(row.text("user_id")?),
            carried: Carried::named(&carried).ok_or_else(|| {
                db::Error::Broken(format!("a challenge's session is carried as {carried}"))
            })?,
        })
    });
    Ok(waiting.await?)
}

/// Touches the row of a challenge that waits, and holds it until the unit ends.
pub fn hold(challenge: &Challenge, now: Timestamp) -> Sql {
    sql("UPDATE challenges SET until = until WHERE hash = $1 AND tries_left > 0 AND until > $2")
        .bind(challenge.hash())
        .bind(now)
}

/// Takes one of the tries that are left; touches no row when none is.
pub fn charge(challenge: &Challenge, now: Timestamp) -> Sql {
    sql("UPDATE challenges SET tries_left = tries_left - 1 WHERE hash = $1 AND tries_left > 0 AND until > $2")
        .bind(challenge.hash())
        .bind(now)
}

/// Ends a challenge that was met; touches no row when it was ended before.
pub fn spend(challenge: &Challenge, now: Timestamp) -> Sql {
    sql("DELETE FROM challenges WHERE hash = $1 AND until > $2")
        .bind(challenge.hash())
        .bind(now)
}

/// Ends all of an account's.
pub fn delete(user: &UserId) -> Sql {
    sql("DELETE FROM challenges WHERE user_id = $1").bind(user)
}

/// Removes up to `most` that took too long.
pub fn delete_over(now: Timestamp, most: u32) -> Sql {
    sql("DELETE FROM challenges WHERE until <= $1 AND hash IN \
         (SELECT hash FROM challenges WHERE until <= $1 ORDER BY until LIMIT $2)")
    .bind(now)
    .bind(i64::from(most))
}
