//! The rows of sessions.

use std::sync::Arc;

use db::{Db, Row, Sql, sql};

use super::renewal::Renewal;
use super::{Carried, Session};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::{SessionId, UserId};
use crate::users::store::user_columns;
use crate::users::{self, Shown, User};

/// What a session begins by, as far as the account's row and those beside it tell.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// By a password of this hash, and nothing beside it is asked for.
    PasswordAlone(&'a str),
    /// By a password of this hash, and what other statements of the unit spend.
    Password(&'a str),
    /// By what other statements of the unit spend.
    Spent,
}

/// Begins a session, if its account is still open, its password still the one that was verified, and no more asked for than
/// was shown: a sign-in that crosses a change of password, a disabling, a deletion or the setting up of a second factor touches
/// no row.
pub fn insert(session: &Session, renewal: Option<&Renewal>, proof: Proof<'_>) -> Sql {
    let (verified_hash, is_alone) = match proof {
        Proof::PasswordAlone(hash) => (Some(hash), true),
        Proof::Password(hash) => (Some(hash), false),
        Proof::Spent => (None, false),
    };
    sql(
        "INSERT INTO sessions (id, user_id, carried, secret_hash, generation, auth_time, amr, created_at, last_seen_at, \
         expires_at, ends_at, ip, agent, epoch) \
         SELECT $1, u.id, $3, $4, $5, $6, $7, $6, $8, $9, $10, $11, $12, (SELECT epoch FROM revocation_count) FROM users u LEFT JOIN passwords p ON p.user_id = u.id \
         WHERE u.id = $2 AND u.disabled_at IS NULL AND (p.hash = $13 OR $14) \
         AND NOT ($15 AND (EXISTS (SELECT 1 FROM totp t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL) \
         OR EXISTS (SELECT 1 FROM passkeys k WHERE k.user_id = u.id)))",
    )
    .bind(&session.id)
    .bind(&session.user)
    .bind(session.carried.as_str())
    .bind(renewal.map(Renewal::family))
    .bind(session.generation)
    .bind(session.auth_time)
    .bind(session.amr.join(" "))
    .bind(session.last_seen_at)
    .bind(session.expires_at)
    .bind(session.ends_at)
    .bind(session.ip.as_str())
    .bind(session.agent.as_deref())
    .bind(verified_hash)
    .bind(verified_hash.is_none())
    .bind(is_alone)
}

/// What is true of the rows of sessions that live at the moment that is bound to this parameter.
macro_rules! live {
    ($now:literal) => {
        concat!(
            "ended_at IS NULL AND expires_at > ",
            $now,
            " AND epoch = (SELECT epoch FROM revocation_count)"
        )
    };
}
pub(crate) use live;

/// What a `Session` is read from, for queries in which `sessions` is `s` and may stand beside `users`.
macro_rules! session_columns {
    () => {
        "s.id AS session_id, s.user_id, s.carried, s.generation, s.auth_time, s.amr, s.created_at AS begun_at, \
         s.last_seen_at, s.expires_at, s.ends_at, s.ip, s.agent"
    };
}

/// Reads a `Session` from the columns that [`session_columns`] names.
fn session(row: &Row) -> Result<Session, db::Error> {
    let moment = |name| row.int(name).map(Timestamp::from_micros);
    Ok(Session {
        id: SessionId::from_stored(row.text("session_id")?),
        user: UserId::from_stored(row.text("user_id")?),
        carried: carried(row)?,
        generation: row.int("generation")?,
        amr: amr(row)?,
        created_at: moment("begun_at")?,
        auth_time: moment("auth_time")?,
        last_seen_at: moment("last_seen_at")?,
        expires_at: moment("expires_at")?,
        ends_at: moment("ends_at")?,
        ip: row.text("ip")?,
        agent: row.opt_text("agent")?,
    })
}

fn amr(row: &Row) -> Result<Vec<String>, db::Error> {
    let words = row.text("amr")?;
    Ok(words.split_terminator(' ').map(str::to_owned).collect())
}

fn carried(row: &Row) -> Result<Carried, db::Error> {
    let carried = row.text("carried")?;
    Carried::named(&carried)
        .ok_or_else(|| db::Error::Broken(format!("a session is carried as {carried}")))
}

/// The live session that a family's secret belongs to, and whose it is; `None` when it has ended, expired, never was or
/// is carried otherwise, or when the account is shut.
pub async fn of_family(
    db: &Db,
    renewal: &Renewal,
    carried: Carried,
    now: Timestamp,
) -> Result<Option<(Session, User)>, Error> {
    let live = sql(concat!(
        "SELECT ",
        user_columns!(),
        ", ",
        session_columns!(),
        " FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.secret_hash = $1 AND s.carried = $2 AND u.disabled_at IS NULL AND ",
        live!("$3")
    ))
    .bind(renewal.family())
    .bind(carried.as_str())
    .bind(now);
    let read = |row: &Row| Ok((session(row)?, users::store::user(row)?));
    Ok(db.one(live, read).await?)
}

/// The live sessions of a user, the one that was used last first: `limit` of them.
pub async fn of_user(
    db: &Db,
    user: &UserId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Session>, Error> {
    let live = sql(concat!(
        "SELECT ",
        session_columns!(),
        " FROM sessions s WHERE s.user_id = $1 AND ",
        live!("$2"),
        " \
         ORDER BY s.last_seen_at DESC, s.id DESC LIMIT $3"
    ))
    .bind(user)
    .bind(now)
    .bind(i64::from(limit));
    Ok(db.all(live, session).await?)
}

/// Brings a live session from its generation to `next`, as used at its `last_seen_at`; touches no row when it is over or
/// was brought on meanwhile.
pub fn renew(session: &Session, next: &Renewal) -> Sql {
    sql(concat!(
        "UPDATE sessions SET generation = $3, last_seen_at = $4, expires_at = $5 \
         WHERE id = $1 AND generation = $2 AND ",
        live!("$4")
    ))
    .bind(&session.id)
    .bind(session.generation)
    .bind(next.generation)
    .bind(session.last_seen_at)
    .bind(session.expires_at)
}

/// Touches the row of a live session of a user, and holds it until the unit ends.
pub fn hold(id: &SessionId, user: &UserId, now: Timestamp) -> Sql {
    sql(concat!(
        "UPDATE sessions SET last_seen_at = last_seen_at WHERE id = $1 AND user_id = $2 AND ",
        live!("$3")
    ))
    .bind(id)
    .bind(user)
    .bind(now)
}

/// Notes that the holder of a session has shown a second factor (RFC 8176) beside what it began by; touches no row when it
/// began by several factors already, or by none at all.
pub fn add_factor(id: &SessionId, shown: &str) -> Sql {
    sql("UPDATE sessions SET amr = amr || ' ' || $2 || ' mfa' \
         WHERE id = $1 AND amr <> '' AND ' ' || amr || ' ' NOT LIKE '% mfa %'")
    .bind(id)
    .bind(shown)
}

/// Notes that a live session was used at its `last_seen_at`, if nobody did since it was used at `before`.
pub fn see(session: &Session, before: Timestamp) -> Sql {
    sql(concat!(
        "UPDATE sessions SET last_seen_at = $2, expires_at = $3 WHERE id = $1 AND last_seen_at = $4 AND ",
        live!("$2")
    ))
    .bind(&session.id)
    .bind(session.last_seen_at)
    .bind(session.expires_at)
    .bind(before)
}

/// Whose a live session is.
pub struct Owner {
    /// Who they are, as of now.
    pub user: Arc<Shown>,
    /// When they proved it.
    pub auth_time: Timestamp,
    /// How (RFC 8176).
    pub amr: Arc<[String]>,
    /// How the session is carried.
    pub carried: Carried,
    /// When the session ends, if nobody ends it before.
    pub expires_at: Timestamp,
}

/// Whose live session this is; `None` when it has ended, expired or never was, or when the account is shut.
pub async fn owner(
    db: &Db,
    id: &SessionId,
    user: &UserId,
    now: Timestamp,
) -> Result<Option<Owner>, Error> {
    let live = sql(concat!(
        "SELECT ",
        user_columns!(),
        ", s.auth_time, s.amr, s.carried, s.expires_at FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.id = $1 AND s.user_id = $2 AND u.disabled_at IS NULL AND ",
        live!("$3")
    ))
    .bind(id)
    .bind(user)
    .bind(now);
    let read = |row: &Row| {
        Ok(Owner {
            user: Arc::new(users::store::user(row)?.into()),
            auth_time: row.int("auth_time").map(Timestamp::from_micros)?,
            amr: amr(row)?.into(),
            carried: carried(row)?,
            expires_at: row.int("expires_at").map(Timestamp::from_micros)?,
        })
    };
    Ok(db.one(live, read).await?)
}

/// Forgets up to `limit` sessions that expired before `moment`.
pub fn delete_expired(moment: Timestamp, limit: u32) -> Sql {
    // Asked twice: on PostgreSQL a session of the list may have been renewed by the time that it is its turn.
    sql("DELETE FROM sessions WHERE expires_at < $1 AND id IN \
         (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)")
    .bind(moment)
    .bind(i64::from(limit))
}

/// How many sessions live. One that was ended has expired then, so that an index tells without the rows.
pub async fn count_live(db: &Db, now: Timestamp) -> Result<i64, Error> {
    let live = sql("SELECT CAST(count(*) AS BIGINT) AS live FROM sessions \
         WHERE expires_at > $1 AND epoch = (SELECT epoch FROM revocation_count)");
    let live = db.all(live.bind(now), |row| row.int("live")).await?;
    Ok(live.first().copied().unwrap_or(0))
}
