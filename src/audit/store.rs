//! The rows of the audit trail.

use db::{Db, Sql, sql};

use super::{About, By, Event};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::{AuditId, SessionId, UserId};

/// The row that tells of `event`; it goes into the unit that makes the change.
pub fn row(event: Event, by: By<'_>, about: About<'_>) -> Sql {
    let (actor, asking) = match by {
        By::Caller(asking) => ("caller", Some(asking)),
        By::Operator(_) => ("operator", None),
        By::Service(_) => ("service", None),
    };
    sql(
        "INSERT INTO audit (id, at, event, actor, user_id, session_id, ip, agent, request_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&AuditId::new(by.now()))
    .bind(by.now())
    .bind(event.as_str())
    .bind(actor)
    .bind(about.user.map(UserId::as_str))
    .bind(about.session.map(SessionId::as_str))
    .bind(asking.map(|asking| asking.client.address.to_string()))
    .bind(asking.and_then(|asking| asking.client.agent.clone()))
    .bind(asking.map(|asking| asking.request_id.clone()))
}

/// Removes up to so many rows that are older than `until`. Ids begin with the time, so the oldest are found by the key.
pub fn delete_older(until: Timestamp, most: u32) -> Sql {
    sql("DELETE FROM audit WHERE id IN \
         (SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT $2) AS oldest WHERE at <= $1)")
    .bind(until)
    .bind(i64::from(most))
}

/// When the newest row was written; `None` while there is none.
pub async fn newest(db: &Db) -> Result<Option<Timestamp>, Error> {
    // Ids begin with the time, so the last of them is found by the key.
    let newest = sql("SELECT at FROM audit ORDER BY id DESC LIMIT 1");
    Ok(db
        .one(newest, |row| row.int("at").map(Timestamp::from_micros))
        .await?)
}
