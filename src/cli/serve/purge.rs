//! What is over is removed a little at a time: each step is a write of its own, sized so that others who write hardly
//! wait for it, and behind it comes a pause at least as long.

use std::time::Duration;

use db::{Sql, Unit};
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::clock::Timestamp;
use crate::config::AuditConfig;
use crate::{
    attempts, audit, challenges, passkeys, proofs, revocations, sessions, trusted_devices,
};

/// How long a step should take at most. Half of what may be felt: what a step will cost is not known before.
const LONG: Duration = Duration::from_millis(25);
/// The shortest pause behind a step. However little a step holds up, what it wrote has yet to get from the journal to its
/// place, and that keeps the disk busy.
const PAUSE: Duration = Duration::from_millis(20);
/// How many rows a step takes at first and at least, and at most. A disk that is slow to read takes a millisecond for
/// each of the pages that a row is on.
const FEWEST: u32 = 20;
const MOST: u32 = 150;

/// Rows that expire: those of one table, and how many of them the next step takes.
pub(super) struct Expiring {
    table: &'static str,
    /// Notes that what was over at a moment is removed from now on.
    note: Option<fn(Timestamp) -> Sql>,
    /// Removes up to so many rows that were over at a moment.
    removal: fn(Timestamp, u32) -> Sql,
    /// For how long they are kept when they are over.
    kept: Duration,
    rows: u32,
}

/// Every kind of row that expires.
pub(super) fn all(trail: &AuditConfig) -> Vec<Expiring> {
    let mut all = vec![
        Expiring::new("sessions", sessions::store::delete_expired),
        Expiring {
            note: Some(revocations::store::note_purge),
            ..Expiring::new("revocations", revocations::store::delete_over)
        },
        Expiring::new("attempts", attempts::store::delete_forgotten),
        Expiring::new("challenges", challenges::store::delete_over),
        Expiring::new("trusted_devices", trusted_devices::store::delete_over),
        Expiring::new("spent_proofs", proofs::store::delete_over),
        Expiring::new("ceremonies", passkeys::store::delete_over),
    ];
    all.extend(trail.keep.map(|kept| Expiring {
        kept,
        ..Expiring::new("audit", audit::delete_older)
    }));
    all
}

impl Expiring {
    fn new(table: &'static str, removal: fn(Timestamp, u32) -> Sql) -> Self {
        Self {
            table,
            note: None,
            removal,
            kept: Duration::ZERO,
            rows: FEWEST,
        }
    }

    /// Removes what is over, a step after the other, until nothing is left of it or the service is about to stop.
    pub(super) async fn purge(&mut self, app: &App) {
        while !app.is_draining() {
            let began = Instant::now();
            let removed = match app.db.write(self.step(app.clock.now())).await {
                Ok(written) => written.touched(usize::from(self.note.is_some())),
                Err(error) => {
                    tracing::warn!(%error, table = self.table, "could not remove rows that are over; trying again later");
                    return;
                }
            };
            let took = began.elapsed();
            self.count(removed, took);
            if removed < u64::from(self.rows) {
                return;
            }
            self.rows = next(self.rows, took);
            sleep(took.max(PAUSE)).await;
        }
    }

    fn step(&self, now: Timestamp) -> Unit {
        let moment = now.minus(self.kept);
        let noted = self.note.map_or_else(Unit::new, |note| note(moment).into());
        noted.run((self.removal)(moment, self.rows))
    }

    fn count(&self, removed: u64, took: Duration) {
        tracing::debug!(
            table = self.table,
            removed,
            ms = took.as_secs_f64() * 1_000.0,
            "removed rows that are over"
        );
        metrics::counter!("doorward_purged_rows_total", "table" => self.table).increment(removed);
        metrics::histogram!("doorward_purge_step_duration_seconds", "table" => self.table)
            .record(took);
    }
}

/// How many rows the next step takes, when one of `rows` took so long: half as many after a long one, a few more after a
/// short one.
fn next(rows: u32, took: Duration) -> u32 {
    if took > LONG {
        (rows / 2).max(FEWEST)
    } else if took < LONG / 2 {
        (rows + rows / 8 + 1).min(MOST)
    } else {
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn a_long_step_is_halved_and_a_short_one_grows_a_little() {
        for (rows, took, then) in [
            (80, LONG + MILLISECOND, 40),
            (80, LONG, 80),
            (80, LONG / 2, 80),
            (80, LONG / 3, 91),
            (FEWEST, Duration::from_secs(5), FEWEST),
            (FEWEST + 1, Duration::from_secs(5), FEWEST),
            (MOST, Duration::ZERO, MOST),
            (MOST - 1, Duration::ZERO, MOST),
        ] {
            assert_eq!(next(rows, took), then, "{rows} rows in {took:?}");
        }
    }

    /// Whatever a row costs, steps come to last no longer than they should, and no shorter than a third of that unless
    /// they are as small or as large as they get.
    #[test]
    fn steps_settle_below_the_mark_whatever_a_row_costs() {
        for micros in [1, 10, 30, 100, 300, 1_000] {
            let cost = |rows: u32| rows * Duration::from_micros(micros);
            let settled = (0..200).fold(FEWEST, |rows, _| next(rows, cost(rows)));
            let lasts = cost(settled);
            assert!(
                lasts <= LONG,
                "{settled} rows at {micros} us take {lasts:?}"
            );
            assert!(
                lasts >= LONG / 3 || settled == MOST,
                "{settled} rows at {micros} us"
            );
        }
    }
}
