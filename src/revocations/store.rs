//! The rows of revocations, and the count of the writes that made them.

use db::{Db, Row, Sql, Unit, sql};

use super::feed::Revoked;
use super::mark::StoreId;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::{SessionId, UserId};
use crate::sessions::store::live;
use crate::tokens::keys::{LONGEST_LIFETIME, SKEW};

/// The name of the fact that tells one database from another.
const STORE_ID: &str = "store_id";

/// When the last token of a session may have expired, that ends now: a day, or when it would have ended anyway. A node of
/// an older version wrote no such end.
macro_rules! until {
    () => {
        "$5 + CASE WHEN ends_at > 0 AND ends_at < $4 THEN ends_at ELSE $4 END"
    };
}

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

/// Ends those that have not ended, and keeps the word until their last token has expired, whatever lifetime of tokens the
/// nodes are configured with. The first of the two statements touches as many rows as sessions end, and must touch the one
/// that is to end. A unit that may end several sessions of a user holds the row of the user first. To be written by
/// [`super::Revocations::write`] alone.
pub fn end(which: Which<'_>, now: Timestamp) -> Unit {
    let (user, but) = match which {
        Which::One { user, session } => return end_one(user, session, now),
        Which::Others { user, but } => (user, but.as_str()),
        // No session has the empty id.
        Which::All(user) => (user, ""),
    };
    let sessions = sql(
        "UPDATE sessions SET ended_at = $1, expires_at = CASE WHEN expires_at < $1 THEN expires_at ELSE $1 END \
         WHERE user_id = $2 AND id <> $3 AND ended_at IS NULL",
    );
    let revocations = sql(concat!(
        "INSERT INTO revocations (session_id, until) SELECT id, ",
        until!(),
        " FROM sessions WHERE user_id = $2 AND id <> $3 AND ended_at = $1 ON CONFLICT (session_id) DO NOTHING"
    ));
    Unit::new()
        .run(sessions.bind(now).bind(user).bind(but))
        .run(bind_until(revocations.bind(now).bind(user).bind(but), now))
}

/// The same for one, which is found by its key however many its user has.
fn end_one(user: &UserId, session: &SessionId, now: Timestamp) -> Unit {
    let sessions = sql(
        "UPDATE sessions SET ended_at = $1, expires_at = CASE WHEN expires_at < $1 THEN expires_at ELSE $1 END \
         WHERE id = $3 AND user_id = $2 AND ended_at IS NULL",
    );
    let revocations = sql(concat!(
        "INSERT INTO revocations (session_id, until) SELECT id, ",
        until!(),
        " FROM sessions WHERE id = $3 AND user_id = $2 AND ended_at = $1 ON CONFLICT (session_id) DO NOTHING"
    ));
    Unit::new()
        .expect(1, sessions.bind(now).bind(user).bind(session))
        .run(bind_until(
            revocations.bind(now).bind(user).bind(session),
            now,
        ))
}

fn bind_until(revocations: Sql, now: Timestamp) -> Sql {
    revocations
        .bind(now.plus(LONGEST_LIFETIME))
        .bind(Timestamp::from_micros(0).plus(SKEW))
}

/// Counts a write that revokes, and holds the count until the unit ends: numbers are in the order of commits. Answers
/// `writes`; touches no row of a database that has counted less than was `acknowledged`, lest it catch up unnoticed.
pub(super) fn count(acknowledged: i64) -> Sql {
    sql("UPDATE revocation_count SET writes = writes + 1 WHERE writes >= $1 RETURNING writes")
        .bind(acknowledged)
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
    /// Up to when those were forgotten that nothing depends on any more.
    pub(super) purged_until: Timestamp,
}

/// How many writes there were.
pub(super) async fn counted(db: &Db) -> Result<Count, db::Error> {
    let count = db
        .one(
            sql("SELECT writes, restored_at, purged_until FROM revocation_count"),
            |row| {
                Ok(Count {
                    writes: row.int("writes")?,
                    restored_at: row.opt_int("restored_at")?.map(Timestamp::from_micros),
                    purged_until: Timestamp::from_micros(row.int("purged_until")?),
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
    /// Which epoch of sessions it is.
    pub(super) epoch: i64,
    /// Whether there is any session, live or ended.
    pub(super) has_sessions: bool,
}

/// The facts of one moment.
pub(super) async fn facts(db: &Db) -> Result<Facts, db::Error> {
    let facts = sql(
        "SELECT writes, epoch, (SELECT value FROM settings WHERE name = $1) AS store, \
         EXISTS (SELECT 1 FROM sessions) AS has_sessions FROM revocation_count",
    )
    .bind(STORE_ID);
    let facts = db.one(facts, |row| {
        let store = row.opt_bytes("store")?;
        Ok(Facts {
            store: store.as_deref().and_then(StoreId::from_stored),
            writes: row.int("writes")?,
            epoch: row.int("epoch")?,
            has_sessions: row.bool("has_sessions")?,
        })
    });
    facts.await?.ok_or_else(no_count)
}

/// How many sessions live.
pub(super) async fn live_sessions(db: &Db, now: Timestamp) -> Result<i64, db::Error> {
    let live = sql(concat!(
        "SELECT CAST(count(*) AS BIGINT) AS live FROM sessions WHERE ",
        live!("$1")
    ));
    let live = db.all(live.bind(now), |row| row.int("live")).await?;
    Ok(live.first().copied().unwrap_or(0))
}

/// Names the database, if it has no name.
pub(super) fn name(store: StoreId) -> Sql {
    sql("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(STORE_ID)
        .bind(store.bytes())
}

/// Begins a new epoch, because some revocations were forgotten: every session of the old one is over. Touches no row when
/// the epoch `found` is over already.
pub(super) fn begin_epoch(found: i64, floor: i64, now: Timestamp) -> Sql {
    sql(
        "UPDATE revocation_count SET epoch = epoch + 1, restored_at = $3, \
         writes = CASE WHEN writes < $2 THEN $2 ELSE writes END WHERE epoch = $1",
    )
    .bind(found)
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
    let live = sql(concat!(
        "SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.id = $1 AND s.user_id = $2 AND u.disabled_at IS NULL AND ",
        live!("$3")
    ))
    .bind(session)
    .bind(user)
    .bind(now);
    Ok(db.one(live, |row| row.text("id")).await?.is_some())
}

/// Notes that revocations are forgotten which nothing depends on since `moment`: should a clock be set back to before it,
/// the feed is not enough.
pub fn note_purge(moment: Timestamp) -> Sql {
    sql(
        "UPDATE revocation_count SET purged_until = $1 WHERE purged_until < $1 \
         AND EXISTS (SELECT 1 FROM revocations WHERE until < $1)",
    )
    .bind(moment)
}

/// Forgets up to `limit` revocations that nothing depends on since `moment`.
pub fn delete_over(moment: Timestamp, limit: u32) -> Sql {
    sql("DELETE FROM revocations WHERE session_id IN \
         (SELECT session_id FROM revocations WHERE until < $1 ORDER BY until LIMIT $2)")
    .bind(moment)
    .bind(i64::from(limit))
}
