//! Reads one JSON object in a single pass and refuses a name that stands in it twice.
//!
//! serde alone sees a duplicate only among the fields that a struct declares. RFC 7515 section 4 and
//! RFC 7519 section 4 let a parser refuse any duplicate, and two parsers that disagree on which of the two
//! values counts are how a check is passed with one value and another is used.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// What takes the members of an object as they are met.
pub(crate) trait Members<'de> {
    /// Takes exactly one value from `values`, the one that stands under `name`.
    fn take<A: MapAccess<'de>>(&mut self, name: &str, values: &mut A) -> Result<(), A::Error>;
}

/// Every member is passed over: what is left is the check that this is an object with distinct names.
impl<'de> Members<'de> for () {
    fn take<A: MapAccess<'de>>(&mut self, _name: &str, values: &mut A) -> Result<(), A::Error> {
        values.next_value::<IgnoredAny>().map(drop)
    }
}

/// A string that is borrowed from the JSON unless it holds an escape.
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Hands each member of the object in `json` to `members`.
///
/// Refused: anything that is not one JSON object in UTF-8 with nothing but white space around it, a name that
/// is there twice, and what `members` refuses.
pub(crate) fn read_object<'de, M: Members<'de>>(
    json: &'de [u8],
    members: M,
) -> Result<M, serde_json::Error> {
    // The whole text, because serde_json would not look inside the strings that are passed over.
    let text = std::str::from_utf8(json).map_err(|_| serde_json::Error::custom("not UTF-8"))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(Object(members))?;
    deserializer.end()?;
    Ok(members)
}

struct Object<M>(M);

impl<'de, M: Members<'de>> Visitor<'de> for Object<M> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<M, A::Error> {
        let mut names = Vec::with_capacity(16);
        while let Some(Text(name)) = map.next_key()? {
            self.0.take(&name, &mut map)?;
            names.push(name);
        }
        // Sorted rather than compared each with each: a header is read before its signature is checked.
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(A::Error::custom("a name twice"));
        }
        Ok(self.0)
    }
}
