//! A copy of every table, kept in the database itself, and put back as a backup would be.

use db::{Db, Unit, sql};

/// What a backup holds, in an order in which rows may come back.
const TABLES: [&str; 8] = [
    "settings",
    "users",
    "passwords",
    "sessions",
    "signing_keys",
    "audit",
    "revocations",
    "revocation_count",
];

/// Copies all tables.
pub async fn make(db: &Db) {
    for table in TABLES {
        run(
            db,
            format!("CREATE TABLE copy_of_{table} AS SELECT * FROM {table}"),
        )
        .await;
    }
}

/// Puts the copies in the place of what is there now, in one transaction, and drops them.
pub async fn put_back(db: &Db) {
    let mut unit = Unit::new();
    for table in TABLES.iter().rev() {
        unit = unit.run(sql(format!("DELETE FROM {table}").leak()));
    }
    for table in TABLES {
        let back = format!("INSERT INTO {table} SELECT * FROM copy_of_{table}");
        unit = unit.run(sql(back.leak()));
    }
    db.write(unit).await.unwrap();
    for table in TABLES {
        run(db, format!("DROP TABLE copy_of_{table}")).await;
    }
}

/// A statement lives as long as the process; the names in it are the schema's own.
async fn run(db: &Db, statement: String) {
    db.write(Unit::new().run(sql(statement.leak())))
        .await
        .unwrap();
}
