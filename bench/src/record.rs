//! From what a part of `dev/bench` found in its rounds to its tables, on the screen and in the file of the day.

use std::env;
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::results::{Figure, Part, put, tables};
use crate::say;

/// `record NOTE`: reads figures, one a line, and keeps them. A line has five fields with a tab between them: the table, by what its
/// rows are; the row; the column; the unit; and what each round gave, with spaces between.
///
/// # Errors
/// When a line is not of that form, or the file cannot be written.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let (Some(note), None) = (arguments.next(), arguments.next()) else {
        bail!("call it by dev/bench");
    };
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let figures = text
        .lines()
        .map(|line| figure(line).with_context(|| line.to_owned()))
        .collect::<anyhow::Result<_>>()?;
    keep(&note, figures)
}

fn figure(line: &str) -> anyhow::Result<Figure> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [table, of, what, unit, rounds] = fields.as_slice() else {
        bail!("five fields were expected");
    };
    let rounds = rounds
        .split_whitespace()
        .map(|value| {
            value
                .parse()
                .with_context(|| format!("{value} is no number"))
        })
        .collect::<anyhow::Result<Vec<f64>>>()?;
    Figure::of_rounds([table, of, what, unit], &rounds)
}

/// Prints the tables of a part and stores its figures.
pub(crate) fn keep(note: &str, figures: Vec<Figure>) -> anyhow::Result<()> {
    say(format_args!("{note}\n"));
    for table in tables(&figures) {
        say(format_args!("{table}\n"));
    }
    store(note, figures)
}

/// Puts the figures of a part where `dev/bench` says, under what it says of this run.
pub(crate) fn store(note: &str, figures: Vec<Figure>) -> anyhow::Result<()> {
    let said = |name: &str| {
        env::var(name).with_context(|| format!("{name} is not set: call it by dev/bench"))
    };
    let part = Part {
        command: said("BENCH_COMMAND")?,
        commit: said("BENCH_COMMIT")?,
        cpu: said("BENCH_CPU")?,
        date: said("BENCH_DATE")?,
        database: said("BENCH_DATABASE")?,
        note: note.to_owned(),
        figures,
    };
    let path = put(
        &PathBuf::from(said("BENCH_RESULTS")?),
        &said("BENCH_PART")?,
        part,
    )?;
    say(format_args!("Kept in {}.", path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_figure() {
        let known = figure("connections\t64\tsign-ins\t/s\t3 1 2.5").expect("a figure");
        assert_eq!((known.of.as_str(), known.rounds), ("64", 3));
        assert_eq!(known.cell(), "2.50 (1.00-3.00)");
        for bad in [
            "connections\t64\tsign-ins\t3",
            "a\tb\tc\t\t",
            "a\tb\tc\t\t1 x",
            "a\tb\tc\t\tinf",
        ] {
            assert!(figure(bad).is_err(), "{bad}");
        }
    }
}
