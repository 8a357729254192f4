//! The facade: one way to ask and one way to write, whichever database answers.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    Error, Migration, OpenError, Row, Sql, Unit, Written,
    address::Address,
    postgres::Postgres,
    sqlite::{Role, Sqlite},
};

/// Which database answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// How busy the database is, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections that answer questions.
    pub read_connections: usize,
    /// Questions that wait for one of them.
    pub reads_waiting: usize,
    /// Connections that write.
    pub write_connections: usize,
    /// Units that wait for one of them.
    pub writes_waiting: usize,
}

/// What was asked of an open database since it was opened. The counts only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Statements that ask for rows, and not for the edition.
    pub questions: u64,
    /// Units that were to be written, whatever came of them.
    pub units: u64,
    /// Statements of those units.
    pub changes: u64,
}

#[derive(Default)]
struct Asked {
    questions: AtomicU64,
    units: AtomicU64,
    changes: AtomicU64,
}

/// One state of a database: whoever finds the same edition twice knows that nothing was changed in between, by this process or
/// another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition(pub(crate) Told);

/// By what a database tells its editions apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// By the header of the WAL-index.
    File([u8; 48]),
    /// By which transactions have ended and on which server, of which this is the SHA-256, and how many connections to it there had
    /// been.
    Server { connections: u64, told: [u8; 32] },
}

/// An open database. Clones share it; the last one that is dropped closes it.
#[derive(Clone)]
pub struct Db {
    backend: Backend,
    asked: Arc<Asked>,
}

#[derive(Clone)]
enum Backend {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Db {
    /// Opens a database as the one that serves it, and brings its schema up to date.
    ///
    /// `url` is a path, `sqlite:path` or `postgres://...`, with the parameters that each takes. A SQLite file is locked, so that no
    /// second server opens it.
    pub async fn open(url: &str, migrations: &[Migration]) -> Result<Db, OpenError> {
        Self::open_as(url, migrations, Role::Server).await
    }

    /// Opens a database for a tool that works beside a running server.
    ///
    /// The schema must be the one that this program knows. It is brought up to date when nobody serves the file.
    /// On PostgreSQL this is the same as [`Db::open`], for there a migration waits for its lock.
    pub async fn open_beside(url: &str, migrations: &[Migration]) -> Result<Db, OpenError> {
        Self::open_as(url, migrations, Role::Beside).await
    }

    async fn open_as(url: &str, migrations: &[Migration], role: Role) -> Result<Db, OpenError> {
        match Address::parse(url)? {
            Address::File(file) => {
                let migrations = migrations.to_vec();
                let opening =
                    tokio::task::spawn_blocking(move || Sqlite::open(&file, &migrations, role));
                let sqlite = opening
                    .await
                    .map_err(|e| OpenError::Connect(e.to_string()))??;
                Ok(Db {
                    backend: Backend::Sqlite(Arc::new(sqlite)),
                    asked: Arc::default(),
                })
            }
            Address::Server(server) => {
                let postgres = Postgres::open(*server, migrations).await?;
                Ok(Db {
                    backend: Backend::Postgres(Arc::new(postgres)),
                    asked: Arc::default(),
                })
            }
        }
    }

    /// Asks for one row, `None` when there is none. More than one is [`Error::Broken`].
    ///
    /// For what a key finds: a file is read in the thread that asks. What walks through a table is asked by [`Db::all`].
    pub async fn one<T>(
        &self,
        question: Sql,
        read: impl FnOnce(&Row) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.admit(&question)?;
        let rows = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.look_up(question, 2).await?,
            Backend::Postgres(postgres) => postgres.read(&question).await?,
        };
        match rows.as_slice() {
            [] => Ok(None),
            [row] => read(row).map(Some),
            [..] => Err(Error::Broken(
                "more than one row answered where one was asked for".to_owned(),
            )),
        }
    }

    /// Asks for all rows, in the order of the statement.
    pub async fn all<T>(
        &self,
        question: Sql,
        read: impl FnMut(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.admit(&question)?;
        let rows = match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(question, usize::MAX).await?,
            Backend::Postgres(postgres) => postgres.read(&question).await?,
        };
        rows.iter().map(read).collect()
    }

    fn admit(&self, question: &Sql) -> Result<(), Error> {
        question.check()?;
        self.asked.questions.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Carries out a unit. `Ok` means that all of it is on disk; every error but [`Error::OutcomeUnknown`] means that
    /// nothing of it happened. A caller that stops waiting changes neither.
    pub async fn write(&self, unit: impl Into<Unit>) -> Result<Written, Error> {
        let unit = unit.into();
        for statement in &unit.statements {
            statement.sql.check()?;
        }
        let changes = unit.statements.len() as u64;
        self.asked.changes.fetch_add(changes, Ordering::Relaxed);
        self.asked.units.fetch_add(1, Ordering::Relaxed);
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(unit).await,
            Backend::Postgres(postgres) => postgres.write(unit).await,
        }
    }

    /// Asks the database something small, to see that it answers.
    pub async fn ping(&self) -> Result<(), Error> {
        let question = crate::sql("SELECT version FROM schema_migrations LIMIT 1");
        self.all(question, |_| Ok(())).await.map(drop)
    }

    /// Looks for damage: the whole file on SQLite, which takes time; on PostgreSQL, that it answers.
    pub async fn integrity(&self) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.integrity().await,
            Backend::Postgres(_) => self.ping().await,
        }
    }

    /// Which edition of the database is the present one; `None` where that cannot be told. What was asked for after an edition was
    /// told is answered the same for as long as it is the present one; what [`Db::write`] has acknowledged is in the next.
    ///
    /// On a file it takes a hundredth of what a question takes. A server is asked one small question for all who want to know at
    /// the same moment, and is not asked for a while where most find that what they had `known` is over.
    pub async fn edition(&self, known: Option<&Edition>) -> Option<Edition> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.edition(),
            Backend::Postgres(postgres) => postgres.edition(known).await,
        }
    }

    /// Which database this is.
    pub fn kind(&self) -> Engine {
        match &self.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// How busy it is.
    pub fn stats(&self) -> Stats {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.stats(),
            Backend::Postgres(postgres) => postgres.stats(),
        }
    }

    /// What was asked of it so far, by all clones.
    pub fn counts(&self) -> Counts {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            questions: count(&self.asked.questions),
            units: count(&self.asked.units),
            changes: count(&self.asked.changes),
        }
    }

    /// Finishes what was asked for, writes the journal back into the file, and closes. Whatever is asked afterwards is
    /// [`Error::Unavailable`].
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }
}
