//! `doorward serve`: opens everything, serves until it is told to stop, and finishes what it began.

mod chores;
mod purge;
mod sockets;

use std::sync::Arc;

use clap::Args;

use super::{Failure, Given, opening, welcome};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::figures::{self, Figures};
use crate::http::server::{self, Workers};
use crate::http::tls::CertificateSource;
use crate::logs;
use crate::revocations::{Forgotten, recover};
use sockets::Sockets;

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
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::failed)?
            .block_on(serve(config, figures))
    }
}

async fn serve(config: Config, figures: Figures) -> Result<(), Failure> {
    opening::data_folder(&config)?;
    let certificate = match &config.tls {
        Some(tls) => {
            Some(CertificateSource::load(&tls.cert, &tls.key).map_err(Failure::configuration)?)
        }
        None => None,
    };
    let db = opening::database(&config).await?;
    let (secret_key, made_secret) = opening::secret_key(&config, &db).await?;
    if let Some(recovered) = recover(&db, &config.data_dir, Clock::system().now()).await? {
        welcome::tell_of_recovery(&recovered);
    }
    let app = App::open(config, &secret_key, Clock::system(), db).await?;

    let workers = Arc::new(Workers::start().map_err(Failure::failed)?);
    let sockets = Sockets::bind(&app.config).await?;
    let told_to_stop = chores::told_to_stop()?;
    let forgotten = chores::begin(&app, &figures, certificate.as_ref())?;
    welcome::print(&app.config, sockets.address()?, made_secret.as_deref());
    let serving = sockets.serve(&app, &workers, figures, certificate, told_to_stop);
    let drained = tokio::select! {
        drained = serving => drained,
        // At once: whoever is answered now may be somebody whose session was ended.
        Ok(found) = forgotten => return Err(forgetful(found)),
    };
    app.passwords.stop().await;
    app.db.close().await;
    // Not sooner: what they began may be on its way to the database.
    drop(workers);
    if !drained.in_flight_finished() {
        tracing::warn!(
            requests = drained.abandoned,
            "stopped: some requests did not finish in time"
        );
    }
    tracing::info!("stopped");
    Ok(())
}

/// Why it cannot go on, when the database has become older under it.
fn forgetful(found: Forgotten) -> Failure {
    tracing::error!(%found, "stopped: sessions that were ended may be open again");
    Failure::failed(format_args!(
        "{found}. Sessions that were ended may be open in it, so this service has stopped at once; the next start ends all \
         sessions before it serves"
    ))
}
