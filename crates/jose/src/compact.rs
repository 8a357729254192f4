//! The compact serialization (RFC 7515 section 7.1): three parts of base64url, and the header in the first.
//! Nothing here knows a key or believes a word of what it reads.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{IgnoredAny, MapAccess};

use crate::members::{Members, Text, read_object};
use crate::verify::Rejected;

/// The parts of a token, still encoded.
pub(crate) struct Compact<'t> {
    pub(crate) header: &'t str,
    pub(crate) claims: &'t str,
    pub(crate) signature: &'t str,
    /// What the signature covers: header, dot and claims, as they came.
    pub(crate) signed: &'t str,
}

impl<'t> Compact<'t> {
    /// Splits at exactly two dots, with something in each part. A JWE has five parts and is refused here.
    pub(crate) fn split(token: &'t str) -> Result<Self, Rejected> {
        let (header, rest) = token.split_once('.').ok_or(Rejected::Malformed)?;
        let (claims, signature) = rest.split_once('.').ok_or(Rejected::Malformed)?;
        let one_is_empty = header.is_empty() || claims.is_empty() || signature.is_empty();
        if one_is_empty || signature.contains('.') {
            return Err(Rejected::Malformed);
        }
        let signed = &token[..header.len() + 1 + claims.len()];
        Ok(Self {
            header,
            claims,
            signature,
            signed,
        })
    }
}

/// Appends `bytes` to `text` as base64url without padding.
pub(crate) fn encode_onto(text: &mut String, bytes: &[u8]) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// Base64url without padding, as text.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Replaces `bytes` by what `part` encodes. Refused: padding, `+` and `/`, white space, and a last character
/// with bits that stand for nothing, so that one byte string has one spelling.
pub(crate) fn decode_into(part: &str, bytes: &mut Vec<u8>) -> Result<(), Rejected> {
    bytes.clear();
    URL_SAFE_NO_PAD
        .decode_vec(part, bytes)
        .map_err(|_| Rejected::Malformed)
}

/// As `decode_into`, into a place that is there already. What does not fit is refused.
pub(crate) fn decode_slice<'b>(part: &str, place: &'b mut [u8]) -> Result<&'b [u8], Rejected> {
    let length = URL_SAFE_NO_PAD
        .decode_slice(part, place)
        .map_err(|_| Rejected::Malformed)?;
    Ok(&place[..length])
}

/// The members of a JOSE header (RFC 7515 section 4.1) that mean something here. `jwk`, `jku`, `x5u`, `x5c`
/// and all others are passed over: a token never brings or names the place of its own key.
#[derive(Default)]
pub(crate) struct Header<'t> {
    pub(crate) alg: Option<Cow<'t, str>>,
    pub(crate) typ: Option<Cow<'t, str>>,
    pub(crate) kid: Option<Cow<'t, str>>,
    /// One of `crit`, `b64`, `zip`, `enc` is there: it asks to be read in another way than ours.
    pub(crate) asks_for_more: bool,
}

impl<'t> Header<'t> {
    pub(crate) fn parse(json: &'t [u8]) -> Result<Self, Rejected> {
        read_object(json, Self::default()).map_err(|_| Rejected::Malformed)
    }
}

impl<'de> Members<'de> for Header<'de> {
    fn take<A: MapAccess<'de>>(&mut self, name: &str, values: &mut A) -> Result<(), A::Error> {
        match name {
            "alg" => self.alg = Some(values.next_value::<Text>()?.0),
            "typ" => self.typ = Some(values.next_value::<Text>()?.0),
            "kid" => self.kid = Some(values.next_value::<Text>()?.0),
            _ => {
                self.asks_for_more |= matches!(name, "crit" | "b64" | "zip" | "enc");
                values.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
