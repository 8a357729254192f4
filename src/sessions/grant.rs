//! What the holder of a session is given, when it begins and each time it is renewed: what tells others of it, and what
//! it goes on with.

use std::fmt;
use std::time::Duration;

use super::renewal::Renewal;
use super::{Carried, Session};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::secret::{Secret, Stamp};
use crate::tokens::Tokens;
use crate::users::User;

/// Given once, to the holder alone.
pub enum Grant {
    /// The documented answer.
    Token {
        /// The access token.
        token: String,
        /// What tells the device the next time, if that was asked for.
        device: Option<Secret<String>>,
    },
    /// A token that counts for a short time, and what gets the next.
    Refresh {
        /// The access token.
        token: String,
        /// How long it counts.
        expires_in: Duration,
        /// What gets the next.
        refresh_token: Secret<String>,
        /// What tells the device the next time, if that was asked for.
        device: Option<Secret<String>>,
    },
    /// A cookie, and no word of it in the body.
    Cookie {
        /// Its value.
        value: Secret<String>,
        /// How long a browser may keep it.
        max_age: Duration,
        /// Whose it is.
        user: Box<User>,
    },
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grant(***)")
    }
}

impl Grant {
    /// What the holder of `session`, who is `user`, gets at `now`. A session that is carried by its token has no `renewal`.
    pub fn new(
        user: &User,
        session: &Session,
        renewal: Option<&Renewal>,
        tokens: &Tokens,
        stamp: &Stamp,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let renewal = || {
            renewal
                .map(|renewal| renewal.to_text(stamp))
                .ok_or_else(|| Error::bug("a session that is renewed has nothing to renew it by"))
        };
        Ok(match session.carried {
            Carried::Token => Self::Token {
                token: tokens.issue(user, session, now)?.text,
                device: None,
            },
            Carried::Refresh => {
                let token = tokens.issue(user, session, now)?;
                Self::Refresh {
                    token: token.text,
                    expires_in: token.expires_in,
                    refresh_token: renewal()?,
                    device: None,
                }
            }
            Carried::Cookie => Self::Cookie {
                value: renewal()?,
                max_age: session.ends_at.since(now),
                user: Box::new(user.clone()),
            },
        })
    }

    /// The same, with what tells the device the next time. A cookie's holder has that in a cookie, too.
    pub fn with_device(mut self, told: Option<Secret<String>>) -> Self {
        if let Self::Token { device, .. } | Self::Refresh { device, .. } = &mut self {
            *device = told;
        }
        self
    }
}
