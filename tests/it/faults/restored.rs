//! A backup of the database that is put back: what was revoked since is not in it. So nobody stays signed in, it is said, and
//! from then on all is as ever.

use std::fs;

use axum::http::StatusCode;
use db::Db;
use doorward::app::MIGRATIONS;
use rustix::process::Signal;
use serde_json::json;

use crate::harness::database::is_postgres;
use crate::harness::process::{Ended, Place, Process};
use crate::harness::wire::Connection;
use crate::harness::{ADA, Answer, PASSWORD, backup, sooner_or_later};

const BOB: &str = "bob@example.com";
/// What a start says that ended all sessions.
const TOLD: &str = "ALL SESSIONS WERE ENDED";

/// The database of a place where nobody serves.
async fn store(place: &Place) -> Db {
    Db::open_beside(&place.database_url(), MIGRATIONS)
        .await
        .unwrap()
}

/// Copies the database: the file, or with PostgreSQL its tables.
async fn back_up(place: &Place) {
    if is_postgres() {
        let db = store(place).await;
        backup::make(&db).await;
        db.close().await;
    } else {
        let file = place.data().join("doorward.db");
        fs::copy(&file, file.with_extension("backup")).unwrap();
    }
}

/// Puts the copy back, as an operator does: without the journal of what it replaces.
async fn put_back(place: &Place) {
    if is_postgres() {
        let db = store(place).await;
        backup::put_back(&db).await;
        db.close().await;
    } else {
        let file = place.data().join("doorward.db");
        fs::rename(file.with_extension("backup"), &file).unwrap();
        for ending in ["db-wal", "db-shm"] {
            let _ = fs::remove_file(file.with_extension(ending)); // there is none after a stop in peace
        }
    }
}

fn call(server: &Process, path: &str, token: Option<&str>, email: Option<&str>) -> Answer {
    let body = email.map(|email| json!({"email": email, "password": PASSWORD}));
    let body = body.or_else(|| path.ends_with("signout").then(|| json!({})));
    let method = if body.is_some() { "POST" } else { "GET" };
    let mut connection = Connection::open(server.address()).unwrap();
    connection.call(method, path, token, body.as_ref()).unwrap()
}

fn token(server: &Process, path: &str, email: &str) -> String {
    let answer = call(server, path, None, Some(email));
    answer.token().unwrap().to_owned()
}

fn is_signed_in(server: &Process, token: &str) -> bool {
    let me = call(server, "/auth/me", Some(token), None);
    assert!(
        me.status == StatusCode::OK || me.code() == "session_revoked",
        "{me:?}"
    );
    me.status == StatusCode::OK
}

fn mark(place: &Place) -> String {
    fs::read_to_string(place.data().join("revocations.mark")).unwrap()
}

fn stops(server: Process) -> Ended {
    server.signal(Signal::TERM);
    let ended = server.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended
}

#[tokio::test]
async fn a_backup_that_is_put_back_signs_everybody_out_once() {
    let place = Place::new().await;
    let server = place.serve();
    let [ada, bob] = [ADA, BOB].map(|email| token(&server, "/auth/signup", email));
    stops(server);
    back_up(&place).await;
    let server = place.serve();
    assert_eq!(call(&server, "/auth/signout", Some(&ada), None).status, 204);
    assert!(!is_signed_in(&server, &ada) && is_signed_in(&server, &bob));
    stops(server);
    put_back(&place).await;
    commands_beside_it_refuse(&place);

    let server = place.serve();
    assert!(!is_signed_in(&server, &ada), "revoked, and it lives");
    assert!(!is_signed_in(&server, &bob), "all are over");
    let again = token(&server, "/auth/signin", ADA);
    assert!(is_signed_in(&server, &again));
    let said = stops(server).said;
    for words in [
        TOLD,
        "has counted 0 writes that ended sessions, and 1 were acknowledged",
        "\"ERROR\"",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }

    let server = place.serve();
    assert!(is_signed_in(&server, &again));
    let said = stops(server).said;
    assert!(!said.contains(TOLD) && !said.contains("ERROR"), "{said}");
    assert_eq!(place.run(&["doctor"], "").code, Some(0));
}

/// What would write to such a database says why it does not; what only reads, reads.
fn commands_beside_it_refuse(place: &Place) {
    for command in [
        &["user", "disable", BOB][..],
        &["user", "delete", BOB, "--yes"],
        &["user", "set-password", BOB, "--password-stdin"],
        &["user", "create", "carol@example.com", "--password-stdin"],
    ] {
        let refused = place.run(command, "another walk in the hills");
        assert_eq!(refused.code, Some(1), "{refused:?}");
        for words in [
            "has counted 0 writes that ended sessions, and 1 were acknowledged",
            "`doorward serve` ends all sessions before it serves",
            "Nothing was done",
        ] {
            assert!(refused.said.contains(words), "{words}: {refused:?}");
        }
    }
    let list = place.run(&["user", "list"], "");
    assert!(
        list.output.contains(BOB) && list.output.contains("open"),
        "{list:?}"
    );
    let doctor = place.run(&["doctor"], "");
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    let finding = doctor
        .output
        .lines()
        .find(|line| line.contains("revocations"));
    let finding = finding.unwrap_or_default();
    assert!(finding.starts_with("fail"), "{doctor:?}");
    assert!(
        finding.contains("Sessions that were ended may be open in it -> doorward serve"),
        "{doctor:?}"
    );
}

#[tokio::test]
async fn nodes_under_which_a_backup_is_put_back_stop_by_themselves_and_start_again() {
    let place = Place::new().await;
    let other = is_postgres().then(|| place.another());
    let places = [Some(&place), other.as_ref()];
    let servers: Vec<Process> = places.into_iter().flatten().map(Place::serve).collect();
    let [ada, bob] = [ADA, BOB].map(|email| token(&servers[0], "/auth/signup", email));
    let db = store(&place).await;
    backup::make(&db).await;
    assert_eq!(
        call(&servers[0], "/auth/signout", Some(&ada), None).status,
        204
    );
    for place in places.into_iter().flatten() {
        sooner_or_later(|| mark(place).contains("\nwrites 1\n").then_some(()));
    }
    backup::put_back(&db).await;
    db.close().await;

    for server in servers {
        let ended = server.ended();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for words in ["so this service has stopped at once", "\"ERROR\""] {
            assert!(ended.said.contains(words), "{words}: {ended:?}");
        }
    }
    let mut told = 0;
    let started: Vec<Process> = places.into_iter().flatten().map(Place::serve).collect();
    let again = token(&started[0], "/auth/signin", BOB);
    for server in started {
        assert!(!is_signed_in(&server, &ada) && !is_signed_in(&server, &bob));
        assert!(is_signed_in(&server, &again));
        told += usize::from(server.kill().said.contains(TOLD));
    }
    assert_eq!(told, 1, "one of them has done it for all");
}

/// With SQLite, where there is no other node that may have it.
#[tokio::test]
async fn a_service_whose_mark_is_lost_or_damaged_does_not_guess() {
    let place = Place::new().await;
    let server = place.serve();
    let [ada, bob] = [ADA, BOB].map(|email| token(&server, "/auth/signup", email));
    assert_eq!(call(&server, "/auth/signout", Some(&ada), None).status, 204);
    stops(server);
    let mark = place.data().join("revocations.mark");
    let whole = fs::read(&mark).unwrap();
    fs::write(&mark, &whole[1..]).unwrap();
    for command in ["serve", "doctor"] {
        let refused = place.run(&[command], "");
        let words = format!("{} is damaged", mark.display());
        assert!((refused.output + &refused.said).contains(&words));
        assert_eq!(refused.code, Some(if command == "serve" { 78 } else { 1 }));
    }
    fs::remove_file(&mark).unwrap();
    let server = place.serve();
    assert!(!is_signed_in(&server, &ada));
    assert_eq!(
        is_signed_in(&server, &bob),
        is_postgres(),
        "it is a new node there"
    );
    let said = stops(server).said;
    assert_eq!(
        said.contains("revocations.mark is gone"),
        !is_postgres(),
        "{said}"
    );
}

/// Each process ends sessions of its own; none lowers what another has acknowledged.
#[tokio::test]
async fn many_processes_raise_one_mark() {
    const PEOPLE: usize = 8;
    let place = Place::new().await;
    let server = place.serve();
    let emails: Vec<String> = (0..PEOPLE).map(|n| format!("p{n}@example.com")).collect();
    let tokens: Vec<String> = emails
        .iter()
        .map(|email| token(&server, "/auth/signup", email))
        .collect();
    let shutting: Vec<Process> = emails
        .iter()
        .map(|email| Process::start(place.command(&["user", "disable", email])))
        .collect();
    for shut in shutting {
        let ended = shut.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    let mark = mark(&place);
    assert!(mark.contains(&format!("\nwrites {PEOPLE}\n")), "{mark}");
    server.kill();
    let server = place.serve();
    assert!(tokens.iter().all(|token| !is_signed_in(&server, token)));
    assert!(!server.kill().said.contains(TOLD));
}
