//! Accounts and addresses: who there is, and what the application wants known of them.
//! How somebody proves to be one of them is not kept here.

mod email;
pub mod routes;
pub mod store;

use std::ops::Deref;
use std::sync::OnceLock;

use bytes::Bytes;
use db::{Db, Sql, Unit, Written};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::audit::{self, About, By, Event};
use crate::challenges;
use crate::clock::Timestamp;
use crate::config::Role;
use crate::error::{Error, Refusal};
use crate::ids::UserId;
use crate::revocations::Revocations;
use crate::revocations::store::{Which, end};
use crate::trusted_devices;

pub use email::{Email, EmailKey};

/// A name's length, in characters.
pub const MAX_NAME: usize = 200;
/// An application's own notes on a user, in bytes of JSON.
pub const MAX_METADATA: usize = 8 * 1024;
/// How many roles somebody has: all of them travel in every token.
const MAX_ROLES: usize = 16;

/// Somebody with an account, as callers see them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Stable and opaque; the token's `sub`.
    pub id: UserId,
    /// The address that mail goes to.
    pub email: String,
    /// Whether they proved that they read mail there.
    pub email_verified: bool,
    /// What they want to be called.
    pub name: Option<String>,
    /// Their language, as an RFC 5646 tag.
    pub locale: Option<String>,
    /// What the application allows them; set by the operator alone.
    pub roles: Vec<String>,
    /// What the application notes about them, as it wrote it.
    pub metadata: Box<RawValue>,
    /// Their second factors.
    pub mfa: SecondFactors,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When the account last changed.
    pub updated_at: Timestamp,
    /// When they last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// When the operator shut the account; `None` while it is open. For the operator's eyes.
    #[serde(skip)]
    pub disabled_at: Option<Timestamp>,
}

/// Somebody with an account as of one moment, and what callers see of them, written once.
pub struct Shown {
    user: User,
    json: OnceLock<Bytes>,
}

impl Shown {
    /// What callers see, as JSON.
    pub fn json(&self) -> Result<Bytes, Error> {
        if let Some(json) = self.json.get() {
            return Ok(json.clone());
        }
        let json = Bytes::from(serde_json::to_vec(&self.user).map_err(Error::bug)?);
        Ok(self.json.get_or_init(|| json).clone())
    }
}

impl From<User> for Shown {
    fn from(user: User) -> Self {
        Self {
            user,
            json: OnceLock::new(),
        }
    }
}

impl Deref for Shown {
    type Target = User;

    fn deref(&self) -> &User {
        &self.user
    }
}

/// What somebody can prove beside a password. The three are there from the first release on, so that clients need no
/// second shape.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecondFactors {
    /// An authenticator app is set up.
    pub totp: bool,
    /// How many passkeys there are.
    pub passkeys: u32,
    /// How many recovery codes are unused.
    pub recovery_codes_left: u32,
}

impl SecondFactors {
    /// Whether a password alone is not enough.
    pub fn are_on(&self) -> bool {
        self.totp || self.passkeys > 0
    }

    /// By what a sign-in goes on behind the password.
    pub fn methods(&self) -> Vec<&'static str> {
        [
            (self.totp, "totp"),
            (self.passkeys > 0, "passkey"),
            (self.recovery_codes_left > 0, "recovery_code"),
        ]
        .into_iter()
        .filter_map(|(is_there, name)| is_there.then_some(name))
        .collect()
    }
}

/// An account to be made.
pub struct NewUser {
    /// Where mail goes.
    pub email: Email,
    /// What they want to be called.
    pub name: Option<String>,
    /// Their language.
    pub locale: Option<String>,
    /// What the application notes, as JSON text of an object.
    pub metadata: Option<String>,
    /// What the application allows them.
    pub roles: Vec<String>,
}

impl User {
    /// The account that `new` becomes.
    pub fn new(id: UserId, new: &NewUser, now: Timestamp) -> Result<Self, Error> {
        let metadata = new.metadata.clone().unwrap_or_else(|| "{}".to_owned());
        Ok(Self {
            id,
            email: new.email.as_str().to_owned(),
            email_verified: false,
            name: new.name.clone(),
            locale: new.locale.clone(),
            roles: new.roles.clone(),
            metadata: RawValue::from_string(metadata).map_err(Error::bug)?,
            mfa: SecondFactors::default(),
            created_at: now,
            updated_at: now,
            last_sign_in_at: None,
            disabled_at: None,
        })
    }

    /// Whether the operator shut the account.
    pub fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }
}

/// Accepts the names of roles.
pub fn check_roles(roles: &[String]) -> Result<(), Refusal> {
    if roles.len() > MAX_ROLES {
        let words = format!("there are at most {MAX_ROLES} roles");
        Err(Refusal::invalid(words))
    } else if !roles.iter().all(|role| Role::is_name(role)) {
        Err(Refusal::invalid(format!("a role is {}", Role::NAME)))
    } else {
        Ok(())
    }
}

/// Shuts an account and ends its sessions and what would begin one more easily. `false` when there is no such account, or it
/// was shut already.
pub async fn disable(
    db: &Db,
    revocations: &Revocations,
    id: &UserId,
    by: By<'_>,
) -> Result<bool, Error> {
    let unit = changed(store::disable(id, by.now()), Event::UserDisabled, by, id)
        .append(end(Which::All(id), by.now()))
        .run(challenges::store::delete(id))
        .run(trusted_devices::store::delete(id));
    happened(revocations.write(db, unit).await)
}

/// Opens an account again; what ended when it was shut stays ended. `false` when there is no such account, or it was open.
pub async fn enable(db: &Db, id: &UserId, by: By<'_>) -> Result<bool, Error> {
    let unit = changed(store::enable(id, by.now()), Event::UserEnabled, by, id);
    happened(db.write(unit).await)
}

/// Removes an account with its password and its sessions; the audit trail stays. `false` when there is no such account.
pub async fn delete(
    db: &Db,
    revocations: &Revocations,
    id: &UserId,
    by: By<'_>,
) -> Result<bool, Error> {
    // The sessions are noted as revoked before they go with the account.
    let unit = changed(store::touch(id, by.now()), Event::UserDeleted, by, id)
        .append(end(Which::All(id), by.now()))
        .expect(1, store::delete(id));
    happened(revocations.write(db, unit).await)
}

/// One account's change and the row that tells of it. The account comes first: whoever else changes it then waits.
fn changed(change: Sql, event: Event, by: By<'_>, id: &UserId) -> Unit {
    let about = About {
        user: Some(id),
        session: None,
    };
    Unit::new()
        .expect(1, change)
        .run(audit::row(event, by, about))
}

fn happened(written: Result<Written, db::Error>) -> Result<bool, Error> {
    match written {
        Ok(_) => Ok(true),
        Err(db::Error::Touched { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
