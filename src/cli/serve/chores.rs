//! What a service does beside answering: it listens for signals, takes in new keys and certificates, and removes what
//! is over. Nothing here ends the service; what fails is logged and tried again.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::App;
use crate::cli::Failure;
use crate::http::tls::{self, CertificateSource};
use crate::tokens::keys::REFRESH_EVERY;
use crate::{sessions, tokens};

/// How often what has expired is removed, and how much of it at a time.
const PURGE_EVERY: Duration = Duration::from_secs(30);
const PURGE_ROWS: u32 = 500;

/// Begins with all of them, until the runtime ends.
pub(super) fn begin(
    app: &App,
    certificate: Option<&Arc<CertificateSource>>,
) -> Result<(), Failure> {
    let hangup = signal(SignalKind::hangup()).map_err(Failure::failed)?;
    tokio::spawn(reload_on_hangup(hangup, certificate.cloned()));
    if let Some(certificate) = certificate {
        tokio::spawn(Arc::clone(certificate).watch(tls::WATCH_EVERY));
    }
    tokio::spawn(keep_keys(app.clone()));
    tokio::spawn(purge(app.clone()));
    Ok(())
}

/// Listens from now on; what comes says which signal came.
pub(super) fn told_to_stop() -> Result<impl Future<Output = &'static str>, Failure> {
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
