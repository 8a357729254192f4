//! Which edition of the database is the present one, on servers where nobody else writes.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use db::{Db, Edition, Unit, sql};
use tokio_postgres::{Client, NoTls};

use super::cluster::Cluster;
use crate::{
    raw,
    suite::{MIGRATIONS, count},
};

/// Who else is connected.
const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity \
     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
/// Who waits for what somebody holds.
const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE NOT granted";

async fn opened(cluster: &Cluster) -> Db {
    let db = Db::open(&cluster.url(), MIGRATIONS).await;
    db.expect("it opens")
}

fn add(id: &str) -> Unit {
    sql("INSERT INTO things (id) VALUES ($1)").bind(id).into()
}

/// Asks again until it is so.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        again_since(began).await;
    }
}

/// The first one is told some time after it is asked for.
async fn present(db: &Db) -> Edition {
    let began = Instant::now();
    loop {
        match db.edition(None).await {
            Some(told) => return told,
            None => again_since(began).await,
        }
    }
}

async fn again_since(began: Instant) {
    assert!(began.elapsed() < Duration::from_mins(1), "it never is");
    tokio::task::yield_now().await;
}

/// Which transactions have ended, and when the server began.
async fn ended_and_began(cluster: &Cluster) -> (String, String) {
    let question = "SELECT pg_current_snapshot()::text, pg_postmaster_start_time()::text";
    let row = raw(&cluster.url()).await.query_one(question, &[]).await;
    let row = row.expect("asked");
    (row.get(0), row.get(1))
}

/// How many transactions the server has ended, once all who were connected have gone.
async fn ended(cluster: &Cluster) -> i64 {
    let (client, connection) = tokio_postgres::connect(&cluster.url(), NoTls)
        .await
        .expect("it connects");
    tokio::spawn(connection);
    until(async || number(&client, OTHERS).await == 0).await;
    number(
        &client,
        "SELECT sum(xact_commit)::bigint FROM pg_stat_database",
    )
    .await
}

async fn number(client: &Client, question: &str) -> i64 {
    let row = client.query_one(question, &[]).await;
    row.expect("asked").get(0)
}

#[tokio::test]
async fn each_change_makes_another_and_nothing_else_does() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    let first = present(&db).await;
    assert_eq!(count(&db).await, 0);
    assert_eq!(present(&db).await, first, "a question is no change");

    let mut seen = vec![first];
    for id in ["a", "b", "c"] {
        db.write(add(id)).await.expect("written");
        let present = present(&db).await;
        assert!(!seen.contains(&present));
        seen.push(present);
    }

    let other = raw(&cluster.url()).await;
    let change = "BEGIN; DELETE FROM things";
    other.batch_execute(change).await.expect("held");
    assert_eq!(
        seen.last(),
        Some(&present(&db).await),
        "it is not committed"
    );
    assert_eq!(count(&db).await, 3);
    other.batch_execute("COMMIT").await.expect("committed");
    assert!(!seen.contains(&present(&db).await));
    assert_eq!(count(&db).await, 0);
}

/// Whose question is on its way already when it is over: what that one is told does for nobody who comes later.
#[tokio::test]
async fn nobody_is_told_one_that_was_over_when_they_asked() {
    let cluster = Cluster::start();
    let slow = "CREATE SCHEMA slow; \
         CREATE FUNCTION slow.pg_current_snapshot() RETURNS pg_snapshot LANGUAGE plpgsql AS $$ \
         DECLARE told pg_snapshot := pg_catalog.pg_current_snapshot(); \
         BEGIN PERFORM pg_sleep(0.02); RETURN told; END $$; \
         ALTER DATABASE postgres SET search_path = slow, pg_catalog";
    let other = raw(&cluster.url()).await;
    other.batch_execute(slow).await.expect("made");
    let db = opened(&cluster).await;
    let asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    for id in 0.. {
        let before = present(&db).await;
        let early = tokio::spawn({
            let db = db.clone();
            async move { db.edition(None).await }
        });
        while !early.is_finished() && number(&other, asked).await == 0 {
            tokio::task::yield_now().await;
        }
        db.write(add(&id.to_string())).await.expect("written");
        let was_early = !early.is_finished();
        assert_ne!(db.edition(None).await.as_ref(), Some(&before));
        // Otherwise it shows nothing, since the machine is busy.
        if was_early && early.await.expect("no panic") == Some(before) {
            break;
        }
    }
}

#[tokio::test]
async fn those_who_ask_at_the_same_moment_share_a_question() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    let before = ended(&cluster).await;
    let asking: Vec<_> = (0..1_000)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { present(&db).await })
        })
        .collect();
    let expected = present(&db).await;
    for asking in asking {
        assert_eq!(asking.await.expect("told"), expected);
    }
    db.close().await;
    let after = ended(&cluster).await;
    assert!((1..100).contains(&(after - before)), "{before} {after}");
}

/// Those who wait with them are told all the same.
#[tokio::test]
async fn who_asks_may_go_away() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    present(&db).await;
    for _ in 0..20 {
        let ask = || {
            let db = db.clone();
            tokio::spawn(async move { db.edition(None).await })
        };
        let (gone, stays) = (ask(), ask());
        tokio::task::yield_now().await;
        gone.abort();
        assert!(stays.await.expect("no panic").is_some());
    }
}

/// It may count its transactions from where another one did.
#[tokio::test]
async fn a_server_that_began_anew_has_editions_of_its_own() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    let before = present(&db).await;
    let (was, began) = ended_and_began(&cluster).await;
    cluster.restart();
    assert_ne!(present(&db).await, before);
    let (is, began_anew) = ended_and_began(&cluster).await;
    assert_ne!(began_anew, began);
    assert_eq!(is, was, "or this shows nothing");
}

/// When one of its processes is killed, a server ends all others and recovers, without beginning anew. It counts again what had ended and
/// was not yet on the disk.
#[tokio::test]
async fn a_server_that_recovers_from_a_crash_tells_no_edition_again() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    db.write(add("a")).await.expect("written");
    present(&db).await;
    let other = raw(&cluster.url()).await;
    let process = async |which| {
        let row = other.query_one(which, &[]).await;
        row.expect("asked").get::<_, i32>(0)
    };
    // What would bring it to the disk.
    let writer = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'";
    Cluster::signal("STOP", process(writer).await);
    let undone = "BEGIN; SELECT pg_current_xact_id(); ROLLBACK";
    other.batch_execute(undone).await.expect("undone");
    let before = present(&db).await;
    let was = ended_and_began(&cluster).await;
    Cluster::signal("KILL", process("SELECT pg_backend_pid()").await);
    until(async || db.ping().await.is_err()).await;
    until(async || db.write(add("b")).await.is_ok()).await;
    let after = present(&db).await;
    assert_ne!(after, before);
    assert_eq!(
        ended_and_began(&cluster).await,
        was,
        "or this shows nothing"
    );
}

/// Nor by a question that takes long, in front of theirs.
#[tokio::test]
async fn nobody_is_held_up() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    present(&db).await;
    let other = raw(&cluster.url()).await;
    let held = other.batch_execute("BEGIN; LOCK TABLE things").await;
    held.expect("held");
    let long = tokio::spawn({
        let db = db.clone();
        async move { db.all(sql("SELECT id FROM things"), |_| Ok(())).await }
    });
    until(async || number(&other, WAITING).await == 1).await;
    let told = tokio::join!(db.edition(None), db.edition(None));
    assert_eq!(told, (None, None));
    assert!(!long.is_finished());
    other.batch_execute("COMMIT").await.expect("let go");
    long.await.expect("no panic").expect("answered");
    present(&db).await;
}

/// As where rows are kept elsewhere than where transactions are counted.
#[tokio::test]
async fn none_is_told_where_a_change_does_not_make_another() {
    let unseen = "CREATE RULE unseen AS ON UPDATE TO schema_migrations DO INSTEAD SELECT tried()";
    let named = "CREATE SCHEMA named; \
         CREATE FUNCTION named.version() RETURNS text LANGUAGE sql AS \
         $$ SELECT tried(); SELECT 'PostgreSQL 15.12-YB-2.25.1.0-b0 on x86_64' $$; \
         ALTER DATABASE postgres SET search_path = named, pg_catalog, public";
    for unlike in [unseen, named] {
        let cluster = Cluster::start();
        opened(&cluster).await.close().await;
        let tried = "CREATE FUNCTION tried() RETURNS void LANGUAGE plpgsql AS \
             $$ BEGIN RAISE LOG 'it is tried'; END $$";
        let other = raw(&cluster.url()).await;
        for statement in [tried, unlike] {
            other.batch_execute(statement).await.expect("made");
        }
        let db = opened(&cluster).await;
        until(async || {
            assert_eq!(db.edition(None).await, None);
            cluster.log().contains("it is tried")
        })
        .await;
        let tried = Instant::now();
        while tried.elapsed() < Duration::from_secs(1) {
            assert_eq!(db.edition(None).await, None);
            tokio::task::yield_now().await;
        }
    }
}

/// Whether one is told is tried by a change that may have to wait for somebody else's.
#[tokio::test]
async fn what_could_not_be_tried_is_tried_again() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    let other = raw(&cluster.url()).await;
    let held = "BEGIN; UPDATE schema_migrations SET version = version";
    other.batch_execute(held).await.expect("held");
    for waiting in [1, 0] {
        until(async || {
            assert_eq!(db.edition(None).await, None);
            number(&other, WAITING).await == waiting
        })
        .await;
    }
    other.batch_execute("COMMIT").await.expect("let go");
    present(&db).await;
}

#[tokio::test]
async fn none_is_asked_for_where_all_are_over_by_then() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    let first = present(&db).await;
    db.write(add("a")).await.expect("written");
    until(async || {
        let asking = (0..256).map(|_| {
            let (db, first) = (db.clone(), first.clone());
            tokio::spawn(async move { db.edition(Some(&first)).await })
        });
        let mut is_none = false;
        for asking in asking.collect::<Vec<_>>() {
            is_none |= asking.await.expect("no panic").is_none();
        }
        is_none
    })
    .await;
    // And somebody asks again later.
    present(&db).await;
}

#[test]
fn a_runtime_that_ends_takes_no_question_with_it() {
    let cluster = Cluster::start();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("one")
    };
    let first = runtime();
    let db = first.block_on(async {
        let db = opened(&cluster).await;
        present(&db).await;
        let asking = db.clone();
        tokio::spawn(async move { asking.edition(None).await });
        tokio::task::yield_now().await;
        db
    });
    drop(first);
    runtime().block_on(present(&db));
}

/// What it says may be over.
#[tokio::test]
async fn a_server_that_follows_another_is_not_asked() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    present(&db).await;
    cluster.follow();
    let refused = db.ping().await.expect_err("it takes no changes");
    assert!(refused.to_string().contains("during recovery"), "{refused}");
    assert_eq!(db.edition(None).await, None);
}

/// One that takes no changes, as one that follows another.
#[tokio::test]
async fn of_several_servers_the_one_that_takes_changes_is_asked() {
    let (follows, leads) = (Cluster::start(), Cluster::start());
    let other = raw(&follows.url()).await;
    let read_only = "ALTER DATABASE postgres SET default_transaction_read_only = on";
    other.batch_execute(read_only).await.expect("set");
    let url = leads.url();
    let (_, folder) = url.split_once("host=").expect("a host");
    let both = format!("{}&host={folder}", follows.url());
    let db = Db::open(&both, MIGRATIONS).await.expect("it opens");
    db.write(add("a")).await.expect("written");
    present(&db).await;
    let direct = opened(&leads).await;
    assert_eq!((count(&db).await, count(&direct).await), (1, 1));
}

/// One that takes connections and says nothing, as a machine that hangs does.
#[tokio::test]
async fn a_server_that_hangs_does_not_keep_the_next_from_being_asked() {
    let server = Cluster::start();
    let hangs = TcpListener::bind("127.0.0.1:0").expect("a port");
    hangs.set_nonblocking(true).expect("set");
    let port = hangs.local_addr().expect("an address").port();
    let url = server.url();
    let (_, folder) = url.split_once("host=").expect("a host");
    let both = format!("postgres://tester@127.0.0.1:{port}/postgres?host={folder}&port=5432");
    let db = Db::open(&both, MIGRATIONS).await.expect("it opens");
    db.write(add("a")).await.expect("written");
    assert_eq!(count(&db).await, 1);
    hangs.accept().expect("it was asked first");
    hangs.accept().expect_err("it was asked again");
}

/// One that is busy: all its clients come back at once, and the one beside it takes no changes or is gone.
#[tokio::test]
async fn a_server_that_is_slow_is_waited_for_when_no_other_answers() {
    let server = Cluster::start();
    let url = server.url();
    let (_, folder) = url.split_once("host=").expect("a host");
    let socket = format!("{folder}/.s.PGSQL.5432");
    let slow = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = slow.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = slow.accept().await {
            let socket = socket.clone();
            tokio::spawn(async move {
                // Longer than its share, shorter than all that there is.
                tokio::time::sleep(Duration::from_millis(1100)).await;
                let mut server = tokio::net::UnixStream::connect(socket).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    let gone = format!("{folder}/nobody");
    let both = format!("postgres://tester@127.0.0.1:{port}/postgres?host={gone}&port=5432");
    let db = Db::open(&both, MIGRATIONS).await.expect("it opens");
    assert_eq!(count(&db).await, 0);
}

/// A question, and what finds out whether editions tell, of which nobody knows.
#[tokio::test]
async fn closing_waits_for_what_was_begun_and_leaves_no_connection() {
    for table in ["things", "schema_migrations"] {
        let cluster = Cluster::start();
        let db = opened(&cluster).await;
        let other = raw(&cluster.url()).await;
        let held = format!("BEGIN; LOCK TABLE {table}");
        other.batch_execute(&held).await.expect("held");
        assert_eq!(db.edition(None).await, None);
        let asking = tokio::spawn({
            let db = db.clone();
            async move { db.all(sql("SELECT id FROM things"), |_| Ok(())).await }
        });
        until(async || number(&other, WAITING).await == 1).await;
        let closing = tokio::spawn({
            let db = db.clone();
            async move { db.close().await }
        });
        for _ in 0..100 {
            assert_eq!(number(&other, WAITING).await, 1, "or this shows nothing");
        }
        assert!(!closing.is_finished(), "{table}");
        other.batch_execute("COMMIT").await.expect("let go");
        closing.await.expect("no panic");
        asking.await.expect("no panic").expect("answered");
        until(async || number(&other, OTHERS).await == 0).await;
        drop(db);
    }
}

#[tokio::test]
async fn none_is_told_once_it_is_closed() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    present(&db).await;
    db.close().await;
    assert_eq!(db.edition(None).await, None);
}
