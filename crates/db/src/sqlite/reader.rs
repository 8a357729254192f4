//! A thread that answers questions.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::execute::{Wanted, execute};
use crate::{Error, Row, Sql, queue::Queue};

/// A question and where its answer goes.
pub(super) struct Job {
    pub(super) question: Sql,
    pub(super) most: usize,
    pub(super) answer: oneshot::Sender<Result<Vec<Row>, Error>>,
}

/// Starts a thread that answers from the queue until it is closed.
pub(super) fn start(connection: Connection, queue: Arc<Queue<Job>>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("db-read".to_owned())
        .spawn(move || {
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
                let _ = answer.send(ask(&connection, &question, most));
            }
        })
}

fn ask(connection: &Connection, question: &Sql, most: usize) -> Result<Vec<Row>, Error> {
    Ok(execute(connection, question, Wanted::Answer(most), 0)?.rows)
}
