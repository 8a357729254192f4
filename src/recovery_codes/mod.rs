//! Recovery codes: ten that are shown once and written down, each good once in the place of a second factor that is lost.
//!
//! A code has 80 bits. Below 112 a salted password hash is wanted (OWASP ASVS 6.5.2), so each is hashed as a password is;
//! its first digit tells which of the ten it is, so that one try costs one hash.

mod code;
pub mod routes;
pub mod store;

use std::time::Duration;

use db::{Db, Unit};
use passhash::Turn;

use crate::attempts::Permit;
use crate::audit::{self, About, By, Event};
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::UserId;
use crate::password::{Passwords, Stored};
use crate::second_factors::{self, Owner};
use crate::secret::Secret;

use code::{RecoveryCode, SLOTS};

/// New codes of an account.
pub struct Made {
    /// As their owner is to write them down: there is no second look.
    pub codes: Vec<Secret<String>>,
    hashed: Vec<(u8, Stored)>,
}

/// Makes ten codes; they count once [`Made::unit`] is written.
///
/// # Errors
/// [`Refusal::Overloaded`](crate::error::Refusal::Overloaded) when they cannot be hashed soon.
pub async fn make(passwords: &Passwords, turn: Turn) -> Result<Made, Error> {
    let mut made = Made {
        codes: Vec::new(),
        hashed: Vec::new(),
    };
    // One after the other: who asks for ten hashes waits in the queue as one does.
    for slot in 0..SLOTS {
        let code = RecoveryCode::new(slot);
        let hashed = passwords.hash_code(&code.secret, turn).await?;
        made.codes.push(code.to_text());
        made.hashed.push((slot, hashed));
    }
    Ok(made)
}

impl Made {
    /// Puts these in the place of all codes that `user` had. It goes into a unit that holds the row of the account.
    pub fn unit(&self, user: &UserId, by: By<'_>) -> Unit {
        let voided = Unit::new().run(store::delete(user));
        let about = About {
            user: Some(user),
            session: None,
        };
        self.hashed
            .iter()
            .fold(voided, |unit, (slot, stored)| {
                unit.run(store::insert(user, *slot, stored, by.now()))
            })
            .run(audit::row(Event::RecoveryCodesMade, by, about))
    }
}

/// Lets pass whose account has a second factor, before ten codes are made for nothing.
///
/// # Errors
/// [`Refusal::SecondFactorNotEnabled`].
pub async fn may_be_made(db: &Db, user: &UserId) -> Result<(), Error> {
    if second_factors::store::are_there(db, user).await? {
        Ok(())
    } else {
        Err(Refusal::SecondFactorNotEnabled.into())
    }
}

/// Puts `made` in the place of all codes of an account.
///
/// # Errors
/// [`Refusal::SecondFactorNotEnabled`], also when the last one was removed meanwhile; those of [`Owner::refusal`].
pub async fn replace(db: &Db, made: &Made, owner: Owner<'_>, asking: &Asking) -> Result<(), Error> {
    let user = &owner.user.id;
    let unit = owner
        .held(asking)
        .expect(1, second_factors::store::ask(user))
        .append(made.unit(user, By::Caller(asking)));
    match db.write(unit).await {
        Ok(_) => Ok(()),
        Err(db::Error::Touched { statement, .. }) => Err(Owner::refusal(statement)
            .unwrap_or(Refusal::SecondFactorNotEnabled)
            .into()),
        Err(error) => Err(error.into()),
    }
}

/// What spends `code`, if it is one of `user`'s that is left; a unit that was written before touches no row. It switches
/// nothing off: whoever has lost a factor removes it once they are signed in.
///
/// It does the same work whether there is such a code or not. Where it fails, nothing was tried, and the permit is to be given
/// back.
pub async fn check(
    db: &Db,
    passwords: &Passwords,
    permit: &Permit,
    user: &UserId,
    code: &Secret<String>,
    asking: &Asking,
) -> Result<Option<Unit>, Error> {
    let Some(code) = RecoveryCode::read(code.expose()) else {
        return Ok(None);
    };
    let stored = store::unused(db, user, code.slot).await?;
    let verified = passwords
        .verify(permit, &code.secret, stored.as_ref(), Duration::ZERO)
        .await?;
    let about = About {
        user: Some(user),
        session: None,
    };
    Ok(stored.filter(|_| verified.is_right).map(|stored| {
        Unit::new()
            .expect(1, store::spend(user, code.slot, &stored, asking.now))
            .run(audit::row(
                Event::RecoveryCodeUsed,
                By::Caller(asking),
                about,
            ))
    }))
}

/// How many codes `user` has left.
pub async fn left(db: &Db, user: &UserId) -> Result<u32, Error> {
    store::left(db, user).await
}
