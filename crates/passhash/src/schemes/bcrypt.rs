//! bcrypt, to verify only. What the old system accepted is what is accepted here:
//!
//! - **72 bytes.** The key is the password and a NUL, repeated or cut to 72 bytes, so of a longer
//!   password only the first 72 bytes count.
//! - **NUL is an ordinary byte**, as in every implementation that is handed a length: nothing is
//!   cut at a NUL, so `abc\0x` and `abc\0y` differ. (`p\0p` is the same key as `p`, by the
//!   repetition.)
//! - `$2x$` marks hashes of the crypt_blowfish of before 2011, which sign-extended bytes over 0x7F.
//!   The mistake is repeated here for them alone. `$2a$` is read as the correct algorithm, without
//!   crypt_blowfish's later countermeasure for some passwords of such bytes.

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use zeroize::Zeroizing;

use super::phc;
use super::{Scheme, Work};
use crate::stored::ParseError;

/// Each step doubles the time; 15 is three seconds of a core, and 31 would be two days.
const MOST_COST: u64 = 15;
const LEAST_COST: u64 = 4;
const SALT_CHARS: usize = 22;
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 23;
/// How much of a password counts.
pub(crate) const KEY_BYTES: usize = 72;

/// Some makers left noise in the last character's unused bits, and every verifier drops it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::BCRYPT,
    NO_PAD.with_decode_allow_trailing_bits(true),
);

#[derive(Clone)]
pub(crate) struct Stored {
    /// `$2x$`.
    pub(crate) sign_extended: bool,
    cost: u32,
    salt: [u8; SALT_BYTES],
    pub(crate) tag: [u8; TAG_BYTES],
}

impl Stored {
    /// What follows `$2b$` and its siblings: `12$` and 53 characters.
    pub(crate) fn parse(sign_extended: bool, rest: &str) -> Result<Self, ParseError> {
        let (cost, encoded) = rest
            .split_once('$')
            .ok_or(ParseError::Malformed("number of fields"))?;
        let cost = match cost.as_bytes() {
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
                u32::from(tens - b'0') * 10 + u32::from(ones - b'0')
            }
            _ => return Err(ParseError::Malformed("number")),
        };
        phc::within("cost", cost.into(), LEAST_COST, MOST_COST)?;
        let (salt, tag) = encoded
            .split_at_checked(SALT_CHARS)
            .ok_or(ParseError::Malformed("salt"))?;
        Ok(Self {
            sign_extended,
            cost,
            salt: decode(salt, "salt")?,
            tag: decode(tag, "tag")?,
        })
    }

    pub(crate) fn work(&self) -> Work {
        Work {
            scheme: Scheme::Bcrypt,
            units: 1 << self.cost,
        }
    }

    pub(crate) fn tag_of(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        let (key, used) = if self.sign_extended {
            (sign_extended_key(password), KEY_BYTES)
        } else {
            key(password)
        };
        let mut tag = Zeroizing::new(bcrypt::bcrypt(self.cost, self.salt, &key[..used]).to_vec());
        // The 24th byte is computed and thrown away by every bcrypt there is.
        tag.truncate(TAG_BYTES);
        tag
    }
}

fn decode<const N: usize>(segment: &str, what: &'static str) -> Result<[u8; N], ParseError> {
    phc::decode(&BASE64, segment, what, N..=N)?
        .try_into()
        .map_err(|_| ParseError::Malformed(what))
}

/// The password and its closing NUL, and how much of it counts.
fn key(password: &[u8]) -> (Zeroizing<[u8; KEY_BYTES]>, usize) {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let copied = password.len().min(KEY_BYTES);
    key[..copied].copy_from_slice(&password[..copied]);
    (key, (copied + 1).min(KEY_BYTES))
}

/// The eighteen words that the old crypt_blowfish made of a password: each byte is or-ed in as a
/// *signed* number, so that one over 0x7F overwrites those before it in its word with ones. A key
/// of 72 bytes is used as it is, without repeating, so handing over the words themselves gives the
/// same key schedule.
fn sign_extended_key(password: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
    let (key, used) = key(password);
    let mut bytes = key[..used].iter().cycle();
    let mut words = Zeroizing::new([0; KEY_BYTES]);
    for word in words.chunks_exact_mut(4) {
        let mut mixed = 0_u32;
        for byte in bytes.by_ref().take(4) {
            mixed = (mixed << 8) | i32::from(byte.cast_signed()).cast_unsigned();
        }
        word.copy_from_slice(&mixed.to_be_bytes());
    }
    words
}
