//! What another node knows, when it knows it, and what it does when it cannot know.

use std::sync::Mutex;
use std::time::Duration;

use db::sql;
use doorward::app::App;
use doorward::error::{Broken, Error};
use doorward::revocations::Verdict;
use doorward::revocations::store::Which;

use super::{Held, ends, number, refresh, run};
use crate::harness::{ADA, Server, server};

const BOB: &str = "bob@example.com";

/// Lets time pass for whoever measures how old knowledge is.
async fn a_second_passes() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
}

/// Two nodes that know all there is.
async fn two_nodes(server: &Server) -> [App; 2] {
    let nodes = [server.app.clone(), server.another_node().await];
    for node in &nodes {
        refresh(node).await;
    }
    nodes
}

#[tokio::test]
async fn what_one_node_revokes_the_other_refuses_from_memory_once_it_has_looked() {
    server(async |server| {
        let (ada, bob) = (Held::new(server, ADA).await, Held::new(server, BOB).await);
        let [here, there] = two_nodes(server).await;
        for (node, other) in [(&here, &there), (&there, &here)] {
            let held = Held::again(server, ADA).await;
            ends(node, held.one()).await;
            assert_eq!(held.verdict(node), Verdict::Revoked);
            refresh(other).await;
            assert_eq!(held.verdict(other), Verdict::Revoked);
            assert!(!held.is_live(other).await);
        }
        for held in [&ada, &bob] {
            for node in [&here, &there] {
                assert_eq!(held.verdict(node), Verdict::Live);
            }
        }
        there.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn who_has_not_looked_for_a_second_asks_and_is_told_the_truth() {
    server(async |server| {
        let (ada, bob) = (Held::new(server, ADA).await, Held::new(server, BOB).await);
        let there = server.another_node().await;
        assert_eq!(ada.verdict(&there), Verdict::Ask, "it has never looked");
        refresh(&there).await;
        assert_eq!(ada.verdict(&there), Verdict::Live);

        ends(&server.app, ada.one()).await;
        a_second_passes().await;
        assert_eq!(ada.verdict(&there), Verdict::Ask);
        assert!(!ada.is_live(&there).await);
        assert_eq!(bob.verdict(&there), Verdict::Ask);
        assert!(bob.is_live(&there).await);
        there.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn who_cannot_look_and_cannot_ask_says_so_and_never_yes() {
    server(async |server| {
        let (ada, bob) = (Held::new(server, ADA).await, Held::new(server, BOB).await);
        let [_, there] = two_nodes(server).await;
        ends(&there, ada.one()).await;
        there.db.close().await;
        let now = there.clock.now();
        assert!(there.revocations.refresh(&there.db, now).await.is_err());
        a_second_passes().await;
        let asked = there
            .revocations
            .is_live(&there.db, &bob.session, &bob.user, now)
            .await;
        assert!(
            matches!(asked, Err(Error::Broken(Broken::Unavailable(_)))),
            "{asked:?}"
        );
        assert_eq!(
            ada.verdict(&there),
            Verdict::Revoked,
            "it knew that already"
        );
    })
    .await;
}

#[tokio::test]
async fn after_the_store_was_found_forgetful_every_node_asks_until_no_old_token_is_left() {
    server(async |server| {
        let (ada, app) = (Held::new(server, ADA).await, &server.app);
        let restored = sql("UPDATE revocation_count SET restored_at = $1");
        run(&app.db, restored.bind(server.clock.now())).await;
        refresh(app).await;
        assert_eq!(ada.verdict(app), Verdict::Ask);
        server.wait(Duration::from_hours(24));
        assert_eq!(ada.verdict(app), Verdict::Ask);
        server.wait(Duration::from_mins(1));
        assert_eq!(ada.verdict(app), Verdict::Live);
    })
    .await;
}

/// More than are read at a time, all by one write.
#[tokio::test]
async fn a_flood_of_revocations_is_taken_in_whole_and_dropped_when_it_is_over() {
    const DOUBLINGS: u32 = 13;
    server(async |server| {
        let (ada, app) = (Held::new(server, ADA).await, &server.app);
        let [_, there] = two_nodes(server).await;
        let until = server.clock.now().plus(Duration::from_hours(1));
        let first = sql("INSERT INTO revocations (session_id, until) VALUES ($1, $2)");
        run(&app.db, first.bind("s").bind(until)).await;
        for level in 0..DOUBLINGS {
            let double = "INSERT INTO revocations (session_id, until) \
                          SELECT session_id || '-' || CAST($1 AS TEXT), until FROM revocations";
            run(&app.db, sql(double).bind(level.to_string())).await;
        }
        ends(app, ada.one()).await;
        refresh(&there).await;
        let ids = sql("SELECT session_id FROM revocations");
        let ids = app.db.all(ids, |row| row.text("session_id")).await.unwrap();
        assert_eq!(ids.len(), 2_usize.pow(DOUBLINGS) + 1);
        let is_known = |id: &String| {
            let session = doorward::ids::SessionId::from_stored(id.clone());
            there.revocations.verdict(&session, there.clock.now()) == Verdict::Revoked
        };
        assert!(ids.iter().all(is_known));

        server.wait(Duration::from_hours(2));
        refresh(&there).await;
        assert!(!ids.iter().any(is_known), "no token of theirs is left");
        there.db.close().await;
    })
    .await;
}

/// Commits come in any order from two nodes; whoever looks after one was acknowledged knows of it, and skips none.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_before_a_look_is_missed_by_it() {
    const SESSIONS: usize = 128;
    server(async |server| {
        Held::new(server, ADA).await;
        let mut held = Vec::new();
        for _ in 0..SESSIONS {
            held.push(Held::again(server, ADA).await);
        }
        let nodes = two_nodes(server).await;
        let looking = server.another_node().await;
        let acknowledged = Mutex::new(Vec::new());
        let revoking = |node: usize| {
            let (mine, app, acknowledged) = (
                held.iter().skip(node).step_by(2),
                &nodes[node],
                &acknowledged,
            );
            crate::harness::together(mine.map(async move |one| {
                ends(app, one.one()).await;
                acknowledged.lock().unwrap().push(one);
            }))
        };
        let watching = async {
            loop {
                let before: Vec<&Held> = acknowledged.lock().unwrap().clone();
                refresh(&looking).await;
                for one in &before {
                    assert_eq!(one.verdict(&looking), Verdict::Revoked);
                }
                if before.len() == SESSIONS {
                    return;
                }
            }
        };
        tokio::join!(revoking(0), revoking(1), watching);
        let revoked = sql("SELECT CAST(count(*) AS BIGINT) AS n FROM revocations WHERE number > 0");
        let revoked = number(&server.app.db, revoked).await;
        assert_eq!(usize::try_from(revoked), Ok(SESSIONS));
        for node in [&nodes[1], &looking] {
            node.db.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_node_that_starts_late_knows_what_was_revoked_before() {
    server(async |server| {
        let ada = Held::new(server, ADA).await;
        ends(&server.app, Which::All(&ada.user)).await;
        let late = server.another_node().await;
        refresh(&late).await;
        assert_eq!(ada.verdict(&late), Verdict::Revoked);
        late.db.close().await;
    })
    .await;
}
