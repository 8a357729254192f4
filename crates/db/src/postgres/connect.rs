//! Connections, and how each session is set up.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use deadpool_postgres::{ClientWrapper, Connect};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::{
    Client, Config, Connection, NoTls, Socket,
    config::{LoadBalanceHosts, TargetSessionAttrs},
};

use super::{CONNECT, convert::describe, hosts, tls::Tls};
use crate::{OpenError, address::Server};

/// Makes connections whose sessions are all alike.
#[derive(Clone)]
pub(super) struct Connector(Arc<Inner>);

struct Inner {
    config: Config,
    /// The same with one host each. The driver would ask the next one only when the one before refuses or cannot be reached,
    /// and not when it takes the connection and says nothing, as a machine that hangs does.
    each: Vec<Config>,
    /// Which of them gave the last connection. It is asked first: one that hung and is awake again may not know that another has
    /// taken its place, and while it hangs nobody waits for it twice.
    leads: AtomicUsize,
    tls: Option<Tls>,
    setup: String,
}

/// What each session is told once, rather than by start-up options, which a pooler in between would refuse.
///
/// Sessions are read-only and a unit begins with `BEGIN READ WRITE`: should its `BEGIN` ever fail, the statements that
/// were sent behind it fail as well, instead of happening one by one. The lock timeout is longer than the second after
/// which the server looks for a deadlock, so that a deadlock is known for one.
///
/// A server that follows another refuses the first of these, and so is not asked: what it says may be over, and must not be held
/// for the other's word.
const SETUP: &str = "SET transaction_read_only = off; \
     SET default_transaction_read_only = on; \
     SET default_transaction_isolation = 'read committed'; \
     SET statement_timeout = '5s'; \
     SET lock_timeout = '2s'; \
     SET idle_in_transaction_session_timeout = '2s'";

impl Connector {
    pub(super) fn new(server: &Server) -> Result<Self, OpenError> {
        let mut config = server.config.clone();
        let hosts = hosts::number(&config);
        // A peer that vanished is noticed within a minute, even when nobody asks it anything.
        config
            .connect_timeout(hosts::share(hosts))
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(10));
        if hosts > 1 {
            // Then the next one is tried behind one that takes no changes.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let mut setup = SETUP.to_owned();
        if let Some(schema) = &server.schema {
            setup.push_str("; SET search_path = ");
            setup.push_str(schema);
        }
        let tls = server.tls.as_ref().map(Tls::new).transpose()?;
        Ok(Self(Arc::new(Inner {
            each: hosts::each(&config),
            leads: AtomicUsize::new(0),
            config,
            tls,
            setup,
        })))
    }

    pub(super) fn config(&self) -> &Config {
        &self.0.config
    }

    /// A connection, or why there is none, in words.
    pub(super) async fn connect(&self) -> Result<ClientWrapper, String> {
        match timeout(CONNECT, self.any()).await {
            Ok(Ok((client, running))) => Ok(ClientWrapper::new(client, running)),
            Ok(Err(e)) => Err(describe(&e)),
            Err(_) => Err(format!(
                "the server did not answer within {} seconds",
                CONNECT.as_secs()
            )),
        }
    }

    /// A connection to the first host that gives one, each of which but the last has its share of the time.
    async fn any(&self) -> Connected {
        let Inner { each, leads, .. } = &*self.0;
        let first = match self.0.config.get_load_balance_hosts() {
            LoadBalanceHosts::Random => hosts::chance(each.len()),
            _ => leads.load(Ordering::Relaxed),
        };
        let turn = |turn: usize| (first + turn) % each.len();
        for host in (0..each.len() - 1).map(turn) {
            if let Ok(Ok(connected)) = timeout(hosts::share(each.len()), self.one(host)).await {
                return Ok(connected);
            }
        }
        self.one(turn(each.len() - 1)).await
    }

    async fn one(&self, host: usize) -> Connected {
        let config = &self.0.each[host];
        let (client, running) = match &self.0.tls {
            Some(tls) => run(config.connect(tls.clone()).await?),
            None => run(config.connect(NoTls).await?),
        };
        client.batch_execute(&self.0.setup).await?;
        self.0.leads.store(host, Ordering::Relaxed);
        Ok((client, running))
    }
}

type Connected = Result<(Client, JoinHandle<()>), tokio_postgres::Error>;

impl Connect for Connector {
    fn connect(&self, _: &Config) -> Pin<Box<dyn Future<Output = Connected> + Send + '_>> {
        Box::pin(self.any())
    }
}

/// Lets a connection work in a task of its own.
fn run<T>((client, connection): (Client, Connection<Socket, T>)) -> (Client, JoinHandle<()>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let running = tokio::spawn(async move {
        if let Err(e) = connection.await {
            tracing::warn!(
                error = describe(&e),
                "a connection to the database was lost"
            );
        }
    });
    (client, running)
}
