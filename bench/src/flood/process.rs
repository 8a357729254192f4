//! What memory a process takes, from one second to the next.

use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Looks at a process until it is told to stop.
pub(super) struct Watch {
    stop: Sender<()>,
    watching: JoinHandle<anyhow::Result<Vec<(f64, f64)>>>,
}

impl Watch {
    /// Looks at the process of this id each second from `began` on.
    pub(super) fn begin(process: u32, began: Instant) -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        let watching = thread::spawn(move || {
            let mut seen = Vec::new();
            loop {
                seen.push((began.elapsed().as_secs_f64(), resident(process)?));
                if stopped.recv_timeout(Duration::from_secs(1)) != Err(RecvTimeoutError::Timeout) {
                    return Ok(seen);
                }
            }
        });
        Self { stop, watching }
    }

    /// What was seen: seconds since it began, and MiB that are resident.
    pub(super) fn end(self) -> anyhow::Result<Vec<(f64, f64)>> {
        drop(self.stop);
        self.watching.join().ok().context("the watch panicked")?
    }
}

/// In MiB, as proc_pid_status(5) has it.
fn resident(process: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: f64 = line
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .context("VmRSS")?;
    Ok(kibibytes / 1024.0)
}
