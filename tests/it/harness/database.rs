//! A database of a test's own.

use std::env;
use std::path::PathBuf;

use db::Db;
use doorward::app::MIGRATIONS;

/// Where a test keeps its rows, and how that is cleared away.
#[derive(Clone)]
pub enum Database {
    Sqlite(PathBuf),
    Postgres { url: String },
}

/// Whether the tests run on PostgreSQL.
pub fn is_postgres() -> bool {
    env::var("TEST_DB").is_ok_and(|kind| kind == "postgres")
}

impl Database {
    #[expect(
        clippy::unused_async,
        reason = "whoever makes a database waits for it, whatever its kind"
    )]
    pub async fn new() -> Self {
        let name = format!(
            "t{}",
            uuid::Uuid::from_bytes(doorward::secret::bytes()).simple()
        );
        if is_postgres() {
            let base =
                env::var("TEST_POSTGRES_URL").expect("TEST_DB=postgres needs TEST_POSTGRES_URL");
            let joint = if base.contains('?') { '&' } else { '?' };
            Self::Postgres {
                url: format!("{base}{joint}schema={name}"),
            }
        } else {
            let folder = env::temp_dir().join(format!("doorward-{name}"));
            std::fs::create_dir(&folder).unwrap();
            Self::Sqlite(folder)
        }
    }

    /// As `DOORWARD_DATABASE_URL` takes it.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => folder.join("doorward.db").display().to_string(),
            Self::Postgres { url } => url.clone(),
        }
    }

    pub async fn open(&self) -> Db {
        Db::open(&self.url(), MIGRATIONS).await.unwrap()
    }

    /// The same for one more node. With SQLite that is a process beside the one that serves.
    pub async fn open_again(&self) -> Db {
        Db::open_beside(&self.url(), MIGRATIONS).await.unwrap()
    }

    /// SQLite's files go; a PostgreSQL schema goes with its cluster, which lives as long as the test run.
    #[expect(
        clippy::unused_async,
        reason = "whoever clears a database away waits for it, whatever its kind"
    )]
    pub async fn remove(&self) {
        if let Self::Sqlite(folder) = self {
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
}
