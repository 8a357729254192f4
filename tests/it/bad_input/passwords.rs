//! P1 to P3 and P13: what is no password at any route that takes one, and is refused without a hash.
//! What a password is worth once it is one is told in `crate::passwords`.

use doorward::http::body::{Kind, MAX_PASSWORD};

use super::trial::{Trial, at_each_door};

/// Refuses the password in each field that takes one, saying `problem` and hashing nothing for it.
async fn refuses_unhashed(trial: &Trial<'_>, status: u16, password: &str, problem: Option<&str>) {
    for field in trial.fields(|kind| matches!(kind, Kind::Password)) {
        let body = trial.with(field.name, password);
        let hashed = || trial.server.app.passwords.counts().done;
        let before = hashed();
        trial.lets_in("nothing").await;
        let for_a_good_one = hashed() - before;
        let answer = trial.refuses(status, body).await;
        assert_eq!(
            hashed() - before,
            2 * for_a_good_one,
            "{trial} hashed what it refused"
        );
        if let Some(problem) = problem {
            let message = &answer.json()["message"];
            assert_eq!(
                message,
                &serde_json::json!([format!("{} {problem}", field.name)])
            );
        }
    }
}

#[tokio::test]
async fn P1_empty() {
    at_each_door(async |trial| {
        refuses_unhashed(trial, 400, "", Some("should not be empty")).await;
    })
    .await;
}

#[tokio::test]
async fn P2_longer_than_a_password_is() {
    at_each_door(async |trial| {
        let problem = format!("must be at most {MAX_PASSWORD} characters long");
        for password in ["a", "\u{e9}", "\u{1f511}", " ", "\0"] {
            refuses_unhashed(
                trial,
                400,
                &password.repeat(MAX_PASSWORD + 1),
                Some(&problem),
            )
            .await;
        }
        refuses_unhashed(trial, 400, &"\u{1f511}".repeat(12_000), Some(&problem)).await;
    })
    .await;
}

#[tokio::test]
async fn P3_a_megabyte() {
    at_each_door(async |trial| {
        refuses_unhashed(trial, 413, &"a".repeat(1_000_000), None).await;
    })
    .await;
}

#[tokio::test]
async fn P13_lone_surrogate() {
    at_each_door(async |trial| {
        for field in trial.fields(|kind| matches!(kind, Kind::Password)) {
            for lone in ["\\ud800", "\\udc00", "a long walk \\ud83d by the sea"] {
                let body = trial.with_raw(field.name, &format!("\"{lone}\""));
                assert_eq!(trial.refuses(400, body).await.code(), "bad_json");
            }
        }
    })
    .await;
}
