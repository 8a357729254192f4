//! What is read as a hash, and what is refused before anything is computed.

use passhash::{Cost, Hasher, ParseError, Scheme, StoredHash};
use proptest::prelude::*;

const ARGON2ID: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuuCi15uRb1eH7NAlJ/TgeJertyknQpYn2";
const SCRYPT: &str =
    "$scrypt$ln=10,r=8,p=1$+//+NTY3ODlhYmNkZWY$cC02nc/8Im1j5VDJBykkAyltybPYavwXlBm+n4FCJHM";
const PHC_PBKDF2: &str =
    "$pbkdf2-sha256$i=600000,l=32$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
const PASSLIB_PBKDF2: &str =
    "$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk";
const VALID: [&str; 5] = [ARGON2ID, BCRYPT, SCRYPT, PHC_PBKDF2, PASSLIB_PBKDF2];

fn refusal(text: &str) -> ParseError {
    match text.parse::<StoredHash>() {
        Ok(_) => panic!("accepted {text}"),
        Err(error) => error,
    }
}

/// A valid hash with one piece replaced.
fn altered(valid: &str, piece: &str, by: &str) -> String {
    assert!(valid.contains(piece), "{piece} is not in {valid}");
    valid.replacen(piece, by, 1)
}

#[test]
fn i2_d17_a_cost_bomb_is_refused_when_it_is_read() {
    for (valid, piece, bomb, parameter) in [
        (BCRYPT, "$04$", "$16$", "cost"),
        (BCRYPT, "$04$", "$31$", "cost"),
        (BCRYPT, "$04$", "$99$", "cost"),
        (BCRYPT, "$04$", "$03$", "cost"),
        (ARGON2ID, "m=19456", "m=4194304", "m"),
        (ARGON2ID, "m=19456", "m=262145", "m"),
        (ARGON2ID, "m=19456", "m=7", "m"),
        (ARGON2ID, "m=19456", "m=4294967295", "m"),
        (ARGON2ID, "t=2", "t=108", "m * t"),
        (ARGON2ID, "t=2", "t=4294967295", "m * t"),
        (ARGON2ID, "t=2", "t=0", "m * t"),
        (ARGON2ID, "p=1", "p=65", "p"),
        (ARGON2ID, "p=1", "p=0", "p"),
        (SCRYPT, "ln=10", "ln=18", "ln"),
        (SCRYPT, "ln=10", "ln=4294967295", "ln"),
        (SCRYPT, "ln=10", "ln=0", "ln"),
        (SCRYPT, "ln=10,r=8", "ln=17,r=17", "N * r"),
        (SCRYPT, "r=8", "r=4294967295", "N * r"),
        (SCRYPT, "r=8", "r=0", "N * r"),
        (SCRYPT, "p=1", "p=513", "N * r * p"),
        (SCRYPT, "p=1", "p=4294967295", "N * r * p"),
        (SCRYPT, "p=1", "p=0", "N * r * p"),
        (PHC_PBKDF2, "i=600000", "i=1000000000", "iterations"),
        (PHC_PBKDF2, "i=600000", "i=2000001", "iterations"),
        (PHC_PBKDF2, "i=600000", "i=0", "iterations"),
        (PASSLIB_PBKDF2, "29000", "2000001", "iterations"),
        (
            "$pbkdf2-sha1$i=1000001$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "",
            "",
            "iterations * output blocks",
        ),
    ] {
        let bomb = altered(valid, piece, bomb);
        match refusal(&bomb) {
            ParseError::OutOfBounds {
                parameter: found, ..
            } => assert_eq!(found, parameter, "{bomb}"),
            other => panic!("{bomb}: {other}"),
        }
    }
}

#[test]
fn the_largest_allowed_costs_are_read() {
    for (valid, piece, largest) in [
        (BCRYPT, "$04$", "$15$"),
        (ARGON2ID, "m=19456,t=2,p=1", "m=262144,t=8,p=64"),
        (ARGON2ID, "t=2", "t=107"),
        (SCRYPT, "ln=10,r=8,p=1", "ln=17,r=16,p=2"),
        (PHC_PBKDF2, "i=600000", "i=2000000"),
    ] {
        let largest = altered(valid, piece, largest);
        assert_eq!(largest.parse::<StoredHash>().unwrap().to_string(), largest);
    }
}

#[test]
fn i3_lengths_are_bounded() {
    let long = "A".repeat(87);
    for (valid, piece, by, what) in [
        // Empty, short and long salts; Argon2 wants 8 bytes.
        (ARGON2ID, "c29tZXNhbHRzb21lc2FsdA", "", "salt"),
        (ARGON2ID, "c29tZXNhbHRzb21lc2FsdA", "c29tZXNhbA", "salt"),
        (ARGON2ID, "c29tZXNhbHRzb21lc2FsdA", &*long, "salt"),
        (PHC_PBKDF2, "c29tZXNhbHQ", "", "salt"),
        (PHC_PBKDF2, "c29tZXNhbHQ", "c29t", "salt"),
        (PASSLIB_PBKDF2, "N2YMIWQsBWBMae09x1jrPQ", "", "salt"),
        (SCRYPT, "+//+NTY3ODlhYmNkZWY", "", "salt"),
        // The last character of 15 bytes, and 65 bytes.
        (
            ARGON2ID,
            "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "CTFhFdXPJO1aFaMaO6Mm",
            "tag",
        ),
        (
            SCRYPT,
            "cC02nc/8Im1j5VDJBykkAyltybPYavwXlBm+n4FCJHM",
            &*long,
            "tag",
        ),
        (
            SCRYPT,
            "cC02nc/8Im1j5VDJBykkAyltybPYavwXlBm+n4FCJHM",
            "",
            "tag",
        ),
        (BCRYPT, "Yn2", "Yn", "tag"),
        (BCRYPT, "Yn2", "Yn22", "tag"),
    ] {
        let text = altered(valid, piece, by);
        match refusal(&text) {
            ParseError::OutOfBounds { parameter, .. } => assert_eq!(parameter, what, "{text}"),
            other => panic!("{text}: {other}"),
        }
    }
    assert_eq!(
        refusal(&format!("{ARGON2ID}{}", "A".repeat(512))),
        ParseError::Malformed("length")
    );
}

#[test]
fn i3_what_is_not_in_the_format_is_malformed() {
    for (valid, piece, by) in [
        (BCRYPT, "$04$", "$4$"),
        (BCRYPT, "$04$", "$+4$"),
        (BCRYPT, "$04$", "$004$"),
        (BCRYPT, "Yn2", "Yn+"),
        // 60 bytes, a character across the border between salt and tag: RUSTSEC-2026-0199.
        (BCRYPT, "uuC", "ué"),
        (BCRYPT, "$04", ""),
        (ARGON2ID, "v=19", "v=42"),
        (ARGON2ID, "v=19", "v=019"),
        (ARGON2ID, "m=19456", "m=dummy"),
        (ARGON2ID, "m=19456", "m=+19456"),
        (ARGON2ID, "m=19456", "m=019456"),
        (ARGON2ID, "m=19456", "m="),
        (ARGON2ID, "m=19456", "m=4294967296"),
        (ARGON2ID, "m=19456,t=2,p=1", "t=2,m=19456,p=1"),
        (ARGON2ID, "m=19456,t=2,p=1", "m=19456,t=2"),
        (ARGON2ID, "m=19456,t=2,p=1", "m=19456,t=2,p=1,keyid=8PDw8A"),
        (
            ARGON2ID,
            "c29tZXNhbHRzb21lc2FsdA",
            "c29tZXNhbHRzb21lc2FsdA==",
        ),
        // A stray bit in the last character.
        (ARGON2ID, "c29tZXNhbHRzb21lc2FsdA", "c29tZXNhbHRzb21lc2FsdB"),
        (ARGON2ID, "c29tZXNhbHRzb21lc2FsdA", "c29tZXNhbHRzb21lc2FsdÄ"),
        (ARGON2ID, "PPc", "PPc$"),
        (ARGON2ID, "PPc", "PPc\n"),
        (SCRYPT, "ln=10", "n=1024"),
        (PHC_PBKDF2, "l=32", "l=31"),
        (PHC_PBKDF2, "l=32", "l=32,x=1"),
        (PASSLIB_PBKDF2, "29000", "2900O"),
        (PASSLIB_PBKDF2, "2A.W", "2A+W"),
    ] {
        let text = altered(valid, piece, by);
        assert!(matches!(refusal(&text), ParseError::Malformed(_)), "{text}");
    }
}

#[test]
fn i4_what_is_no_hash_is_of_no_scheme() {
    for text in [
        "",
        "$",
        "$$",
        "$$$$",
        "hunter2",
        "correct horse battery staple",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "$argon2$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAA",
        "$2$04$abcdefghijklmnopqrstuuCi15uRb1eH7NAlJ/TgeJertyknQpYn2",
        "$2é$04$abcdefghijklmnopqrstuuCi15uRb1eH7NAlJ/TgeJertyknQpYn",
        " $2b$04$abcdefghijklmnopqrstuuCi15uRb1eH7NAlJ/TgeJertyknQpYn2",
    ] {
        assert_eq!(refusal(text), ParseError::UnknownScheme, "{text}");
    }
}

#[test]
fn every_prefix_of_a_hash_is_refused() {
    for valid in VALID {
        for end in 0..valid.len() {
            // A tag cut short may still be a tag; all else is not.
            if let Ok(cut) = valid[..end].parse::<StoredHash>() {
                assert!(end > valid.rfind('$').unwrap() + 21, "{cut}");
                assert_ne!(cut.scheme(), Scheme::Bcrypt);
            }
        }
    }
}

#[test]
fn a_hash_is_weaker_where_anything_of_it_is() {
    let cost = Cost::default();
    let weaker = |text: &str| text.parse::<StoredHash>().unwrap().is_weaker_than(&cost);
    assert!(!weaker(ARGON2ID));
    for (piece, by, expected) in [
        ("m=19456", "m=19455", true),
        ("m=19456", "m=19457", false),
        ("t=2", "t=1", true),
        ("t=2", "t=3", false),
        ("p=1", "p=2", false),
        ("v=19", "v=16", true),
        ("v=19$", "", true),
        ("argon2id", "argon2i", true),
        ("argon2id", "argon2d", true),
        ("c29tZXNhbHRzb21lc2FsdA", "c29tZXNhbHQ", true),
        (
            "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "CTFhFdXPJO1aFaMaO6Mm5Q",
            true,
        ),
    ] {
        assert_eq!(
            weaker(&altered(ARGON2ID, piece, by)),
            expected,
            "{piece} -> {by}"
        );
    }
    let two_lanes = Cost {
        parallelism: 2,
        ..cost
    };
    assert!(
        ARGON2ID
            .parse::<StoredHash>()
            .unwrap()
            .is_weaker_than(&two_lanes)
    );
    for other in [BCRYPT, SCRYPT, PHC_PBKDF2, PASSLIB_PBKDF2] {
        assert!(weaker(other), "{other}");
    }
}

#[test]
fn debug_shows_neither_salt_nor_tag() {
    for valid in VALID {
        let shown = format!("{:?}", valid.parse::<StoredHash>().unwrap());
        for piece in valid.rsplit('$').take(2) {
            assert!(!shown.contains(piece), "{shown}");
        }
    }
}

/// Small parameters of every scheme that are all allowed.
fn small_hash() -> impl Strategy<Value = String> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD_NO_PAD as B64;
    let bytes =
        |least: usize| prop::collection::vec(any::<u8>(), least..=64).prop_map(|b| B64.encode(b));
    let tail = (bytes(8), bytes(16));
    prop_oneof![
        (
            "argon2(id|i|d)",
            "(v=19\\$|v=16\\$|)",
            8..80_u32,
            1..4_u32,
            1..9_u32,
            tail.clone()
        )
            .prop_map(|(id, v, m, t, p, (salt, tag))| format!(
                "${id}${v}m={},t={t},p={p}${salt}${tag}",
                m.max(8 * p)
            )),
        (1..6_u32, 1..5_u32, 1..5_u32, tail.clone()).prop_map(|(ln, r, p, (salt, tag))| format!(
            "$scrypt$ln={ln},r={r},p={p}${salt}${tag}"
        )),
        ("pbkdf2(-sha1|-sha256|-sha512|)", 1..50_u32, tail)
            .prop_map(|(id, i, (salt, tag))| format!("${id}$i={i}${salt}${tag}")),
        "\\$2[abxy]\\$04\\$[./A-Za-z0-9]{53}",
    ]
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = text.parse::<StoredHash>();
    }

    #[test]
    fn nothing_like_a_hash_makes_the_reader_panic(
        text in "\\$(argon2(id|i|d)|2[abxy]|scrypt|pbkdf2(-sha(1|256|512))?)\\$[a-z0-9=,$./+é]{0,90}"
    ) {
        if let Ok(stored) = text.parse::<StoredHash>() {
            prop_assert_eq!(stored.to_string(), text);
        }
    }

    #[test]
    fn no_change_of_a_hash_makes_the_reader_panic(
        valid in prop::sample::select(&VALID), at in any::<prop::sample::Index>(), with in any::<char>()
    ) {
        let mut text: Vec<char> = valid.chars().collect();
        let at = at.index(text.len());
        text[at] = with;
        let text: String = text.into_iter().collect();
        if let Ok(stored) = text.parse::<StoredHash>() {
            prop_assert_eq!(stored.to_string(), text);
        }
    }

    /// What is read comes back byte for byte, and can be computed.
    #[test]
    fn what_is_read_round_trips_and_computes(
        text in small_hash(), password in prop::collection::vec(any::<u8>(), 0..100)
    ) {
        let stored: StoredHash = text.parse().unwrap();
        prop_assert_eq!(stored.to_string(), &*text);
        prop_assert!(!Hasher::default().verify(&password, &stored).unwrap());
    }
}
