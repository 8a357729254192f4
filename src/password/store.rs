//! The rows of passwords.

use db::{Db, Sql, sql};

use super::{Account, Norm, Stored};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::UserId;
use crate::users::store::user_columns;
use crate::users::{self, EmailKey};

/// The account with this address, and its password if it has one: all that a sign-in asks the database.
pub async fn account(db: &Db, key: &EmailKey) -> Result<Option<Account>, Error> {
    let query = sql(concat!(
        "SELECT ",
        user_columns!(),
        ", p.hash AS hash, p.norm AS norm, p.changed_at AS changed_at \
         FROM users u LEFT JOIN passwords p ON p.user_id = u.id WHERE u.email_key = $1"
    ))
    .bind(key);
    let account = db.one(query, |row| {
        let norm = match row.opt_text("norm")?.as_deref() {
            Some("nfc") | None => Norm::Nfc,
            Some("raw") => Norm::Raw,
            Some(_) => {
                return Err(db::Error::Broken(
                    "passwords.norm is not one that is known".to_owned(),
                ));
            }
        };
        Ok(Account {
            user: users::store::user(row)?,
            stored: row.opt_text("hash")?.map(|hash| Stored { hash, norm }),
            set_at: row.opt_int("changed_at")?.map(Timestamp::from_micros),
        })
    });
    Ok(account.await?)
}

/// Gives an account its first password.
pub fn insert(user: &UserId, stored: &Stored, now: Timestamp) -> Sql {
    sql("INSERT INTO passwords (user_id, hash, norm, changed_at) VALUES ($1, $2, $3, $4)")
        .bind(user)
        .bind(stored.hash.as_str())
        .bind(stored.norm.as_str())
        .bind(now)
}

/// Gives an account this password, whether it had one or not.
pub fn set(user: &UserId, stored: &Stored, now: Timestamp) -> Sql {
    sql("INSERT INTO passwords (user_id, hash, norm, changed_at) SELECT id, $2, $3, $4 FROM users WHERE id = $1 \
         ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, norm = excluded.norm, changed_at = excluded.changed_at")
    .bind(user)
    .bind(stored.hash.as_str())
    .bind(stored.norm.as_str())
    .bind(now)
}

/// Puts a stronger hash of the same password in the place of `old`; touches no row when the password changed meanwhile.
pub fn replace(user: &UserId, old: &Stored, new: &Stored) -> Sql {
    sql("UPDATE passwords SET hash = $3, norm = $4 WHERE user_id = $1 AND hash = $2")
        .bind(user)
        .bind(old.hash.as_str())
        .bind(new.hash.as_str())
        .bind(new.norm.as_str())
}
