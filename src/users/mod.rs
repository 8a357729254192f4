//! Accounts and addresses: who there is, and what the application wants known of them.
//! How somebody proves to be one of them is not kept here.

mod email;
pub mod routes;
pub mod store;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::ids::UserId;

pub use email::{Email, EmailKey};

/// A name's length, in characters.
pub const MAX_NAME: usize = 200;
/// An application's own notes on a user, in bytes of JSON.
pub const MAX_METADATA: usize = 8 * 1024;

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

/// What somebody can prove beside a password. The three are there from the first release on, so that clients need no
/// second shape; each says no until its factor can be enrolled.
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
    /// Whether the operator shut the account.
    pub fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }
}
