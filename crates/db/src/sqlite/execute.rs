//! One statement on one connection, and what SQLite's errors mean.

use std::sync::Arc;

use rusqlite::{
    Connection, ErrorCode, Statement, ffi,
    types::{ToSql, ToSqlOutput, ValueRef},
};

use crate::{Error, Row, Sql, Value, statement::Shape, unit::Outcome};

/// What is wanted of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Up to so many rows, and nothing changed.
    Answer(usize),
    /// The change, and the rows that it returns.
    Rows,
    /// The change.
    Change,
}

/// Runs a statement.
///
/// # Errors
/// Unique violations name `position`, the statement's place in its unit.
pub(super) fn execute(
    connection: &Connection,
    sql: &Sql,
    wanted: Wanted,
    position: usize,
) -> Result<Outcome, Error> {
    let failed = |e: rusqlite::Error| failure(&e, position);
    let mut statement = connection.prepare_cached(sql.text).map_err(failed)?;
    let reads_only = statement.readonly();
    let most = match wanted {
        Wanted::Answer(_) if !reads_only => {
            return Err(Error::Broken(format!("a question writes: {}", sql.text)));
        }
        Wanted::Answer(most) => most,
        Wanted::Rows | Wanted::Change => usize::MAX,
    };
    let shape = Shape::of(sql.text);
    bind(&mut statement, sql, shape).map_err(failed)?;
    let mut outcome = Outcome::default();
    let mut stepped = 0;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(failed)? {
        stepped += 1;
        if wanted != Wanted::Change {
            let columns = shape.columns.get_or_init(|| names(row.as_ref()));
            if columns.len() != row.as_ref().column_count() {
                let what = "a statement answers other columns than before: name them in";
                return Err(Error::Broken(format!("{what}: {}", sql.text)));
            }
            let cells = columns.iter().enumerate();
            let cells = cells.map(|(i, name)| cell(row.get_ref(i).map_err(failed)?, name));
            outcome.rows.push(Row::new(
                Arc::clone(columns),
                cells.collect::<Result<_, _>>()?,
            ));
        }
        if outcome.rows.len() == most {
            break;
        }
    }
    drop(rows);
    outcome.touched = if reads_only {
        stepped
    } else {
        connection.changes()
    };
    Ok(outcome)
}

/// SQLite takes `$2` for a name and numbers names as they appear. That there is a value for each was checked before.
fn bind(statement: &mut Statement<'_>, sql: &Sql, shape: &Shape) -> rusqlite::Result<()> {
    for (index, number) in shape.placeholders.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, &sql.values[number - 1])?;
    }
    Ok(())
}

fn names(statement: &Statement<'_>) -> Arc<[String]> {
    statement.column_names().map(str::to_owned).collect()
}

fn cell(value: ValueRef<'_>, column: &str) -> Result<Option<Value>, Error> {
    Ok(Some(match value {
        ValueRef::Null => return Ok(None),
        ValueRef::Integer(it) => Value::Int(it),
        ValueRef::Text(it) => Value::Text(
            String::from_utf8(it.to_vec())
                .map_err(|_| Error::Broken(format!("column `{column}` is not UTF-8")))?,
        ),
        ValueRef::Blob(it) => Value::Bytes(it.to_vec()),
        ValueRef::Real(_) => {
            return Err(Error::Broken(format!(
                "column `{column}` is a fraction: cast it to BIGINT"
            )));
        }
    }))
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null(_) => ValueRef::Null,
            Value::Bool(it) => ValueRef::Integer(i64::from(*it)),
            Value::Int(it) => ValueRef::Integer(*it),
            Value::Text(it) => ValueRef::Text(it.as_bytes()),
            Value::Bytes(it) => ValueRef::Blob(it),
        }))
    }
}

/// What an error of SQLite means for the statement at `position`. SQLite's messages name tables and columns and quote
/// the statement, never values.
pub(super) fn failure(error: &rusqlite::Error, position: usize) -> Error {
    let text = error.to_string();
    let Some(cause) = error.sqlite_error() else {
        return Error::Broken(text);
    };
    match cause.code {
        ErrorCode::ConstraintViolation => match cause.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID => Error::Unique {
                statement: position,
            },
            _ => Error::Broken(text),
        },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Busy(text),
        ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::OutOfMemory => Error::Unavailable(text),
        _ => Error::Broken(text),
    }
}
