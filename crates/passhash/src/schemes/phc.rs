//! The pieces of a PHC string: `$id[$v=version][$name=value,...]$salt$tag`.
//!
//! Read strictly, as the format's own rules ask: parameters in their order, decimals without sign
//! or leading zero, base64 without padding or stray bits. What an importer would want to forgive,
//! it can rewrite; what is forgiven here is forgiven for ever.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::stored::ParseError;

/// Salts shorter than NIST's 32 bits are refused, and so is more than anybody writes.
pub(crate) const SALT_BYTES: std::ops::RangeInclusive<usize> = 4..=64;
/// A tag under 128 bits would be worth guessing at; one over 512 buys nothing and costs PBKDF2 a
/// full run for each further block.
pub(crate) const TAG_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// Parameters, salt and tag: all that is left of a string, and all of them there.
pub(crate) fn three<'a>(
    mut segments: impl Iterator<Item = &'a str>,
) -> Result<[&'a str; 3], ParseError> {
    let mut next = || segments.next();
    match (next(), next(), next(), next()) {
        (Some(parameters), Some(salt), Some(tag), None) => Ok([parameters, salt, tag]),
        _ => Err(ParseError::Malformed("number of fields")),
    }
}

/// The values of exactly `names`, in that order, from `a=1,b=2`.
pub(crate) fn parameters<const N: usize>(
    segment: &str,
    names: [&'static str; N],
) -> Result<[u32; N], ParseError> {
    let mut values = [0; N];
    let mut pairs = segment.split(',');
    for (value, name) in values.iter_mut().zip(names) {
        let (found, digits) = pairs
            .next()
            .and_then(|pair| pair.split_once('='))
            .ok_or(ParseError::Malformed("parameters"))?;
        if found != name {
            return Err(ParseError::Malformed("parameters"));
        }
        *value = decimal(digits)?;
    }
    match pairs.next() {
        None => Ok(values),
        Some(_) => Err(ParseError::Malformed("parameters")),
    }
}

/// A decimal as PHC defines it. More than 32 bits is out of every bound, so it is malformed rather
/// than cut.
pub(crate) fn decimal(digits: &str) -> Result<u32, ParseError> {
    let canonical = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    if !canonical {
        return Err(ParseError::Malformed("number"));
    }
    digits.parse().map_err(|_| ParseError::Malformed("number"))
}

/// `value` unless it is outside `least..=most`, and then by whose name.
pub(crate) fn within(
    parameter: &'static str,
    value: u64,
    least: u64,
    most: u64,
) -> Result<(), ParseError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ParseError::OutOfBounds {
        parameter,
        least,
        most,
    })
}

pub(crate) fn salt(segment: &str, least: usize) -> Result<Vec<u8>, ParseError> {
    decode(&STANDARD_NO_PAD, segment, "salt", least..=*SALT_BYTES.end())
}

pub(crate) fn tag(segment: &str) -> Result<Vec<u8>, ParseError> {
    decode(&STANDARD_NO_PAD, segment, "tag", TAG_BYTES)
}

pub(crate) fn decode(
    alphabet: &impl Engine,
    segment: &str,
    what: &'static str,
    bytes: std::ops::RangeInclusive<usize>,
) -> Result<Vec<u8>, ParseError> {
    let decoded = alphabet
        .decode(segment)
        .map_err(|_| ParseError::Malformed(what))?;
    within(
        what,
        decoded.len() as u64,
        *bytes.start() as u64,
        *bytes.end() as u64,
    )?;
    Ok(decoded)
}
