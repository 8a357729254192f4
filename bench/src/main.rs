//! The programs behind `dev/bench`. Each prints its figures on standard output and fails only when it could not measure.

mod auc;
mod bare;
mod chance;
mod check;
mod figures;
mod flood;
mod guess;
mod hash;
mod http;
mod one;
mod peers;
mod plot;
mod record;
mod report;
mod results;
mod service;
mod simulate;
mod start;
mod ticks;
mod who;

use std::process::ExitCode;

use anyhow::bail;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "why it failed, to whom it failed")]
            {
                eprintln!("doorward-bench: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("bare") => bare::run(arguments),
        Some("check") => check::run(arguments),
        Some("flood") => flood::run(arguments),
        Some("guess") => guess::run(arguments),
        Some("hash") => hash::run(),
        Some("one") => one::run(arguments),
        Some("peers") => peers::run(arguments),
        Some("raw") => hash::raw(arguments),
        Some("record") => record::run(arguments),
        Some("report") => report::run(arguments),
        Some("simulate") => simulate::run(arguments),
        Some("start") => start::run(arguments),
        Some("who") => who::run(arguments),
        Some("work") => check::work::run(arguments),
        _ => bail!("call it by dev/bench"),
    }
}

/// A whole number that the environment may set, and what it is otherwise.
fn setting(name: &str, default: usize) -> anyhow::Result<usize> {
    match std::env::var(name) {
        Ok(text) => match text.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => bail!("{name} must be a whole number above 0"),
        },
        Err(_) => Ok(default),
    }
}

/// Puts a line where figures go.
fn say(line: impl std::fmt::Display) {
    #[expect(clippy::print_stdout, reason = "figures are what the program is for")]
    {
        println!("{line}");
    }
}
