//! `doorward breached build`, and the service that goes by what it made.

use std::fs;
use std::io::Write as _;
use std::process::{Child, Stdio};

use doorward::breached::Breached;

use super::{call, ends, refuses};
use crate::harness::list::list;
use crate::harness::process::{Place, names_in};
use crate::harness::{ADA, PASSWORD, sooner_or_later};
use serde_json::json;

/// One that no list of common ones has.
const KNOWN: &str = "correct horse battery staple";

/// A place in whose folder is a list of [`KNOWN`] and many others.
async fn place_with_list() -> Place {
    let place = Place::new().await;
    let others: Vec<String> = (0..5_000).map(|n| format!("password {n}")).collect();
    let text = list(others.iter().map(String::as_str).chain([KNOWN]));
    fs::write(place.folder().join("list.txt"), text).unwrap();
    place
}

fn builds(place: &Place, arguments: &[&str]) {
    let ended = place.run(&[&["breached", "build"], arguments].concat(), "");
    assert_eq!(
        (ended.code, ended.output.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
    assert!(ended.said.contains("holds 5001 passwords"), "{ended:?}");
}

#[tokio::test]
async fn a_new_password_is_none_of_those_in_the_file_wherever_it_is_set() {
    let mut place = place_with_list().await;
    builds(&place, &["--from", "list.txt", "breached.bin"]);
    place.set("password.breached_file", "breached.bin");
    let why = "password was found in breaches of other services";
    let create = ["user", "create", ADA, "--password-stdin"];
    refuses(&place.run(&create, KNOWN), 1, why);
    assert_eq!(place.run(&create, PASSWORD).code, Some(0));
    let set = ["user", "set-password", ADA, "--password-stdin"];
    refuses(&place.run(&set, KNOWN), 1, why);
    assert_eq!(
        place.run(&set, "correct horse battery stable").code,
        Some(0)
    );

    let server = place.serve();
    let sign_up = |password: &str| {
        let body = json!({"email": "bob@example.com", "password": password});
        call(&server, "POST", "/auth/signup", None, Some(&body))
    };
    let refused = sign_up(KNOWN);
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (400, "breached_password")
    );
    assert!(
        refused.json()["message"][0]
            .as_str()
            .unwrap()
            .starts_with(why)
    );
    assert_eq!(sign_up(PASSWORD).status, 201);
}

#[tokio::test]
async fn a_file_that_does_not_tell_stops_the_start_and_the_doctor_says_so() {
    let mut place = place_with_list().await;
    place.set("password.breached_file", "breached.bin");
    let words = "password.breached_file (DOORWARD_PASSWORD__BREACHED_FILE): breached.bin";
    let doctor = |place: &Place| place.run(&["doctor"], "").output;
    refuses(
        &place.run(&["serve"], ""),
        78,
        &format!("{words} cannot be read"),
    );

    builds(&place, &["--from", "list.txt", "breached.bin"]);
    assert!(doctor(&place).contains("breached passwords  breached.bin holds 5001"));
    let path = place.folder().join("breached.bin");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let ended = place.run(&["serve"], "");
    refuses(&ended, 78, &format!("{words} is damaged"));
    assert!(ended.said.contains("doorward breached build"), "{ended:?}");
    fs::copy(place.folder().join("list.txt"), &path).unwrap();
    refuses(
        &place.run(&["serve"], ""),
        78,
        "is not a file that `doorward breached build` made",
    );

    // In the middle, where no start looks.
    let mut damaged = whole.clone();
    damaged[6_000] ^= 1;
    fs::write(&path, damaged).unwrap();
    let told = doctor(&place);
    assert!(
        told.contains("fail  breached passwords  breached.bin is damaged"),
        "{told}"
    );
}

#[tokio::test]
async fn what_is_asked_wrongly_is_said_and_leaves_nothing() {
    let place = place_with_list().await;
    let before = names_in(&place.folder());
    fs::write(
        place.folder().join("bad.txt"),
        "0018A45C4D1DEF81644B54AB7F969B88D65:1\n",
    )
    .unwrap();
    let build = |arguments: &[&str], input: &str| {
        place.run(&[&["breached", "build"], arguments].concat(), input)
    };
    for (arguments, input, code, words) in [
        (&["out.bin"][..], "", 2, "--from"),
        (&["--from", "list.txt"], "", 2, "OUT"),
        (
            &["--from", "list.txt", "--at-least", "0", "out.bin"],
            "",
            2,
            "--at-least",
        ),
        (
            &["--from", "nowhere", "out.bin"],
            "",
            1,
            "nowhere cannot be read",
        ),
        (
            &["--from", "list.txt", "nowhere/out.bin"],
            "",
            1,
            "nowhere/out.bin.new cannot be written",
        ),
        (
            &["--from", "list.txt", "--at-least", "4", "out.bin"],
            "",
            1,
            "no password in the list",
        ),
        (
            &["--from", "-", "out.bin"],
            "",
            1,
            "no password in the list",
        ),
        (
            &["--from", "-", "out.bin"],
            "not a list",
            1,
            "standard input, line 1: this is not a hash",
        ),
        (
            &["--from", "bad.txt", "out.bin"],
            "",
            1,
            "bad.txt, line 1: this is not a hash",
        ),
        (
            &["--from", ".", "out.bin"],
            "",
            1,
            "from 00000.txt to FFFFF.txt",
        ),
    ] {
        refuses(&build(arguments, input), code, words);
    }
    fs::remove_file(place.folder().join("bad.txt")).unwrap();
    assert_eq!(names_in(&place.folder()), before);

    builds(&place, &["--from", "list.txt", "out.bin"]);
    refuses(&build(&["--from", "list.txt", "out.bin"], ""), 2, "--force");
    builds(&place, &["--from", "list.txt", "--force", "out.bin"]);
    let text = fs::read_to_string(place.folder().join("list.txt")).unwrap();
    let ended = build(&["--from", "-", "--force", "out.bin"], &text);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// Starts a build of standard input in the place of `out.bin`.
fn begins(place: &Place) -> Child {
    let mut command = place.command(&["breached", "build", "--from", "-", "--force", "out.bin"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_build_that_is_killed_leaves_what_was_there() {
    let place = place_with_list().await;
    let (out, new) = (
        place.folder().join("out.bin"),
        place.folder().join("out.bin.new"),
    );
    let text = fs::read(place.folder().join("list.txt")).unwrap();
    for part in [0, 1_000, text.len() / 2, text.len()] {
        let mut build = begins(&place);
        build
            .stdin
            .as_mut()
            .unwrap()
            .write_all(&text[..part])
            .unwrap();
        sooner_or_later(|| new.exists().then_some(()));
        build.kill().unwrap();
        build.wait().unwrap();
        assert!(!out.exists(), "killed after {part} bytes");
        let again = place.run(&["breached", "build", "--from", "list.txt", "out.bin"], "");
        refuses(&again, 1, "out.bin.new is there");
        fs::remove_file(&new).unwrap();
    }

    builds(&place, &["--from", "list.txt", "out.bin"]);
    // Killed while it ends: the old one or the new one, and either is whole.
    let other = list(["one", "another"]);
    for _ in 0..30 {
        let mut build = begins(&place);
        let mut input = build.stdin.take().unwrap();
        sooner_or_later(|| new.exists().then_some(()));
        input.write_all(other.as_bytes()).unwrap();
        drop(input);
        build.kill().unwrap();
        build.wait().unwrap();
        let _ = fs::remove_file(&new);
        let file = Breached::open(&out).unwrap();
        file.check().unwrap();
        assert!([5_001, 2].contains(&file.count()));
    }
}

#[tokio::test]
async fn progress_is_for_who_watches_and_not_for_logs() {
    let place = place_with_list().await;
    let command = place.command(&["breached", "build", "--from", "list.txt", "out.bin"]);
    let ended = ends(command, "");
    assert!(
        !ended.said.contains('%') && !ended.said.contains('\r'),
        "{ended:?}"
    );
}
