//! Signatures by those who do not have the key: swapped algorithms and the weak points of each.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, ParsedPublicKey, RSA_PSS_SHA256,
    RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::keys::{ALGORITHMS, KEY_PAIRS, bytes, key, public_der, stored};
use super::{good_claims, header_of, signed, signed_by, verified, verified_by};
use crate::Algorithm::{self, EdDsa, Es256, Hs256, Rs256};
use crate::compact::encode;
use crate::{Jwk, KeyError, Rejected, SigningKey, VerifyingKey};

fn hmac(secret: &[u8]) -> impl FnOnce(&[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    move |message| hmac::sign(&key, message).as_ref().to_vec()
}

/// The public key in every spelling that somebody has fed to an HMAC.
fn spellings(algorithm: Algorithm) -> Vec<Vec<u8>> {
    let der = public_der(algorithm);
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        STANDARD.encode(&der)
    );
    let jwk = serde_json::to_vec(&key(algorithm).public_jwk()).expect("a JWK");
    vec![
        format!("{pem}\n").into(),
        pem.clone().into(),
        pem.replace('\n', "\r\n").into(),
        der,
        jwk,
    ]
}

#[test]
fn T4_hs256_with_a_public_key_as_the_secret() {
    let claims = good_claims().to_string();
    for algorithm in KEY_PAIRS {
        let key = key(algorithm);
        for secret in spellings(algorithm) {
            let named = format!(
                r#"{{"alg":"HS256","typ":"JWT","kid":"{}"}}"#,
                key.kid().expect("a kid")
            );
            let forged = signed_by(&named, &claims, hmac(&secret));
            assert_eq!(verified(&forged, &key), Err(Rejected::Algorithm));
            let forged = signed_by(r#"{"alg":"HS256","typ":"JWT"}"#, &claims, hmac(&secret));
            assert_eq!(verified(&forged, &key), Err(Rejected::UnknownKey));
            // Nor under the algorithm's own name.
            let forged = signed_by(&header_of(&key), &claims, hmac(&secret));
            assert_eq!(verified(&forged, &key), Err(Rejected::Signature));
        }
    }
}

#[test]
fn T5_hs256_with_the_kid_as_the_secret() {
    let keys = ALGORITHMS.map(|algorithm| key(algorithm).verifying_key());
    for kid in keys.iter().filter_map(VerifyingKey::kid).chain([""]) {
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": kid}).to_string();
        let forged = signed_by(&header, &good_claims().to_string(), hmac(kid.as_bytes()));
        assert!(matches!(
            verified_by(&forged, &keys),
            Err(Rejected::Algorithm | Rejected::UnknownKey)
        ));
    }
    // An empty secret, against the secret that is there.
    let forged = signed_by(
        r#"{"alg":"HS256","typ":"JWT"}"#,
        &good_claims().to_string(),
        hmac(b""),
    );
    assert_eq!(verified_by(&forged, &keys), Err(Rejected::Signature));
}

#[test]
fn T6_one_algorithm_where_another_is_expected() {
    for made in ALGORITHMS {
        for expected in ALGORITHMS.into_iter().filter(|expected| *expected != made) {
            let (signer, verifier) = (key(made), key(expected));
            let claims = good_claims().to_string();
            // A true signature, under the name of the other's key.
            let header = header_of(&verifier).replace(expected.as_str(), made.as_str());
            let token = signed(&signer, &header, &claims);
            assert_eq!(
                verified(&token, &verifier),
                Err(Rejected::Algorithm),
                "{made}, {expected}"
            );
            // The same, and it says the other's algorithm.
            let token = signed(&signer, &header_of(&verifier), &claims);
            assert_eq!(
                verified(&token, &verifier),
                Err(Rejected::Signature),
                "{made}, {expected}"
            );
        }
    }
}

#[test]
fn T7_pss_for_pkcs1() {
    let rs256 = key(Rs256);
    let pair = RsaKeyPair::from_pkcs8(&stored(Rs256)).expect("a key");
    let pss = |message: &[u8]| {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(
            &RSA_PSS_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        )
        .expect("a signature");
        signature
    };
    let claims = good_claims().to_string();
    let header = header_of(&rs256);
    assert_eq!(
        verified(&signed_by(&header, &claims, pss), &rs256),
        Err(Rejected::Signature)
    );
    let header = header.replace("RS256", "PS256");
    assert_eq!(
        verified(&signed_by(&header, &claims, pss), &rs256),
        Err(Rejected::Algorithm)
    );
    assert_eq!(
        verified(&signed(&rs256, &header, &claims), &rs256),
        Err(Rejected::Algorithm)
    );
}

#[test]
fn T8_es256_in_der() {
    let es256 = key(Es256);
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &stored(Es256)).expect("a key");
    let der = |message: &[u8]| {
        pair.sign(&SystemRandom::new(), message)
            .expect("a signature")
            .as_ref()
            .to_vec()
    };
    let forged = signed_by(&header_of(&es256), &good_claims().to_string(), der);
    assert_eq!(verified(&forged, &es256), Err(Rejected::Signature));
}

/// The order of P-256 (SEC 2 section 2.4.2), big-endian.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn T9_ecdsa_zero() {
    let es256 = key(Es256);
    for length in [0, 1, 32, 63, 64, 65, 128] {
        let forged = signed_by(&header_of(&es256), &good_claims().to_string(), |_| {
            vec![0; length]
        });
        let why = if length == 0 {
            Rejected::Malformed
        } else {
            Rejected::Signature
        };
        assert_eq!(verified(&forged, &es256), Err(why), "{length} bytes");
    }
}

#[test]
fn T10_ecdsa_r_and_s_out_of_range() {
    let es256 = key(Es256);
    let true_one = |message: &[u8]| es256.signature(message).expect("a signature");
    for out in [[0; 32], P256_ORDER, [0xff; 32]] {
        for r_too in [false, true] {
            for s_too in [false, true] {
                let forged = signed_by(&header_of(&es256), &good_claims().to_string(), |message| {
                    let mut signature = true_one(message);
                    if r_too {
                        signature[..32].copy_from_slice(&out);
                    }
                    if s_too {
                        signature[32..].copy_from_slice(&out);
                    }
                    signature
                });
                let verified = verified(&forged, &es256);
                assert_eq!(
                    verified.is_ok(),
                    !r_too && !s_too,
                    "{out:?} {r_too} {s_too}"
                );
            }
        }
    }
}

/// `from - what`, little-endian.
fn difference(from: [u8; 32], what: [u8; 32]) -> [u8; 32] {
    let mut rest = from;
    let mut borrow = false;
    for (place, byte) in rest.iter_mut().zip(what) {
        let (once, first) = u8::overflowing_sub(*place, byte);
        let (twice, second) = once.overflowing_sub(u8::from(borrow));
        (*place, borrow) = (twice, first || second);
    }
    rest
}

/// The 8 points of small order, and the second spellings of some (`y` at or above 2^255 - 19).
fn weak_points() -> Vec<[u8; 32]> {
    let y = |text: &str| <[u8; 32]>::try_from(bytes(text)).expect("32 bytes");
    let edge = |first| {
        let mut bytes = [0xff; 32];
        bytes[0] = first;
        bytes[31] = 0x7f;
        bytes
    };
    let mut one = [0; 32];
    one[0] = 1;
    let order_8 = y("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU");
    let negative = difference(edge(0xed), order_8);
    [
        [0; 32],
        one,
        edge(0xec),
        edge(0xed),
        edge(0xee),
        order_8,
        negative,
    ]
    .into_iter()
    .flat_map(|point| {
        let mut other_sign = point;
        other_sign[31] |= 0x80;
        [point, other_sign]
    })
    .collect()
}

fn okp(x: &[u8; 32]) -> Jwk {
    serde_json::from_value(json!({"kty": "OKP", "crv": "Ed25519", "x": encode(x)})).expect("a JWK")
}

#[test]
fn T10_ed25519_keys_of_small_order() {
    // R is the neutral point and s is 0: for such a key it signs one message in eight, or all.
    let mut anybodys = [0; 64];
    anybodys[0] = 1;
    let mut open_to_all = 0;
    for point in weak_points() {
        assert_eq!(
            VerifyingKey::from_jwk(&okp(&point)).map(drop),
            Err(KeyError::Unsuitable(EdDsa)),
            "{point:02x?}"
        );
        // The library itself takes them, and the signature too; without that, this test would prove nothing.
        if let Ok(key) = ParsedPublicKey::new(&ED25519, point) {
            let mut messages = (0..=255).map(|byte: u8| [byte]);
            open_to_all +=
                usize::from(messages.any(|message| key.verify_sig(&message, &anybodys).is_ok()));
        }
    }
    assert!(open_to_all >= 8, "{open_to_all}");
}

#[test]
fn T10_ed25519_keys_with_a_second_spelling() {
    // y from 2^255 - 19 to 2^255 - 1: each stands for a y from 0 to 18.
    for above in 0..19 {
        let mut point = [0xff; 32];
        point[0] = 0xed + above;
        point[31] = 0x7f;
        assert_eq!(
            VerifyingKey::from_jwk(&okp(&point)).map(drop),
            Err(KeyError::Unsuitable(EdDsa))
        );
    }
}

#[test]
fn T10_ed25519_zero_and_non_canonical_s() {
    /// The order of the group (RFC 8032 section 5.1), little-endian.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let eddsa = key(EdDsa);
    let forged = signed_by(&header_of(&eddsa), &good_claims().to_string(), |_| {
        vec![0; 64]
    });
    assert_eq!(verified(&forged, &eddsa), Err(Rejected::Signature));
    let forged = signed_by(&header_of(&eddsa), &good_claims().to_string(), |message| {
        let mut signature = eddsa.signature(message).expect("a signature");
        let mut carry = 0;
        for (place, byte) in signature[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*place) + u16::from(byte) + carry;
            *place = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        assert_eq!(carry, 0, "s + order still fits");
        signature
    });
    assert_eq!(verified(&forged, &eddsa), Err(Rejected::Signature));
}

#[test]
fn T11_es256_has_two_signatures_for_one_token() {
    let es256 = key(Es256);
    let token = es256.sign("JWT", &good_claims()).expect("a token");
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    let mut signature = bytes(signature);
    let little_endian = |bytes: &[u8]| {
        let mut bytes = <[u8; 32]>::try_from(bytes).expect("32 bytes");
        bytes.reverse();
        bytes
    };
    let mut other_s = difference(little_endian(&P256_ORDER), little_endian(&signature[32..]));
    other_s.reverse();
    signature[32..].copy_from_slice(&other_s);
    let other = format!("{message}.{}", encode(&signature));
    assert_ne!(other, token);
    // Both verify and carry the same `jti`: that is the token's identity, its bytes are not.
    let [first, second] = [token, other].map(|token| verified(&token, &es256).expect("accepted"));
    assert_eq!(first["jti"], second["jti"]);
}

#[test]
fn T28_a_key_of_another_place() {
    for algorithm in [Hs256, Es256, EdDsa] {
        let ours = key(algorithm);
        let (stranger, _) = SigningKey::generate(algorithm).expect("a key");
        let token = stranger.sign("JWT", &good_claims()).expect("a token");
        let why = if algorithm == Hs256 {
            Rejected::Signature
        } else {
            Rejected::UnknownKey
        };
        assert_eq!(verified(&token, &ours), Err(why));
        // Under our key's name.
        let token = signed(&stranger, &header_of(&ours), &good_claims().to_string());
        assert_eq!(verified(&token, &ours), Err(Rejected::Signature));
    }
}

#[test]
fn T29_rotation() {
    for algorithm in [Hs256, Es256, EdDsa] {
        let (old, _) = SigningKey::generate(algorithm).expect("a key");
        let (new, _) = SigningKey::generate(algorithm).expect("a key");
        let [by_old, by_new] =
            [&old, &new].map(|key| key.sign("JWT", &good_claims()).expect("a token"));
        let overlap = [new.verifying_key(), old.verifying_key()];
        assert_eq!(verified_by(&by_old, &overlap), Ok(good_claims()));
        assert_eq!(verified_by(&by_new, &overlap), Ok(good_claims()));
        assert!(verified_by(&by_old, &overlap[..1]).is_err());
    }
}
