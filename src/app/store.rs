//! Facts about the store itself.

use db::{Db, Unit, sql};

use crate::error::Error;

/// The name of the mark that is sealed under the operator's secret key.
pub(super) const MARK: &str = "sealing_mark";

/// Whether there is a mark.
pub(super) async fn is_marked(db: &Db) -> Result<bool, Error> {
    let kept = sql("SELECT name FROM settings WHERE name = $1").bind(MARK);
    Ok(db.one(kept, |row| row.text("name")).await?.is_some())
}

/// Keeps `sealed` as the mark unless there is one, and gives back the mark that is kept.
pub(super) async fn mark(db: &Db, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let keep =
        sql("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
    db.write(Unit::new().run(keep.bind(MARK).bind(sealed)))
        .await?;
    let kept = sql("SELECT value FROM settings WHERE name = $1").bind(MARK);
    Ok(db
        .one(kept, |row| row.bytes("value"))
        .await?
        .unwrap_or_default())
}
