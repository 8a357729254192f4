//! Who is signed in where. A session begins with a sign-in and ends by its own time, or when somebody ends it; a token
//! is believed only while its session lives, whatever its signature says.

pub mod extract;
pub mod store;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::http::Asking;
use crate::ids::{SessionId, UserId};

/// A sign-in to be remembered.
pub struct Session {
    /// The token's `sid`.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// How they proved it (RFC 8176).
    pub amr: Vec<&'static str>,
    /// When they proved it.
    pub auth_time: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// The address they came from.
    pub ip: String,
    /// The program they came with.
    pub agent: Option<String>,
}

impl Session {
    /// The session of `user`, who has just proved who they are by `amr`.
    pub fn new(user: UserId, amr: Vec<&'static str>, lifetime: Duration, asking: &Asking) -> Self {
        Self {
            id: SessionId::new(asking.now),
            user,
            amr,
            auth_time: asking.now,
            expires_at: asking.now.plus(lifetime),
            ip: asking.client.address.to_string(),
            agent: asking.client.agent.clone(),
        }
    }
}
