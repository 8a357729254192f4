//! Counts that no other work on the machine can change, against a budget: instructions and allocations, as valgrind counts
//! them, and SQL statements. Each is counted with some work done so many times and with twice as many, and the difference is
//! what it takes; so whatever the start takes is in neither.

pub(crate) mod work;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::say;

/// `bench/budget.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    /// How far a count may be from what it is to be, in per cent, to either side: a budget that was left far above what is
    /// needed would let the next mistake pass.
    tolerance: f64,
    /// By the work and what is counted of it.
    each: BTreeMap<String, BTreeMap<String, f64>>,
}

/// Something that is done, and what is counted of it.
struct Work {
    name: &'static str,
    /// How often in the shorter run.
    times: u32,
    /// Those of what writes are not the same each time: how many commits its writes share is a matter of chance.
    has_instructions: bool,
    /// Otherwise it is a mere computation.
    is_request: bool,
}

const WORKS: &[Work] = &[
    Work {
        name: "hash",
        times: 2,
        has_instructions: true,
        is_request: false,
    },
    Work {
        name: "me",
        times: 1_000,
        has_instructions: true,
        is_request: true,
    },
    Work {
        name: "signin",
        times: 300,
        has_instructions: false,
        is_request: true,
    },
];

/// `check BUDGET FOLDER`: counts everything, with files in that folder, and fails when something is not within the budget.
///
/// # Errors
/// That, and when valgrind does not count.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let arguments: Vec<String> = arguments.collect();
    let [budget, folder] = arguments.as_slice() else {
        bail!("call it by dev/bench");
    };
    let budget: Budget = toml::from_str(&fs::read_to_string(budget)?)?;
    let (mut within, mut beyond) = (0, 0);
    for work in WORKS {
        let (name, counted) = (work.name, count(work, Path::new(folder))?);
        for (what, counted) in counted {
            let meant = budget.each.get(name).and_then(|meant| meant.get(what));
            let meant = *meant
                .with_context(|| format!("{what} of {name}: {counted}, and no budget for it"))?;
            let off = off(counted, meant);
            let verdict = if off.abs() <= budget.tolerance {
                within += 1;
                "ok"
            } else {
                beyond += 1;
                if off > 0.0 {
                    "TOO MANY"
                } else {
                    "FEWER: lower the budget"
                }
            };
            say(format_args!(
                "{name}: {counted} {what}, {off:+.1}% of {meant}: {verdict}"
            ));
        }
    }
    // As a test runner of Node.js ends, which dev/test reads.
    say(format_args!("# pass {within}\n# fail {beyond}"));
    ensure!(
        beyond == 0,
        "{beyond} counts are not within {}% of the budget",
        budget.tolerance
    );
    Ok(())
}

/// How far a count is from what it is to be, in per cent. Of what is to be none, one is too many.
fn off(counted: f64, meant: f64) -> f64 {
    if meant == 0.0 {
        return if counted == 0.0 { 0.0 } else { f64::INFINITY };
    }
    100.0 * (counted - meant) / meant
}

type Counted = Vec<(&'static str, f64)>;

/// What doing it once takes.
fn count(work: &Work, folder: &Path) -> anyhow::Result<Counted> {
    let (name, times) = (work.name, work.times);
    let each = |tool: &str, phrase: &str| -> anyhow::Result<f64> {
        let [fewer, more] =
            [times, 2 * times].map(|times| total(tool, phrase, name, times, folder));
        Ok(((more? - fewer?) / f64::from(times)).round())
    };
    let mut counted = Counted::new();
    if work.has_instructions {
        // The median: how long the allocator looks for room is a matter of chance.
        let each = || each("callgrind", "Collected : ");
        let mut five = [each()?, each()?, each()?, each()?, each()?];
        five.sort_by(f64::total_cmp);
        counted.push(("instructions", five[2]));
    }
    if work.is_request {
        counted.push(("allocations", each("dhat", " bytes in ")?));
        let output = run_it(Command::new(env::current_exe()?), name, times, folder)?;
        let told = String::from_utf8(output.stdout)?;
        let told: Vec<f64> = told
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [questions, units, changes] = told[..] else {
            bail!("{name} told no statements");
        };
        counted.extend([
            ("questions", questions),
            ("units", units),
            ("changes", changes),
        ]);
    }
    Ok(counted)
}

/// A number that a tool of valgrind ends with, behind these words.
fn total(tool: &str, phrase: &str, work: &str, times: u32, folder: &Path) -> anyhow::Result<f64> {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .arg(format!("--tool={tool}"))
        .arg(format!("--{tool}-out-file=/dev/null"))
        .arg(env::current_exe()?);
    let output = run_it(valgrind, work, times, folder)?;
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find_map(|line| line.split_once(phrase));
    let (_, number) = line.with_context(|| format!("valgrind counted nothing: {said}"))?;
    let digits: String = number
        .chars()
        .take_while(|letter| letter.is_ascii_digit() || *letter == ',')
        .filter(char::is_ascii_digit)
        .collect();
    Ok(digits.parse()?)
}

/// Does the work in a folder of its own.
fn run_it(mut program: Command, work: &str, times: u32, folder: &Path) -> anyhow::Result<Output> {
    let folder = folder.join("work");
    fs::create_dir_all(&folder)?;
    let output = program
        .args(["work", work, &times.to_string()])
        .arg(&folder)
        .output()
        .context("valgrind could not be started")?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::remove_dir_all(&folder)?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_off_to_either_side_and_one_instead_of_none_is_too_many() {
        let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
        assert!(near(off(103.0, 100.0), 3.0) && near(off(97.0, 100.0), -3.0));
        assert!(near(off(0.0, 0.0), 0.0) && off(1.0, 0.0) > 1e9);
    }

    #[test]
    fn the_committed_budget_is_of_all_that_is_counted() {
        let budget: Budget = toml::from_str(include_str!("../../budget.toml")).expect("a budget");
        let known: Vec<&str> = budget.each.keys().map(String::as_str).collect();
        let counted: Vec<&str> = WORKS.iter().map(|work| work.name).collect();
        assert_eq!(known, counted);
        assert!(budget.tolerance > 0.0);
    }
}
