//! What begins with one request and ends with another: remembered in the database for five minutes, and ended once, as what
//! it began as, and for the same account.

use std::time::Duration;

use db::{Db, Unit};
use serde_json::Value;

use super::store;
use crate::error::Error;
use crate::http::Asking;
use crate::ids::UserId;
use crate::secret::{self, Secret};

/// How long a ceremony may take: what WebAuthn level 3 section 15.1 recommends.
pub(super) const LIFETIME: Duration = Duration::from_mins(5);

/// What a ceremony is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ceremony<'a> {
    /// A new passkey for an account.
    Register(&'a UserId),
    /// A proof by whoever they turn out to be.
    SignIn,
    /// A proof by the owner of an account that is known already.
    Prove(&'a UserId),
}

impl<'a> Ceremony<'a> {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Register(_) => "register",
            Self::SignIn => "sign_in",
            Self::Prove(_) => "prove",
        }
    }

    pub(super) fn user(self) -> Option<&'a UserId> {
        match self {
            Self::Register(user) | Self::Prove(user) => Some(user),
            Self::SignIn => None,
        }
    }
}

/// A ceremony that was begun.
pub struct Begun {
    /// What ends it.
    pub ceremony: Secret<String>,
    /// What the browser is asked: `PublicKeyCredentialCreationOptionsJSON`, or `PublicKeyCredentialRequestOptionsJSON`.
    pub public_key: Value,
}

/// What ends a ceremony.
pub struct Ending {
    /// The id of the ceremony.
    pub ceremony: Secret<String>,
    /// What `PublicKeyCredential.toJSON()` made of the browser's answer.
    pub credential: String,
}

/// Begins a ceremony, of which the browser is asked `public_key`, and which `state` verifies the end of.
pub(super) async fn begin(
    db: &Db,
    ceremony: Ceremony<'_>,
    public_key: Value,
    state: &str,
    asking: &Asking,
) -> Result<Begun, Error> {
    let id = secret::token();
    let begun = store::begin(&id, ceremony, state, asking.now.plus(LIFETIME));
    db.write(begun).await?;
    Ok(Begun {
        ceremony: id,
        public_key,
    })
}

/// Ends a ceremony and gives its state; `None` when there is none such, or it took too long. Whatever the answer is worth,
/// there is no second.
pub(super) async fn end(
    db: &Db,
    id: &Secret<String>,
    ceremony: Ceremony<'_>,
    asking: &Asking,
) -> Result<Option<String>, Error> {
    let ended = db
        .write(Unit::new().returning(store::end(id, ceremony, asking.now)))
        .await?;
    Ok(ended.row(0).map(|row| row.text("state")).transpose()?)
}
