//! What can go wrong. No text here carries a bound value: errors are logged, and values may be secrets.

/// Why a statement or a unit was not carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A statement did not touch as many rows as it had to. Nothing happened.
    #[error(
        "statement {statement} touched {touched} rows instead of {expected}; nothing was changed"
    )]
    Touched {
        /// Its position in the unit, from 0.
        statement: usize,
        /// How many rows it had to touch.
        expected: u64,
        /// How many it touched.
        touched: u64,
    },
    /// A statement broke a unique rule. Nothing happened. SQLite does not name the rule, so neither do we: one unique
    /// rule for each insert, and the code that caused it knows which.
    #[error("statement {statement} broke a unique rule; nothing was changed")]
    Unique {
        /// Its position in the unit, from 0.
        statement: usize,
    },
    /// The database is locked, or has more to do than it can. Nothing happened; ask again later.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The database cannot be reached, or its disk is full or failing. Nothing happened; ask again later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The commit was begun and its end was not seen: everything happened or nothing did. A unit that is safe to ask
    /// again may be asked again.
    #[error("whether the change was made is not known: {0}")]
    OutcomeUnknown(String),
    /// A fault of the program (a statement that does not parse, a column read as what it is not) or damaged data.
    /// Nothing happened.
    #[error("the database and the program disagree: {0}")]
    Broken(String),
}

impl Error {
    /// Whether the condition of the database is to blame, neither the request nor the program. It passes; until then a
    /// server answers 503. Includes [`Error::OutcomeUnknown`], after which the change may have been made.
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Error::Busy(_) | Error::Unavailable(_) | Error::OutcomeUnknown(_)
        )
    }

    /// Whether a statement touched another number of rows than it had to.
    pub fn is_touched(&self) -> bool {
        matches!(self, Error::Touched { .. })
    }

    /// Whether a unique rule was broken.
    pub fn is_unique(&self) -> bool {
        matches!(self, Error::Unique { .. })
    }
}

/// Why a database was not opened. Each text says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address of the database cannot be used.
    #[error("the database address cannot be used: {0}")]
    Address(String),
    /// Another process holds the lock of the file.
    #[error(
        "another process already serves {path}; stop it first, or give this one a file of its own"
    )]
    Served {
        /// The database file.
        path: String,
    },
    /// The schema is newer than this program.
    #[error(
        "the database has schema version {found}, and this program knows only up to {known}; \
         start a newer version of the program, or restore the backup that was made before the upgrade"
    )]
    Newer {
        /// The version found.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// The schema is older than this program, and a server that knows the older one is using it.
    #[error(
        "the database has schema version {found}, this program needs {known}, and a running server uses the database; \
         restart the server with the new version of the program first"
    )]
    Older {
        /// The version found.
        found: u32,
        /// The version that this program needs.
        known: u32,
    },
    /// A migration that was applied differs from the one of the same version in this program.
    #[error(
        "migration {version} ({name}) was applied with another text than this program has; \
         start the program that applied it, or restore a backup: a migration must never be edited once it was released"
    )]
    Changed {
        /// Its version.
        version: u32,
        /// Its name in this program.
        name: String,
    },
    /// A migration could not be carried out; the schema is as it was before it.
    #[error("migration {version} ({name}) failed and was undone: {reason}")]
    Migration {
        /// Its version.
        version: u32,
        /// Its name.
        name: String,
        /// What the database said.
        reason: String,
    },
    /// The database server cannot be reached, or does not let us in.
    #[error("cannot connect to the database: {0}")]
    Connect(String),
    /// The file or its folder cannot be opened or written.
    #[error("cannot open {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The SQLite library has a fault that loses data.
    #[error(
        "SQLite {found} can lose data (WAL reset); at least 3.51.3 is needed: build with the bundled library"
    )]
    SqliteTooOld {
        /// The version of the library.
        found: String,
    },
}
