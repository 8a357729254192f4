//! A password's hash as it is stored: read, bounded, and written back as it was.

use std::fmt;
use std::str::FromStr;

use crate::cost::Cost;
use crate::recipe::{self, Recipe};
use crate::schemes::{Scheme, Work, argon2, bcrypt, pbkdf2, scrypt};

/// Longer than any string that keeps the other bounds.
const MOST_CHARS: usize = 512;

/// A stored hash: a PHC string, or bcrypt's own form.
///
/// Reading one bounds everything that it can ask of the machine, so that a hostile row is refused
/// before it is computed:
///
/// | scheme | form | at most |
/// |---|---|---|
/// | Argon2id, i, d | `$argon2id$v=19$m=19456,t=2,p=1$salt$tag` | [`Cost`]'s caps: 256 MiB, 2 GiB of passes |
/// | bcrypt | `$2a$`, `$2b$`, `$2x$`, `$2y$` | cost 15 |
/// | scrypt | `$scrypt$ln=15,r=8,p=1$salt$tag` | ln 17, 256 MiB, N * r * p = 2^22 |
/// | PBKDF2 | `$pbkdf2-sha256$i=600000,l=32$salt$tag`, passlib's `$pbkdf2-sha256$29000$salt$tag` | 2,000,000 iterations times output blocks |
///
/// PBKDF2's other names are `pbkdf2-sha512`, and `pbkdf2` or `pbkdf2-sha1` for SHA-1. Salts are 4
/// to 64 bytes (Argon2's at least 8), tags 16 to 64; bcrypt's are fixed.
///
/// `Display` gives the string back byte for byte, to store it; `Debug` shows neither salt nor tag.
#[derive(Clone)]
pub struct StoredHash {
    text: String,
    pub(crate) parts: Parts,
}

#[derive(Clone)]
pub(crate) enum Parts {
    Argon2(argon2::Stored),
    Bcrypt(bcrypt::Stored),
    Scrypt(scrypt::Stored),
    Pbkdf2(pbkdf2::Stored),
}

/// Why a string is not a hash that can be verified here. None of it repeats the string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// No known prefix: another scheme, or no hash at all.
    #[error("not a password hash of a known scheme")]
    UnknownScheme,
    /// The named part is not of the scheme's form.
    #[error("malformed password hash: {0}")]
    Malformed(&'static str),
    /// The named parameter or length is outside what is accepted.
    #[error("password hash out of bounds: {parameter} must be {least} to {most}")]
    OutOfBounds {
        /// As the string calls it.
        parameter: &'static str,
        /// Smallest accepted value.
        least: u64,
        /// Largest accepted value.
        most: u64,
    },
}

impl FromStr for StoredHash {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() > MOST_CHARS {
            return Err(ParseError::Malformed("length"));
        }
        let (name, rest) = text
            .strip_prefix('$')
            .and_then(|text| text.split_once('$'))
            .ok_or(ParseError::UnknownScheme)?;
        let parts = match name {
            "argon2id" => Parts::Argon2(argon2::Stored::parse(Scheme::Argon2id, rest)?),
            "argon2i" => Parts::Argon2(argon2::Stored::parse(Scheme::Argon2i, rest)?),
            "argon2d" => Parts::Argon2(argon2::Stored::parse(Scheme::Argon2d, rest)?),
            "2a" | "2b" | "2y" => Parts::Bcrypt(bcrypt::Stored::parse(false, rest)?),
            "2x" => Parts::Bcrypt(bcrypt::Stored::parse(true, rest)?),
            "scrypt" => Parts::Scrypt(scrypt::Stored::parse(rest)?),
            "pbkdf2" | "pbkdf2-sha1" => {
                Parts::Pbkdf2(pbkdf2::Stored::parse(Scheme::Pbkdf2Sha1, rest)?)
            }
            "pbkdf2-sha256" => Parts::Pbkdf2(pbkdf2::Stored::parse(Scheme::Pbkdf2Sha256, rest)?),
            "pbkdf2-sha512" => Parts::Pbkdf2(pbkdf2::Stored::parse(Scheme::Pbkdf2Sha512, rest)?),
            _ => return Err(ParseError::UnknownScheme),
        };
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }
}

impl StoredHash {
    /// How this hash was made.
    pub fn scheme(&self) -> Scheme {
        self.work().scheme
    }

    /// Whether a hash made now, at `cost`, would be harder to guess from: this one is of another
    /// scheme or version, or has less memory, fewer iterations, fewer lanes, a shorter salt or a
    /// shorter tag.
    pub fn is_weaker_than(&self, cost: &Cost) -> bool {
        match &self.parts {
            Parts::Argon2(stored) => stored.is_weaker_than(cost),
            Parts::Bcrypt(_) | Parts::Scrypt(_) | Parts::Pbkdf2(_) => true,
        }
    }

    /// Whether a new hash of `password`, which this one has just accepted, accepts what this one
    /// does.
    ///
    /// Argon2 reads every byte. The others do not tell some passwords apart, and who replaced such
    /// a hash by one of what was typed today could shut its owner out tomorrow: bcrypt ignores what
    /// follows 72 bytes and cannot see repetitions after a NUL, HMAC (in PBKDF2 and scrypt) ignores
    /// NULs at the end, and `$2x$` confuses bytes over 0x7F.
    pub fn is_replaceable_by(&self, password: &[u8]) -> bool {
        match &self.parts {
            Parts::Argon2(_) => true,
            Parts::Bcrypt(stored) => {
                password.len() < bcrypt::KEY_BYTES
                    && !password.contains(&0)
                    && (!stored.sign_extended || password.is_ascii())
            }
            Parts::Scrypt(_) | Parts::Pbkdf2(_) => password.last() != Some(&0),
        }
    }

    /// What it has in common with every hash that was made as it was.
    pub fn recipe(&self) -> Recipe {
        Recipe::of(self)
    }

    /// The text of its recipe, for a tenth of what the whole of it takes.
    pub fn recipe_text(&self) -> &str {
        recipe::beginning(&self.parts, &self.text)
    }

    pub(crate) fn work(&self) -> Work {
        match &self.parts {
            Parts::Argon2(stored) => stored.work(),
            Parts::Bcrypt(stored) => stored.work(),
            Parts::Scrypt(stored) => stored.work(),
            Parts::Pbkdf2(stored) => stored.work(),
        }
    }
}

impl fmt::Display for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredHash")
            .field("scheme", &self.scheme())
            .finish_non_exhaustive()
    }
}
