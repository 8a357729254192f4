//! `doorward config`, and what every command says of a configuration that is not right.

use std::fs;

use super::{bare, ends};
use crate::harness::process::Place;

#[tokio::test]
async fn what_is_careless_or_unknown_stops_the_start_in_words() {
    let place = Place::new().await;
    for (variables, arguments, words) in [
        (
            &[("DOORWARD_LISTEN", "0.0.0.0:0")][..],
            &[][..],
            "passwords would cross the network unprotected",
        ),
        (
            &[("DOORWARD_LISTEN", "0.0.0.0:0")],
            &["--dev"],
            "is not a loopback address, and --dev leaves doors open",
        ),
        (
            &[("DOORWARD_DATABASE_URL", "postgres://localhost/x")],
            &[],
            "it is needed with PostgreSQL",
        ),
        (
            &[("DOORWARD_TOKENS__LIFETIM", "1h")],
            &[],
            "Did you mean DOORWARD_TOKENS__LIFETIME?",
        ),
        (
            &[],
            &["--set", "tokens.lifetim=1h"],
            "Did you mean tokens.lifetime?",
        ),
        (
            &[
                ("DOORWARD_SECRET_KEY", "x"),
                ("DOORWARD_SECRET_KEY_FILE", "y"),
            ],
            &[],
            "it is set more than once",
        ),
        (
            &[("DOORWARD_LIMITS__ENABLED", "false")],
            &[],
            "without limits anybody may guess passwords",
        ),
        (
            &[("DOORWARD_TOKENS__LIFETIME", "1s")],
            &[],
            "1s is outside its limits",
        ),
        (
            &[("DOORWARD_TOKENS__ALGORITHM", "none")],
            &[],
            "is not an algorithm that tokens are signed with",
        ),
        (
            &[("DOORWARD_PUBLIC_URL", "http://auth.example.com")],
            &[],
            "is not HTTPS",
        ),
        (&[("DOORWARD_CONFIG", "missing.toml")], &[], "missing.toml"),
    ] {
        for command in [&["serve"][..], &["config", "check"], &["user", "list"]] {
            let ended = ends(bare(&place, variables, &[command, arguments].concat()), "");
            assert_eq!(
                (ended.code, ended.output.as_str()),
                (Some(78), ""),
                "{variables:?}: {ended:?}"
            );
            assert!(ended.said.contains(words), "{words}: {ended:?}");
        }
    }
    let left: Vec<_> = fs::read_dir(place.data().parent().unwrap())
        .unwrap()
        .collect();
    assert!(left.is_empty(), "nothing was made: {left:?}");
}

#[tokio::test]
async fn what_is_right_is_said_to_be_and_shown_without_its_secrets() {
    let place = Place::new().await;
    let secret = "correct horse battery staple and more";
    let variables = [
        ("DOORWARD_SECRET_KEY", secret),
        (
            "DOORWARD_DATABASE_URL",
            "postgres://ada:hunter22@localhost/x",
        ),
    ];
    let checked = ends(bare(&place, &variables, &["config", "check"]), "");
    assert_eq!(
        (checked.code, checked.output.as_str()),
        (Some(0), ""),
        "{checked:?}"
    );
    let shown = ends(
        bare(
            &place,
            &variables,
            &["config", "show", "--origin", "--set", "tokens.lifetime=15m"],
        ),
        "",
    );
    assert_eq!(shown.code, Some(0), "{shown:?}");
    for line in [
        r#"tokens.lifetime = "15m"  # from the command line"#,
        r#"secret_key = "***"  # from env DOORWARD_SECRET_KEY"#,
        r#"tokens.algorithm = "HS256"  # default"#,
    ] {
        assert!(
            shown.output.lines().any(|shown| shown == line),
            "{line}: {shown:?}"
        );
    }
    for secret in [secret, "hunter22"] {
        assert!(!format!("{shown:?}{checked:?}").contains(secret));
    }
}

#[tokio::test]
async fn what_is_shown_is_a_configuration_file_that_means_the_same() {
    let place = Place::new().await;
    let show = |arguments: &[&str]| {
        let shown = ends(
            bare(&place, &[], &[&["config", "show"], arguments].concat()),
            "",
        );
        assert_eq!(shown.code, Some(0), "{shown:?}");
        shown.output
    };
    let shown = show(&[
        "--set",
        "cors.origins=https://app.example.com",
        "--set",
        "limits.burst=7",
    ]);
    fs::write(place.data().with_file_name("shown.toml"), &shown).unwrap();
    assert_eq!(show(&["--config", "shown.toml"]), shown);
}

#[tokio::test]
async fn the_reference_is_the_page_in_the_docs() {
    let place = Place::new().await;
    let reference = ends(bare(&place, &[], &["config", "reference"]), "");
    assert_eq!(
        reference.output,
        fs::read_to_string("docs/configuration.md").unwrap()
    );
}

#[tokio::test]
async fn the_document_and_the_version_need_no_configuration() {
    let place = Place::new().await;
    let wrong = [("DOORWARD_LISTEN", "nowhere")];
    let document = ends(bare(&place, &wrong, &["openapi"]), "");
    assert_eq!(document.code, Some(0), "{document:?}");
    let document: serde_json::Value = serde_json::from_str(&document.output).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/auth/signin"]["post"].is_object());

    let version = env!("CARGO_PKG_VERSION");
    let said = ends(bare(&place, &wrong, &["version"]), "").output;
    assert!(said.starts_with(&format!("doorward {version}\n")), "{said}");
    let said = ends(bare(&place, &wrong, &["version", "--json"]), "").output;
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["version"], version);
}
