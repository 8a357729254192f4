//! What a service does beside answering: it listens for signals, takes in new keys and certificates, and removes what
//! is over. What fails is logged and tried again; one thing ends the service: a database that has become older under it.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use super::purge;
use crate::app::App;
use crate::cli::Failure;
use crate::error::Error;
use crate::figures::{self, Figures};
use crate::http::tls::{self, CertificateSource};
use crate::revocations::{CannotTell, Forgotten};
use crate::tokens::keys::REFRESH_EVERY;
use crate::{password, revocations, tokens};

/// How often what is over is looked for.
const PURGE_EVERY: Duration = Duration::from_secs(30);
/// How often the sessions are counted.
const COUNT_EVERY: Duration = Duration::from_mins(1);

/// How often figures are added up.
const ADD_UP_EVERY: Duration = Duration::from_secs(1);

/// How often nodes tell one another how passwords were found hashed, and how often all are looked through.
const TELL_EVERY: Duration = Duration::from_mins(1);
const SURVEY_EVERY: Duration = Duration::from_hours(1);

/// Begins with all of them, until the runtime ends, or until what comes says why nobody may be served any more.
pub(super) fn begin(
    app: &App,
    figures: &Figures,
    certificate: Option<&Arc<CertificateSource>>,
) -> Result<oneshot::Receiver<Forgotten>, Failure> {
    let hangup = signal(SignalKind::hangup()).map_err(Failure::failed)?;
    tokio::spawn(reload_on_hangup(hangup, certificate.cloned()));
    if let Some(certificate) = certificate {
        tokio::spawn(Arc::clone(certificate).watch(tls::WATCH_EVERY));
    }
    tokio::spawn(keep_keys(app.clone()));
    let (tell, told) = oneshot::channel();
    tokio::spawn(keep_revocations(app.clone(), tell));
    tokio::spawn(remove_what_is_over(app.clone()));
    tokio::spawn(count_sessions(app.clone()));
    tokio::spawn(add_up(figures.clone()));
    tokio::spawn(keep_recipes(app.clone()));
    tokio::spawn(survey_passwords(app.clone()));
    Ok(told)
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

/// Takes in what other nodes revoked. While that fails, the database is asked each time.
async fn keep_revocations(app: App, tell: oneshot::Sender<Forgotten>) {
    let mut tick = tokio::time::interval(revocations::REFRESH_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_failing = false;
    loop {
        tick.tick().await;
        match app.revocations.refresh(&app.db, app.clock.now()).await {
            Ok(()) => is_failing = false,
            Err(CannotTell::Forgotten(found)) => {
                let _ = tell.send(found); // or the service ends already
                return;
            }
            Err(error) if !is_failing => {
                tracing::warn!(%error, "could not take in revocations; trying again until it works");
                is_failing = true;
            }
            Err(_) => {}
        }
    }
}

/// Removes what is over: keys that verify nothing any more, and rows that expire.
async fn remove_what_is_over(app: App) {
    let mut expiring = purge::all(&app.config.audit);
    let mut tick = tokio::time::interval(PURGE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = app
            .db
            .write(tokens::store::delete_dead(app.clock.now()))
            .await
        {
            tracing::warn!(%error, "could not remove keys that are over; trying again later");
        }
        for rows in &mut expiring {
            rows.purge(&app).await;
        }
    }
}

/// Keeps known how passwords are hashed, by which refusals are held back.
async fn keep_recipes(app: App) {
    let mut tick = tokio::time::interval(TELL_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = app.passwords.refresh_recipes(&app.db).await {
            tracing::warn!(
                ?error,
                "could not ask how passwords are hashed; going on with what is known"
            );
        }
    }
}

/// Finds out how passwords are hashed that nobody has tried yet.
async fn survey_passwords(app: App) {
    let mut tick = tokio::time::interval(SURVEY_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = survey(&app).await {
            tracing::warn!(
                ?error,
                "could not look through the passwords; trying again later"
            );
        }
    }
}

async fn survey(app: &App) -> Result<(), Error> {
    password::survey(&app.db).await?;
    app.passwords.refresh_recipes(&app.db).await
}

/// Keeps the figure of live sessions.
async fn count_sessions(app: App) {
    let mut tick = tokio::time::interval(COUNT_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = figures::count_sessions(&app).await {
            tracing::warn!(?error, "could not count the sessions");
        }
    }
}

/// Keeps figures from taking memory for each request.
async fn add_up(figures: Figures) {
    let mut tick = tokio::time::interval(ADD_UP_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        figures.add_up();
    }
}
