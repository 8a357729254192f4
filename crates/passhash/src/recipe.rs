//! What hashes have in common that were made alike.

use std::fmt;
use std::str::FromStr;

use crate::cost::Cost;
use crate::schemes::{Scheme, Work, argon2};
use crate::stored::{ParseError, Parts, StoredHash};

/// The lengths that a tag may have, in bytes.
const TAG_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// A scheme and its parameters: all of a hash but its salt and its tag, and so what it costs to verify.
///
/// Its text is what each such hash begins with, up to its salt: `$2b$12$`, `$argon2id$v=19$m=19456,t=2,p=1$`. No recipe's
/// text is the beginning of another's. Where it leaves the length of the tag open, as PBKDF2's may, the cost is that of the
/// longest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    text: String,
    pub(crate) work: Work,
}

impl Recipe {
    pub(crate) fn of(hash: &StoredHash) -> Self {
        let text = hash.recipe_text();
        Self {
            work: dearest(text).map_or_else(|| hash.work(), |hash| hash.work()),
            text: text.to_owned(),
        }
    }

    /// That of the hashes that are made here at `cost`.
    pub fn made_at(cost: &Cost) -> Self {
        Self {
            text: format!("$argon2id$v=19${cost}$"),
            work: argon2::work(Scheme::Argon2id, cost),
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Recipe {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        dearest(text)
            .map(|hash| hash.recipe())
            .filter(|recipe| recipe.text == text)
            .ok_or(ParseError::Malformed("recipe"))
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a hash that reads `text` begins with, up to its salt.
pub(crate) fn beginning<'t>(parts: &Parts, text: &'t str) -> &'t str {
    let fields_behind = match parts {
        // Salt and tag are one field.
        Parts::Bcrypt(_) => 1,
        Parts::Argon2(_) | Parts::Scrypt(_) | Parts::Pbkdf2(_) => 2,
    };
    let mut fields = text.rmatch_indices('$');
    let before_salt = fields.nth(fields_behind - 1).map_or(0, |(at, _)| at + 1);
    &text[..before_salt]
}

/// The hash with this beginning that asks for the most work: of nothing, in the form that its scheme has.
fn dearest(beginning: &str) -> Option<StoredHash> {
    let bcrypt = format!("{beginning}{}", ".".repeat(22 + 31));
    let others = TAG_BYTES.rev().map(|bytes| {
        let (salt, tag) = ("A".repeat(11), "A".repeat((bytes * 4).div_ceil(3)));
        format!("{beginning}{salt}${tag}")
    });
    std::iter::once(bcrypt)
        .chain(others)
        .find_map(|text| text.parse().ok())
}
