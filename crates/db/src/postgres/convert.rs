//! Values, rows and errors, ours and the driver's.

use std::{error::Error as _, sync::Arc};

use bytes::BytesMut;
use tokio_postgres::{
    Statement,
    error::Severity,
    types::{IsNull, ToSql, Type, to_sql_checked},
};

use crate::{Error, Kind, Row, Sql, Value};

/// The types of the values, said to the server when it prepares, so that it never has to guess one.
pub(super) fn types(sql: &Sql) -> Vec<Type> {
    let of = |value: &Value| match value.kind() {
        Kind::Bool => Type::BOOL,
        Kind::Int => Type::INT8,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
    };
    sql.values.iter().map(of).collect()
}

/// The values as the driver wants them.
pub(super) fn parameters(sql: &Sql) -> Vec<&(dyn ToSql + Sync)> {
    sql.values
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Null(_) => Ok(IsNull::Yes),
            Value::Bool(it) => it.to_sql(kind, out),
            Value::Int(it) => it.to_sql(kind, out),
            Value::Text(it) => it.to_sql(kind, out),
            Value::Bytes(it) => it.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::BOOL | Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

/// Refuses a statement whose answer has a column of a type that the shared dialect does not have.
pub(super) fn check_columns(statement: &Statement) -> Result<(), Error> {
    match statement
        .columns()
        .iter()
        .find(|column| kind_of(column.type_()).is_none())
    {
        None => Ok(()),
        Some(column) => Err(Error::Broken(format!(
            "column `{}` is {}: cast it",
            column.name(),
            column.type_().name()
        ))),
    }
}

fn kind_of(column: &Type) -> Option<Kind> {
    match *column {
        Type::BOOL => Some(Kind::Bool),
        Type::INT2 | Type::INT4 | Type::INT8 => Some(Kind::Int),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => Some(Kind::Text),
        Type::BYTEA => Some(Kind::Bytes),
        _ => None,
    }
}

/// The rows of an answer.
pub(super) fn rows(answer: &[tokio_postgres::Row]) -> Result<Vec<Row>, Error> {
    let Some(first) = answer.first() else {
        return Ok(Vec::new());
    };
    let names: Arc<[String]> = first
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    let row = |row: &tokio_postgres::Row| {
        let cells = (0..row.len())
            .map(|i| cell(row, i))
            .collect::<Result<_, _>>();
        let cells = cells.map_err(|e: tokio_postgres::Error| Error::Broken(describe(&e)))?;
        Ok(Row::new(Arc::clone(&names), cells))
    };
    answer.iter().map(row).collect()
}

fn cell(row: &tokio_postgres::Row, i: usize) -> Result<Option<Value>, tokio_postgres::Error> {
    let column = row.columns()[i].type_();
    Ok(match *column {
        Type::BOOL => row.try_get::<_, Option<bool>>(i)?.map(Value::Bool),
        Type::INT2 => row
            .try_get::<_, Option<i16>>(i)?
            .map(|it| Value::Int(it.into())),
        Type::INT4 => row
            .try_get::<_, Option<i32>>(i)?
            .map(|it| Value::Int(it.into())),
        Type::INT8 => row.try_get::<_, Option<i64>>(i)?.map(Value::Int),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(i)?.map(Value::Bytes),
        _ => row.try_get::<_, Option<String>>(i)?.map(Value::Text),
    })
}

/// What an error means for the statement at `position` of its unit, nothing having been committed.
pub(super) fn failure(error: &tokio_postgres::Error, position: usize) -> Error {
    let text = describe(error);
    let Some(code) = error.code() else {
        return Error::Unavailable(text);
    };
    match code.code() {
        "23505" => Error::Unique {
            statement: position,
        },
        // A conflict with another transaction, a lock or an answer that did not come in time.
        "40001" | "40P01" | "55P03" | "57014" => Error::Busy(text),
        // The connection, the resources, the shutting down or the disk of the server.
        code if ["08", "53", "57P", "58"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Error::Unavailable(text)
        }
        _ => Error::Broken(text),
    }
}

/// Whether two transactions were in each other's way and one was undone to let the other through.
pub(super) fn is_collision(error: &tokio_postgres::Error) -> bool {
    matches!(
        error.code().map(tokio_postgres::error::SqlState::code),
        Some("40001" | "40P01")
    )
}

/// Whether the connection is of no more use.
pub(super) fn is_lost(error: &tokio_postgres::Error) -> bool {
    error
        .as_db_error()
        .is_none_or(|e| !matches!(e.parsed_severity(), Some(Severity::Error)))
}

/// An error in words. A message of the server is repeated only if its class of errors never quotes a value, and its
/// `DETAIL`, which does, never.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    const WITHOUT_VALUES: [&str; 13] = [
        "08", "0A", "23", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58",
    ];
    let Some(cause) = error.as_db_error() else {
        let source = error.source().map(|source| format!(": {source}"));
        return format!("{error}{}", source.unwrap_or_default());
    };
    let code = cause.code().code();
    if WITHOUT_VALUES.iter().any(|class| code.starts_with(class)) {
        format!("{} ({code})", cause.message())
    } else {
        format!("error {code} of the server")
    }
}
