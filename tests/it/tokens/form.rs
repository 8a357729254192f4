//! Tokens that ask to be read in another way than ours: their parts, their spelling, their header.

use std::io::ErrorKind;
use std::net::TcpListener;

use jose::{Algorithm, SigningKey};
use serde_json::{Value, json};

use super::forge::{encode, for_each_algorithm, sign, token_by};

#[tokio::test]
async fn what_the_forger_makes_is_refused_for_its_fault_alone() {
    for_each_algorithm(async |forger| {
        forger.accepted(&forger.token, "the service's own").await;
        let again = forger.signed(&forger.header.to_string(), &forger.claims.to_string());
        forger.accepted(&again, "the forger's").await;
        forger
            .accepted(&forger.with_header("x", json!(1)), "one more name")
            .await;
        forger
            .accepted(&forger.with_claim("x", json!(1)), "one more claim")
            .await;
    })
    .await;
}

#[tokio::test]
async fn T1_T2_alg_none_in_any_case() {
    for_each_algorithm(async |forger| {
        for alg in ["none", "None", "NONE", "nOnE", ""] {
            let token = forger.with_header("alg", json!(alg));
            forger.refused(&token, alg).await;
            let (unsigned, _) = token.rsplit_once('.').unwrap();
            for signature in ["", ".", ".AAAA", "."] {
                let token = format!("{unsigned}{signature}");
                forger.refused(&token, &format!("{alg} {signature}")).await;
            }
        }
        let mut header = forger.header.clone();
        header.as_object_mut().unwrap().remove("alg");
        let token = forger.signed(&header.to_string(), &forger.claims.to_string());
        forger.refused(&token, "no alg").await;
    })
    .await;
}

#[tokio::test]
async fn T3_other_than_three_parts() {
    for_each_algorithm(async |forger| {
        let token = &forger.token;
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        for wrong in [
            ".",
            "..",
            "...",
            "....",
            header,
            signed,
            &format!("{signed}."),
            &format!("{header}..{signature}"),
            &format!(".{claims}.{signature}"),
            &format!(".{token}"),
            &format!("{token}."),
            &format!("{token}.{signature}"),
            &format!("{token}.{claims}.{signature}"),
        ] {
            forger.refused(wrong, wrong).await;
        }
    })
    .await;
}

#[tokio::test]
async fn T12_unknown_algorithms() {
    for_each_algorithm(async |forger| {
        for alg in [
            "HS384", "HS512", "ES384", "ES256K", "PS256", "RS512", "RS1", "Ed25519", "dir",
            "A128KW",
        ] {
            forger
                .refused(&forger.with_header("alg", json!(alg)), alg)
                .await;
        }
        let lower = forger.algorithm.as_str().to_lowercase();
        forger
            .refused(&forger.with_header("alg", json!(lower)), &lower)
            .await;
        for alg in [json!(null), json!(256), json!([forger.algorithm.as_str()])] {
            let why = alg.to_string();
            forger.refused(&forger.with_header("alg", alg), &why).await;
        }
    })
    .await;
}

#[tokio::test]
async fn T13_T14_extensions_that_must_be_understood() {
    for_each_algorithm(async |forger| {
        for crit in [
            json!(["x"]),
            json!([]),
            json!("exp"),
            json!(null),
            json!({}),
            json!(["b64"]),
        ] {
            let why = format!("crit {crit}");
            forger
                .refused(&forger.with_header("crit", crit), &why)
                .await;
        }
        for b64 in [false, true] {
            forger
                .refused(&forger.with_header("b64", json!(b64)), "b64")
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn T15_encryption_compression_and_nesting() {
    for_each_algorithm(async |forger| {
        forger
            .refused(&forger.with_header("zip", json!("DEF")), "zip")
            .await;
        forger
            .refused(&forger.with_header("enc", json!("A256GCM")), "enc")
            .await;
        // A JWE in compact form, whose plaintext is a plain JWT.
        let jwe = encode(r#"{"alg":"dir","enc":"A256GCM","cty":"JWT"}"#);
        forger
            .refused(&format!("{jwe}..AAAA.AAAA.AAAA"), "JWE")
            .await;
        let mut token = forger.token.clone();
        for depth in 1..=20 {
            let nested = json!({"alg": forger.algorithm.as_str(), "typ": "JWT", "cty": "JWT", "kid": forger.header["kid"]});
            token = forger.signed(&nested.to_string(), &token);
            forger.refused(&token, &format!("{depth} deep")).await;
            if token.len() > 16 * 1024 {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn T16_keys_in_the_header_are_not_used() {
    let strangers_house = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", strangers_house.local_addr().unwrap());
    for_each_algorithm(async |forger| {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            // A stranger's key, which the header brings along or says where to find.
            let (stranger, stored) = SigningKey::generate(algorithm).unwrap();
            let jwk = serde_json::to_value(stranger.public_jwk()).unwrap();
            for (name, value) in [
                ("jwk", &jwk),
                ("jku", &json!(url)),
                ("x5u", &json!(url)),
                ("x5c", &json!(["MIIB"])),
            ] {
                for kid in [&forger.header["kid"], &jwk["kid"], &json!(url)] {
                    let header =
                        json!({"alg": algorithm.as_str(), "typ": "JWT", name: value, "kid": kid});
                    let (header, claims) = (header.to_string(), forger.claims.to_string());
                    let token = token_by(&header, &claims, |message| {
                        sign(algorithm, &stored, message)
                    });
                    forger.refused(&token, &header).await;
                }
            }
        }
        // Under a true signature they are passed over, and nobody is asked.
        for name in ["jku", "x5u"] {
            let token = forger.with_header(name, json!(url));
            forger.accepted(&token, name).await;
        }
    })
    .await;
    strangers_house.set_nonblocking(true).unwrap();
    let caller = strangers_house.accept().map(drop);
    assert_eq!(caller.unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn T17_kid() {
    for_each_algorithm(async |forger| {
        for kid in [
            json!("../../../dev/null"),
            json!("/dev/null"),
            json!("' OR 1=1--"),
            json!("\u{0}"),
            json!("k".repeat(65)),
            json!(""),
            json!(null),
            json!(0),
            json!(["k"]),
        ] {
            let why = format!("kid {kid}");
            forger.refused(&forger.with_header("kid", kid), &why).await;
        }
        let huge = forger.with_header("kid", json!("k".repeat(1024 * 1024)));
        forger.refused(&huge, "kid of 1 MB").await;
        if forger.header.get("kid").is_some() {
            let mut header = forger.header.clone();
            header.as_object_mut().unwrap().remove("kid");
            let token = forger.signed(&header.to_string(), &forger.claims.to_string());
            forger.refused(&token, "no kid").await;
        }
    })
    .await;
}

#[tokio::test]
async fn T25_a_name_twice() {
    for_each_algorithm(async |forger| {
        let (header, claims) = (&forger.header, &forger.claims);
        for name in ["alg", "typ", "x"] {
            for header in doubled(header, name) {
                let token = forger.signed(&header, &claims.to_string());
                forger.refused(&token, &header).await;
            }
        }
        for name in ["sub", "exp", "iss", "sid", "email", "x"] {
            for claims in doubled(claims, name) {
                let token = forger.signed(&header.to_string(), &claims);
                forger.refused(&token, &claims).await;
            }
        }
    })
    .await;
}

/// The object with `name` in it twice, with the same value: at the beginning, and at the end.
fn doubled(object: &Value, name: &str) -> [String; 2] {
    let mut object = object.clone();
    let value = object[name].take();
    object[name] = if value.is_null() { json!(1) } else { value };
    let (text, member) = (object.to_string(), format!("\"{name}\":{}", object[name]));
    let inner = &text[1..text.len() - 1];
    [
        format!("{{{member},{inner}}}"),
        format!("{{{inner},{member}}}"),
    ]
}

#[tokio::test]
async fn T26_one_spelling_of_base64url() {
    for_each_algorithm(async |forger| {
        let parts: Vec<&str> = forger.token.split('.').collect();
        for at in 0..3 {
            let spelled = |part: &str| {
                let mut parts = parts.clone();
                parts[at] = part;
                parts.join(".")
            };
            for padding in ["=", "==", "\t", "%3D", "\u{a0}"] {
                let wrong = spelled(&format!("{}{padding}", parts[at]));
                forger.refused(&wrong, "padding").await;
            }
            let other_alphabet = parts[at].replace('-', "+").replace('_', "/");
            if other_alphabet != parts[at] {
                forger.refused(&spelled(&other_alphabet), "+ and /").await;
            }
            for other in other_tails(parts[at]) {
                forger.refused(&spelled(&other), "non-zero tail bits").await;
            }
        }
    })
    .await;
}

/// The other spellings of `part` whose last character differs in bits that stand for nothing.
fn other_tails(part: &str) -> Vec<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let unused = match part.len() % 4 {
        2 => 4,
        3 => 2,
        _ => 0,
    };
    let (rest, last) = part.split_at(part.len() - 1);
    let value = ALPHABET
        .iter()
        .position(|c| *c == last.as_bytes()[0])
        .unwrap();
    (1..1 << unused)
        .map(|bits| format!("{rest}{}", char::from(ALPHABET[value ^ bits])))
        .collect()
}

#[tokio::test]
async fn T33_T34_tokens_of_a_size_that_none_has() {
    for_each_algorithm(async |forger| {
        let long = forger.with_claim("x", json!("x".repeat(8 * 1024)));
        forger.refused(&long, "4 KB").await;
        forger.refused(&"x".repeat(10 * 1024 * 1024), "10 MB").await;
        forger.refused(&".".repeat(10_000), "10,000 dots").await;
        forger.refused(&"a.".repeat(10_000), "10,000 parts").await;
    })
    .await;
}
