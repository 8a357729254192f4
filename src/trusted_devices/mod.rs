//! Devices on which an account asks for no second factor: its owner said so when they showed one there. It lasts for a while,
//! for this one account, and until the password is another.

pub mod routes;
pub mod store;

use std::time::Duration;

use db::{Db, Unit};
use serde::Serialize;

use crate::audit::{self, About, By, Event};
use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::{SessionId, TrustedDeviceId, UserId};
use crate::secret::Stamp;
use crate::users;

/// A device that is trusted, as its owner sees it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustedDevice {
    /// What it is revoked by.
    pub id: TrustedDeviceId,
    /// The address it was trusted from.
    pub ip: String,
    /// The program it was trusted with.
    pub user_agent: Option<String>,
    /// When that was.
    pub created_at: Timestamp,
    /// Until when it is.
    pub expires_at: Timestamp,
}

/// What the row knows a device by: a keyed hash, of the device and the account together.
pub struct Mark([u8; 32]);

impl Mark {
    /// That of a device, by what tells it from others, for one account.
    pub fn of(device: &[u8; 16], user: &UserId, stamp: &Stamp) -> Self {
        Self(stamp.tag(
            "trusted device v1",
            &[device.as_slice(), user.as_str().as_bytes()].concat(),
        ))
    }
}

/// What trusts a device for `span` from now on.
pub fn trust(mark: &Mark, user: &UserId, span: Duration, asking: &Asking) -> Unit {
    let about = About {
        user: Some(user),
        session: None,
    };
    Unit::new()
        .run(store::insert(mark, user, span, asking))
        .run(audit::row(Event::DeviceTrusted, By::Caller(asking), about))
}

/// Trusts a device no more, by the word of a live session.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::SessionRevoked`].
pub async fn revoke(
    db: &Db,
    id: &TrustedDeviceId,
    user: &UserId,
    session: &SessionId,
    asking: &Asking,
) -> Result<(), Error> {
    let about = About {
        user: Some(user),
        session: Some(session),
    };
    let unit = users::store::hold(user, session, asking.now)
        .expect(1, store::delete_one(id, user))
        .run(audit::row(Event::DeviceRevoked, By::Caller(asking), about));
    match db.write(unit).await {
        Ok(_) => Ok(()),
        Err(db::Error::Touched {
            statement: 0 | 1, ..
        }) => Err(Refusal::SessionRevoked.into()),
        Err(db::Error::Touched { .. }) => Err(Refusal::NotFound.into()),
        Err(error) => Err(error.into()),
    }
}
