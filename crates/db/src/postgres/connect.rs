//! Connections, and how each session is set up.

use std::{
    future::Future,
    panic::resume_unwind,
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
    task::{JoinHandle, JoinSet},
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
    /// taken its place, and while it hangs nobody else need wait for it.
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
            // Of each address that a name has, so that the second is asked in time.
            .connect_timeout(CONNECT / 2)
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

    /// A connection to the first host that gives one. The next is asked as soon as one has refused, or has kept silent for its
    /// share of the time; that one may answer yet.
    async fn any(&self) -> Connected {
        let Inner { each, leads, .. } = &*self.0;
        if each.len() == 1 {
            return self.one(0).await;
        }
        let first = match self.0.config.get_load_balance_hosts() {
            LoadBalanceHosts::Random => hosts::chance(each.len()),
            _ => leads.load(Ordering::Relaxed),
        };
        let mut waiting = (0..each.len()).map(|turn| (first + turn) % each.len());
        let mut asked = JoinSet::new();
        loop {
            let next = waiting.next();
            if let Some(host) = next {
                let this = self.clone();
                asked.spawn(async move { (host, this.one(host).await) });
            }
            // Behind the last there is nobody else to ask.
            let share = next.map_or(CONNECT, |_| hosts::share(each.len()));
            let Ok(Some(ended)) = timeout(share, asked.join_next()).await else {
                if let Some(host) = next {
                    tracing::warn!(host = host + 1, "a host of the database is silent");
                }
                continue;
            };
            let (host, answer) = ended.unwrap_or_else(|ended| resume_unwind(ended.into_panic()));
            match answer {
                Ok(connected) => {
                    // Unless another has taken the lead since.
                    let order = Ordering::Relaxed;
                    let _ = leads.compare_exchange(first, host, order, order);
                    return Ok(connected);
                }
                Err(error) if asked.is_empty() && waiting.len() == 0 => return Err(error),
                Err(error) => tracing::warn!(
                    host = host + 1,
                    error = describe(&error),
                    "a host of the database gave no connection"
                ),
            }
        }
    }

    async fn one(&self, host: usize) -> Connected {
        let config = &self.0.each[host];
        let (client, running) = match &self.0.tls {
            Some(tls) => run(config.connect(tls.clone()).await?),
            None => run(config.connect(NoTls).await?),
        };
        client.batch_execute(&self.0.setup).await?;
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
