//! What a token looks like before any key is asked: its parts, its spelling and its header.

use serde_json::json;

use super::keys::{ALGORITHMS, key};
use super::{NOW, good_claims, header_of, policy, signed, verified, verified_by};
use crate::Algorithm::{EdDsa, Es256, Hs256};
use crate::compact::encode;
use crate::{Policy, Rejected, decode_unverified, verify};

/// A truly signed HS256 token with this header and good claims.
fn with_header(header: &str) -> String {
    signed(&key(Hs256), header, &good_claims().to_string())
}

fn assert_header_refused(header: &str, why: Rejected) {
    assert_eq!(
        verified(&with_header(header), &key(Hs256)),
        Err(why),
        "{header}"
    );
}

#[test]
fn what_is_refused_below_is_accepted_as_it_should_be() {
    for algorithm in ALGORITHMS {
        let key = key(algorithm);
        let token = signed(&key, &header_of(&key), &good_claims().to_string());
        assert_eq!(verified(&token, &key), Ok(good_claims()));
    }
}

#[test]
fn T1_alg_none() {
    let parts = format!(
        "{}.{}",
        encode(br#"{"alg":"none","typ":"JWT"}"#),
        encode(good_claims().to_string().as_bytes())
    );
    assert_eq!(
        verified(&format!("{parts}."), &key(Hs256)),
        Err(Rejected::Malformed)
    );
    assert_eq!(verified(&parts, &key(Hs256)), Err(Rejected::Malformed));
    assert_eq!(
        verified(&format!("{parts}.AAAA"), &key(Hs256)),
        Err(Rejected::Algorithm)
    );
    assert_header_refused(r#"{"alg":"none","typ":"JWT"}"#, Rejected::Algorithm);
}

#[test]
fn T2_none_in_other_cases() {
    for alg in ["None", "NONE", "nOnE", "none ", "none\\u0000", ""] {
        assert_header_refused(
            &format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#),
            Rejected::Algorithm,
        );
    }
}

#[test]
fn T3_other_than_three_parts() {
    let token = with_header(&header_of(&key(Hs256)));
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let (header, claims) = signed.split_once('.').expect("three parts");
    for wrong in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        header.into(),
        signed.into(),
        format!("{signed}."),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!(".{token}"),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!("{token}.."),
        format!("{header}.{signature}.{token}"),
    ] {
        assert_eq!(
            verified(&wrong, &key(Hs256)),
            Err(Rejected::Malformed),
            "{wrong}"
        );
        assert_eq!(
            decode_unverified(&wrong),
            Err(Rejected::Malformed),
            "{wrong}"
        );
    }
}

#[test]
fn T12_unknown_algorithms() {
    for alg in [
        "HS384", "HS512", "ES384", "ES256K", "RS1", "Ed25519", "hs256", "HS256 ", "A128KW", "dir",
    ] {
        assert_header_refused(
            &format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#),
            Rejected::Algorithm,
        );
    }
    assert_header_refused(r#"{"typ":"JWT"}"#, Rejected::Algorithm);
}

#[test]
fn a_header_member_of_the_wrong_type_is_refused() {
    for header in [
        r#"{"alg":null,"typ":"JWT"}"#,
        r#"{"alg":256,"typ":"JWT"}"#,
        r#"{"alg":["HS256"],"typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":["JWT"]}"#,
        r#"{"alg":"HS256","typ":null}"#,
        r#"{"alg":"HS256","typ":"JWT","kid":null}"#,
        r#"{"alg":"HS256","typ":"JWT","kid":0}"#,
    ] {
        assert_header_refused(header, Rejected::Malformed);
    }
}

#[test]
fn a_header_that_is_not_one_object_is_refused() {
    for header in [
        "",
        "null",
        "[]",
        r#"["alg","HS256","typ","JWT"]"#,
        r#""HS256""#,
        r#"{"alg":"HS256","typ":"JWT""#,
        r#"{"alg":"HS256","typ":"JWT"}{}"#,
        r#"{"alg":"HS256","typ":"JWT",}"#,
        "{'alg':'HS256','typ':'JWT'}",
        "\u{feff}{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
        r#"{"alg":"HS256","typ":"JWT"} // comment"#,
    ] {
        assert_header_refused(header, Rejected::Malformed);
    }
    let claims = encode(good_claims().to_string().as_bytes());
    let header = encode(b"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"x\":\"\xff\"}");
    let token = format!("{header}.{claims}.AAAA");
    assert_eq!(verified(&token, &key(Hs256)), Err(Rejected::Malformed));
}

#[test]
fn T13_crit() {
    for crit in [r#"["x"]"#, "[]", r#""exp""#, "null", "{}", "1"] {
        let header = format!(r#"{{"alg":"HS256","typ":"JWT","crit":{crit},"x":1}}"#);
        assert_header_refused(&header, Rejected::Critical);
    }
}

#[test]
fn T14_b64() {
    for header in [
        r#"{"alg":"HS256","typ":"JWT","b64":false}"#,
        r#"{"alg":"HS256","typ":"JWT","b64":true}"#,
        r#"{"alg":"HS256","typ":"JWT","b64":false,"crit":["b64"]}"#,
    ] {
        assert_header_refused(header, Rejected::Critical);
    }
}

#[test]
fn T15_encryption_compression_and_nesting() {
    assert_header_refused(
        r#"{"alg":"HS256","typ":"JWT","zip":"DEF"}"#,
        Rejected::Critical,
    );
    assert_header_refused(
        r#"{"alg":"dir","typ":"JWT","enc":"A256GCM"}"#,
        Rejected::Critical,
    );
    // A JWE in compact form, whose plaintext might be a plain JWT; the key's place is empty or not.
    let header = encode(br#"{"alg":"dir","enc":"A256GCM","cty":"JWT"}"#);
    for jwe in [
        format!("{header}..AAAA.AAAA.AAAA"),
        format!("{header}.AAAA.AAAA.AAAA.AAAA"),
    ] {
        assert_eq!(verified(&jwe, &key(Hs256)), Err(Rejected::Malformed));
    }

    let hs256 = key(Hs256);
    let mut token = hs256.sign("JWT", &good_claims()).expect("a token");
    for depth in 1..=20 {
        token = signed(&hs256, r#"{"alg":"HS256","typ":"JWT","cty":"JWT"}"#, &token);
        let policy = Policy {
            max_len: usize::MAX,
            ..policy()
        };
        let verified =
            verify::<serde_json::Value>(&token, [hs256.verifying_key()].iter(), &policy, NOW);
        assert_eq!(verified, Err(Rejected::Claims), "{depth} deep");
    }
}

#[test]
fn T16_keys_in_the_header_are_not_used() {
    // Signed by a stranger's key, which the header brings along in every way there is.
    let (stranger, _) = crate::SigningKey::generate(Es256).expect("a key");
    let jwk = json!(stranger.public_jwk());
    let ours = key(Es256);
    let header = |kid: Option<&str>| {
        json!({
            "alg": "ES256", "typ": "JWT", "kid": kid.unwrap_or("x"), "jwk": jwk, "jku": "http://127.0.0.1:1/",
            "x5u": "http://127.0.0.1:1/", "x5c": ["AAAA"], "x5t": "AAAA",
        })
        .to_string()
    };
    let claims = good_claims().to_string();
    let forged = signed(&stranger, &header(ours.kid()), &claims);
    assert_eq!(verified(&forged, &ours), Err(Rejected::Signature));
    let forged = signed(&stranger, &header(stranger.kid()), &claims);
    assert_eq!(verified(&forged, &ours), Err(Rejected::UnknownKey));
    // And they do no harm to a token of ours.
    let true_one = signed(&ours, &header(ours.kid()), &claims);
    assert_eq!(verified(&true_one, &ours), Ok(good_claims()));
}

#[test]
fn T17_kid() {
    let es256 = key(Es256);
    let keys = [es256.verifying_key(), key(EdDsa).verifying_key()];
    let claims = good_claims().to_string();
    let with_kid = |kid: &str| {
        signed(
            &es256,
            &json!({"alg": "ES256", "typ": "JWT", "kid": kid}).to_string(),
            &claims,
        )
    };
    assert_eq!(
        verified_by(&with_kid(es256.kid().expect("a kid")), &keys),
        Ok(good_claims())
    );
    for kid in ["../../dev/null", "' OR 1=1--", "", "\0", "ключ"] {
        assert_eq!(
            verified_by(&with_kid(kid), &keys),
            Err(Rejected::UnknownKey),
            "{kid}"
        );
        // A key without a name does not answer to any.
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": kid}).to_string();
        assert_header_refused(&header, Rejected::UnknownKey);
    }
    assert_eq!(
        verified_by(&with_kid(&"k".repeat(1 << 20)), &keys),
        Err(Rejected::TooLong)
    );
    assert_eq!(
        verified_by(&with_kid(&"k".repeat(65)), &keys),
        Err(Rejected::UnknownKey)
    );
    // Absent, though the keys have names.
    let nameless = signed(&es256, r#"{"alg":"ES256","typ":"JWT"}"#, &claims);
    assert_eq!(verified_by(&nameless, &keys), Err(Rejected::UnknownKey));
    // Of a key that is kept no more.
    let retired = with_kid(es256.kid().expect("a kid"));
    assert_eq!(verified_by(&retired, &keys[1..]), Err(Rejected::UnknownKey));
    assert_eq!(verified_by(&retired, &[]), Err(Rejected::UnknownKey));
}

#[test]
fn T24_typ_is_not_swapped() {
    let hs256 = key(Hs256);
    let kinds = ["JWT", "at+jwt", "refresh+jwt", "reset+jwt", "logout+jwt"];
    for made in kinds {
        let token = hs256.sign(made, &good_claims()).expect("a token");
        for expected in kinds {
            let policy = Policy {
                typ: expected,
                ..policy()
            };
            let verified = verify(&token, [hs256.verifying_key()].iter(), &policy, NOW);
            let wanted = if made == expected {
                Ok(good_claims())
            } else {
                Err(Rejected::Type)
            };
            assert_eq!(verified, wanted, "{made} for {expected}");
        }
    }
    assert_header_refused(r#"{"alg":"HS256"}"#, Rejected::Type);
    assert_header_refused(r#"{"alg":"HS256","typ":""}"#, Rejected::Type);
    assert_eq!(
        verified(&with_header(r#"{"alg":"HS256","typ":"jwt"}"#), &hs256),
        Ok(good_claims())
    );
}

#[test]
fn T25_a_name_twice_in_the_header() {
    for header in [
        r#"{"alg":"HS256","typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"none","typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"JWT","x":1,"x":2}"#,
        r#"{"alg":"HS256","typ":"JWT","\u0061lg":"HS256"}"#,
    ] {
        assert_header_refused(header, Rejected::Malformed);
    }
}

#[test]
fn T26_one_spelling_of_base64url() {
    // 43 characters of signature for 32 bytes: the last holds two bits that must be 0.
    let token = with_header(&header_of(&key(Hs256)));
    let (rest, last) = token.split_at(token.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = alphabet.find(last).expect("base64url");
    for loose in 1..4 {
        let other = &alphabet[value + loose..=value + loose];
        assert_eq!(
            verified(&format!("{rest}{other}"), &key(Hs256)),
            Err(Rejected::Malformed)
        );
    }

    for (before, after) in [
        ("", "="),
        ("", "=="),
        ("", "\n"),
        ("\n", ""),
        ("", " "),
        (" ", ""),
        ("\t", ""),
        ("", "\r\n"),
        ("", "\0"),
        ("", "é"),
        ("", "%3D"),
        ("", "+"),
        ("", "/"),
    ] {
        for part in 0..3 {
            let token = respelled(part, &|text| format!("{before}{text}{after}"));
            assert_eq!(
                verified(&token, &key(Hs256)),
                Err(Rejected::Malformed),
                "{token:?}"
            );
        }
    }
}

/// A good token with one part spelled in another way, and signed as it is spelled.
fn respelled(part: usize, spell: &dyn Fn(String) -> String) -> String {
    let hs256 = key(Hs256);
    let spelled = |number, bytes: &[u8]| {
        let text = encode(bytes);
        if number == part { spell(text) } else { text }
    };
    let header = spelled(0, header_of(&hs256).as_bytes());
    let claims = spelled(1, good_claims().to_string().as_bytes());
    let message = format!("{header}.{claims}");
    let signature = hs256.signature(message.as_bytes()).expect("a signature");
    format!("{message}.{}", spelled(2, &signature))
}

#[test]
fn T26_the_other_base64_alphabet() {
    // Signed as it is spelled, so that nothing but the alphabet is wrong.
    let hs256 = key(Hs256);
    let header = encode(header_of(&hs256).as_bytes());
    let claims = good_claims()
        .to_string()
        .replace("app", "app\u{fb}\u{fbff}");
    let claims = encode(claims.as_bytes());
    assert!(
        claims.contains(['-', '_']),
        "the claims were chosen to need both"
    );
    let message = format!("{header}.{}", claims.replace('-', "+").replace('_', "/"));
    let signature = encode(&hs256.signature(message.as_bytes()).expect("a signature"));
    assert_eq!(
        verified(&format!("{message}.{signature}"), &hs256),
        Err(Rejected::Malformed)
    );
}

#[test]
fn T33_a_long_token() {
    let long = "A".repeat(10 << 20);
    assert_eq!(verified(&long, &key(Hs256)), Err(Rejected::TooLong));
    assert_eq!(decode_unverified(&long), Err(Rejected::TooLong));

    let hs256 = key(Hs256);
    let token = with_header(&header_of(&hs256));
    let within = |max_len| {
        let policy = Policy {
            max_len,
            ..policy()
        };
        verify::<serde_json::Value>(&token, [hs256.verifying_key()].iter(), &policy, NOW)
    };
    assert_eq!(within(token.len()), Ok(good_claims()));
    assert_eq!(within(token.len() - 1), Err(Rejected::TooLong));
}

#[test]
fn T34_many_dots() {
    let policy = Policy {
        max_len: usize::MAX,
        ..policy()
    };
    for dots in [
        ".".repeat(10_000),
        "a.".repeat(10_000),
        format!("a.a.a{}", ".".repeat(10_000)),
    ] {
        let keys = [key(Hs256).verifying_key()];
        let verified = verify::<serde_json::Value>(&dots, keys.iter(), &policy, NOW);
        assert_eq!(verified, Err(Rejected::Malformed));
        assert_eq!(decode_unverified(&dots), Err(Rejected::Malformed));
    }
}
