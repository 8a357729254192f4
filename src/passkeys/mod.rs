//! Passkeys (WebAuthn level 3): keys that an authenticator makes for us, uses on our pages alone, and only once its owner has
//! shown it a finger, a face or a PIN. One of them is enough to sign in, and may stand beside a password.
//!
//! Each registration and each proof is a ceremony of two requests: the first gives the browser a challenge, the second ends
//! it. What was begun is remembered in the database for five minutes and ended once, whichever node is asked.

mod authenticator_data;
mod cbor;
mod ceremony;
mod client_data;
mod naming;
pub mod pages;
mod proof;
mod registration;
pub mod relying_party;
pub mod routes;
pub mod store;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use db::Db;

use crate::audit::{self, By, Event};
use crate::clock::Timestamp;
use crate::config::SecondFactorConfig;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::{PasskeyId, UserId};
use crate::second_factors::{self, Owner};
use crate::users;
pub use ceremony::{Begun, Ending, HalfDone};
pub use proof::{Proven, options, prove};
pub use registration::{Registered, begin_registration, register};
use relying_party::{Named, Wrong};

/// A passkey, as its owner sees it.
pub struct Passkey {
    /// Our name for it.
    pub id: PasskeyId,
    named: Named,
    /// Its owner's name for it.
    pub name: String,
    /// Whether its authenticator has a copy of it elsewhere.
    pub backed_up: bool,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last used to prove anything.
    pub last_used_at: Option<Timestamp>,
}

impl Passkey {
    /// The id that its authenticator gave it, in base64url.
    pub fn credential_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.named.credential_id)
    }
}

/// The passkeys of an account, oldest first.
pub async fn list(db: &Db, user: &UserId) -> Result<Vec<Passkey>, Error> {
    store::of_user(db, user).await
}

/// Gives a passkey another name.
///
/// # Errors
/// [`Refusal::NotFound`] when the account has no such passkey; [`Refusal::SessionRevoked`].
pub async fn rename(
    db: &Db,
    owner: Owner<'_>,
    id: &PasskeyId,
    name: &str,
    asking: &Asking,
) -> Result<(), Error> {
    let (user, by) = (&owner.user.id, By::Caller(asking));
    let unit = users::store::hold(user, owner.session, asking.now)
        .expect(1, store::rename(user, id, name))
        .run(audit::row(Event::PasskeyRenamed, by, owner.about()));
    match db.write(unit).await {
        Ok(_) => Ok(()),
        Err(db::Error::Touched {
            statement: 0 | 1, ..
        }) => Err(Refusal::SessionRevoked.into()),
        Err(db::Error::Touched { .. }) => Err(Refusal::NotFound.into()),
        Err(error) => Err(error.into()),
    }
}

/// Removes a passkey, and with the last second factor what belongs to second factors.
///
/// # Errors
/// [`Refusal::NotFound`] when the account has no such passkey; [`Refusal::LastCredential`] when there is no other way into it;
/// [`Refusal::LastSecondFactor`] when it has to have a second factor and this is the last; those of [`Owner::refusal`].
pub async fn remove(
    db: &Db,
    config: &SecondFactorConfig,
    owner: Owner<'_>,
    id: &PasskeyId,
    asking: &Asking,
) -> Result<(), Error> {
    let user = &owner.user.id;
    let held = owner.held(asking);
    let deletes = held.next_position();
    let mut unit = held
        .expect(1, store::delete(user, id))
        .expect(1, store::ask_way_in(user));
    if config.is_required_of(&owner.user.roles) {
        unit = unit.expect(1, second_factors::store::ask(user));
    }
    let by = By::Caller(asking);
    let unit = unit.append(second_factors::gone(user)).run(audit::row(
        Event::PasskeyRemoved,
        by,
        owner.about(),
    ));
    match db.write(unit).await {
        Ok(_) => Ok(()),
        Err(db::Error::Touched { statement, .. }) => Err(match Owner::refusal(statement) {
            Some(refusal) => refusal,
            None if statement == deletes => Refusal::NotFound,
            None if statement == deletes + 1 => Refusal::LastCredential,
            None => Refusal::LastSecondFactor,
        }
        .into()),
        Err(error) => Err(error.into()),
    }
}

fn named(passkeys: Vec<Passkey>) -> Vec<Named> {
    passkeys.into_iter().map(|passkey| passkey.named).collect()
}

/// Tells the operator why something is refused, and nobody else.
fn noted(Wrong(why): Wrong, refusal: Refusal) -> Refusal {
    tracing::debug!(why, "a passkey was not taken");
    refusal
}
