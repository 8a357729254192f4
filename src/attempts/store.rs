//! The rows of lanes. A row is charged by comparing it with what was read and swapping it for the next: whoever comes
//! between has changed it, and then nothing happens.

use db::{Db, Sql, Unit, sql};

use super::{Lane, Tally};
use crate::clock::Timestamp;
use crate::error::Error;

/// What is known of a lane; `None` when nobody has failed in it.
pub async fn tally(db: &Db, lane: &Lane) -> Result<Option<Tally>, Error> {
    let query = sql("SELECT failures, failed_at FROM attempts WHERE lane = $1").bind(lane.bytes());
    let tally = db.one(query, |row| {
        let failures = row.int("failures")?;
        Ok(Tally {
            failures: u32::try_from(failures).unwrap_or(u32::MAX),
            failed_at: Timestamp::from_micros(row.int("failed_at")?),
        })
    });
    Ok(tally.await?)
}

/// Puts `next` in the place of what was read; touches no row when it is not that any more.
pub fn swap(lane: &Lane, was: Option<&Tally>, next: &Tally) -> Sql {
    let forgotten_at = next.forgotten_at();
    match was {
        None => sql("INSERT INTO attempts (lane, failures, failed_at, forgotten_at) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (lane) DO NOTHING")
            .bind(lane.bytes())
            .bind(i64::from(next.failures))
            .bind(next.failed_at)
            .bind(forgotten_at),
        Some(was) => sql("UPDATE attempts SET failures = $2, failed_at = $3, forgotten_at = $4 \
                          WHERE lane = $1 AND failures = $5 AND failed_at = $6")
            .bind(lane.bytes())
            .bind(i64::from(next.failures))
            .bind(next.failed_at)
            .bind(forgotten_at)
            .bind(i64::from(was.failures))
            .bind(was.failed_at),
    }
}

/// Takes one failure back that was none. The time of the one before comes back with it, unless another was counted since.
pub fn give_back(lane: &Lane, charged: &Tally, was: Option<&Tally>) -> Unit {
    let failed_at = was.map_or(charged.failed_at, |was| was.failed_at);
    let back = sql("UPDATE attempts SET failures = failures - 1, \
         failed_at = CASE WHEN failures = $2 AND failed_at = $3 THEN $4 ELSE failed_at END \
         WHERE lane = $1 AND failures > 0")
    .bind(lane.bytes())
    .bind(i64::from(charged.failures))
    .bind(charged.failed_at)
    .bind(failed_at);
    let empty = sql("DELETE FROM attempts WHERE lane = $1 AND failures = 0").bind(lane.bytes());
    Unit::new().run(back).run(empty)
}

/// Forgets the failures of a lane: the secret was right, or is another now.
pub fn clear(lane: &Lane) -> Sql {
    sql("DELETE FROM attempts WHERE lane = $1").bind(lane.bytes())
}

/// Removes up to `most` lanes that have rested long enough.
pub fn delete_forgotten(now: Timestamp, most: u32) -> Sql {
    // Asked twice: on PostgreSQL a row of the list may have been charged by the time that it is its turn.
    sql("DELETE FROM attempts WHERE forgotten_at <= $1 AND lane IN \
         (SELECT lane FROM attempts WHERE forgotten_at <= $1 ORDER BY forgotten_at LIMIT $2)")
    .bind(now)
    .bind(i64::from(most))
}
