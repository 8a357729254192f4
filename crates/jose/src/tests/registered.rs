//! The registered claims, each under a true signature.

use serde::Deserialize;
use serde_json::{Value, json};

use super::keys::key;
use super::{NOW, claims_with, claims_without, good_claims, header_of, policy, signed, verified};
use crate::Algorithm::Hs256;
use crate::{Policy, Rejected, decode_unverified, verify};

fn outcome(claims: &str) -> Result<Value, Rejected> {
    let hs256 = key(Hs256);
    verified(&signed(&hs256, &header_of(&hs256), claims), &hs256)
}

fn outcome_at(claims: &str, leeway_seconds: i64, now: i64) -> Result<Value, Rejected> {
    let hs256 = key(Hs256);
    let token = signed(&hs256, &header_of(&hs256), claims);
    let policy = Policy {
        leeway_seconds,
        ..policy()
    };
    verify(&token, [hs256.verifying_key()].iter(), &policy, now)
}

fn assert_refused(claims: &str, why: Rejected) {
    assert_eq!(outcome(claims), Err(why), "{claims}");
}

#[test]
fn T18_exp() {
    assert!(outcome(&claims_with("exp", json!(NOW + 1))).is_ok());
    assert_refused(&claims_with("exp", json!(NOW)), Rejected::Expired);
    assert_refused(&claims_with("exp", json!(NOW - 1)), Rejected::Expired);
    assert_refused(&claims_with("exp", json!(0)), Rejected::Expired);
    assert_refused(&claims_without("exp"), Rejected::Claims);
    assert_refused(&claims_with("exp", json!(-1)), Rejected::Claims);
    assert!(outcome(&claims_with("exp", json!((1_i64 << 53) - 1))).is_ok());
    assert_refused(&claims_with("exp", json!(1_i64 << 53)), Rejected::Claims);
    assert_refused(&claims_with("exp", json!(u64::MAX)), Rejected::Claims);
}

#[test]
fn T18_exp_with_leeway() {
    let claims = claims_with("exp", json!(NOW));
    assert!(outcome_at(&claims, 60, NOW + 59).is_ok());
    assert_eq!(outcome_at(&claims, 60, NOW + 60), Err(Rejected::Expired));
    // Below zero it counts as zero, and at the far end nothing overflows.
    assert!(outcome_at(&claims_with("exp", json!(NOW + 1)), -60, NOW).is_ok());
    assert_eq!(outcome_at(&claims, i64::MIN, NOW), Err(Rejected::Expired));
    assert!(outcome_at(&claims, i64::MAX, NOW).is_ok());
    assert_eq!(outcome_at(&claims, 0, i64::MAX), Err(Rejected::Expired));
    assert_eq!(outcome_at(&claims, 0, i64::MIN), Err(Rejected::NotYetValid));
}

#[test]
fn T19_nbf_and_iat_ahead() {
    for name in ["nbf", "iat"] {
        assert!(outcome(&claims_with(name, json!(NOW))).is_ok());
        assert_refused(&claims_with(name, json!(NOW + 1)), Rejected::NotYetValid);
        assert!(outcome(&claims_without(name)).is_ok());
        let ahead = claims_with(name, json!(NOW + 60));
        assert!(outcome_at(&ahead, 60, NOW).is_ok());
        assert_eq!(outcome_at(&ahead, 59, NOW), Err(Rejected::NotYetValid));
    }
}

#[test]
fn T20_times_of_the_wrong_type() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!(null),
            json!("1800000600"),
            json!([NOW]),
            json!({"a": NOW}),
            json!(true),
            json!(1_799_999_999.5),
            json!(1_799_999_999.0),
            json!(-1),
            json!(1_i64 << 53),
        ] {
            assert_refused(&claims_with(name, value), Rejected::Claims);
        }
        // Spellings that JSON knows and serde_json's writer does not make.
        for number in ["18e8", "1.8E9", "1e400", "-0", "99999999999999999999"] {
            let claims = claims_with(name, json!(7_777)).replace("7777", number);
            assert_refused(&claims, Rejected::Claims);
        }
        for number in [
            "+1800000000",
            "01800000000",
            "0x6b49d200",
            "NaN",
            "Infinity",
            "1_800",
        ] {
            let claims = claims_with(name, json!(7_777)).replace("7777", number);
            assert_refused(&claims, Rejected::Claims);
        }
    }
}

#[test]
fn T21_iss() {
    assert_refused(&claims_without("iss"), Rejected::Issuer);
    for iss in [
        "",
        "https://id.example/",
        "https://ID.example",
        "http://id.example",
        "https://id.example\u{0}",
    ] {
        assert_refused(&claims_with("iss", json!(iss)), Rejected::Issuer);
    }
    for iss in [
        json!(["https://id.example"]),
        json!(null),
        json!(1),
        json!({}),
    ] {
        assert_refused(&claims_with("iss", iss), Rejected::Claims);
    }
}

#[test]
fn T22_aud() {
    for aud in [
        json!("app"),
        json!(["app"]),
        json!(["other", "app"]),
        json!(["app", "other"]),
    ] {
        assert!(outcome(&claims_with("aud", aud)).is_ok());
    }
    assert_refused(&claims_without("aud"), Rejected::Audience);
    for aud in [
        json!(""),
        json!("App"),
        json!("app "),
        json!("ap"),
        json!([]),
        json!(["other"]),
        json!(["APP"]),
    ] {
        assert_refused(&claims_with("aud", aud), Rejected::Audience);
    }
    for aud in [
        json!(null),
        json!(1),
        json!(true),
        json!({"app": "app"}),
        json!(["app", 1]),
        json!([["app"]]),
        json!(["app", null]),
    ] {
        assert_refused(&claims_with("aud", aud), Rejected::Claims);
    }
}

#[test]
fn T23_sub_and_jti() {
    assert_refused(&claims_without("sub"), Rejected::Claims);
    for sub in [json!(""), json!(null), json!(0), json!(["ada"]), json!({})] {
        assert_refused(&claims_with("sub", sub), Rejected::Claims);
    }
    assert!(outcome(&claims_without("jti")).is_ok());
    for jti in [json!(null), json!(7), json!(["j1"])] {
        assert_refused(&claims_with("jti", jti), Rejected::Claims);
    }
}

#[test]
fn T25_a_name_twice_in_the_claims() {
    for (name, value) in [
        ("exp", "1"),
        ("sub", "\"eve\""),
        ("aud", "\"app\""),
        ("roles", "[]"),
        ("ro\\u006ces", "[]"),
    ] {
        for claims in [
            good_claims()
                .to_string()
                .replacen('{', &format!("{{\"{name}\":{value},"), 1),
            good_claims()
                .to_string()
                .replace("\"jti\"", &format!("\"{name}\":{value},\"jti\"")),
        ] {
            assert_refused(&claims, Rejected::Claims);
            let token = signed(&key(Hs256), &header_of(&key(Hs256)), &claims);
            assert_eq!(decode_unverified(&token), Err(Rejected::Claims));
        }
    }
}

#[test]
fn claims_that_are_not_one_object_are_refused() {
    let good = good_claims().to_string();
    for claims in [
        "null".to_owned(),
        "1".to_owned(),
        "[]".to_owned(),
        format!("[{good}]"),
        json!(good).to_string(),
        format!("{good}{good}"),
        good[..good.len() - 1].to_owned(),
        format!("\u{feff}{good}"),
    ] {
        assert_refused(&claims, Rejected::Claims);
    }
}

#[test]
fn the_caller_s_own_claims_are_held_to_their_type() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Ours {
        sub: String,
        email_verified: bool,
    }
    let hs256 = key(Hs256);
    let typed = |claims: &str| {
        let token = signed(&hs256, &header_of(&hs256), claims);
        verify::<Ours>(&token, [hs256.verifying_key()].iter(), &policy(), NOW)
    };
    let ada = Ours {
        sub: "01JD-ada".into(),
        email_verified: true,
    };
    assert_eq!(typed(&good_claims().to_string()), Ok(ada));
    assert_eq!(
        typed(&claims_with("email_verified", json!("true"))),
        Err(Rejected::Claims)
    );
    assert_eq!(
        typed(&claims_without("email_verified")),
        Err(Rejected::Claims)
    );
}

#[test]
fn claims_are_not_parsed_before_the_signature_is_right() {
    let hs256 = key(Hs256);
    let token = signed(&hs256, &header_of(&hs256), "{not json");
    assert_eq!(verified(&token, &hs256), Err(Rejected::Claims));
    let (message, _) = token.rsplit_once('.').expect("three parts");
    assert_eq!(
        verified(&format!("{message}.AAAA"), &hs256),
        Err(Rejected::Signature)
    );
}
