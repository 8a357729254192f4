//! The rows of trusted devices.

use std::time::Duration;

use db::{Db, Sql, sql};

use super::{Mark, TrustedDevice};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::Asking;
use crate::ids::{TrustedDeviceId, UserId};

/// Whether a device is trusted for an account.
pub async fn holds(db: &Db, mark: &Mark, user: &UserId, now: Timestamp) -> Result<bool, Error> {
    let query =
        sql("SELECT id FROM trusted_devices WHERE user_id = $1 AND device = $2 AND until > $3")
            .bind(user)
            .bind(mark.0.as_slice())
            .bind(now);
    Ok(db.one(query, |row| row.text("id")).await?.is_some())
}

/// Touches a row while the device is trusted, and none after: what a sign-in without a second factor goes by.
pub fn still(mark: &Mark, user: &UserId, now: Timestamp) -> Sql {
    sql("UPDATE trusted_devices SET until = until WHERE user_id = $1 AND device = $2 AND until > $3")
        .bind(user)
        .bind(mark.0.as_slice())
        .bind(now)
}

/// Trusts a device for `span`, from now on if it was trusted before.
pub fn insert(mark: &Mark, user: &UserId, span: Duration, asking: &Asking) -> Sql {
    let id = TrustedDeviceId::new(asking.now);
    sql("INSERT INTO trusted_devices (id, user_id, device, ip, agent, created_at, until) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (user_id, device) DO UPDATE SET \
         ip = excluded.ip, agent = excluded.agent, created_at = excluded.created_at, until = excluded.until")
    .bind(&id)
    .bind(user)
    .bind(mark.0.as_slice())
    .bind(asking.client.address.to_string())
    .bind(asking.client.agent.as_deref())
    .bind(asking.now)
    .bind(asking.now.plus(span))
}

/// Those of an account, the one that was trusted last first.
pub async fn of_user(
    db: &Db,
    user: &UserId,
    now: Timestamp,
    most: u32,
) -> Result<Vec<TrustedDevice>, Error> {
    let query = sql(
        "SELECT id, ip, agent, created_at, until FROM trusted_devices \
         WHERE user_id = $1 AND until > $2 ORDER BY created_at DESC, id DESC LIMIT $3",
    )
    .bind(user)
    .bind(now)
    .bind(i64::from(most));
    let devices = db.all(query, |row| {
        Ok(TrustedDevice {
            id: TrustedDeviceId::from_stored(row.text("id")?),
            ip: row.text("ip")?,
            user_agent: row.opt_text("agent")?,
            created_at: Timestamp::from_micros(row.int("created_at")?),
            expires_at: Timestamp::from_micros(row.int("until")?),
        })
    });
    Ok(devices.await?)
}

/// Trusts one of an account's no more; touches no row when it has no such.
pub fn delete_one(id: &TrustedDeviceId, user: &UserId) -> Sql {
    sql("DELETE FROM trusted_devices WHERE id = $1 AND user_id = $2")
        .bind(id)
        .bind(user)
}

/// Trusts none of an account's any more.
pub fn delete(user: &UserId) -> Sql {
    sql("DELETE FROM trusted_devices WHERE user_id = $1").bind(user)
}

/// Removes up to `most` that are trusted no more.
pub fn delete_over(now: Timestamp, most: u32) -> Sql {
    sql("DELETE FROM trusted_devices WHERE until <= $1 AND id IN \
         (SELECT id FROM trusted_devices WHERE until <= $1 ORDER BY until LIMIT $2)")
    .bind(now)
    .bind(i64::from(most))
}
