//! Which edition of the file is the present one, told by one small read.
//!
//! SQLite keeps it for its own connections, of whatever process, at the beginning of the WAL-index, `<path>-shm` ("WAL-mode File
//! Format", section 2.1): two copies of a header with a count of changes, how much of the journal counts, and a checksum of all
//! of that. Each commit writes both, once it is on the disk. Where the two differ somebody is writing them now.

use std::{
    ffi::OsString,
    fs::File,
    mem::ManuallyDrop,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{Edition, database::Told};

/// How long each of the copies is.
const HEADER: usize = 48;
/// The format of the WAL-index, in the byte order of the machine, and where it is written.
const FORMAT: u32 = 3_007_000;
const FORMAT_AT: usize = 0;
/// Where it says 1, once the rest counts.
const IS_MADE_AT: usize = 12;

/// Tells the editions of one file.
pub(super) struct Editions {
    path: PathBuf,
    /// `None` when it cannot be opened. It is never closed: the locks by which SQLite's connections know of each other are
    /// those of this process on that file, and closing any descriptor of it drops them all.
    index: OnceLock<Option<ManuallyDrop<File>>>,
    /// After the last connection has gone, another server may change the file, with a WAL-index of its own.
    is_over: AtomicBool,
}

impl Editions {
    /// Of the file at `path`, which is in WAL mode and open.
    pub(super) fn of(path: &Path) -> Self {
        let mut index = OsString::from(path);
        index.push("-shm");
        Self {
            path: index.into(),
            index: OnceLock::new(),
            is_over: AtomicBool::new(false),
        }
    }

    /// The present one; `None` when it cannot be told now. Linux reads from a file what is written to a mapping of it; not all
    /// systems do.
    pub(super) fn present(&self) -> Option<Edition> {
        if self.is_over.load(Ordering::Acquire) || !cfg!(target_os = "linux") {
            return None;
        }
        let open = || File::open(&self.path).ok().map(ManuallyDrop::new);
        let index = self.index.get_or_init(open).as_ref()?;
        let mut both = [0; 2 * HEADER];
        index.read_exact_at(&mut both, 0).ok()?;
        let (one, other) = both.split_first_chunk::<HEADER>()?;
        let format = one.get(FORMAT_AT..)?.first_chunk()?;
        let is_known = u32::from_ne_bytes(*format) == FORMAT && one[IS_MADE_AT] == 1;
        (is_known && one == other).then_some(Edition(Told::File(*one)))
    }

    /// What a commit of this process has changed must be told by now. Where it is not, a file is not read as it is mapped, and no
    /// edition can be relied on.
    pub(super) fn must_have_left(&self, before: Option<&Edition>) {
        if before.is_some() && self.present().as_ref() == before {
            self.end();
            tracing::warn!(
                "the file system does not show what is written to a mapped file: the database is asked more often than elsewhere"
            );
        }
    }

    /// Tells nothing any more.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use rusqlite::Connection;

    use super::*;
    use crate::{Db, Migration, Unit, sql};

    const MIGRATIONS: &[Migration] = &[Migration {
        version: 1,
        name: "things",
        sql: "CREATE TABLE things (id TEXT PRIMARY KEY, bytes BYTEA)",
    }];

    async fn opened() -> (tempfile::TempDir, PathBuf, Db) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("test.db");
        let db = Db::open(&path.display().to_string(), MIGRATIONS).await;
        (folder, path, db.expect("it opens"))
    }

    async fn count(db: &Db) -> usize {
        let all = db.all(sql("SELECT id FROM things"), |_| Ok(())).await;
        all.expect("asked").len()
    }

    async fn edition(db: &Db) -> Option<Edition> {
        db.edition(None).await
    }

    /// The present one, which is not `before`.
    async fn next(db: &Db, before: &Edition) -> Edition {
        let present = edition(db).await.expect("told");
        assert_ne!(present, *before);
        present
    }

    #[tokio::test]
    async fn each_change_makes_another_and_nothing_else_does() {
        let (_folder, path, db) = opened().await;
        let first = edition(&db).await.expect("told");
        assert_eq!(count(&db).await, 0);
        assert_eq!(
            edition(&db).await,
            Some(first.clone()),
            "a question is no change"
        );

        let mut seen = vec![first];
        for id in ["a", "b", "c"] {
            let add = sql("INSERT INTO things (id) VALUES ($1)").bind(id);
            db.write(add).await.expect("written");
            let present = next(&db, &seen[seen.len() - 1]).await;
            assert!(!seen.contains(&present));
            seen.push(present);
        }

        let other = Connection::open(&path).expect("opened");
        other
            .execute_batch("BEGIN IMMEDIATE; DELETE FROM things")
            .expect("held");
        assert_eq!(
            edition(&db).await.as_ref(),
            seen.last(),
            "it is not committed"
        );
        assert_eq!(count(&db).await, 3);
        other.execute_batch("COMMIT").expect("committed");
        next(&db, &seen[seen.len() - 1]).await;
        assert_eq!(count(&db).await, 0);
    }

    #[tokio::test]
    async fn the_journal_may_begin_anew() {
        let (_folder, path, db) = opened().await;
        let other = Connection::open(&path).expect("opened");
        let mut before = edition(&db).await.expect("told");
        for number in 0..20_i64 {
            // All of it goes back into the file, so that the next change is at the beginning of the journal again.
            let begun: i64 = other
                .query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0))
                .expect("brought back");
            assert_eq!(begun, 0, "nobody was in the way");
            before = edition(&db).await.unwrap_or(before);
            let add = sql("INSERT INTO things (id) VALUES ($1)").bind(number.to_string());
            db.write(add).await.expect("written");
            before = next(&db, &before).await;
        }
        assert_eq!(count(&db).await, 20);
    }

    /// Whose locks would be gone if this closed what it reads from.
    #[tokio::test]
    async fn what_is_read_takes_no_lock_away() {
        let (_folder, path, db) = opened().await;
        edition(&db).await.expect("told");
        let editions = Editions::of(&path);
        let told = editions.present();
        assert_eq!(told, edition(&db).await);
        drop(editions);
        let index = Editions::of(&path).path;
        assert!(is_locked(&index), "they are there");
        drop(File::open(&index).expect("opened"));
        assert!(!is_locked(&index), "as closing would have it");
    }

    /// Whether this process holds a lock on a file, as SQLite's connections do to know of each other.
    fn is_locked(path: &Path) -> bool {
        let file = format!(":{}", std::fs::metadata(path).expect("there").ino());
        let own = std::process::id().to_string();
        let locks = std::fs::read_to_string("/proc/locks").expect("Linux tells");
        let mut locks = locks.lines().map(|lock| lock.split_whitespace());
        locks.any(|mut words| {
            words.any(|it| it == "POSIX")
                && words.any(|it| it == own)
                && words.any(|it| it.ends_with(&file))
        })
    }

    #[tokio::test]
    async fn none_is_told_where_a_commit_is_not_seen() {
        let (_folder, path, db) = opened().await;
        let editions = Editions::of(&path);
        let before = editions.present();
        let add = sql("INSERT INTO things (id) VALUES ('a')");
        db.write(add).await.expect("written");
        editions.must_have_left(before.as_ref());
        let seen = editions.present();
        assert!(seen.is_some(), "it was seen");

        editions.must_have_left(None);
        assert_eq!(editions.present(), seen, "nothing was to be seen");
        editions.must_have_left(seen.as_ref());
        assert_eq!(editions.present(), None);
    }

    /// A change that leaves all as it is writes nothing, and is no reason to distrust what is told.
    #[tokio::test]
    async fn a_change_of_nothing_is_none() {
        let (_folder, _path, db) = opened().await;
        let add = sql("INSERT INTO things (id) VALUES ('a')");
        db.write(add).await.expect("written");
        let before = edition(&db).await.expect("told");
        let same = sql("UPDATE things SET bytes = bytes");
        assert_eq!(db.write(same).await.expect("done").touched(0), 1);
        assert_eq!(edition(&db).await, Some(before.clone()));
        let refused = Unit::new().expect(2, sql("DELETE FROM things"));
        db.write(refused).await.expect_err("there is one");
        assert_eq!(edition(&db).await, Some(before.clone()));
        db.write(sql("DELETE FROM things")).await.expect("written");
        next(&db, &before).await;
    }

    #[tokio::test]
    async fn none_is_told_once_it_is_closed() {
        let (_folder, path, db) = opened().await;
        edition(&db).await.expect("told");
        db.close().await;
        assert_eq!(edition(&db).await, None);
        let again = Db::open(&path.display().to_string(), MIGRATIONS).await;
        assert!(edition(&again.expect("it opens")).await.is_some());
        assert_eq!(edition(&db).await, None);
    }
}
