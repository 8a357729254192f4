//! `doorward doctor`: looks at everything that a service needs, and says of each thing how it is and how to mend it.

mod database;
mod files;
mod hashing;
mod network;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::output::{self, plain};
use super::{Failure, Given, opening};
use crate::clock::Clock;
use crate::config::{self, Config};

/// Looks for what is not right, and says how to mend it
#[derive(Args)]
#[command(after_help = "Examples:
  doorward doctor
  doorward doctor --json | jq '.checks[] | select(.status != \"ok\")'

One line for each check: ok, warn (it works, and should not stay so) or fail, and how to mend it. Run it as the user
that runs the service and with the same configuration. As every command does, it brings a database whose schema is older
up to date; with SQLite not while a service is running. Exits with 1 when a check fails.")]
pub(super) struct Doctor {
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    /// It works, and should not stay so.
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    status: Status,
    /// How it is.
    found: String,
    /// How to mend it.
    fix: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            status: Status::Ok,
            found: found.into(),
            fix: None,
        }
    }

    fn warn(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check,
            status: Status::Warn,
            found: found.into(),
            fix: Some(fix.into()),
        }
    }

    fn fail(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            status: Status::Fail,
            ..Self::warn(check, found, fix)
        }
    }

    fn row(&self) -> [String; 3] {
        let status = match self.status {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "fail",
        };
        let mut words = self.found.clone();
        if let Some(fix) = &self.fix {
            words = format!("{words} -> {fix}");
        }
        // One line, whatever a source of errors says.
        let words: Vec<&str> = words.split_whitespace().collect();
        [
            status.to_owned(),
            self.check.to_owned(),
            plain(&words.join(" ")),
        ]
    }
}

impl Doctor {
    pub(super) fn run(self, given: &Given) -> Result<(), Failure> {
        let findings = match config::load(&given.inputs) {
            Ok(loaded) => examine(&loaded.config)?,
            Err(errors) => errors
                .each()
                .map(|(problem, fix)| Finding::fail("configuration", problem, fix))
                .collect(),
        };
        let failed = findings
            .iter()
            .filter(|finding| finding.status == Status::Fail)
            .count();
        if self.json {
            output::json(&json!({"ok": failed == 0, "checks": findings}))?;
        } else {
            output::lines(findings.iter().map(Finding::row).collect())?;
        }
        match failed {
            0 => Ok(()),
            1 => Err(Failure::failed("a check failed")),
            several => Err(Failure::failed(format_args!("{several} checks failed"))),
        }
    }
}

fn examine(config: &Config) -> Result<Vec<Finding>, Failure> {
    let now = Clock::system().now();
    let mut findings = vec![
        Finding::ok("configuration", "it is right"),
        files::data_folder(config),
        files::secret_key(config),
    ];
    findings.extend(opening::block_on(async {
        Ok(database::examine(config, now).await)
    })?);
    findings.extend(network::certificate(config));
    findings.extend([
        network::public_url(config),
        network::proxies(config),
        hashing::examine(config),
    ]);
    findings.extend(files::breached_passwords(config));
    Ok(findings)
}
