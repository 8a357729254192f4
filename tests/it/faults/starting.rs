//! Many starts at once, and first starts that are cut short.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::thread;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::chance::Chance;
use super::store::Store;
use crate::harness::database::is_postgres;
use crate::harness::process::{Ended, Place, Process, names_in};
use crate::harness::wire::Connection;
use crate::harness::{Answer, PASSWORD};

const SERVERS: usize = 8;
const REPETITIONS: usize = 10;
const KILLS: usize = 100;

/// They share a data folder too; with SQLite each of them would make a secret key there.
#[tokio::test]
async fn eight_servers_started_at_once_make_one_schema_and_one_key() {
    for _ in 0..REPETITIONS {
        let place = Place::new().await;
        let mut serving = Vec::new();
        let mut ended = Vec::new();
        let started: Vec<_> = (0..SERVERS)
            .map(|_| Process::start(place.command(&["serve"])))
            .collect();
        for mut server in started {
            match server.listening() {
                Ok(_) => serving.push(server),
                Err(how) => ended.push(how),
            }
        }
        if is_postgres() {
            assert!(ended.is_empty(), "{ended:?}");
        } else {
            one_serves_the_file(&serving, &ended);
        }
        each_takes_the_tokens_of_all(&serving);
        the_files_are_in_order(&place);
        let store = Store::open(&place).await;
        store.is_sound().await;
        store.close().await;
    }
}

/// How long a first start takes here and now, so that kills come before its end.
async fn shortest_first_start() -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let place = Place::new().await;
        let began = Instant::now();
        place.serve();
        shortest = shortest.min(began.elapsed());
    }
    shortest
}

fn one_serves_the_file(serving: &[Process], ended: &[Ended]) {
    assert_eq!(serving.len(), 1, "{ended:?}");
    for refused in ended {
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(
            refused.said.contains("another process already serves"),
            "{refused:?}"
        );
    }
}

fn each_takes_the_tokens_of_all(serving: &[Process]) {
    for (number, server) in serving.iter().enumerate() {
        let email = format!("of-{number}@example.com");
        let made = call(server, "POST", "/auth/signup", None, Some(&email));
        assert_eq!(made.status, 201, "{made:?}");
        for other in serving {
            let me = call(other, "GET", "/auth/me", made.token(), None);
            assert_eq!(me.status, 200, "{me:?}");
            assert_eq!(me.json()["email"], email.as_str());
        }
    }
}

/// A server is killed at any moment of the first start of all; the next start finds nothing in its way.
#[tokio::test]
async fn a_first_start_that_is_killed_leaves_nothing_in_the_way() {
    let mut chance = Chance::of("first start");
    let start_up = shortest_first_start().await;
    let mut cut_short = 0;
    for _ in 0..KILLS {
        let place = Place::new().await;
        let server = Process::start(place.command(&["serve"]));
        thread::sleep(chance.span(start_up));
        cut_short += usize::from(!server.kill().said.contains("Listening on"));
        let key = fs::read_to_string(place.data().join("secret.key")).ok();

        let server = place.serve();
        the_files_are_in_order(&place);
        if key.is_some() {
            let now = fs::read_to_string(place.data().join("secret.key")).ok();
            assert_eq!(now, key, "a key that is there stays");
        }
        let made = call(
            &server,
            "POST",
            "/auth/signup",
            None,
            Some("ada@example.com"),
        );
        assert_eq!(made.status, 201, "{made:?}");
        server.kill();
        let me = call(&place.serve(), "GET", "/auth/me", made.token(), None);
        assert_eq!(me.status, 200, "{me:?}");
        let store = Store::open(&place).await;
        store.is_sound().await;
        store.close().await;
    }
    println!("first starts that were killed before they listened: {cut_short} of {KILLS}");
    assert!(cut_short > 0, "kills came too late");
}

/// The folder and what is in it are for their owner alone; a secret key that was made there is whole.
fn the_files_are_in_order(place: &Place) {
    let data = place.data();
    let mode = |path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(data.clone()), 0o700);
    let names = names_in(&data);
    for name in &names {
        assert_eq!(mode(data.join(name)), 0o600, "{name}");
    }
    assert!(names.iter().any(|name| name == "revocations.mark"));
    if is_postgres() {
        assert!(
            names
                .iter()
                .all(|name| name.starts_with("revocations.mark")),
            "{names:?}"
        );
    } else {
        let key = fs::read_to_string(data.join("secret.key")).unwrap();
        assert_eq!(key.trim_end().len(), 43, "256 bits as base64url");
    }
}

fn call(
    server: &Process,
    method: &str,
    path: &str,
    token: Option<&str>,
    email: Option<&str>,
) -> Answer {
    let body = email.map(|email| json!({"email": email, "password": PASSWORD}));
    Connection::open(server.address())
        .and_then(|mut connection| connection.call(method, path, token, body.as_ref()))
        .unwrap()
}
