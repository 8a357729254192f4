//! The database as it is found after a fault, looked at beside the server or without one.

use db::{Db, sql};
use doorward::app::MIGRATIONS;

use crate::harness::process::Place;
use crate::harness::verify;

/// The database of a place.
pub struct Store(Db);

impl Store {
    pub async fn open(place: &Place) -> Self {
        Self(
            Db::open_beside(&place.database_url(), MIGRATIONS)
                .await
                .unwrap(),
        )
    }

    /// A number that a query calls `n`.
    pub async fn count(&self, query: &'static str) -> i64 {
        let n = self.0.one(sql(query), |row| row.int("n")).await;
        n.unwrap().unwrap()
    }

    /// One key, one schema, and all that must hold of rows.
    pub async fn is_sound(&self) {
        verify::store(&self.0).await;
        let schema = "SELECT CAST(count(*) AS BIGINT) AS n FROM schema_migrations";
        assert_eq!(
            self.count(schema).await,
            i64::try_from(MIGRATIONS.len()).unwrap()
        );
        let keys = "SELECT CAST(count(*) AS BIGINT) AS n FROM signing_keys";
        assert_eq!(self.count(keys).await, 1, "signing keys");
        let made = "SELECT CAST(count(*) AS BIGINT) AS n FROM audit WHERE event = 'key_created'";
        assert_eq!(self.count(made).await, 1, "keys that were made");
    }

    pub async fn close(self) {
        self.0.close().await;
    }
}
