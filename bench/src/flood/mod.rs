//! What a flood of wrong passwords does to a server: how many it looks at, how it refuses the others, and what everybody else
//! notices of it.

mod people;
mod phase;
mod plot;
mod process;
mod table;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::http::Connection;
use crate::record::keep;
use crate::setting;
use people::{Person, Wish};
use phase::{CONNECTIONS, Crowd, Phase, Plan};
use process::Watch;

/// What was measured.
struct Flood {
    /// Hashes a second on all threads when there is nothing else to do, before and after.
    raw: [f64; 2],
    /// One for each of [`Crowd::ALL`], each with when it began, in seconds.
    phases: Vec<(f64, Phase)>,
    /// Seconds, and MiB.
    memory: Vec<(f64, f64)>,
    /// How long a phase lasts.
    lasts: Duration,
}

/// `flood HOST PROCESS DOORWARD PLOT`: floods the server at `HOST`, which is the process of that id, and writes the plot to that
/// file. The raw rate of hashes is what the program `DOORWARD` says.
///
/// # Errors
/// When the server did not answer; never for what the figures are.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let arguments: Vec<String> = arguments.collect();
    let [host, process, program, plot] = arguments.as_slice() else {
        bail!("call it by dev/bench");
    };
    let lasts = Duration::from_secs(setting("DURATION", 30)? as u64);
    let rate = crate::figures::float(setting("RATE", 2_000)?);
    let mut connection = Connection::to(host)?;
    let signing_in = Crowd::ALL.map(|crowd| match crowd {
        Crowd::SignsIn(connections) => connections,
        Crowd::Nobody | Crowd::Floods(_) => 0,
    });
    let wishing = CONNECTIONS * Wish::ALL.len();
    let mut people = (0..wishing + signing_in.into_iter().max().unwrap_or(0))
        .map(|number| Person::new(&mut connection, host, number))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let before = raw(program)?;
    let process = process.parse()?;
    let began = Instant::now();
    let watch = Watch::begin(process, began);
    let mut phases = Vec::new();
    for crowd in Crowd::ALL {
        let plan = Plan {
            host,
            process,
            lasts,
            crowd,
            rate,
        };
        phases.push((
            began.elapsed().as_secs_f64(),
            phase::run(&plan, &mut people)?,
        ));
    }
    let memory = watch.end()?;
    let flood = Flood {
        raw: [before, raw(program)?],
        phases,
        memory,
        lasts,
    };
    let plot = PathBuf::from(plot);
    std::fs::write(&plot, plot::draw(&flood)).with_context(|| plot.display().to_string())?;
    let [before, after] = flood.raw;
    let note = format!(
        "{} s a phase; those who flood send at most {rate} requests a second together. Hashes/s alone: {before:.1} before, \
         {after:.1} after. Drawn in {}.",
        flood.lasts.as_secs(),
        plot.display()
    );
    keep(&note, table::figures(&flood)?)
}

/// Hashes a second on all threads, as the server's own command measures them.
fn raw(program: &str) -> anyhow::Result<f64> {
    let output = Command::new(program)
        .args(["hash", "--bench", "--json", "--dev"])
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let told: Value = serde_json::from_slice(&output.stdout)?;
    told["hashesPerSecond"]["allThreads"]
        .as_f64()
        .context("no rate of hashes")
}
