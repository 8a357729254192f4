//! Which edition of a server's database is the present one: asked once for all who wait to know it.
//!
//! A snapshot is which transactions have ended (`pg_current_snapshot`). While it is the same none has, whoever's, and each question
//! is answered as before. That is so for as long as the server goes on: one that recovers from a crash, and one that takes
//! another's place, may have lost the last transactions and count them anew. When a server began is therefore a part of its
//! editions, and how many connections had been made by then, since none outlives a crash.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use tokio::{
    sync::{OwnedMutexGuard, RwLock, oneshot},
    time::{Instant, timeout},
};
use tokio_postgres::Client;

use super::{ANSWER, SILENT, convert::describe, home, lanes::Lanes};
use crate::{Edition, database::Told, sql};

const EDITION: &str =
    "SELECT pg_current_snapshot()::text || ' ' || pg_postmaster_start_time()::text AS edition";
/// Who waits for longer is better off with the question that this one would spare.
const PATIENCE: Duration = Duration::from_millis(50);
/// How often it is asked, when a connection was made meanwhile.
const LOOKS: usize = 2;

/// What is made of PostgreSQL and keeps rows elsewhere than where it counts its own transactions does not see all that end.
const KEEPS_ITS_ROWS: &str = "SELECT version() ~ '^PostgreSQL [0-9]' AND version() !~ '-YB-|Greenplum' \
     AND NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')";
/// A change that leaves all as it is, and which transaction it is.
const CHANGE: &str = "BEGIN READ WRITE; UPDATE schema_migrations SET version = version \
     WHERE version = (SELECT max(version) FROM schema_migrations)";
const CHANGED_BY: &str = "SELECT pg_current_xact_id_if_assigned()::text";
const IS_SEEN: &str = "SELECT pg_visible_in_snapshot($1::text::xid8, pg_current_snapshot())";

/// Of so many who were told one, half have to know it already: otherwise so much is written meanwhile that nobody is better off by
/// asking. Twice as many as can be known are asked for before that.
const TRIED: u32 = 16_384;
const SHORTEST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Tells the editions of one database.
pub(super) struct Editions {
    lanes: Arc<Lanes>,
    is_closed: Arc<RwLock<bool>>,
    /// One for each home.
    waiting: Vec<Mutex<Waiting>>,
    /// Whether each change makes another, once that was tried.
    can_tell: OnceLock<bool>,
    /// Held by who tries it.
    trial: Arc<tokio::sync::Mutex<Rest>>,
}

type Callers = Vec<oneshot::Sender<Option<Edition>>>;

/// Those of one home who wait.
#[derive(Default)]
struct Waiting {
    /// For the next answer: one that was asked for before they came may be older than what they must see.
    callers: Callers,
    is_asked: bool,
    worth: Worth,
}

/// What it is worth to ask.
#[derive(Default)]
struct Worth {
    /// How many were told one, and how many of them knew it.
    told: u32,
    known: u32,
    rest: Rest,
}

/// A while in which nothing is asked, longer each time.
#[derive(Default)]
struct Rest {
    length: Duration,
    until: Option<Instant>,
}

impl Editions {
    pub(super) fn new(lanes: Arc<Lanes>, is_closed: Arc<RwLock<bool>>) -> Arc<Self> {
        Arc::new(Self {
            lanes,
            is_closed,
            waiting: (0..home::number()).map(|_| Mutex::default()).collect(),
            can_tell: OnceLock::new(),
            trial: Arc::default(),
        })
    }

    /// The present one, asked for after this was called; `None` when it cannot be told soon, or when most of those who ask find
    /// that what they had `known` is over.
    pub(super) async fn present(self: &Arc<Self>, known: Option<&Edition>) -> Option<Edition> {
        if !self.can_tell() {
            return None;
        }
        let home = home::index(self.waiting.len());
        let told = timeout(PATIENCE, self.wait(home)?).await;
        let told = told.ok().and_then(Result::ok).flatten();
        let was_known = told.as_ref().map(|told| known == Some(told));
        lock(&self.waiting[home])
            .worth
            .note(was_known, Instant::now());
        told
    }

    /// Whether each change makes another. Nobody waits until that is known.
    fn can_tell(self: &Arc<Self>) -> bool {
        if let Some(can_tell) = self.can_tell.get() {
            return *can_tell;
        }
        if let Ok(rest) = Arc::clone(&self.trial).try_lock_owned()
            && !rest.lasts(Instant::now())
        {
            tokio::spawn(Arc::clone(self).try_it(rest));
        }
        false
    }

    /// Joins those of a home who wait; the first of them has somebody ask.
    fn wait(self: &Arc<Self>, home: usize) -> Option<oneshot::Receiver<Option<Edition>>> {
        let mut waiting = lock(&self.waiting[home]);
        if waiting.worth.rest.lasts(Instant::now()) {
            return None;
        }
        let (caller, told) = oneshot::channel();
        waiting.callers.push(caller);
        let is_asked = mem::replace(&mut waiting.is_asked, true);
        // A runtime that ends drops at once what it is given, and that takes the same lock.
        drop(waiting);
        if !is_asked {
            let asking = Asking {
                editions: Some(Arc::clone(self)),
                home,
            };
            tokio::spawn(asking.for_all());
        }
        Some(told)
    }

    /// Whatever is in the way, the question that this one would spare meets it, too, or need not.
    async fn ask(&self) -> Option<Edition> {
        let is_closed = self.is_closed.read().await;
        if *is_closed {
            return None;
        }
        for _ in 0..LOOKS {
            // The answer came by one of so many, if there are no more by then.
            let connections = self.lanes.made();
            let row = self.lanes.ask(&sql(EDITION)).await.ok()?.pop()?;
            if connections == self.lanes.made() {
                let mut told = [0; SHA256_OUTPUT_LEN];
                told.copy_from_slice(
                    digest(&SHA256, row.text("edition").ok()?.as_bytes()).as_ref(),
                );
                return Some(Edition(Told::Server { connections, told }));
            }
        }
        None
    }

    /// Finds out whether a change makes another edition here, by one of a single row. Where that fails it is tried again.
    async fn try_it(self: Arc<Self>, mut rest: OwnedMutexGuard<Rest>) {
        let is_closed = self.is_closed.read().await;
        if *is_closed {
            return;
        }
        match self.tried().await {
            Ok(sees) => {
                if !sees {
                    tracing::info!(
                        "this database does not tell whether anything was written: it is asked about each token"
                    );
                }
                let _ = self.can_tell.set(sees);
            }
            Err(error) => {
                if rest.is_the_first() {
                    tracing::info!(
                        error,
                        "whether this database tells that something was written could not be tried: it is asked about each token \
                         until it can be"
                    );
                }
                rest.begin(Instant::now());
            }
        }
    }

    /// What that comes to, or why it cannot be tried.
    async fn tried(&self) -> Result<bool, String> {
        let connection = self.lanes.connect().await?;
        match timeout(ANSWER, sees_a_change(&connection)).await {
            Ok(sees) => sees.map_err(|e| describe(&e)),
            Err(_) => Err(SILENT.to_owned()),
        }
    }
}

/// Whether a row is changed by a transaction that the snapshots of this server know.
async fn sees_a_change(connection: &Client) -> Result<bool, tokio_postgres::Error> {
    let keeps = connection.query_one(KEEPS_ITS_ROWS, &[]).await?;
    if !keeps.try_get::<_, bool>(0)? {
        return Ok(false);
    }
    connection.batch_execute(CHANGE).await?;
    let by = connection.query_one(CHANGED_BY, &[]).await?;
    connection.batch_execute("COMMIT").await?;
    let Some(by) = by.try_get::<_, Option<String>>(0)? else {
        return Ok(false);
    };
    let seen = connection.query_one(IS_SEEN, &[&by]).await?;
    seen.try_get(0)
}

/// Nothing can panic while one of these is held, so a poisoned one guards a whole state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Worth {
    /// Notes that one was told, and whether it was known, or that none could be.
    fn note(&mut self, was_known: Option<bool>, now: Instant) {
        if self.rest.lasts(now) {
            return;
        }
        let Some(was_known) = was_known else {
            return self.rest.begin(now);
        };
        self.told += 1;
        self.known += u32::from(was_known);
        if self.told < TRIED {
            return;
        }
        if self.known < TRIED / 2 {
            self.rest.begin(now);
        } else {
            self.rest = Rest::default();
        }
        self.told = 0;
        self.known = 0;
    }
}

impl Rest {
    fn lasts(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    fn is_the_first(&self) -> bool {
        self.until.is_none()
    }

    fn begin(&mut self, now: Instant) {
        self.length = (2 * self.length).clamp(SHORTEST_REST, LONGEST_REST);
        self.until = Some(now + self.length);
    }
}

/// Asks for those of a home who wait, for as long as there are any. When it ends before, with its runtime, they are told nothing.
struct Asking {
    editions: Option<Arc<Editions>>,
    home: usize,
}

impl Asking {
    async fn for_all(mut self) {
        while let Some((editions, callers)) = self.next() {
            let told = editions.ask().await;
            for caller in callers {
                // Who has gone meanwhile is told nothing.
                let _ = caller.send(told.clone());
            }
        }
    }

    /// Those who wait now; `None`, and this has ended, when nobody does.
    fn next(&mut self) -> Option<(Arc<Editions>, Callers)> {
        let editions = self.editions.take()?;
        let mut waiting = lock(&editions.waiting[self.home]);
        let callers = mem::take(&mut waiting.callers);
        if callers.is_empty() {
            waiting.is_asked = false;
            return None;
        }
        drop(waiting);
        self.editions = Some(Arc::clone(&editions));
        Some((editions, callers))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(editions) = self.editions.take() {
            let mut waiting = lock(&editions.waiting[self.home]);
            waiting.is_asked = false;
            let callers = mem::take(&mut waiting.callers);
            drop(waiting);
            // Which tells them.
            drop(callers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(worth: &mut Worth, times: u32, was_known: bool, now: Instant) {
        for _ in 0..times {
            worth.note(Some(was_known), now);
        }
    }

    #[test]
    fn nobody_asks_for_a_while_where_most_knew_another_and_for_longer_each_time() {
        let (mut worth, mut now) = (Worth::default(), Instant::now());
        note(&mut worth, TRIED, true, now);
        assert!(!worth.rest.lasts(now));
        for rest in [1, 2, 4, 8, 16, 32, 60, 60] {
            note(&mut worth, TRIED / 2 - 1, true, now);
            note(&mut worth, TRIED / 2, false, now);
            assert!(!worth.rest.lasts(now));
            note(&mut worth, 1, false, now);
            assert!(worth.rest.lasts(now));
            // Who asked before it began counts for nothing.
            note(&mut worth, TRIED, true, now);
            let last = now + Duration::from_secs(rest) - Duration::from_millis(1);
            assert!(worth.rest.lasts(last), "{rest}");
            now += Duration::from_secs(rest);
            assert!(!worth.rest.lasts(now), "{rest}");
        }
        note(&mut worth, TRIED / 2, true, now);
        note(&mut worth, TRIED / 2, false, now);
        assert!(!worth.rest.lasts(now));
        assert_eq!(worth.rest.length, Duration::ZERO, "half are enough");
    }

    #[test]
    fn nor_where_none_was_told_in_time() {
        let (mut worth, now) = (Worth::default(), Instant::now());
        worth.note(None, now);
        // At the same moment, for several who waited: they are one.
        worth.note(None, now);
        assert_eq!(worth.rest.length, SHORTEST_REST);
        assert!(worth.rest.lasts(now));
    }
}
