//! The half of a key that checks signatures, parsed once and bound to one algorithm.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};

use crate::algorithm::Algorithm;
use crate::jwk::{Jwk, Parameters};
use crate::signing::KeyError;

/// A `kid` is a name, not a place for a payload. A thumbprint (RFC 7638) takes 43 characters.
const MAX_KID_CHARS: usize = 64;

/// The longest signature that any key here makes: that of an RSA key of 8192 bits.
pub(crate) const MAX_SIGNATURE_BYTES: usize = 1024;

/// A key that checks signatures. It is bound to one algorithm (RFC 8725 section 3.1), so that no header can
/// have a public key used as the secret of an HMAC.
///
/// There is no `==`, and `Debug` shows the algorithm and the `kid` alone: for HS256 it holds the secret.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: Option<String>,
    check: Check,
}

#[derive(Clone)]
pub(crate) enum Check {
    Hs256(Box<hmac::Key>),
    Es256(ParsedPublicKey),
    Rs256(ParsedPublicKey),
    EdDsa(ParsedPublicKey),
}

impl VerifyingKey {
    pub(crate) fn hs256(key: Box<hmac::Key>) -> Self {
        Self {
            kid: None,
            check: Check::Hs256(key),
        }
    }

    /// The key that `jwk` describes, by the `kid` that it has there.
    ///
    /// # Errors
    /// [`KeyError::Unsuitable`] for a point off P-256, an Ed25519 point of small order or in a second spelling,
    /// an RSA modulus outside 2048 to 8192 bits, an even exponent or one outside 65537 to 2^32 - 1, and a
    /// `kid` of more than 64 characters, by which no token could ask for it. An Ed25519 point off the curve
    /// passes here, and then accepts no signature.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let unsuitable = || KeyError::Unsuitable(jwk.algorithm());
        let kid = jwk.kid().map(str::to_owned);
        if kid
            .as_deref()
            .is_some_and(|kid| kid.chars().count() > MAX_KID_CHARS)
        {
            return Err(unsuitable());
        }
        let check = match &jwk.parameters {
            Parameters::Ec { x, y } => {
                // SEC 1 section 2.3.3: 4 announces an uncompressed point.
                let point = [&[4], &x[..], &y[..]].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map(Check::Es256)
            }
            Parameters::Okp { x } if is_small_order_or_not_canonical(x) => return Err(unsuitable()),
            Parameters::Okp { x } => ParsedPublicKey::new(&ED25519, x).map(Check::EdDsa),
            Parameters::Rsa { n, e } if !is_sound_rsa(n, e) => return Err(unsuitable()),
            Parameters::Rsa { n, e } => RsaPublicKeyComponents { n, e }
                .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
                .map(Check::Rs256),
        };
        Ok(Self {
            kid,
            check: check.map_err(|_| unsuitable())?,
        })
    }

    /// The one algorithm that this key checks.
    pub fn algorithm(&self) -> Algorithm {
        match self.check {
            Check::Hs256(_) => Algorithm::Hs256,
            Check::Es256(_) => Algorithm::Es256,
            Check::Rs256(_) => Algorithm::Rs256,
            Check::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    /// The name by which a token must ask for this key; a key without one answers to tokens without one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.check {
            // Compared in constant time.
            Check::Hs256(key) => hmac::verify(key, message, signature).is_ok(),
            Check::Es256(key) | Check::Rs256(key) | Check::EdDsa(key) => {
                key.verify_sig(message, signature).is_ok()
            }
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("algorithm", &self.algorithm())
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// RFC 7518 section 3.3 sets the least size of the modulus, FIPS 186-5 appendix A.1.1 the least exponent; the
/// upper bounds keep a key that was fetched from somewhere from making every verification dear.
fn is_sound_rsa(modulus: &[u8], exponent: &[u8]) -> bool {
    let bits = modulus.first().map_or(0, |first| {
        modulus.len() * 8 - first.leading_zeros() as usize
    });
    let is_short = exponent.len() <= 4;
    let exponent = exponent
        .iter()
        .fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
    (2048..=8192).contains(&bits) && is_short && exponent >= 65537 && exponent % 2 == 1
}

/// Ed25519 has eight points of small order, for which anybody can make signatures that hold for a message in
/// eight, or for all. They are told by `y`, little-endian, the top bit being the sign of `x`. A `y` of
/// 2^255 - 19 or more is a second spelling of a smaller one (RFC 8032 section 5.1.3 refuses it).
fn is_small_order_or_not_canonical(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    let is_canonical = y.iter().rev().lt(FIELD_ORDER.iter().rev());
    !is_canonical || SMALL_ORDER_Y.contains(&y)
}

/// 2^255 - 19, little-endian.
const FIELD_ORDER: [u8; 32] = little_endian(0xed, 0xff, 0x7f);

const fn little_endian(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    little_endian(1, 0, 0),          // 1, the neutral point
    little_endian(0xec, 0xff, 0x7f), // -1, of order 2
    [0; 32],                         // 0, two points of order 4
    [
        // two points of order 8, and their negatives below
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];
