//! Where answers go, and what becomes of a command whose answer goes nowhere.

use std::fs::OpenOptions;
use std::io;
use std::process::Stdio;

use super::bare;
use crate::harness::process::Place;

/// Every command prints by the same few lines; this one prints much and needs nothing.
const MUCH: &[&str] = &["config", "reference"];

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = Place::new().await;
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let ended = bare(&place, &[], MUCH)
        .stdin(Stdio::null())
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_one() {
    let place = Place::new().await;
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = bare(&place, &[], MUCH)
        .stdin(Stdio::null())
        .stdout(full)
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot write the answer"), "{said}");
}
