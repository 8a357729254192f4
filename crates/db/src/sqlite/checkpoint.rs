//! The thread that brings the journal back into the file, so that no commit waits for that: it writes as many pages as
//! the commits before it did, all over the file, and waits for the disk twice.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, hooks::Wal};

/// How many pages of the journal are brought back together: 4 MB. Few enough to be done soon, many enough that a page
/// which changes often is written once for many changes.
const WORTH: i64 = 1000;
/// How often what came meanwhile is brought back as well. When all of it is, the journal begins anew: whoever looks for a page
/// in it walks past each earlier version of that page.
const PASSES: usize = 3;
/// How many pages the journal has at most, 16 MB, unless a long read holds it up. Longer than that, the writer waits until
/// all of it is in the file: only then it begins anew.
const LONGEST: i64 = 4000;

/// How far the journal has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Journal {
    /// Pages in it.
    pages: i64,
    /// Of those, the ones that are in the file as well.
    copied: i64,
}

impl Journal {
    /// Notes that a commit left so many pages, and says how many of them may not be in the file.
    fn left(&mut self, pages: i64) -> i64 {
        if pages < self.pages {
            // It has begun anew.
            self.copied = 0;
        }
        self.pages = pages;
        pages - self.copied
    }
}

/// The thread and its connection. The writer keeps it, and lets it end before itself.
pub(super) struct Checkpoints {
    connection: Arc<Mutex<Connection>>,
    wake: SyncSender<()>,
    /// Whether the thread was woken and has not finished.
    awake: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    /// Pages in the journal, as the last commit left it. How many of them are copied has to be asked for.
    pages: Arc<AtomicI64>,
    /// As the writer saw it last: by now no fewer are copied, unless it has begun anew, which only the writer can make it do.
    seen: Journal,
    /// How many commits have written to it.
    commits: Arc<AtomicU64>,
}

impl Checkpoints {
    /// Starts the thread, on a connection of its own, to look after the journal that `writer` writes.
    pub(super) fn start(connection: Connection, writer: &mut Connection) -> io::Result<Self> {
        let pages = Arc::new(AtomicI64::new(0));
        let commits = Arc::new(AtomicU64::new(0));
        let (told, counted) = (Arc::clone(&pages), Arc::clone(&commits));
        let hook = move |_: &mut Wal, pages| {
            told.store(i64::from(pages), Ordering::Relaxed);
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        writer.wal_hook(Some(hook)).map_err(io::Error::other)?;
        let connection = Arc::new(Mutex::new(connection));
        let (wake, woken) = sync_channel(1);
        let awake = Arc::new(AtomicBool::new(false));
        let (own, at_it) = (Arc::clone(&connection), Arc::clone(&awake));
        let thread = thread::Builder::new()
            .name("db-checkpoint".to_owned())
            .spawn(move || run(&own, &woken, &at_it))?;
        Ok(Self {
            connection,
            wake,
            awake,
            thread,
            pages,
            commits,
            seen: Journal::default(),
        })
    }

    /// How many commits of the writer have written anything.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Sees after a commit of `writer` that the journal gets back into the file. Asks how much of it is there only when that may
    /// be too little and nobody is at it: a question is a statement to parse, and this comes after every commit.
    pub(super) fn tend(&mut self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        let is_enough = self.seen.left(pages) < WORTH || self.awake.load(Ordering::Acquire);
        if is_enough && pages < LONGEST {
            return;
        }
        match journal(writer, "PRAGMA wal_checkpoint(NOOP)") {
            Ok(journal) => {
                self.seen = journal;
                let left = journal.pages - journal.copied;
                if journal.pages >= LONGEST && left > 0 {
                    checkpoint(&self.connection);
                } else if left >= WORTH {
                    self.awake.store(true, Ordering::Release);
                    let _ = self.wake.try_send(());
                }
            }
            Err(error) => tracing::warn!(%error, "cannot tell how long the journal is"),
        }
    }

    /// Ends the thread and closes its connection.
    pub(super) fn end(self) {
        drop(self.wake);
        if self.thread.join().is_err() {
            tracing::error!("the thread that empties the journal panicked");
        }
    }
}

fn run(connection: &Mutex<Connection>, woken: &Receiver<()>, awake: &AtomicBool) {
    while woken.recv().is_ok() {
        for _ in 0..PASSES {
            if checkpoint(connection) {
                break;
            }
        }
        awake.store(false, Ordering::Release);
    }
}

/// Copies into the file what is in the journal now, and says whether nothing has come meanwhile. What another process copies, or
/// what a reader still needs as it was, is left to the next time.
fn checkpoint(connection: &Mutex<Connection>) -> bool {
    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
    let left = journal(&connection, "PRAGMA wal_checkpoint(PASSIVE)")
        .and_then(|_| journal(&connection, "PRAGMA wal_checkpoint(NOOP)"));
    match left {
        Ok(Journal { pages, copied }) => copied >= pages,
        Err(error) => {
            tracing::warn!(%error, "the journal could not be brought back into the file; trying again after the next change");
            true
        }
    }
}

fn journal(connection: &Connection, pragma: &'static str) -> rusqlite::Result<Journal> {
    connection.prepare_cached(pragma)?.query_row([], |row| {
        Ok(Journal {
            pages: row.get(1)?,
            copied: row.get(2)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_copied_counts_until_the_journal_begins_anew() {
        let mut seen = Journal {
            pages: 1200,
            copied: 1100,
        };
        assert_eq!(seen.left(1300), 200);
        assert_eq!(seen.left(1300), 200, "a commit that wrote nothing");
        assert_eq!(seen.left(7), 7);
        assert_eq!(seen.left(1300), 1300);
    }
}
