//! PBKDF2 (RFC 8018, section 5.2), to verify only, in its two spellings: PHC's
//! `$pbkdf2-sha256$i=600000[,l=32]$salt$tag` and passlib's `$pbkdf2-sha256$29000$salt$tag`, whose
//! base64 has `.` for `+`.

use base64::alphabet::Alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use zeroize::Zeroizing;

use super::phc;
use super::{Scheme, Work};
use crate::stored::ParseError;

/// Three times what OWASP asks of SHA-256.
const MOST_ITERATIONS: u64 = 2_000_000;

const PASSLIB: GeneralPurpose = GeneralPurpose::new(
    match &Alphabet::new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./") {
        Ok(alphabet) => alphabet,
        Err(_) => panic!("64 distinct characters"),
    },
    NO_PAD,
);

#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) scheme: Scheme,
    iterations: u32,
    salt: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

impl Stored {
    /// What follows `$pbkdf2-sha256$` and its siblings.
    pub(crate) fn parse(scheme: Scheme, rest: &str) -> Result<Self, ParseError> {
        let [parameters, salt, tag] = phc::three(rest.split('$'))?;
        let stored = if parameters.contains('=') {
            phc_form(scheme, parameters, salt, tag)?
        } else {
            Self {
                scheme,
                iterations: phc::decimal(parameters)?,
                salt: phc::decode(&PASSLIB, salt, "salt", phc::SALT_BYTES)?,
                tag: phc::decode(&PASSLIB, tag, "tag", phc::TAG_BYTES)?,
            }
        };
        phc::within("iterations", stored.iterations.into(), 1, MOST_ITERATIONS)?;
        phc::within(
            "iterations * output blocks",
            stored.work().units,
            1,
            MOST_ITERATIONS,
        )?;
        Ok(stored)
    }

    pub(crate) fn work(&self) -> Work {
        let block = match self.scheme {
            Scheme::Pbkdf2Sha1 => 20,
            Scheme::Pbkdf2Sha512 => 64,
            _ => 32,
        };
        Work {
            scheme: self.scheme,
            units: u64::from(self.iterations) * self.tag.len().div_ceil(block) as u64,
        }
    }

    pub(crate) fn tag_of(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        let derive = match self.scheme {
            Scheme::Pbkdf2Sha1 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>,
            Scheme::Pbkdf2Sha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>,
            _ => pbkdf2::pbkdf2_hmac::<sha2::Sha256>,
        };
        let mut tag = Zeroizing::new(vec![0; self.tag.len()]);
        derive(password, &self.salt, self.iterations, &mut tag);
        tag
    }
}

/// `i=600000`, and optionally `l=32`, which then has to be the tag's length.
fn phc_form(scheme: Scheme, parameters: &str, salt: &str, tag: &str) -> Result<Stored, ParseError> {
    let tag = phc::tag(tag)?;
    let iterations = if parameters.contains(',') {
        let [iterations, length] = phc::parameters(parameters, ["i", "l"])?;
        if length as usize != tag.len() {
            return Err(ParseError::Malformed("length"));
        }
        iterations
    } else {
        let [iterations] = phc::parameters(parameters, ["i"])?;
        iterations
    };
    Ok(Stored {
        scheme,
        iterations,
        salt: phc::salt(salt, *phc::SALT_BYTES.start())?,
        tag,
    })
}
