//! What processes take, as the kernel counts it: memory from one second to the next, and time of the machine's CPUs.

use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

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

/// Clock ticks so far, as proc_pid_stat(5) and proc_stat(5) have them.
#[derive(Clone, Copy)]
pub(super) struct Ticks {
    /// Of the server and of this process.
    ours: f64,
    /// Of everything that ran.
    busy: f64,
    /// Those in which nothing ran, too.
    all: f64,
}

impl Ticks {
    /// Up to now, where the server is the process of this id.
    pub(super) fn now(server: u32) -> anyhow::Result<Self> {
        let all = fs::read_to_string("/proc/stat")?;
        let all = numbers(all.lines().next().unwrap_or_default());
        let [
            user,
            nice,
            system,
            idle,
            waiting,
            interrupts,
            soft,
            stolen,
            ..,
        ] = all[..]
        else {
            bail!("/proc/stat is not of the known form");
        };
        let busy = user + nice + system + interrupts + soft + stolen;
        let [server, own] = [server, std::process::id()].map(ticks_of);
        Ok(Self {
            ours: server? + own?,
            busy,
            all: busy + idle + waiting,
        })
    }

    /// The share of the machine's time that others used since `before`.
    pub(super) fn of_others_since(self, before: Self) -> f64 {
        ((self.busy - before.busy) - (self.ours - before.ours)) / (self.all - before.all)
    }
}

/// User and system time of a process.
fn ticks_of(process: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is the program's name in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat")?;
    Ok(numbers(fields)
        .get(10..12)
        .context("/proc/PID/stat")?
        .iter()
        .sum())
}

/// The fields behind the first one, which is a word.
fn numbers(fields: &str) -> Vec<f64> {
    fields
        .split_whitespace()
        .skip(1)
        .map_while(|field| field.parse().ok())
        .collect()
}
