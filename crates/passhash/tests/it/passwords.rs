//! Every byte of a password counts, but where an old system did not count it.

use passhash::{Cost, Hasher, StoredHash};

use crate::verify;

const SMALL: Cost = Cost {
    memory_kib: 64,
    iterations: 1,
    parallelism: 1,
};

#[test]
fn argon2id_accepts_the_password_and_nothing_like_it() {
    let mut hasher = Hasher::new(&SMALL).unwrap();
    let long = "p".repeat(1024);
    for (password, others) in [
        ("", &["\0", " "][..]),
        ("abc\0x", &["abc\0y", "abc", "abc\0", "abc\0x\0"]),
        ("  spaces ", &["spaces", "  spaces", " spaces "]),
        ("Case", &["case", "CASE"]),
        ("line", &["line\n", "line\r\n"]),
        (&"a".repeat(72), &[&"a".repeat(71), &"a".repeat(73)]),
        (&"a".repeat(73), &[&"a".repeat(72), &"a".repeat(74)]),
        (&"🔑".repeat(18), &[&"🔑".repeat(17), &"🔑".repeat(19)]),
        (&long, &[&long[1..], &format!("{}q", &long[1..])]),
        ("é", &["e\u{301}", "e"]),
    ] {
        let stored: StoredHash = hasher
            .hash(password.as_bytes(), &SMALL)
            .unwrap()
            .parse()
            .unwrap();
        assert!(hasher.verify(password.as_bytes(), &stored).unwrap());
        for other in others {
            assert!(
                !hasher.verify(other.as_bytes(), &stored).unwrap(),
                "{other:?} for {password:?}"
            );
        }
        assert!(stored.is_replaceable_by(password.as_bytes()));
    }
}

#[test]
fn a_new_hash_is_what_was_asked_for_and_never_the_same_twice() {
    let mut hasher = Hasher::new(&SMALL).unwrap();
    let first = hasher.hash(b"password", &SMALL).unwrap();
    let second = hasher.hash(b"password", &SMALL).unwrap();
    assert!(first.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{first}");
    assert_ne!(first, second);
    let stored: StoredHash = first.parse().unwrap();
    assert!(!stored.is_weaker_than(&SMALL));
    assert!(
        hasher
            .hash(
                b"password",
                &Cost {
                    iterations: 0,
                    ..SMALL
                }
            )
            .is_err()
    );
}

#[test]
fn a_decoy_accepts_nothing() {
    let mut hasher = Hasher::new(&SMALL).unwrap();
    for password in [&b""[..], b"\0", b"password", &[0xff; 1024]] {
        assert!(!hasher.decoy(password, &SMALL).unwrap());
    }
}

// The hash of 72 times "a", by libxcrypt, which cuts there too.
const SEVENTY_TWO: &str = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";

#[test]
fn d16_bcrypt_counts_72_bytes_and_says_so() {
    let stored: StoredHash = SEVENTY_TWO.parse().unwrap();
    assert!(verify("a".repeat(72), SEVENTY_TWO));
    assert!(!verify("a".repeat(71), SEVENTY_TWO));
    // What the old system accepted; whoever replaced the hash by this password's would shut out "a"
    // * 72.
    assert!(verify("a".repeat(73), SEVENTY_TWO));
    assert!(!stored.is_replaceable_by(&[b'a'; 73]));
    assert!(!stored.is_replaceable_by(&[b'a'; 72]));
    assert!(stored.is_replaceable_by(&[b'a'; 71]));
}

#[test]
fn bcrypt_does_not_end_a_password_at_a_nul() {
    // The hash of "abc\0x", by a bcrypt that is told the length, and that of "abc".
    let (whole, cut) = (
        "$2b$04$abcdefghijklmnopqrstuuWSncCKXbqmSVjHv6Mlx.O8RUDDOS8.S",
        "$2b$04$abcdefghijklmnopqrstuuCi15uRb1eH7NAlJ/TgeJertyknQpYn2",
    );
    assert!(verify("abc\0x", whole));
    assert!(!verify("abc\0y", whole));
    assert!(!verify("abc", whole));
    assert!(verify("abc", cut));
    assert!(!verify("abc\0x", cut));
    // The repetition that bcrypt's key schedule cannot see.
    assert!(verify("abc\0abc", cut));
    let cut: StoredHash = cut.parse().unwrap();
    assert!(cut.is_replaceable_by(b"abc"));
    assert!(!cut.is_replaceable_by(b"abc\0abc"));
}

#[test]
fn hmac_does_not_see_a_nul_at_the_end() {
    let stored = "$pbkdf2$1212$.vv8/f7/MDEyMzQ1Njc4OQ$WaeFuwUUEkZoxwLGNBDpy/6r/kQ";
    assert!(verify("password", stored));
    assert!(verify("password\0", stored));
    let stored: StoredHash = stored.parse().unwrap();
    assert!(stored.is_replaceable_by(b"password"));
    assert!(!stored.is_replaceable_by(b"password\0"));
}

#[test]
fn a_sign_extended_hash_is_replaceable_by_ascii_alone() {
    let stored: StoredHash = "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"
        .parse()
        .unwrap();
    assert!(!stored.is_replaceable_by(b"\xff\xff\xa3"));
    assert!(stored.is_replaceable_by(b"ascii"));
}
