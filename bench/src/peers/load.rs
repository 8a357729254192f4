//! What wrk finds when it sends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail, ensure};

/// Longer than the last of 64 connections waits for the slowest peer, in seconds: what comes late is late and no failure.
const TIMEOUT: &str = "120";

/// Requests in a file, for wrk to send.
pub(super) struct Requests(PathBuf);

impl Requests {
    /// Writes them to that file.
    pub(super) fn write(path: PathBuf, requests: &[String]) -> anyhow::Result<Self> {
        fs::write(&path, requests.join("\0")).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }
}

/// A run of wrk that goes on.
pub(super) struct Running(Child);

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Run {
    /// Answers a second that were a success.
    pub(super) rate: f64,
    /// In milliseconds; nothing where nothing was answered.
    pub(super) p99: Option<f64>,
    /// Answers that were no success, and connections that broke.
    pub(super) failed: f64,
}

/// Begins to send over so many connections, each a request as soon as the last is answered.
pub(super) fn begin(
    host: &str,
    requests: &Requests,
    connections: usize,
    seconds: usize,
) -> anyhow::Result<Running> {
    let child = Command::new("wrk")
        .args(["--threads", "2", "--timeout", TIMEOUT])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s")])
        .args(["--script", "bench/peers/requests.lua"])
        .arg(format!("http://{host}/"))
        .arg("--")
        .arg(Path::new(&requests.0))
        .stdout(Stdio::piped())
        .spawn()
        .context("wrk")?;
    Ok(Running(child))
}

impl Running {
    /// Waits for its end.
    pub(super) fn end(self) -> anyhow::Result<Run> {
        let output = self.0.wait_with_output()?;
        ensure!(output.status.success(), "wrk: {}", output.status);
        let told = String::from_utf8(output.stdout)?;
        let figures = told.lines().find_map(|line| line.strip_prefix("figures "));
        run(figures.context("wrk said nothing")?)
    }
}

/// Of the line that `requests.lua` prints.
fn run(figures: &str) -> anyhow::Result<Run> {
    let numbers: Vec<f64> = figures
        .split_whitespace()
        .map_while(|word| word.parse().ok())
        .collect();
    let [answers, seconds, _, p99, failed] = numbers[..] else {
        bail!("not figures of wrk: {figures}");
    };
    Ok(Run {
        rate: answers / seconds,
        p99: (answers > 0.0).then_some(p99),
        failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_figures_is_a_run() {
        let known = run("300 2.000 1.500 9.250 3").expect("figures");
        let expected = Run {
            rate: 150.0,
            p99: Some(9.25),
            failed: 3.0,
        };
        assert_eq!(known, expected);
        let silent = run("0 2.000 0.000 0.000 0").expect("figures");
        assert_eq!((silent.rate, silent.p99), (0.0, None));
        assert!(run("300 2.000").is_err());
    }
}
