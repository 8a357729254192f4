//! Connections that look something up in the thread that asks: what a key finds is there sooner than another thread wakes.

use std::{
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use rusqlite::Connection;

use super::{closed, open, reader::ask};
use crate::{Error, Row, Sql};

pub(super) struct Lookups {
    path: PathBuf,
    /// How many connections there may be. Each is opened when all others are busy.
    places: usize,
    desk: Mutex<Desk>,
    returned: Condvar,
}

#[derive(Default)]
struct Desk {
    /// The last one that was busy is the first to be taken: its cache is warm.
    free: Vec<Connection>,
    busy: usize,
    is_closed: bool,
}

/// A place at the desk, given back however the work ends; its connection too, if one was opened.
struct Place<'a> {
    lookups: &'a Lookups,
    connection: Option<Connection>,
}

impl Lookups {
    /// None is opened yet.
    pub(super) fn new(path: &Path, places: usize) -> Self {
        Self {
            path: path.to_owned(),
            places,
            desk: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    /// Asks for up to `most` rows; `None` when that would be to wait, for a connection or for whoever has locked the file.
    pub(super) fn ask(&self, question: &Sql, most: usize) -> Option<Result<Vec<Row>, Error>> {
        let mut place = match self.place() {
            Ok(place) => place?,
            Err(error) => return Some(Err(error)),
        };
        // Who cannot be answered here goes by the threads, and is told there why not.
        let connection = open::opened(&mut place.connection, || open::lookup(&self.path)).ok()?;
        match ask(connection, question, most) {
            Err(Error::Busy(_)) => None,
            answer => Some(answer),
        }
    }

    /// How many are open.
    pub(super) fn open(&self) -> usize {
        let desk = self.lock();
        desk.free.len() + desk.busy
    }

    fn place(&self) -> Result<Option<Place<'_>>, Error> {
        let mut desk = self.lock();
        if desk.is_closed {
            return Err(closed());
        }
        if desk.busy == self.places {
            return Ok(None);
        }
        desk.busy += 1;
        Ok(Some(Place {
            lookups: self,
            connection: desk.free.pop(),
        }))
    }

    /// Answers nobody any more, and waits for those who are being answered. Blocks.
    pub(super) fn close(&self) {
        let mut desk = self.lock();
        desk.is_closed = true;
        desk.free.clear();
        let closed = self.returned.wait_while(desk, |desk| desk.busy > 0);
        drop(closed.unwrap_or_else(PoisonError::into_inner));
    }

    /// Nothing can panic while the lock is held, so a poisoned one guards a whole state.
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut desk = self.lookups.lock();
        desk.busy -= 1;
        if desk.is_closed {
            // Only `close` waits here, and a word to nobody is a system call all the same.
            drop(self.connection.take());
            self.lookups.returned.notify_all();
        } else {
            desk.free.extend(self.connection.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::{sql, sqlite::PATIENCE};

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("test.db");
        Connection::open(&path)
            .and_then(|file| file.execute_batch("CREATE TABLE things (id TEXT PRIMARY KEY)"))
            .expect("made");
        (folder, path)
    }

    #[test]
    fn who_would_have_to_wait_is_not_answered_here() {
        let (_folder, path) = file();
        let question = || sql("SELECT id FROM things WHERE id = $1").bind("a");
        let lookups = Lookups::new(&path, 1);
        let found = lookups.ask(&question(), 2).expect("a place is free");
        assert!(found.expect("asked").is_empty());
        assert_eq!(lookups.open(), 1);

        let place = lookups.place().expect("open").expect("free");
        assert!(lookups.ask(&question(), 2).is_none(), "the place is taken");
        drop(place);

        let locked = Connection::open(&path).expect("opened");
        locked.execute_batch("BEGIN EXCLUSIVE").expect("locked");
        assert!(lookups.ask(&question(), 2).is_none(), "the file is locked");
        let others = Lookups::new(&path, 1);
        let began = Instant::now();
        assert!(others.ask(&question(), 2).is_none(), "from the beginning");
        assert!(began.elapsed() < PATIENCE, "nobody waited");
        locked.execute_batch("COMMIT").expect("let go");
        assert!(lookups.ask(&question(), 2).is_some());
    }

    #[test]
    fn closing_waits_for_who_is_being_answered() {
        let (_folder, path) = file();
        let lookups = Lookups::new(&path, 1);
        let place = lookups.place().expect("open").expect("free");
        std::thread::scope(|threads| {
            let closing = threads.spawn(|| lookups.close());
            while lookups.place().is_ok() {
                std::thread::yield_now();
            }
            assert!(!closing.is_finished());
            drop(place);
        });
        let question = sql("SELECT id FROM things WHERE id = $1").bind("a");
        let refused = lookups.ask(&question, 2).expect("at once");
        assert!(refused.is_err_and(|error| error.is_unavailable()));
        assert_eq!(lookups.open(), 0);
    }
}
