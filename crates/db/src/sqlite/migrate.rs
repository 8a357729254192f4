//! Migrations on SQLite.

use std::{path::Path, thread, time::Duration, time::Instant};

use rusqlite::Connection;

use super::{PATIENCE, Role, checkpoint, open};
use crate::{
    Migration, OpenError, lex,
    migration::{self, Applied},
};

/// Brings the schema up to date. A tool beside a server may do so only while nobody serves the file.
pub(super) fn migrate(
    connection: &Connection,
    path: &Path,
    migrations: &[Migration],
    role: Role,
) -> Result<(), OpenError> {
    if role == Role::Server {
        return apply(connection, path, migrations);
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let applied = applied(connection).map_err(|e| open::sqlite_error(path, &e))?;
        if migration::pending(migrations, &applied)?.is_empty() {
            return Ok(());
        }
        if let Some(_lock) = open::try_lock(path)? {
            return apply(connection, path, migrations);
        }
        // Whoever holds the lock may be just about to migrate.
        if Instant::now() >= deadline {
            let found = migration::current(&applied);
            return Err(OpenError::Older {
                found,
                known: migration::newest(migrations),
            });
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Applies what is missing, each migration in a transaction that begins by looking again at what is missing.
fn apply(connection: &Connection, path: &Path, migrations: &[Migration]) -> Result<(), OpenError> {
    let failed = |e: rusqlite::Error| open::sqlite_error(path, &e);
    let mut has_written = false;
    while {
        connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(failed)?;
        let next = next(connection, path, migrations);
        match &next {
            Ok(_) => connection.execute_batch("COMMIT").map_err(failed)?,
            // The cause is what is told; SQLite may have rolled back already.
            Err(_) if connection.is_autocommit() => {}
            Err(_) => connection.execute_batch("ROLLBACK").map_err(failed)?,
        }
        next?
    } {
        has_written = true;
    }
    if has_written {
        // Not first by a commit that somebody waits for.
        checkpoint::copy(connection);
    }
    Ok(())
}

/// Applies the first migration that is missing; `false` when none is.
fn next(connection: &Connection, path: &Path, migrations: &[Migration]) -> Result<bool, OpenError> {
    let failed = |e: rusqlite::Error| open::sqlite_error(path, &e);
    connection.execute_batch(migration::TABLE).map_err(failed)?;
    let applied = applied(connection).map_err(failed)?;
    let Some(migration) = migration::pending(migrations, &applied)?.first() else {
        return Ok(false);
    };
    for statement in migration.statements()? {
        let statement = lex::replace_word(statement, "BYTEA", "BLOB");
        connection
            .execute_batch(&statement)
            .map_err(|e| migration.failed(e.to_string()))?;
    }
    let orphans = connection
        .prepare("PRAGMA foreign_key_check")
        .and_then(|mut check| check.exists([]));
    if orphans.map_err(failed)? {
        return Err(migration.failed("it leaves rows that refer to rows that do not exist"));
    }
    let note = (migration.version, migration.name, migration.checksum());
    connection.execute(migration::NOTE, note).map_err(failed)?;
    Ok(true)
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'";
    if !connection.prepare(exists)?.exists([])? {
        return Ok(Vec::new());
    }
    connection
        .prepare(migration::APPLIED)?
        .query_map([], |row| {
            Ok(Applied {
                version: row.get(0)?,
                checksum: row.get(1)?,
            })
        })?
        .collect()
}
