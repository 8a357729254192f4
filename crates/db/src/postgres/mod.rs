//! The server database: two connections that many readers share, and a pool of those that write.
//!
//! Readers share a connection by pipelining: a question is sent without waiting for the answers before it, which gives
//! more answers a second over two connections than a pool of sixteen does. A unit has its connection for itself.

mod company;
mod connect;
mod convert;
mod lanes;
mod migrate;
mod tls;
mod unit;

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Pool, Runtime, Timeouts};
use tokio::{
    sync::{RwLock, oneshot},
    task::JoinHandle,
};

use self::{company::Departures, connect::Connector, lanes::Lanes};
use crate::{Error, Migration, OpenError, Row, Sql, Stats, Unit, Written, address::Server};

/// How long a question or a unit waits for a connection.
const TURN: Duration = Duration::from_secs(1);
/// How long connecting may take, with all that the server asks in return.
const CONNECT: Duration = Duration::from_secs(2);
/// How long an answer may take: a little more than the server gives a statement, so that its own word comes first.
const ANSWER: Duration = Duration::from_secs(6);

/// A unit that was begun.
pub(crate) struct Pending(JoinHandle<Result<Written, Error>>);

impl Pending {
    /// Waits until it is committed.
    pub(crate) async fn written(&mut self) -> Result<Written, Error> {
        // The task ends early only when the whole runtime does.
        (&mut self.0)
            .await
            .unwrap_or_else(|e| Err(Error::OutcomeUnknown(e.to_string())))
    }
}

/// An open server database.
pub(crate) struct Postgres {
    lanes: Lanes,
    pool: Pool,
    /// True once it is closed. A unit holds it for reading, so that closing waits for those that were begun.
    is_closed: Arc<RwLock<bool>>,
    departures: Departures,
}

impl Postgres {
    /// Connects, brings the schema up to date, and makes the pools; they connect when they are first used.
    pub(crate) async fn open(server: Server, migrations: &[Migration]) -> Result<Self, OpenError> {
        let connector = Connector::new(&server)?;
        migrate::migrate(&connector, server.schema.as_deref(), migrations).await?;
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
        let pool = Pool::builder(manager)
            .max_size(server.pool)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|e| OpenError::Connect(e.to_string()))?;
        Ok(Self {
            lanes: Lanes::new(connector),
            pool,
            is_closed: Arc::new(RwLock::new(false)),
            departures: Departures::new(),
        })
    }

    /// Asks for rows.
    pub(crate) async fn read(&self, question: &Sql) -> Result<Vec<Row>, Error> {
        if *self.is_closed.read().await {
            return Err(closed());
        }
        self.lanes.ask(question).await
    }

    /// Carries out a unit.
    pub(crate) async fn write(&self, unit: Unit) -> Result<Written, Error> {
        self.begin(unit, None).await?.written().await
    }

    /// Carries out a unit, and returns when nothing in it was refused: what is left is its commit, if any.
    pub(crate) async fn write_ahead(&self, unit: Unit) -> Result<Option<Pending>, Error> {
        let (tell, carried_out) = oneshot::channel();
        let mut pending = self.begin(unit, Some(tell)).await?;
        // Only where it was not is the answer waited for: it wakes nobody who went on.
        if carried_out.await.is_err() {
            return pending.written().await.map(|_| None);
        }
        Ok(Some(pending))
    }

    /// Begins a unit, in a task of its own: that the caller goes away must not stop it half way.
    async fn begin(
        &self,
        unit: Unit,
        carried_out: Option<oneshot::Sender<()>>,
    ) -> Result<Pending, Error> {
        let is_closed = Arc::clone(&self.is_closed).read_owned().await;
        if *is_closed {
            return Err(closed());
        }
        let pool = self.pool.clone();
        let departures = self.departures;
        Ok(Pending(tokio::spawn(async move {
            departures.wait(unit.company).await;
            let result = unit::write(&pool, &unit, carried_out).await;
            drop(is_closed);
            result
        })))
    }

    pub(crate) fn stats(&self) -> Stats {
        let pool = self.pool.status();
        Stats {
            read_connections: lanes::LANES,
            reads_waiting: self.lanes.waiting(),
            write_connections: pool.size,
            writes_waiting: pool.waiting,
        }
    }

    pub(crate) async fn close(&self) {
        *self.is_closed.write().await = true;
        self.pool.close();
        self.lanes.close().await;
    }
}

fn closed() -> Error {
    Error::Unavailable("it is closed".to_owned())
}
