//! Where a database is: a file or a server.

use std::{net::IpAddr, path::PathBuf, str::FromStr};

use tokio_postgres::config::{Config, Host, SslMode};

use crate::OpenError;

pub(crate) enum Address {
    File(File),
    Server(Box<Server>),
}

/// A file and what is asked of it.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// How many units share a commit at most.
    pub(crate) group: usize,
}

/// A server and what is asked of it.
pub(crate) struct Server {
    pub(crate) config: Config,
    /// The schema to work in; the server's own choice without it. A plain name that needs no quotes.
    pub(crate) schema: Option<String>,
    /// How many connections may write at a time.
    pub(crate) pool: usize,
    /// Whom to trust, if TLS is asked for.
    pub(crate) tls: Option<Roots>,
}

/// Who may vouch for the server.
pub(crate) enum Roots {
    /// Whom the system trusts.
    System,
    /// The certificates in a PEM file.
    File(PathBuf),
}

/// The file that an address names: `None` when it names a server, or cannot be used.
pub fn file_of(url: &str) -> Option<PathBuf> {
    (!is_server(url))
        .then(|| File::parse(url).ok())?
        .map(|file| file.path)
}

impl Address {
    /// Reads `path`, `sqlite:path`, `sqlite:///path` or `postgres://...`.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        if is_server(url) {
            Ok(Self::Server(Box::new(Server::parse(url)?)))
        } else {
            Ok(Self::File(File::parse(url)?))
        }
    }
}

fn is_server(url: &str) -> bool {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme);
    matches!(scheme, Some("postgres" | "postgresql"))
}

impl File {
    /// How many units share a commit when the address does not say, and at most: enough to make it cheap, few enough
    /// that the first does not wait for the last.
    const GROUP: usize = 64;

    fn parse(url: &str) -> Result<Self, OpenError> {
        let path = match url.split_once(':') {
            Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
            Some((scheme, rest)) if rest.starts_with("//") => {
                return refuse(format!("`{scheme}` is neither `sqlite` nor `postgres`"));
            }
            _ => url,
        };
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if path.is_empty() || path.starts_with(":memory:") {
            return refuse("it names no file; give a path, such as sqlite:data/app.db");
        }
        let mut group = Self::GROUP;
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("group", size)) => match size.parse() {
                    Ok(size @ 1..=Self::GROUP) => group = size,
                    _ => return refuse("`group` is a number of changes, from 1 to 64"),
                },
                _ => return refuse("a SQLite path takes no parameter (`?`) but `group`"),
            }
        }
        Ok(Self {
            path: PathBuf::from(path),
            group,
        })
    }
}

impl Server {
    /// How many connections write when the address does not say.
    const POOL: usize = 8;

    /// Takes our own parameters out of the address and leaves the others to the driver. No text of a refusal quotes
    /// the address, which may hold a password.
    fn parse(url: &str) -> Result<Self, OpenError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut schema = None;
        let mut pool = Self::POOL;
        let mut roots = Roots::System;
        let mut wants_tls = None;
        let mut left = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("schema", name)) => schema = Some(schema_name(name)?),
                Some(("pool", size)) => match size.parse() {
                    Ok(size @ 1..=1000) => pool = size,
                    _ => return refuse("`pool` is a number of connections, from 1 to 1000"),
                },
                Some(("sslmode", "disable")) => wants_tls = Some(false),
                Some(("sslmode", "require" | "verify-full")) => wants_tls = Some(true),
                Some(("sslmode", _)) => {
                    return refuse(
                        "`sslmode` is `verify-full`, `require` (which is the same here) or `disable`",
                    );
                }
                Some(("sslrootcert", "system")) => roots = Roots::System,
                Some(("sslrootcert", path)) => roots = Roots::File(path.into()),
                _ => left.push(parameter),
            }
        }
        let address = format!("{base}?{}", left.join("&"));
        let mut config = match Config::from_str(&address) {
            Ok(config) => config,
            Err(e) => {
                let why = std::error::Error::source(&e)
                    .map_or_else(|| e.to_string(), ToString::to_string);
                return refuse(why);
            }
        };
        if wants_tls.is_none() && config.get_hosts().iter().any(is_elsewhere) {
            tracing::warn!(
                "the connection to the database is not encrypted: add sslmode=verify-full to its address"
            );
        }
        let tls = (wants_tls == Some(true)).then_some(roots);
        config.ssl_mode(if tls.is_some() {
            SslMode::Require
        } else {
            SslMode::Disable
        });
        Ok(Self {
            config,
            schema,
            pool,
            tls,
        })
    }
}

/// Whether what is sent to this host leaves the machine.
fn is_elsewhere(host: &Host) -> bool {
    match host {
        Host::Unix(_) => false,
        Host::Tcp(name) => {
            name != "localhost"
                && !name
                    .parse::<IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
    }
}

/// A name that means the same with and without quotes.
fn schema_name(name: &str) -> Result<String, OpenError> {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain && name.len() <= 63 {
        Ok(name.to_owned())
    } else {
        refuse("`schema` is a name of lower-case letters, digits and `_`, at most 63 of them")
    }
}

fn refuse<T>(why: impl Into<String>) -> Result<T, OpenError> {
    Err(OpenError::Address(why.into()))
}
