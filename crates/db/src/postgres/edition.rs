//! Which edition of a server's database is the present one: asked once for all who wait to know it.
//!
//! A snapshot is which transactions have ended (`pg_current_snapshot`). While it is the same none has, whoever's, and each question
//! is answered as before. That is so for as long as the server goes on: one that recovers from a crash, and one that takes
//! another's place, may have lost the last transactions and count them anew. When a server began is therefore a part of its
//! editions, and how many connections had been made by then, since none outlives a crash.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};
use tokio_postgres::Client;

use super::{
    ANSWER, CONNECT,
    connect::Connector,
    convert::{failure, is_lost},
    home,
    lanes::Lanes,
};
use crate::{Edition, Error, database::Told, sql};

/// A server that follows another tells none: questions may be answered by that one.
const EDITION: &str = "SELECT CASE WHEN NOT pg_is_in_recovery() \
     THEN pg_current_snapshot()::text || ' ' || pg_postmaster_start_time()::text END AS edition";
/// Who waits for longer is better off with the question that this one would spare: a long one may be in front of it.
const LONG: Duration = Duration::from_millis(100);

/// What is made of PostgreSQL and keeps rows elsewhere than where it counts its own transactions does not see all that end.
const KEEPS_ITS_ROWS: &str = "SELECT version() ~ '^PostgreSQL [0-9]' AND version() !~ '-YB-|Greenplum' \
     AND NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')";
/// A change that leaves all as it is, and which transaction it is.
const CHANGE: &str = "BEGIN READ WRITE; UPDATE schema_migrations SET version = version \
     WHERE version = (SELECT max(version) FROM schema_migrations)";
const CHANGED_BY: &str = "SELECT pg_current_xact_id_if_assigned()::text";
const IS_SEEN: &str = "SELECT pg_visible_in_snapshot($1::text::xid8, pg_current_snapshot()) AND NOT pg_is_in_recovery()";
/// How long to wait with the next trial, which is longer than one takes.
const TRIED_EVERY: Duration = CONNECT.saturating_add(ANSWER).saturating_mul(2);

/// Of so many who were told one, half have to know it already: otherwise so much is written meanwhile that nobody is better off by
/// asking, and nobody does for a while, which is longer each time. Twice as many as can be known are asked for before that.
const TRIED: u32 = 16_384;
const REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Tells the editions of one database.
pub(super) struct Editions {
    connector: Connector,
    lanes: Arc<Lanes>,
    /// One for each home.
    waiting: Vec<Mutex<Waiting>>,
    /// Whether each change makes another, once that was tried.
    can_tell: OnceLock<bool>,
    next_trial: Mutex<Option<Instant>>,
    is_over: AtomicBool,
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
    rest: Duration,
    rests_until: Option<Instant>,
}

impl Editions {
    pub(super) fn new(connector: Connector, lanes: Arc<Lanes>) -> Arc<Self> {
        Arc::new(Self {
            connector,
            lanes,
            waiting: (0..home::number()).map(|_| Mutex::default()).collect(),
            can_tell: OnceLock::new(),
            next_trial: Mutex::default(),
            is_over: AtomicBool::new(false),
        })
    }

    /// The present one, asked for after this was called; `None` when it cannot be told soon, or when most of those who ask find
    /// that what they had `known` is over.
    pub(super) async fn present(self: &Arc<Self>, known: Option<&Edition>) -> Option<Edition> {
        if self.is_over() || !self.can_tell() {
            return None;
        }
        let home = home::index(self.waiting.len());
        let told = self.wait(home)?.await.ok().flatten()?;
        lock(&self.waiting[home]).worth.note(known == Some(&told));
        Some(told)
    }

    /// Whether each change makes another. Nobody waits until that is known.
    fn can_tell(self: &Arc<Self>) -> bool {
        if let Some(can_tell) = self.can_tell.get() {
            return *can_tell;
        }
        let now = Instant::now();
        let mut next = lock(&self.next_trial);
        let is_due = next.is_none_or(|next| next <= now);
        if is_due {
            *next = Some(now + TRIED_EVERY);
        }
        drop(next);
        if is_due {
            tokio::spawn(Arc::clone(self).try_it());
        }
        false
    }

    /// Joins those of a home who wait; the first of them has somebody ask.
    fn wait(self: &Arc<Self>, home: usize) -> Option<oneshot::Receiver<Option<Edition>>> {
        let mut waiting = lock(&self.waiting[home]);
        if waiting.worth.is_none() {
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

    async fn ask(&self) -> Option<Edition> {
        if self.is_over() {
            return None;
        }
        // The answer came by one of so many, if there are no more by then.
        let connections = self.lanes.made();
        let question = sql(EDITION);
        let answer = timeout(LONG, self.lanes.ask(&question)).await;
        // Whatever is in the way, the question that this one would spare meets it, too, or need not.
        let row = answer.ok()?.ok()?.pop()?;
        let told = row.opt_text("edition").ok()??;
        (connections == self.lanes.made()).then(|| {
            Edition(Told::Server {
                connections,
                snapshot: told.into(),
            })
        })
    }

    /// Finds out whether a change makes another edition here, by one of a single row. Where nobody could be asked it is tried
    /// again.
    async fn try_it(self: Arc<Self>) {
        if self.is_over() {
            return;
        }
        let Ok(connection) = self.connector.connect().await else {
            return;
        };
        let sees = match timeout(ANSWER, sees_a_change(&connection)).await {
            Ok(Ok(sees)) => sees,
            // The server may say otherwise another time.
            Ok(Err(e)) if is_lost(&e) || !matches!(failure(&e, 0), Error::Broken(_)) => return,
            Ok(Err(_)) => false,
            Err(_) => return,
        };
        if !sees {
            tracing::info!(
                "this database does not tell whether anything was written: it is asked about each token"
            );
        }
        let _ = self.can_tell.set(sees);
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Tells nothing any more.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
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
    fn is_none(&self) -> bool {
        self.rests_until.is_some_and(|until| Instant::now() < until)
    }

    fn note(&mut self, was_known: bool) {
        if self.is_none() {
            return;
        }
        self.told += 1;
        self.known += u32::from(was_known);
        if self.told < TRIED {
            return;
        }
        if self.known < TRIED / 2 {
            self.rest = (2 * self.rest).clamp(REST, LONGEST_REST);
            self.rests_until = Some(Instant::now() + self.rest);
        } else {
            self.rest = Duration::ZERO;
        }
        self.told = 0;
        self.known = 0;
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
            waiting.callers.clear();
            waiting.is_asked = false;
        }
    }
}
