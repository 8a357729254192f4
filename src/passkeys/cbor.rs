//! CBOR (RFC 8949) as authenticators have to write it: the canonical form of CTAP 2.1 section 8, of which nothing has two
//! readings. Lengths are known beforehand and written as short as they can be, no key stands twice in a map, nothing
//! follows the item, nothing nests deeper than four, and there are neither tags nor floating-point numbers. Only the
//! order of keys is not asked: it decides nothing, and authenticators differ.

/// How deep an item may nest (CTAP 2.1 section 8).
const MAX_DEPTH: u8 = 4;
/// No map or list that anybody means has more in it; comparing keys stays cheap.
const MAX_ENTRIES: u64 = 32;

/// One item, borrowed from the bytes that it was read from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Int(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    List(Vec<Item<'a>>),
    Map(Vec<(Item<'a>, Item<'a>)>),
    Bool(bool),
    Null,
}

/// The bytes are no item, or not in the one form that it may have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotCanonical;

impl<'a> Item<'a> {
    /// The value that stands under a text in a map.
    pub(super) fn member(&self, name: &str) -> Option<&Item<'a>> {
        let Self::Map(entries) = self else {
            return None;
        };
        let named = |(key, _): &&(Item, Item)| *key == Item::Text(name);
        entries.iter().find(named).map(|(_, value)| value)
    }

    /// How many entries a map has; `None` for anything else.
    pub(super) fn entries(&self) -> Option<usize> {
        match self {
            Self::Map(entries) => Some(entries.len()),
            _ => None,
        }
    }
}

/// Reads `bytes` as one item and nothing after it.
pub(super) fn whole(bytes: &[u8]) -> Result<Item<'_>, NotCanonical> {
    match first(bytes)? {
        (item, []) => Ok(item),
        _ => Err(NotCanonical),
    }
}

/// Reads the item that `bytes` begin with, and gives what follows it.
pub(super) fn first(bytes: &[u8]) -> Result<(Item<'_>, &[u8]), NotCanonical> {
    item(bytes, 0)
}

fn item(bytes: &[u8], depth: u8) -> Result<(Item<'_>, &[u8]), NotCanonical> {
    let (&initial, rest) = bytes.split_first().ok_or(NotCanonical)?;
    let (major, info) = (initial >> 5, initial & 0x1f);
    if major == 7 {
        let simple = match info {
            20 => Item::Bool(false),
            21 => Item::Bool(true),
            22 => Item::Null,
            _ => return Err(NotCanonical),
        };
        return Ok((simple, rest));
    }
    let (argument, rest) = argument(info, rest)?;
    match major {
        0 | 1 => {
            let count = i64::try_from(argument).map_err(|_| NotCanonical)?;
            Ok((Item::Int(if major == 0 { count } else { -1 - count }), rest))
        }
        2 => {
            let (bytes, rest) = taken(argument, rest)?;
            Ok((Item::Bytes(bytes), rest))
        }
        3 => {
            let (bytes, rest) = taken(argument, rest)?;
            let text = str::from_utf8(bytes).map_err(|_| NotCanonical)?;
            Ok((Item::Text(text), rest))
        }
        4 | 5 if depth == MAX_DEPTH || argument > MAX_ENTRIES => Err(NotCanonical),
        4 => list(argument, rest, depth + 1),
        5 => map(argument, rest, depth + 1),
        _ => Err(NotCanonical),
    }
}

/// The number behind the first byte, in as few bytes as hold it.
fn argument(info: u8, rest: &[u8]) -> Result<(u64, &[u8]), NotCanonical> {
    let (width, least) = match info {
        0..24 => return Ok((u64::from(info), rest)),
        24 => (1, 24),
        25 => (2, 1 << 8),
        26 => (4, 1 << 16),
        27 => (8, 1 << 32),
        _ => return Err(NotCanonical),
    };
    let (digits, rest) = rest.split_at_checked(width).ok_or(NotCanonical)?;
    let number = digits
        .iter()
        .fold(0, |number: u64, digit| number << 8 | u64::from(*digit));
    if number < least {
        return Err(NotCanonical);
    }
    Ok((number, rest))
}

fn taken(length: u64, rest: &[u8]) -> Result<(&[u8], &[u8]), NotCanonical> {
    let length = usize::try_from(length).map_err(|_| NotCanonical)?;
    rest.split_at_checked(length).ok_or(NotCanonical)
}

fn list(length: u64, mut rest: &[u8], depth: u8) -> Result<(Item<'_>, &[u8]), NotCanonical> {
    let mut items = Vec::new();
    for _ in 0..length {
        let (next, behind) = item(rest, depth)?;
        items.push(next);
        rest = behind;
    }
    Ok((Item::List(items), rest))
}

fn map(length: u64, mut rest: &[u8], depth: u8) -> Result<(Item<'_>, &[u8]), NotCanonical> {
    let mut entries: Vec<(Item, Item)> = Vec::new();
    for _ in 0..length {
        let (key, behind) = item(rest, depth)?;
        let (value, behind) = item(behind, depth)?;
        if entries.iter().any(|(known, _)| *known == key) {
            return Err(NotCanonical);
        }
        entries.push((key, value));
        rest = behind;
    }
    Ok((Item::Map(entries), rest))
}

#[cfg(test)]
#[expect(non_snake_case, reason = "the catalogue names its cases in capitals")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From the examples of RFC 8949 appendix A.
    #[test]
    fn what_the_standard_shows_is_read() {
        let shown: [(&[u8], Item); 12] = [
            (&[0x00], Item::Int(0)),
            (&[0x17], Item::Int(23)),
            (&[0x18, 0x18], Item::Int(24)),
            (&[0x19, 0x03, 0xe8], Item::Int(1000)),
            (&[0x1a, 0x00, 0x0f, 0x42, 0x40], Item::Int(1_000_000)),
            (&[0x20], Item::Int(-1)),
            (&[0x39, 0x03, 0xe7], Item::Int(-1000)),
            (&[0xf5], Item::Bool(true)),
            (&[0xf6], Item::Null),
            (&[0x44, 1, 2, 3, 4], Item::Bytes(&[1, 2, 3, 4])),
            (&[0x62, 0xc3, 0xbc], Item::Text("\u{fc}")),
            (
                &[0x82, 0x01, 0xa1, 0x61, 0x61, 0x02],
                Item::List(vec![
                    Item::Int(1),
                    Item::Map(vec![(Item::Text("a"), Item::Int(2))]),
                ]),
            ),
        ];
        for (bytes, item) in shown {
            assert_eq!(whole(bytes), Ok(item), "{bytes:x?}");
        }
    }

    #[test]
    fn W12_what_has_two_readings_or_none_is_refused() {
        let nested = |depth: usize| [vec![0x81; depth], vec![0x00]].concat();
        assert!(whole(&nested(4)).is_ok());
        let refused: [(&str, Vec<u8>); 19] = [
            ("nothing", vec![]),
            ("an indefinite string", vec![0x5f, 0x41, 1, 0xff]),
            ("an indefinite text", vec![0x7f, 0x61, b'a', 0xff]),
            ("an indefinite list", vec![0x9f, 0xff]),
            ("an indefinite map", vec![0xbf, 0xff]),
            ("a key twice", vec![0xa2, 1, 1, 1, 2]),
            ("a key twice, apart", vec![0xa3, 1, 1, 2, 2, 1, 3]),
            ("nesting", nested(5)),
            ("something behind it", vec![0x00, 0x00]),
            ("a number longer than it is", vec![0x18, 0x17]),
            ("a length longer than it is", vec![0x58, 1, 1]),
            ("four bytes for two", vec![0x1a, 0, 0, 1, 0]),
            ("eight bytes for four", vec![0x1b, 0, 0, 0, 0, 0, 0, 1, 0]),
            ("a tag", vec![0xc0, 0x61, b'a']),
            ("a floating-point number", vec![0xf9, 0x3c, 0x00]),
            ("undefined", vec![0xf7]),
            ("text that is not UTF-8", vec![0x61, 0xff]),
            (
                "less than it announces",
                vec![0x5a, 0xff, 0xff, 0xff, 0xff, 0],
            ),
            ("a crowd", [vec![0x98, 33], vec![0; 33]].concat()),
        ];
        for (what, bytes) in refused {
            assert_eq!(whole(&bytes), Err(NotCanonical), "{what}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok((_, rest)) = first(&bytes) {
                prop_assert!(rest.len() < bytes.len());
            }
        }
    }
}
