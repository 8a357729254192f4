//! The connections that readers share.

use std::{
    iter,
    sync::{
        Arc, Mutex as Lock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use deadpool_postgres::ClientWrapper;
use tokio::{
    sync::{Mutex, MutexGuard, Semaphore},
    time::timeout,
};

use super::{
    ANSWER, SILENT, TURN,
    connect::Connector,
    convert::{check_columns, describe, failure, is_lost, parameters, rows, types},
    home,
};
use crate::{Error, Row, Sql};

/// How many questions may be under way on a connection.
const DEPTH: usize = 64;
/// A lane that has not answered for so long is held up by a long question.
const LONG: Duration = Duration::from_millis(10);

pub(super) struct Lanes {
    connector: Connector,
    each: Vec<Lane>,
    /// How many connections they have had.
    made: AtomicU64,
}

struct Lane {
    connection: Mutex<Option<Arc<ClientWrapper>>>,
    room: Semaphore,
    /// Since when the answer that comes next has been waited for.
    awaited_since: Lock<Instant>,
}

/// Why a question was not answered.
enum Failure {
    /// The connection died; another one may answer.
    Lost(Error),
    Final(Error),
}

impl Lanes {
    pub(super) fn new(connector: Connector) -> Self {
        let lane = || Lane {
            connection: Mutex::new(None),
            room: Semaphore::new(DEPTH),
            awaited_since: Lock::new(Instant::now()),
        };
        Self {
            connector,
            each: (0..home::number()).map(|_| lane()).collect(),
            made: AtomicU64::new(0),
        }
    }

    /// Asks on the lane of this thread, for another's answer would wake two threads. While that is held up, on the one with the
    /// most room that is not, so that few questions wait behind a long one. And once more when the connection turns out to be dead,
    /// for a question changes nothing.
    pub(super) async fn ask(&self, question: &Sql) -> Result<Vec<Row>, Error> {
        let mine = home::of(&self.each);
        let lane = if mine.is_held_up() {
            let all = iter::once(mine).chain(&self.each);
            let best = all.min_by_key(|it| (it.is_held_up(), it.under_way()));
            best.unwrap_or(mine)
        } else {
            mine
        };
        let answer = match lane.ask(self, question).await {
            Err(Failure::Lost(_)) => lane.ask(self, question).await,
            answer => answer,
        };
        answer.map_err(|(Failure::Lost(error) | Failure::Final(error))| error)
    }

    /// Questions that are under way.
    pub(super) fn waiting(&self) -> usize {
        self.each.iter().map(Lane::under_way).sum()
    }

    /// How many connections they have had so far. An answer came by one of them, and while the number is the same, so do all.
    pub(super) fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    /// One more, which is none of theirs.
    pub(super) async fn connect(&self) -> Result<ClientWrapper, String> {
        self.connector.connect().await
    }

    /// The connection in the slot of a lane, a fresh one if there is none that lives.
    async fn living(
        &self,
        mut slot: MutexGuard<'_, Option<Arc<ClientWrapper>>>,
    ) -> Result<Arc<ClientWrapper>, String> {
        if let Some(living) = slot.as_ref().filter(|it| !it.is_closed()) {
            return Ok(Arc::clone(living));
        }
        let fresh = Arc::new(self.connector.connect().await?);
        self.made.fetch_add(1, Ordering::SeqCst);
        *slot = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// How many there are.
    pub(super) fn number(&self) -> usize {
        self.each.len()
    }

    pub(super) async fn close(&self) {
        for lane in &self.each {
            *lane.connection.lock().await = None;
        }
    }
}

impl Lane {
    fn under_way(&self) -> usize {
        DEPTH.saturating_sub(self.room.available_permits())
    }

    fn is_held_up(&self) -> bool {
        self.under_way() > 0 && self.awaited_since().elapsed() > LONG
    }

    fn awaited_since(&self) -> Instant {
        *self
            .awaited_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn awaits_another(&self) {
        *self
            .awaited_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    async fn ask(&self, lanes: &Lanes, question: &Sql) -> Result<Vec<Row>, Failure> {
        if self.under_way() == 0 {
            self.awaits_another();
        }
        let unavailable = |why: &str| Failure::Final(Error::Unavailable(why.to_owned()));
        let turn = async { (self.room.acquire().await, self.connection.lock().await) };
        let Ok((_room, slot)) = timeout(TURN, turn).await else {
            return Err(unavailable("no connection was free in time"));
        };
        let connection = lanes.living(slot).await.map_err(|why| unavailable(&why))?;
        let Ok(answer) = timeout(ANSWER, answer(&connection, question)).await else {
            self.forget(&connection).await;
            return Err(unavailable(SILENT));
        };
        self.awaits_another();
        if matches!(answer, Err(Failure::Lost(_))) {
            self.forget(&connection).await;
        }
        answer
    }

    /// Lets the next question find a fresh connection instead of this one.
    async fn forget(&self, stuck: &Arc<ClientWrapper>) {
        let mut connection = self.connection.lock().await;
        if connection.as_ref().is_some_and(|it| Arc::ptr_eq(it, stuck)) {
            *connection = None;
        }
    }
}

async fn answer(connection: &ClientWrapper, question: &Sql) -> Result<Vec<Row>, Failure> {
    let failed = |e: tokio_postgres::Error| {
        if is_lost(&e) {
            Failure::Lost(Error::Unavailable(describe(&e)))
        } else {
            Failure::Final(failure(&e, 0))
        }
    };
    let statement = connection
        .prepare_typed_cached(question.text, &types(question))
        .await
        .map_err(failed)?;
    check_columns(&statement).map_err(Failure::Final)?;
    let answer = connection
        .query(&statement, &parameters(question))
        .await
        .map_err(failed)?;
    rows(&answer).map_err(Failure::Final)
}
