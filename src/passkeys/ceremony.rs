//! What begins with one request and ends with another: remembered in the database for five minutes, and ended once, as what
//! it began as, for the same account, and from the same session or half-done sign-in.

use std::time::Duration;

use db::{Db, Unit};
use serde_json::Value;

use super::store;
use crate::challenges::Challenge;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::{SessionId, UserId};
use crate::secret::{self, Secret};
use crate::users;

/// How long a ceremony may take: what WebAuthn level 3 section 15.1 recommends.
pub(super) const LIFETIME: Duration = Duration::from_mins(5);

/// What a ceremony is for.
#[derive(Clone, Copy)]
pub(super) enum Ceremony<'a> {
    /// A new passkey for an account, from one of its sessions.
    Register(&'a UserId, &'a SessionId),
    /// A proof by whoever they turn out to be.
    SignIn,
    /// A proof by the owner of an account that is known already, for one half-done sign-in.
    Prove(HalfDone<'a>),
}

/// A half-done sign-in, and whose it is.
#[derive(Clone, Copy)]
pub struct HalfDone<'a> {
    /// Whose password was right.
    pub user: &'a UserId,
    /// What names it.
    pub challenge: &'a Challenge,
}

impl<'a> Ceremony<'a> {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Register(..) => "register",
            Self::SignIn => "sign_in",
            Self::Prove(_) => "prove",
        }
    }

    pub(super) fn user(self) -> Option<&'a UserId> {
        match self {
            Self::Register(user, _) | Self::Prove(HalfDone { user, .. }) => Some(user),
            Self::SignIn => None,
        }
    }

    /// What the store knows one by: where else its id is said, there is none such.
    pub(super) fn key(self, id: &Secret<String>) -> [u8; 32] {
        let within = match self {
            Self::Register(_, session) => session.as_str(),
            Self::SignIn => "",
            Self::Prove(HalfDone { challenge, .. }) => challenge.text().expose(),
        };
        let key = Secret::new(format!("{}.{within}", id.expose()));
        secret::fingerprint(key.expose().as_bytes())
    }

    /// The answer when its account is gone: so is what led to it.
    fn gone(self) -> Refusal {
        match self {
            Self::Register(..) => Refusal::SessionRevoked,
            Self::SignIn | Self::Prove(_) => Refusal::ChallengeExpired,
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
///
/// # Errors
/// [`Refusal::SessionRevoked`], or [`Refusal::ChallengeExpired`], when its account was shut or removed meanwhile.
pub(super) async fn begin(
    db: &Db,
    ceremony: Ceremony<'_>,
    public_key: Value,
    state: &str,
    asking: &Asking,
) -> Result<Begun, Error> {
    let id = secret::token();
    let whose = ceremony.user().into_iter();
    let begun = whose
        .fold(Unit::new(), |unit, user| {
            unit.expect(1, users::store::hold_open(user))
        })
        .run(store::begin(
            &id,
            ceremony,
            state,
            asking.now.plus(LIFETIME),
        ));
    match db.write(begun).await {
        Ok(_) => Ok(Begun {
            ceremony: id,
            public_key,
        }),
        Err(db::Error::Touched { .. }) => Err(ceremony.gone().into()),
        Err(error) => Err(error.into()),
    }
}

/// Ends a ceremony and gives its state; `None` when there is none such, or it took too long. Whatever the answer is worth,
/// there is no second.
pub(super) async fn end(
    db: &Db,
    id: &Secret<String>,
    ceremony: Ceremony<'_>,
    asking: &Asking,
) -> Result<Option<String>, Error> {
    if !store::is_open(db, id, ceremony, asking.now).await? {
        return Ok(None);
    }
    let ended = db
        .write(Unit::new().returning(store::end(id, ceremony, asking.now)))
        .await?;
    Ok(ended.row(0).map(|row| row.text("state")).transpose()?)
}
