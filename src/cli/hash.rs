//! `doorward hash`: what password hashes cost on this machine, by the code and the threads that sign-ins use.

use std::time::Duration;

use clap::Args;
use passhash::Cost;
use serde_json::{Value, json};

use super::output::{self, talk};
use super::{Failure, Given, opening};
use crate::config::{self, PasswordConfig};
use crate::password;

/// Measures what password hashes cost on this machine
#[derive(Args)]
#[command(
    group(clap::ArgGroup::new("what").args(["tune", "bench"]).required(true)),
    after_help = "Examples:
  doorward hash --tune                    the strongest hash that takes up to 250ms here
  doorward hash --tune --target 500ms
  doorward hash --bench                   how many sign-ins a second the hashes allow
  doorward hash --bench --json --set password.argon2.memory_kib=65536

Stop the service first, or measure on an idle machine of the same kind: what else runs is measured too.")]
pub(super) struct Hash {
    /// Measures Argon2id at several costs and names the strongest within --target
    #[arg(long)]
    tune: bool,
    /// How long one hash may take
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = config::duration, conflicts_with = "bench")]
    target: Duration,
    /// Counts hashes a second at the configured cost, on one thread and on as many as the service has
    #[arg(long)]
    bench: bool,
    /// How long each of the two counts takes, up to 600
    #[arg(
        long, value_name = "NUMBER", default_value_t = 3, conflicts_with = "tune",
        value_parser = clap::value_parser!(u64).range(1..=600)
    )]
    seconds: u64,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

impl Hash {
    pub(super) fn run(self, given: &Given) -> Result<(), Failure> {
        if self.tune {
            return self.tune();
        }
        let config = opening::configuration(&given.inputs)?.config.password;
        self.bench(&config)
    }

    fn tune(self) -> Result<(), Failure> {
        let measured = passhash::tune(self.target).map_err(Failure::failed)?;
        let choice = measured
            .iter()
            .filter(|(_, took)| *took <= self.target)
            .max_by_key(|(cost, _)| strength(cost));
        if self.json {
            let all: Vec<Value> = measured.iter().map(told).collect();
            output::json(&json!({"measured": all, "choice": choice.map(told)}))?;
        } else {
            let heading = ["MEMORY KIB", "ITERATIONS", "PARALLELISM", "MILLISECONDS"];
            output::table(heading, measured.iter().map(row).collect())?;
        }
        let target = millis(self.target);
        match choice {
            Some((cost, _)) => talk(format_args!(
                "The strongest within {target} ms:\n\n  [password.argon2]\n  memory_kib = {}\n  iterations = {}\n  \
                 parallelism = {}\n\nEach hash thread holds that much memory. The next sign-in of each person brings \
                 their hash up to it.",
                cost.memory_kib, cost.iterations, cost.parallelism
            )),
            None => talk(format_args!(
                "Not even the weakest cost that OWASP recommends takes less than {target} ms here. Keep one of them: \
                 nothing below is worth having."
            )),
        }
        Ok(())
    }

    fn bench(self, config: &PasswordConfig) -> Result<(), Failure> {
        let threads = password::threads(config);
        let count = |threads| {
            let rate = passhash::bench(&config.argon2, threads, Duration::from_secs(self.seconds));
            rate.map(|rate| (rate * 10.0).round() / 10.0)
                .map_err(Failure::failed)
        };
        let one_thread = count(1)?;
        let all_threads = count(threads)?;
        if self.json {
            return output::json(&json!({
                "hashesPerSecond": {"oneThread": one_thread, "allThreads": all_threads}
            }));
        }
        let Cost {
            memory_kib,
            iterations,
            parallelism,
        } = config.argon2;
        talk(format_args!(
            "Argon2id, {memory_kib} KiB, {iterations} iterations, parallelism {parallelism}. Each sign-in is one hash."
        ));
        let row = |threads: usize, rate: f64| [threads.to_string(), rate.to_string()];
        output::table(
            ["THREADS", "HASHES A SECOND"],
            vec![row(1, one_thread), row(threads, all_threads)],
        )
    }
}

/// Costs by what an attacker has to do for them: memory times passes.
fn strength(cost: &Cost) -> u64 {
    u64::from(cost.memory_kib) * u64::from(cost.iterations)
}

fn told((cost, took): &(Cost, Duration)) -> Value {
    json!({
        "memoryKib": cost.memory_kib,
        "iterations": cost.iterations,
        "parallelism": cost.parallelism,
        "milliseconds": millis(*took),
    })
}

fn row((cost, took): &(Cost, Duration)) -> [String; 4] {
    [
        cost.memory_kib.to_string(),
        cost.iterations.to_string(),
        cost.parallelism.to_string(),
        millis(*took).to_string(),
    ]
}

/// With one decimal.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
