//! A new passkey: what the browser is asked for it, and what it is worth.

use db::Db;

use super::ceremony::{self, Begun, Ceremony, Ending};
use super::relying_party::{Made, RelyingParty};
use super::{Passkey, named, naming, noted, store};
use crate::audit::{self, By, Event};
use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::PasskeyId;
use crate::password::{self, Passwords};
use crate::second_factors::{self, Owner};
use crate::{recovery_codes, sessions};

/// How many an account may have.
const MOST: u32 = 20;

/// Begins with a new passkey, which the same session is to register.
///
/// # Errors
/// [`Refusal::PasskeysFull`] when the account may have no more; [`Refusal::SessionRevoked`] when it is shut or gone.
pub async fn begin_registration(
    db: &Db,
    relying_party: &RelyingParty,
    Owner { user, session }: Owner<'_>,
    asking: &Asking,
) -> Result<Begun, Error> {
    let known = named(store::of_user(db, &user.id).await?);
    if known.len() >= MOST as usize {
        return Err(Refusal::PasskeysFull.into());
    }
    let (public_key, state) = relying_party.begin_making(user, &known)?;
    let ceremony = Ceremony::Register(&user.id, session);
    ceremony::begin(db, ceremony, public_key, &state, asking).await
}

/// A passkey that was registered, and the recovery codes that came with it, if it is the account's first second factor.
pub struct Registered {
    /// The passkey.
    pub passkey: Passkey,
    /// The codes.
    pub codes: Option<recovery_codes::Made>,
}

/// Registers the passkey that a browser made, under this name or one made up.
///
/// # Errors
/// [`Refusal::RegistrationInvalid`] when it does not verify; [`Refusal::PasskeyExists`] when it is registered, to whomever;
/// [`Refusal::PasskeysFull`]; those of [`Owner::refusal`].
pub async fn register(
    (db, passwords): (&Db, &Passwords),
    relying_party: &RelyingParty,
    owner: Owner<'_>,
    ending: &Ending,
    name: Option<String>,
    asking: &Asking,
) -> Result<Registered, Error> {
    let user = &owner.user.id;
    let ceremony = Ceremony::Register(user, owner.session);
    let Some(state) = ceremony::end(db, &ending.ceremony, ceremony, asking).await? else {
        return Err(Refusal::RegistrationInvalid.into());
    };
    let made = relying_party
        .made(&ending.credential, &state)?
        .map_err(|wrong| noted(wrong, Refusal::RegistrationInvalid))?;
    let name = name.unwrap_or_else(|| naming::of(asking.client.agent.as_deref()).to_owned());
    let id = PasskeyId::new(asking.now);
    let codes = if second_factors::store::are_there(db, user).await? {
        None
    } else {
        let turn = password::turn(By::Caller(asking));
        Some(recovery_codes::make(passwords, turn).await?)
    };
    let new = New { id, made, name };
    let codes = match new.write(db, owner, codes.as_ref(), asking).await? {
        Written::Whole => codes,
        // Another second factor came meanwhile, with codes of its own.
        Written::HasCodes => {
            new.write(db, owner, None, asking).await?;
            None
        }
    };
    Ok(Registered {
        passkey: new.into_passkey(asking.now),
        codes,
    })
}

/// A passkey to be.
struct New {
    id: PasskeyId,
    made: Made,
    name: String,
}

enum Written {
    Whole,
    HasCodes,
}

impl New {
    async fn write(
        &self,
        db: &Db,
        owner: Owner<'_>,
        codes: Option<&recovery_codes::Made>,
        asking: &Asking,
    ) -> Result<Written, Error> {
        let (user, by) = (&owner.user.id, By::Caller(asking));
        let mut unit = owner.held(asking).expect(1, store::ask_room(user, MOST));
        let asks_codes = unit.next_position();
        if codes.is_some() {
            unit = unit.expect(1, second_factors::store::ask_none(user));
        }
        let inserts = unit.next_position();
        unit = unit
            .expect(
                1,
                store::insert(&self.id, user, &self.made, &self.name, asking.now),
            )
            // Who made it was verified by it.
            .run(sessions::store::add_factor(owner.session, "pop user"))
            .run(audit::row(Event::PasskeyAdded, by, owner.about()));
        if let Some(codes) = codes {
            unit = unit.append(codes.unit(user, by));
        }
        match db.write(unit).await {
            Ok(_) => Ok(Written::Whole),
            Err(db::Error::Touched { statement, .. }) => match Owner::refusal(statement) {
                Some(refusal) => Err(refusal.into()),
                None if statement == inserts => Err(Refusal::PasskeyExists.into()),
                None if statement == asks_codes => Ok(Written::HasCodes),
                None => Err(Refusal::PasskeysFull.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn into_passkey(self, now: Timestamp) -> Passkey {
        Passkey {
            id: self.id,
            named: self.made.named,
            name: self.name,
            backed_up: self.made.backed_up,
            created_at: now,
            last_used_at: None,
        }
    }
}
