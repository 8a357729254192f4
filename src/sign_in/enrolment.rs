//! A second factor that is required and not there yet: whoever has shown the right password sets one up before there is a
//! session, and what begins the session is the code that shows it works.

use db::Unit;
use otp::Totp;

use super::second_factor::{about, half_done, refuse_code};
use crate::app::App;
use crate::attempts::Permit;
use crate::audit::By;
use crate::challenges::{self, Challenge};
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::UserId;
use crate::recovery_codes::{self, Made};
use crate::second_factors;
use crate::secret::Secret;
use crate::totp;
use crate::users::{self, User};

/// Begins with an authenticator app for a half-done sign-in to an account without a second factor; one that was begun with
/// before is void.
///
/// # Errors
/// [`Refusal::ChallengeExpired`], also when the challenge is one to show a second factor that is there.
pub async fn enrol(
    app: &App,
    challenge: &Challenge,
    asking: &Asking,
) -> Result<(Totp, User), Error> {
    let (_, user) = half_done(app, challenge, asking).await?;
    let config = &app.config.second_factor;
    let (totp, begun) = totp::begin(app.sealer(), config, about(&user.id), &user.id, asking);
    let unit = Unit::new()
        .expect(1, users::store::hold_open(&user.id))
        .expect(1, challenges::store::hold(challenge, asking.now))
        .expect(1, second_factors::store::ask_none(&user.id))
        .append(begun);
    match app.db.write(unit).await {
        Ok(_) => Ok((totp, user)),
        Err(db::Error::Touched { .. }) => Err(Refusal::ChallengeExpired.into()),
        Err(error) => Err(error.into()),
    }
}

/// What lets the app count that a half-done sign-in began with, if `code` is a right one of it and the account has no second
/// factor by then, and the recovery codes that come with it. `user` is then as they are once that is written.
///
/// # Errors
/// [`Refusal::SecondFactorInvalid`], also when none was begun with.
pub(super) async fn show(
    app: &App,
    user: &mut User,
    code: &Secret<String>,
    permit: &Permit,
    asking: &Asking,
) -> Result<(Unit, Made), Error> {
    match shown(app, &user.id, code, permit, asking).await {
        Ok(Some((unit, made))) => {
            user.mfa.totp = true;
            user.mfa.recovery_codes_left = u32::try_from(made.codes.len()).map_err(Error::bug)?;
            Ok((unit, made))
        }
        Ok(None) => Err(refuse_code(app, &user.id, Unit::new(), asking)
            .await?
            .into()),
        Err(error) => {
            // Nothing was tried.
            permit.give_back().await?;
            Err(error)
        }
    }
}

async fn shown(
    app: &App,
    user: &UserId,
    code: &Secret<String>,
    permit: &Permit,
    asking: &Asking,
) -> Result<Option<(Unit, Made)>, Error> {
    let enrolled = totp::store::enrolled(&app.db, user).await?;
    let Some(begun) = enrolled.filter(|app| !app.is_confirmed) else {
        return Ok(None);
    };
    let Some(step) = totp::shown(app.sealer(), user, &begun, code, asking.now)? else {
        return Ok(None);
    };
    let made = recovery_codes::make(&app.passwords, permit.turn()).await?;
    let by = By::Caller(asking);
    let unit = Unit::new()
        .expect(1, second_factors::store::ask_none(user))
        .append(totp::confirming(
            user,
            (&begun, step),
            &made,
            about(user),
            by,
        ))
        .append(permit.clear());
    Ok(Some((unit, made)))
}
