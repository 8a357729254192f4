//! Forms with one meaning (`application/x-www-form-urlencoded`, as RFC 6749 appendix B has it): UTF-8, each name once
//! (section 3.2), every escape whole. A parameter without a value is as good as absent, and counts towards the once.

use std::collections::HashSet;

use serde_json::Map;

/// The bytes are no such form.
#[derive(Debug, PartialEq, Eq)]
pub struct NoForm;

/// Reads `bytes` as one form. Its values are texts.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, serde_json::Value>, NoForm> {
    let mut object = Map::new();
    let mut seen = HashSet::new();
    for pair in bytes
        .split(|byte| *byte == b'&')
        .filter(|it| !it.is_empty())
    {
        let equals = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = pair.split_at(equals.unwrap_or(pair.len()));
        let (name, value) = (decode(name)?, decode(value.get(1..).unwrap_or_default())?);
        if !seen.insert(name.clone()) {
            return Err(NoForm);
        }
        if !value.is_empty() {
            object.insert(name, value.into());
        }
    }
    Ok(object)
}

/// Takes the form's escapes away: `+` is a blank, `%41` an A.
pub fn decode(text: &[u8]) -> Result<String, NoForm> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => digit(bytes.next())? * 16 + digit(bytes.next())?,
            byte => *byte,
        });
    }
    String::from_utf8(plain).map_err(|_| NoForm)
}

fn digit(byte: Option<&u8>) -> Result<u8, NoForm> {
    let value = byte.and_then(|byte| char::from(*byte).to_digit(16));
    value.and_then(|value| value.try_into().ok()).ok_or(NoForm)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let object = object(text.as_bytes()).expect("a form");
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        object
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect()
    }

    #[test]
    fn names_and_values_are_taken_out_of_their_escapes() {
        for (form, name, value) in [
            ("token=a.b-c_d~e", "token", "a.b-c_d~e"),
            ("token=a+b%20c%2bd", "token", "a b c+d"),
            ("%74oken=%C3%a9", "token", "é"),
            ("token=a=b=", "token", "a=b="),
            ("&&token=1&", "token", "1"),
            ("=nameless", "", "nameless"),
        ] {
            assert_eq!(read(form), [(name.to_owned(), value.to_owned())], "{form}");
        }
    }

    #[test]
    fn what_has_no_value_is_absent() {
        for form in ["", "&", "token", "token=", "token&other="] {
            assert_eq!(read(form), [], "{form}");
        }
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_however_it_is_written() {
        for form in ["a=1&a=1", "a=1&b=2&%61=3", "a&a=1", "a=&a=", "=1&=2"] {
            assert_eq!(object(form.as_bytes()), Err(NoForm), "{form}");
        }
    }

    #[test]
    fn a_broken_escape_and_broken_text_are_refused() {
        for form in [
            &b"a=%"[..],
            b"a=%4",
            b"a=%zz",
            b"a=%+1",
            b"%=1",
            b"a=%u0041",
            b"a=\xff",
            b"a=%ff",
            b"a=%c0%80",
            b"a=%ed%a0%80",
        ] {
            assert_eq!(object(form), Err(NoForm), "{form:?}");
        }
    }
}
