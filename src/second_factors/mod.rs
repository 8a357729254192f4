//! What second factors have in common: what goes along with one that is removed, and the operator's way to take all of them from
//! an account.

pub mod store;

use db::{Db, Unit};

use crate::audit::{self, About, By, Event};
use crate::error::{Error, Refusal};
use crate::ids::UserId;
use crate::revocations::Revocations;
use crate::revocations::store::{Which, end};
use crate::{challenges, passkeys, recovery_codes, totp, trusted_devices, users};

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
