//! Who may try at all: whom there is room for, a device that the account knows in its own lane, everybody else in one.

use std::time::Duration;

use passhash::Turn;
use tokio::time::Instant;

use super::Attempt;
use crate::app::App;
use crate::attempts::device::Device;
use crate::attempts::{self, Lane, Permit};
use crate::audit::By;
use crate::config::ProofWanted;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::password::{self, Account};
use crate::proofs;

/// Somebody who may try once.
pub(super) struct Admitted {
    pub(super) permit: Permit,
    /// The device, if the account knows it.
    pub(super) device: Option<Device>,
    /// The account, if there is one.
    pub(super) account: Option<Account>,
    /// How long it took to look for the account.
    pub(super) looked: Duration,
}

/// Lets in who may try. Whom there is no room for is told before anything is done for them, and a stranger who has to wait
/// before the account is looked for, so that neither answer can tell whether there is one.
pub(super) async fn admit(
    app: &App,
    attempt: &Attempt,
    asking: &Asking,
) -> Result<Admitted, Error> {
    let key = attempt.email.key();
    let text = attempt.device.as_ref();
    let claimed = text.and_then(|text| Device::read(text.expose(), key, &app.stamp, asking.now));
    let early = if claimed.is_some() {
        app.passwords.admits(turn(true, asking))?;
        None
    } else {
        Some(as_stranger(app, attempt, asking).await?)
    };
    let began = Instant::now();
    let account = password::store::account(&app.db, key).await?;
    let looked = began.elapsed();
    let set_at = account.as_ref().and_then(|account| account.set_at);
    let device = claimed.filter(|device| set_at.is_some_and(|at| device.is_known_since(at)));
    let permit = match (early, &device) {
        (Some(permit), _) => permit,
        (None, Some(device)) => {
            let lane = Lane::of_device(&app.stamp, device, key);
            charge(app, lane, turn(true, asking), asking).await?
        }
        // The text was ours, and the password is another by now.
        (None, None) => as_stranger(app, attempt, asking).await?,
    };
    Ok(Admitted {
        permit,
        device,
        account,
        looked,
    })
}

/// Leave for a stranger to try once.
async fn as_stranger(app: &App, attempt: &Attempt, asking: &Asking) -> Result<Permit, Error> {
    let turn = turn(false, asking);
    app.passwords.admits(turn)?;
    let lane = Lane::of_strangers(&app.stamp, attempt.email.key());
    prove(app, &lane, attempt, asking).await?;
    charge(app, lane, turn, asking).await
}

/// Leave to try once in a lane.
async fn charge(app: &App, lane: Lane, turn: Turn, asking: &Asking) -> Result<Permit, Error> {
    if !app.config.limits.enabled {
        return Ok(Permit::unlimited(turn));
    }
    let permit = Permit::take(&app.db, lane, turn, app.passwords.leisure(turn), asking.now).await;
    count_if_held_back(&permit);
    permit
}

/// Counts those who come to a lane that is closed.
pub(super) fn count_if_held_back<T>(tried: &Result<T, Error>) {
    if let Err(Error::Refused(Refusal::RateLimited { .. })) = tried {
        count("held_back");
    }
}

/// Whose turn at the hash threads it is: those on a device that the account knows go ahead.
fn turn(ahead: bool, asking: &Asking) -> Turn {
    Turn {
        ahead,
        ..password::turn(By::Caller(asking))
    }
}

/// Lets pass who brings a proof of work where one is wanted. While nobody is let in, it would be spent for nothing.
async fn prove(app: &App, lane: &Lane, attempt: &Attempt, asking: &Asking) -> Result<(), Error> {
    let sprayed_for = app.spray.is_sprayed(&attempt.password, asking.now);
    let retry_after = match (app.config.limits.proof, sprayed_for) {
        _ if !app.config.limits.enabled => return Ok(()),
        (ProofWanted::Never, _) | (ProofWanted::Sprayed, None) => return Ok(()),
        (ProofWanted::Sprayed, retry_after) => retry_after,
        (ProofWanted::Always, _) => None,
    };
    attempts::look(&app.db, lane, asking.now).await?;
    match &attempt.proof {
        Some(proof) if proofs::take(&app.db, &app.stamp, proof, asking.now).await? => Ok(()),
        _ => {
            count("proof_required");
            Err(Refusal::ProofRequired { retry_after }.into())
        }
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("doorward_signins_total", "method" => "password", "outcome" => outcome)
        .increment(1);
}
