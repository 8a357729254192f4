//! The thread that writes: group commit.
//!
//! It takes all units that wait, up to 64 or as the address says, and commits them together, so that they share the one thing
//! that is slow, the wait for the disk. Each runs in a savepoint, so that it undoes nothing but itself; one that is alone needs
//! none. A unit is acknowledged when the commit of its group is on disk.

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
use crate::{Error, Unit, Written, queue::Queue};

type Answer = oneshot::Sender<Result<Written, Error>>;

/// A unit that waits, and where its answer goes.
pub(super) struct Job {
    unit: Unit,
    claim: Claim,
    /// Told as soon as nothing in the unit was refused, and only then.
    carried_out: Option<oneshot::Sender<()>>,
    answer: Answer,
}

/// A unit that was handed to the writer.
pub(crate) struct Pending {
    claim: Claim,
    answered: oneshot::Receiver<Result<Written, Error>>,
}

impl Pending {
    /// Waits until it is on the disk. It is taken from the queue or withdrawn from it, never both.
    pub(crate) async fn written(&mut self) -> Result<Written, Error> {
        let answer = match timeout(PATIENCE, &mut self.answered).await {
            Err(_) if self.claim.take() => {
                return Err(Error::Busy(
                    "the writer did not come to this change in time".to_owned(),
                ));
            }
            Err(_) => timeout(PATIENCE, &mut self.answered).await,
            answer => answer,
        };
        match answer {
            Ok(Ok(written)) => written,
            Ok(Err(_)) => Err(closed()),
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
    /// A unit whose caller may be told by `carried_out` before it is on the disk.
    pub(super) fn new(unit: Unit, carried_out: Option<oneshot::Sender<()>>) -> (Self, Pending) {
        let (answer, answered) = oneshot::channel();
        let claim = Claim::default();
        let pending = Pending {
            claim: claim.clone(),
            answered,
        };
        let job = Self {
            unit,
            claim,
            carried_out,
            answer,
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
fn write_group(connection: &Connection, mut jobs: Vec<Job>, committed: impl FnOnce()) {
    match run_group(connection, &mut jobs) {
        Ok(results) => {
            committed();
            for (job, result) in jobs.into_iter().zip(results) {
                let _ = job.answer.send(result);
            }
        }
        Err(error) => {
            tracing::warn!(%error, units = jobs.len(), "a group of changes was not written");
            if !connection.is_autocommit() {
                let _ = control(connection, "ROLLBACK");
            }
            for job in jobs {
                let _ = job.answer.send(Err(error.clone()));
            }
        }
    }
}

/// The result of each unit, or the error that lost them all.
fn run_group(
    connection: &Connection,
    jobs: &mut [Job],
) -> Result<Vec<Result<Written, Error>>, Error> {
    begin(connection)?;
    let results = match jobs {
        [alone] => match run_job(connection, alone) {
            Err(error) => {
                // A full or failing disk can make SQLite roll back by itself.
                if !connection.is_autocommit() {
                    control(connection, "ROLLBACK").map_err(|e| lost(&failure(&e, 0)))?;
                }
                return Ok(vec![Err(error)]);
            }
            written => vec![written],
        },
        jobs => {
            let results = jobs.iter_mut().map(|job| in_savepoint(connection, job));
            results.collect::<Result<_, Error>>()?
        }
    };
    commit(connection)?;
    Ok(results)
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
fn in_savepoint(connection: &Connection, job: &mut Job) -> Result<Result<Written, Error>, Error> {
    let control = |sql| control(connection, sql).map_err(|e| lost(&failure(&e, 0)));
    control("SAVEPOINT unit")?;
    let result = run_job(connection, job);
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

/// Runs a unit, and tells its caller, if nothing in it was refused and they want to know before it is on the disk.
fn run_job(connection: &Connection, job: &mut Job) -> Result<Written, Error> {
    let written = run_unit(connection, &job.unit)?;
    if let Some(carried_out) = job.carried_out.take() {
        let _ = carried_out.send(());
    }
    Ok(written)
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
