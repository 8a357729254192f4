//! A unit, or several together, on a connection of their own: `BEGIN`, the statements and `COMMIT`, with as few waits between as
//! can be.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{self, Poll},
    time::Duration,
};

use deadpool_postgres::{ClientWrapper, Object, Pool, PoolError};
use tokio::time::{error::Elapsed, sleep, timeout};
use tokio_postgres::Statement;

use super::{
    ANSWER, SILENT,
    convert::{check_columns, describe, failure, is_collision, is_lost, parameters, rows, types},
};
use crate::{
    Error, Unit, Written,
    caller::Word,
    unit::{self, Outcome},
};

/// How often a unit is tried that collides with others or whose connection dies under it.
const ATTEMPTS: u32 = 5;
/// Whoever holds a row that one of several units wants holds up the others for no longer than this. A deadlock is over before the
/// server looks for it.
const BEGIN_TOGETHER: &str = "BEGIN READ WRITE; SET LOCAL lock_timeout = '50ms'";

/// Why an attempt failed.
struct Failure {
    error: Error,
    /// Nothing happened, and another attempt may succeed.
    again: bool,
    /// The connection can serve another unit.
    usable: bool,
}

/// Carries out a unit, and again when nothing happened for a reason that passes.
pub(super) async fn write(pool: &Pool, unit: &Unit) -> Result<Written, Error> {
    let mut attempt = 1;
    loop {
        let failure = match write_once(pool, &[unit]).await {
            Ok(mut words) => return words.swap_remove(0),
            Err(failure) => failure,
        };
        if !failure.again || attempt == ATTEMPTS {
            return Err(failure.error);
        }
        // Time for those in the way to finish, more each time.
        sleep(Duration::from_millis(4 << attempt)).await;
        attempt += 1;
    }
}

/// Carries out several units in one transaction, each of which gets its own word; `None` when nothing happened because of one of
/// them, and each may do better in a transaction of its own.
pub(super) async fn write_together(pool: &Pool, units: &[&Unit]) -> Option<Vec<Word>> {
    match write_once(pool, units).await {
        Ok(words) => Some(words),
        // There is no server, or none that answers: that is everybody's.
        Err(Failure {
            error: error @ (Error::Unavailable(_) | Error::OutcomeUnknown(_)),
            again: false,
            usable: false,
        }) => Some(units.iter().map(|_| Err(error.clone())).collect()),
        Err(_) => None,
    }
}

async fn write_once(pool: &Pool, units: &[&Unit]) -> Result<Vec<Word>, Failure> {
    let connection = pool.get().await.map_err(|e| useless(unconnected(&e)))?;
    let result = run(&connection, units).await;
    // A connection in an unknown state is closed, which ends its transaction.
    if result.as_ref().is_err_and(|failure| !failure.usable) {
        drop(Object::take(connection));
    }
    result
}

/// Sends everything at once, `COMMIT` included, when nothing has to be looked at before it. Otherwise `COMMIT` or
/// `ROLLBACK` is a second round trip: how many rows were touched is known here only when the answers are.
async fn run(connection: &ClientWrapper, units: &[&Unit]) -> Result<Vec<Word>, Failure> {
    let Ok(prepared) = timeout(ANSWER, prepare(connection, units)).await else {
        return Err(useless(Error::Unavailable(SILENT.to_owned())));
    };
    let prepared = prepared?;
    let begin = match units {
        [_] => "BEGIN READ WRITE",
        _ => BEGIN_TOGETHER,
    };
    let mut requests = vec![control(connection, begin)];
    requests.extend(
        statements(units)
            .zip(&prepared)
            .map(|((_, statement), prepared)| request(connection, statement, prepared)),
    );
    let at_once = statements(units).all(|(_, it)| it.expected.is_none() && !it.keeps_rows);
    let commit = at_once.then(|| control(connection, "COMMIT"));
    let Ok((answers, commit)) = timeout(ANSWER, pipelined(requests, commit)).await else {
        let error = if at_once {
            Error::OutcomeUnknown
        } else {
            Error::Unavailable
        };
        return Err(useless(error(SILENT.to_owned())));
    };
    match outcomes(answers, units, commit.is_some()) {
        Ok(words) => match ended(connection, "COMMIT", commit).await {
            Ok(Ok(_)) => Ok(words),
            Ok(Err(e)) => Err(uncommitted(&e, units)),
            Err(_) => Err(useless(Error::OutcomeUnknown(SILENT.to_owned()))),
        },
        Err(failure) if !failure.usable => Err(failure),
        Err(failure) => {
            let end = ended(connection, "ROLLBACK", commit).await;
            Err(Failure {
                usable: matches!(end, Ok(Ok(_))),
                ..failure
            })
        }
    }
}

/// All statements of the units, each with its position in its own.
fn statements<'a>(units: &'a [&Unit]) -> impl Iterator<Item = (usize, &'a unit::Statement)> {
    units
        .iter()
        .flat_map(|unit| unit.statements.iter().enumerate())
}

/// The answer to what ends the transaction: to the commit if one was sent already, which rolls back a transaction that
/// has failed.
async fn ended(
    connection: &ClientWrapper,
    sql: &'static str,
    commit: Option<Answered>,
) -> Result<Answered, Elapsed> {
    match commit {
        Some(answer) => Ok(answer),
        None => timeout(ANSWER, control(connection, sql)).await,
    }
}

async fn prepare(connection: &ClientWrapper, units: &[&Unit]) -> Result<Vec<Statement>, Failure> {
    let mut prepared = Vec::new();
    for (position, unit::Statement { sql, .. }) in statements(units) {
        let statement = connection.prepare_typed_cached(sql.text, &types(sql)).await;
        let statement = statement.map_err(|e| failed(&e, position, false))?;
        check_columns(&statement).map_err(|error| Failure {
            error,
            again: false,
            usable: true,
        })?;
        prepared.push(statement);
    }
    Ok(prepared)
}

/// What the server says to one request.
#[derive(Default)]
struct Answer {
    touched: u64,
    rows: Vec<tokio_postgres::Row>,
}

type Answered = Result<Answer, tokio_postgres::Error>;
type Request<'a> = Pin<Box<dyn Future<Output = Answered> + Send + 'a>>;

fn control<'a>(connection: &'a ClientWrapper, sql: &'static str) -> Request<'a> {
    Box::pin(async move {
        connection
            .batch_execute(sql)
            .await
            .map(|()| Answer::default())
    })
}

fn request<'a>(
    connection: &'a ClientWrapper,
    statement: &'a unit::Statement,
    prepared: &'a Statement,
) -> Request<'a> {
    let returns = !prepared.columns().is_empty();
    Box::pin(async move {
        let parameters = parameters(&statement.sql);
        if statement.keeps_rows && returns {
            let rows = connection.query(prepared, &parameters).await?;
            Ok(Answer {
                touched: rows.len() as u64,
                rows,
            })
        } else {
            let touched = connection.execute(prepared, &parameters).await?;
            Ok(Answer {
                touched,
                rows: Vec::new(),
            })
        }
    })
}

/// Sends the requests in their order without waiting in between, and waits for all answers.
///
/// The commit goes out behind them unless one failed before it was sent: the others would be committed without it.
async fn pipelined(
    mut requests: Vec<Request<'_>>,
    commit: Option<Request<'_>>,
) -> (Vec<Answered>, Option<Answered>) {
    let statements = requests.len();
    let mut commit = commit;
    let mut answers: Vec<Option<Answered>> = Vec::new();
    answers.resize_with(statements, || None);
    let mut is_sent = false;
    let mut next = 0;
    poll_fn(|context| {
        if !is_sent {
            // A request is sent when it is first polled.
            for (request, answer) in requests.iter_mut().zip(&mut answers) {
                *answer = ready(request.as_mut().poll(context));
            }
            if let Some(mut commit) = commit.take()
                && answers.iter().flatten().all(Result::is_ok)
            {
                answers.push(ready(commit.as_mut().poll(context)));
                requests.push(commit);
            }
            is_sent = true;
        }
        // They are answered in their order.
        while let (Some(request), Some(answer)) = (requests.get_mut(next), answers.get_mut(next)) {
            if answer.is_none() {
                *answer = Some(task::ready!(request.as_mut().poll(context)));
            }
            next += 1;
        }
        Poll::Ready(())
    })
    .await;
    let mut answers: Vec<Answered> = answers.into_iter().flatten().collect();
    let commit = if answers.len() > statements {
        answers.pop()
    } else {
        None
    };
    (answers, commit)
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(it) => Some(it),
        Poll::Pending => None,
    }
}

/// What became of each unit, or the first failure that undoes them all. The first answer is that of `BEGIN`.
fn outcomes(
    answers: Vec<Answered>,
    units: &[&Unit],
    commit_was_sent: bool,
) -> Result<Vec<Word>, Failure> {
    let refused = |error| Failure {
        error,
        again: false,
        usable: true,
    };
    let mut answers = answers.into_iter();
    if let Some(Err(e)) = answers.next() {
        let failure = failed(&e, 0, commit_was_sent);
        // A standby refuses to write; whatever else ails a server that cannot begin, it is the server.
        let error = match failure.error {
            Error::Broken(why) => Error::Unavailable(why),
            error => error,
        };
        return Err(Failure { error, ..failure });
    }
    let word = |unit: &&Unit| {
        let mut outcomes = Vec::with_capacity(unit.statements.len());
        let mut checked: Result<(), Error> = Ok(());
        let statements = unit.statements.iter().enumerate();
        for ((position, statement), answer) in statements.zip(answers.by_ref()) {
            let outcome = match (answer, &checked) {
                (Ok(answer), _) => Outcome {
                    touched: answer.touched,
                    rows: rows(&answer.rows).map_err(refused)?,
                },
                // A check that failed before may be why.
                (Err(_), Err(error)) => return Err(refused(error.clone())),
                (Err(e), Ok(())) => return Err(failed(&e, position, commit_was_sent)),
            };
            checked = checked.and_then(|()| outcome.check(position, statement));
            outcomes.push(outcome);
        }
        match checked {
            Ok(()) => Ok(Ok(Written { outcomes })),
            // It has changed nothing, so the others go on.
            Err(error) if units.len() > 1 && outcomes.iter().all(|it| it.touched == 0) => {
                Ok(Err(error))
            }
            Err(error) => Err(refused(error)),
        }
    };
    units.iter().map(word).collect()
}

/// A request failed. When the connection broke without a word, a commit that was sent may have arrived.
fn failed(error: &tokio_postgres::Error, position: usize, commit_was_sent: bool) -> Failure {
    if !is_lost(error) {
        return Failure {
            error: failure(error, position),
            again: is_collision(error),
            usable: true,
        };
    }
    if commit_was_sent && error.as_db_error().is_none() {
        return useless(Error::OutcomeUnknown(describe(error)));
    }
    Failure {
        error: Error::Unavailable(describe(error)),
        again: true,
        usable: false,
    }
}

/// The commit failed: it was refused, or its answer is lost. A session that was ended in the middle of a commit counts
/// as the latter, for a server that waits for its replicas has committed by then.
fn uncommitted(error: &tokio_postgres::Error, units: &[&Unit]) -> Failure {
    if is_lost(error) {
        return useless(Error::OutcomeUnknown(describe(error)));
    }
    let last = statements(units).last().map_or(0, |(position, _)| position);
    failed(error, last, true)
}

/// The connection is of no more use, and trying again of none either.
fn useless(error: Error) -> Failure {
    Failure {
        error,
        again: false,
        usable: false,
    }
}

fn unconnected(error: &PoolError) -> Error {
    Error::Unavailable(match error {
        PoolError::Backend(e) => describe(e),
        PoolError::Timeout(_) => "no connection was free in time".to_owned(),
        PoolError::Closed => "it is closed".to_owned(),
        other => other.to_string(),
    })
}
