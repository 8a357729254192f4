//! `doorward healthcheck`: asks a running service how it is, as a container's health check does.

mod tls;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;

use super::{Failure, Given, opening};
use crate::config::{Config, Origin};

/// A service that is well answers long before.
const PATIENCE: Duration = Duration::from_secs(5);
/// No status line of ours is near this long, in bytes.
const MAX_STATUS_LINE: u64 = 1_024;

/// Asks a running service whether it is well
#[derive(Args)]
#[command(after_help = "Examples:
  doorward healthcheck                                  whether it lives: restart it otherwise
  doorward healthcheck --ready                          whether it can serve: send it nothing otherwise
  HEALTHCHECK CMD [\"doorward\", \"healthcheck\"]           in a Dockerfile

It asks where `listen` says, by the same configuration as the service. Over HTTPS the service has to show the very
certificate in tls.cert. Exits with 0 when the service is well, 1 when it says that it is not, and 69 when it does not
answer within 5 seconds.")]
pub(super) struct Healthcheck {
    /// Asks whether it can serve (/readyz), rather than whether it lives (/livez)
    #[arg(long)]
    ready: bool,
    /// Where it is, when `listen` does not say: http:// or https://, a host and a port
    #[arg(long, value_parser = Origin::parse)]
    url: Option<Origin>,
}

/// Whom to ask.
struct Service {
    host: String,
    port: u16,
    /// The certificate that it has to show; `None` for plain HTTP.
    cert: Option<PathBuf>,
}

impl Healthcheck {
    pub(super) fn run(self, given: &Given) -> Result<(), Failure> {
        let config = opening::configuration(&given.inputs)?.config;
        let path = if self.ready { "/readyz" } else { "/livez" };
        let service = match &self.url {
            Some(url) => Service::at(url, &config)?,
            None => Service::configured(&config)?,
        };
        let (host, port) = (&service.host, service.port);
        let asked = async {
            match tokio::time::timeout(PATIENCE, service.status_of(path)).await {
                Ok(status) => status,
                Err(_) => Err(Failure::unreachable(format_args!(
                    "{host}:{port} did not answer within {} seconds",
                    PATIENCE.as_secs()
                ))),
            }
        };
        match opening::block_on(asked)? {
            200 => Ok(()),
            status => Err(Failure::failed(format_args!(
                "{host}:{port} answers {status} to {path}"
            ))),
        }
    }
}

impl Service {
    /// Where this configuration listens, from this machine.
    fn configured(config: &Config) -> Result<Self, Failure> {
        let listen = config.listen;
        if listen.port() == 0 {
            return Err(Failure::usage(
                "`listen` leaves the port open: say where the service is by --url",
            ));
        }
        Ok(Self {
            host: reachable(listen).to_string(),
            port: listen.port(),
            cert: config.tls.as_ref().map(|tls| tls.cert.clone()),
        })
    }

    fn at(url: &Origin, config: &Config) -> Result<Self, Failure> {
        let cert = match url.scheme() {
            "http" => None,
            "https" => Some(config.tls.as_ref().map(|tls| tls.cert.clone()).ok_or_else(|| {
                Failure::usage("https:// needs tls.cert, which is how the service is known to be the right one")
            })?),
            scheme => {
                return Err(Failure::usage(format_args!(
                    "{scheme}:// is neither http:// nor https://"
                )));
            }
        };
        Ok(Self {
            host: url.host().trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(0),
            cert,
        })
    }

    async fn status_of(&self, path: &str) -> Result<u16, Failure> {
        let connected = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = connected.map_err(|error| {
            Failure::unreachable(format_args!(
                "cannot connect to {}:{}: {error}",
                self.host, self.port
            ))
        })?;
        let status = match &self.cert {
            None => ask(stream, &self.host, path).await,
            Some(cert) => {
                ask(
                    tls::connect(stream, &self.host, cert).await?,
                    &self.host,
                    path,
                )
                .await
            }
        };
        status.map_err(|error| {
            Failure::failed(format_args!(
                "{}:{} does not speak HTTP as it should: {error}",
                self.host, self.port
            ))
        })
    }
}

/// The address as a connection from this machine takes it: "any address" is none to connect to.
fn reachable(listen: SocketAddr) -> IpAddr {
    match listen.ip() {
        IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(any) if any.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

/// Asks for `path` and reads the status of the answer.
async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    host: &str,
    path: &str,
) -> io::Result<u16> {
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: doorward-healthcheck\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut line = Vec::new();
    BufReader::new(stream.take(MAX_STATUS_LINE))
        .read_until(b'\n', &mut line)
        .await?;
    std::str::from_utf8(&line)
        .ok()
        .filter(|line| line.starts_with("HTTP/1.1 "))
        .and_then(|line| line.split(' ').nth(1)?.trim_end().parse().ok())
        .ok_or_else(|| io::Error::other("the answer has no status"))
}
