//! What an authenticator app and the server both know.

use std::fmt;

use zeroize::Zeroizing;

use crate::base32;

/// A shared secret. It is wiped when it is dropped, and never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// A secret of less than 128 bits, which RFC 4226 section 4 (R6) forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a shared secret has at least 16 bytes")]
pub struct TooShort;

impl Secret {
    /// How long a new one is: 160 bits, as RFC 4226 section 4 (R6) recommends and all apps take.
    pub const BYTES: usize = 20;

    /// The secret of these bytes, which nobody can have foreseen.
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// One that was made before, here or elsewhere.
    ///
    /// # Errors
    /// [`TooShort`], for less than 16 bytes.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, TooShort> {
        if bytes.len() < 16 {
            return Err(TooShort);
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// Its bytes, to be stored sealed.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// As a person types it into an app: base 32 without padding (RFC 4648 section 6), 32 characters for a new one.
    pub fn to_base32(&self) -> Zeroizing<String> {
        base32::encode(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
