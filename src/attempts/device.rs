//! The device that somebody signed in with before, told again by what it was given then: a cookie that no script reads,
//! or a text that a program keeps. It proves nothing about who uses it; all it gives is a lane of its own for the one
//! account that was signed in to (OWASP's device cookies).

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::secret::{self, Secret, Stamp};
use crate::users::EmailKey;

const ID: usize = 16;
const ISSUED: usize = 8;
const TAG: usize = 16;
/// What is tagged is a device and nothing else.
const PLACE: &str = "device v1";

/// How long a device is known after the last sign-in with it. Browsers keep no cookie longer than 400 days.
pub const LIFETIME: Duration = Duration::from_hours(24 * 365);

/// A device of somebody's.
#[derive(Clone)]
pub struct Device {
    id: [u8; ID],
    issued: Timestamp,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Device(***)")
    }
}

impl Device {
    /// One that nobody signed in with before.
    pub fn new(now: Timestamp) -> Self {
        Self {
            id: secret::bytes(),
            issued: now,
        }
    }

    /// The same device, signed in with again.
    pub fn again(&self, now: Timestamp) -> Self {
        Self {
            issued: now,
            ..self.clone()
        }
    }

    /// The device that somebody signs in with: the one that `brought` tells of, or a new one.
    pub fn signing_in(
        brought: Option<&Secret<String>>,
        account: &EmailKey,
        stamp: &Stamp,
        now: Timestamp,
    ) -> Self {
        brought
            .and_then(|text| Self::read(text.expose(), account, stamp, now))
            .map_or_else(|| Self::new(now), |known| known.again(now))
    }

    /// What tells it from others.
    pub fn id(&self) -> &[u8; ID] {
        &self.id
    }

    /// As it keeps it, for the account at one address alone: 54 characters of base64url.
    pub fn to_text(&self, account: &EmailKey, stamp: &Stamp) -> Secret<String> {
        let issued = self.issued.micros().to_be_bytes();
        let tag = stamp.tag(PLACE, &said(&self.id, issued, account));
        let bytes = [self.id.as_slice(), &issued, &tag[..TAG]].concat();
        Secret::new(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The device that `text` tells of, if we made it for the account at that address less than a lifetime ago. Nothing has
    /// to be known of the account for that.
    pub fn read(text: &str, account: &EmailKey, stamp: &Stamp, now: Timestamp) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, rest) = bytes.split_first_chunk::<ID>()?;
        let (issued, tag) = rest.split_first_chunk::<ISSUED>()?;
        let is_ours = tag.len() == TAG && stamp.is_genuine(PLACE, &said(id, *issued, account), tag);
        let device = Self {
            id: *id,
            issued: Timestamp::from_micros(i64::from_be_bytes(*issued)),
        };
        (is_ours && now.since(device.issued) < LIFETIME).then_some(device)
    }

    /// Whether it was signed in with since the password was set: whoever had signed in by the one before need not have been
    /// the owner.
    pub fn is_known_since(&self, set_at: Timestamp) -> bool {
        self.issued >= set_at
    }
}

fn said(id: &[u8; ID], issued: [u8; ISSUED], account: &EmailKey) -> Vec<u8> {
    [id.as_slice(), &issued, account.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::Email;

    const NOW: Timestamp = Timestamp::from_micros(1_780_315_200_000_000);

    fn account(address: &str) -> EmailKey {
        Email::parse(address).expect("an address").key().clone()
    }

    #[test]
    fn it_is_known_to_its_account_under_our_key_unchanged_and_nowhere_else() {
        let stamp = Stamp::new(&secret::token());
        let (ada, eve) = (account("ada@example.com"), account("eve@example.com"));
        let text = Device::new(NOW).to_text(&ada, &stamp);
        let text = text.expose();
        assert_eq!(text.len(), 54);
        let read = |text: &str, whose: &EmailKey, stamp: &Stamp| {
            Device::read(text, whose, stamp, NOW).is_some()
        };
        assert!(read(text, &ada, &stamp));
        assert!(!read(text, &eve, &stamp));
        assert!(!read(text, &ada, &Stamp::new(&secret::token())));
        for at in 0..text.len() {
            let other = if text.as_bytes()[at] == b'A' {
                "B"
            } else {
                "A"
            };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert!(!read(&changed, &ada, &stamp), "character {at}");
            assert!(!read(&text[..at], &ada, &stamp), "cut at {at}");
        }
    }

    #[test]
    fn it_is_known_for_its_lifetime_until_the_password_is_another() {
        let stamp = Stamp::new(&secret::token());
        let ada = account("ada@example.com");
        let text = Device::new(NOW).to_text(&ada, &stamp);
        let read = |now| Device::read(text.expose(), &ada, &stamp, now);
        let last = NOW.plus(LIFETIME.saturating_sub(Duration::from_micros(1)));
        assert!(read(last).is_some_and(|device| device.is_known_since(NOW)));
        assert!(read(NOW.plus(LIFETIME)).is_none());
        let set_at = NOW.plus(Duration::from_micros(1));
        assert!(read(last).is_some_and(|device| !device.is_known_since(set_at)));
    }
}
