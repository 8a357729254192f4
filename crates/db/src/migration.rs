//! Migrations: what there is to do, decided before either database does it.

use aws_lc_rs::digest::{SHA256, digest};

use crate::{OpenError, lex};

/// One step of the schema, in the shared dialect, with columns of `TEXT`, `BIGINT`, `BOOLEAN` and `BYTEA` only.
///
/// Once released, its text never changes: a checksum of it is kept, and a change is refused.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its number; each is greater than the one before.
    pub version: u32,
    /// What it does, in a few words, for messages.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

/// The table in which each database keeps what was applied to it.
pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations \
     (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";
/// What was applied, in order.
pub(crate) const APPLIED: &str = "SELECT version, checksum FROM schema_migrations ORDER BY version";
/// Notes that a migration was applied.
pub(crate) const NOTE: &str =
    "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)";

/// A migration that a database says was applied to it.
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) checksum: String,
}

impl Migration {
    /// SHA-256 of the text, in hexadecimal.
    pub(crate) fn checksum(&self) -> String {
        use std::fmt::Write;
        digest(&SHA256, self.sql.as_bytes())
            .as_ref()
            .iter()
            .fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }

    /// The statements, one by one, each with its place in the text.
    pub(crate) fn statements(&self) -> Result<Vec<&'static str>, OpenError> {
        lex::statements(self.sql).map_err(|reason| self.failed(reason))
    }

    /// The error that this migration failed.
    pub(crate) fn failed(&self, reason: impl Into<String>) -> OpenError {
        OpenError::Migration {
            version: self.version,
            name: self.name.to_owned(),
            reason: reason.into(),
        }
    }
}

/// The newest version that the program knows, 0 when it has no schema.
pub(crate) fn newest(known: &[Migration]) -> u32 {
    known.last().map_or(0, |last| last.version)
}

/// The newest version that was applied, 0 for an empty database.
pub(crate) fn current(applied: &[Applied]) -> u32 {
    applied
        .last()
        .map_or(0, |last| u32::try_from(last.version).unwrap_or(u32::MAX))
}

/// What is left to apply, once what was applied has been compared with what the program knows.
pub(crate) fn pending<'a>(
    known: &'a [Migration],
    applied: &[Applied],
) -> Result<&'a [Migration], OpenError> {
    if let Some([_, later]) = known.array_windows().find(|[a, b]| a.version >= b.version) {
        return Err(later.failed("its number is not greater than the one before it"));
    }
    if current(applied) > newest(known) {
        return Err(OpenError::Newer {
            found: current(applied),
            known: newest(known),
        });
    }
    for (known, applied) in known.iter().zip(applied) {
        if i64::from(known.version) != applied.version || known.checksum() != applied.checksum {
            return Err(OpenError::Changed {
                version: known.version,
                name: known.name.to_owned(),
            });
        }
    }
    Ok(&known[applied.len().min(known.len())..])
}
