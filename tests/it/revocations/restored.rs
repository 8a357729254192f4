//! A database that has become older than it was: found out by the mark beside it, and then nobody who was signed in is.

use std::path::Path;

use db::sql;
use doorward::app::App;
use doorward::error::{Broken, Error};
use doorward::revocations::{
    CannotTell, Forgotten, Recovered, Revocations, Standing, Verdict, recover, standing,
};

use super::{Held, ends, number, refresh, run};
use crate::harness::database::is_postgres;
use crate::harness::{ADA, Server, backup, server, together};

const BOB: &str = "bob@example.com";

/// What `app`'s database and the mark in its data folder say of each other.
async fn stands(app: &App) -> Standing {
    standing(&app.db, &app.config.data_dir).await.unwrap()
}

async fn recovers(app: &App, folder: &Path) -> Option<Recovered> {
    recover(&app.db, folder, app.clock.now()).await.unwrap()
}

fn mark_of(app: &App) -> String {
    std::fs::read_to_string(app.config.data_dir.join("revocations.mark")).unwrap()
}

/// Somebody whose session was ended since the copy that was put back, and somebody whose was not.
async fn with_a_backup_put_back(server: &Server) -> (Held, Held) {
    let app = &server.app;
    let (ada, bob) = (Held::new(server, ADA).await, Held::new(server, BOB).await);
    backup::make(&app.db).await;
    ends(app, ada.one()).await;
    assert!(mark_of(app).contains("\nwrites 1\n"));
    backup::put_back(&app.db).await;
    let me = server.get_as(&ada.token, "/auth/me").await;
    assert_eq!(me.status, 200, "alone, the database takes it back");
    (ada, bob)
}

#[tokio::test]
async fn all_sessions_end_once_and_it_is_told_and_life_goes_on() {
    server(async |server| {
        let (ada, bob) = with_a_backup_put_back(server).await;
        let (app, folder) = (&server.app, &server.app.config.data_dir);
        let behind = Forgotten::Behind {
            writes: 0,
            acknowledged: 1,
        };
        assert_eq!(stands(app).await, Standing::Forgotten(behind));
        let opened = Revocations::open(&app.db, folder).await;
        assert!(matches!(opened, Err(CannotTell::Forgotten(found)) if found == behind));

        let recovered = recovers(app, folder).await.unwrap();
        assert_eq!((recovered.found, recovered.sessions), (behind, 2));
        assert_eq!(stands(app).await, Standing::Whole { writes: 1 });
        assert!(recovers(app, folder).await.is_none(), "once");
        let told = "SELECT CAST(count(*) AS BIGINT) AS n FROM audit WHERE event = 'all_sessions_ended' AND actor = 'service'";
        assert_eq!(number(&app.db, sql(told)).await, 1);

        let node = server.another_node().await;
        refresh(&node).await;
        for held in [&ada, &bob] {
            let me = server.get_as(&held.token, "/auth/me").await;
            assert_eq!((me.status.as_u16(), me.code()), (401, "session_revoked"));
            assert_eq!(held.verdict(&node), Verdict::Ask, "they are in no feed");
            assert!(!held.is_live(&node).await);
        }
        let again = Held::again(server, ADA).await;
        assert!(again.is_live(&node).await);
        ends(&node, again.one()).await;
        assert_eq!(again.verdict(&node), Verdict::Revoked);
        assert!(mark_of(&node).contains("\nwrites 2\n"));
        node.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_runs_notices_and_acknowledges_nothing_any_more() {
    server(async |server| {
        let app = &server.app;
        refresh(app).await;
        let (_, bob) = with_a_backup_put_back(server).await;
        let now = app.clock.now();
        let looked = app.revocations.refresh(&app.db, now).await;
        assert!(
            matches!(looked, Err(CannotTell::Forgotten(_))),
            "{looked:?}"
        );
        let unit = doorward::revocations::store::end(bob.one(), now);
        let written = app.revocations.write(&app.db, unit).await;
        assert!(
            matches!(written, Err(db::Error::Unavailable(_))),
            "{written:?}"
        );
    })
    .await;
}

/// Of nodes that recover at once, one is enough: what begins when the first has finished is left alone by the others.
#[tokio::test(flavor = "multi_thread")]
async fn many_nodes_that_recover_at_once_undo_nothing_that_one_of_them_allowed() {
    const NODES: usize = 4;
    const SESSIONS: usize = 40;
    server(async |server| {
        let app = &server.app;
        let ada = Held::new(server, ADA).await;
        for _ in 1..SESSIONS {
            Held::again(server, ADA).await;
        }
        let mut nodes = vec![app.clone()];
        for _ in 1..NODES {
            nodes.push(server.another_node().await);
        }
        backup::make(&app.db).await;
        ends(app, ada.one()).await;
        for node in &nodes {
            refresh(node).await;
            assert!(mark_of(node).contains("\nwrites 1\n"), "each has seen it");
        }
        backup::put_back(&app.db).await;

        let recovering = nodes.iter().map(async |node| {
            let recovered = recovers(node, &node.config.data_dir).await;
            let held = Held::again(server, ADA).await;
            (recovered.is_some_and(|it| it.sessions > 0), held)
        });
        let recovered = together(recovering).await;
        assert!(recovered.iter().any(|(has_ended_some, _)| *has_ended_some));
        for (_, held) in &recovered {
            assert!(held.is_live(app).await);
        }
        assert!(!ada.is_live(app).await);
        let left = sql("SELECT CAST(count(*) AS BIGINT) AS n FROM sessions \
                        WHERE epoch = (SELECT epoch FROM revocation_count)");
        assert_eq!(usize::try_from(number(&app.db, left).await), Ok(NODES));
        let told =
            "SELECT CAST(count(*) AS BIGINT) AS n FROM audit WHERE event = 'all_sessions_ended'";
        assert_eq!(number(&app.db, sql(told)).await, 1);
        for node in &nodes[1..] {
            node.db.close().await;
        }
    })
    .await;
}

/// What this node ends must not bring the count back to where the mark has it: nobody would notice any more.
#[tokio::test]
async fn a_node_that_has_not_noticed_yet_covers_nothing_up() {
    server(async |server| {
        let (ada, bob) = with_a_backup_put_back(server).await;
        let app = &server.app;
        for held in [&bob, &ada, &bob] {
            let unit = doorward::revocations::store::end(held.one(), app.clock.now());
            let refused = app.revocations.write(&app.db, unit).await;
            assert!(
                matches!(refused, Err(db::Error::Unavailable(_))),
                "{refused:?}"
            );
        }
        let found = standing(&app.db, &app.config.data_dir).await.unwrap();
        assert!(matches!(found, Standing::Forgotten(_)), "{found:?}");
        assert!(recovers(app, &app.config.data_dir).await.is_some());
        for held in [&ada, &bob] {
            assert!(!held.is_live(app).await);
        }
    })
    .await;
}

/// A node may have stopped before the last revocation, and start together with one that knows of it.
#[tokio::test]
async fn of_two_marks_the_higher_one_decides_whichever_node_is_first() {
    server(async |server| {
        let app = &server.app;
        let (ada, bob) = (Held::new(server, ADA).await, Held::new(server, BOB).await);
        backup::make(&app.db).await;
        ends(app, ada.one()).await;
        let (knows, stopped) = (&app.config.data_dir, server.new_folder());
        std::fs::copy(
            knows.join("revocations.mark"),
            stopped.join("revocations.mark"),
        )
        .unwrap();
        ends(app, bob.one()).await;
        backup::put_back(&app.db).await;

        together([&stopped, knows].map(|folder| recovers(app, folder))).await;
        let whole = Standing::Whole { writes: 2 };
        for folder in [&stopped, knows] {
            assert_eq!(standing(&app.db, folder).await.unwrap(), whole);
        }
        for held in [&ada, &bob] {
            assert!(!held.is_live(app).await);
        }
        assert!(Held::again(server, ADA).await.is_live(app).await);
    })
    .await;
}

/// With SQLite there is no other node that may have the mark. With PostgreSQL a node without one is a new node.
#[tokio::test]
async fn without_a_mark_a_file_is_not_believed_once_anything_was_revoked() {
    server(async |server| {
        let app = &server.app;
        let mark = app.config.data_dir.join("revocations.mark");
        let ada = Held::new(server, ADA).await;
        std::fs::remove_file(&mark).unwrap();
        assert_eq!(stands(app).await, Standing::Unmarked);
        assert!(recovers(app, &app.config.data_dir).await.is_none());
        assert!(ada.is_live(app).await);

        ends(app, ada.one()).await;
        assert!(mark.exists(), "a service that runs makes it anew");
        let bob = Held::new(server, BOB).await;
        std::fs::remove_file(&mark).unwrap();
        let recovered = recovers(app, &app.config.data_dir).await;
        if is_postgres() {
            assert!(recovered.is_none());
            assert_eq!(stands(app).await, Standing::Unmarked);
            assert!(bob.is_live(app).await);
            return;
        }
        let found = recovered.unwrap().found;
        assert_eq!(found, Forgotten::Unproved { writes: 1 });
        assert_eq!(stands(app).await, Standing::Whole { writes: 2 });
        assert!(!bob.is_live(app).await);
    })
    .await;
}

#[tokio::test]
async fn a_new_database_in_an_old_folder_gets_a_mark_of_its_own() {
    server(async |server| {
        let app = &server.app;
        let folder = &app.config.data_dir;
        let (ada, own) = (Held::new(server, ADA).await, mark_of(app));
        is_named_anew(app).await;
        assert_eq!(stands(app).await, Standing::Another);
        assert!(recovers(app, folder).await.is_none());
        Revocations::open(&app.db, folder).await.unwrap();
        assert_eq!(stands(app).await, Standing::Whole { writes: 0 });
        assert!(ada.is_live(app).await);

        // The one that runs had the mark before, and two cannot share it.
        let other = mark_of(app);
        assert_ne!(other, own);
        let unit = doorward::revocations::store::end(ada.one(), app.clock.now());
        let written = app.revocations.write(&app.db, unit).await;
        assert!(
            matches!(written, Err(db::Error::OutcomeUnknown(_))),
            "{written:?}"
        );
        assert_eq!(mark_of(app), other);

        is_named_anew(app).await;
        let unproved = Standing::Forgotten(Forgotten::Unproved { writes: 1 });
        let expected = if is_postgres() {
            Standing::Another
        } else {
            unproved
        };
        assert_eq!(stands(app).await, expected);
    })
    .await;
}

async fn is_named_anew(app: &App) {
    let name: [u8; 16] = doorward::secret::bytes();
    let named = sql("UPDATE settings SET value = $1 WHERE name = 'store_id'");
    run(&app.db, named.bind(name)).await;
}

/// The name of a database is older than anything that was revoked in it. One that comes back without it, and with sessions,
/// is older still.
#[tokio::test]
async fn a_database_from_before_it_had_a_name_is_not_believed() {
    server(async |server| {
        let app = &server.app;
        let ada = Held::new(server, ADA).await;
        let nameless = sql("DELETE FROM settings WHERE name = 'store_id'");
        run(&app.db, nameless).await;
        let nameless = Forgotten::Nameless { writes: 0 };
        assert_eq!(stands(app).await, Standing::Forgotten(nameless));
        let recovered = recovers(app, &app.config.data_dir).await.unwrap();
        assert_eq!((recovered.found, recovered.sessions), (nameless, 1));
        assert!(!ada.is_live(app).await);
        assert_eq!(stands(app).await, Standing::Whole { writes: 1 });
    })
    .await;
}

/// Where there is no mark to notice by, `docs/operating.md` has a statement that does the same by hand.
#[tokio::test]
async fn what_the_manual_has_for_an_operator_without_a_mark_ends_all_sessions() {
    let manual = include_str!("../../../docs/operating.md");
    let by_hand = manual.split("```sql\n").nth(1).unwrap();
    let (by_hand, behind) = by_hand.split_once("```").unwrap();
    server(async |server| {
        let (app, ada) = (&server.app, Held::new(server, ADA).await);
        refresh(app).await;
        assert_eq!(ada.verdict(app), Verdict::Live);
        let mut by_hand = by_hand.to_owned();
        if !is_postgres() {
            let (_, now) = by_hand.split_once("restored_at = ").unwrap();
            let (_, other) = behind.split_once("restored_at = ").unwrap();
            let other = other.split('`').next().unwrap();
            by_hand = by_hand.replace(now.trim_end_matches(";\n"), other);
        }
        run(
            &app.db,
            sql(by_hand.trim_end_matches(";\n").to_owned().leak()),
        )
        .await;
        refresh(app).await;
        assert_eq!(ada.verdict(app), Verdict::Ask);
        assert!(!ada.is_live(app).await);
        assert!(Held::again(server, ADA).await.is_live(app).await);
    })
    .await;
}

#[tokio::test]
async fn a_damaged_mark_is_refused_in_words_that_name_it() {
    server(async |server| {
        let app = &server.app;
        let mark = app.config.data_dir.join("revocations.mark");
        std::fs::write(&mark, mark_of(app).replace("writes 0", "writes 7")).unwrap();
        let refused = Revocations::open(&app.db, &app.config.data_dir).await;
        let words = refused.err().unwrap().to_string();
        assert!(words.contains(mark.to_str().unwrap()), "{words}");
        assert!(words.contains("damaged"), "{words}");
        let now = app.clock.now();
        assert!(recover(&app.db, &app.config.data_dir, now).await.is_err());
    })
    .await;
}

/// The change is made, and is not acknowledged before it is sure to stay: whoever asks again is told that there is nothing
/// to do, and that is an acknowledgement too.
#[tokio::test]
async fn nothing_is_acknowledged_that_the_mark_does_not_hold() {
    server(async |server| {
        let (app, ada) = (&server.app, Held::new(server, ADA).await);
        let folder = &app.config.data_dir;
        let away = folder.with_extension("away");
        std::fs::rename(folder, &away).unwrap();
        let by = doorward::audit::By::Operator(app.clock.now());
        let shut =
            async || doorward::users::disable(&app.db, &app.revocations, &ada.user, by).await;
        for _ in 0..2 {
            let refused = shut().await;
            assert!(
                matches!(refused, Err(Error::Broken(Broken::Unavailable(_)))),
                "{refused:?}"
            );
        }
        assert_eq!(ada.verdict(app), Verdict::Revoked);
        std::fs::rename(&away, folder).unwrap();
        assert!(!shut().await.unwrap(), "it was shut already");
        assert!(mark_of(app).contains("\nwrites 1\n"));
    })
    .await;
}
