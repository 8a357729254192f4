//! Signatures by those who do not have the key: swapped algorithms, and the weak points of each.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jose::{Algorithm, SigningKey};
use serde_json::json;

use super::endings::{end_sessions, owner};
use super::forge::{
    ALGORITHMS, Forger, encode, for_each_algorithm, hmac_by, random, sign, token_by, with,
};

/// The order of P-256 (SEC 2 section 2.4.2), big-endian.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// The order of edwards25519's group (RFC 8032 section 5.1), little-endian.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

#[tokio::test]
async fn T4_T5_hs256_with_what_is_public_as_the_secret() {
    for_each_algorithm(async |forger| {
        for secret in public_secrets(forger).await {
            let hs256 = json!({"alg": "HS256", "typ": "JWT"}).to_string();
            let named =
                json!({"alg": "HS256", "typ": "JWT", "kid": forger.header["kid"]}).to_string();
            for header in [hs256, named, forger.header.to_string()] {
                let token = token_by(&header, &forger.claims.to_string(), hmac_by(&secret));
                forger.refused(&token, &header).await;
            }
        }
    })
    .await;
}

/// What anybody can know, in every spelling that somebody has fed to an HMAC.
async fn public_secrets(forger: &Forger<'_>) -> Vec<Vec<u8>> {
    let mut secrets = vec![Vec::new(), b"secret".to_vec(), vec![0; 32]];
    let jwks = forger.server.get("/.well-known/jwks.json").await;
    secrets.push(jwks.body.clone().into());
    if forger.algorithm == Algorithm::Hs256 {
        return secrets;
    }
    let kid = forger.header["kid"].as_str().unwrap();
    let jwk = &jwks.json()["keys"][0];
    assert_eq!(jwk["kid"], kid);
    secrets.extend([kid.into(), jwk.to_string().into()]);
    for member in ["x", "y", "n"] {
        if let Some(number) = jwk[member].as_str() {
            secrets.extend([number.into(), URL_SAFE_NO_PAD.decode(number).unwrap()]);
        }
    }
    let der = forger.public_der();
    secrets.extend(pems(&der).map(String::into_bytes));
    secrets.push(der);
    secrets
}

/// A public key as PEM: in one line or in lines of 64, as Unix or Windows ends them, and with or without a last one.
fn pems(der: &[u8]) -> impl Iterator<Item = String> {
    let text = STANDARD.encode(der);
    let (lines, rest) = text.as_bytes().as_chunks::<64>();
    let lines: Vec<_> = lines
        .iter()
        .map(<[u8; 64]>::as_slice)
        .chain([rest])
        .collect();
    let lines = String::from_utf8(lines.join(&b"\n"[..])).unwrap();
    let unix = [text, lines]
        .map(|body| format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"));
    unix.into_iter()
        .flat_map(|pem| [pem.replace('\n', "\r\n"), pem.trim_end().to_owned(), pem])
}

#[tokio::test]
async fn T6_the_token_of_one_algorithm_where_another_is_expected() {
    let strangers =
        ALGORITHMS.map(|algorithm| (algorithm, SigningKey::generate(algorithm).unwrap()));
    for_each_algorithm(async |forger| {
        for (other, (key, stored)) in &strangers {
            let token = key.sign("JWT", &forger.claims).unwrap();
            forger.refused(&token, other.as_str()).await;
            for alg in [*other, forger.algorithm] {
                let mut header = forger.header.clone();
                header["alg"] = json!(alg.as_str());
                let token = token_by(&header.to_string(), &forger.claims.to_string(), |message| {
                    sign(*other, stored, message)
                });
                forger.refused(&token, &header.to_string()).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn T6_T28_the_token_of_one_service_at_another() {
    let mut strangers: Vec<String> = Vec::new();
    for algorithm in [ALGORITHMS, ALGORITHMS].concat() {
        with(algorithm, async |forger| {
            for token in &strangers {
                forger.refused(token, "of another service").await;
            }
            strangers.push(forger.token.clone());
        })
        .await;
    }
}

#[tokio::test]
async fn T28_another_services_key_that_says_it_is_ours() {
    for_each_algorithm(async |forger| {
        let (_, theirs) = SigningKey::generate(forger.algorithm).unwrap();
        let token = forger.signed_by(|message| sign(forger.algorithm, &theirs, message));
        forger.refused(&token, "another's key").await;
    })
    .await;
}

#[tokio::test]
async fn T7_pss_for_pkcs1() {
    with(Algorithm::Rs256, async |forger| {
        let pair = RsaKeyPair::from_pkcs8(forger.stored_key()).unwrap();
        let pss = |message: &[u8]| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PSS_SHA256, &random(), message, &mut signature)
                .unwrap();
            signature
        };
        forger.refused(&forger.signed_by(pss), "PSS").await;
        let header = forger.header.to_string().replace("RS256", "PS256");
        let token = token_by(&header, &forger.claims.to_string(), pss);
        forger.refused(&token, "PS256").await;
        let token = forger.with_header("alg", json!("PS256"));
        forger.refused(&token, "PKCS#1 as PS256").await;
    })
    .await;
}

#[tokio::test]
async fn T8_es256_in_der() {
    with(Algorithm::Es256, async |forger| {
        let key = forger.stored_key();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key).unwrap();
        let der = |message: &[u8]| pair.sign(&random(), message).unwrap().as_ref().to_vec();
        forger.refused(&forger.signed_by(der), "DER").await;
    })
    .await;
}

#[tokio::test]
async fn T9_T10_signatures_of_nothing() {
    for_each_algorithm(async |forger| {
        let length = forger.signature(b"").len();
        for byte in [0, 1, 0xff] {
            for length in [1, 32, 63, length - 1, length, length + 1, 128, 1024] {
                let token = forger.signed_by(|_| vec![byte; length]);
                forger.refused(&token, &format!("{length} of {byte}")).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn T10_es256_r_and_s_out_of_range() {
    with(Algorithm::Es256, async |forger| {
        for out in [[0; 32], P256_ORDER, [0xff; 32]] {
            for place in [0..32, 32..64, 0..64] {
                let token = forger.signed_by(|message| {
                    let mut signature = forger.signature(message);
                    signature[place.clone()].copy_from_slice(&out.repeat(place.len() / 32));
                    signature
                });
                forger
                    .refused(&token, &format!("{out:?} at {place:?}"))
                    .await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn T10_eddsa_s_that_is_not_canonical() {
    with(Algorithm::EdDsa, async |forger| {
        // s + order signs what s signs, for whoever does not look (RFC 8032 section 5.1.7).
        let token = forger.signed_by(|message| {
            let mut signature = forger.signature(message);
            let mut carry = 0;
            for (place, byte) in signature[32..].iter_mut().zip(ED25519_ORDER) {
                let sum = u16::from(*place) + u16::from(byte) + carry;
                [*place, _] = sum.to_le_bytes();
                carry = sum >> 8;
            }
            signature
        });
        forger.refused(&token, "s + order").await;
        // R of small order, and s of nought.
        let token = forger.signed_by(|_| [&[1], [0; 63].as_slice()].concat());
        forger.refused(&token, "the neutral point").await;
    })
    .await;
}

#[tokio::test]
async fn T11_the_other_es256_signature_is_no_other_token() {
    with(Algorithm::Es256, async |forger| {
        let (message, signature) = forger.token.rsplit_once('.').unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let mut borrow = 0;
        for (place, byte) in signature[32..].iter_mut().zip(P256_ORDER).rev() {
            let rest = i16::from(byte) - i16::from(*place) - borrow;
            [*place, _] = rest.to_le_bytes();
            borrow = i16::from(rest < 0);
        }
        let other = format!("{message}.{}", encode(signature));
        assert_ne!(other, forger.token);
        // ECDSA cannot tell them apart, so nothing may be remembered of a token but its jti and its session.
        forger.accepted(&other, "n - s").await;
        end_sessions(forger.server, &owner(forger)).await;
        for token in [&forger.token, &other] {
            forger.refused_as("session_revoked", token, "ended").await;
        }
    })
    .await;
}
