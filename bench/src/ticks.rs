//! Time of the machine's CPUs, as the kernel counts it.

use std::fs;

use anyhow::{Context as _, bail};

/// Clock ticks so far, as proc_pid_stat(5) and proc_stat(5) have them.
#[derive(Clone, Copy)]
pub(crate) struct Ticks {
    /// Of this process, and of the server where there is one, each with the children that it has waited for.
    ours: f64,
    /// Of everything that ran.
    busy: f64,
    /// Those in which nothing ran, too.
    all: f64,
}

impl Ticks {
    /// Up to now. The server is the process of this id.
    pub(crate) fn now(server: Option<u32>) -> anyhow::Result<Self> {
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
        let server = server.map_or(Ok(0.0), ticks_of)?;
        Ok(Self {
            ours: server + ticks_of(std::process::id())?,
            busy,
            all: busy + idle + waiting,
        })
    }

    /// The share of the machine's time that others used since `before`.
    pub(crate) fn of_others_since(self, before: Self) -> f64 {
        ((self.busy - before.busy) - (self.ours - before.ours)) / (self.all - before.all)
    }
}

/// User and system time of a process and of the children that it has waited for.
fn ticks_of(process: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is the program's name in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat")?;
    Ok(numbers(fields)
        .get(10..14)
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
