//! One statement on one connection, and what SQLite's errors mean.

use std::sync::Arc;

use rusqlite::{
    Connection, ErrorCode, ffi,
    types::{ToSql, ToSqlOutput, ValueRef},
};

use crate::{Error, Row, Sql, Value, unit::Outcome};

/// Runs a statement to its end, or until it gave `most` rows.
///
/// # Errors
/// Unique violations name `position`, the statement's place in its unit.
pub(super) fn execute(
    connection: &Connection,
    sql: &Sql,
    most: usize,
    position: usize,
) -> Result<Outcome, Error> {
    let failed = |e: rusqlite::Error| failure(&e, position);
    let mut statement = connection.prepare_cached(sql.text).map_err(failed)?;
    // SQLite takes `$2` for a name, whose index is by first appearance: it is bound by that name.
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).unwrap_or_default();
        let number = name
            .strip_prefix('$')
            .and_then(|number| number.parse::<usize>().ok());
        let value = number.and_then(|number| sql.values.get(number.wrapping_sub(1)));
        let value = value
            .ok_or_else(|| Error::Broken(format!("no value for `{name}` in: {}", sql.text)))?;
        statement.raw_bind_parameter(index, value).map_err(failed)?;
    }
    let reads_only = statement.readonly();
    let mut columns: Option<Arc<[String]>> = None;
    let mut outcome = Outcome::default();
    let mut stepped = 0;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(failed)? {
        stepped += 1;
        if outcome.rows.len() < most {
            let columns = columns
                .get_or_insert_with(|| row.as_ref().column_names().map(str::to_owned).collect());
            let cells =
                (0..columns.len()).map(|i| cell(row.get_ref(i).map_err(failed)?, &columns[i]));
            let cells = cells.collect::<Result<_, Error>>()?;
            outcome.rows.push(Row::new(Arc::clone(columns), cells));
        }
        if reads_only && most > 0 && outcome.rows.len() == most {
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
