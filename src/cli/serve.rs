//! `doorward serve`: opens everything, serves until it is told to stop, and finishes what it began.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::{Failure, Given, opening};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::server::{self, Limits, Listener};
use crate::http::tls::{self, CertificateSource};
use crate::tokens::keys::REFRESH_EVERY;
use crate::{figures, logs, router, sessions, tokens};

/// How often what has expired is removed, and how much of it at a time.
const PURGE_EVERY: Duration = Duration::from_secs(30);
const PURGE_ROWS: u32 = 500;

/// Whoever scrapes figures needs few connections; the rest of what the process may open is for callers.
const FIGURES_CONNECTIONS: usize = 32;

/// Runs the service
#[derive(Args)]
#[command(after_help = "Examples:
  doorward serve --dev                          try it on this machine
  DOORWARD_PUBLIC_URL=https://auth.example.com DOORWARD_TRUSTED_PROXIES=10.0.0.5 \\
    doorward serve --listen 10.0.0.7:8080       behind a proxy that serves HTTPS

`doorward config reference` lists every setting. SIGTERM stops it once what has begun is finished; SIGHUP reads the
TLS certificate again.")]
pub(super) struct Serve {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Where the files are
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Where people reach it
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

impl Serve {
    pub(super) fn run(self, given: Given) -> Result<(), Failure> {
        let mut inputs = given.inputs;
        let named = [
            ("listen", self.listen),
            ("data_dir", self.data_dir),
            ("public_url", self.public_url),
        ];
        inputs.flags.extend(
            named
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?))),
        );
        let config = opening::configuration(&inputs)?.config;
        logs::start(&config.log).map_err(Failure::configuration)?;
        let figures = figures::start().map_err(Failure::failed)?;
        server::raise_open_files();
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(Failure::failed)?
            .block_on(serve(config, figures))
    }
}

async fn serve(config: Config, figures: figures::Figures) -> Result<(), Failure> {
    opening::data_folder(&config)?;
    let certificate = match &config.tls {
        Some(tls) => {
            Some(CertificateSource::load(&tls.cert, &tls.key).map_err(Failure::configuration)?)
        }
        None => None,
    };
    let db = opening::database(&config).await?;
    let (secret_key, made_secret) = opening::secret_key(&config, &db).await?;
    let app = App::open(config, &secret_key, Clock::system(), db).await?;

    let socket = bind("listen", app.config.listen).await?;
    let address = socket.local_addr().map_err(Failure::failed)?;
    let figures_socket = match app.config.metrics_listen {
        Some(listen) => Some(bind("metrics_listen", listen).await?),
        None => None,
    };
    let is_proxy = router::is_proxy(&app.config);
    let limits = Limits::default();
    let (stop, _) = watch::channel(false);
    let stopped = |stop: &watch::Sender<bool>| {
        let mut stop = stop.subscribe();
        async move {
            let _ = stop.wait_for(|stop| *stop).await;
        }
    };

    if let Some(socket) = figures_socket {
        let listener = Listener {
            socket,
            tls: None,
            limits: Limits {
                connections: FIGURES_CONNECTIONS,
                ..limits
            },
            is_proxy: Arc::clone(&is_proxy),
        };
        tokio::spawn(listener.serve(
            figures::routes::router(&app, figures),
            stopped(&stop),
            Duration::ZERO,
        ));
    }
    tokio::spawn(keep_keys(app.clone()));
    tokio::spawn(purge(app.clone()));
    let hangup = signal(SignalKind::hangup()).map_err(Failure::failed)?;
    let told_to_stop = told_to_stop()?;
    tokio::spawn(reload_on_hangup(hangup, certificate.clone()));
    if let Some(certificate) = &certificate {
        tokio::spawn(Arc::clone(certificate).watch(tls::WATCH_EVERY));
    }
    super::welcome::print(&app.config, address, made_secret.as_deref());

    let listener = Listener {
        socket,
        tls: certificate,
        limits,
        is_proxy,
    };
    let serving = listener.serve(
        router::router(&app),
        stopped(&stop),
        app.config.shutdown_grace,
    );
    let signalled = async {
        let name = told_to_stop.await;
        tracing::info!(signal = name, "stopping: finishing what has begun");
        app.drain();
        stop.send_replace(true);
    };
    let (drained, ()) = tokio::join!(serving, signalled);
    app.passwords.stop().await;
    app.db.close().await;
    if !drained.in_flight_finished() {
        tracing::warn!(
            requests = drained.abandoned,
            "stopped: some requests did not finish in time"
        );
    }
    tracing::info!("stopped");
    Ok(())
}

async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format_args!(
            "cannot listen on {address} ({key}): {error}. Set {key} to an address that is free"
        ))
    })
}

/// Listens from now on; what comes says which signal came.
fn told_to_stop() -> Result<impl Future<Output = &'static str>, Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

/// Without a certificate a hang-up has nothing to do, and ends nothing either.
async fn reload_on_hangup(mut hangup: Signal, certificate: Option<Arc<CertificateSource>>) {
    while hangup.recv().await.is_some() {
        if let Some(certificate) = &certificate {
            certificate.reload();
        } else {
            tracing::info!("SIGHUP: there is no certificate to read again");
        }
    }
}

/// Takes in keys that another node or the operator made.
async fn keep_keys(app: App) {
    let mut tick = tokio::time::interval(REFRESH_EVERY);
    loop {
        tick.tick().await;
        if let Err(error) = app.refresh_keys().await {
            tracing::warn!(
                ?error,
                "could not look for new signing keys; going on with those known"
            );
        }
    }
}

/// Removes expired sessions a few at a time, so that no sign-in waits behind it, and keys that verify nothing any more.
async fn purge(app: App) {
    let mut tick = tokio::time::interval(PURGE_EVERY);
    loop {
        tick.tick().await;
        if let Err(error) = app
            .db
            .write(tokens::store::delete_dead(app.clock.now()))
            .await
        {
            tracing::warn!(%error, "could not remove keys that are over; trying again later");
        }
        loop {
            let expired =
                db::Unit::new().run(sessions::store::delete_expired(app.clock.now(), PURGE_ROWS));
            match app.db.write(expired).await {
                Ok(written) if written.touched(0) == u64::from(PURGE_ROWS) => {
                    tokio::task::yield_now().await;
                }
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "could not remove expired sessions; trying again later");
                    break;
                }
            }
        }
    }
}
