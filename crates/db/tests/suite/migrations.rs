//! Migrations.

use db::{Db, Migration, OpenError, sql};

use super::{MIGRATIONS, Place, add, count};

const fn migration(version: u32, sql: &'static str) -> Migration {
    Migration {
        version,
        name: "changes",
        sql,
    }
}

pub(crate) async fn they_run_once(place: Place) {
    let first = Db::open(&place.url, &MIGRATIONS[..1])
        .await
        .expect("it opens");
    first
        .write(sql("INSERT INTO things (id) VALUES ('kept')"))
        .await
        .expect("written");
    first.close().await;
    for _ in 0..2 {
        let db = place.open().await;
        assert_eq!(count(&db).await, 1);
        let applied = sql("SELECT version, name, checksum FROM schema_migrations ORDER BY version");
        let applied = db.all(applied, |row| {
            Ok((
                row.int("version")?,
                row.text("name")?,
                row.text("checksum")?.len(),
            ))
        });
        let expected = [(1, "things".to_owned(), 64), (2, "parts".to_owned(), 64)];
        assert_eq!(applied.await.expect("read"), expected);
        db.close().await;
    }
}

pub(crate) async fn a_newer_schema_is_refused(place: Place) {
    place.open().await.close().await;
    let refused = Db::open(&place.url, &MIGRATIONS[..1])
        .await
        .err()
        .expect("refused");
    assert!(
        matches!(refused, OpenError::Newer { found: 2, known: 1 }),
        "{refused}"
    );
    place
        .open()
        .await
        .write(add("a"))
        .await
        .expect("the program that knows it still works");
}

pub(crate) async fn a_changed_migration_is_refused(place: Place) {
    place.open().await.close().await;
    let mut edited = MIGRATIONS.to_vec();
    edited[1].sql = "CREATE TABLE parts (thing_id TEXT)";
    let refused = Db::open(&place.url, &edited).await.err().expect("refused");
    assert!(
        matches!(refused, OpenError::Changed { version: 2, .. }),
        "{refused}"
    );
    let slipped_in = [MIGRATIONS[0], migration(3, "CREATE TABLE other (a TEXT)")];
    let refused = Db::open(&place.url, &slipped_in)
        .await
        .err()
        .expect("refused");
    assert!(
        matches!(refused, OpenError::Changed { version: 3, .. }),
        "{refused}"
    );
}

pub(crate) async fn a_failing_migration_leaves_nothing(place: Place) {
    place.open().await.close().await;
    let with = |third| [MIGRATIONS[0], MIGRATIONS[1], migration(3, third)];
    let fails = [
        "CREATE TABLE more (a TEXT); INSERT INTO more (a) VALUES ('x'); CREATE TABLE more (b TEXT)",
        "CREATE TABLE more (a TEXT); INSERT INTO parts (thing_id) VALUES ('missing')",
        "CREATE TABLE more (a TEXT); SELECT $$ foreign $$",
        "CREATE TABLE more (a TEXT); SELECT $1",
    ];
    for third in fails {
        let refused = Db::open(&place.url, &with(third))
            .await
            .err()
            .expect("refused");
        assert!(
            matches!(refused, OpenError::Migration { version: 3, .. }),
            "{refused}"
        );
    }
    let db = Db::open(&place.url, &with("CREATE TABLE more (a TEXT)"))
        .await
        .expect("it was not there");
    let rows = db
        .one(sql("SELECT count(*) AS n FROM more"), |row| row.int("n"))
        .await;
    assert_eq!(rows.expect("read"), Some(0));
}

pub(crate) async fn transactions_are_not_their_business(place: Place) {
    for words in [
        "COMMIT",
        "begin",
        "Rollback",
        "END",
        "/* a */ commit",
        "PRAGMA foreign_keys = ON",
    ] {
        let text: &'static str = format!("CREATE TABLE early (a TEXT); {words}; SELECT 1").leak();
        let refused = Db::open(&place.url, &[migration(1, text)])
            .await
            .err()
            .expect("refused");
        assert!(
            matches!(refused, OpenError::Migration { version: 1, .. }),
            "{refused}"
        );
    }
    let db = Db::open(
        &place.url,
        &[migration(1, "CREATE TABLE early (ending TEXT)")],
    )
    .await;
    db.expect("nothing was left of the others");
}

pub(crate) async fn their_numbers_ascend(place: Place) {
    let twice = [migration(2, "SELECT 1"), migration(2, "SELECT 2")];
    let refused = Db::open(&place.url, &twice).await.err().expect("refused");
    assert!(
        matches!(refused, OpenError::Migration { version: 2, .. }),
        "{refused}"
    );
}

/// The test is its own child, which opens the database, writes and ends.
pub(crate) async fn many_processes_make_one_schema(place: Place) {
    const PROCESSES: usize = 8;
    if place.is_child {
        let db = Db::open_beside(&place.url, MIGRATIONS)
            .await
            .expect("it opens");
        db.write(add(&std::process::id().to_string()))
            .await
            .expect("written");
        return;
    }
    let start = || {
        place
            .child("many_processes_make_one_schema")
            .spawn()
            .expect("it starts")
    };
    let children: Vec<_> = (0..PROCESSES).map(|_| start()).collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{output:?}");
    }
    let db = place.open().await;
    assert_eq!(count(&db).await, i64::try_from(PROCESSES).expect("few"));
}
