//! Connections, and how each session is set up.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use deadpool_postgres::{ClientWrapper, Connect};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::{Client, Config, Connection, NoTls, Socket, config::TargetSessionAttrs};

use super::{CONNECT, convert::describe, tls::Tls};
use crate::{OpenError, address::Server};

/// Makes connections whose sessions are all alike.
#[derive(Clone)]
pub(super) struct Connector(Arc<Inner>);

struct Inner {
    config: Config,
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
        let hosts = config
            .get_hosts()
            .len()
            .max(config.get_hostaddrs().len())
            .max(1);
        // A peer that vanished is noticed within a minute, even when nobody asks it anything.
        config
            .connect_timeout(CONNECT / u32::try_from(hosts).unwrap_or(u32::MAX))
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
        Ok(Self(Arc::new(Inner { config, tls, setup })))
    }

    pub(super) fn config(&self) -> &Config {
        &self.0.config
    }

    /// A connection, or why there is none, in words.
    pub(super) async fn connect(&self) -> Result<ClientWrapper, String> {
        match timeout(CONNECT, Connect::connect(self, &self.0.config)).await {
            Ok(Ok((client, running))) => Ok(ClientWrapper::new(client, running)),
            Ok(Err(e)) => Err(describe(&e)),
            Err(_) => Err(format!(
                "the server did not answer within {} seconds",
                CONNECT.as_secs()
            )),
        }
    }
}

type Connecting<'a> = Pin<
    Box<dyn Future<Output = Result<(Client, JoinHandle<()>), tokio_postgres::Error>> + Send + 'a>,
>;

impl Connect for Connector {
    fn connect(&self, config: &Config) -> Connecting<'_> {
        let config = config.clone();
        Box::pin(async move {
            let (client, running) = match &self.0.tls {
                Some(tls) => run(config.connect(tls.clone()).await?),
                None => run(config.connect(NoTls).await?),
            };
            client.batch_execute(&self.0.setup).await?;
            Ok((client, running))
        })
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
