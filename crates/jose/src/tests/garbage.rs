//! Whatever comes in, nothing panics and nothing is accepted that was not signed; what was signed comes back.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::keys::{KEY_PAIRS, key};
use super::{good_claims, signed, verified, verified_by};
use crate::Algorithm::{EdDsa, Es256, Hs256};
use crate::compact::{decode_into, encode};
use crate::{Jwk, Jwks, SigningKey, VerifyingKey, decode_unverified};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn header_json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec!["alg", "typ", "kid", "crit", "b64", "jwk", "x"]);
    let value = prop_oneof![
        any_json(),
        prop::sample::select(vec!["HS256", "ES256", "JWT", "none", "EdDSA"]).prop_map(Value::from),
    ];
    vec((name, value), 0..6).prop_map(|members| {
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>()
            .into()
    })
}

proptest! {
    #[test]
    fn any_text_is_refused(token in ".{0,300}") {
        prop_assert!(verified(&token, &key(Hs256)).is_err());
        let _ = decode_unverified(&token);
    }

    #[test]
    fn any_three_parts_are_refused(parts in prop::array::uniform3(vec(any::<u8>(), 0..80))) {
        let token = parts.map(|part| encode(&part)).join(".");
        prop_assert!(verified(&token, &key(Hs256)).is_err());
        let _ = decode_unverified(&token);
    }

    #[test]
    fn any_header_without_a_true_signature_is_refused(
        header in header_json(),
        signature in vec(any::<u8>(), 1..80),
    ) {
        let keys = [Hs256, Es256].map(|algorithm| key(algorithm).verifying_key());
        let claims = good_claims().to_string();
        let token = super::signed_by(&header.to_string(), &claims, |_| signature);
        prop_assert!(verified_by(&token, &keys).is_err());
        let (shown, claims) = decode_unverified(&token).expect("the form is right");
        prop_assert_eq!((shown, claims), (header, good_claims()));
    }

    #[test]
    fn any_signed_header_and_claims_are_judged(header in header_json(), claims in any_json()) {
        let token = signed(&key(Hs256), &header.to_string(), &claims.to_string());
        prop_assert!(verified(&token, &key(Hs256)).is_err(), "there is no exp, iss, aud and sub");
    }

    #[test]
    fn what_is_signed_comes_back(extra in btree_map(any::<String>(), any_json(), 0..6)) {
        let mut claims = good_claims();
        for (name, value) in extra {
            if claims.get(&name).is_none() {
                claims[name] = value;
            }
        }
        // One key without a name and one with.
        for algorithm in [Hs256, EdDsa] {
            let key = key(algorithm);
            let token = key.sign("JWT", &claims).expect("a token");
            prop_assert_eq!(decode_unverified(&token).map(|(_, claims)| claims), Ok(claims.clone()));
            if token.len() <= super::policy().max_len {
                prop_assert_eq!(verified(&token, &key), Ok(claims.clone()));
            }
        }
    }

    #[test]
    fn base64url_has_one_spelling(text in "[A-Za-z0-9_-]{0,40}") {
        let mut bytes = Vec::new();
        if decode_into(&text, &mut bytes).is_ok() {
            prop_assert_eq!(encode(&bytes), text);
        }
    }

    #[test]
    fn any_stored_bytes_are_judged(bytes in vec(any::<u8>(), 0..200)) {
        for algorithm in KEY_PAIRS {
            prop_assert!(SigningKey::from_stored(algorithm, &bytes).is_err());
        }
    }

    #[test]
    fn any_jwk_is_judged(
        kty in prop::sample::select(vec!["EC", "OKP", "RSA"]),
        x in vec(any::<u8>(), 32),
        y in vec(any::<u8>(), 32),
        n in vec(any::<u8>(), 0..300),
        e in vec(any::<u8>(), 0..5),
        other in any_json(),
    ) {
        let crv = if kty == "EC" { "P-256" } else { "Ed25519" };
        let [x, y, n, e] = [x, y, n, e].map(|bytes| encode(&bytes));
        let jwk = json!({"kty": kty, "crv": crv, "x": x, "y": y, "n": n, "e": e});
        if let Ok(jwk) = serde_json::from_value::<Jwk>(jwk.clone()) {
            let _ = VerifyingKey::from_jwk(&jwk);
            let back: Jwk = serde_json::from_value(json!(jwk)).expect("what is written is read");
            prop_assert_eq!(back, jwk);
        }
        let set: Jwks = serde_json::from_value(json!({"keys": [other, jwk]})).expect("a set");
        prop_assert!(set.keys.len() <= 1);
    }
}
