//! From a token to its claims, in one fixed order: length, form, header, key, signature, and only then claims.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::algorithm::Algorithm;
use crate::claims;
use crate::compact::{Compact, Header, decode_into, decode_slice};
use crate::members::read_object;
use crate::verifying::{MAX_SIGNATURE_BYTES, VerifyingKey};

/// What a token must say to be taken. One policy for each kind of token and each audience, so that no token
/// passes for another kind (RFC 8725 sections 3.8, 3.9, 3.11 and 3.12).
#[derive(Clone, Debug)]
pub struct Policy {
    /// The `typ` header, compared without regard to ASCII case: `"JWT"`, `"at+jwt"`.
    pub typ: &'static str,
    /// The `iss` claim, to the byte.
    pub issuer: String,
    /// What the `aud` claim must be, or hold, to the byte.
    pub audience: String,
    /// How far, in seconds, the clocks of signer and verifier may differ. Below zero counts as zero.
    pub leeway_seconds: i64,
    /// The longest token that is looked at, in bytes. All work is bounded by it.
    pub max_len: usize,
}

/// Why a token was not taken. It is for logs and for choosing an answer; it holds nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Not three parts of canonical base64url, or the header is not an object with distinct names.
    #[error("the token is malformed")]
    Malformed,
    /// Longer than the policy's `max_len`.
    #[error("the token is too long")]
    TooLong,
    /// `alg` is missing, unknown (`none` is), or not that of the key.
    #[error("the algorithm is not the key's")]
    Algorithm,
    /// `typ` is missing or not the policy's.
    #[error("the type is not the expected one")]
    Type,
    /// The header holds `crit`, `b64`, `zip` or `enc`: it asks for processing that is not done here.
    #[error("the header asks for an extension")]
    Critical,
    /// No key has the token's `kid` (none has one of over 64 characters), or it has none and every key does.
    #[error("no key by that name")]
    UnknownKey,
    /// The signature is not that of a key with the right name and algorithm.
    #[error("the signature is wrong")]
    Signature,
    /// `exp` has passed, by more than the leeway. All else but the caller's own claims was right.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies ahead by more than the leeway.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iss` is missing or another.
    #[error("the issuer is another")]
    Issuer,
    /// `aud` is missing or does not name the policy's audience.
    #[error("the audience is another")]
    Audience,
    /// The claims are not an object with distinct names; `exp` or `sub` is missing; a registered claim has
    /// the wrong type or range; or they do not fit the type that the caller asked for.
    #[error("the claims are not as they should be")]
    Claims,
}

/// Verifies `token` and gives its claims as `C`.
///
/// A key is asked only if its `kid` is the token's (a key without one answers to a token without one) and its
/// algorithm is the token's `alg`; where several are left, each is tried. `now_unix_seconds` is Unix time.
/// Nothing of the claims is parsed before the signature has proved right.
///
/// Checked claims (RFC 7519 section 4.1): `exp` (required), `nbf` and `iat` are integers from 0 to 2^53 - 1;
/// `iss` and `aud` as the policy says; `sub` is required and not empty; `jti` is a string. A token has expired
/// when `now >= exp + leeway`.
///
/// # Errors
/// [`Rejected`] says why; see its variants.
pub fn verify<'k, C: DeserializeOwned>(
    token: &str,
    keys: impl Iterator<Item = &'k VerifyingKey>,
    policy: &Policy,
    now_unix_seconds: i64,
) -> Result<C, Rejected> {
    if token.len() > policy.max_len {
        return Err(Rejected::TooLong);
    }
    let compact = Compact::split(token)?;
    // One buffer for both parts: it is grown once, and the header is done with when the claims come.
    let mut json = Vec::with_capacity(compact.header.len().max(compact.claims.len()));
    decode_into(compact.header, &mut json)?;
    authenticate(&compact, &Header::parse(&json)?, policy, keys)?;
    decode_into(compact.claims, &mut json)?;
    claims::check(&json, policy, now_unix_seconds)?;
    serde_json::from_slice(&json).map_err(|_| Rejected::Claims)
}

/// Holds the header against the policy, finds the key and checks the signature.
fn authenticate<'k>(
    compact: &Compact,
    header: &Header,
    policy: &Policy,
    keys: impl Iterator<Item = &'k VerifyingKey>,
) -> Result<(), Rejected> {
    if header.asks_for_more {
        return Err(Rejected::Critical);
    }
    let alg = header.alg.as_deref().ok_or(Rejected::Algorithm)?;
    let algorithm: Algorithm = alg.parse().map_err(|_| Rejected::Algorithm)?;
    let typ = header.typ.as_deref().ok_or(Rejected::Type)?;
    if !typ.eq_ignore_ascii_case(policy.typ) {
        return Err(Rejected::Type);
    }
    let kid = header.kid.as_deref();
    let mut place = [0; MAX_SIGNATURE_BYTES];
    let signature = decode_slice(compact.signature, &mut place)?;

    let mut why = Rejected::UnknownKey;
    for key in keys.filter(|key| key.kid() == kid) {
        if key.algorithm() != algorithm {
            // A wrong signature by a key that fits says more than a key that does not fit.
            if why != Rejected::Signature {
                why = Rejected::Algorithm;
            }
        } else if key.accepts(compact.signed.as_bytes(), signature) {
            return Ok(());
        } else {
            why = Rejected::Signature;
        }
    }
    Err(why)
}

/// The longest token that is taken apart without a policy.
const MAX_UNVERIFIED_BYTES: usize = 64 * 1024;

/// Takes a token apart to show it: header and claims, **not verified** and so to be believed in nothing.
///
/// # Errors
/// [`Rejected::TooLong`] above 64 KiB, [`Rejected::Malformed`] for the form or the header, and
/// [`Rejected::Claims`] where the claims are not an object with distinct names.
pub fn decode_unverified(token: &str) -> Result<(Value, Value), Rejected> {
    if token.len() > MAX_UNVERIFIED_BYTES {
        return Err(Rejected::TooLong);
    }
    let compact = Compact::split(token)?;
    decode_into(compact.signature, &mut Vec::new())?;
    let header = object(compact.header, Rejected::Malformed)?;
    let claims = object(compact.claims, Rejected::Claims)?;
    Ok((header, claims))
}

fn object(part: &str, otherwise: Rejected) -> Result<Value, Rejected> {
    let mut json = Vec::new();
    decode_into(part, &mut json)?;
    read_object(&json, ()).map_err(|_| otherwise)?;
    serde_json::from_slice(&json).map_err(|_| otherwise)
}
