//! The command line: a noun, then a verb. Data goes to standard output, talk to standard error; exit codes are
//! 0 done, 1 failed, 2 usage, 4 not found, 69 unreachable, 78 configuration. Every command works beside a running
//! service; what a command decides is decided by the same functions as over HTTP.

mod breached;
mod config;
mod doctor;
mod failure;
mod hash;
mod healthcheck;
mod input;
mod key;
mod openapi;
mod opening;
mod output;
mod serve;
mod token;
mod user;
mod version;
mod welcome;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config::Inputs;
use failure::Failure;

/// What a command does, how it is used, and only then what else there is to say.
const HELP: &str = "{about}{after-help}\n\n{usage-heading} {usage}\n\n{all-args}";

/// The keeper of the door: a sign-in service that a team drops beside its application.
#[derive(Parser)]
#[command(
    name = "doorward",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "Examples:
  doorward serve --dev                     try it on this machine
  doorward user create ada@example.com     make somebody an account
  doorward doctor                          find what is not right, and how to mend it"
)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Options for every command")]
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
    /// Never asks anything; what would have been asked for and was not given is an error
    #[arg(long, global = true)]
    no_input: bool,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    #[command(subcommand)]
    User(user::User),
    #[command(subcommand)]
    Key(key::Key),
    #[command(subcommand)]
    Token(token::Token),
    Hash(hash::Hash),
    #[command(subcommand)]
    Breached(breached::Breached),
    #[command(subcommand)]
    Config(config::Config),
    Doctor(doctor::Doctor),
    Healthcheck(healthcheck::Healthcheck),
    /// Prints the HTTP interface as an OpenAPI 3.1 document
    #[command(after_help = "Examples:
  doorward openapi > openapi.json     for a generator of clients")]
    Openapi,
    Version(version::Version),
}

/// What every command is handed.
struct Given {
    /// Where the configuration comes from.
    inputs: Inputs,
    /// Whether somebody may be asked, where there is a terminal.
    may_ask: bool,
}

impl From<Settings> for Given {
    fn from(settings: Settings) -> Self {
        Self {
            inputs: Inputs {
                flags: settings.set,
                file: settings.config,
                dev: settings.dev,
                ..Inputs::of_process()
            },
            may_ask: !settings.no_input,
        }
    }
}

/// Runs what the arguments ask for.
pub fn run() -> ExitCode {
    let matches = examples_first(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let given = cli.settings.into();
    let outcome = match cli.command {
        Command::Serve(command) => command.run(given),
        Command::User(command) => command.run(&given),
        Command::Key(command) => command.run(&given),
        Command::Token(command) => command.run(&given),
        Command::Hash(command) => command.run(&given),
        Command::Breached(command) => command.run(),
        Command::Config(command) => command.run(&given),
        Command::Doctor(command) => command.run(&given),
        Command::Healthcheck(command) => command.run(&given),
        Command::Openapi => openapi::print(),
        Command::Version(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, words }) => {
            output::talk(format_args!("doorward: {words}"));
            ExitCode::from(code)
        }
    }
}

fn examples_first(command: clap::Command) -> clap::Command {
    command.help_template(HELP).mut_subcommands(examples_first)
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("write it as KEY=VALUE, such as tokens.lifetime=15m")?;
    Ok((key.to_owned(), value.to_owned()))
}
