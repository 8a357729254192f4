//! Keys that sign: made, stored, read back, and what they write.

use serde_json::{Value, json};

use super::keys::{ALGORITHMS, KEY_PAIRS, bytes, key, stored};
use super::{good_claims, verified};
use crate::Algorithm::{EdDsa, Es256, Hs256, Rs256};
use crate::{Algorithm, KeyError, SignError, SigningKey, VerifyingKey, decode_unverified};

fn header_text(token: &str) -> String {
    let (header, _) = token.split_once('.').expect("three parts");
    String::from_utf8(bytes(header)).expect("UTF-8")
}

#[test]
fn the_documented_header_to_the_byte() {
    let token = key(Hs256).sign("JWT", &good_claims()).expect("a token");
    assert!(token.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."));
    assert_eq!(header_text(&token), r#"{"alg":"HS256","typ":"JWT"}"#);
    for algorithm in KEY_PAIRS {
        let key = key(algorithm);
        let token = key.sign("at+jwt", &good_claims()).expect("a token");
        let kid = key.kid().expect("a kid");
        assert_eq!(
            header_text(&token),
            format!(r#"{{"alg":"{algorithm}","typ":"at+jwt","kid":"{kid}"}}"#)
        );
        assert_eq!(kid, key.public_jwk().expect("a pair").thumbprint());
    }
}

#[test]
fn a_key_is_made_stored_and_read_back() {
    for algorithm in ALGORITHMS {
        let (made, stored) = SigningKey::generate(algorithm).expect("a key");
        let read = SigningKey::from_stored(algorithm, &stored).expect("the same key");
        assert_eq!((made.algorithm(), read.algorithm()), (algorithm, algorithm));
        assert_eq!(
            (read.kid(), read.public_jwk()),
            (made.kid(), made.public_jwk())
        );
        let token = read.sign("JWT", &good_claims()).expect("a token");
        assert_eq!(verified(&token, &made), Ok(good_claims()));
        let (other, _) = SigningKey::generate(algorithm).expect("a key");
        assert!(verified(&token, &other).is_err());
    }
}

#[test]
fn a_generated_secret_is_text_that_can_be_pasted() {
    let (_, stored) = SigningKey::generate(Hs256).expect("a key");
    let text = std::str::from_utf8(&stored).expect("text");
    assert_eq!(bytes(text).len(), 32);
    let pasted = SigningKey::hs256(text.as_bytes()).expect("long enough");
    let token = pasted.sign("JWT", &good_claims()).expect("a token");
    let made = SigningKey::from_stored(Hs256, &stored).expect("the same key");
    assert_eq!(verified(&token, &made), Ok(good_claims()));
}

#[test]
fn rsa_keys_are_made_with_3072_bits() {
    let (key, _) = SigningKey::generate(Rs256).expect("a key");
    let jwk = json!(key.public_jwk());
    assert_eq!(bytes(jwk["n"].as_str().expect("text")).len() * 8, 3072);
}

#[test]
fn a_short_secret_is_refused() {
    for length in [0, 1, 16, 31] {
        let secret = vec![b'x'; length];
        assert_eq!(
            SigningKey::hs256(&secret).map(drop),
            Err(KeyError::TooShort)
        );
        assert_eq!(
            SigningKey::from_stored(Hs256, &secret).map(drop),
            Err(KeyError::TooShort)
        );
    }
    assert!(SigningKey::hs256(&[b'x'; 32]).is_ok());
}

#[test]
fn stored_bytes_of_another_kind_are_refused() {
    for kind in ALGORITHMS {
        for algorithm in KEY_PAIRS.into_iter().filter(|algorithm| *algorithm != kind) {
            assert_eq!(
                SigningKey::from_stored(algorithm, &stored(kind)).map(drop),
                Err(KeyError::Unsuitable(algorithm))
            );
        }
    }
    for algorithm in KEY_PAIRS {
        let whole = stored(algorithm);
        for length in (0..whole.len()).step_by(7) {
            assert!(SigningKey::from_stored(algorithm, &whole[..length]).is_err());
        }
    }
}

#[test]
fn only_an_object_is_signed() {
    for claims in [json!(null), json!([1]), json!("sub"), json!(1)] {
        assert!(matches!(
            key(Hs256).sign("JWT", &claims),
            Err(SignError::NotAnObject)
        ));
    }
    let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert!(matches!(
        key(Hs256).sign("JWT", &no_json),
        Err(SignError::Claims(_))
    ));
}

#[test]
fn a_typ_is_escaped() {
    let token = key(Hs256)
        .sign(r#"a","alg":"none"#, &good_claims())
        .expect("a token");
    let (header, _) = decode_unverified(&token).expect("a token");
    assert_eq!(header, json!({"alg": "HS256", "typ": r#"a","alg":"none"#}));
}

#[test]
fn debug_shows_no_secret() {
    let secret = "a secret of more than thirty-two bytes";
    let key = SigningKey::hs256(secret.as_bytes()).expect("long enough");
    let wanted = "SigningKey { algorithm: Hs256, kid: None, .. }";
    assert_eq!(format!("{key:?}"), wanted);
    assert_eq!(
        format!("{:?}", key.verifying_key()),
        wanted.replace("Signing", "Verifying")
    );
}

#[test]
fn keys_are_shared_between_threads() {
    fn assert_shared<T: Send + Sync + 'static>() {}
    assert_shared::<SigningKey>();
    assert_shared::<VerifyingKey>();
    let key = key(Es256);
    let tokens: Vec<Value> = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| {
            scope.spawn(|| {
                let token = key.sign("JWT", &good_claims()).expect("a token");
                verified(&token, &key).expect("accepted")
            })
        });
        threads
            .map(|thread| thread.join().expect("no panic"))
            .into()
    });
    assert_eq!(tokens, [(); 4].map(|()| good_claims()));
}

#[test]
fn algorithms_have_one_name_each() {
    for (algorithm, name) in [
        (Hs256, "HS256"),
        (Es256, "ES256"),
        (Rs256, "RS256"),
        (EdDsa, "EdDSA"),
    ] {
        assert_eq!(algorithm.to_string(), name);
        assert_eq!(name.parse(), Ok(algorithm));
        for other in [
            name.to_lowercase(),
            format!("{name} "),
            name.replace('S', "s"),
        ] {
            assert!(other.parse::<Algorithm>().is_err(), "{other}");
        }
    }
}
