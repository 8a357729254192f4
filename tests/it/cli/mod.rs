//! The command line: the real binary, beside a running service and without one, by its exit codes and its words.

mod breached;
mod config;
mod doctor;
mod flows;
mod hash;
mod healthcheck;
mod help;
mod key;
mod output;
mod second_factor;
mod secrets;
mod serve;
mod terminal;
mod token;
mod user;

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::process::{Ended, Place, Process};
use crate::harness::wire::Connection;
use crate::harness::{Answer, sooner_or_later};

/// What a command prints that is said not to fail.
fn prints(place: &Place, arguments: &[&str], input: &str) -> String {
    let ended = place.run(arguments, input);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    ended.output
}

/// The same as JSON.
fn prints_json(place: &Place, arguments: &[&str], input: &str) -> Value {
    serde_json::from_str(&prints(place, arguments, input)).unwrap()
}

/// Asserts that a command ends with `code`, prints nothing and says `words`.
fn refuses(ended: &Ended, code: i32, words: &str) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert_eq!(ended.output, "", "{ended:?}");
    assert!(ended.said.contains(words), "{words}: {ended:?}");
}

/// `doorward` as an operator would start it who has set nothing but these variables, in the folder of `place`.
fn bare(place: &Place, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(place.data().parent().unwrap())
        .args(arguments);
    command
}

/// How it ends.
fn ends(command: Command, input: &str) -> Ended {
    Process::start_with(command, input).ended()
}

/// Makes somebody an account and answers their id.
fn creates(place: &Place, email: &str, password: &str) -> String {
    let made = prints(
        place,
        &["user", "create", email, "--password-stdin"],
        password,
    );
    made.trim_end().to_owned()
}

fn call(
    server: &Process,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Answer {
    let mut connection = Connection::open(server.address()).unwrap();
    connection.call(method, path, token, body).unwrap()
}

fn signs_in(server: &Process, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    call(server, "POST", "/auth/signin", None, Some(&body))
}

/// Signs in and answers the token.
fn token_of(server: &Process, email: &str, password: &str) -> String {
    signs_in(server, email, password)
        .token()
        .unwrap()
        .to_owned()
}

fn me(server: &Process, token: &str) -> Answer {
    call(server, "GET", "/auth/me", Some(token), None)
}
