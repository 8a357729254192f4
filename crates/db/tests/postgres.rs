//! The suite on PostgreSQL, and what only a server can suffer.
//!
//! `TEST_POSTGRES_URL` names a database whose role may make schemas; each test has one of its own.

mod server;
mod suite;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use db::{Db, Error, OpenError, Unit, sql};
use server::{
    cluster::Cluster,
    wire::{Cut, Wire},
};
use suite::{MIGRATIONS, Place, add, count, things};
use tokio_postgres::{Client, NoTls};

suite::suite!(place);

fn server() -> String {
    std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL is not set: these tests need a PostgreSQL server, e.g. postgres:///test?host=/tmp")
}

fn with(url: &str, parameter: &str) -> String {
    format!(
        "{url}{}{parameter}",
        if url.contains('?') { '&' } else { '?' }
    )
}

/// A connection without anything of ours.
async fn raw(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("it connects");
    tokio::spawn(connection);
    client
}

/// A schema that is not there yet.
async fn place(test: &str) -> Place {
    let schema = format!("suite_{test}");
    let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
    raw(&server())
        .await
        .batch_execute(&drop)
        .await
        .expect("dropped");
    Place {
        url: with(&server(), &format!("schema={schema}")),
        is_child: false,
        _folder: None,
    }
}

/// The place, opened by way of a wire.
async fn by_wire(place: &Place) -> (Wire, Db) {
    let wire = Wire::to(&server()).await;
    let db = Db::open(&wire.address(&place.url), MIGRATIONS).await;
    (wire, db.expect("it opens"))
}

/// Another client in the schema of the place.
async fn beside(place: &Place) -> Client {
    let (url, schema) = place.url.rsplit_once("schema=").expect("a schema");
    let client = raw(url.trim_end_matches(['?', '&'])).await;
    client
        .batch_execute(&format!("SET search_path = {schema}"))
        .await
        .expect("set");
    client
}

/// Another client that deletes all things and does not commit yet.
async fn hold_a_write(place: &Place) -> Client {
    let other = beside(place).await;
    other
        .batch_execute("BEGIN; DELETE FROM things")
        .await
        .expect("held");
    other
}

async fn let_go(held: &Client) {
    held.batch_execute("COMMIT").await.expect("committed");
}

/// How many migrations the schema says were applied.
async fn applied(place: &Place) -> i64 {
    let count = beside(place)
        .await
        .query_one("SELECT count(*) FROM schema_migrations", &[])
        .await;
    count.map_or(0, |row| row.get(0))
}

#[tokio::test]
async fn addresses_are_understood_or_refused() {
    let refused = [
        "sslmode=prefer",
        "sslmode=allow",
        "sslmode=verify-ca",
        "schema=Upper",
        "schema=a;drop",
        "schema=",
        "pool=0",
        "pool=many",
        "nonsense=1",
    ];
    for parameter in refused {
        let refused = Db::open(&with(&server(), parameter), MIGRATIONS)
            .await
            .err()
            .expect("refused");
        assert!(
            matches!(refused, OpenError::Address(_)),
            "{parameter}: {refused}"
        );
    }
    let silent = "postgres://somebody:hush-4711@127.0.0.1:1/nowhere";
    let refused = Db::open(silent, MIGRATIONS).await.err().expect("refused");
    assert!(matches!(refused, OpenError::Connect(_)), "{refused}");
    assert!(
        !format!("{refused} {refused:?}").contains("hush-4711"),
        "{refused}"
    );
    let place = place("addresses").await;
    let db = Db::open(&with(&place.url, "sslmode=disable"), MIGRATIONS)
        .await
        .expect("it opens");
    db.ping().await.expect("it answers");
    let missing = with(&server(), "dbname=no_such_database");
    let refused = Db::open(&missing, MIGRATIONS).await.err().expect("refused");
    assert!(refused.to_string().contains("does not exist"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_enough() {
    let place = place("one_connection").await;
    let db = Db::open(&with(&place.url, "pool=1"), MIGRATIONS)
        .await
        .expect("it opens");
    let write = |i: usize| {
        let db = db.clone();
        tokio::spawn(async move { db.write(add(&i.to_string())).await })
    };
    for writing in (0..64).map(write).collect::<Vec<_>>() {
        writing.await.expect("no panic").expect("written");
    }
    assert_eq!(count(&db).await, 64);
    assert_eq!(db.stats().write_connections, 1);
}

#[tokio::test]
async fn no_question_waits_behind_one_that_is_known_to_be_long() {
    let place = place("long").await;
    let db = Db::open(&place.url, MIGRATIONS).await.expect("opened");
    let long = db.all(
        sql("SELECT CAST(1 AS BIGINT) AS n FROM pg_sleep(4)"),
        |_| Ok(()),
    );
    // Those of the first ten milliseconds do wait for it.
    let short = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        db.all(sql("SELECT CAST(1 AS BIGINT) AS n"), |_| Ok(()))
            .await
    };
    tokio::select! {
        biased;
        _ = long => panic!("the long one was answered first"),
        found = short => assert_eq!(found.expect("answered").len(), 1),
    }
    db.close().await;
}

/// Where all connections of this thread are taken by what waits for a row, another thread's are used.
#[tokio::test]
async fn no_unit_waits_behind_one_that_is_held_up() {
    let place = place("held_up").await;
    let db = place.open().await;
    db.write(add("a")).await.expect("written");
    let held = hold_a_write(&place).await;
    let touch = || sql("UPDATE things SET used_at = 1 WHERE id = 'a'");
    // All connections but one.
    let held_up = (1..8).map(|_| {
        let db = db.clone();
        tokio::spawn(async move { db.write(touch()).await })
    });
    let held_up: Vec<_> = held_up.collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    db.write(add("b")).await.expect("written");
    assert!(held_up.iter().all(|it| !it.is_finished()));
    let_go(&held).await;
}

/// A held lock is busy in bounded time, for writers of that row only.
#[tokio::test]
async fn a_held_row_is_busy() {
    let place = place("held_row").await;
    let db = place.open().await;
    db.write(add("a")).await.expect("written");
    let held = hold_a_write(&place).await;
    let touch = || sql("UPDATE things SET used_at = 1 WHERE id = 'a'");
    let refused = db.write(touch()).await.expect_err("the row is locked");
    assert!(matches!(refused, Error::Busy(_)), "{refused}");
    db.write(add("b")).await.expect("others are written");
    let_go(&held).await;
    assert_eq!(db.write(touch()).await.expect("it is gone").touched(0), 0);
}

/// Two transactions that wait for each other: the server undoes the one that waited longer, ours, which is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_tried_again() {
    let place = place("deadlock").await;
    let db = place.open().await;
    db.write(add("a").append(add("b"))).await.expect("written");
    let other = beside(&place).await;
    other
        .batch_execute("BEGIN; UPDATE things SET used_at = 1 WHERE id = 'a'")
        .await
        .expect("a is held");
    let touch = |id| sql("UPDATE things SET used_at = 2 WHERE id = $1").bind(id);
    let writing = tokio::spawn({
        let db = db.clone();
        async move {
            db.write(Unit::new().expect(1, touch("b")).expect(1, touch("a")))
                .await
        }
    });
    // It holds b and waits for a.
    let waiting =
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid))";
    let me: i32 = other
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .expect("asked")
        .get(0);
    let watcher = beside(&place).await;
    while watcher
        .query_one(waiting, &[&me])
        .await
        .expect("asked")
        .get::<_, i64>(0)
        == 0
    {
        tokio::task::yield_now().await;
    }
    let also = other
        .batch_execute("UPDATE things SET used_at = 1 WHERE id = 'b'; COMMIT")
        .await;
    writing
        .await
        .expect("no panic")
        .expect("written, at the latest when the other was done");
    also.expect("ours was undone, for it waited first");
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_not_known() {
    let place = place("lost_answer").await;
    let direct = place.open().await;
    let (wire, db) = by_wire(&place).await;
    let plain =
        |id| Unit::from(sql("INSERT INTO things (id) VALUES ($1) ON CONFLICT DO NOTHING").bind(id));
    for (name, unit) in [
        ("two trips", add("two trips")),
        ("one trip", plain("one trip")),
    ] {
        wire.cut(Cut::AnswerOf("COMMIT"));
        let lost = db.write(unit).await.expect_err("nobody could tell");
        assert!(matches!(lost, Error::OutcomeUnknown(_)), "{lost}");
        assert!(lost.is_unavailable());
        wire.mend();
        // It had arrived: all of it is there, as soon as the server is done.
        while direct
            .one(
                sql("SELECT id FROM things WHERE id = $1").bind(name),
                |_| Ok(()),
            )
            .await
            .expect("read")
            .is_none()
        {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(
        things(&direct).await,
        [("one trip".to_owned(), 0), ("two trips".to_owned(), 2)]
    );
    db.write(add("healed")).await.expect("it heals");
}

#[tokio::test]
async fn a_connection_lost_before_the_commit_is_tried_again() {
    let place = place("lost_before").await;
    let (wire, db) = by_wire(&place).await;
    db.write(add("a")).await.expect("written");
    wire.cut(Cut::Once("BEGIN"));
    db.write(add("b")).await.expect("on another connection");
    assert_eq!(
        things(&db).await,
        [("a".to_owned(), 2), ("b".to_owned(), 2)]
    );
    wire.cut(Cut::Once("another"));
    let text = db
        .one(sql("SELECT $1 AS text").bind("another"), |row| {
            row.text("text")
        })
        .await;
    assert_eq!(
        text.expect("a question is asked once more").as_deref(),
        Some("another")
    );
    wire.cut(Cut::All);
    assert!(matches!(
        db.write(add("c")).await,
        Err(Error::Unavailable(_))
    ));
    assert!(matches!(db.ping().await, Err(Error::Unavailable(_))));
    wire.mend();
    db.write(add("c")).await.expect("it heals");
    assert_eq!(count(&db).await, 3);
}

/// Should `BEGIN` ever fail, what was sent behind it must not happen one by one.
#[tokio::test]
async fn nothing_happens_without_a_transaction() {
    let place = place("no_transaction").await;
    let (wire, db) = by_wire(&place).await;
    let plain = Unit::from(sql("INSERT INTO things (id) VALUES ('plain')"));
    for unit in [add("checked"), plain] {
        db.write(unit.clone()).await.expect("written");
        db.write(sql("DELETE FROM things")).await.expect("deleted");
        wire.cut(Cut::Garble("BEGIN"));
        let refused = db.write(unit).await.expect_err("there is no transaction");
        assert!(matches!(refused, Error::Unavailable(_)), "{refused}");
        wire.mend();
        assert_eq!(count(&db).await, 0);
    }
}

/// A server that hangs: each caller is told in bounded time, and what could not have been committed is known for it.
#[tokio::test]
async fn a_silent_server_is_unavailable() {
    let place = place("silent").await;
    let (wire, db) = by_wire(&place).await;
    let plain = || Unit::from(sql("DELETE FROM things WHERE id = 'plain'"));
    // Both connections that write are there and know their statements.
    let (one, other) = tokio::join!(db.write(add("warm")), db.write(plain()));
    one.and(other).expect("written");
    db.ping().await.expect("it answers");
    wire.cut(Cut::Silence);
    let (checked, unchecked, asked) =
        tokio::join!(db.write(add("a")), db.write(plain()), db.ping());
    assert!(matches!(checked, Err(Error::Unavailable(_))), "{checked:?}");
    assert!(
        matches!(
            unchecked,
            Err(Error::OutcomeUnknown(_) | Error::Unavailable(_))
        ),
        "{unchecked:?}"
    );
    assert!(matches!(asked, Err(Error::Unavailable(_))), "{asked:?}");
    wire.mend();
    db.write(add("b")).await.expect("it heals");
    let ids: Vec<_> = things(&db).await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["b", "warm"]);
}

/// The server is stopped at once and started again, several times, under writers that go on: what they were told is
/// what is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_heals() {
    let cluster = Cluster::start();
    let db = Db::open(&cluster.url(), MIGRATIONS)
        .await
        .expect("it opens");
    let (written, is_over) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let write = |task: usize| {
        let (db, written, is_over) = (db.clone(), Arc::clone(&written), Arc::clone(&is_over));
        async move {
            let mut told = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let id = format!("{task}-{}", told.len());
                let result = db.write(add(&id)).await;
                if result.is_ok() {
                    written.fetch_add(1, Ordering::Relaxed);
                } else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                told.push((id, result.map(drop)));
            }
            told
        }
    };
    let writers: Vec<_> = (0..16).map(|task| tokio::spawn(write(task))).collect();
    for round in 1..=5 {
        while written.load(Ordering::Relaxed) < round * 100 {
            tokio::task::yield_now().await;
        }
        if round < 5 {
            tokio::task::block_in_place(|| cluster.restart());
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let found: BTreeMap<String, i64> = {
        let mut told = Vec::new();
        for writer in writers {
            told.extend(writer.await.expect("no panic"));
        }
        let found = things(&db).await.into_iter().collect::<BTreeMap<_, _>>();
        for (id, result) in told {
            match result {
                Ok(()) => assert!(found.contains_key(&id), "{id} was lost"),
                Err(Error::OutcomeUnknown(_)) => {}
                Err(Error::Unavailable(_) | Error::Busy(_)) => {
                    assert!(!found.contains_key(&id), "{id} happened after all");
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        found
    };
    assert!(
        found.values().all(|parts| *parts == 2),
        "no unit is half there"
    );
}
