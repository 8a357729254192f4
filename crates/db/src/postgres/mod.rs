//! The server database: connections that many readers share, and pools of those that write.
//!
//! Readers share a connection by pipelining: a question is sent without waiting for the answers before it, which gives
//! more answers a second over two connections than a pool of sixteen does. A unit has its connection for itself, or with those that
//! leave at the same moment.
//!
//! A thread mostly uses connections that it opened: what comes in by one of another thread's wakes both.

mod company;
mod connect;
mod convert;
mod edition;
mod home;
mod hosts;
mod lanes;
mod migrate;
mod tls;
mod unit;

use std::{iter, sync::Arc, time::Duration};

use deadpool_postgres::{
    BuildError, Manager, ManagerConfig, Pool, QueueMode, Runtime, Status, Timeouts,
};
use tokio::sync::RwLock;

use self::{
    company::{Departures, Passenger},
    connect::Connector,
    edition::Editions,
    lanes::Lanes,
};
use crate::{
    Edition, Error, Migration, OpenError, Row, Sql, Stats, Unit, Written, address::Server,
    caller::Caller,
};

/// How long a question or a unit waits for a connection.
const TURN: Duration = Duration::from_secs(1);
/// How long connecting may take, with all that the server asks in return.
const CONNECT: Duration = Duration::from_secs(2);
/// How long an answer may take: a little more than the server gives a statement, so that its own word comes first.
const ANSWER: Duration = Duration::from_secs(6);
/// What is said when it takes longer.
const SILENT: &str = "the server did not answer in time";

/// An open server database.
pub(crate) struct Postgres {
    lanes: Arc<Lanes>,
    editions: Arc<Editions>,
    /// One for each of several homes, each with its part of the connections.
    pools: Arc<[Pool]>,
    /// True once it is closed. Who asks or writes holds it for reading, so that closing waits for what was begun.
    is_closed: Arc<RwLock<bool>>,
    departures: Departures,
}

impl Postgres {
    /// Connects, brings the schema up to date, and makes the pools; they connect when they are first used.
    pub(crate) async fn open(server: Server, migrations: &[Migration]) -> Result<Self, OpenError> {
        let connector = Connector::new(&server)?;
        migrate::migrate(&connector, server.schema.as_deref(), migrations).await?;
        let pools = home::shares(server.pool).map(|size| pool(&connector, size));
        let pools = pools
            .collect::<Result<_, _>>()
            .map_err(|e| OpenError::Connect(e.to_string()))?;
        let lanes = Arc::new(Lanes::new(connector));
        let is_closed = Arc::default();
        Ok(Self {
            editions: Editions::new(Arc::clone(&lanes), Arc::clone(&is_closed)),
            lanes,
            pools,
            is_closed,
            departures: Departures::new(),
        })
    }

    /// Asks for rows.
    pub(crate) async fn read(&self, question: &Sql) -> Result<Vec<Row>, Error> {
        let is_closed = self.is_closed.read().await;
        if *is_closed {
            return Err(closed());
        }
        self.lanes.ask(question).await
    }

    /// Which edition of the database is the present one, if that can be told.
    pub(crate) async fn edition(&self, known: Option<&Edition>) -> Option<Edition> {
        self.editions.present(known).await
    }

    /// Carries out a unit, in a task of its own or of the first of its company: that the caller goes away must not stop it half
    /// way.
    pub(crate) async fn write(&self, unit: Unit) -> Result<Written, Error> {
        let begun = Arc::clone(&self.is_closed).read_owned().await;
        if *begun {
            return Err(closed());
        }
        let (caller, answered) = Caller::new();
        let passenger = Passenger {
            unit,
            caller,
            begun,
        };
        self.departures.depart(&self.pools, passenger);
        // The task ends early only when its whole runtime does.
        let ended = |_| Err(Error::OutcomeUnknown("it was interrupted".to_owned()));
        answered.await.unwrap_or_else(ended)
    }

    pub(crate) fn stats(&self) -> Stats {
        let pools = || self.pools.iter().map(Pool::status);
        Stats {
            read_connections: self.lanes.number(),
            reads_waiting: self.lanes.waiting(),
            write_connections: pools().map(|pool| pool.size).sum(),
            writes_waiting: pools().map(|pool| pool.waiting).sum(),
        }
    }

    pub(crate) async fn close(&self) {
        *self.is_closed.write().await = true;
        self.pools.iter().for_each(Pool::close);
        self.lanes.close().await;
    }
}

fn pool(connector: &Connector, size: usize) -> Result<Pool, BuildError> {
    let manager = Manager::from_connect(
        connector.config().clone(),
        connector.clone(),
        ManagerConfig::default(),
    );
    let timeouts = Timeouts {
        wait: Some(TURN),
        create: Some(CONNECT),
        recycle: Some(TURN),
    };
    Pool::builder(manager)
        .max_size(size)
        .timeouts(timeouts)
        // The one that was used last: what its process at the server needs is in the caches.
        .queue_mode(QueueMode::Lifo)
        .runtime(Runtime::Tokio1)
        .build()
}

/// This thread's pool, unless all its connections are taken and another's are not.
fn with_room(pools: &[Pool]) -> &Pool {
    let has_room = |pool: &&Pool| {
        let Status {
            max_size,
            size,
            available,
            waiting,
        } = pool.status();
        // Those for whom a connection is being made count as waiting.
        size - available + waiting < max_size
    };
    let mine = home::of(pools);
    iter::once(mine).chain(pools).find(has_room).unwrap_or(mine)
}

fn closed() -> Error {
    Error::Unavailable("it is closed".to_owned())
}
