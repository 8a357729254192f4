//! `doorward serve`, as far as it is a command: what it says, what it makes, whom it refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;

use super::{bare, call, creates, refuses, signs_in};
use crate::harness::database::is_postgres;
use crate::harness::process::{Place, Process};
use crate::harness::{ADA, PASSWORD};

#[tokio::test]
async fn one_server_serves_a_file_and_many_serve_a_server() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let first = place.serve();
    if is_postgres() {
        assert_eq!(signs_in(&place.serve(), ADA, PASSWORD).status, 200);
    } else {
        refuses(
            &place.run(&["serve"], ""),
            1,
            "another process already serves",
        );
    }
    assert_eq!(signs_in(&first, ADA, PASSWORD).status, 200);
}

#[tokio::test]
async fn a_first_start_makes_what_it_needs_and_says_so() {
    let place = Place::new().await;
    let quiet = [
        ("DOORWARD_LISTEN", "127.0.0.1:0"),
        ("DOORWARD_METRICS_LISTEN", "off"),
    ];
    let mut server = Process::start(bare(&place, &quiet, &["serve"]));
    server.listening().unwrap();
    assert_eq!(call(&server, "GET", "/readyz", None, None).status, 200);
    let closed = call(
        &server,
        "POST",
        "/auth/signup",
        None,
        Some(&serde_json::json!({"email": ADA, "password": PASSWORD})),
    );
    assert_eq!(closed.code(), "signup_disabled");

    let folder = place.data().with_file_name("doorward-data");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("secret.key")), 0o600);
    assert_eq!(mode(&folder.join("doorward.db")), 0o600);

    server.signal(Signal::TERM);
    let ended = server.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.output, "", "talk is no data");
    for words in [
        "Made the secret key",
        "Sign-up is closed (signup.enabled)",
        "doorward user create EMAIL",
    ] {
        assert!(ended.said.contains(words), "{words}: {ended:?}");
    }
    let key = fs::read_to_string(folder.join("secret.key")).unwrap();
    assert!(
        !ended.said.contains(key.trim_end()),
        "the key itself is not said"
    );
}

#[tokio::test]
async fn development_says_loudly_what_it_leaves_open() {
    let place = Place::new().await;
    let server = place.serve();
    server.signal(Signal::TERM);
    let ended = server.ended();
    assert!(ended.said.contains("DEVELOPMENT MODE"), "{ended:?}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_with_its_setting() {
    let place = Place::new().await;
    let server = place.serve();
    let taken = server.address().to_string();
    let other = Place::new().await.with("listen", &taken);
    refuses(
        &other.run(&["serve"], ""),
        1,
        &format!("cannot listen on {taken} (listen)"),
    );
}
