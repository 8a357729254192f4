//! The rows of revocations, and the count of the writes that made them.

use db::{Db, Row, Sql, Unit, sql};

use super::feed::Revoked;
use super::mark::StoreId;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::{SessionId, UserId};
use crate::tokens::keys::{LONGEST_LIFETIME, SKEW};

/// The name of the fact that tells one database from another.
const STORE_ID: &str = "store_id";

/// Which sessions of a user.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// This one.
    One {
        /// Whose it must be.
        user: &'a UserId,
        /// Its id.
        session: &'a SessionId,
    },
    /// Every one except this.
    Others {
        /// Whose they are.
        user: &'a UserId,
        /// The one that lives on.
        but: &'a SessionId,
    },
    /// Every one.
    All(&'a UserId),
}

/// Ends those that live, and keeps the word until their last token has expired, whatever lifetime of tokens the nodes are
/// configured with. The first of the two statements touches as many rows as sessions end, and must touch the one that is
/// to end. A unit that may end several sessions of a user holds the row of the user first. To be written by
/// [`super::Revocations::write`] alone.
pub fn end(which: Which<'_>, now: Timestamp) -> Unit {
    // The id `named` is the one to end, or the one to spare; no session has the empty one.
    let (user, named, ends_named) = match which {
        Which::One { user, session } => (user, session.as_str(), true),
        Which::Others { user, but } => (user, but.as_str(), false),
        Which::All(user) => (user, "", false),
    };
    let sessions = sql(
        "UPDATE sessions SET ended_at = $1, expires_at = CASE WHEN expires_at < $1 THEN expires_at ELSE $1 END \
         WHERE user_id = $2 AND (id = $3) = $4 AND ended_at IS NULL AND expires_at > $1",
    )
    .bind(now)
    .bind(user)
    .bind(named)
    .bind(ends_named);
    let revocations = sql(
        "INSERT INTO revocations (session_id, until) \
         SELECT id, $5 + CASE WHEN ends_at < $6 THEN ends_at ELSE $6 END FROM sessions \
         WHERE user_id = $2 AND (id = $3) = $4 AND ended_at = $1 ON CONFLICT (session_id) DO NOTHING",
    )
    .bind(now)
    .bind(user)
    .bind(named)
    .bind(ends_named)
    .bind(Timestamp::from_micros(0).plus(SKEW))
    .bind(now.plus(LONGEST_LIFETIME));
    let ended = match which {
        Which::One { .. } => Unit::new().expect(1, sessions),
        Which::Others { .. } | Which::All(_) => Unit::new().run(sessions),
    };
    ended.run(revocations)
}

/// Counts a write that revokes, and holds the count until the unit ends: numbers are in the order of commits. Answers
/// `writes`.
pub(super) fn count() -> Sql {
    sql("UPDATE revocation_count SET writes = writes + 1 RETURNING writes")
}

/// Gives the revocations of a unit that was counted the number of that write, and answers them.
pub(super) fn number() -> Sql {
    sql(
        "UPDATE revocations SET number = (SELECT writes FROM revocation_count) WHERE number = 0 \
         RETURNING session_id, number, until",
    )
}

/// Reads a row of [`number`].
pub(super) fn revoked(row: &Row) -> Result<Revoked, db::Error> {
    Ok(Revoked {
        session: SessionId::from_stored(row.text("session_id")?),
        number: row.int("number")?,
        until: Timestamp::from_micros(row.int("until")?),
    })
}

/// What the store knows of itself.
pub(super) struct Count {
    /// How many writes have revoked anything.
    pub(super) writes: i64,
    /// When it was last found to have forgotten some of them.
    pub(super) restored_at: Option<Timestamp>,
}

/// How many writes there were.
pub(super) async fn counted(db: &Db) -> Result<Count, db::Error> {
    let count = db
        .one(
            sql("SELECT writes, restored_at FROM revocation_count"),
            |row| {
                Ok(Count {
                    writes: row.int("writes")?,
                    restored_at: row.opt_int("restored_at")?.map(Timestamp::from_micros),
                })
            },
        )
        .await?;
    count.ok_or_else(no_count)
}

fn no_count() -> db::Error {
    db::Error::Broken("revocation_count has lost its row".to_owned())
}

/// What is held against the mark.
pub(super) struct Facts {
    /// Its name, once it has one.
    pub(super) store: Option<StoreId>,
    /// How many writes have revoked anything.
    pub(super) writes: i64,
    /// Whether there is any session, live or ended.
    pub(super) has_sessions: bool,
}

/// The facts of one moment.
pub(super) async fn facts(db: &Db) -> Result<Facts, db::Error> {
    let facts = sql(
        "SELECT writes, (SELECT value FROM settings WHERE name = $1) AS store, \
         EXISTS (SELECT 1 FROM sessions) AS has_sessions FROM revocation_count",
    )
    .bind(STORE_ID);
    let facts = db.one(facts, |row| {
        let store = row.opt_bytes("store")?;
        Ok(Facts {
            store: store.as_deref().and_then(StoreId::from_stored),
            writes: row.int("writes")?,
            has_sessions: row.bool("has_sessions")?,
        })
    });
    facts.await?.ok_or_else(no_count)
}

/// Names the database, if it has no name.
pub(super) fn name(store: StoreId) -> Sql {
    sql("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(STORE_ID)
        .bind(store.bytes())
}

/// Ends up to `limit` sessions for good, while fewer than `floor` writes are counted.
pub(super) fn forget_sessions(floor: i64, limit: u32) -> Sql {
    sql(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions LIMIT $2) \
         AND EXISTS (SELECT 1 FROM revocation_count WHERE writes < $1)",
    )
    .bind(floor)
    .bind(i64::from(limit))
}

/// Notes that all sessions were ended because some revocations were forgotten; touches no row when that was noted already.
pub(super) fn restored(floor: i64, now: Timestamp) -> Sql {
    sql("UPDATE revocation_count SET writes = $1, restored_at = $2 WHERE writes < $1")
        .bind(floor)
        .bind(now)
}

/// Up to `limit` revocations behind the session `after` of the write `number`, in the order of writes; of those only what
/// matters after `now`.
pub(super) async fn newer(
    db: &Db,
    number: i64,
    after: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Revoked>, db::Error> {
    let newer = sql("SELECT session_id, number, until FROM revocations \
         WHERE (number, session_id) > ($1, $2) AND until > $3 ORDER BY number, session_id LIMIT $4")
    .bind(number)
    .bind(after)
    .bind(now)
    .bind(i64::from(limit));
    db.all(newer, revoked).await
}

/// Whether this session of this user lives.
pub(super) async fn is_live(
    db: &Db,
    session: &SessionId,
    user: &UserId,
    now: Timestamp,
) -> Result<bool, Error> {
    let live = sql("SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND s.user_id = $2 \
         AND s.ended_at IS NULL AND s.expires_at > $3 AND u.disabled_at IS NULL")
    .bind(session)
    .bind(user)
    .bind(now);
    Ok(db.one(live, |row| row.text("id")).await?.is_some())
}

/// Forgets up to `limit` revocations that nothing depends on since `moment`.
pub fn delete_over(moment: Timestamp, limit: u32) -> Sql {
    sql("DELETE FROM revocations WHERE session_id IN \
         (SELECT session_id FROM revocations WHERE until < $1 ORDER BY until LIMIT $2)")
    .bind(moment)
    .bind(i64::from(limit))
}
