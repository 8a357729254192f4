//! The sign-in: a credential goes in; a session, or the one documented "no", comes out. The "no" is the same for an
//! unknown address, a wrong password, a shut account and one without a password, and so is the work before it.

pub mod routes;

use db::Unit;

use crate::app::App;
use crate::audit::{self, About, By, Event};
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::password::{self, Stored};
use crate::secret::Secret;
use crate::sessions::grant::Grant;
use crate::sessions::renewal::Renewal;
use crate::sessions::{self, Carried, Session};
use crate::users::{self, Email, User};

/// An address and the password that is said to belong to it.
pub struct Attempt {
    /// Whose account.
    pub email: Email,
    /// The password, as typed.
    pub password: Secret<String>,
    /// How the session is to be carried.
    pub carried: Carried,
}

/// What a credential was worth.
pub enum Outcome {
    /// The person is signed in.
    SignedIn(Grant),
}

/// How often an account is looked at, when it changes between the look and the write: another sign-in made its hash
/// stronger, or its password changed.
const LOOKS: usize = 2;

/// Signs in by address and password.
pub async fn with_password(app: &App, attempt: Attempt, asking: &Asking) -> Result<Outcome, Error> {
    for _ in 0..LOOKS {
        let account = password::store::with_user(&app.db, attempt.email.key()).await?;
        let (user, stored) = account.map_or((None, None), |(user, stored)| (Some(user), stored));
        let is_right = app
            .passwords
            .verify(&attempt.password, stored.as_ref())
            .await?;
        let (user, stored) = match (user, stored) {
            (Some(user), Some(stored)) if is_right && !user.is_disabled() => (user, stored),
            (user, _) => return Err(refuse(app, user.as_ref(), asking).await?.into()),
        };
        let stronger = app.passwords.rehash(&attempt.password, &stored).await?;
        let begun = begin(
            app,
            &user,
            attempt.carried,
            &stored,
            stronger.as_ref(),
            asking,
        );
        if let Some(grant) = begun.await? {
            return Ok(Outcome::SignedIn(grant));
        }
    }
    Err(refuse(app, None, asking).await?.into())
}

/// Begins the session; `None` when the account is no longer as it was when its password was verified.
async fn begin(
    app: &App,
    user: &User,
    carried: Carried,
    verified: &Stored,
    stronger: Option<&Stored>,
    asking: &Asking,
) -> Result<Option<Grant>, Error> {
    let (grant, mut unit) = opening(app, user, carried, verified, asking)?;
    if let Some(stronger) = stronger {
        let about = About {
            user: Some(&user.id),
            session: None,
        };
        unit = unit
            .run(password::store::replace(&user.id, verified, stronger))
            .run(audit::row(
                Event::PasswordRehashed,
                By::Caller(asking),
                about,
            ));
    }
    match app.db.write(unit).await {
        Ok(_) => {
            count();
            Ok(Some(grant))
        }
        Err(db::Error::Touched { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a session's beginning writes, and what its holder gets once that is written.
pub(crate) fn opening(
    app: &App,
    user: &User,
    carried: Carried,
    verified: &Stored,
    asking: &Asking,
) -> Result<(Grant, Unit), Error> {
    let session = Session::begin(
        user.id.clone(),
        carried,
        &["pwd"],
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
        .expect(
            1,
            sessions::store::insert(&session, renewal.as_ref(), &verified.hash),
        )
        .run(audit::row(Event::SignedIn, By::Caller(asking), about));
    Ok((grant, unit))
}

/// Counts a sign-in in the figures.
pub(crate) fn count() {
    metrics::counter!("doorward_signins_total", "method" => "password", "outcome" => "signed_in")
        .increment(1);
    metrics::counter!("doorward_tokens_issued_total", "kind" => "access").increment(1);
}

/// Writes the failure down and gives the one answer for it. An attempt that cannot be written down is not answered.
async fn refuse(app: &App, user: Option<&User>, asking: &Asking) -> Result<Refusal, Error> {
    let about = About {
        user: user.map(|user| &user.id),
        session: None,
    };
    app.db
        .write(Unit::new().run(audit::row(Event::SignInFailed, By::Caller(asking), about)))
        .await?;
    metrics::counter!("doorward_signins_total", "method" => "password", "outcome" => "refused")
        .increment(1);
    Ok(Refusal::Unauthorized)
}
