//! The sign-up: an address and a password make an account, and its owner is signed in. Addresses are not verified here;
//! the account says so.

pub mod routes;

use db::Unit;
use tokio::time::Instant;

use crate::app::App;
use crate::attempts::device::Device;
use crate::audit::{self, About, By, Event};
use crate::challenges::Challenge;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::UserId;
use crate::password::{self, Stored};
use crate::secret::Secret;
use crate::sessions::Carried;
use crate::sign_in::{self, Outcome, Proven};
use crate::users::{self, NewUser, User};

/// Makes an account and signs its owner in, or leads them to set up a second factor where everybody has to have one: both, or
/// neither.
pub async fn with_password(
    app: &App,
    new: NewUser,
    password: Secret<String>,
    carried: Carried,
    asking: &Asking,
) -> Result<Outcome, Error> {
    admit(app, asking)?;
    let key = new.email.key().clone();
    let (user, stored, account) =
        account(app, new, &password, By::Caller(asking), Event::SignedUp).await?;
    if app.config.second_factor.is_required_of(&user.roles) {
        let challenge = Challenge::new();
        let (asked, unit) = sign_in::ask_in(&challenge, &user, &stored, carried, asking);
        write(app, account.append(unit)).await?;
        return Ok(asked);
    }
    let (grant, session) =
        sign_in::opening(app, &user, carried, Proven::by_password(&stored), asking)?;
    write(app, account.append(session)).await?;
    sign_in::count("password");
    let device = Device::new(asking.now).to_text(&key, &app.stamp);
    Ok(Outcome::SignedIn { grant, device })
}

/// Makes an account unless there is one with its address, and does not tell which: the work is the same, one hash and one
/// write, and so is the time of the answer.
pub async fn quietly(
    app: &App,
    new: NewUser,
    password: Secret<String>,
    asking: &Asking,
) -> Result<(), Error> {
    admit(app, asking)?;
    let by = By::Caller(asking);
    let email = new.email.clone();
    let (_, _, account) = account(app, new, &password, by, Event::SignedUp).await?;
    // Up to here the work is the same, to the hash.
    let hashed = Instant::now();
    let known = users::store::by_email(&app.db, email.key()).await?;
    let again = |user| {
        Unit::new().run(audit::row(
            Event::SignedUpAgain,
            by,
            About {
                user,
                session: None,
            },
        ))
    };
    let unit = match &known {
        Some(known) => again(Some(&known.id)),
        None => account,
    };
    match write(app, unit).await {
        // Somebody else was quicker.
        Err(Error::Refused(Refusal::EmailTaken)) => write(app, again(None)).await?,
        written => written?,
    }
    app.passwords.wait_for_floor(hashed).await;
    Ok(())
}

/// Lets in who may make an account here, while there is room for a hash.
fn admit(app: &App, asking: &Asking) -> Result<(), Error> {
    if !app.config.signup.enabled {
        return Err(Refusal::SignupDisabled.into());
    }
    app.passwords.admits(password::turn(By::Caller(asking)))
}

/// Makes an account with a password, whoever asks for it.
pub async fn create(
    app: &App,
    new: NewUser,
    password: &Secret<String>,
    by: By<'_>,
    event: Event,
) -> Result<UserId, Error> {
    let (user, _, account) = account(app, new, password, by, event).await?;
    write(app, account).await?;
    Ok(user.id)
}

/// The account to be, and what writes it.
async fn account(
    app: &App,
    new: NewUser,
    password: &Secret<String>,
    by: By<'_>,
    event: Event,
) -> Result<(User, Stored, Unit), Error> {
    let turn = password::turn(by);
    let stored = app.passwords.accept(password, &new.email, turn).await?;
    let user = User::new(UserId::new(), &new, by.now())?;
    let about = About {
        user: Some(&user.id),
        session: None,
    };
    let unit = Unit::new()
        .run(users::store::insert(&user.id, &new, by.now()))
        .run(password::store::insert(&user.id, &stored, by.now()))
        .run(audit::row(event, by, about));
    Ok((user, stored, unit))
}

/// Only the account's own row, which comes first, has an address that another may have.
async fn write(app: &App, unit: Unit) -> Result<(), Error> {
    match app.db.write(unit).await {
        Ok(_) => Ok(()),
        Err(db::Error::Unique { statement: 0 }) => Err(Refusal::EmailTaken.into()),
        Err(error) => Err(error.into()),
    }
}
