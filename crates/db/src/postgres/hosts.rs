//! The hosts of an address, of which each is asked in its turn.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use tokio_postgres::{Config, config::Host};

use super::CONNECT;

/// How many hosts an address has.
pub(super) fn number(config: &Config) -> usize {
    let addresses = config.get_hostaddrs().len();
    config.get_hosts().len().max(addresses).max(1)
}

/// How long each of so many hosts has to answer before the next is asked as well; what is left is for the last.
pub(super) fn share(hosts: usize) -> Duration {
    CONNECT / u32::try_from(hosts + 1).unwrap_or(u32::MAX)
}

/// Some number less than `end`, which is one at least.
pub(super) fn chance(end: usize) -> usize {
    let some = RandomState::new().hash_one(end);
    usize::try_from(some % end as u64).unwrap_or_default()
}

/// The configuration with each of its hosts alone. One that the driver refuses, since its lists do not fit each other, stays as
/// it is.
pub(super) fn each(config: &Config) -> Vec<Config> {
    let number = number(config);
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

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    fn config(address: &str) -> Config {
        address.parse().expect("an address")
    }

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
            assert_eq!(super::each(&config), slice::from_ref(&config));
        }
    }

    #[test]
    fn each_host_keeps_its_port_and_its_address() {
        let several = config("postgres://me@a:1,b:2/base?host=/run/c&port=3");
        let expected = ["me@a:1", "me@b:2"].map(|at| config(&format!("postgres://{at}/base")));
        let socket = config("postgres://me@/base?host=/run/c&port=3");
        assert_eq!(
            super::each(&several),
            [expected.as_slice(), &[socket]].concat()
        );
        let several = config("host=a,b hostaddr=10.0.0.1,10.0.0.2 port=7");
        let expected = [
            "host=a hostaddr=10.0.0.1 port=7",
            "host=b hostaddr=10.0.0.2 port=7",
        ]
        .map(config);
        assert_eq!(super::each(&several), expected);
    }

    #[test]
    fn lists_that_do_not_fit_each_other_are_left_to_the_driver() {
        for address in ["host=a,b port=1,2,3", "host=a,b hostaddr=10.0.0.1"] {
            let config = config(address);
            assert_eq!(super::each(&config), slice::from_ref(&config));
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
