//! The command line: the real binary, beside a running service and without one, by its exit codes and its words.

mod user;

use crate::harness::process::{Ended, Place};

/// What a command prints that is said not to fail.
fn prints(place: &Place, arguments: &[&str], input: &str) -> String {
    let ended = place.run(arguments, input);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    ended.output
}

/// Asserts that a command ends with `code`, prints nothing and says `words`.
fn refuses(ended: &Ended, code: i32, words: &str) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert_eq!(ended.output, "", "{ended:?}");
    assert!(ended.said.contains(words), "{words}: {ended:?}");
}
