//! HOTP (RFC 4226) of a step of time, which is TOTP (RFC 6238).

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::{Code, Digits, Secret, url};

/// How long a code is shown: X of RFC 6238 section 4.1.
pub const PERIOD_SECONDS: u64 = 30;

/// Which HMAC a code is taken from (RFC 6238 section 1.2). HMAC-SHA-1 is sound where SHA-1 is not, and it alone is what all
/// apps know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-1, for every app.
    Sha1,
    /// HMAC-SHA-256, for some.
    Sha256,
    /// HMAC-SHA-512, for some.
    Sha512,
}

impl Algorithm {
    /// Every one, by its name in a URL.
    pub const NAMES: &'static [&'static str] = &["SHA1", "SHA256", "SHA512"];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    /// Its name in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    const fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

/// The code of a counter (RFC 4226 section 5.3).
pub fn hotp(secret: &Secret, counter: u64, algorithm: Algorithm, digits: Digits) -> Code {
    let key = hmac::Key::new(algorithm.hmac(), secret.expose());
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let hash = tag.as_ref();
    // Dynamic truncation: the low half of the last byte says where to read four bytes, of which the highest bit is dropped.
    let at = usize::from(hash[hash.len() - 1] & 0xf);
    let mut read = Zeroizing::new([0; 4]);
    read.copy_from_slice(&hash[at..at + 4]);
    Code::of(u32::from_be_bytes(*read) & 0x7fff_ffff, digits)
}

/// The step that a moment is in, in seconds of Unix time (T of RFC 6238 section 4.2). Before 1970 it is step 0.
pub fn step_at(unix_seconds: i64) -> u64 {
    u64::try_from(unix_seconds).unwrap_or(0) / PERIOD_SECONDS
}

/// What an authenticator app was told.
#[derive(Debug, Clone)]
pub struct Totp {
    /// What it and we know.
    pub secret: Secret,
    /// How it makes a code of that.
    pub algorithm: Algorithm,
    /// How many digits it shows.
    pub digits: Digits,
}

impl Totp {
    /// The code that it shows at a step.
    pub fn code(&self, step: u64) -> Code {
        hotp(&self.secret, step, self.algorithm, self.digits)
    }

    /// The first of `steps` at which it shows `code`. All of them are looked at, so that time tells nothing.
    pub fn step_of(&self, code: &Code, steps: impl IntoIterator<Item = u64>) -> Option<u64> {
        steps
            .into_iter()
            .filter(|step| self.code(*step).is(code))
            .fold(None, |first, step| first.or(Some(step)))
    }

    /// What an app is told by: `otpauth://totp/ISSUER:ACCOUNT?secret=...`, in the form that Google Authenticator gave it. It
    /// holds the secret.
    pub fn url(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        url::of(self, issuer, account)
    }
}
