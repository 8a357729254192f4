//! The half of a key that signs: made, read from where it was stored, and used.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use aws_lc_rs::{error::Unspecified, hmac};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::compact::{encode, encode_onto};
use crate::jwk::{Jwk, Parameters};
use crate::verifying::VerifyingKey;

/// RFC 7518 section 3.2: a secret as long as the hash, at least.
const MIN_SECRET_BYTES: usize = 32;

/// Why a key could not be made or read. It holds nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A secret for HS256 of less than 32 bytes.
    #[error("a secret for HS256 has at least 32 bytes")]
    TooShort,
    /// The bytes or the numbers are not a sound key for this algorithm.
    #[error("not a sound key for {0}")]
    Unsuitable(Algorithm),
    /// The members of a JWK do not describe a public key for signatures; the text says which rule they break.
    #[error("not a public key for signatures: {0}")]
    Jwk(&'static str),
    /// The system gave no randomness, or the library refused to make the key.
    #[error("the key could not be generated")]
    Generation,
}

/// Why a token could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The claims do not serialize.
    #[error("the claims do not serialize")]
    Claims(#[source] serde_json::Error),
    /// The claims serialize to something other than an object.
    #[error("the claims are not an object")]
    NotAnObject,
    /// The library refused to sign.
    #[error("the signature could not be made")]
    Refused,
}

/// A key that signs, parsed once; share it by reference or in an `Arc`. It verifies its own kind too, through
/// [`verifying_key`](Self::verifying_key).
///
/// There is no `==`, and `Debug` shows the algorithm and the `kid` alone. The library wipes its copy of the
/// secret when this is dropped.
pub struct SigningKey {
    secret: Secret,
    verifying: VerifyingKey,
    public: Option<Jwk>,
}

enum Secret {
    Hs256(Box<hmac::Key>),
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl SigningKey {
    /// A key for HS256 from the bytes of a shared secret.
    ///
    /// # Errors
    /// [`KeyError::TooShort`] below 32 bytes (RFC 7518 section 3.2).
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeyError::TooShort);
        }
        let key = Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret));
        Ok(Self {
            verifying: VerifyingKey::hs256(key.clone()),
            secret: Secret::Hs256(key),
            public: None,
        })
    }

    /// Makes a key, and what to store so that [`from_stored`](Self::from_stored) gives it back: PKCS#8 DER for
    /// a key pair. For HS256 it is text, 32 random bytes as base64url, and the bytes **of the text** are the
    /// secret: the same text can be pasted as a string into any other program that verifies.
    ///
    /// RSA keys have 3072 bits, the size that gives the 128 bits of strength of the other three; making one
    /// takes from a tenth of a second to seconds.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the system gives no randomness.
    pub fn generate(algorithm: Algorithm) -> Result<(Self, Zeroizing<Vec<u8>>), KeyError> {
        let stored = match algorithm {
            Algorithm::Hs256 => random_text(),
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|document| document.as_ref().to_vec().into()),
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa3072)
                .and_then(|pair| AsDer::<Pkcs8V1Der>::as_der(&pair))
                .map(|document| document.as_ref().to_vec().into()),
            // Version 1, which OpenSSL and everything built on it can read.
            Algorithm::EdDsa => Ed25519KeyPair::generate()
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|document| document.as_ref().to_vec().into()),
        };
        let stored = stored.map_err(|Unspecified| KeyError::Generation)?;
        let key = Self::from_stored(algorithm, &stored)?;
        Ok((key, stored))
    }

    /// The key that [`generate`](Self::generate) gave these bytes for: the secret itself for HS256, otherwise
    /// PKCS#8 DER, which may also come from elsewhere (RSA from 2048 bits).
    ///
    /// # Errors
    /// [`KeyError::TooShort`] as for [`hs256`](Self::hs256); [`KeyError::Unsuitable`] for bytes that are not a
    /// sound key of this algorithm.
    pub fn from_stored(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, KeyError> {
        let unsuitable = |_| KeyError::Unsuitable(algorithm);
        let (secret, parameters) = match algorithm {
            Algorithm::Hs256 => return Self::hs256(bytes),
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes)
                    .map_err(unsuitable)?;
                let parameters = p256_point(pair.public_key().as_ref());
                (Secret::Es256(pair), parameters)
            }
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(bytes).map_err(unsuitable)?;
                let n = pair
                    .public_key()
                    .modulus()
                    .big_endian_without_leading_zero()
                    .to_vec();
                let e = pair
                    .public_key()
                    .exponent()
                    .big_endian_without_leading_zero()
                    .to_vec();
                (Secret::Rs256(pair), Some(Parameters::Rsa { n, e }))
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(bytes).map_err(unsuitable)?;
                let x = pair.public_key().as_ref().try_into().ok();
                (Secret::EdDsa(pair), x.map(|x| Parameters::Okp { x }))
            }
        };
        let parameters = parameters.ok_or(KeyError::Unsuitable(algorithm))?;
        let public = Jwk::named_by_thumbprint(parameters);
        Ok(Self {
            secret,
            verifying: VerifyingKey::from_jwk(&public)?,
            public: Some(public),
        })
    }

    /// The one algorithm that this key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm()
    }

    /// The RFC 7638 thumbprint of a key pair; `None` for HS256, whose hash would help to guess a weak secret.
    pub fn kid(&self) -> Option<&str> {
        self.verifying.kid()
    }

    /// What to publish. `None` for HS256: a shared secret never becomes a JWK.
    pub fn public_jwk(&self) -> Option<Jwk> {
        self.public.clone()
    }

    /// The key that verifies what this one signs.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.verifying.clone()
    }

    /// A token with these claims, whose header is `{"alg":..,"typ":..}`, and `"kid"` after that for a key pair,
    /// in this order and without white space.
    ///
    /// # Errors
    /// [`SignError`]; the first two kinds depend on `claims` alone.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignError> {
        #[derive(Serialize)]
        struct Header<'a> {
            alg: &'static str,
            typ: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            kid: Option<&'a str>,
        }
        let header = Header {
            alg: self.algorithm().as_str(),
            typ,
            kid: self.kid(),
        };
        let header = serde_json::to_vec(&header).map_err(SignError::Claims)?;
        let claims = serde_json::to_vec(claims).map_err(SignError::Claims)?;
        if claims.first() != Some(&b'{') {
            return Err(SignError::NotAnObject);
        }
        // Four characters for three bytes, and room for the signature of an RSA key of 3072 bits.
        let mut token = String::with_capacity((header.len() + claims.len()) / 3 * 4 + 8 + 512);
        encode_onto(&mut token, &header);
        token.push('.');
        encode_onto(&mut token, &claims);
        let signature = self
            .signature(token.as_bytes())
            .map_err(|Unspecified| SignError::Refused)?;
        token.push('.');
        encode_onto(&mut token, &signature);
        Ok(token)
    }

    pub(crate) fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match &self.secret {
            Secret::Hs256(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Secret::Es256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec()),
            Secret::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )?;
                Ok(signature)
            }
            Secret::EdDsa(pair) => pair
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm())
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

fn random_text() -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let mut bytes = Zeroizing::new([0; 32]);
    rand::fill(&mut bytes[..])?;
    Ok(encode(&bytes[..]).into_bytes().into())
}

/// SEC 1 section 2.3.3: 4, then x and y.
fn p256_point(uncompressed: &[u8]) -> Option<Parameters> {
    let (x, y) = uncompressed.strip_prefix(&[4])?.split_at_checked(32)?;
    Some(Parameters::Ec {
        x: x.try_into().ok()?,
        y: y.try_into().ok()?,
    })
}
