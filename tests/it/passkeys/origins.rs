//! What is told at well-known addresses, and which settings are not taken.

use doorward::config::{self, Inputs};
use serde_json::json;

use crate::harness::{server, server_with};

#[tokio::test]
async fn nothing_is_told_that_is_not_set() {
    server(async |server| {
        for path in ["/.well-known/passkey-endpoints", "/.well-known/webauthn"] {
            let answer = server.get(path).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (404, "not_found"),
                "{path}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_set_is_told_as_the_standards_have_it() {
    let settings = [
        (
            "passkeys.origins",
            "https://app.example.com,https://example.org",
        ),
        (
            "passkeys.enroll_url",
            "https://app.example.com/passkeys/new",
        ),
        ("passkeys.manage_url", "https://app.example.com/passkeys"),
    ];
    server_with(&settings, async |server| {
        let answer = server.get("/.well-known/passkey-endpoints").await;
        let pages = json!({
            "enroll": "https://app.example.com/passkeys/new",
            "manage": "https://app.example.com/passkeys",
        });
        assert_eq!(*answer.json(), pages);
        assert_eq!(answer.header("content-type"), "application/json");
        let answer = server.get("/.well-known/webauthn").await;
        let origins = json!({"origins": ["https://app.example.com", "https://example.org"]});
        assert_eq!(*answer.json(), origins);
        assert_eq!(answer.header("content-type"), "application/json");
    })
    .await;
    let settings = [("passkeys.manage_url", "https://app.example.com/passkeys")];
    server_with(&settings, async |server| {
        let answer = server.get("/.well-known/passkey-endpoints").await;
        assert_eq!(
            *answer.json(),
            json!({"manage": "https://app.example.com/passkeys"})
        );
    })
    .await;
}

/// What is said of a configuration with these settings.
fn problems(settings: &[(&str, &str)]) -> String {
    let flags = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let inputs = Inputs {
        flags: flags.collect(),
        ..Inputs::default()
    };
    config::load(&inputs)
        .err()
        .map_or_else(String::new, |error| error.to_string())
}

#[test]
fn W3_a_name_that_is_not_ours_is_not_taken() {
    let url = "https://auth.example.com";
    for good in ["auth.example.com", "example.com"] {
        assert_eq!(
            problems(&[("public_url", url), ("passkeys.rp_id", good)]),
            ""
        );
    }
    for wrong in [
        "com",
        "ample.com",
        "th.example.com",
        "other.example.com",
        "login.auth.example.com",
        "Example.com",
        ".example.com",
        "example.com.",
        "https://example.com",
        "auth.example.com:443",
    ] {
        let said = problems(&[("public_url", url), ("passkeys.rp_id", wrong)]);
        assert!(said.contains("passkeys.rp_id"), "{wrong}: {said}");
        assert!(said.contains("DOORWARD_PASSKEYS__RP_ID"), "{wrong}: {said}");
    }
    let said = problems(&[
        ("public_url", "https://192.0.2.7"),
        ("passkeys.rp_id", "192.0.2.7"),
    ]);
    assert!(
        said.contains("browsers make no passkeys under https://192.0.2.7"),
        "{said}"
    );
}

#[test]
fn W3_pages_that_anybody_can_change_on_their_way_are_not_taken() {
    for wrong in ["http://app.example.com", "https://192.0.2.7", "app://x"] {
        let said = problems(&[("passkeys.origins", wrong)]);
        assert!(said.contains("passkeys.origins"), "{wrong}: {said}");
    }
    for key in ["passkeys.enroll_url", "passkeys.manage_url"] {
        let said = problems(&[(key, "http://app.example.com/passkeys")]);
        assert!(said.contains(key) && said.contains("not HTTPS"), "{said}");
        assert_eq!(problems(&[(key, "http://localhost:3000/passkeys")]), "");
    }
}
