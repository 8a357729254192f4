//! Who may try at all: whom there is room for, a device that the account knows in its own lane, everybody else in one.

use passhash::Turn;

use super::Attempt;
use crate::app::App;
use crate::attempts::device::Device;
use crate::attempts::{self, Lane, Permit};
use crate::audit::By;
use crate::config::ProofWanted;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::UserId;
use crate::password::{self, Account};
use crate::proofs;

/// Turns away whom there is no room for, before anything is done for them. A device that may be known is looked up first.
pub(super) fn room(app: &App, attempt: &Attempt, asking: &Asking) -> Result<(), Error> {
    app.passwords.admits(turn(attempt.device.is_some(), asking))
}

/// The device that sent this, and whose it is, if the account was signed in to with it since its password was set.
pub(super) fn known_device(
    app: &App,
    attempt: &Attempt,
    account: Option<&Account>,
    asking: &Asking,
) -> Option<(Device, UserId)> {
    let Account { user, set_at, .. } = account?;
    let text = attempt.device.as_ref()?.expose();
    let device = Device::read(text, &user.id, (*set_at)?, &app.stamp, asking.now)?;
    Some((device, user.id.clone()))
}

/// Whose turn at the hash threads it is: those on a device that the account knows go ahead.
fn turn(ahead: bool, asking: &Asking) -> Turn {
    Turn {
        ahead,
        ..password::turn(By::Caller(asking))
    }
}

/// Leave to try once.
pub(super) async fn permit(
    app: &App,
    attempt: &Attempt,
    device: Option<&(Device, UserId)>,
    asking: &Asking,
) -> Result<Permit, Error> {
    let turn = turn(device.is_some(), asking);
    app.passwords.admits(turn)?;
    if !app.config.limits.enabled {
        return Ok(Permit::unlimited(turn));
    }
    let lane = match device {
        Some((device, user)) => Ok(Lane::of_device(&app.stamp, device, user)),
        None => prove(app, attempt, asking).await,
    };
    let permit = match lane {
        Ok(lane) => Permit::take(&app.db, lane, turn, asking.now).await,
        Err(refused) => Err(refused),
    };
    if let Err(Error::Refused(refusal)) = &permit {
        let outcome = match refusal {
            Refusal::ProofRequired { .. } => "proof_required",
            _ => "held_back",
        };
        metrics::counter!("doorward_signins_total", "method" => "password", "outcome" => outcome)
            .increment(1);
    }
    permit
}

/// The strangers' lane, for who brings a proof of work where one is wanted. While nobody is let in there, it would be spent
/// for nothing.
async fn prove(app: &App, attempt: &Attempt, asking: &Asking) -> Result<Lane, Error> {
    let lane = Lane::of_strangers(&app.stamp, attempt.email.key());
    let sprayed_for = app.spray.is_sprayed(&attempt.password, asking.now);
    let retry_after = match (app.config.limits.proof, sprayed_for) {
        (ProofWanted::Never, _) | (ProofWanted::Sprayed, None) => return Ok(lane),
        (ProofWanted::Sprayed, retry_after) => retry_after,
        (ProofWanted::Always, _) => None,
    };
    attempts::look(&app.db, &lane, asking.now).await?;
    match &attempt.proof {
        Some(proof) if proofs::take(&app.db, &app.stamp, proof, asking.now).await? => Ok(lane),
        _ => Err(Refusal::ProofRequired { retry_after }.into()),
    }
}
