//! New passwords against the operator's file: as they were typed and as they are hashed, whole, and never unchecked.

use std::fs;
use std::path::PathBuf;

use doorward::breached::build::build;
use doorward::breached::list::List;

use super::sign_up;
use crate::harness::list::list;
use crate::harness::{ADA, PASSWORD, rows, server_with, unique};

/// é as one letter and as two.
const COMPOSED: &str = "caf\u{e9} at midnight";
const DECOMPOSED: &str = "cafe\u{301} at midnight";

/// A file of these passwords, gone with the test.
struct Made(PathBuf);

impl Made {
    fn of(passwords: &[&str]) -> Self {
        let path = std::env::temp_dir().join(format!("doorward-breached-{}", unique()));
        let list = List::of(
            "list".into(),
            Box::new(std::io::Cursor::new(list(passwords.iter().copied()))),
        );
        build(list, 1, &path, false, |_| ()).unwrap();
        Self(path)
    }

    async fn refuses(&self, refused: &[&str], accepted: &[&str]) {
        let path = self.0.to_str().unwrap();
        server_with(&[("password.breached_file", path)], async |server| {
            for password in refused {
                let answer = sign_up(server, ADA, password).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code()),
                    (400, "breached_password"),
                    "{password:?}"
                );
            }
            for (n, password) in accepted.iter().enumerate() {
                let answer = sign_up(server, &format!("ada-{n}@example.com"), password).await;
                assert_eq!(answer.status, 201, "{password:?}: {answer:?}");
            }
        })
        .await;
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn the_whole_password_is_looked_for_to_the_letter() {
    let known = "correct horse battery staple";
    let others = [
        "Correct horse battery staple",
        "correct horse battery staple ",
        "correct horse battery",
        PASSWORD,
    ];
    Made::of(&[known]).refuses(&[known], &others).await;
}

#[tokio::test]
async fn P9_it_is_looked_for_as_typed_and_as_it_is_hashed() {
    // What a service stored that did as we do is found however it is typed.
    Made::of(&[COMPOSED])
        .refuses(&[COMPOSED, DECOMPOSED], &[])
        .await;
    // What one stored that takes text as it comes is found as it came.
    Made::of(&[DECOMPOSED])
        .refuses(&[DECOMPOSED], &[COMPOSED])
        .await;
}

#[tokio::test]
async fn what_is_weak_is_said_to_be_that_first() {
    let made = Made::of(&["password1", "short"]);
    server_with(
        &[("password.breached_file", made.0.to_str().unwrap())],
        async |server| {
            for (password, reason) in [("password1", "most common"), ("short", "at least 8")] {
                let answer = sign_up(server, ADA, password).await;
                assert_eq!(answer.code(), "weak_password");
                assert!(
                    answer.json()["message"][0]
                        .as_str()
                        .unwrap()
                        .contains(reason),
                    "{answer:?}"
                );
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_file_that_breaks_under_the_service_lets_no_password_through() {
    let passwords: Vec<String> = (0..100).map(|n| format!("a known password {n}")).collect();
    let passwords: Vec<&str> = passwords.iter().map(String::as_str).collect();
    let made = Made::of(&passwords);
    server_with(
        &[("password.breached_file", made.0.to_str().unwrap())],
        async |server| {
            let before = rows::all(&server.app.db).await;
            let whole = fs::read(&made.0).unwrap();
            let mut damaged = whole.clone();
            damaged[4_096 + 30] ^= 1;
            for (bytes, code) in [(&damaged[..], "internal"), (&whole[..4_096], "unavailable")] {
                fs::write(&made.0, bytes).unwrap();
                let answer = sign_up(server, ADA, passwords[7]).await;
                assert_eq!(answer.code(), code, "{answer:?}");
                assert!(!answer.body.contains("breached"), "{answer:?}");
            }
            assert_eq!(rows::all(&server.app.db).await, before);
            fs::write(&made.0, whole).unwrap();
            assert_eq!(
                sign_up(server, ADA, passwords[7]).await.code(),
                "breached_password"
            );
            assert_eq!(sign_up(server, ADA, PASSWORD).await.status, 201);
        },
    )
    .await;
}
