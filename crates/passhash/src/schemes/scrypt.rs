//! scrypt (RFC 7914), to verify only.
//!
//! Its memory, 128 * N * r bytes, is allocated for each hash and given back after it: the library
//! offers no buffer to reuse.

use scrypt::Params;
use zeroize::Zeroizing;

use super::phc;
use super::{Scheme, Work};
use crate::stored::ParseError;

const MOST_LOG_N: u64 = 17;
/// N * r, so 128 * 2^21 = 256 MiB, as much as Argon2 is allowed.
const MOST_MEMORY: u64 = 1 << 21;
/// N * r * p: two seconds of one core.
const MOST_WORK: u64 = 1 << 22;

#[derive(Clone)]
pub(crate) struct Stored {
    params: Params,
    salt: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

impl Stored {
    /// What follows `$scrypt$`: `ln=15,r=8,p=1$salt$tag`.
    pub(crate) fn parse(rest: &str) -> Result<Self, ParseError> {
        let [parameters, salt, tag] = phc::three(rest.split('$'))?;
        let [log_n, r, p] = phc::parameters(parameters, ["ln", "r", "p"])?;
        phc::within("ln", log_n.into(), 1, MOST_LOG_N)?;
        let memory = u64::from(r) << log_n;
        phc::within("N * r", memory, 2, MOST_MEMORY)?;
        phc::within("N * r * p", memory.saturating_mul(p.into()), 2, MOST_WORK)?;
        let log_n = u8::try_from(log_n).map_err(|_| ParseError::Malformed("number"))?;
        Ok(Self {
            params: Params::new(log_n, r, p).map_err(|_| ParseError::Malformed("parameters"))?,
            salt: phc::salt(salt, *phc::SALT_BYTES.start())?,
            tag: phc::tag(tag)?,
        })
    }

    pub(crate) fn work(&self) -> Work {
        Work {
            scheme: Scheme::Scrypt,
            units: self.params.n() * u64::from(self.params.r()) * u64::from(self.params.p()),
        }
    }

    pub(crate) fn tag_of(
        &self,
        password: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, scrypt::errors::InvalidOutputLen> {
        let mut tag = Zeroizing::new(vec![0; self.tag.len()]);
        scrypt::scrypt(password, &self.salt, &self.params, &mut tag)?;
        Ok(tag)
    }
}
