//! The rows of sessions.

use db::{Db, Sql, sql};

use super::Session;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::{SessionId, UserId};
use crate::users::store::user_columns;
use crate::users::{self, User};

/// Begins a session, if its account is still open and its password still the one that was verified: a sign-in that
/// crosses a change of password, a disabling or a deletion touches no row.
pub fn insert(session: &Session, verified_hash: &str) -> Sql {
    sql(
        "INSERT INTO sessions (id, user_id, auth_time, amr, created_at, last_seen_at, expires_at, ends_at, ip, agent) \
         SELECT $1, u.id, $3, $4, $3, $3, $5, $5, $6, $7 FROM users u JOIN passwords p ON p.user_id = u.id \
         WHERE u.id = $2 AND u.disabled_at IS NULL AND p.hash = $8",
    )
    .bind(&session.id)
    .bind(&session.user)
    .bind(session.auth_time)
    .bind(session.amr.join(" "))
    .bind(session.expires_at)
    .bind(session.ip.as_str())
    .bind(session.agent.as_deref())
    .bind(verified_hash)
}

/// Whose live session this is; `None` when it has ended, expired or never was, or when the account is shut.
pub async fn owner(
    db: &Db,
    id: &SessionId,
    user: &UserId,
    now: Timestamp,
) -> Result<Option<User>, Error> {
    let live = sql(concat!("SELECT ", user_columns!(), " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND s.user_id = $2 AND s.ended_at IS NULL AND s.expires_at > $3 AND u.disabled_at IS NULL"))
    .bind(id)
    .bind(user)
    .bind(now);
    Ok(db.one(live, users::store::user).await?)
}

/// Forgets up to `limit` sessions that expired before `moment`.
pub fn delete_expired(moment: Timestamp, limit: u32) -> Sql {
    sql("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)")
        .bind(moment)
        .bind(i64::from(limit))
}

/// How many sessions live.
pub async fn count_live(db: &Db, now: Timestamp) -> Result<i64, Error> {
    let live = sql(
        "SELECT CAST(count(*) AS BIGINT) AS live FROM sessions WHERE expires_at > $1 AND ended_at IS NULL",
    );
    Ok(db
        .one(live.bind(now), |row| row.int("live"))
        .await?
        .unwrap_or(0))
}
