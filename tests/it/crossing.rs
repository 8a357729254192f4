//! What a request found, and another changed before it wrote: then it touches no row. The races bring the same about by chance.

mod second_factors;
mod sessions;

use db::{Sql, Unit};

use crate::harness::Server;

/// Whether a statement touches the one row that it is about.
async fn touches(server: &Server, statement: Sql) -> bool {
    is_written(server, Unit::new().expect(1, statement)).await
}

async fn is_written(server: &Server, unit: Unit) -> bool {
    match server.app.db.write(unit).await {
        Ok(_) => true,
        Err(db::Error::Touched { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}
