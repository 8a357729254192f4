//! The service of a test on a real socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use doorward::http::route::Who;
use doorward::http::server::{Drained, Limits, Listener, Workers};
use doorward::http::tls::CertificateSource;
use doorward::router;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::line::Line;
use crate::harness::{ADA, PASSWORD, Server, server_with};

/// A listener at work, and somebody who is signed in.
pub struct Listening<'a> {
    pub server: &'a Server,
    pub address: SocketAddr,
    pub token: String,
    /// A token whose session is over: whoever goes by it changes nothing.
    gone: String,
}

/// Runs `test` against a service that listens in the clear.
pub async fn listening(test: impl AsyncFnOnce(&Listening)) {
    listening_with(&[], test).await;
}

/// The same with settings changed.
pub async fn listening_with(settings: &[(&str, &str)], test: impl AsyncFnOnce(&Listening)) {
    listening_at(settings, Door::default(), test).await;
}

/// The door that a service listens at.
pub struct Door {
    /// With it TLS is spoken.
    pub tls: Option<Arc<CertificateSource>>,
    pub limits: Limits,
    /// Whether all addresses are held to their share of the connections, those of this machine as well.
    pub counts_everybody: bool,
}

impl Default for Door {
    /// In the clear, with the limits of the real one.
    fn default() -> Self {
        Self {
            tls: None,
            limits: Limits::default(),
            counts_everybody: false,
        }
    }
}

/// The same at another door.
pub async fn listening_at(
    settings: &[(&str, &str)],
    door: Door,
    test: impl AsyncFnOnce(&Listening),
) {
    server_with(settings, async |server| {
        let token = server.signs_up(ADA).await;
        let gone = server.signs_in(ADA, PASSWORD).await;
        let gone = gone.token().unwrap().to_owned();
        let out = server.post_as(&gone, "/auth/signout", &json!({})).await;
        assert_eq!(out.status, 204, "{out:?}");
        listening_to(server, [token, gone], door, test).await;
    })
    .await;
}

impl Listening<'_> {
    /// What a route asks of such callers, so that nothing but what a test does to the request is wrong with it.
    pub fn token_for(&self, who: Who) -> Option<&str> {
        match who {
            Who::Anyone | Who::Client => None,
            Who::SignedIn => Some(&self.token),
            Who::Leaving => Some(&self.gone),
        }
    }
}

/// The same for a service that there is already.
pub async fn listening_to(
    server: &Server,
    [token, gone]: [String; 2],
    door: Door,
    test: impl AsyncFnOnce(&Listening),
) {
    let (stop, stopped) = oneshot::channel::<()>();
    let (address, served) = serve(server, door, stopped).await;
    test(&Listening {
        server,
        address,
        token,
        gone,
    })
    .await;
    stop.send(()).expect("it still serves");
    let drained = served.await.expect("nothing panicked");
    assert!(drained.in_flight_finished(), "{drained:?}");
}

async fn serve(
    server: &Server,
    door: Door,
    stopped: oneshot::Receiver<()>,
) -> (SocketAddr, JoinHandle<Drained>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let listener = Listener {
        socket,
        tls: door.tls,
        limits: door.limits,
        is_shared: if door.counts_everybody {
            Arc::new(|_| false)
        } else {
            router::is_shared(&server.app.config)
        },
        workers: Arc::new(Workers::none()),
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
