//! `doorward token`.

use jose::SigningKey;
use serde_json::{Value, json};

use super::{creates, prints, prints_json, refuses, token_of};
use crate::harness::process::{Ended, Place};
use crate::harness::{ADA, PASSWORD};

/// Somebody's token, and where it is from.
async fn signed_in() -> (Place, String) {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let token = token_of(&place.serve(), ADA, PASSWORD);
    (place, token)
}

fn verified(place: &Place, token: &str) -> Ended {
    place.run(&["token", "verify"], token)
}

#[tokio::test]
async fn a_token_from_here_is_good_until_its_session_ends() {
    let (place, token) = signed_in().await;
    let claims = prints_json(&place, &["token", "verify", "-"], &format!("{token}\n"));
    assert_eq!(claims["email"], ADA);

    prints(&place, &["user", "disable", ADA], "");
    let ended = verified(&place, &token);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.said.contains("its session has ended"), "{ended:?}");
    assert_eq!(
        serde_json::from_str::<Value>(&ended.output).unwrap(),
        claims
    );
}

#[tokio::test]
async fn any_other_token_is_refused_with_the_reason() {
    let (mut place, token) = signed_in().await;
    let secret = prints(&place, &["key", "secret"], "");
    let key = SigningKey::hs256(secret.trim_end().as_bytes()).unwrap();
    let (_, claims) = jose::decode_unverified(&token).unwrap();
    let signed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        key.sign("JWT", &claims).unwrap()
    };
    let stranger = SigningKey::hs256(&[7; 32]).unwrap();
    for (token, reason) in [
        (signed("exp", json!(1_700_000_000)), "the token has expired"),
        (
            signed("iat", json!(32_503_680_000_i64)),
            "the token is not valid yet",
        ),
        (
            signed("iss", json!("https://other.example")),
            "the issuer is another",
        ),
        (
            signed("aud", json!("https://other.example")),
            "the audience is another",
        ),
        (
            stranger.sign("JWT", &claims).unwrap(),
            "the signature is wrong",
        ),
        (
            key.sign("at+jwt", &claims).unwrap(),
            "the type is not the expected one",
        ),
        ("a.b".to_owned(), "the token is malformed"),
        (String::new(), "the token is malformed"),
    ] {
        refuses(&verified(&place, &token), 1, reason);
    }
    place.set("tokens.issuer", "https://auth.example.com");
    refuses(
        &verified(&place, &token),
        1,
        "here it is https://auth.example.com (tokens.issuer)",
    );
}

#[tokio::test]
async fn a_look_inside_says_loudly_that_nothing_is_verified() {
    let place = Place::new().await;
    let claims = json!({"sub": "anybody", "exp": 1});
    let token = SigningKey::hs256(&[7; 32])
        .unwrap()
        .sign("JWT", &claims)
        .unwrap();
    let inspected = place.run(&["token", "inspect"], &token);
    assert_eq!(inspected.code, Some(0), "{inspected:?}");
    assert!(inspected.said.starts_with("NOT VERIFIED"), "{inspected:?}");
    assert!(!inspected.said.contains(&token));
    let shown: Value = serde_json::from_str(&inspected.output).unwrap();
    assert_eq!(
        shown,
        json!({"header": {"alg": "HS256", "typ": "JWT"}, "claims": claims})
    );
    refuses(
        &place.run(&["token", "inspect"], "hello"),
        1,
        "this is not a JSON Web Token",
    );
}

#[tokio::test]
async fn a_token_is_never_an_argument() {
    let (place, token) = signed_in().await;
    for verb in ["inspect", "verify"] {
        let ended = place.run(&["token", verb, &token], "");
        refuses(&ended, 2, "a token is never an argument");
        assert!(!ended.said.contains(&token), "and it is not said again");
    }
    refuses(
        &place.run(&["token", "inspect"], &"x".repeat(65 * 1024)),
        2,
        "standard input holds more than",
    );
}
