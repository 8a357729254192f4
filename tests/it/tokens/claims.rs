//! Claims that are not as they should be, under a true signature.

use std::time::Duration;

use serde_json::{Value, json};

use super::forge::{Forger, for_each_algorithm};

/// What is no NumericDate as we write it.
fn no_times() -> Vec<Value> {
    vec![
        json!(null),
        json!("1780315200"),
        json!(""),
        json!([1_780_315_200]),
        json!({}),
        json!(true),
        json!(1_780_315_200.5),
        json!(1_780_315_200.0),
        json!(-1),
        json!(i64::MIN),
        json!(1_i64 << 53),
        json!(u64::MAX),
        json!(1e300),
    ]
}

async fn each_refused(forger: &Forger<'_>, name: &str, values: impl IntoIterator<Item = Value>) {
    for value in values {
        let why = format!("{name}: {value}");
        forger.refused(&forger.with_claim(name, value), &why).await;
    }
}

#[tokio::test]
async fn T18_exp() {
    for_each_algorithm(async |forger| {
        let now = forger.server.clock.now().seconds();
        for past in [now, now - 1, now - 3_600, 1, 0] {
            let token = forger.with_claim("exp", json!(past));
            forger
                .refused_as("token_expired", &token, &past.to_string())
                .await;
        }
        forger.refused(&forger.without_claim("exp"), "no exp").await;
        let soon = forger.with_claim("exp", json!(now + 1));
        forger.accepted(&soon, "one second left").await;
        forger.server.wait(Duration::from_secs(1));
        forger.refused_as("token_expired", &soon, "just now").await;
        // However far its end, a token is worth no more than its session.
        let ever = forger.with_claim("exp", json!((1_i64 << 53) - 1));
        forger.accepted(&ever, "the last second there is").await;
        forger.server.wait(Duration::from_hours(1));
        forger.refused_as("session_revoked", &ever, "ended").await;
    })
    .await;
}

#[tokio::test]
async fn T19_nbf_and_iat_ahead() {
    for_each_algorithm(async |forger| {
        let now = forger.server.clock.now().seconds();
        for name in ["nbf", "iat"] {
            each_refused(
                forger,
                name,
                [61, 3_600, 86_400].map(|ahead| json!(now + ahead)),
            )
            .await;
            for good in [now + 60, now, now - 1, 0] {
                forger
                    .accepted(&forger.with_claim(name, json!(good)), name)
                    .await;
            }
        }
        let soon = forger.with_claim("nbf", json!(now + 61));
        forger.server.wait(Duration::from_secs(1));
        forger.accepted(&soon, "its time has come").await;
    })
    .await;
}

#[tokio::test]
async fn T20_times_of_the_wrong_type() {
    for_each_algorithm(async |forger| {
        for name in ["exp", "nbf", "iat"] {
            each_refused(forger, name, no_times()).await;
        }
    })
    .await;
}

#[tokio::test]
async fn T21_iss() {
    for_each_algorithm(async |forger| {
        let ours = forger.claims["iss"].as_str().unwrap().to_owned();
        let others = [
            json!(format!("{ours}/")),
            json!(ours.to_uppercase()),
            json!(ours.replace("http:", "https:")),
            json!(format!("{ours}\u{0}")),
            json!("https://elsewhere.example"),
            json!(""),
            json!(null),
            json!([ours]),
            json!(1),
        ];
        each_refused(forger, "iss", others).await;
        forger.refused(&forger.without_claim("iss"), "no iss").await;
    })
    .await;
}

#[tokio::test]
async fn T22_aud() {
    for_each_algorithm(async |forger| {
        let ours = forger.claims["aud"].as_str().unwrap().to_owned();
        let others = [
            json!(format!("{ours}/")),
            json!(ours.to_uppercase()),
            json!("https://elsewhere.example"),
            json!(""),
            json!(null),
            json!([]),
            json!(["https://elsewhere.example"]),
            json!([ours, 1]),
            json!([[ours]]),
            json!({"0": ours}),
            json!(true),
        ];
        each_refused(forger, "aud", others).await;
        forger.refused(&forger.without_claim("aud"), "no aud").await;
        // RFC 7519 section 4.1.3: one of several may be us.
        for both in [json!([ours]), json!(["https://elsewhere.example", ours])] {
            let why = both.to_string();
            forger.accepted(&forger.with_claim("aud", both), &why).await;
        }
    })
    .await;
}

#[tokio::test]
async fn T23_sub_and_sid() {
    for_each_algorithm(async |forger| {
        for name in ["sub", "sid"] {
            let wrong = [
                json!(null),
                json!(1),
                json!(["x"]),
                json!({}),
                json!("a\u{0}"),
            ];
            each_refused(forger, name, wrong).await;
            forger.refused(&forger.without_claim(name), name).await;
        }
        forger
            .refused(&forger.with_claim("sub", json!("")), "empty")
            .await;
        // Somebody else's name on this session, or somebody else's session under this name.
        let other = forger.server.signs_up("eve@example.com").await;
        let (_, eve) = jose::decode_unverified(&other).unwrap();
        for name in ["sub", "sid"] {
            for value in [
                &eve[name],
                &json!("nobody"),
                &json!("' OR '1'='1"),
                &json!("é"),
            ] {
                let token = forger.with_claim(name, value.clone());
                forger
                    .refused_as("session_revoked", &token, &format!("{name} {value}"))
                    .await;
            }
        }
        let me = forger.server.get_as(&other, "/auth/me").await;
        assert_eq!(me.json()["name"], json!(null));
    })
    .await;
}

#[tokio::test]
async fn T24_no_other_kind_of_token_is_taken() {
    for_each_algorithm(async |forger| {
        for typ in [
            json!("at+jwt"),
            json!("application/at+jwt"),
            json!("id+jwt"),
            json!("refresh+jwt"),
            json!("reset+jwt"),
            json!("logout+jwt"),
            json!("secevent+jwt"),
            json!("dpop+jwt"),
            json!("client-authentication+jwt"),
            json!("application/jwt"),
            json!("JWS"),
            json!("JOSE"),
            json!(" JWT"),
            json!("JWT\u{0}"),
            json!(""),
            json!(null),
            json!(["JWT"]),
        ] {
            let why = typ.to_string();
            forger.refused(&forger.with_header("typ", typ), &why).await;
        }
        let mut header = forger.header.clone();
        header.as_object_mut().unwrap().remove("typ");
        let token = forger.signed(&header.to_string(), &forger.claims.to_string());
        forger.refused(&token, "no typ").await;
        // RFC 7515 section 4.1.9: media types are compared without regard to case.
        forger
            .accepted(&forger.with_header("typ", json!("jwt")), "jwt")
            .await;
    })
    .await;
}

#[tokio::test]
async fn claims_that_are_not_one_object() {
    for_each_algorithm(async |forger| {
        let claims = forger.claims.to_string();
        for wrong in [
            "",
            "null",
            "[]",
            "{}",
            "\"\"",
            &format!("[{claims}]"),
            &format!("{claims}{claims}"),
            &format!("{claims},"),
            &format!("\u{feff}{claims}"),
            &claims[..claims.len() - 1],
        ] {
            let token = forger.signed(&forger.header.to_string(), wrong);
            forger.refused(&token, wrong).await;
        }
    })
    .await;
}
