//! `doorward config`: what the configuration comes to, and what it could be.

use clap::Subcommand;

use super::{Failure, Given, opening, output};
use crate::config;

/// Checks and shows the configuration
#[derive(Subcommand)]
#[command(after_help = "Examples:
  doorward config check              before a restart
  doorward config show --origin      when a value is not the one that was expected")]
pub(super) enum Config {
    /// Checks the configuration and says everything that is wrong with it
    #[command(after_help = "Examples:
  doorward config check
  doorward config check --config next.toml && systemctl restart doorward

Exits with 0 when it is right and with 78 when it is not. Nothing is opened: see `doorward doctor` for that.")]
    Check,
    /// Prints the values in force as TOML; secrets are ***
    #[command(after_help = "Examples:
  doorward config show --origin
  DOORWARD_TOKENS__LIFETIME=15m doorward config show | grep lifetime")]
    Show {
        /// Adds where each value came from
        #[arg(long)]
        origin: bool,
    },
    /// Prints every setting with its environment variable, its default and its meaning
    #[command(after_help = "Examples:
  doorward config reference | less")]
    Reference,
}

impl Config {
    pub(super) fn run(self, given: &Given) -> Result<(), Failure> {
        match self {
            Self::Check => {
                opening::configuration(&given.inputs)?;
                output::talk("The configuration is right.");
                Ok(())
            }
            Self::Show { origin } => {
                output::data(&opening::configuration(&given.inputs)?.show(origin))
            }
            Self::Reference => output::data(&config::reference()),
        }
    }
}
