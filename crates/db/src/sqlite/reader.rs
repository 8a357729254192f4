//! A thread that answers questions.

use std::{
    io,
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    execute::{Wanted, execute},
    open,
};
use crate::{Error, Row, Sql, queue::Queue};

/// A question and where its answer goes.
pub(super) struct Job {
    pub(super) question: Sql,
    pub(super) most: usize,
    pub(super) answer: oneshot::Sender<Result<Vec<Row>, Error>>,
}

/// Starts a thread that answers from the queue until it is closed. It opens the file for the first question: most tools ask
/// none of it.
pub(super) fn start(path: PathBuf, queue: Arc<Queue<Job>>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("db-read".to_owned())
        .spawn(move || {
            let mut connection = None;
            while let Some(Job {
                question,
                most,
                answer,
            }) = queue.take(1).pop()
            {
                // Nobody waits any longer: the caller gave up or went away.
                if answer.is_closed() {
                    continue;
                }
                let found = open::opened(&mut connection, || open::reader(&path))
                    .map_err(|e| Error::Unavailable(e.to_string()))
                    .and_then(|connection| ask(connection, &question, most));
                let _ = answer.send(found);
            }
        })
}

/// The answer of a connection to a question.
pub(super) fn ask(connection: &Connection, question: &Sql, most: usize) -> Result<Vec<Row>, Error> {
    Ok(execute(connection, question, Wanted::Answer(most), 0)?.rows)
}
