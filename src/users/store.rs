//! The rows of accounts.

use db::{Db, Row, Sql, Unit, sql};

use super::{EmailKey, NewUser, SecondFactors, User};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::body::Change;
use crate::ids::{SessionId, UserId};
use crate::sessions;

/// What a `User` is read from, for queries in which `users` is `u`. Each by its name: a newer node may have added others
/// already.
macro_rules! user_columns {
    () => {
        "u.id, u.email, u.email_verified, u.name, u.locale, u.roles, u.metadata, u.disabled_at, u.created_at, \
         u.updated_at, u.last_sign_in_at, \
         (SELECT count(*) FROM totp t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL) AS apps, \
         (SELECT count(*) FROM passkeys k WHERE k.user_id = u.id) AS passkeys, \
         (SELECT count(*) FROM recovery_codes r WHERE r.user_id = u.id AND r.used_at IS NULL) AS recovery_codes_left"
    };
}
pub(crate) use user_columns;

/// Reads a `User` from the columns that [`user_columns`] names.
pub fn user(row: &Row) -> Result<User, db::Error> {
    let broken =
        |what: &str| db::Error::Broken(format!("users.{what} is not the JSON it should be"));
    Ok(User {
        id: UserId::from_stored(row.text("id")?),
        email: row.text("email")?,
        email_verified: row.bool("email_verified")?,
        name: row.opt_text("name")?,
        locale: row.opt_text("locale")?,
        roles: serde_json::from_str(&row.text("roles")?).map_err(|_| broken("roles"))?,
        metadata: serde_json::from_str(&row.text("metadata")?).map_err(|_| broken("metadata"))?,
        mfa: SecondFactors {
            totp: row.int("apps")? > 0,
            passkeys: u32::try_from(row.int("passkeys")?).unwrap_or(u32::MAX),
            recovery_codes_left: u32::try_from(row.int("recovery_codes_left")?).unwrap_or(u32::MAX),
        },
        created_at: Timestamp::from_micros(row.int("created_at")?),
        updated_at: Timestamp::from_micros(row.int("updated_at")?),
        last_sign_in_at: row.opt_int("last_sign_in_at")?.map(Timestamp::from_micros),
        disabled_at: row.opt_int("disabled_at")?.map(Timestamp::from_micros),
    })
}

/// The account with this address.
pub async fn by_email(db: &Db, key: &EmailKey) -> Result<Option<User>, Error> {
    Ok(db
        .one(
            sql(concat!(
                "SELECT ",
                user_columns!(),
                " FROM users u WHERE u.email_key = $1"
            ))
            .bind(key),
            user,
        )
        .await?)
}

/// The account with this id.
pub async fn by_id(db: &Db, id: &UserId) -> Result<Option<User>, Error> {
    Ok(db
        .one(
            sql(concat!(
                "SELECT ",
                user_columns!(),
                " FROM users u WHERE u.id = $1"
            ))
            .bind(id),
            user,
        )
        .await?)
}

/// Up to `limit` accounts, oldest first: those behind the one with this id that was made at this moment.
pub async fn page(db: &Db, (made, id): (Timestamp, &str), limit: u32) -> Result<Vec<User>, Error> {
    let page = sql(concat!(
        "SELECT ",
        user_columns!(),
        " FROM users u WHERE (u.created_at, u.id) > ($1, $2) ORDER BY u.created_at, u.id LIMIT $3"
    ))
    .bind(made)
    .bind(id)
    .bind(i64::from(limit));
    Ok(db.all(page, user).await?)
}

/// Makes an account; breaks the unique rule on `email_key` when the address has one.
pub fn insert(id: &UserId, new: &NewUser, now: Timestamp) -> Sql {
    sql("INSERT INTO users (id, email, email_key, email_verified, name, locale, roles, metadata, created_at, updated_at) \
         VALUES ($1, $2, $3, FALSE, $4, $5, $6, $7, $8, $8)")
    .bind(id)
    .bind(new.email.as_str())
    .bind(new.email.key())
    .bind(new.name.as_deref())
    .bind(new.locale.as_deref())
    .bind(serde_json::Value::from(new.roles.clone()).to_string())
    .bind(new.metadata.as_deref().unwrap_or("{}"))
    .bind(now)
}

/// What a person may change of their own account.
pub struct Profile {
    /// What they want to be called.
    pub name: Change<String>,
    /// Their language.
    pub locale: Change<String>,
    /// The application's notes; cleared to `{}`.
    pub metadata: Change<String>,
}

/// Changes what `profile` names and leaves the rest. It goes into a unit that holds the row of the account.
pub fn update(id: &UserId, profile: &Profile, now: Timestamp) -> Sql {
    let (keep_name, name) = parts(&profile.name);
    let (keep_locale, locale) = parts(&profile.locale);
    let (keep_metadata, metadata) = parts(&profile.metadata);
    sql("UPDATE users SET name = CASE WHEN $2 THEN name ELSE $3 END, locale = CASE WHEN $4 THEN locale ELSE $5 END, \
         metadata = CASE WHEN $6 THEN metadata ELSE $7 END, updated_at = $8 WHERE id = $1")
    .bind(id)
    .bind(keep_name)
    .bind(name)
    .bind(keep_locale)
    .bind(locale)
    .bind(keep_metadata)
    .bind(metadata.unwrap_or("{}"))
    .bind(now)
}

fn parts(change: &Change<String>) -> (bool, Option<&str>) {
    match change {
        Change::Keep => (true, None),
        Change::Clear => (false, None),
        Change::Set(value) => (false, Some(value)),
    }
}

/// Notes that somebody signed in, and holds the account's row until the unit ends; touches no row when it is gone or
/// shut.
pub fn touch_sign_in(id: &UserId, now: Timestamp) -> Sql {
    sql("UPDATE users SET last_sign_in_at = $2 WHERE id = $1 AND disabled_at IS NULL")
        .bind(id)
        .bind(now)
}

/// Holds the row of an open account until the unit ends, and then that of a live session, by whose word the rest is written.
/// Two statements, of which the first touches no row when the account is gone or shut, and the second when the session is
/// over: on PostgreSQL one that waits for the account's row would ask for the session as it was before.
pub fn hold(id: &UserId, session: &SessionId, now: Timestamp) -> Unit {
    Unit::new()
        .expect(1, hold_open(id))
        .expect(1, sessions::store::hold(session, id, now))
}

/// Holds the row of an open account until the unit ends; touches no row when the account is gone or shut.
pub fn hold_open(id: &UserId) -> Sql {
    sql("UPDATE users SET updated_at = updated_at WHERE id = $1 AND disabled_at IS NULL").bind(id)
}

/// Notes that something that belongs to an account changed, and holds its row until the unit ends; touches no row when
/// the account is gone.
pub fn touch(id: &UserId, now: Timestamp) -> Sql {
    sql("UPDATE users SET updated_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
}

/// Shuts an account; touches no row when it is gone or shut already.
pub fn disable(id: &UserId, now: Timestamp) -> Sql {
    sql("UPDATE users SET disabled_at = $2, updated_at = $2 WHERE id = $1 AND disabled_at IS NULL")
        .bind(id)
        .bind(now)
}

/// Opens an account again; touches no row when it is gone or open.
pub fn enable(id: &UserId, now: Timestamp) -> Sql {
    sql("UPDATE users SET disabled_at = NULL, updated_at = $2 WHERE id = $1 AND disabled_at IS NOT NULL")
        .bind(id)
        .bind(now)
}

/// Removes an account and all that belongs to it.
pub fn delete(id: &UserId) -> Sql {
    sql("DELETE FROM users WHERE id = $1").bind(id)
}
