//! Which edition of the database is the present one, on servers where nobody else writes.

use db::{Db, Edition, Error, Unit, sql};
use tokio_postgres::{Client, NoTls};

use super::cluster::Cluster;
use crate::{
    raw,
    suite::{MIGRATIONS, count},
};

async fn opened(cluster: &Cluster) -> Db {
    let db = Db::open(&cluster.url(), MIGRATIONS).await;
    db.expect("it opens")
}

fn add(id: &str) -> Unit {
    sql("INSERT INTO things (id) VALUES ($1)").bind(id).into()
}

async fn present(db: &Db) -> Edition {
    let told = db.edition(None).await.expect("asked");
    told.expect("told")
}

/// How many transactions the server has ended, once all who were connected have gone.
async fn ended(cluster: &Cluster) -> i64 {
    let (client, connection) = tokio_postgres::connect(&cluster.url(), NoTls)
        .await
        .expect("it connects");
    tokio::spawn(connection);
    let others = "SELECT count(*) FROM pg_stat_activity \
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    while number(&client, others).await > 0 {
        tokio::task::yield_now().await;
    }
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
         BEGIN PERFORM pg_sleep(0.3); RETURN told; END $$; \
         ALTER DATABASE postgres SET search_path = slow, pg_catalog";
    let other = raw(&cluster.url()).await;
    other.batch_execute(slow).await.expect("made");
    let db = opened(&cluster).await;
    let before = present(&db).await;
    let early = tokio::spawn({
        let db = db.clone();
        async move { present(&db).await }
    });
    let asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    while number(&other, asked).await == 0 {
        tokio::task::yield_now().await;
    }
    db.write(add("a")).await.expect("written");
    assert!(!early.is_finished(), "or this shows nothing");
    assert_ne!(present(&db).await, before);
    assert_eq!(early.await.expect("told"), before);
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
    for _ in 0..20 {
        let ask = || {
            let db = db.clone();
            tokio::spawn(async move { db.edition(None).await.expect("asked") })
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
    cluster.restart();
    let mut after = Err(Error::Unavailable(String::new()));
    while after.is_err() {
        after = db.edition(None).await;
    }
    let after = after.expect("asked");
    let snapshot = |edition: &Option<Edition>| {
        let shown = format!("{edition:?}");
        shown.split(' ').next().map(str::to_owned)
    };
    assert_ne!(after.as_ref(), Some(&before));
    let (before, after) = (snapshot(&Some(before)), snapshot(&after));
    assert_eq!(before, after, "or this shows nothing");
}

/// As where rows are kept elsewhere than where transactions are counted.
#[tokio::test]
async fn none_is_told_where_a_change_does_not_make_another() {
    let cluster = Cluster::start();
    opened(&cluster).await.close().await;
    let unseen = "CREATE RULE unseen AS ON UPDATE TO schema_migrations DO INSTEAD NOTHING";
    let other = raw(&cluster.url()).await;
    other.batch_execute(unseen).await.expect("made");
    let db = opened(&cluster).await;
    assert_eq!(db.edition(None).await.expect("asked"), None);
    assert_eq!(db.edition(None).await.expect("asked"), None);
}

/// And somebody asks again later.
#[tokio::test]
async fn none_is_asked_for_where_all_are_over_by_then() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    let first = present(&db).await;
    for _ in 0..1_024 {
        assert!(
            db.edition(Some(&first)).await.expect("asked").is_some(),
            "it is the same"
        );
    }
    db.write(add("a")).await.expect("written");
    for _ in 0..1_024 {
        assert!(
            db.edition(Some(&first)).await.expect("asked").is_some(),
            "it is tried"
        );
    }
    assert_eq!(db.edition(Some(&first)).await.expect("asked"), None);
    assert_eq!(db.edition(None).await.expect("asked"), None);
    while db.edition(None).await.expect("asked").is_none() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn none_is_told_once_it_is_closed() {
    let cluster = Cluster::start();
    let db = opened(&cluster).await;
    present(&db).await;
    db.close().await;
    assert_eq!(db.edition(None).await.expect("asked"), None);
}
