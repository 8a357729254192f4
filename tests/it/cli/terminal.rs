//! What commands ask on a terminal, on one that the test types at.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::thread;

use jose::SigningKey;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::json;

use super::{creates, prints, refuses, signs_in};
use crate::harness::list::list;
use crate::harness::process::Place;
use crate::harness::{ADA, PASSWORD};

/// A command with a terminal of its own.
struct Terminal {
    keyboard: File,
    shown: String,
    child: Child,
}

impl Terminal {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        Self::start_with(place, arguments, &[])
    }

    fn start_with(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let path = ptsname(&keyboard, Vec::new()).unwrap();
        let screen = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(path.to_str().unwrap())
        };
        // Passwords are asked for at the controlling terminal, which the child takes in a session of its own.
        let mut setsid = Command::new("setsid");
        setsid.args(["--ctty", "--wait", env!("CARGO_BIN_EXE_doorward")]);
        let mut command = place.wrapped(setsid, arguments);
        command
            .env("TERM", "xterm")
            .envs(variables.iter().copied())
            .stdin(screen().unwrap())
            .stdout(screen().unwrap())
            .stderr(screen().unwrap());
        Self {
            keyboard: keyboard.into(),
            shown: String::new(),
            child: command.spawn().unwrap(),
        }
    }

    /// Waits until the screen ends with `prompt`.
    fn asks(&mut self, prompt: &str) -> &mut Self {
        while !self.shown.ends_with(prompt) {
            assert!(self.read(), "{prompt}: {}", self.shown);
        }
        self
    }

    /// Types a line.
    fn types(&mut self, line: &str) -> &mut Self {
        self.keyboard.write_all(line.as_bytes()).unwrap();
        self.keyboard.write_all(b"\n").unwrap();
        self
    }

    /// Types a line that must not be seen, once the terminal shows nothing of what is typed.
    fn types_unseen(&mut self, line: &str) -> &mut Self {
        while tcgetattr(&self.keyboard)
            .unwrap()
            .local_modes
            .contains(LocalModes::ECHO)
        {
            thread::yield_now();
        }
        self.types(line)
    }

    /// Its exit code, and all that was on the screen.
    fn ended(mut self) -> (Option<i32>, String) {
        while self.read() {}
        (
            self.child.wait().unwrap().code(),
            std::mem::take(&mut self.shown),
        )
    }

    /// Reads on; `false` when the command has left the terminal.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 1_024];
        let count = self.keyboard.read(&mut bytes).unwrap_or(0);
        self.shown
            .push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        count > 0
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_password_is_asked_for_twice_and_never_shown() {
    let place = Place::new().await;
    let mut terminal = Terminal::start(&place, &["user", "create", ADA]);
    terminal.asks("Password: ").types_unseen(PASSWORD);
    terminal.asks("The same again: ").types_unseen(PASSWORD);
    let (code, shown) = terminal.ended();
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.contains("Made an account for ada@example.com."),
        "{shown}"
    );
    assert!(!shown.contains(PASSWORD), "{shown}");
    assert_eq!(signs_in(&place.serve(), ADA, PASSWORD).status, 200);
}

#[tokio::test]
async fn two_passwords_are_none() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    let mut terminal = Terminal::start(&place, &["user", "set-password", ADA]);
    terminal
        .asks("Password: ")
        .types_unseen("another walk in the hills");
    terminal
        .asks("The same again: ")
        .types_unseen("another walk in the hils");
    let (code, shown) = terminal.ended();
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("the two are not the same; nothing was changed"),
        "{shown}"
    );
    assert_eq!(signs_in(&place.serve(), ADA, PASSWORD).status, 200);
}

#[tokio::test]
async fn deleting_takes_a_yes() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    for (answer, code) in [("n", 1), ("", 1), ("yes please", 1), ("Yes", 0)] {
        prints(&place, &["user", "get", ADA], "");
        let mut terminal = Terminal::start(&place, &["user", "delete", ADA]);
        terminal.asks("[y/N]\r\n").types(answer);
        let (ended, shown) = terminal.ended();
        assert_eq!(ended, Some(code), "{answer}: {shown}");
    }
    refuses(
        &place.run(&["user", "get", ADA], ""),
        4,
        "has no account here",
    );
}

#[tokio::test]
async fn who_must_not_be_asked_is_not_asked() {
    let place = Place::new().await;
    creates(&place, ADA, PASSWORD);
    for (arguments, words) in [
        (
            &["user", "create", "bob@example.com"][..],
            "add --password-stdin",
        ),
        (&["user", "set-password", ADA], "add --password-stdin"),
        (&["user", "delete", ADA], "add --yes to go on"),
        (&["token", "inspect"], "pipe the token in"),
    ] {
        let (code, shown) = Terminal::start(&place, &[arguments, &["--no-input"]].concat()).ended();
        assert_eq!(code, Some(2), "{shown}");
        assert!(shown.contains(words), "{shown}");
    }
}

#[tokio::test]
async fn a_token_can_be_pasted() {
    let place = Place::new().await;
    let token = SigningKey::hs256(&[7; 32])
        .unwrap()
        .sign("JWT", &json!({"sub": "anybody"}))
        .unwrap();
    let mut terminal = Terminal::start(&place, &["token", "inspect"]);
    terminal
        .asks("Paste the token, press Enter and then Ctrl-D:\r\n")
        .types(&token);
    terminal.types("\u{4}");
    let (code, shown) = terminal.ended();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains(r#""sub": "anybody""#), "{shown}");
}

#[tokio::test]
async fn colours_are_for_those_who_want_them() {
    let place = Place::new().await;
    for (variables, is_coloured) in [
        (&[][..], true),
        (&[("NO_COLOR", "1")], false),
        (&[("TERM", "dumb")], false),
    ] {
        let (code, shown) = Terminal::start_with(&place, &["--help"], variables).ended();
        assert_eq!(code, Some(0), "{shown}");
        assert_eq!(shown.contains('\u{1b}'), is_coloured, "{variables:?}");
    }
}

#[tokio::test]
async fn a_build_shows_how_far_it_is() {
    let place = Place::new().await;
    let passwords: Vec<String> = (0..2_000).map(|n| format!("password {n}")).collect();
    let text = list(passwords.iter().map(String::as_str));
    std::fs::write(place.folder().join("list.txt"), text).unwrap();
    let build = ["breached", "build", "--from", "list.txt", "out.bin"];
    let (code, shown) = Terminal::start(&place, &build).ended();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("\r50 %\r51 %"), "{shown}");
    assert!(shown.contains("holds 2000 passwords"), "{shown}");
}
