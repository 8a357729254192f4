//! What follows a right password where it is not enough: a second factor shown in the same request, a device on which none is
//! asked for, or a challenge and a second request, by which one is shown or set up.

use db::Unit;

use super::{Attempt, Outcome, Proven, end_replaced, enrolment, opening};
use crate::app::App;
use crate::attempts::Permit;
use crate::attempts::device::Device;
use crate::audit::{self, About, By, Event};
use crate::challenges::{self, Challenge, Waiting};
use crate::error::{Asked, Error, Refusal};
use crate::http::Asking;
use crate::ids::UserId;
use crate::passkeys::{self, Begun, Ending, HalfDone};
use crate::password::{self, Stored};
use crate::recovery_codes::{self, Made};
use crate::secret::Secret;
use crate::sessions::Carried;
use crate::sessions::store::Proof;
use crate::totp;
use crate::trusted_devices::{self, Mark};
use crate::users::{self, Email, User};

/// A password and a code (RFC 8176 has one word for both kinds of code).
const PASSWORD_AND_CODE: &[&str] = &["pwd", "otp", "mfa"];
/// A password, and a key whose authenticator verified who holds it.
const PASSWORD_AND_PASSKEY: &[&str] = &["pwd", "pop", "user", "mfa"];

/// What is shown as a second factor.
pub enum Factor {
    /// A code of the authenticator app, or a recovery code.
    Code(Secret<String>),
    /// What ends the ceremony of a passkey.
    Passkey(Ending),
}

/// What can be set up before there is a session.
const ENROLS_BY: &[&str] = &["totp"];

/// What goes on with a half-done sign-in.
pub struct Continued {
    /// Which.
    pub challenge: Challenge,
    /// The second factor.
    pub factor: Factor,
    /// How the session is to be carried, if otherwise than was said with the password.
    pub carried: Option<Carried>,
    /// Whether this caller may be given a cookie.
    pub may_have_cookie: Result<(), Error>,
    /// What the device brought to tell it by, unproven.
    pub device: Option<Secret<String>>,
    /// Whether the device is to be asked for no second factor for a while.
    pub remember: bool,
}

/// What a right password is worth by itself, or with what came beside it; `None` when a second factor is still to be shown, or
/// set up.
pub(super) async fn beside_password<'a>(
    app: &App,
    attempt: &Attempt,
    (user, stored): (&User, &'a Stored),
    known: Option<&Device>,
    permit: &Permit,
    asking: &Asking,
) -> Result<Option<Proven<'a>>, Error> {
    if !user.mfa.are_on() {
        let is_required = app.config.second_factor.is_required_of(&user.roles);
        return Ok((!is_required).then(|| Proven::by_password(stored)));
    }
    if let Some(code) = &attempt.code {
        let codes = match permit_for_code(app, &user.id, asking).await {
            Ok(codes) => codes,
            Err(error) => {
                // The password was right, and counts as no failure.
                permit.give_back().await?;
                return Err(error);
            }
        };
        let spent = show(app, &user.id, code, &codes, Some(permit), asking).await?;
        return Ok(Some(Proven {
            amr: PASSWORD_AND_CODE,
            proof: Proof::Password(&stored.hash),
            spent,
        }));
    }
    let Some(device) = known.filter(|_| attempt.replaces.is_none()) else {
        return Ok(None);
    };
    let mark = Mark::of(device.id(), &user.id, &app.stamp);
    let is_trusted = trusted_devices::store::holds(&app.db, &mark, &user.id, asking.now).await?;
    let still = trusted_devices::store::still(&mark, &user.id, asking.now);
    Ok(is_trusted.then(|| Proven {
        amr: &["pwd"],
        proof: Proof::Password(&stored.hash),
        spent: Unit::new().expect(1, still),
    }))
}

/// What an account whose password was right is asked for, and what begins its challenge, if the account is as it was: to show
/// the second factor that it has, or to set one up.
pub(crate) fn ask_in(
    challenge: &Challenge,
    user: &User,
    stored: &Stored,
    carried: Carried,
    asking: &Asking,
) -> (Outcome, Unit) {
    let insert = challenges::store::insert(challenge, &user.id, carried, &stored.hash, asking.now);
    let asked = |methods| Asked {
        challenge: challenge.text().clone(),
        methods,
        expires_in: challenges::LIFETIME,
    };
    let (event, outcome) = if user.mfa.are_on() {
        let asked = asked(user.mfa.methods());
        (Event::SecondFactorAsked, Outcome::SecondFactor(asked))
    } else {
        (
            Event::EnrolmentAsked,
            Outcome::Enrolment(asked(ENROLS_BY.to_vec())),
        )
    };
    let unit = Unit::new()
        .expect(1, users::store::hold_open(&user.id))
        .expect(1, insert)
        .run(audit::row(event, By::Caller(asking), about(&user.id)));
    (outcome, unit)
}

/// A half-done sign-in that waits, and to whose account.
///
/// # Errors
/// [`Refusal::ChallengeExpired`].
pub(super) async fn half_done(
    app: &App,
    challenge: &Challenge,
    asking: &Asking,
) -> Result<(Waiting, User), Error> {
    let waiting = challenges::store::waiting(&app.db, challenge, asking.now)
        .await?
        .ok_or(Refusal::ChallengeExpired)?;
    let user = users::store::by_id(&app.db, &waiting.user)
        .await?
        .filter(|user| !user.is_disabled())
        .ok_or(Refusal::ChallengeExpired)?;
    Ok((waiting, user))
}

/// What a browser is asked for, so that a half-done sign-in goes on by a passkey of its account.
///
/// # Errors
/// [`Refusal::ChallengeExpired`]; [`Refusal::Invalid`] when the account has no passkey.
pub(super) async fn options(
    app: &App,
    challenge: &Challenge,
    asking: &Asking,
) -> Result<Begun, Error> {
    let (_, user) = half_done(app, challenge, asking).await?;
    if user.mfa.passkeys == 0 {
        let words = "challenge is of an account without passkeys; its methods came with it";
        return Err(Refusal::invalid(words).into());
    }
    let half_done = HalfDone {
        user: &user.id,
        challenge,
    };
    passkeys::options(&app.db, app.relying_party()?, Some(half_done), asking).await
}

/// Signs in whose password was right before; and lets the app count that showed a code, where none did before.
///
/// # Errors
/// [`Refusal::ChallengeExpired`]; [`Refusal::SecondFactorInvalid`], and [`Refusal::RateLimited`] after too many wrong codes,
/// whatever challenges they were for; those of [`passkeys::prove`].
pub async fn with_second_factor(
    app: &App,
    continued: Continued,
    asking: &Asking,
) -> Result<Outcome, Error> {
    let challenge = &continued.challenge;
    let (waiting, mut user) = half_done(app, challenge, asking).await?;
    let carried = continued.carried.unwrap_or(waiting.carried);
    if carried == Carried::Cookie {
        continued.may_have_cookie.clone()?;
    }
    let met = meet(app, challenge, &mut user, &continued.factor, asking).await?;

    let email = Email::parse(&user.email)?;
    let device = Device::signing_in(
        continued.device.as_ref(),
        email.key(),
        &app.stamp,
        asking.now,
    );
    let remembering = remembering(app, &device, &user.id, continued.remember, asking);
    let spent = Unit::new()
        .expect(1, challenges::store::spend(challenge, asking.now))
        .append(met.spent)
        .append(remembering);
    let proven = Proven {
        amr: met.amr,
        proof: Proof::Spent,
        spent,
    };
    let (grant, session) = opening(app, &user, carried, proven, asking)?;
    match app.db.write(session).await {
        Ok(_) => super::count("password"),
        // The account was shut, or somebody else met the challenge.
        Err(db::Error::Touched {
            statement: 0 | 1, ..
        }) => {
            return Err(Refusal::ChallengeExpired.into());
        }
        // What was shown was spent meanwhile, or another app was set up.
        Err(db::Error::Touched { .. }) => return Err(met.too_late.into()),
        Err(error) => return Err(error.into()),
    }
    end_replaced(app, &user.id, challenge.replaces().as_ref(), asking).await?;
    let device = device.to_text(email.key(), &app.stamp);
    Ok(match met.codes {
        None => Outcome::SignedIn { grant, device },
        Some(codes) => Outcome::Enrolled {
            grant,
            device,
            codes,
        },
    })
}

/// What a second factor that is right gives to a half-done sign-in.
struct Met {
    /// How they proved who they are, with the password (RFC 8176).
    amr: &'static [&'static str],
    /// What is spent for it, by statements that touch no row when it was spent before.
    spent: Unit,
    /// What comes with an app that was set up by this.
    codes: Option<Made>,
    /// The answer when what was shown is spent by then.
    too_late: Refusal,
}

/// Takes a try for `factor`, and says what it gives if it is right. `user` is then as they are once that is written.
async fn meet(
    app: &App,
    challenge: &Challenge,
    user: &mut User,
    factor: &Factor,
    asking: &Asking,
) -> Result<Met, Error> {
    match factor {
        Factor::Code(code) => {
            let permit = permit_for_code(app, &user.id, asking).await?;
            if let Err(error) = charge(app, challenge, asking).await {
                permit.give_back().await?;
                return Err(error);
            }
            let (spent, codes) = if user.mfa.are_on() {
                let spent = show(app, &user.id, code, &permit, None, asking);
                (spent.await?, None)
            } else {
                let (spent, codes) = enrolment::show(app, user, code, &permit, asking).await?;
                (spent, Some(codes))
            };
            Ok(Met {
                amr: PASSWORD_AND_CODE,
                spent,
                codes,
                too_late: Refusal::SecondFactorInvalid,
            })
        }
        Factor::Passkey(ending) => {
            charge(app, challenge, asking).await?;
            let relying_party = app.relying_party()?;
            let half_done = Some(HalfDone {
                user: &user.id,
                challenge,
            });
            let proven = passkeys::prove(&app.db, relying_party, half_done, ending, asking).await?;
            Ok(Met {
                amr: PASSWORD_AND_PASSKEY,
                spent: proven.unit,
                codes: None,
                too_late: Refusal::PasskeyInvalid,
            })
        }
    }
}

/// What lets a device be asked for no second factor for a while, if its owner wants that.
pub(super) fn remembering(
    app: &App,
    device: &Device,
    user: &UserId,
    is_wanted: bool,
    asking: &Asking,
) -> Unit {
    let span = app.config.second_factor.remember_device;
    if !is_wanted || span.is_zero() {
        return Unit::new();
    }
    let mark = Mark::of(device.id(), user, &app.stamp);
    trusted_devices::trust(&mark, user, span, asking)
}

async fn permit_for_code(app: &App, user: &UserId, asking: &Asking) -> Result<Permit, Error> {
    let (limits, turn) = (&app.config.limits, password::turn(By::Caller(asking)));
    Permit::for_code(&app.db, limits, &app.stamp, user, turn, asking.now).await
}

/// Takes one of a challenge's tries.
async fn charge(app: &App, challenge: &Challenge, asking: &Asking) -> Result<(), Error> {
    let charge = challenges::store::charge(challenge, asking.now);
    match app.db.write(Unit::new().expect(1, charge)).await {
        Ok(_) => Ok(()),
        Err(db::Error::Touched { .. }) => Err(Refusal::ChallengeExpired.into()),
        Err(error) => Err(error.into()),
    }
}

/// What spends a right code of either kind. A wrong one is written down; the password that was right beside it, under a permit
/// of its own, counts as no failure either way.
async fn show(
    app: &App,
    user: &UserId,
    code: &Secret<String>,
    permit: &Permit,
    beside: Option<&Permit>,
    asking: &Asking,
) -> Result<Unit, Error> {
    let spent = match check(app, user, code, permit, asking).await {
        Ok(spent) => spent,
        Err(error) => {
            // Nothing was tried.
            for permit in [Some(permit), beside].into_iter().flatten() {
                permit.give_back().await?;
            }
            return Err(error);
        }
    };
    if let Some(spent) = spent {
        return Ok(spent.append(permit.clear()));
    }
    let proved = beside.map_or_else(Unit::new, Permit::clear);
    Err(refuse_code(app, user, proved, asking).await?.into())
}

/// Writes a wrong code down, together with what was right until then.
pub(super) async fn refuse_code(
    app: &App,
    user: &UserId,
    proved: Unit,
    asking: &Asking,
) -> Result<Refusal, Error> {
    let failed = audit::row(Event::SecondFactorFailed, By::Caller(asking), about(user));
    app.db.write(proved.run(failed)).await?;
    metrics::counter!("doorward_signins_total", "method" => "code", "outcome" => "refused")
        .increment(1);
    Ok(Refusal::SecondFactorInvalid)
}

async fn check(
    app: &App,
    user: &UserId,
    code: &Secret<String>,
    permit: &Permit,
    asking: &Asking,
) -> Result<Option<Unit>, Error> {
    let step = totp::check(&app.db, app.sealer(), user, code, asking.now).await?;
    if step.is_some() {
        return Ok(step);
    }
    recovery_codes::check(&app.db, &app.passwords, permit, user, code, asking).await
}

pub(super) fn about(user: &UserId) -> About<'_> {
    About {
        user: Some(user),
        session: None,
    }
}
