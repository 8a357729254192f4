//! The suite on SQLite, and what only a file can suffer.

mod suite;

use std::{
    fs,
    future::{Ready, ready},
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use db::{Db, Error, OpenError, file_of, sql};
use rusqlite::Connection;
use suite::{MIGRATIONS, Place, add, count, things};

suite::suite!(place);

async fn place(_: &str) -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    Place {
        url,
        is_child: false,
        _folder: Some(folder),
    }
}

fn path(place: &Place) -> PathBuf {
    PathBuf::from(place.url.strip_prefix("sqlite:").expect("a file"))
}

/// Another process, so to speak, that deletes all things and does not commit yet.
fn hold_a_write(place: &Place) -> Ready<Connection> {
    let other = Connection::open(path(place)).expect("open");
    other
        .execute_batch("PRAGMA foreign_keys = ON; BEGIN IMMEDIATE; DELETE FROM things")
        .expect("held");
    ready(other)
}

fn let_go(held: &Connection) -> Ready<()> {
    held.execute_batch("COMMIT").expect("committed");
    ready(())
}

/// How many migrations the file says were applied.
fn applied(place: &Place) -> Ready<i64> {
    let count = Connection::open(path(place)).and_then(|db| {
        db.query_row("SELECT count(*) FROM schema_migrations", [], |row| {
            row.get(0)
        })
    });
    ready(count.unwrap_or(0))
}

#[tokio::test]
async fn the_first_in_a_hurry_takes_along_who_waits_for_company() {
    let place = place("").await;
    let db = place.open().await;
    let company = add("a").wait_for_company(Duration::from_secs(4));
    let waits = tokio::spawn({
        let db = db.clone();
        async move { db.write(company).await }
    });
    while db.stats().writes_waiting == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(count(&db).await, 0, "it waits");
    db.write(add("b")).await.expect("written");
    assert_eq!(things(&db).await.len(), 2, "both were");
    waits.await.expect("a task").expect("written");
}

#[tokio::test]
async fn a_second_server_is_refused() {
    let place = place("").await;
    let first = place.open().await;
    let linked = path(&place).with_file_name("link.db");
    std::os::unix::fs::symlink(path(&place), &linked).expect("linked");
    for name in [place.url.clone(), linked.display().to_string()] {
        let refused = Db::open(&name, MIGRATIONS).await.err().expect("refused");
        assert!(matches!(refused, OpenError::Served { .. }), "{refused}");
        assert!(
            refused
                .to_string()
                .contains("another process already serves"),
            "{refused}"
        );
    }
    first.close().await;
    place.open().await;
}

#[tokio::test]
async fn a_tool_works_beside_a_server() {
    let place = place("").await;
    let server = place.open().await;
    let tool = Db::open_beside(&place.url, MIGRATIONS)
        .await
        .expect("it opens");
    for i in 0..50 {
        let (one, other) = (format!("server {i}"), format!("tool {i}"));
        let (one, other) = tokio::join!(server.write(add(&one)), tool.write(add(&other)));
        one.expect("written");
        other.expect("written");
    }
    assert_eq!((count(&server).await, count(&tool).await), (100, 100));
}

#[tokio::test]
async fn a_tool_migrates_only_what_nobody_serves() {
    let place = place("").await;
    let tool = Db::open_beside(&place.url, &MIGRATIONS[..1])
        .await
        .expect("nobody serves it");
    tool.close().await;
    let server = Db::open(&place.url, &MIGRATIONS[..1])
        .await
        .expect("it opens");
    let refused = Db::open_beside(&place.url, MIGRATIONS)
        .await
        .err()
        .expect("refused");
    assert!(
        matches!(refused, OpenError::Older { found: 1, known: 2 }),
        "{refused}"
    );
    server.close().await;
    let tool = Db::open_beside(&place.url, MIGRATIONS)
        .await
        .expect("nobody serves it any more");
    tool.write(add("a")).await.expect("written");
    let refused = Db::open_beside(&place.url, &MIGRATIONS[..1])
        .await
        .err()
        .expect("refused");
    assert!(
        matches!(refused, OpenError::Newer { found: 2, known: 1 }),
        "{refused}"
    );
}

#[tokio::test]
async fn the_file_is_its_owners() {
    let place = place("").await;
    let mode = |path: PathBuf| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let db = place.open().await;
    db.write(add("a")).await.expect("written");
    for name in ["test.db", "test.db-wal", "test.db-shm", "test.db.lock"] {
        assert_eq!(mode(path(&place).with_file_name(name)), 0o600, "{name}");
    }
    db.close().await;
    fs::set_permissions(path(&place), fs::Permissions::from_mode(0o644)).expect("opened up");
    place.open().await;
    assert_eq!(mode(path(&place)), 0o600);
}

#[tokio::test]
async fn closing_leaves_one_file() {
    let place = place("").await;
    let db = place.open().await;
    db.write(add("a")).await.expect("written");
    db.close().await;
    assert!(!path(&place).with_file_name("test.db-wal").exists());
    let raw = Connection::open(path(&place)).expect("open");
    let mode: String = raw
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .expect("read");
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_locked_file_is_busy_for_writers_only() {
    let place = place("").await;
    let db = place.open().await;
    db.write(add("a")).await.expect("written");
    let held = hold_a_write(&place).await;
    let refused = db
        .write(add("b"))
        .await
        .expect_err("the other holds the file");
    assert!(matches!(refused, Error::Busy(_)), "{refused}");
    assert_eq!(things(&db).await, [("a".to_owned(), 2)]);
    let_go(&held).await;
    db.write(add("b")).await.expect("it heals");
    assert_eq!(things(&db).await, [("b".to_owned(), 2)]);
}

#[tokio::test]
async fn as_many_share_a_commit_as_the_address_says() {
    for (parameters, commits) in [("", 1), ("?group=64", 1), ("?group=4", 3), ("?group=1", 12)] {
        let place = place("").await;
        let db = Db::open(&format!("{}{parameters}", place.url), MIGRATIONS)
            .await
            .expect("it opens");
        let held = Connection::open(path(&place)).expect("open");
        held.execute_batch("BEGIN IMMEDIATE").expect("held");
        let write = |id: u32| {
            let db = db.clone();
            tokio::spawn(async move { db.write(add(&id.to_string())).await })
        };
        // The writer takes the first and waits for the file with it; the others gather behind.
        let mut writes = vec![write(0)];
        waiting_writes(&db, 0).await;
        writes.extend((1..=12).map(write));
        waiting_writes(&db, 12).await;
        held.execute_batch("ROLLBACK").expect("let go");
        for written in writes {
            written.await.expect("no panic").expect("written");
        }
        // What the migrations wrote is in the file, and so the journal has begun anew.
        assert_eq!(commits_in_journal(&place), 1 + commits, "{parameters}");
    }
}

/// Lets what was spawned ask for its write, and waits until so many units wait for the writer.
async fn waiting_writes(db: &Db, count: usize) {
    tokio::task::yield_now().await;
    while db.stats().writes_waiting != count {
        tokio::task::yield_now().await;
    }
}

/// How many frames of the journal end a transaction: those that tell how long the file is after it. The journal has a
/// header of 32 bytes, and each frame one of 24 before its page; those of before it began anew have other salts.
fn commits_in_journal(place: &Place) -> usize {
    let journal = fs::read(path(place).with_file_name("test.db-wal")).expect("read");
    let page = u32::from_be_bytes(journal[8..12].try_into().expect("four bytes"));
    let frames = journal[32..].chunks_exact(24 + page as usize);
    frames
        .filter(|frame| frame[8..16] == journal[16..24] && frame[4..8] != [0; 4])
        .count()
}

#[tokio::test]
async fn the_journal_gets_back_into_the_file_and_stays_short() {
    const MIB: usize = 1024 * 1024;
    let place = place("").await;
    let db = place.open().await;
    let length = |name: &str| {
        let file = fs::metadata(path(&place).with_file_name(name)).expect("there");
        usize::try_from(file.len()).expect("short")
    };
    let write = async |id: usize| {
        let bytes = vec![id.to_le_bytes()[0]; MIB];
        let add = sql("INSERT INTO things (id, bytes) VALUES ($1, $2)");
        db.write(add.bind(id.to_string()).bind(bytes))
            .await
            .expect("written");
    };
    for id in 0..6 {
        write(id).await;
    }
    // By itself, with nothing written any more.
    while length("test.db") < 4 * MIB {
        tokio::task::yield_now().await;
    }
    for id in 6..40 {
        write(id).await;
        assert!(length("test.db-wal") < 20 * MIB, "after {id} MiB");
    }
    assert!(length("test.db") > 20 * MIB);
    db.integrity().await.expect("whole");
}

/// The test is its own child, whose files may not grow beyond what the shell allows, until the parent lifts that.
#[tokio::test]
async fn a_full_disk_is_unavailable_until_there_is_room() {
    if let Some(place) = Place::inherited() {
        return fill(&place).await;
    }
    let place = place("").await;
    place.open().await.close().await;
    let this = place.child("a_full_disk_is_unavailable_until_there_is_room");
    let mut child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -S -f 600; exec \"$0\" \"$@\""])
        .arg(this.get_program())
        .args(this.get_args())
        .env("DB_PLACE", &place.url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped"))
        .lines()
        .map_while(Result::ok);
    assert!(
        lines.any(|line| line.contains("full")),
        "it says that it is full"
    );
    let pid = child.id().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited"])
        .status();
    assert!(lifted.expect("prlimit").success());
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(b"there is room\n")
        .expect("said");
    lines.for_each(drop);
    assert!(child.wait().expect("it ends").success());
}

async fn fill(place: &Place) {
    let db = place.open().await;
    let mut written = 0;
    let refused = loop {
        match db.write(add(&format!("{written:01000}"))).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::Unavailable(_)), "{refused}");
    assert!(
        db.write(add("not yet"))
            .await
            .is_err_and(|e| e.is_unavailable())
    );
    assert_eq!(count(&db).await, written, "questions are answered");
    std::io::stdout().write_all(b"full\n").expect("said");
    std::io::stdin()
        .read_line(&mut String::new())
        .expect("heard");
    db.write(add("at last")).await.expect("it heals");
    assert_eq!(count(&db).await, written + 1);
    db.integrity().await.expect("whole");
    db.close().await;
    let db = place.open().await;
    assert_eq!(count(&db).await, written + 1);
}

#[tokio::test]
async fn addresses_are_understood_or_refused() {
    let place = place("").await;
    let file = path(&place).display().to_string();
    for url in [
        file.clone(),
        format!("sqlite:{file}"),
        format!("sqlite://{file}"),
        format!("{file}?"),
        format!("sqlite:{file}?group=1"),
        format!("sqlite://{file}?group=64"),
    ] {
        assert_eq!(file_of(&url), Some(path(&place)), "{url}");
        let db = Db::open(&url, MIGRATIONS).await.expect("it opens");
        db.write(sql("DELETE FROM things")).await.expect("written");
        db.close().await;
    }
    for url in [
        "",
        "sqlite:",
        ":memory:",
        "sqlite::memory:",
        "mysql://host/db",
        "sqlite:?group=1",
        "sqlite:a.db?mode=ro",
        "sqlite:a.db?group",
        "sqlite:a.db?group=0",
        "sqlite:a.db?group=65",
        "sqlite:a.db?group=many",
        "a.db?group=1&mode=ro",
    ] {
        assert_eq!(file_of(url), None, "{url}");
        let refused = Db::open(url, MIGRATIONS).await.err().expect("refused");
        assert!(matches!(refused, OpenError::Address(_)), "{url}: {refused}");
    }
    assert_eq!(file_of("postgres://host/db"), None);
    assert_eq!(file_of("postgresql://host/db"), None);
    assert_eq!(file_of("postgres.db"), Some("postgres.db".into()));
    let nowhere = Db::open(&format!("{file}/no/such.db"), MIGRATIONS)
        .await
        .err()
        .expect("refused");
    assert!(matches!(nowhere, OpenError::File { .. }), "{nowhere}");
    let no_folder = path(&place)
        .with_file_name("missing")
        .join("a.db")
        .display()
        .to_string();
    let refused = Db::open(&no_folder, MIGRATIONS)
        .await
        .err()
        .expect("refused");
    assert!(
        refused.to_string().contains("make its folder first"),
        "{refused}"
    );
}

#[tokio::test]
async fn damage_is_told() {
    let place = place("").await;
    let db = place.open().await;
    for i in 0..200 {
        db.write(add(&format!("{i:0200}"))).await.expect("written");
    }
    db.close().await;
    let whole = fs::read(path(&place)).expect("read");
    // The pages behind the first: the schema can still be read, the tables cannot.
    let mut torn = whole.clone();
    torn[4096 * 3..].iter_mut().for_each(|byte| *byte ^= 0xa5);
    fs::write(path(&place), torn).expect("torn");
    let db = place.open().await;
    assert!(matches!(db.integrity().await, Err(Error::Broken(_))));
    db.close().await;
    fs::write(path(&place), vec![b'x'; 8192]).expect("overwritten");
    let refused = Db::open(&place.url, MIGRATIONS)
        .await
        .err()
        .expect("refused");
    assert!(
        refused.to_string().contains("damaged or no database"),
        "{refused}"
    );
}
