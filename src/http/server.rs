//! The accept loop: takes connections in, keeps their number in bounds, and at the end lets them finish.
//! What happens on one connection is in `connection`; what a request means is the router's.

mod activity;
mod connection;
mod cores;
mod limits;
mod places;
mod watched;
mod well_formed;
mod workers;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::Service;

use self::connection::Doorway;
pub use self::limits::{Limits, raise_open_files};
use self::places::{Place, Places};
pub use self::workers::Workers;
use super::tls::CertificateSource;

/// How long to wait when the system has no more files or memory for another connection. Others will end meanwhile;
/// trying again at once would only burn the processor.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// One bound socket and how it is to be served.
pub struct Listener {
    /// Where connections come in.
    pub socket: TcpListener,
    /// With it the socket speaks TLS and nothing else; without it HTTP/1 in the clear.
    pub tls: Option<Arc<CertificateSource>>,
    /// What a client may cost.
    pub limits: Limits,
    /// Which addresses the bound on connections for each address is not for.
    pub is_shared: IsShared,
    /// Who serves them.
    pub workers: Arc<Workers>,
}

/// Tells whether an address stands for many people, as that of a proxy does.
pub type IsShared = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// What answers requests.
pub trait Answers:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Answers for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Requests that had begun and were not answered when the time of grace was over.
    pub abandoned: usize,
}

impl Drained {
    /// Whether every request that had begun was answered.
    pub const fn in_flight_finished(self) -> bool {
        self.abandoned == 0
    }
}

/// What connections are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Serve,
    /// Answer what has begun, begin nothing more.
    Drain,
    /// Stop now.
    Cut,
}

impl Listener {
    /// Serves `app` until `stop` completes, then stops accepting at once, closes idle connections and gives requests that
    /// have begun `grace` to finish. The socket is closed when this returns.
    ///
    /// Each request carries its [`Peer`](super::client::Peer) as an extension.
    pub async fn serve(
        self,
        app: impl Answers,
        stop: impl Future<Output = ()>,
        grace: Duration,
    ) -> Drained {
        let places = Places::new(&self.limits, Arc::clone(&self.is_shared));
        let doorway = Arc::new(Doorway::new(app, self.tls.as_deref(), self.limits.clone()));
        let (signal, heard) = watch::channel(Signal::Serve);
        let abandoned = Arc::new(AtomicUsize::new(0));
        let accepting = async {
            loop {
                let (stream, address, place) = next(&self.socket, &places).await;
                let (doorway, abandoned) = (Arc::clone(&doorway), Arc::clone(&abandoned));
                let mut heard = heard.clone();
                self.workers.serve(async move {
                    let cut_off = doorway.attend(stream, address, &mut heard).await;
                    abandoned.fetch_add(cut_off, Ordering::Relaxed);
                    // Last, because `finish` takes it for the end of all that is to be counted.
                    drop((place, heard));
                });
            }
        };
        tokio::select! {
            biased;
            () = stop => {}
            () = accepting => {}
        }
        drop(self.socket);
        drop(heard);
        finish(&signal, grace).await;
        Drained {
            abandoned: abandoned.load(Ordering::Relaxed),
        }
    }
}

/// Waits until no connection listens to the signal any more, which is when all have ended.
async fn finish(signal: &watch::Sender<Signal>, grace: Duration) {
    signal.send_replace(Signal::Drain);
    if tokio::time::timeout(grace, signal.closed()).await.is_err() {
        signal.send_replace(Signal::Cut);
        signal.closed().await;
    }
}

/// The next connection that there is room for. While every place is taken, further ones wait in the kernel's queue.
async fn next(
    socket: &TcpListener,
    places: &Arc<Places>,
) -> (std::net::TcpStream, SocketAddr, Place) {
    loop {
        let free = places.free().await;
        let (stream, address) = accept(socket).await;
        // Out of this runtime, for one of a worker's.
        match stream.into_std() {
            Ok(stream) => {
                if let Some(place) = places.take(free, address.ip()) {
                    return (stream, address, place);
                }
            }
            Err(error) => {
                tracing::debug!(%address, "the connection ended before it was served: {error}");
            }
        }
    }
}

async fn accept(socket: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut exhausted = false;
    loop {
        match socket.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if !exhausted {
                    tracing::warn!("new connections have to wait: {error}");
                }
                exhausted = true;
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
        }
    }
}

/// Whether an error of `accept` speaks of the connection that it would have returned, rather than of this process. Linux
/// passes on what went wrong between the handshake and now (accept(2), "Error handling").
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::ConnectionAborted
            | K::ConnectionReset
            | K::ConnectionRefused
            | K::NetworkDown
            | K::NetworkUnreachable
            | K::HostUnreachable
            | K::TimedOut
            | K::Interrupted
            | K::WouldBlock
    )
}

#[cfg(test)]
mod tests;
