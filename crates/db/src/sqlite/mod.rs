//! The file database: two threads that read, one that writes, and one that brings the journal back into the file. What a
//! key finds is looked up without them.

mod checkpoint;
mod edition;
mod execute;
mod lookup;
mod migrate;
mod open;
mod reader;
mod writer;

use std::{
    io,
    num::NonZero,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use edition::Editions;
use lookup::Lookups;

use crate::{
    Edition, Error, Migration, OpenError, Row, Sql, Stats, Unit, Written, address, queue::Queue,
    queue::Refused,
};

/// How long a caller waits for its turn, and again for its answer once it is its turn. As long as SQLite itself waits
/// for another process that holds the write lock.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much may wait for a thread: with more, waiting has become failing, and memory is to stay flat.
const QUEUE: usize = 4096;
/// Threads that answer what may take long.
const READERS: usize = 2;

/// What the file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// To serve it: nobody else does.
    Server,
    /// To work beside whoever serves it.
    Beside,
}

/// An open file with its threads.
pub(crate) struct Sqlite {
    path: PathBuf,
    reads: Arc<Queue<reader::Job>>,
    writes: Arc<Queue<writer::Job>>,
    lookups: Arc<Lookups>,
    editions: Arc<Editions>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Sqlite {
    /// Opens the file, brings its schema up to date and starts the threads. Blocks.
    pub(crate) fn open(
        address: &address::File,
        migrations: &[Migration],
        role: Role,
    ) -> Result<Self, OpenError> {
        let mut file = open::File::open(&address.path, migrations, role)?;
        let path = file.path.clone();
        let unstarted = |e: io::Error| OpenError::File {
            path: path.display().to_string(),
            reason: format!("a thread could not be started: {e}"),
        };
        let cores = thread::available_parallelism().map_or(2, NonZero::get);
        let mut this = Self {
            path: path.clone(),
            reads: Arc::new(Queue::new(QUEUE)),
            writes: Arc::new(Queue::new(QUEUE)),
            // One for each thread that may ask at the same moment, those that serve and the one that does the rest, but for the
            // largest machines.
            lookups: Arc::new(Lookups::new(&path, cores.clamp(1, 16) + 1)),
            editions: Arc::new(Editions::of(&path)),
            threads: Mutex::default(),
        };
        let mut threads = Vec::with_capacity(READERS + 1);
        for _ in 0..READERS {
            let reader = reader::start(path.clone(), Arc::clone(&this.reads));
            threads.push(reader.map_err(unstarted)?);
        }
        // The writer is the last to be waited for, and the last connection to close empties the journal.
        let checkpoints =
            checkpoint::Checkpoints::start(open::checkpointer(&path)?, &mut file.writer)
                .map_err(unstarted)?;
        let (editions, writes) = (Arc::clone(&this.editions), Arc::clone(&this.writes));
        let writer = writer::start(file, checkpoints, editions, writes, address.group);
        threads.push(writer.map_err(unstarted)?);
        this.threads = Mutex::new(threads);
        Ok(this)
    }

    /// Asks for up to `most` rows that a key finds: now, in this thread, if nothing has to be waited for.
    pub(crate) async fn look_up(&self, question: Sql, most: usize) -> Result<Vec<Row>, Error> {
        // Who asks again and again would otherwise never give way to the tasks of its thread.
        tokio::task::coop::consume_budget().await;
        match self.lookups.ask(&question, most) {
            Some(answer) => answer,
            None => self.read(question, most).await,
        }
    }

    /// Asks for up to `most` rows.
    pub(crate) async fn read(&self, question: Sql, most: usize) -> Result<Vec<Row>, Error> {
        let (answer, answered) = oneshot::channel();
        self.reads
            .push(reader::Job {
                question,
                most,
                answer,
            })
            .map_err(refused)?;
        match timeout(PATIENCE, answered).await {
            Ok(Ok(rows)) => rows,
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(Error::Unavailable(
                "the file did not answer in time".to_owned(),
            )),
        }
    }

    /// Which edition of the file is the present one, if that can be told.
    pub(crate) fn edition(&self) -> Option<Edition> {
        self.editions.present()
    }

    /// Carries out a unit.
    pub(crate) async fn write(&self, unit: Unit) -> Result<Written, Error> {
        let company = unit.company;
        let (job, pending) = writer::Job::new(unit);
        self.writes.push_in_company(job, company).map_err(refused)?;
        pending.written().await
    }

    /// Reads the whole file in search of damage, on a connection of its own.
    pub(crate) async fn integrity(&self) -> Result<(), Error> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || open::integrity(&path))
            .await
            .map_err(|e| Error::Broken(format!("the check did not finish: {e}")))?
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            read_connections: READERS + self.lookups.open(),
            reads_waiting: self.reads.len(),
            write_connections: 1,
            writes_waiting: self.writes.len(),
        }
    }

    /// Lets the threads finish what was asked for and waits for them.
    pub(crate) async fn close(&self) {
        self.editions.end();
        self.reads.close();
        let writes = Arc::clone(&self.writes);
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let lookups = Arc::clone(&self.lookups);
        let waiting = tokio::task::spawn_blocking(move || {
            lookups.close();
            let readers = threads.len().saturating_sub(1);
            for (number, thread) in threads.into_iter().enumerate() {
                // The writer is the last to close the file, which empties the journal, and then lets the next server in.
                if number == readers {
                    writes.close();
                }
                if thread.join().is_err() {
                    tracing::error!("a database thread panicked");
                }
            }
        });
        if waiting.await.is_err() {
            tracing::error!("closing the database was interrupted");
        }
    }
}

/// Without a call of `close` the threads still finish what was asked for.
impl Drop for Sqlite {
    fn drop(&mut self) {
        self.reads.close();
        self.writes.close();
    }
}

fn refused(why: Refused) -> Error {
    match why {
        Refused::Full => Error::Busy("too much is waiting already".to_owned()),
        Refused::Closed => closed(),
    }
}

fn closed() -> Error {
    Error::Unavailable("it is closed".to_owned())
}
