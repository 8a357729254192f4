//! The rows of authenticator apps, one an account, and the last step that each account took.

use db::{Db, Sql, sql};
use otp::{Algorithm, Digits};

use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::UserId;

/// What is kept of an app.
pub struct Enrolled {
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// How it makes codes.
    pub algorithm: Algorithm,
    /// How many digits they have.
    pub digits: Digits,
    /// Whether it has shown a right code, without which it counts for nothing.
    pub is_confirmed: bool,
    /// The last step that this account took, of whatever app.
    pub last_step: i64,
}

/// The app of an account, confirmed or not.
pub async fn enrolled(db: &Db, user: &UserId) -> Result<Option<Enrolled>, Error> {
    let query = sql(
        "SELECT t.sealed AS sealed, t.algorithm AS algorithm, t.digits AS digits, t.confirmed_at AS confirmed_at, \
         u.totp_step AS totp_step FROM totp t JOIN users u ON u.id = t.user_id WHERE t.user_id = $1",
    )
    .bind(user);
    let broken = |what: &str| db::Error::Broken(format!("totp.{what} is not one that is known"));
    let enrolled = db.one(query, |row| {
        let digits = usize::try_from(row.int("digits")?).ok();
        Ok(Enrolled {
            sealed: row.bytes("sealed")?,
            algorithm: Algorithm::named(&row.text("algorithm")?)
                .ok_or_else(|| broken("algorithm"))?,
            digits: digits
                .and_then(Digits::from_count)
                .ok_or_else(|| broken("digits"))?,
            is_confirmed: row.opt_int("confirmed_at")?.is_some(),
            last_step: row.int("totp_step")?,
        })
    });
    Ok(enrolled.await?)
}

/// Begins with an app, in the place of one that was not confirmed; touches no row when there is one that was.
pub fn begin(user: &UserId, new: &Enrolled, now: Timestamp) -> Sql {
    sql("INSERT INTO totp (user_id, sealed, algorithm, digits, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, algorithm = excluded.algorithm, \
         digits = excluded.digits, created_at = excluded.created_at WHERE totp.confirmed_at IS NULL")
    .bind(user)
    .bind(new.sealed.as_slice())
    .bind(new.algorithm.as_str())
    .bind(i64::try_from(new.digits.count()).unwrap_or(0))
    .bind(now)
}

/// Lets the app count that showed a right code; touches no row when it counts already, or is another by now.
pub fn confirm(user: &UserId, shown: &Enrolled, now: Timestamp) -> Sql {
    sql("UPDATE totp SET confirmed_at = $3 WHERE user_id = $1 AND sealed = $2 AND confirmed_at IS NULL")
        .bind(user)
        .bind(shown.sealed.as_slice())
        .bind(now)
}

/// Takes a step of the app that showed it, and all before it, and holds the account's row until the unit ends; touches no row
/// when it was taken, at whatever node, or when the app is gone or another by now.
pub fn spend(user: &UserId, shown: &Enrolled, step: i64) -> Sql {
    sql(
        "UPDATE users SET totp_step = $2 WHERE id = $1 AND totp_step < $2 \
         AND EXISTS (SELECT 1 FROM totp WHERE user_id = $1 AND sealed = $3)",
    )
    .bind(user)
    .bind(step)
    .bind(shown.sealed.as_slice())
}

/// Forgets the app; touches no row when there is none that was confirmed.
pub fn delete(user: &UserId) -> Sql {
    sql("DELETE FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL").bind(user)
}
