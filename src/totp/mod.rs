//! Authenticator apps (TOTP, RFC 6238): one an account. It counts from when it has shown a right code, and each of its
//! codes once, whichever node is asked and whatever becomes of the clock.

mod qr;
pub mod routes;
pub mod store;

use db::{Db, Unit};
use otp::{Code, Totp};

use crate::attempts::Permit;
use crate::audit::{self, About, By, Event};
use crate::clock::Timestamp;
use crate::config::SecondFactorConfig;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::UserId;
use crate::recovery_codes::Made;
use crate::second_factors::{self, Owner};
use crate::secret::{self, Sealer, Secret};
use crate::sessions;
use store::Enrolled;

/// Begins with a new app, which counts once it is confirmed; one that was begun with before and not confirmed is void.
///
/// # Errors
/// [`Refusal::TotpAlreadyEnabled`] when there is an app that counts; those of [`Owner::refusal`].
pub async fn enrol(
    db: &Db,
    sealer: &Sealer,
    config: &SecondFactorConfig,
    owner: Owner<'_>,
    asking: &Asking,
) -> Result<Totp, Error> {
    let (totp, begun) = begin(sealer, config, owner.about(), &owner.user.id, asking);
    match db.write(owner.held(asking).append(begun)).await {
        Ok(_) => Ok(totp),
        Err(db::Error::Touched { statement, .. }) => Err(Owner::refusal(statement)
            .unwrap_or(Refusal::TotpAlreadyEnabled)
            .into()),
        Err(error) => Err(error.into()),
    }
}

/// A new app, and what begins with it; touches no row when there is one that counts. It goes into a unit that holds the row
/// of the account.
pub fn begin(
    sealer: &Sealer,
    config: &SecondFactorConfig,
    about: About<'_>,
    user: &UserId,
    asking: &Asking,
) -> (Totp, Unit) {
    let totp = Totp {
        secret: otp::Secret::new(secret::bytes()),
        algorithm: config.totp_algorithm,
        digits: config.totp_digits,
    };
    let new = Enrolled {
        sealed: sealer.seal(&place(user), totp.secret.expose()),
        algorithm: totp.algorithm,
        digits: totp.digits,
        is_confirmed: false,
        last_step: 0,
    };
    let unit = Unit::new()
        .expect(1, store::begin(user, &new, asking.now))
        .run(audit::row(Event::TotpBegun, By::Caller(asking), about));
    (totp, unit)
}

/// The app that an account has begun with and not confirmed.
///
/// # Errors
/// [`Refusal::TotpAlreadyEnabled`] when it is confirmed, [`Refusal::TotpNotEnabled`] when there is none.
pub async fn begun(db: &Db, user: &UserId) -> Result<Enrolled, Error> {
    match store::enrolled(db, user).await? {
        None => Err(Refusal::TotpNotEnabled.into()),
        Some(enrolled) if enrolled.is_confirmed => Err(Refusal::TotpAlreadyEnabled.into()),
        Some(enrolled) => Ok(enrolled),
    }
}

/// A step whose code was shown and has not been taken.
#[derive(Clone, Copy)]
pub struct Step(i64);

/// Lets an app count that has shown the code of `step`, and gives the account new recovery codes. The session that showed it
/// goes on as one that did.
///
/// # Errors
/// [`Refusal::CodeInvalid`] when another request took the step, or began with another app, meanwhile;
/// those of [`Owner::refusal`].
pub async fn confirm(
    db: &Db,
    permit: &Permit,
    owner: Owner<'_>,
    shown: (&Enrolled, Step),
    codes: &Made,
    asking: &Asking,
) -> Result<(), Error> {
    let (user, by) = (&owner.user.id, By::Caller(asking));
    let unit = owner
        .held(asking)
        .run(sessions::store::add_factor(owner.session, "otp"))
        .append(confirming(user, shown, codes, owner.about(), by))
        .append(permit.clear());
    match db.write(unit).await {
        Ok(_) => Ok(()),
        Err(db::Error::Touched { statement, .. }) => Err(Owner::refusal(statement)
            .unwrap_or(Refusal::CodeInvalid)
            .into()),
        Err(error) => Err(error.into()),
    }
}

/// What lets an app count that has shown the code of a step, and gives the account new recovery codes; touches no row when the
/// step was taken or the app is another by now. It goes into a unit that holds the row of the account.
pub fn confirming(
    user: &UserId,
    (begun, Step(step)): (&Enrolled, Step),
    codes: &Made,
    about: About<'_>,
    by: By<'_>,
) -> Unit {
    Unit::new()
        .expect(1, store::spend(user, begun, step))
        .expect(1, store::confirm(user, begun, by.now()))
        .append(codes.unit(user, by))
        .run(audit::row(Event::TotpEnabled, by, about))
}

/// What takes the step that `code` is of, if the account's app shows it now or showed it half a minute ago, and no such step
/// was taken; a unit that was written before touches no row. `None` where there is no app that counts, too.
pub async fn check(
    db: &Db,
    sealer: &Sealer,
    user: &UserId,
    code: &Secret<String>,
    now: Timestamp,
) -> Result<Option<Unit>, Error> {
    let Some(enrolled) = store::enrolled(db, user).await? else {
        return Ok(None);
    };
    if !enrolled.is_confirmed {
        return Ok(None);
    }
    let step = shown(sealer, user, &enrolled, code, now)?;
    Ok(step.map(|Step(step)| Unit::new().expect(1, store::spend(user, &enrolled, step))))
}

/// The step of a right code of this app, confirmed or not: this one or the one before, and later than any that was taken, so
/// that a clock that was set back takes none twice.
pub fn shown(
    sealer: &Sealer,
    user: &UserId,
    enrolled: &Enrolled,
    code: &Secret<String>,
    now: Timestamp,
) -> Result<Option<Step>, Error> {
    let Ok(code) = Code::read(code.expose(), enrolled.digits) else {
        return Ok(None);
    };
    let opened = sealer
        .open(&place(user), &enrolled.sealed)
        .map_err(Error::bug)?;
    let totp = Totp {
        secret: otp::Secret::from_stored(opened.expose()).map_err(Error::bug)?,
        algorithm: enrolled.algorithm,
        digits: enrolled.digits,
    };
    let current = otp::step_at(now.seconds());
    let found = totp.step_of(&code, [current, current.saturating_sub(1)]);
    let step = found.and_then(|step| i64::try_from(step).ok());
    Ok(step.filter(|step| *step > enrolled.last_step).map(Step))
}

/// Removes the app of an account, and with the last second factor what belongs to second factors.
///
/// # Errors
/// [`Refusal::TotpNotEnabled`]; [`Refusal::LastSecondFactor`] when the account has to have one; those of [`Owner::refusal`].
pub async fn disable(
    db: &Db,
    config: &SecondFactorConfig,
    owner: Owner<'_>,
    asking: &Asking,
) -> Result<(), Error> {
    let user = &owner.user.id;
    let held = owner.held(asking);
    let deletes = held.next_position();
    let mut unit = held.expect(1, store::delete(user));
    if config.is_required_of(&owner.user.roles) {
        unit = unit.expect(1, second_factors::store::ask(user));
    }
    let unit = unit.append(second_factors::gone(user)).run(audit::row(
        Event::TotpDisabled,
        By::Caller(asking),
        owner.about(),
    ));
    match db.write(unit).await {
        Ok(_) => Ok(()),
        Err(db::Error::Touched { statement, .. }) => Err(match Owner::refusal(statement) {
            Some(refusal) => refusal,
            None if statement == deletes => Refusal::TotpNotEnabled,
            None => Refusal::LastSecondFactor,
        }
        .into()),
        Err(error) => Err(error.into()),
    }
}

/// Where a secret is sealed: in another account's row it does not open.
fn place(user: &UserId) -> String {
    format!("totp/{user}")
}
