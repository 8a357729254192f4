//! One file a scheme: how its string is read, and how a password is held against it.

pub(crate) mod argon2;
pub(crate) mod bcrypt;
pub(crate) mod pbkdf2;
pub(crate) mod phc;
pub(crate) mod scrypt;

use std::fmt;

/// How a password was hashed. The names are those of the strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// RFC 9106, the hybrid: the only one that is made here.
    Argon2id,
    /// RFC 9106, data-independent addressing.
    Argon2i,
    /// RFC 9106, data-dependent addressing.
    Argon2d,
    /// `$2a$`, `$2b$`, `$2x$`, `$2y$`.
    Bcrypt,
    /// RFC 7914.
    Scrypt,
    /// RFC 8018 with HMAC-SHA-1.
    Pbkdf2Sha1,
    /// RFC 8018 with HMAC-SHA-256.
    Pbkdf2Sha256,
    /// RFC 8018 with HMAC-SHA-512.
    Pbkdf2Sha512,
}

impl Scheme {
    pub(crate) const ALL: [Self; 8] = [
        Self::Argon2id,
        Self::Argon2i,
        Self::Argon2d,
        Self::Bcrypt,
        Self::Scrypt,
        Self::Pbkdf2Sha1,
        Self::Pbkdf2Sha256,
        Self::Pbkdf2Sha512,
    ];
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// The name, fit for a log line or a metric's label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Argon2id => "argon2id",
            Self::Argon2i => "argon2i",
            Self::Argon2d => "argon2d",
            Self::Bcrypt => "bcrypt",
            Self::Scrypt => "scrypt",
            Self::Pbkdf2Sha1 => "pbkdf2-sha1",
            Self::Pbkdf2Sha256 => "pbkdf2-sha256",
            Self::Pbkdf2Sha512 => "pbkdf2-sha512",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much there is to compute, in the scheme's own unit, so that one measured hash foretells the
/// next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) scheme: Scheme,
    /// Argon2: KiB times passes. bcrypt: 2^cost. scrypt: N * r * p. PBKDF2: iterations times output
    /// blocks.
    pub(crate) units: u64,
}
