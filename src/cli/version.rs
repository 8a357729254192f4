//! `doorward version`: what this program is.

use clap::Args;
use serde_json::json;

use super::{Failure, output};
use crate::app::MIGRATIONS;

/// Prints the version of this program, and of the database schema that it needs
#[derive(Args)]
#[command(after_help = "Examples:
  doorward version --json")]
pub(super) struct Version {
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

impl Version {
    pub(super) fn run(self) -> Result<(), Failure> {
        let version = env!("CARGO_PKG_VERSION");
        let schema = MIGRATIONS.last().map_or(0, |newest| newest.version);
        if self.json {
            output::json(&json!({"version": version, "schema": schema}))
        } else {
            output::data(&format!("doorward {version}\ndatabase schema {schema}\n"))
        }
    }
}
