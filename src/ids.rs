//! Names for rows: opaque text made by us, one type a table, so that a session's id is never taken for a user's. What must be
//! unguessable is made in `secret`, never here.

use std::fmt;

use db::{Kind, ToValue, Value};
use serde::Serialize;

use crate::clock::Timestamp;
use crate::secret;

macro_rules! id {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as it stands in a row or a verified token.
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ToValue for &$name {
            const KIND: Kind = Kind::Text;

            fn to_value(self) -> Value {
                Value::Text(self.0.clone())
            }
        }
    };
}

/// Ids that only their owner and the operator see: UUIDv7, which keeps an index's new rows together.
macro_rules! timed {
    ($($name:ident),+) => {
        $(impl $name {
            /// A new one, made at `now`.
            pub fn new(now: Timestamp) -> Self {
                Self(uuid_v7(now))
            }
        })+
    };
}

id! {
    /// A person with an account. The token's `sub`.
    UserId
}
id! {
    /// One sign-in and what followed from it. The token's `sid`.
    SessionId
}
id! {
    /// A device on which no second factor is asked for.
    TrustedDeviceId
}
id! {
    /// What its owner may prove an account with in the place of a password.
    PasskeyId
}
id! {
    /// A row of the audit trail.
    AuditId
}
id! {
    /// One request, in its answer, its log line and its audit rows.
    RequestId
}

timed!(SessionId, TrustedDeviceId, PasskeyId, AuditId, RequestId);

impl UserId {
    /// A new one. UUIDv4 (RFC 9562 section 5.4), since applications show it to others: it tells neither when its account was made
    /// nor which came before which.
    pub fn new() -> Self {
        Self(
            uuid::Builder::from_random_bytes(secret::bytes())
                .into_uuid()
                .to_string(),
        )
    }
}

impl Default for UserId {
    fn default() -> Self {
        Self::new()
    }
}

/// RFC 9562 section 5.7: 48 bits of milliseconds, then 74 bits of chance.
fn uuid_v7(now: Timestamp) -> String {
    let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &secret::bytes::<10>())
        .into_uuid()
        .to_string()
}
