//! The service of a test on a real socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use doorward::http::server::{Drained, Limits, Listener};
use doorward::http::tls::CertificateSource;
use doorward::router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::line::Line;
use crate::harness::{ADA, Server, server_with};

/// A listener at work, and somebody who is signed in.
pub struct Listening<'a> {
    pub server: &'a Server,
    pub address: SocketAddr,
    pub token: String,
}

/// Runs `test` against a service that listens in the clear.
pub async fn listening(test: impl AsyncFnOnce(&Listening)) {
    listening_with(&[], test).await;
}

/// The same with settings changed.
pub async fn listening_with(settings: &[(&str, &str)], test: impl AsyncFnOnce(&Listening)) {
    listening_over(settings, None, test).await;
}

/// The same, speaking TLS if there is a certificate.
pub async fn listening_over(
    settings: &[(&str, &str)],
    tls: Option<Arc<CertificateSource>>,
    test: impl AsyncFnOnce(&Listening),
) {
    server_with(settings, async |server| {
        let token = server.signs_up(ADA).await;
        listening_to(server, token, tls, test).await;
    })
    .await;
}

/// The same for a service that there is already.
pub async fn listening_to(
    server: &Server,
    token: String,
    tls: Option<Arc<CertificateSource>>,
    test: impl AsyncFnOnce(&Listening),
) {
    let (stop, stopped) = oneshot::channel::<()>();
    let (address, served) = serve(server, tls, stopped).await;
    test(&Listening {
        server,
        address,
        token,
    })
    .await;
    stop.send(()).expect("it still serves");
    let drained = served.await.expect("nothing panicked");
    assert!(drained.in_flight_finished(), "{drained:?}");
}

async fn serve(
    server: &Server,
    tls: Option<Arc<CertificateSource>>,
    stopped: oneshot::Receiver<()>,
) -> (SocketAddr, JoinHandle<Drained>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let listener = Listener {
        socket,
        tls,
        limits: Limits::default(),
        is_proxy: router::is_proxy(&server.app.config),
    };
    let router = router::router(&server.app);
    let stopped = async {
        let _ = stopped.await; // a test that has failed drops it
    };
    let served = tokio::spawn(listener.serve(router, stopped, Duration::from_secs(20)));
    (address, served)
}

impl Listening<'_> {
    /// A new connection.
    pub async fn connect(&self) -> Line {
        Line::new(self.tcp().await)
    }

    pub async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}
