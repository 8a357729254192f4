//! Public keys as JSON: what is written, what is read, what is refused.

use serde_json::{Value, json};

use super::keys::{KEY_PAIRS, key};
use super::{good_claims, verified_by};
use crate::Algorithm::{EdDsa, Es256, Hs256, Rs256};
use crate::compact::encode;
use crate::{Jwk, Jwks, KeyError, VerifyingKey};

fn read(jwk: &Value) -> Result<Jwk, serde_json::Error> {
    serde_json::from_value(jwk.clone())
}

fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

fn without(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().expect("an object").remove(name);
    jwk
}

fn public(algorithm: crate::Algorithm) -> Value {
    json!(key(algorithm).public_jwk().expect("a key pair"))
}

#[test]
fn what_is_written() {
    assert_eq!(
        serde_json::to_string(&key(Es256).public_jwk()).expect("JSON"),
        concat!(
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#,
            r#""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","#,
            r#""kid":"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U","alg":"ES256","use":"sig"}"#,
        )
    );
    assert_eq!(
        serde_json::to_string(&key(EdDsa).public_jwk()).expect("JSON"),
        concat!(
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","#,
            r#""kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","alg":"EdDSA","use":"sig"}"#,
        )
    );
    let rsa = public(Rs256);
    let mut names: Vec<&str> = rsa
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["alg", "e", "kid", "kty", "n", "use"],
        "and no private part"
    );
    assert_eq!(rsa["e"], "AQAB");
}

#[test]
fn a_shared_secret_never_becomes_a_jwk() {
    assert_eq!(key(Hs256).public_jwk(), None);
    assert_eq!(key(Hs256).kid(), None);
    assert!(read(&json!({"kty": "oct", "k": encode(&[7; 32])})).is_err());
    assert!(
        read(&json!({"kty": "oct", "k": encode(&[7; 32]), "alg": "HS256", "use": "sig"})).is_err()
    );
}

#[test]
fn a_set_goes_out_and_comes_back_and_verifies() {
    let jwks = Jwks {
        keys: KEY_PAIRS
            .map(|algorithm| key(algorithm).public_jwk().expect("a pair"))
            .into(),
    };
    let text = serde_json::to_string(&jwks).expect("JSON");
    let back: Jwks = serde_json::from_str(&text).expect("the set");
    assert_eq!(back, jwks);
    let keys: Vec<VerifyingKey> = back
        .keys
        .iter()
        .map(|jwk| VerifyingKey::from_jwk(jwk).expect("a sound key"))
        .collect();
    for algorithm in KEY_PAIRS {
        let token = key(algorithm).sign("JWT", &good_claims()).expect("a token");
        assert_eq!(verified_by(&token, &keys), Ok(good_claims()));
    }
}

#[test]
fn a_set_is_read_past_the_keys_that_are_not_for_us() {
    let set = json!({
        "keys": [
            {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}, {"kty": "oct", "k": "AAAA"}, {}, 7, null,
            with(public(Es256), "crv", json!("P-384")), with(public(Es256), "use", json!("enc")),
            public(EdDsa),
        ],
        "more": true,
    });
    let set: Jwks = serde_json::from_value(set).expect("a set");
    assert_eq!(set.keys, [key(EdDsa).public_jwk().expect("a pair")]);
    for not_a_set in [
        "{}",
        "[]",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        r#"{"keys":[],"keys":[]}"#,
    ] {
        assert!(
            serde_json::from_str::<Jwks>(not_a_set).is_err(),
            "{not_a_set}"
        );
    }
}

#[test]
fn members_that_do_not_matter_are_passed_over() {
    for algorithm in KEY_PAIRS {
        let bare = without(without(without(public(algorithm), "alg"), "use"), "kid");
        let jwk = read(&with(bare.clone(), "x5c", json!(["AAAA"]))).expect("a key");
        assert_eq!((jwk.algorithm(), jwk.kid()), (algorithm, None));
        assert_eq!(
            VerifyingKey::from_jwk(&jwk).map(|key| key.algorithm()),
            Ok(algorithm)
        );
        assert!(read(&with(bare.clone(), "key_ops", json!(["verify"]))).is_ok());
        assert!(read(&with(bare, "key_ops", json!(["sign"]))).is_err());
    }
}

#[test]
fn what_is_not_a_public_signing_key_is_refused() {
    for algorithm in KEY_PAIRS {
        let good = public(algorithm);
        for (name, value) in [
            ("alg", json!("HS256")),
            ("alg", json!("none")),
            ("alg", json!("PS256")),
            ("alg", json!(1)),
            ("use", json!("enc")),
            ("use", json!("")),
            ("kty", json!("oct")),
            ("kty", json!(null)),
            ("d", json!("AAAA")),
            ("d", json!("")),
            ("kid", json!(7)),
        ] {
            assert!(
                read(&with(good.clone(), name, value.clone())).is_err(),
                "{name} {value}"
            );
        }
        assert!(read(&without(good.clone(), "kty")).is_err());
        let twice = good.to_string().replacen('{', r#"{"kty":"EC","#, 1);
        assert!(serde_json::from_str::<Jwk>(&twice).is_err());
    }
    for (algorithm, name) in [
        (Es256, "x"),
        (Es256, "y"),
        (EdDsa, "x"),
        (Rs256, "n"),
        (Rs256, "e"),
    ] {
        let good = public(algorithm);
        let value = good[name].as_str().expect("text").to_owned();
        assert!(read(&without(good.clone(), name)).is_err());
        for wrong in [
            "",
            "=",
            "A",
            &value[1..],
            &format!("{value}="),
            &format!("AAAA{value}"),
            &format!("{value}\n"),
        ] {
            assert!(
                read(&with(good.clone(), name, json!(wrong)))
                    .ok()
                    .and_then(|jwk| VerifyingKey::from_jwk(&jwk).ok())
                    .is_none(),
                "{name} {wrong}"
            );
        }
    }
    for (algorithm, name) in [(Es256, "x"), (Es256, "y"), (EdDsa, "x")] {
        for length in [0, 31, 33, 64] {
            let short_or_long = json!(encode(&vec![1; length]));
            assert!(read(&with(public(algorithm), name, short_or_long)).is_err());
        }
    }
    for name in ["n", "e"] {
        assert!(read(&with(public(Rs256), name, json!(encode(&[0, 1, 0, 1])))).is_err());
    }
    assert!(read(&with(public(EdDsa), "crv", json!("Ed448"))).is_err());
    assert!(read(&with(public(EdDsa), "crv", json!("X25519"))).is_err());
    assert!(read(&with(public(EdDsa), "crv", json!("P-256"))).is_err());
}

fn unsuitable(jwk: &Value) {
    let jwk = read(jwk).expect("the right form");
    assert_eq!(
        VerifyingKey::from_jwk(&jwk).map(drop),
        Err(KeyError::Unsuitable(jwk.algorithm()))
    );
}

#[test]
fn points_off_the_curve_are_refused() {
    let good = public(Es256);
    unsuitable(&with(good.clone(), "y", good["x"].clone()));
    unsuitable(&with(good.clone(), "x", json!(encode(&[0; 32]))));
    unsuitable(&with(good.clone(), "x", json!(encode(&[0xff; 32]))));
    let zero = json!(encode(&[0; 32]));
    unsuitable(&with(with(good, "x", zero.clone()), "y", zero));
}

#[test]
fn rsa_numbers_out_of_bounds_are_refused() {
    let good = public(Rs256);
    let modulus = |bytes: usize| json!(encode(&vec![0xff; bytes]));
    unsuitable(&with(good.clone(), "n", modulus(128)));
    unsuitable(&with(good.clone(), "n", modulus(255)));
    unsuitable(&with(good.clone(), "n", modulus(1025)));
    let mut almost = vec![0xff; 256];
    almost[0] = 0x7f;
    unsuitable(&with(good.clone(), "n", json!(encode(&almost))));
    for exponent in [
        &[1][..],
        &[3],
        &[2],
        &[1, 0, 0],
        &[1, 0, 2],
        &[0xff, 0xff],
        &[1, 0, 0, 0, 1],
        &[0xff; 256],
    ] {
        unsuitable(&with(good.clone(), "e", json!(encode(exponent))));
    }
}

#[test]
fn a_kid_that_no_token_could_name_is_refused() {
    let named = |length| with(public(Es256), "kid", json!("k".repeat(length)));
    unsuitable(&named(65));
    assert!(VerifyingKey::from_jwk(&read(&named(64)).expect("a JWK")).is_ok());
}
