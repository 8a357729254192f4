//! A code, as an app shows it and a person types it.

use std::fmt;

use aws_lc_rs::constant_time;
use zeroize::{Zeroize, Zeroizing};

/// How many digits a code has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// What every app shows.
    Six,
    /// What some apps show when asked to; others show six all the same.
    Eight,
}

impl Digits {
    /// As a number.
    pub const fn count(self) -> usize {
        match self {
            Self::Six => 6,
            Self::Eight => 8,
        }
    }

    /// Ones of this number, if codes can have so many.
    pub const fn from_count(count: usize) -> Option<Self> {
        match count {
            6 => Some(Self::Six),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    /// The number of different codes.
    const fn codes(self) -> u32 {
        match self {
            Self::Six => 1_000_000,
            Self::Eight => 100_000_000,
        }
    }
}

/// A code of six or eight digits. It is wiped when it is dropped, never printed, and compared in constant time.
#[derive(Clone)]
pub struct Code {
    value: u32,
    digits: Digits,
}

/// The text is not as many digits as a code has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a code of the agreed number of digits")]
pub struct NotACode;

impl Code {
    /// The code that `text` shows: exactly so many ASCII digits, and blanks (U+0020) anywhere.
    ///
    /// # Errors
    /// [`NotACode`], for more digits, fewer, or anything else.
    pub fn read(text: &str, digits: Digits) -> Result<Self, NotACode> {
        let mut value = 0_u32;
        let mut count = 0;
        for byte in text.bytes().filter(|byte| *byte != b' ') {
            if !byte.is_ascii_digit() || count == digits.count() {
                return Err(NotACode);
            }
            value = value * 10 + u32::from(byte - b'0');
            count += 1;
        }
        if count == digits.count() {
            Ok(Self { value, digits })
        } else {
            Err(NotACode)
        }
    }

    /// The last digits of a truncated hash (RFC 4226 section 5.3, step 3).
    pub(crate) fn of(truncated: u32, digits: Digits) -> Self {
        Self {
            value: truncated % digits.codes(),
            digits,
        }
    }

    /// Its digits, with leading zeros.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "{:0width$}",
            self.value,
            width = self.digits.count()
        ))
    }

    /// Whether both are the same code; it takes as long whatever they are.
    pub fn is(&self, other: &Self) -> bool {
        let same_value = constant_time::verify_slices_are_equal(
            &self.value.to_be_bytes(),
            &other.value.to_be_bytes(),
        );
        same_value.is_ok() && self.digits == other.digits
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
