//! What the browser says of the page that it was on.

use serde_json::{Value, json};

use super::{all_is_well, is_not_registered, is_refused, makes, registers, signs_in};
use crate::harness::authenticator::Client;
use crate::harness::{ADA, Server, server, server_with};

/// A passkey is neither proved nor made by a browser that says this.
async fn is_taken_from_nobody(server: &Server, what: &str, change: impl Fn(&mut Client)) {
    let email = format!("{}@example.com", crate::harness::unique());
    let token = server.signs_up(&email).await;
    let passkey = registers(server, &token).await;
    let answer = signs_in(server, &passkey, |proof| change(&mut proof.client)).await;
    is_refused(&answer, what);
    let answer = makes(server, &token, |making| change(&mut making.client)).await;
    is_not_registered(&answer, what);
    all_is_well(server, &token, &passkey, what).await;
}

/// What makes another text of it, and what for.
type Spoil = (&'static str, fn(&str) -> String);

#[tokio::test]
async fn W3_a_page_is_ours_to_the_letter_or_not_at_all() {
    let settings = [
        ("public_url", "https://auth.example.com"),
        ("passkeys.rp_id", "example.com"),
        ("passkeys.origins", "https://app.example.com"),
    ];
    server_with(&settings, async |server| {
        let token = server.signs_up(ADA).await;
        for ours in ["https://auth.example.com", "https://app.example.com"] {
            let answer = makes(server, &token, |making| {
                making.client.said["origin"] = ours.into();
                making.data.rp_id = "example.com".to_owned();
            })
            .await;
            assert_eq!(answer.status, 201, "{ours}: {answer:?}");
        }
        let others = [
            "https://badauth.example.com",
            "https://auth.example.com.evil.example",
            "https://login.auth.example.com",
            "https://example.com",
            "https://other.example.com",
            "http://auth.example.com",
            "https://auth.example.com:443",
            "https://auth.example.com:8443",
            "https://AUTH.example.com",
            "HTTPS://auth.example.com",
            "https://auth.example.com/",
            "https://auth.example.com/x",
            "https://auth.example.com.",
            "https://user@auth.example.com",
            " https://auth.example.com",
            "https://auth.example.com\u{0}",
            "https:auth.example.com",
            "https:\\\\auth.example.com",
            "auth.example.com",
            "null",
            "",
        ];
        for other in others {
            let answer = makes(server, &token, |making| {
                making.client.said["origin"] = other.into();
                making.data.rp_id = "example.com".to_owned();
            })
            .await;
            is_not_registered(&answer, other);
        }
        for other in [json!(null), json!(7), json!(["https://auth.example.com"])] {
            let answer = makes(server, &token, |making| {
                making.client.said["origin"] = other.clone();
                making.data.rp_id = "example.com".to_owned();
            })
            .await;
            is_not_registered(&answer, &other.to_string());
        }
    })
    .await;
}

#[tokio::test]
async fn W3_a_proof_comes_from_a_page_of_ours_too() {
    server(async |server| {
        for other in [
            "https://localhost:8080",
            "http://localhost",
            "http://localhost:8081",
            "http://localhost:8080/",
            "http://LOCALHOST:8080",
            "http://127.0.0.1:8080",
            "http://app.localhost:8080",
            "http://badlocalhost:8080",
        ] {
            let change = |client: &mut Client| client.said["origin"] = other.into();
            is_taken_from_nobody(server, other, change).await;
        }
    })
    .await;
}

#[tokio::test]
async fn W15_a_frame_of_another_page_is_not_ours() {
    server(async |server| {
        for (name, value) in [
            ("crossOrigin", json!(true)),
            ("crossOrigin", json!("false")),
            ("crossOrigin", Value::Null),
            ("topOrigin", json!("http://localhost:8080")),
            ("topOrigin", json!("https://evil.example")),
            ("topOrigin", Value::Null),
        ] {
            let what = format!("{name} {value}");
            is_taken_from_nobody(server, &what, |client| client.said[name] = value.clone()).await;
        }
        // Browsers that know nothing of it leave it out.
        let token = server.signs_up(ADA).await;
        let answer = makes(server, &token, |making| {
            making
                .client
                .said
                .as_object_mut()
                .unwrap()
                .remove("crossOrigin");
        })
        .await;
        assert_eq!(answer.status, 201, "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn W1_the_challenge_is_the_one_that_was_given() {
    server(async |server| {
        for challenge in [
            json!(""),
            json!("AAAA"),
            json!(null),
            json!([1]),
            json!("A".repeat(43)),
            json!("~"),
        ] {
            let what = challenge.to_string();
            let change = |client: &mut Client| client.said["challenge"] = challenge.clone();
            is_taken_from_nobody(server, &what, change).await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_one_object_of_json_is_not_what_a_browser_says() {
    server(async |server| {
        let spoil: [Spoil; 8] = [
            ("nothing", |_| String::new()),
            ("no JSON", |_| "{".to_owned()),
            ("a list", |said| format!("[{said}]")),
            ("two objects", |said| format!("{said}{said}")),
            ("a byte order mark", |said| format!("\u{feff}{said}")),
            ("the origin twice", |said| {
                said.replacen('{', r#"{"origin":"https://evil.example","#, 1)
            }),
            ("the type twice", |said| {
                said.replacen('}', r#","type":"webauthn.get"}"#, 1)
            }),
            ("deep nesting", |said| {
                said.replacen(
                    '{',
                    &format!("{{\"x\":{}{},", "[".repeat(500), "]".repeat(500)),
                    1,
                )
            }),
        ];
        for (what, spoil) in spoil {
            let change = |client: &mut Client| {
                client.json = Some(spoil(&client.said.to_string()).into_bytes());
            };
            is_taken_from_nobody(server, what, change).await;
        }
        is_taken_from_nobody(server, "no UTF-8", |client| {
            client.json = Some(vec![b'"', 0xff, b'"']);
        })
        .await;
        // What a browser adds that nobody knows yet is no harm (WebAuthn level 3, section 5.8.1).
        let token = server.signs_up(ADA).await;
        let added = "new keys may be added here. Do not compare clientDataJSON against a template";
        let answer = makes(server, &token, |it| {
            it.client.said["other_keys_can_be_added_here"] = added.into();
        })
        .await;
        assert_eq!(answer.status, 201, "{answer:?}");
    })
    .await;
}
