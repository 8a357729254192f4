//! The command line: a noun, then a verb. Data goes to standard output, talk to standard error; exit codes are
//! 0 done, 1 failed, 2 usage, 4 not found, 69 unreachable, 78 configuration.

mod opening;
mod serve;
mod welcome;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::Inputs;

/// The keeper of the door: a sign-in service that a team drops beside its application.
#[derive(Parser)]
#[command(name = "doorward", version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

/// Where the configuration comes from; every command takes these.
#[derive(Args)]
struct Settings {
    /// The configuration file, instead of ./doorward.toml or /etc/doorward/doorward.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A setting by its key, over the environment and the file: --set tokens.lifetime=15m
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// For development on one machine: loopback only, sign-up open, pages on localhost may call
    #[arg(long, global = true)]
    dev: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the service
    Serve(serve::Serve),
}

/// How a command ended, when not well: what to say, and the exit code.
struct Failure {
    code: u8,
    words: String,
}

impl Failure {
    fn new(code: u8, words: impl std::fmt::Display) -> Self {
        Self {
            code,
            words: words.to_string(),
        }
    }

    fn failed(words: impl std::fmt::Display) -> Self {
        Self::new(1, words)
    }

    fn configuration(words: impl std::fmt::Display) -> Self {
        Self::new(78, words)
    }
}

impl Settings {
    fn inputs(&self) -> Inputs {
        Inputs {
            flags: self.set.clone(),
            file: self.config.clone(),
            dev: self.dev,
            ..Inputs::of_process()
        }
    }
}

/// Runs what the arguments ask for.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Serve(serve) => serve.run(cli.settings.inputs()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, words }) => {
            #[expect(
                clippy::print_stderr,
                reason = "this is what a command line says when it fails"
            )]
            {
                eprintln!("doorward: {words}");
            }
            ExitCode::from(code)
        }
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("write it as KEY=VALUE, such as tokens.lifetime=15m")?;
    Ok((key.to_owned(), value.to_owned()))
}
