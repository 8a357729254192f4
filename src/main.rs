//! Parses the arguments and calls a command.

use std::process::ExitCode;

fn main() -> ExitCode {
    doorward::cli::run()
}
