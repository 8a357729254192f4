//! The refresh under races, on two nodes.

use std::collections::BTreeSet;
use std::sync::Mutex;

use doorward::audit::By;
use doorward::users;
use serde_json::json;

use super::{Person, ROUNDS, TASKS, crossed, until_available};
use crate::harness::{Answer, PASSWORD, Server, insist, server};

/// Asks of one node after the other.
async fn refreshes(nodes: &[&Server; 2], n: usize, held: &str) -> Answer {
    insist(async || nodes[n % 2].refreshes(held).await).await
}

/// Nothing that was given lives, and what was held renews nothing.
async fn nothing_lives(server: &Server, held: &str, answers: &[Answer]) {
    let refused = server.refreshes(held).await;
    assert_eq!(refused.code(), "refresh_token_invalid", "{refused:?}");
    // They are one, given again and again.
    let given: BTreeSet<&str> = answers.iter().filter_map(Answer::refresh_token).collect();
    for next in given {
        let refused = server.refreshes(next).await;
        assert_eq!(refused.code(), "refresh_token_invalid", "{refused:?}");
    }
    for answer in answers {
        if let Some(token) = answer.token() {
            let me = server.get_as(token, "/auth/me").await;
            assert_eq!((me.status.as_u16(), me.code()), (401, "session_revoked"));
        }
    }
}

fn are_refreshed_or_over(answers: &[Answer]) {
    for answer in answers {
        let is_over = ["refresh_token_invalid", "refresh_token_reused"].contains(&answer.code());
        assert!(answer.status == 200 || is_over, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn X3_one_refresh_token_has_one_successor() {
    server(async |server| {
        let other = server.another().await;
        let nodes = [server, &other];
        let who = Person::signs_up(server, 0).await;
        let begun = server.begins(&who.email, "refresh").await;
        let mut held = begun.refresh_token().unwrap().to_owned();
        for _ in 0..ROUNDS {
            let ask = async |n| refreshes(&nodes, n, &held).await;
            let race = crossed(server, &who, 0, ask, async || ());
            let next = race.answers[0].refresh_token().unwrap().to_owned();
            assert_ne!(next, held);
            for answer in &race.answers {
                assert_eq!(answer.refresh_token(), Some(next.as_str()), "{answer:?}");
            }
            held = next;
        }
        let renewed =
            "SELECT generation AS n FROM sessions WHERE user_id = $1 AND carried = 'refresh'";
        let renewed = who.count(server, renewed).await;
        assert_eq!(
            usize::try_from(renewed).unwrap(),
            ROUNDS,
            "one step a round"
        );
        other.app.db.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn X10_no_session_is_renewed_in_an_account_that_was_shut() {
    server(async |server| {
        let other = server.another().await;
        let nodes = [server, &other];
        for round in 0..ROUNDS {
            let who = Person::signs_up(server, round).await;
            let begun = server.begins(&who.email, "refresh").await;
            let held = begun.refresh_token().unwrap();
            // Half of them refresh, and half sign in.
            let ask = async |n: usize| match n % 4 {
                0 | 1 => refreshes(&nodes, n, held).await,
                _ => insist(async || nodes[n % 2].signs_in(&who.email, PASSWORD).await).await,
            };
            let by = By::Operator(server.clock.now());
            let app = &server.app;
            let race = crossed(server, &who, round % TASKS, ask, async || {
                let shut = until_available(async || {
                    users::disable(&app.db, &app.revocations, &who.id, by).await
                });
                assert!(shut.await);
            });
            assert_eq!(who.sessions(server).await, race.sessions_at_change);
            assert_eq!(who.live_sessions(server).await, 0);
            assert!(users::enable(&app.db, &who.id, by).await.unwrap());
            nothing_lives(server, held, &race.answers).await;
        }
        other.app.db.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn X11_no_session_is_renewed_that_its_owner_ended() {
    server(async |server| {
        let other = server.another().await;
        let nodes = [server, &other];
        let who = Person::signs_up(server, 0).await;
        for round in 0..ROUNDS {
            let begun = server.begins(&who.email, "refresh").await;
            let held = begun.refresh_token().unwrap();
            let ask = async |n| refreshes(&nodes, n, held).await;
            let race = crossed(server, &who, round % TASKS, ask, async || {
                let scope = json!({"scope": "this"});
                let out = insist(async || {
                    let token = begun.token().unwrap();
                    other.post_as(token, "/auth/signout", &scope).await
                });
                assert_eq!(out.await.status, 204);
            });
            are_refreshed_or_over(&race.answers);
            nothing_lives(server, held, &race.answers).await;
        }
        other.app.db.close().await;
    })
    .await;
}

/// A copy that is two steps behind comes while the owner refreshes: the session ends, whoever is first.
#[tokio::test(flavor = "multi_thread")]
async fn X11_no_session_is_renewed_that_a_copy_ended() {
    server(async |server| {
        let other = server.another().await;
        let nodes = [server, &other];
        let who = Person::signs_up(server, 0).await;
        for round in 0..ROUNDS {
            let begun = server.begins(&who.email, "refresh").await;
            let copied = begun.refresh_token().unwrap();
            let second = server.refreshes(copied).await;
            let third = server.refreshes(second.refresh_token().unwrap()).await;
            let held = third.refresh_token().unwrap();
            let ask = async |n| refreshes(&nodes, n, held).await;
            let thief = Mutex::new(None);
            let race = crossed(server, &who, round % TASKS, ask, async || {
                *thief.lock().unwrap() = Some(refreshes(&nodes, round, copied).await);
            });
            let refused = thief.into_inner().unwrap().unwrap();
            assert_eq!(refused.code(), "refresh_token_reused", "{refused:?}");
            are_refreshed_or_over(&race.answers);
            nothing_lives(server, held, &race.answers).await;
        }
        other.app.db.close().await;
    })
    .await;
}
