//! What is written by the word of a session that somebody ends meanwhile: before the session has ended, or not at all.

use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;

use super::{Person, TASKS, crossed, set_password};
use crate::harness::{PASSWORD, Server, server};
use crate::passkeys::{PASSKEYS, registers};

const ROUNDS: usize = 20;

impl Person {
    async fn changes(&self, server: &Server) -> i64 {
        let changes = "SELECT CAST(count(*) AS BIGINT) AS n FROM audit WHERE user_id = $1 \
             AND event IN ('passkey_renamed', 'profile_changed')";
        self.count(server, changes).await
    }
}

/// Sets somebody's password while the holder of their session does what `change` says, again and again.
async fn nothing_is_changed_after(name: &str, path: impl AsyncFn(&Server, &str) -> String) {
    server(async |server| {
        for round in 0..ROUNDS {
            let who = Person::signs_up(server, round).await;
            let answer = server.signs_in(&who.email, PASSWORD).await;
            let token = answer.token().unwrap();
            let path = path(server, token).await;
            let body = json!({"name": name});
            let at_change = AtomicI64::new(0);
            let race = crossed(
                server,
                &who,
                round % TASKS,
                async |_| server.patch_as(token, &path, &body).await,
                async || {
                    set_password(server, &who).await;
                    at_change.store(who.changes(server).await, Ordering::SeqCst);
                },
            );
            assert_eq!(
                who.changes(server).await,
                at_change.into_inner(),
                "round {round}: changes by the word of a session that had ended"
            );
            for answer in &race.answers {
                let status = answer.status.as_u16();
                assert!(matches!(status, 200 | 401 | 503), "{answer:?}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_a_passkey_from_a_session_that_has_ended() {
    nothing_is_changed_after("Desk", async |server, token| {
        registers(server, token).await;
        let listed = server.get_as(token, PASSKEYS).await;
        let id = listed.json()["data"][0]["id"].as_str().unwrap().to_owned();
        format!("{PASSKEYS}/{id}")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_an_account_from_a_session_that_has_ended() {
    nothing_is_changed_after("Ada", async |_, _| "/auth/me".to_owned()).await;
}
