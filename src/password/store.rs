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

/// Every recipe that is noted.
pub async fn recipes(db: &Db) -> Result<Vec<String>, Error> {
    let query = sql("SELECT scheme FROM password_schemes");
    Ok(db.all(query, |row| row.text("scheme")).await?)
}

/// Notes a recipe, unless it is noted.
pub fn note_recipe(recipe: &str) -> Sql {
    sql("INSERT INTO password_schemes (scheme) VALUES ($1) ON CONFLICT (scheme) DO NOTHING")
        .bind(recipe)
}

/// The first password behind that of `user` whose recipe is not noted, and whose it is. It reads every row up to there.
pub async fn next_of_unknown_recipe(
    db: &Db,
    user: &str,
) -> Result<Option<(String, String)>, Error> {
    let query = sql(
        "SELECT p.user_id AS user_id, p.hash AS hash FROM passwords p WHERE p.user_id > $1 AND NOT EXISTS (\
         SELECT 1 FROM password_schemes s WHERE substr(p.hash, 1, length(s.scheme)) = s.scheme) \
         ORDER BY p.user_id LIMIT 1",
    )
    .bind(user);
    let found = db.all(query, |row| Ok((row.text("user_id")?, row.text("hash")?)));
    Ok(found.await?.pop())
}

/// Recipes that are noted and that no password is of. It reads every row for each of them.
pub async fn unused_recipes(db: &Db) -> Result<Vec<String>, Error> {
    let query = sql(
        "SELECT s.scheme AS scheme FROM password_schemes s WHERE NOT EXISTS (\
         SELECT 1 FROM passwords p WHERE substr(p.hash, 1, length(s.scheme)) = s.scheme)",
    );
    Ok(db.all(query, |row| row.text("scheme")).await?)
}

/// Strikes a recipe out.
pub fn forget_recipe(recipe: &str) -> Sql {
    sql("DELETE FROM password_schemes WHERE scheme = $1").bind(recipe)
}
