//! Which edition of a server's database is the present one: asked once for all who wait to know it.
//!
//! A snapshot is which transactions have ended (`pg_current_snapshot`). While it is the same none has, whoever's, and each question
//! is answered as before. A server that takes another's place may have lost the last of them, and count them anew; so when a
//! server began is a part of its editions.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{OnceCell, oneshot},
    time::{Instant, timeout},
};
use tokio_postgres::Client;

use super::{ANSWER, connect::Connector, convert::is_lost, home, lanes::Lanes};
use crate::{Edition, Error, database::Told, sql};

/// A server that follows another tells none: questions may be answered by that one.
const EDITION: &str = "SELECT CASE WHEN NOT pg_is_in_recovery() \
     THEN pg_current_snapshot()::text || ' ' || pg_postmaster_start_time()::text END AS edition";
/// What is made of PostgreSQL and keeps rows elsewhere than where it counts its own transactions does not see all that end.
const KEEPS_ITS_ROWS: &str = "SELECT version() ~ '^PostgreSQL [0-9]' AND version() !~ '-YB-|Greenplum' \
     AND NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')";
/// A change that leaves all as it is.
const CHANGE: &str = "BEGIN READ WRITE; UPDATE schema_migrations SET version = version \
     WHERE version = (SELECT max(version) FROM schema_migrations); COMMIT";
/// Of so many who knew one before, half have to be told the same: otherwise so much is written meanwhile that nobody is better off by
/// asking, and nobody does for a while, which is longer each time.
const TRIED: u32 = 1024;
const REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(4);

/// There was no server, or none that answered.
struct NotTried;

/// Tells the editions of one database.
pub(super) struct Editions {
    connector: Connector,
    lanes: Arc<Lanes>,
    /// One for each home.
    waiting: Vec<Mutex<Waiting>>,
    /// Whether each change makes another, which is tried once.
    can_tell: OnceCell<bool>,
    is_over: AtomicBool,
}

/// The present one, if that can be told; an error where the server does not answer at all.
type Answer = Result<Option<Edition>, Error>;

/// Those of one home who wait.
#[derive(Default)]
struct Waiting {
    /// For the next answer: one that was asked for before they came may be older than what they must see.
    callers: Vec<oneshot::Sender<Answer>>,
    is_asked: bool,
    worth: Worth,
}

/// What it is worth to ask.
#[derive(Default)]
struct Worth {
    /// How many were told one who knew one, and how many of them were told the same.
    told: u32,
    same: u32,
    rest: Duration,
    rests_until: Option<Instant>,
}

impl Editions {
    pub(super) fn new(connector: Connector, lanes: Arc<Lanes>) -> Arc<Self> {
        Arc::new(Self {
            connector,
            lanes,
            waiting: (0..home::number()).map(|_| Mutex::default()).collect(),
            can_tell: OnceCell::new(),
            is_over: AtomicBool::new(false),
        })
    }

    /// The present one, asked for after this was called; `None` when it cannot be told, or to ask is not worth it to those who
    /// mostly know one already.
    pub(super) async fn present(self: &Arc<Self>, known: Option<&Edition>) -> Answer {
        if self.can_tell.get() == Some(&false) || self.is_over.load(Ordering::Acquire) {
            return Ok(None);
        }
        let home = home::index(self.waiting.len());
        let Some(told) = self.wait(home) else {
            return Ok(None);
        };
        let told = told.await.unwrap_or(Ok(None))?;
        if let (Some(known), Some(told)) = (known, &told) {
            lock(&self.waiting[home]).worth.note(known == told);
        }
        Ok(told)
    }

    /// Joins those of a home who wait; the first of them has somebody ask.
    fn wait(self: &Arc<Self>, home: usize) -> Option<oneshot::Receiver<Answer>> {
        let mut waiting = lock(&self.waiting[home]);
        if waiting.worth.is_none() {
            return None;
        }
        let (caller, told) = oneshot::channel();
        waiting.callers.push(caller);
        if !mem::replace(&mut waiting.is_asked, true) {
            let asking = Asking {
                editions: Some(Arc::clone(self)),
                home,
            };
            tokio::spawn(asking.for_all());
        }
        Some(told)
    }

    async fn ask(&self) -> Answer {
        let can_tell = self.can_tell.get_or_try_init(|| self.are_told());
        // Where it could not be tried, the question that this one is asked for will meet what is in the way, too, or need not.
        if !can_tell.await.is_ok_and(|it| *it) {
            return Ok(None);
        }
        let row = self.lanes.ask(&sql(EDITION)).await?.pop();
        let told = row.map(|row| row.opt_text("edition")).transpose()?;
        let edition = |told: String| Edition(Told::Server(told.into()));
        Ok(told.flatten().map(edition))
    }

    /// Whether a change makes another edition here, which is tried by one of a single row.
    async fn are_told(&self) -> Result<bool, NotTried> {
        let connection = self.connector.connect().await.map_err(|_| NotTried)?;
        let trial = timeout(ANSWER, tells_of_a_change(&connection)).await;
        let told = match trial.map_err(|_| NotTried)? {
            Ok(told) => told,
            Err(e) if is_lost(&e) => return Err(NotTried),
            Err(_) => false,
        };
        if !told {
            tracing::info!(
                "this database does not tell whether anything was written: it is asked about each token"
            );
        }
        Ok(told)
    }

    /// Tells nothing any more.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }
}

async fn tells_of_a_change(connection: &Client) -> Result<bool, tokio_postgres::Error> {
    let edition = async || {
        let row = connection.query_one(EDITION, &[]).await?;
        row.try_get::<_, Option<String>>(0)
    };
    let keeps = connection.query_one(KEEPS_ITS_ROWS, &[]).await?;
    if !keeps.try_get::<_, bool>(0)? {
        return Ok(false);
    }
    let before = edition().await?;
    connection.batch_execute(CHANGE).await?;
    let after = edition().await?;
    Ok(before.is_some() && after.is_some() && before != after)
}

/// Nothing can panic while one of these is held, so a poisoned one guards a whole state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Worth {
    fn is_none(&self) -> bool {
        self.rests_until.is_some_and(|until| Instant::now() < until)
    }

    fn note(&mut self, is_same: bool) {
        self.told += 1;
        self.same += u32::from(is_same);
        if self.told < TRIED {
            return;
        }
        if self.same < TRIED / 2 {
            self.rest = (2 * self.rest).clamp(REST, LONGEST_REST);
            self.rests_until = Some(Instant::now() + self.rest);
        } else {
            self.rest = Duration::ZERO;
        }
        self.told = 0;
        self.same = 0;
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
    fn next(&mut self) -> Option<(Arc<Editions>, Vec<oneshot::Sender<Answer>>)> {
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
