//! The registered claims (RFC 7519 section 4.1), held against a policy. A claim of the wrong type refuses the
//! token: to read it as absent would drop the limit that it was meant to set.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::members::{Members, Text, read_object};
use crate::verify::{Policy, Rejected};

/// Checks the claims in `json`, whose signature is known to be right.
pub(crate) fn check(json: &[u8], policy: &Policy, now: i64) -> Result<(), Rejected> {
    let found = read_object(json, Registered::new(policy)).map_err(|_| Rejected::Claims)?;
    let expires = found.exp.ok_or(Rejected::Claims)?;
    if !found.has_subject {
        return Err(Rejected::Claims);
    }
    if !found.is_by_issuer {
        return Err(Rejected::Issuer);
    }
    if !found.is_for_audience {
        return Err(Rejected::Audience);
    }
    let leeway = policy.leeway_seconds.max(0);
    let latest_start = now.saturating_add(leeway);
    if [found.nbf, found.iat]
        .into_iter()
        .flatten()
        .any(|start| start.0 > latest_start)
    {
        return Err(Rejected::NotYetValid);
    }
    if now >= expires.0.saturating_add(leeway) {
        return Err(Rejected::Expired);
    }
    Ok(())
}

struct Registered<'p> {
    policy: &'p Policy,
    exp: Option<UnixSeconds>,
    nbf: Option<UnixSeconds>,
    iat: Option<UnixSeconds>,
    is_by_issuer: bool,
    is_for_audience: bool,
    has_subject: bool,
}

impl<'p> Registered<'p> {
    fn new(policy: &'p Policy) -> Self {
        Self {
            policy,
            exp: None,
            nbf: None,
            iat: None,
            is_by_issuer: false,
            is_for_audience: false,
            has_subject: false,
        }
    }
}

impl<'de> Members<'de> for Registered<'_> {
    fn take<A: MapAccess<'de>>(&mut self, name: &str, values: &mut A) -> Result<(), A::Error> {
        match name {
            "exp" => self.exp = Some(values.next_value()?),
            "nbf" => self.nbf = Some(values.next_value()?),
            "iat" => self.iat = Some(values.next_value()?),
            "iss" => self.is_by_issuer = values.next_value::<Text>()?.0 == self.policy.issuer,
            "aud" => self.is_for_audience = values.next_value_seed(Names(&self.policy.audience))?,
            "sub" => self.has_subject = !values.next_value::<Text>()?.0.is_empty(),
            "jti" => drop(values.next_value::<Text>()?),
            _ => drop(values.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// A NumericDate (RFC 7519 section 2) as we write it: whole seconds from 0 to 2^53 - 1, the integers that
/// every JSON parser reads alike. A float is refused even where it is integral.
#[derive(Clone, Copy)]
struct UnixSeconds(i64);

impl<'de> Deserialize<'de> for UnixSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = i64::deserialize(deserializer)?;
        if (0..1 << 53).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(D::Error::custom("out of range"))
        }
    }
}

/// Whether `aud`, a string or an array of strings, names the one that is ours.
struct Names<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: Error>(self, audience: &str) -> Result<bool, E> {
        Ok(audience == self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut audiences: A) -> Result<bool, A::Error> {
        let mut is_named = false;
        while let Some(Text(audience)) = audiences.next_element()? {
            is_named |= audience == self.0;
        }
        Ok(is_named)
    }
}
