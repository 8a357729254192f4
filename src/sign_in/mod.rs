//! The sign-in: a credential goes in; a session, or the one documented "no", comes out. The "no" is the same for an
//! unknown address, a wrong password, a shut account and one without a password, and so is the work before it.

mod admission;
mod enrolment;
mod let_in;
pub mod passkeys;
pub mod routes;
mod second_factor;

use std::time::Duration;

use db::Unit;
use passhash::Verified;
use tokio::time::Instant;

use admission::Admitted;

use crate::app::App;
use crate::attempts::Permit;
use crate::attempts::device::Device;
use crate::audit::{self, About, By, Event};
use crate::challenges::Challenge;
use crate::error::{Asked, Error, Refusal};
use crate::http::Asking;
use crate::ids::{SessionId, UserId};
use crate::password::{self, Account, Stored};
use crate::recovery_codes::Made;
use crate::secret::Secret;
use crate::sessions::grant::Grant;
use crate::sessions::renewal::Renewal;
use crate::sessions::store::Proof;
use crate::sessions::{self, Carried, Session};
use crate::users::{self, Email, User};

pub use enrolment::enrol;
pub use let_in::let_in;
pub(crate) use second_factor::ask_in;
pub use second_factor::{Continued, Factor, with_second_factor};

/// An address and the password that is said to belong to it.
pub struct Attempt {
    /// Whose account.
    pub email: Email,
    /// The password, as typed.
    pub password: Secret<String>,
    /// How the session is to be carried.
    pub carried: Carried,
    /// What the device brought to tell it by, unproven.
    pub device: Option<Secret<String>>,
    /// A proof of work, unproven.
    pub proof: Option<String>,
    /// A code of a second factor, for accounts that have one.
    pub code: Option<Secret<String>>,
    /// The session whose holder proves again who they are, which ends when this one begins: no device stands in for them.
    pub replaces: Option<SessionId>,
    /// Whether the device is to be asked for no second factor for a while.
    pub remember: bool,
}

/// What a credential was worth.
pub enum Outcome {
    /// The person is signed in.
    SignedIn {
        /// What they hold from now on.
        grant: Grant,
        /// What tells their device the next time.
        device: Secret<String>,
    },
    /// The same, by a second factor that was set up for it.
    Enrolled {
        /// What they hold from now on.
        grant: Grant,
        /// What tells their device the next time.
        device: Secret<String>,
        /// What stands in for the second factor when it is lost.
        codes: Made,
    },
    /// The password is right, and a second factor is wanted.
    SecondFactor(Asked),
    /// The password is right, and a second factor has to be set up.
    Enrolment(Asked),
}

/// What a session is to rest on.
pub(crate) struct Proven<'a> {
    /// How they proved who they are (RFC 8176).
    amr: &'static [&'static str],
    /// What has to hold when the session begins.
    proof: Proof<'a>,
    /// What is spent for it, by statements that touch no row when it was spent before.
    spent: Unit,
}

impl<'a> Proven<'a> {
    /// By a password alone.
    pub(crate) fn by_password(stored: &'a Stored) -> Self {
        Self {
            amr: &["pwd"],
            proof: Proof::PasswordAlone(&stored.hash),
            spent: Unit::new(),
        }
    }
}

/// How often an account is looked at, when it changes between the look and the write: another sign-in made its hash
/// stronger, or its password changed.
const LOOKS: usize = 2;

/// Signs in by address and password.
pub async fn with_password(app: &App, attempt: Attempt, asking: &Asking) -> Result<Outcome, Error> {
    let Admitted {
        permit,
        device: known,
        mut account,
        looked,
    } = admission::admit(app, &attempt, asking).await?;
    let device = known
        .as_ref()
        .map_or_else(|| Device::new(asking.now), |known| known.again(asking.now));
    let mut began = Instant::now();
    for _ in 0..LOOKS {
        let verified = verify(app, &permit, &attempt, account.as_ref()).await?;
        began = Instant::from(verified.began);
        // How long it took to read the account tells whether there is one.
        began = began.checked_sub(looked).unwrap_or(began);
        let (user, stored) = match account {
            Some(Account {
                user,
                stored: Some(stored),
                ..
            }) if verified.is_right && !user.is_disabled() => (user, stored),
            account => {
                return Err(refuse(app, &attempt, account.as_ref(), began, asking)
                    .await?
                    .into());
            }
        };
        let stronger = app
            .passwords
            .rehash(&permit, &attempt.password, &stored)
            .await?;
        let beside =
            strengthening(&user, &stored, stronger.as_ref(), asking).append(permit.clear());
        let proven = second_factor::beside_password(
            app,
            &attempt,
            (&user, &stored),
            known.as_ref(),
            &permit,
            asking,
        );
        let Some(proven) = proven.await? else {
            let (asked, unit) = ask(&user, &stored, &attempt, asking);
            if begin(app, at_leisure(app, &permit, unit.append(beside))).await? {
                return Ok(asked);
            }
            account = password::store::account(&app.db, attempt.email.key()).await?;
            continue;
        };
        let (grant, session) = opening(app, &user, attempt.carried, proven, asking)?;
        let remember = attempt.remember && user.mfa.are_on();
        let remembering = second_factor::remembering(app, &device, &user.id, remember, asking);
        let unit = session.append(beside).append(remembering);
        if begin(app, at_leisure(app, &permit, unit)).await? {
            count("password");
            end_replaced(app, &user.id, attempt.replaces.as_ref(), asking).await?;
            let device = device.to_text(attempt.email.key(), &app.stamp);
            return Ok(Outcome::SignedIn { grant, device });
        }
        account = password::store::account(&app.db, attempt.email.key()).await?;
    }
    Err(refuse(app, &attempt, None, began, asking).await?.into())
}

/// What is asked for behind a right password, and what writes that.
fn ask(user: &User, stored: &Stored, attempt: &Attempt, asking: &Asking) -> (Outcome, Unit) {
    let replaces = attempt.replaces.as_ref();
    let challenge = replaces.map_or_else(Challenge::new, Challenge::replacing);
    ask_in(&challenge, user, stored, attempt.carried, asking)
}

/// Ends the session in whose place another has begun.
async fn end_replaced(
    app: &App,
    user: &UserId,
    replaced: Option<&SessionId>,
    asking: &Asking,
) -> Result<(), Error> {
    if let Some(session) = replaced {
        let ended = Event::Reauthenticated;
        sessions::end(&app.db, &app.revocations, user, session, ended, asking).await?;
    }
    Ok(())
}

/// Whether it is the account's password. Where nobody could be asked, nothing was tried.
async fn verify(
    app: &App,
    permit: &Permit,
    attempt: &Attempt,
    account: Option<&Account>,
) -> Result<Verified, Error> {
    let stored = account.and_then(|account| account.stored.as_ref());
    // Only a yes may be late, and to a shut account nobody says one.
    let is_open = account.is_some_and(|account| !account.user.is_disabled());
    let leisure = app.passwords.leisure(permit.turn());
    let leisure = if is_open { leisure } else { Duration::ZERO };
    let verified = app
        .passwords
        .verify(permit, &attempt.password, stored, leisure)
        .await;
    admission::count_if_held_back(&verified);
    if verified.is_err() {
        permit.give_back().await?;
    }
    verified
}

/// The same unit, with time to wait for others as long as its kind waits at the hash threads.
fn at_leisure(app: &App, permit: &Permit, unit: Unit) -> Unit {
    unit.wait_for_company(app.passwords.leisure(permit.turn()))
}

/// Begins what a right password begins; `false` when the account is no longer as it was when its password was verified.
async fn begin(app: &App, unit: Unit) -> Result<bool, Error> {
    match app.db.write(unit).await {
        Ok(_) => Ok(true),
        Err(db::Error::Touched { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What puts a stronger hash in the place of the one that was verified, if there is one.
fn strengthening(user: &User, old: &Stored, stronger: Option<&Stored>, asking: &Asking) -> Unit {
    let about = About {
        user: Some(&user.id),
        session: None,
    };
    stronger.into_iter().fold(Unit::new(), |unit, stronger| {
        unit.run(password::store::replace(&user.id, old, stronger))
            .run(audit::row(
                Event::PasswordRehashed,
                By::Caller(asking),
                about,
            ))
    })
}

/// What a session's beginning writes, and what its holder gets once that is written.
pub(crate) fn opening(
    app: &App,
    user: &User,
    carried: Carried,
    proven: Proven<'_>,
    asking: &Asking,
) -> Result<(Grant, Unit), Error> {
    let session = Session::begin(
        user.id.clone(),
        carried,
        proven.amr,
        &app.config.sessions,
        &app.tokens,
        asking,
    );
    let renewal = (carried != Carried::Token).then(Renewal::first);
    let grant = app.grant(user, &session, renewal.as_ref(), asking.now)?;
    let about = About {
        user: Some(&user.id),
        session: Some(&session.id),
    };
    let unit = Unit::new()
        // The account's row is held first: who shuts it or sets its password at this moment does so wholly before, and
        // the next statement finds that, or wholly after, and ends this session too.
        .expect(1, users::store::touch_sign_in(&user.id, asking.now))
        .append(proven.spent)
        .expect(
            1,
            sessions::store::insert(&session, renewal.as_ref(), proven.proof),
        )
        .run(audit::row(Event::SignedIn, By::Caller(asking), about));
    Ok((grant, unit))
}

/// Counts a sign-in in the figures.
pub(crate) fn count(method: &'static str) {
    metrics::counter!("doorward_signins_total", "method" => method, "outcome" => "signed_in")
        .increment(1);
    metrics::counter!("doorward_tokens_issued_total", "kind" => "access").increment(1);
}

/// Writes the failure down and gives the one answer for it, when it may be given to what began at `began`. An attempt that
/// cannot be written down is not answered.
async fn refuse(
    app: &App,
    attempt: &Attempt,
    account: Option<&Account>,
    began: Instant,
    asking: &Asking,
) -> Result<Refusal, Error> {
    let about = About {
        user: account.map(|account| &account.user.id),
        session: None,
    };
    // Not at leisure: what came late to the floor would tell how late, and so which hash it was.
    app.db
        .write(Unit::new().run(audit::row(Event::SignInFailed, By::Caller(asking), about)))
        .await?;
    app.spray
        .note(&attempt.password, attempt.email.key(), asking.now);
    metrics::counter!("doorward_signins_total", "method" => "password", "outcome" => "refused")
        .increment(1);
    app.passwords.wait_for_floor(began).await;
    Ok(Refusal::Unauthorized)
}
