//! The sign-in by a passkey alone. Its owner held it and was verified by it, so that it is two factors in one.

pub mod routes;

use super::{Outcome, Proven};
use crate::app::App;
use crate::attempts::device::Device;
use crate::audit::{self, About, By, Event};
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::{SessionId, UserId};
use crate::passkeys::{self, Ending};
use crate::secret::Secret;
use crate::sessions::Carried;
use crate::sessions::store::Proof;
use crate::users::{self, Email};

/// That a key was held and its owner verified; where it is kept is not known (RFC 8176).
const PASSKEY: &[&str] = &["pop", "user", "mfa"];

/// A passkey that is said to be somebody's.
pub struct Attempt<'a> {
    /// What the browser made of the options.
    pub ending: Ending,
    /// The account and the session of who proves again who they are; that session ends when this one begins.
    pub again: Option<(&'a UserId, &'a SessionId)>,
    /// How the session is to be carried.
    pub carried: Carried,
    /// What the device brought to tell it by, unproven.
    pub device: Option<Secret<String>>,
}

/// Signs in by a passkey.
///
/// # Errors
/// Those of [`passkeys::prove`]; [`Refusal::PasskeyInvalid`] too when it is of somebody else, and when the passkey was removed, or
/// its account shut, meanwhile.
pub async fn with_passkey(
    app: &App,
    attempt: Attempt<'_>,
    asking: &Asking,
) -> Result<Outcome, Error> {
    let relying_party = app.relying_party()?;
    let proven = passkeys::prove(&app.db, relying_party, None, &attempt.ending, asking).await;
    if let Err(Error::Refused(_)) = &proven {
        count("refused");
    }
    let proven = proven?;
    if let Some((whom, _)) = attempt.again
        && *whom != proven.user
    {
        return Err(refuse(app, whom, asking).await?.into());
    }
    let user = users::store::by_id(&app.db, &proven.user).await?;
    let user = user.ok_or(Refusal::PasskeyInvalid)?;
    let proven = Proven {
        amr: PASSKEY,
        proof: Proof::Spent,
        spent: proven.unit,
    };
    let (grant, session) = super::opening(app, &user, attempt.carried, proven, asking)?;
    if !super::begin(app, session).await? {
        return Err(refuse(app, &user.id, asking).await?.into());
    }
    super::count("passkey");
    let replaced = attempt.again.map(|(_, session)| session);
    super::end_replaced(app, &user.id, replaced, asking).await?;
    let email = Email::parse(&user.email)?;
    let device = Device::signing_in(attempt.device.as_ref(), email.key(), &app.stamp, asking.now);
    Ok(Outcome::SignedIn {
        grant,
        device: device.to_text(email.key(), &app.stamp),
    })
}

/// Writes down that a passkey that was proved signs nobody in to an account.
async fn refuse(app: &App, user: &UserId, asking: &Asking) -> Result<Refusal, Error> {
    let about = About {
        user: Some(user),
        session: None,
    };
    let told = audit::row(Event::SignInFailed, By::Caller(asking), about);
    app.db.write(told).await?;
    count("refused");
    Ok(Refusal::PasskeyInvalid)
}

fn count(outcome: &'static str) {
    metrics::counter!("doorward_signins_total", "method" => "passkey", "outcome" => outcome)
        .increment(1);
}
