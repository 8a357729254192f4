//! What second factors have in common: by the word of which session they change, what goes along with one that is removed, and the
//! operator's way to take all of them from an account.

pub mod store;

use db::{Db, Unit};

use crate::audit::{self, About, By, Event};
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::{SessionId, UserId};
use crate::revocations::Revocations;
use crate::revocations::store::{Which, end};
use crate::users::{self, User};
use crate::{challenges, passkeys, recovery_codes, totp, trusted_devices};

/// Whose second factors they are, and by the word of which session they are changed.
#[derive(Clone, Copy)]
pub struct Owner<'a> {
    /// The account.
    pub user: &'a User,
    /// A live session of it.
    pub session: &'a SessionId,
}

impl<'a> Owner<'a> {
    /// Holds the rows of the account and of the session, which by then has to have shown a second factor if there is one. It goes
    /// first into a unit; which of its statements touched no row is said by [`Owner::refusal`].
    pub fn held(&self, asking: &Asking) -> Unit {
        users::store::hold(&self.user.id, self.session, asking.now)
            .expect(1, store::ask_shown(&self.user.id, self.session))
    }

    /// The answer when this statement of a unit touched no row, if [`Owner::held`] has it.
    pub fn refusal(statement: usize) -> Option<Refusal> {
        match statement {
            0 | 1 => Some(Refusal::SessionRevoked),
            2 => Some(Refusal::ReauthenticationRequired),
            _ => None,
        }
    }

    /// Whom the audit trail tells of.
    pub fn about(&self) -> About<'a> {
        About {
            user: Some(&self.user.id),
            session: Some(self.session),
        }
    }
}

/// What goes along with a second factor that is removed: recovery codes with the last one; half-done sign-ins and trusted devices
/// with any, since they may rest on what is no more. It goes behind the removal, into its unit.
pub fn gone(user: &UserId) -> Unit {
    Unit::new()
        .run(recovery_codes::store::delete_without_factor(user))
        .run(challenges::store::delete(user))
        .run(trusted_devices::store::delete(user))
        .run(passkeys::store::end_all(user))
}

/// Takes every second factor from an account and ends its sessions, by the word of whoever runs the service. `false` when it
/// had none.
///
/// # Errors
/// [`Refusal::LastCredential`] when the account has no password, so that its passkeys are the only way into it.
pub async fn remove(
    db: &Db,
    revocations: &Revocations,
    user: &UserId,
    by: By<'_>,
) -> Result<bool, Error> {
    let about = About {
        user: Some(user),
        session: None,
    };
    let unit = Unit::new()
        .expect(1, users::store::touch(user, by.now()))
        .expect(1, store::ask(user))
        .run(totp::store::delete(user))
        .run(passkeys::store::delete_all(user));
    let asks_way_in = unit.next_position();
    let unit = unit
        .expect(1, passkeys::store::ask_way_in(user))
        .append(gone(user))
        .append(end(Which::All(user), by.now()))
        .run(audit::row(Event::SecondFactorRemoved, by, about));
    match revocations.write(db, unit).await {
        Ok(_) => Ok(true),
        Err(db::Error::Touched { statement, .. }) if statement == asks_way_in => {
            Err(Refusal::LastCredential.into())
        }
        Err(db::Error::Touched { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
