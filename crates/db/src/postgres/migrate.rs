//! Migrations on PostgreSQL: one process at a time, by a lock of the server that ends with its transaction.

use aws_lc_rs::digest::{SHA256, digest};
use deadpool_postgres::ClientWrapper;

use super::{connect::Connector, convert::describe};
use crate::{
    Migration, OpenError,
    migration::{self, Applied},
};

/// Makes the schema if need be and brings it up to date, each migration in a transaction that begins by looking again
/// at what is missing.
pub(super) async fn migrate(
    connector: &Connector,
    schema: Option<&str>,
    migrations: &[Migration],
) -> Result<(), OpenError> {
    let connection = connector.connect().await.map_err(OpenError::Connect)?;
    // A migration takes as long as it takes, and so does waiting for the process that is at it.
    run(
        &connection,
        "SET statement_timeout = 0; SET lock_timeout = '10min'",
    )
    .await?;
    loop {
        run(&connection, "BEGIN READ WRITE").await?;
        let next = next(&connection, schema, migrations).await;
        // When the connection is gone, so is the transaction; the cause is what is told.
        let end = run(
            &connection,
            if next.is_ok() { "COMMIT" } else { "ROLLBACK" },
        )
        .await;
        let applied_one = next?;
        end?;
        if !applied_one {
            return Ok(());
        }
    }
}

/// Applies the first migration that is missing; `false` when none is. Makes nothing that is there already, so that a
/// role without the right to make things can serve a schema that is up to date.
async fn next(
    connection: &ClientWrapper,
    schema: Option<&str>,
    migrations: &[Migration],
) -> Result<bool, OpenError> {
    connection
        .execute("SELECT pg_advisory_xact_lock($1)", &[&lock_of(schema)])
        .await
        .map_err(|e| told(&e))?;
    if let Some(schema) = schema
        && !exists(
            connection,
            "SELECT 1 FROM pg_namespace WHERE nspname = $1",
            schema,
        )
        .await?
    {
        run(connection, &format!("CREATE SCHEMA {schema}")).await?;
    }
    let table = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1";
    let mut applied = Vec::new();
    if exists(connection, table, "schema_migrations").await? {
        let rows = connection
            .query(migration::APPLIED, &[])
            .await
            .map_err(|e| told(&e))?;
        applied.extend(rows.iter().map(|row| Applied {
            version: row.get(0),
            checksum: row.get(1),
        }));
    } else {
        run(connection, migration::TABLE).await?;
    }
    let Some(migration) = migration::pending(migrations, &applied)?.first() else {
        return Ok(false);
    };
    for statement in migration.statements()? {
        connection
            .batch_execute(statement)
            .await
            .map_err(|e| migration.failed(describe(&e)))?;
    }
    let version = i64::from(migration.version);
    connection
        .execute(
            migration::NOTE,
            &[&version, &migration.name, &migration.checksum()],
        )
        .await
        .map_err(|e| told(&e))?;
    Ok(true)
}

/// The number of the lock: that of our schema, since others may migrate theirs in the same database.
fn lock_of(schema: Option<&str>) -> i64 {
    let name = format!("schema_migrations of {}", schema.unwrap_or_default());
    let hash = digest(&SHA256, name.as_bytes());
    hash.as_ref()
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | i64::from(*byte))
}

async fn exists(connection: &ClientWrapper, question: &str, name: &str) -> Result<bool, OpenError> {
    connection
        .query_opt(question, &[&name])
        .await
        .map(|row| row.is_some())
        .map_err(|e| told(&e))
}

async fn run(connection: &ClientWrapper, sql: &str) -> Result<(), OpenError> {
    connection.batch_execute(sql).await.map_err(|e| told(&e))
}

fn told(error: &tokio_postgres::Error) -> OpenError {
    OpenError::Connect(describe(error))
}
