//! The thread that brings the journal back into the file, so that no commit waits for that: it writes as many pages as
//! the commits before it did, all over the file, and waits for the disk twice.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, DEFAULT_NAME, ErrorCode, hooks::Wal, wal::CheckpointMode};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Journal {
    /// Pages in it.
    pages: i64,
    /// Of those, the ones that are in the file as well.
    copied: i64,
}

/// The thread and its connection. The writer keeps it, and lets it end before itself.
pub(super) struct Checkpoints {
    connection: Arc<Mutex<Connection>>,
    wake: SyncSender<()>,
    thread: JoinHandle<()>,
    /// Pages in the journal, as the last commit left it. How many of them are copied has to be asked for.
    pages: Arc<AtomicI64>,
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
        let own = Arc::clone(&connection);
        let thread = thread::Builder::new()
            .name("db-checkpoint".to_owned())
            .spawn(move || run(&own, &woken))?;
        Ok(Self {
            connection,
            wake,
            thread,
            pages,
            commits,
        })
    }

    /// How many commits of the writer have written anything.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Sees after a commit of `writer` that the journal gets back into the file.
    pub(super) fn tend(&self, writer: &Connection) {
        if self.pages.load(Ordering::Relaxed) < WORTH {
            return;
        }
        match journal(writer, CheckpointMode::NOOP) {
            Ok(Journal { pages, copied }) if pages >= LONGEST && copied < pages => {
                checkpoint(&self.connection);
            }
            // A thread that was woken already will find this too.
            Ok(Journal { pages, copied }) if pages - copied >= WORTH => {
                let _ = self.wake.try_send(());
            }
            Ok(_) => {}
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

fn run(connection: &Mutex<Connection>, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        for _ in 0..PASSES {
            if checkpoint(connection) {
                break;
            }
        }
    }
}

fn checkpoint(connection: &Mutex<Connection>) -> bool {
    copy(&connection.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Copies into the file what is in the journal now, and says whether nothing has come meanwhile. What another process copies, or
/// what a reader still needs as it was, is left to the next time.
pub(super) fn copy(connection: &Connection) -> bool {
    let copied = match journal(connection, CheckpointMode::PASSIVE) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
        copied => copied.map(drop),
    };
    let left = copied.and_then(|()| journal(connection, CheckpointMode::NOOP));
    match left {
        Ok(Journal { pages, copied }) => copied >= pages,
        Err(error) => {
            tracing::warn!(%error, "the journal could not be brought back into the file; trying again after the next change");
            true
        }
    }
}

/// Called and not asked for by its PRAGMA, which SQLite parses anew each time: this comes after every commit.
fn journal(connection: &Connection, mode: CheckpointMode) -> rusqlite::Result<Journal> {
    let (pages, copied) = connection.wal_checkpoint_v2(DEFAULT_NAME, mode)?;
    Ok(Journal {
        pages: pages.into(),
        copied: copied.into(),
    })
}
