//! Connections, and how each session is set up.

use std::{
    future::Future,
    hash::{BuildHasher as _, RandomState},
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
    config::{Host, LoadBalanceHosts, TargetSessionAttrs},
};

use super::{CONNECT, convert::describe, tls::Tls};
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
        let hosts = hosts_of(&config);
        // A peer that vanished is noticed within a minute, even when nobody asks it anything.
        config
            .connect_timeout(share(hosts))
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
            each: each_of(&config),
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
            LoadBalanceHosts::Random => chance(each.len()),
            _ => leads.load(Ordering::Relaxed),
        };
        let turn = |turn: usize| (first + turn) % each.len();
        for host in (0..each.len() - 1).map(turn) {
            if let Ok(Ok(connected)) = timeout(share(each.len()), self.one(host)).await {
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

fn hosts_of(config: &Config) -> usize {
    let addresses = config.get_hostaddrs().len();
    config.get_hosts().len().max(addresses).max(1)
}

/// How long each of so many hosts has to answer.
fn share(hosts: usize) -> Duration {
    CONNECT / u32::try_from(hosts).unwrap_or(u32::MAX)
}

/// Some number less than `end`, which is one at least.
fn chance(end: usize) -> usize {
    let some = RandomState::new().hash_one(end);
    usize::try_from(some % end as u64).unwrap_or_default()
}

/// The configuration with each of its hosts alone. One that the driver refuses, since its lists do not fit each other, stays as
/// it is.
fn each_of(config: &Config) -> Vec<Config> {
    let number = hosts_of(config);
    let fits = |length: usize| length == 0 || length == number;
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let ports = config.get_ports();
    if !fits(hosts.len()) || !fits(addresses.len()) || !(fits(ports.len()) || ports.len() == 1) {
        return vec![config.clone()];
    }
    let with_host = |index: usize| {
        let mut one = without_hosts(config);
        match hosts.get(index) {
            Some(Host::Tcp(name)) => _ = one.host(name),
            #[cfg(unix)]
            Some(Host::Unix(folder)) => _ = one.host_path(folder),
            None => {}
        }
        if let Some(address) = addresses.get(index) {
            one.hostaddr(*address);
        }
        if let Some(port) = ports.get(index).or(ports.first()) {
            one.port(*port);
        }
        one
    };
    (0..number).map(with_host).collect()
}

/// All that the driver reads of an address, but for where it leads.
fn without_hosts(config: &Config) -> Config {
    let mut left = Config::new();
    if let Some(user) = config.get_user() {
        left.user(user);
    }
    if let Some(password) = config.get_password() {
        left.password(password);
    }
    if let Some(database) = config.get_dbname() {
        left.dbname(database);
    }
    if let Some(options) = config.get_options() {
        left.options(options);
    }
    if let Some(name) = config.get_application_name() {
        left.application_name(name);
    }
    if let Some(longest) = config.get_connect_timeout() {
        left.connect_timeout(*longest);
    }
    if let Some(longest) = config.get_tcp_user_timeout() {
        left.tcp_user_timeout(*longest);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        left.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        left.keepalives_retries(retries);
    }
    left.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts())
        .target_session_attrs(config.get_target_session_attrs());
    left
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

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    fn config(address: &str) -> Config {
        address.parse().expect("an address")
    }

    fn described(configs: &[Config]) -> Vec<String> {
        configs.iter().map(|one| format!("{one:?}")).collect()
    }

    /// Whatever the driver knows of is in what it prints of it, except for the password.
    #[test]
    fn one_host_is_left_as_it_is() {
        let addresses = [
            "postgres://host",
            "postgres://me:word@host:6000/base?hostaddr=10.0.0.1&options=-c%20a%3Db&application_name=door\
             &sslmode=require&sslnegotiation=direct&connect_timeout=3&tcp_user_timeout=4&keepalives=0\
             &keepalives_idle=5&keepalives_interval=6&keepalives_retries=7&target_session_attrs=read-write\
             &channel_binding=require&load_balance_hosts=random",
        ];
        for address in addresses {
            let config = config(address);
            let each = each_of(&config);
            assert_eq!(described(&each), described(slice::from_ref(&config)));
            assert_eq!(each[0].get_password(), config.get_password());
        }
    }

    #[test]
    fn each_host_keeps_its_port_and_its_address() {
        let several = config("postgres://me@a:1,b:2/base?host=/run/c&port=3");
        let expected = ["me@a:1", "me@b:2"].map(|at| config(&format!("postgres://{at}/base")));
        let socket = config("postgres://me@/base?host=/run/c&port=3");
        assert_eq!(
            described(&each_of(&several)),
            described(&[expected.as_slice(), &[socket]].concat())
        );
        let several = config("host=a,b hostaddr=10.0.0.1,10.0.0.2 port=7");
        let expected = [
            "host=a hostaddr=10.0.0.1 port=7",
            "host=b hostaddr=10.0.0.2 port=7",
        ]
        .map(config);
        assert_eq!(described(&each_of(&several)), described(&expected));
    }

    #[test]
    fn lists_that_do_not_fit_each_other_are_left_to_the_driver() {
        for address in ["host=a,b port=1,2,3", "host=a,b hostaddr=10.0.0.1"] {
            let config = config(address);
            assert_eq!(
                described(&each_of(&config)),
                described(slice::from_ref(&config))
            );
        }
    }

    #[test]
    fn each_host_comes_first_at_times() {
        let mut first = [false; 3];
        while first != [true; 3] {
            first[chance(3)] = true;
        }
    }
}
