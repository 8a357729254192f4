//! The connections that readers share.

use std::sync::Arc;

use deadpool_postgres::ClientWrapper;
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout,
};

use super::{
    ANSWER, TURN,
    connect::Connector,
    convert::{check_columns, describe, failure, is_lost, parameters, rows, types},
};
use crate::{Error, Row, Sql};

/// More than two gave no more answers: the server works on one question of a connection at a time.
pub(super) const LANES: usize = 2;
/// How many questions may be under way on a connection.
const DEPTH: usize = 64;

pub(super) struct Lanes {
    connector: Connector,
    lanes: [Lane; LANES],
}

struct Lane {
    connection: Mutex<Option<Arc<ClientWrapper>>>,
    room: Semaphore,
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
        };
        Self {
            connector,
            lanes: std::array::from_fn(|_| lane()),
        }
    }

    /// Asks, and asks once more when the connection turns out to be dead: a question changes nothing.
    pub(super) async fn ask(&self, question: &Sql) -> Result<Vec<Row>, Error> {
        let answer = match self.ask_once(question).await {
            Err(Failure::Lost(_)) => self.ask_once(question).await,
            answer => answer,
        };
        answer.map_err(|(Failure::Lost(error) | Failure::Final(error))| error)
    }

    async fn ask_once(&self, question: &Sql) -> Result<Vec<Row>, Failure> {
        let busy = || {
            Failure::Final(Error::Unavailable(
                "no connection was free in time".to_owned(),
            ))
        };
        // The lane with the most room: no question waits behind a long one while the other lane is free.
        let lane =
            if self.lanes[0].room.available_permits() >= self.lanes[1].room.available_permits() {
                &self.lanes[0]
            } else {
                &self.lanes[1]
            };
        let turn = async {
            let room = lane.room.acquire().await;
            (room, lane.connect(&self.connector).await)
        };
        let (_room, connection) = timeout(TURN, turn).await.map_err(|_| busy())?;
        let connection = connection.map_err(|why| Failure::Final(Error::Unavailable(why)))?;
        if let Ok(answer) = timeout(ANSWER, answer(&connection, question)).await {
            return answer;
        }
        lane.forget(&connection).await;
        Err(Failure::Final(Error::Unavailable(
            "the server did not answer in time".to_owned(),
        )))
    }

    /// Questions that are under way.
    pub(super) fn waiting(&self) -> usize {
        self.lanes
            .iter()
            .map(|lane| DEPTH - lane.room.available_permits().min(DEPTH))
            .sum()
    }

    pub(super) async fn close(&self) {
        for lane in &self.lanes {
            *lane.connection.lock().await = None;
        }
    }
}

impl Lane {
    /// The connection of this lane, a fresh one if there is none that lives.
    async fn connect(&self, connector: &Connector) -> Result<Arc<ClientWrapper>, String> {
        let mut connection = self.connection.lock().await;
        if let Some(living) = connection.as_ref().filter(|it| !it.is_closed()) {
            return Ok(Arc::clone(living));
        }
        let fresh = Arc::new(connector.connect().await?);
        *connection = Some(Arc::clone(&fresh));
        Ok(fresh)
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
