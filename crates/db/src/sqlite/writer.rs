//! The thread that writes: group commit.
//!
//! It takes all units that wait, up to 64 or as the address says, and commits them together, so that they share the one thing
//! that is slow, the wait for the disk. A unit is acknowledged when the commit of its group is on disk.
//!
//! One that is refused undoes nothing but itself. Most are refused by their first check and have changed nothing. Where one has,
//! its whole group is undone and runs again, each unit in a savepoint: these cost a copy of every page that a unit touches, and
//! so nobody pays for them before.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, ErrorCode, ffi};
use tokio::{sync::oneshot, time::timeout};

use super::{
    PATIENCE,
    checkpoint::Checkpoints,
    closed,
    edition::Editions,
    execute::{Wanted, execute, failure},
    open::File,
};
use crate::{
    Error, Unit, Written,
    caller::{self, Caller, Word},
    queue::Queue,
};

/// A unit that waits, and who waits for it.
pub(super) struct Job {
    unit: Unit,
    claim: Claim,
    caller: Caller,
}

/// A unit that was handed to the writer.
pub(super) struct Pending {
    claim: Claim,
    answered: oneshot::Receiver<Word>,
}

impl Pending {
    /// Waits until it is on the disk. It is taken from the queue or withdrawn from it, never both.
    pub(super) async fn written(mut self) -> Result<Written, Error> {
        match timeout(PATIENCE, &mut self.answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(closed())),
            Err(_) => self.late().await,
        }
    }

    /// The same for one that has waited for its turn as long as it may.
    async fn late(mut self) -> Result<Written, Error> {
        if self.claim.take() {
            return Err(Error::Busy(
                "the writer did not come to this change in time".to_owned(),
            ));
        }
        match timeout(PATIENCE, &mut self.answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(closed())),
            Err(_) => Err(Error::OutcomeUnknown(
                "the disk did not answer in time".to_owned(),
            )),
        }
    }
}

/// Who has a unit: the writer, or the caller who takes it back because it waited too long. The first to take it.
#[derive(Clone, Default)]
struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Takes the unit; `false` when the other side has it.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

impl Job {
    pub(super) fn new(unit: Unit) -> (Self, Pending) {
        let (caller, answered) = Caller::new();
        let claim = Claim::default();
        let pending = Pending {
            claim: claim.clone(),
            answered,
        };
        let job = Self {
            unit,
            claim,
            caller,
        };
        (job, pending)
    }
}

/// Starts the thread, which owns the file and its lock, and ends when the queue is closed and empty. Up to `group` units
/// share a commit.
pub(super) fn start(
    file: File,
    checkpoints: Checkpoints,
    editions: Arc<Editions>,
    queue: Arc<Queue<Job>>,
    group: usize,
) -> io::Result<JoinHandle<()>> {
    let File { writer, lock, .. } = file;
    thread::Builder::new()
        .name("db-write".to_owned())
        .spawn(move || {
            let ending = Ending(queue);
            loop {
                let mut jobs = ending.0.take(group);
                if jobs.is_empty() {
                    break;
                }
                jobs.retain(|job| job.claim.take());
                if !jobs.is_empty() {
                    let before = (editions.present(), checkpoints.commits());
                    write_group(&writer, jobs, || {
                        if checkpoints.commits() > before.1 {
                            editions.must_have_left(before.0.as_ref());
                        }
                    });
                    checkpoints.tend(&writer);
                }
            }
            // The last connection to close empties the journal.
            checkpoints.end();
            // The next server may come when the last word is in the file.
            drop(writer);
            drop(lock);
        })
}

/// However the thread ends, nobody is left waiting for it.
struct Ending(Arc<Queue<Job>>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Writes the units in one transaction and answers each: with its own result if the commit succeeds, with the failure
/// of the commit if not. A refusal is void then too, for it was judged by changes that are gone. `committed` is called before
/// anybody is told.
fn write_group(connection: &Connection, jobs: Vec<Job>, committed: impl FnOnce()) {
    match run_group(connection, &jobs) {
        Ok(results) => {
            committed();
            let callers = jobs.into_iter().map(|job| job.caller);
            caller::tell(callers.zip(results));
        }
        Err(error) => {
            tracing::warn!(%error, units = jobs.len(), "a group of changes was not written");
            if !connection.is_autocommit() {
                let _ = control(connection, "ROLLBACK");
            }
            let words = jobs.into_iter().map(|job| (job.caller, Err(error.clone())));
            caller::tell(words);
        }
    }
}

/// The result of each unit, or the error that lost them all.
fn run_group(connection: &Connection, jobs: &[Job]) -> Result<Vec<Word>, Error> {
    begin(connection)?;
    let results = match run_bare(connection, jobs) {
        Ok(results) => results,
        Err(refused) => {
            undo(connection)?;
            if jobs.len() == 1 {
                return Ok(vec![Err(refused)]);
            }
            begin(connection)?;
            let results = jobs.iter().map(|job| in_savepoint(connection, job));
            results.collect::<Result<_, Error>>()?
        }
    };
    commit(connection)?;
    Ok(results)
}

/// The result of each unit, one after the other; or why one was refused that had changed something by then.
fn run_bare(connection: &Connection, jobs: &[Job]) -> Result<Vec<Word>, Error> {
    let run = |job: &Job| {
        let before = connection.total_changes();
        match run_unit(connection, &job.unit) {
            // A full or failing disk can make SQLite roll back by itself.
            Err(error) if connection.total_changes() != before || connection.is_autocommit() => {
                Err(error)
            }
            result => Ok(result),
        }
    };
    jobs.iter().map(run).collect()
}

/// Ends the transaction as if it had never begun, unless SQLite has done so by itself.
fn undo(connection: &Connection) -> Result<(), Error> {
    if connection.is_autocommit() {
        return Ok(());
    }
    control(connection, "ROLLBACK").map_err(|e| lost(&failure(&e, 0)))
}

fn begin(connection: &Connection) -> Result<(), Error> {
    control(connection, "BEGIN IMMEDIATE").map_err(|e| failure(&e, 0))
}

fn commit(connection: &Connection) -> Result<(), Error> {
    control(connection, "COMMIT").map_err(|e| match e.sqlite_error() {
        // The journal may hold the whole commit although the disk did not confirm it. The next commit overwrites it,
        // but a crash before that would bring it to life. A commit that could not be written is not there.
        Some(cause)
            if cause.code == ErrorCode::SystemIoFailure
                && cause.extended_code != ffi::SQLITE_IOERR_WRITE =>
        {
            Error::OutcomeUnknown(e.to_string())
        }
        _ => lost(&failure(&e, 0)),
    })
}

/// The result of one unit, which undoes nothing but itself, or the error that ended the transaction of all.
fn in_savepoint(connection: &Connection, job: &Job) -> Result<Word, Error> {
    let control = |sql| control(connection, sql).map_err(|e| lost(&failure(&e, 0)));
    control("SAVEPOINT unit")?;
    let result = run_unit(connection, &job.unit);
    if let Err(error) = &result {
        // A full or failing disk can make SQLite roll back everything by itself.
        if connection.is_autocommit() {
            return Err(lost(error));
        }
        control("ROLLBACK TO unit")?;
    }
    control("RELEASE unit")?;
    Ok(result)
}

fn run_unit(connection: &Connection, unit: &Unit) -> Result<Written, Error> {
    let outcomes = unit
        .statements
        .iter()
        .enumerate()
        .map(|(position, statement)| {
            let wanted = if statement.keeps_rows {
                Wanted::Rows
            } else {
                Wanted::Change
            };
            let outcome = execute(connection, &statement.sql, wanted, position)?;
            outcome.check(position, statement)?;
            Ok(outcome)
        });
    Ok(Written {
        outcomes: outcomes.collect::<Result<_, Error>>()?,
    })
}

/// The error for those whose unit was innocent: it is the database's condition, whatever the cause.
fn lost(error: &Error) -> Error {
    match error {
        Error::Busy(_) | Error::Unavailable(_) | Error::Broken(_) => error.clone(),
        other => Error::Unavailable(format!("the transaction was lost: {other}")),
    }
}

fn control(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
