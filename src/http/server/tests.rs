//! Real sockets, raw bytes, and where time has to pass, pipes in memory under a clock that the test moves.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod drain;
mod framing;
mod http1;
mod http2;
mod patience;
mod tls;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Router, body::Bytes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::http::client::Peer;

/// A listener at work.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Drained>,
}

impl Running {
    async fn new(app: Router, tls: Option<Arc<CertificateSource>>, grace: Duration) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let listener = Listener {
            socket,
            tls,
            limits: Limits::default(),
            is_shared: Arc::new(|_| true),
            workers: Arc::new(Workers::none()),
        };
        let stop_asked = async {
            let _ = stopped.await; // a test that drops its server is done with it
        };
        let served = tokio::spawn(listener.serve(app, stop_asked, grace));
        Self {
            address,
            stop,
            served,
        }
    }

    async fn plain() -> Self {
        Self::new(app(), None, Duration::from_secs(20)).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `bytes` and gives back all that is answered until the server closes.
    async fn tell(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may have answered and closed before it has all; what it said still counts.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    /// Shows that the server still serves.
    async fn is_alive(&self) {
        let answer = self
            .tell(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await;
        assert!(answer.ends_with("\r\n\r\nhello\n"), "{answer}");
    }
}

fn app() -> Router {
    Router::new()
        .route("/", get(|| async { "hello\n" }))
        .route("/echo", post(|body: Bytes| async { body }))
        .route(
            "/number/{n}",
            get(|Path(n): Path<u32>| async move { format!("[{n}]") }),
        )
        .route("/peer", get(peer))
        .route("/large", get(|| async { "x".repeat(4 * 1024 * 1024) }))
        .route("/never", get(std::future::pending::<()>))
        .route("/full", get(|| async { StatusCode::SERVICE_UNAVAILABLE }))
}

/// An app whose `/wait` says when it has been asked, answers when it is let go, and says when it is over either way.
struct Waiting {
    asked: Arc<Notify>,
    let_go: Arc<Notify>,
    over: Arc<Notify>,
}

impl Waiting {
    fn app() -> (Self, Router) {
        let notify = || Arc::new(Notify::new());
        let waiting = Self {
            asked: notify(),
            let_go: notify(),
            over: notify(),
        };
        let (asked, let_go, over) = (
            Arc::clone(&waiting.asked),
            Arc::clone(&waiting.let_go),
            Arc::clone(&waiting.over),
        );
        let wait = move || {
            let (asked, let_go) = (Arc::clone(&asked), Arc::clone(&let_go));
            let over = NotifyOnDrop(Arc::clone(&over));
            async move {
                asked.notify_one();
                let_go.notified().await;
                drop(over);
                "done\n"
            }
        };
        (waiting, app().route("/wait", get(wait)))
    }
}

struct NotifyOnDrop(Arc<Notify>);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

async fn peer(Extension(peer): Extension<Peer>) -> String {
    format!("{} {}", peer.address.ip(), peer.tls)
}

/// Sends each of these and expects one refusal and a close.
async fn refused_with(status: &str, cases: &[(&str, &[u8])]) {
    let server = Running::plain().await;
    for (name, bytes) in cases {
        let answer = server.tell(bytes).await;
        let said = answer.split_once(' ').unwrap_or_default().1;
        assert!(
            said.starts_with(&format!("{status}\r\n")),
            "{name}: {answer:?}"
        );
        assert!(
            answer.contains("connection: close\r\n"),
            "{name}: {answer:?}"
        );
        assert_eq!(answer.matches("\r\ndate:").count(), 1, "{name}: {answer:?}");
        assert!(
            !answer.to_lowercase().contains("\r\nserver:"),
            "{name}: {answer:?}"
        );
    }
    server.is_alive().await;
}
