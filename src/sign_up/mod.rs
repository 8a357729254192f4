//! The sign-up: an address and a password make an account, and its owner is signed in. Addresses are not verified here;
//! the account says so.

pub mod routes;

use db::Unit;

use crate::app::App;
use crate::audit::{self, About, By, Event};
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::UserId;
use crate::password::{self, Stored, policy};
use crate::secret::Secret;
use crate::sign_in::{self, Outcome};
use crate::users::{self, NewUser};

/// Makes an account and signs its owner in.
pub async fn with_password(
    app: &App,
    new: NewUser,
    password: Secret<String>,
    asking: &Asking,
) -> Result<Outcome, Error> {
    if !app.config.signup.enabled {
        return Err(Refusal::SignupDisabled.into());
    }
    let (id, stored) = create(app, &new, &password, By::Caller(asking), Event::SignedUp).await?;
    let user = users::store::by_id(&app.db, &id)
        .await?
        .ok_or(Refusal::Unauthorized)?;
    sign_in::begin(app, &user, &stored, None, asking)
        .await
        .map(Outcome::SignedIn)
}

/// Makes an account with a password, whoever asks for it.
pub async fn create(
    app: &App,
    new: &NewUser,
    password: &Secret<String>,
    by: By<'_>,
    event: Event,
) -> Result<(UserId, Stored), Error> {
    policy::check(password, app.passwords.min_length, &new.email)?;
    let stored = app.passwords.hash(password).await?;
    let id = UserId::new(by.now());
    let unit = Unit::new()
        .run(users::store::insert(&id, new, by.now()))
        .run(password::store::insert(&id, &stored, by.now()))
        .run(audit::row(
            event,
            by,
            About {
                user: Some(&id),
                session: None,
            },
        ));
    match app.db.write(unit).await {
        Ok(_) => Ok((id, stored)),
        Err(db::Error::Unique { statement: 0 }) => Err(Refusal::EmailTaken.into()),
        Err(error) => Err(error.into()),
    }
}
