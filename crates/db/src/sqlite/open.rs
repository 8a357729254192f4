//! Opening the file: who may, and how SQLite is set up on it.

use std::{
    fs::{self, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig, ffi};

use super::{PATIENCE, Role, execute::failure, migrate};
use crate::{Error, Migration, OpenError};

/// The first version without the fault that could lose commits when the journal is reset.
const OLDEST: i32 = 3_051_003;
const _: () = assert!(
    ffi::SQLITE_VERSION_NUMBER >= OLDEST,
    "the bundled SQLite is too old"
);

/// How long to wait before trying again what somebody else is in the way of.
const PAUSE: Duration = Duration::from_millis(10);

/// How many prepared statements a connection keeps: more than a program has.
const STATEMENTS: usize = 256;

/// What a connection that reads keeps of the file, in KiB: the upper pages of its indexes. The system keeps the rest, and
/// whatever is kept here is void with the next commit.
const READ_CACHE: i64 = 256;

/// The file, opened for writing, with the schema that the program knows.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) writer: Connection,
    /// Held by the server for as long as it writes; `None` for a tool beside it.
    pub(super) lock: Option<fs::File>,
}

impl File {
    pub(super) fn open(
        path: &Path,
        migrations: &[Migration],
        role: Role,
    ) -> Result<Self, OpenError> {
        if rusqlite::version_number() < OLDEST {
            return Err(OpenError::SqliteTooOld {
                found: rusqlite::version().to_owned(),
            });
        }
        create(path).map_err(|e| file_error(path, &e))?;
        // One lock for one file, whatever name it was opened by.
        let path = fs::canonicalize(path).map_err(|e| file_error(path, &e))?;
        let mut lock = None;
        if role == Role::Server {
            lock = Some(lock_soon(&path)?.ok_or_else(|| OpenError::Served {
                path: path.display().to_string(),
            })?);
        }
        let writer = patiently(|| writer(&path)).map_err(|e| sqlite_error(&path, &e))?;
        migrate::migrate(&writer, &path, migrations, role)?;
        let on = writer.pragma_update(None, "foreign_keys", true);
        on.map_err(|e| sqlite_error(&path, &e))?;
        Ok(Self { path, writer, lock })
    }
}

/// Makes the file if there is none, readable by its owner only, and sees that it can be written.
fn create(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    if file.metadata()?.mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// The lock, or `None` when another process holds it and goes on holding it. For a moment it may be held by nobody who
/// serves: by a server that is ending, or by a program that one has started and that has not begun to run.
fn lock_soon(path: &Path) -> Result<Option<fs::File>, OpenError> {
    const ATTEMPTS: u32 = 100;
    for _ in 1..ATTEMPTS {
        if let Some(lock) = try_lock(path)? {
            return Ok(Some(lock));
        }
        thread::sleep(PAUSE);
    }
    try_lock(path)
}

/// The lock beside the file, or `None` when another process holds it. It ends with the process that holds it; the
/// lock file stays, since to remove it would let two processes lock two files of the same name.
pub(super) fn try_lock(path: &Path) -> Result<Option<fs::File>, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let path = Path::new(&name);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    let file = file.map_err(|e| file_error(path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(file_error(path, &e)),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    connect_waiting(path, PATIENCE)
}

/// A connection that waits for so long where somebody has locked the file, from the first word on.
fn connect_waiting(path: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(patience)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // As PostgreSQL has it: what stands in double quotes is a name, and LIKE minds case.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.pragma_update(None, "case_sensitive_like", true)?;
    // A statement keeps its plan whatever is bound to it. Otherwise SQLite prepares again, each time it is used, one that
    // it could plan better if it knew a value: any with a LIMIT or a range.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // What is sorted or gathered on the way is not for /tmp.
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

/// Tries again while the file is busy. SQLite itself does not wait for whoever else turns the journal on, or closes the
/// file as its last user.
fn patiently<T>(attempt: impl Fn() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let attempts = PATIENCE.as_millis() / PAUSE.as_millis();
    for _ in 1..attempts {
        match attempt() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
    attempt()
}

/// The writing connection, without foreign keys: a migration that rebuilds a table would delete what refers to it.
fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| {
        let mode: String = row.get(0)?;
        if mode == "wal" {
            Ok(())
        } else {
            Err(rusqlite::Error::InvalidQuery)
        }
    })?;
    // An acknowledged change is on the disk.
    connection.pragma_update(None, "synchronous", "full")?;
    // A thread of its own brings the journal back into the file. What a long read made it grow beyond 16 MB is cut off.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> Result<Connection, OpenError> {
    reading(path, PATIENCE)
}

fn reading(path: &Path, patience: Duration) -> Result<Connection, OpenError> {
    let open = || {
        let connection = connect_waiting(path, patience)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -READ_CACHE)?;
        Ok(connection)
    };
    open().map_err(|e| sqlite_error(path, &e))
}

/// The connection that is open, or else a new one.
pub(super) fn opened(
    connection: &mut Option<Connection>,
    open: impl FnOnce() -> Result<Connection, OpenError>,
) -> Result<&Connection, OpenError> {
    match connection {
        Some(connection) => Ok(connection),
        none => Ok(none.insert(open()?)),
    }
}

/// A connection that cannot write, and does not wait for whoever has locked the file.
pub(super) fn lookup(path: &Path) -> Result<Connection, OpenError> {
    reading(path, Duration::ZERO)
}

/// A connection that brings the journal back into the file, as durably as the writer writes it.
pub(super) fn checkpointer(path: &Path) -> Result<Connection, OpenError> {
    let open = || {
        let connection = connect(path)?;
        connection.pragma_update(None, "synchronous", "full")?;
        Ok(connection)
    };
    open().map_err(|e| sqlite_error(path, &e))
}

/// Reads the whole file in search of damage. Blocks.
pub(super) fn integrity(path: &Path) -> Result<(), Error> {
    let look = || {
        connect(path)?.query_row("PRAGMA integrity_check(1)", [], |row| {
            row.get::<_, String>(0)
        })
    };
    match look() {
        Ok(found) if found == "ok" => Ok(()),
        Ok(found) => Err(Error::Broken(format!("the file is damaged: {found}"))),
        Err(e) => Err(failure(&e, 0)),
    }
}

/// An error of the file system, with what to do about it.
fn file_error(path: &Path, error: &io::Error) -> OpenError {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "; make its folder first",
        io::ErrorKind::PermissionDenied => {
            "; run as the user that owns the file and its folder, or change their owner"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "; the file and its folder must be on a medium that can be written"
        }
        io::ErrorKind::StorageFull => "; make room on the disk",
        _ => "",
    };
    OpenError::File {
        path: path.display().to_string(),
        reason: format!("{error}{advice}"),
    }
}

/// An error of SQLite while opening, with what to do about it.
pub(super) fn sqlite_error(path: &Path, error: &rusqlite::Error) -> OpenError {
    let advice = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            "; the file is damaged or no database: restore a backup of it, together with its -wal file"
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "; the file, its -wal and -shm files and its folder must be writable"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "; another process holds the file: wait for it"
        }
        Some(ErrorCode::DiskFull) => "; make room on the disk",
        _ => "",
    };
    OpenError::File {
        path: path.display().to_string(),
        reason: format!("{error}{advice}"),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::{
        sql,
        sqlite::execute::{Wanted, execute},
    };

    /// What each connection is told decides whether an acknowledged change is on the disk and a reader can write.
    #[test]
    fn connections_are_set_up_as_promised() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = File::open(&folder.path().join("test.db"), &[], Role::Server).expect("it opens");
        let reader = reader(&file.path).expect("it opens");
        let told = |connection: &Connection, pragma: &str| -> String {
            let row = |row: &rusqlite::Row<'_>| row.get_ref(0).map(|value| format!("{value:?}"));
            connection
                .pragma_query_value(None, pragma, row)
                .expect("it is told")
        };
        let writer = [
            ("journal_mode", "Text([119, 97, 108])"),
            ("synchronous", "Integer(2)"),
            ("foreign_keys", "Integer(1)"),
            ("busy_timeout", "Integer(5000)"),
            ("trusted_schema", "Integer(0)"),
            ("wal_autocheckpoint", "Integer(0)"),
            ("query_only", "Integer(0)"),
        ];
        for (pragma, value) in writer {
            assert_eq!(told(&file.writer, pragma), value, "{pragma}");
        }
        for (pragma, value) in [
            ("query_only", "Integer(1)"),
            ("busy_timeout", "Integer(5000)"),
        ] {
            assert_eq!(told(&reader, pragma), value, "{pragma}");
        }
        let lookup = lookup(&file.path).expect("it opens");
        for (pragma, value) in [("query_only", "Integer(1)"), ("busy_timeout", "Integer(0)")] {
            assert_eq!(told(&lookup, pragma), value, "{pragma}");
        }
    }

    #[test]
    fn a_statement_is_prepared_once_whatever_is_bound_to_it() {
        const FEW: &str = "SELECT number FROM things WHERE id = $1 AND number > $2 AND number < $3 ORDER BY number LIMIT $4";
        let folder = tempfile::tempdir().expect("a folder");
        let file = File::open(&folder.path().join("test.db"), &[], Role::Server).expect("it opens");
        file.writer
            .execute_batch(
                "CREATE TABLE things (id TEXT PRIMARY KEY, number BIGINT); CREATE INDEX by_number ON things (number);
                 INSERT INTO things VALUES ('a', 1), ('b', 2), ('c', 3); ANALYZE;",
            )
            .expect("made");
        let reader = reader(&file.path).expect("it opens");
        for (id, number) in [("a", 0), ("b", 1), ("c", 2)] {
            let question = sql(FEW).bind(id).bind(number).bind(number + 2).bind(1_i64);
            let outcome = execute(&reader, &question, Wanted::Answer(1), 0).expect("asked");
            assert_eq!(outcome.rows.len(), 1);
        }
        let statement = reader.prepare_cached(FEW).expect("it is there");
        assert_eq!(statement.get_status(StatementStatus::Run), 3);
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
