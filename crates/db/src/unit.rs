//! A write: statements that happen together or not at all.

use std::time::Duration;

use crate::{Error, Row, Sql};

/// However much leisure there is.
const LONGEST_COMPANY: Duration = Duration::from_mins(1);

/// A list of statements, all or nothing, each with what it must do.
///
/// There is no interactive transaction: nothing is read inside one and decided in Rust. The check and the act are
/// one statement, and a check that failed undoes the whole list.
#[derive(Clone, Debug, Default)]
#[must_use = "a unit does nothing until it is written"]
pub struct Unit {
    pub(crate) statements: Vec<Statement>,
    /// How long it may wait for others.
    pub(crate) company: Duration,
}

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) sql: Sql,
    /// How many rows it must touch; `None` when any number will do.
    pub(crate) expected: Option<u64>,
    /// Whether the rows of its `RETURNING` are wanted.
    pub(crate) keeps_rows: bool,
}

impl Unit {
    /// A unit without statements.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a statement that must touch exactly `rows` rows; otherwise nothing happens and the answer is
    /// [`Error::Touched`]. The rows of its `RETURNING` come back.
    pub fn expect(self, rows: u64, sql: Sql) -> Self {
        self.with(Statement {
            sql,
            expected: Some(rows),
            keeps_rows: true,
        })
    }

    /// Adds a statement that may touch any number of rows, none included.
    pub fn run(self, sql: Sql) -> Self {
        self.with(Statement {
            sql,
            expected: None,
            keeps_rows: false,
        })
    }

    /// Adds a statement that may touch any number of rows, and whose `RETURNING` rows come back.
    pub fn returning(self, sql: Sql) -> Self {
        self.with(Statement {
            sql,
            expected: None,
            keeps_rows: true,
        })
    }

    /// Lets it wait for others to share the disk with, for so many milliseconds at most, and never longer than a minute: what is lost in time is won in
    /// changes a second. A file takes it along with the first that waits for nobody, as a unit does of which this is not
    /// said; to a server those that wait at the same time go together, in one transaction.
    pub fn wait_for_company(mut self, at_most: Duration) -> Self {
        self.company = at_most.min(LONGEST_COMPANY);
        self
    }

    /// Adds all statements of another unit behind those of this one. Together they wait for no longer than either would.
    pub fn append(mut self, mut other: Unit) -> Self {
        self.statements.append(&mut other.statements);
        self.company = self.company.min(other.company);
        self
    }

    /// The position that the next statement gets, by which [`Written`] will tell what it did.
    pub fn next_position(&self) -> usize {
        self.statements.len()
    }

    fn with(mut self, statement: Statement) -> Self {
        self.statements.push(statement);
        self
    }
}

/// The single statement, run as by [`Unit::run`].
impl From<Sql> for Unit {
    fn from(sql: Sql) -> Self {
        Unit::new().run(sql)
    }
}

/// What a unit did, by the position of its statements, the first being 0.
#[derive(Debug)]
pub struct Written {
    pub(crate) outcomes: Vec<Outcome>,
}

/// What one statement did.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) touched: u64,
    pub(crate) rows: Vec<Row>,
}

impl Outcome {
    /// Compares what the statement at `position` did with what it had to do.
    pub(crate) fn check(&self, position: usize, statement: &Statement) -> Result<(), Error> {
        match statement.expected {
            Some(expected) if expected != self.touched => Err(Error::Touched {
                statement: position,
                expected,
                touched: self.touched,
            }),
            _ => Ok(()),
        }
    }
}

impl Written {
    /// How many rows the statement inserted, updated or deleted. None for a statement that the unit does not have.
    pub fn touched(&self, statement: usize) -> u64 {
        self.outcomes
            .get(statement)
            .map_or(0, |outcome| outcome.touched)
    }

    /// The rows that the statement returned; none for one added by [`Unit::run`].
    pub fn rows(&self, statement: usize) -> &[Row] {
        self.outcomes
            .get(statement)
            .map_or(&[], |outcome| &outcome.rows)
    }

    /// The first row that the statement returned.
    pub fn row(&self, statement: usize) -> Option<&Row> {
        self.rows(statement).first()
    }
}
