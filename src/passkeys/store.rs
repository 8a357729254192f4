//! The rows of passkeys, and of registrations and proofs that were begun.

use db::{Db, Row, Sql, sql};

use super::Passkey;
use super::ceremony::Ceremony;
use super::proof::Known;
use super::relying_party::{Made, Named};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::{PasskeyId, UserId};
use crate::secret::Secret;

/// What a `Passkey` is read from.
macro_rules! passkey_columns {
    () => {
        "id, credential_id, name, transports, backed_up, created_at, last_used_at"
    };
}

fn passkey(row: &Row) -> Result<Passkey, db::Error> {
    Ok(Passkey {
        id: PasskeyId::from_stored(row.text("id")?),
        named: Named {
            credential_id: row.bytes("credential_id")?,
            transports: row.text("transports")?,
        },
        name: row.text("name")?,
        backed_up: row.bool("backed_up")?,
        created_at: Timestamp::from_micros(row.int("created_at")?),
        last_used_at: row.opt_int("last_used_at")?.map(Timestamp::from_micros),
    })
}

/// The passkeys of an account, oldest first.
pub(super) async fn of_user(db: &Db, user: &UserId) -> Result<Vec<Passkey>, Error> {
    let query = sql(concat!(
        "SELECT ",
        passkey_columns!(),
        " FROM passkeys WHERE user_id = $1 ORDER BY created_at, id"
    ));
    Ok(db.all(query.bind(user), passkey).await?)
}

/// The passkey with this credential id, whosever it is, and all that a proof of it is verified with.
pub(super) async fn known(db: &Db, credential_id: &[u8]) -> Result<Option<Known>, Error> {
    let query = sql(
        "SELECT p.id AS id, p.user_id AS user_id, p.credential AS credential, p.sign_count AS sign_count, \
         p.backup_eligible AS backup_eligible, u.disabled_at AS disabled_at \
         FROM passkeys p JOIN users u ON u.id = p.user_id WHERE p.credential_id = $1",
    )
    .bind(credential_id);
    let known = db.one(query, |row| {
        Ok(Known {
            id: PasskeyId::from_stored(row.text("id")?),
            user: UserId::from_stored(row.text("user_id")?),
            is_open: row.opt_int("disabled_at")?.is_none(),
            credential: row.text("credential")?,
            sign_count: row.int("sign_count")?,
            backup_eligible: row.bool("backup_eligible")?,
        })
    });
    Ok(known.await?)
}

/// Touches the row of an account that has room for one more of `most`, and no other. A statement of its own: on PostgreSQL one
/// that waits for the row asks the rest as it was before.
pub(super) fn ask_room(user: &UserId, most: u32) -> Sql {
    sql("UPDATE users SET updated_at = updated_at WHERE id = $1 \
         AND (SELECT count(*) FROM passkeys WHERE user_id = $1) < $2")
    .bind(user)
    .bind(i64::from(most))
}

/// Touches the row of an account that has another way in than what was just taken from it, and no other.
pub fn ask_way_in(user: &UserId) -> Sql {
    sql("UPDATE users SET updated_at = updated_at WHERE id = $1 \
         AND (EXISTS (SELECT 1 FROM passwords WHERE user_id = $1) OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = $1))")
    .bind(user)
}

/// Adds a passkey; touches no row when its credential id is anybody's already.
pub(super) fn insert(
    id: &PasskeyId,
    user: &UserId,
    made: &Made,
    name: &str,
    now: Timestamp,
) -> Sql {
    sql("INSERT INTO passkeys (id, user_id, credential_id, credential, name, transports, sign_count, backup_eligible, \
         backed_up, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (credential_id) DO NOTHING")
    .bind(id)
    .bind(user)
    .bind(&made.named.credential_id)
    .bind(made.credential.as_str())
    .bind(name)
    .bind(made.named.transports.as_str())
    .bind(made.sign_count)
    .bind(made.backup_eligible)
    .bind(made.backed_up)
    .bind(now)
}

/// Notes that a passkey was used; touches no row when it is gone, or has counted another signature since it was read. One that
/// does not count may be used on two devices at once.
pub(super) fn note_use(known: &Known, sign_count: i64, backed_up: bool, now: Timestamp) -> Sql {
    sql("UPDATE passkeys SET sign_count = $3, backed_up = $4, last_used_at = $5 WHERE id = $1 AND sign_count = $2")
        .bind(&known.id)
        .bind(known.sign_count)
        .bind(sign_count)
        .bind(backed_up)
        .bind(now)
}

/// Gives a passkey of an account another name.
pub(super) fn rename(user: &UserId, id: &PasskeyId, name: &str) -> Sql {
    sql("UPDATE passkeys SET name = $3 WHERE id = $1 AND user_id = $2")
        .bind(id)
        .bind(user)
        .bind(name)
}

/// Forgets a passkey of an account.
pub(super) fn delete(user: &UserId, id: &PasskeyId) -> Sql {
    sql("DELETE FROM passkeys WHERE id = $1 AND user_id = $2")
        .bind(id)
        .bind(user)
}

/// Forgets all passkeys of an account.
pub fn delete_all(user: &UserId) -> Sql {
    sql("DELETE FROM passkeys WHERE user_id = $1").bind(user)
}

/// Begins what whoever says `id` may end until `expires_at`.
pub(super) fn begin(
    id: &Secret<String>,
    ceremony: Ceremony<'_>,
    state: &str,
    expires_at: Timestamp,
) -> Sql {
    sql(
        "INSERT INTO ceremonies (id, kind, user_id, state, expires_at, epoch) \
         VALUES ($1, $2, $3, $4, $5, (SELECT epoch FROM revocation_count))",
    )
    .bind(ceremony.key(id))
    .bind(ceremony.kind())
    .bind(ceremony.user().map(UserId::as_str))
    .bind(state)
    .bind(expires_at)
}

/// What is true of the row of a ceremony that was begun as just that and may be ended now.
macro_rules! open_ceremony {
    () => {
        "id = $1 AND kind = $2 AND user_id IS NOT DISTINCT FROM $3 AND expires_at > $4 \
         AND epoch = (SELECT epoch FROM revocation_count)"
    };
}

/// Whether there is one to end. Whoever makes up ids is told so without a write.
pub(super) async fn is_open(
    db: &Db,
    id: &Secret<String>,
    ceremony: Ceremony<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    let query = sql(concat!(
        "SELECT kind FROM ceremonies WHERE ",
        open_ceremony!()
    ));
    let query = bound(query, id, ceremony, now);
    Ok(db.one(query, |row| row.text("kind")).await?.is_some())
}

/// Ends one, and gives its state: once.
pub(super) fn end(id: &Secret<String>, ceremony: Ceremony<'_>, now: Timestamp) -> Sql {
    let end = sql(concat!(
        "DELETE FROM ceremonies WHERE ",
        open_ceremony!(),
        " RETURNING state"
    ));
    bound(end, id, ceremony, now)
}

fn bound(query: Sql, id: &Secret<String>, ceremony: Ceremony<'_>, now: Timestamp) -> Sql {
    query
        .bind(ceremony.key(id))
        .bind(ceremony.kind())
        .bind(ceremony.user().map(UserId::as_str))
        .bind(now)
}

/// Ends all that were begun by or for an account.
pub fn end_all(user: &UserId) -> Sql {
    sql("DELETE FROM ceremonies WHERE user_id = $1").bind(user)
}

/// Removes up to `limit` that nobody ended in time.
pub fn delete_over(moment: Timestamp, limit: u32) -> Sql {
    sql("DELETE FROM ceremonies WHERE id IN \
         (SELECT id FROM ceremonies WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)")
    .bind(moment)
    .bind(i64::from(limit))
}
