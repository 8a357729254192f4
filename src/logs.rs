//! How the service talks to its operator: lines on standard error, for people on a terminal, JSON elsewhere.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::{LogConfig, LogFormat};

/// Starts the log; once a process.
///
/// # Errors
/// A filter that cannot be read, in words.
pub fn start(config: &LogConfig) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.filter)
        .map_err(|error| format!("log.filter is not one: {error}. Write a level such as info, or info,doorward::sign_in=debug"))?;
    let is_json = match config.format {
        LogFormat::Auto => !stderr().is_terminal(),
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_span_events(FmtSpan::NONE);
    if is_json {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .init();
    } else {
        lines
            .with_ansi(stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .init();
    }
    Ok(())
}
