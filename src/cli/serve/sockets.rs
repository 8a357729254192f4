//! Where a service listens: the main listener, and one for `/metrics` alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::App;
use crate::cli::Failure;
use crate::config::Config;
use crate::figures::{self, Figures};
use crate::http::server::{Drained, Limits, Listener, Workers};
use crate::http::tls::CertificateSource;
use crate::router;

/// Whoever scrapes figures needs few connections; the rest of what the process may open is for callers.
const FIGURES_CONNECTIONS: usize = 32;

/// Bound, and not served yet.
pub(super) struct Sockets {
    main: TcpListener,
    figures: Option<TcpListener>,
}

impl Sockets {
    pub(super) async fn bind(config: &Config) -> Result<Self, Failure> {
        let figures = match config.metrics_listen {
            Some(listen) => Some(bind("metrics_listen", listen).await?),
            None => None,
        };
        Ok(Self {
            main: bind("listen", config.listen).await?,
            figures,
        })
    }

    /// Where the main listener is.
    pub(super) fn address(&self) -> Result<SocketAddr, Failure> {
        self.main.local_addr().map_err(Failure::failed)
    }

    /// Serves until `told_to_stop`, and finishes what has begun.
    pub(super) async fn serve(
        self,
        app: &App,
        workers: &Arc<Workers>,
        figures: Figures,
        certificate: Option<Arc<CertificateSource>>,
        told_to_stop: impl Future<Output = &'static str>,
    ) -> Drained {
        let (stop, stopped) = watch::channel(false);
        let until = |mut stopped: watch::Receiver<bool>| async move {
            // Without a sender nobody is left to serve for, either.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let main = Listener {
            socket: self.main,
            tls: certificate,
            limits: Limits::default(),
            is_shared: router::is_shared(&app.config),
            workers: Arc::clone(workers),
        };
        if let Some(socket) = self.figures {
            let listener = Listener {
                socket,
                tls: None,
                limits: Limits {
                    connections: FIGURES_CONNECTIONS,
                    ..Limits::default()
                },
                is_shared: Arc::clone(&main.is_shared),
                workers: Arc::new(Workers::none()),
            };
            let router = figures::routes::router(app, figures);
            tokio::spawn(listener.serve(router, until(stopped.clone()), Duration::ZERO));
        }
        let grace = app.config.shutdown_grace;
        let serving = main.serve(router::router(app), until(stopped), grace);
        let stopping = async {
            let name = told_to_stop.await;
            tracing::info!(signal = name, "stopping: finishing what has begun");
            app.drain();
            stop.send_replace(true);
        };
        let (drained, ()) = tokio::join!(serving, stopping);
        drained
    }
}

async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format_args!(
            "cannot listen on {address} ({key}): {error}. Set {key} to an address that is free"
        ))
    })
}
