//! A token of each algorithm, cut at every place and with every bit changed.

use super::keys::{ALGORITHMS, key};
use super::{good_claims, verified_by};

#[test]
fn T27_every_prefix() {
    for algorithm in ALGORITHMS {
        let key = key(algorithm);
        let token = key.sign("JWT", &good_claims()).expect("a token");
        let keys = [key.verifying_key()];
        assert_eq!(verified_by(&token, &keys), Ok(good_claims()));
        for length in 0..token.len() {
            assert!(
                verified_by(&token[..length], &keys).is_err(),
                "{algorithm}, {length} bytes"
            );
            assert!(
                verified_by(&token[length + 1..], &keys).is_err(),
                "{algorithm}, from {length}"
            );
            let without = format!("{}{}", &token[..length], &token[length + 1..]);
            assert!(
                verified_by(&without, &keys).is_err(),
                "{algorithm}, without {length}"
            );
        }
    }
}

#[test]
fn T27_every_bit() {
    for algorithm in ALGORITHMS {
        let key = key(algorithm);
        let token = key.sign("JWT", &good_claims()).expect("a token");
        let keys = [key.verifying_key()];
        let mut changed = token.clone().into_bytes();
        // The eighth bit makes it text no more, so that no `&str` could hold it.
        for bit in (0..token.len() * 8).filter(|bit| bit % 8 != 7) {
            changed[bit / 8] ^= 1 << (bit % 8);
            let text = std::str::from_utf8(&changed).expect("ASCII");
            assert!(
                verified_by(text, &keys).is_err(),
                "{algorithm}, bit {bit}: {text}"
            );
            changed[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
