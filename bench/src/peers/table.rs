//! The figures of all rounds, a row a peer.

use anyhow::Context as _;

use super::Round;
use super::peer::Prepared;
use crate::results::Figure;

/// Each peer with its rounds, the first of which the others are compared with.
pub(super) type Found = [(Prepared, Vec<Round>)];

/// Table, column, unit, and what a round has for it.
type Column = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Round) -> Option<f64>,
);

const SIGN_IN: &str = "signing in";
const ME: &str = "asking \"me\"";
const PROCESS: &str = "the process";

const COLUMNS: &[Column] = &[
    (SIGN_IN, "sign-ins", "/s", |round| Some(round.sign_ins.rate)),
    (SIGN_IN, "its hashes alone", "/s", |round| round.raw),
    (SIGN_IN, "share of these", "", |round| {
        Some(round.sign_ins.rate / round.raw?)
    }),
    (SIGN_IN, "one alone", "ms", |round| Some(round.alone)),
    (SIGN_IN, "failed", "", |round| Some(round.sign_ins.failed)),
    (ME, "64 connections", "/s", |round| Some(round.me.rate)),
    (ME, "idle, p99", "ms", |round| round.me_idle.p99),
    (ME, "in the flood, p99", "ms", |round| round.me_flooded.p99),
    (ME, "times the idle one", "", |round| {
        Some(round.me_flooded.p99? / round.me_idle.p99?)
    }),
    (ME, "in the flood", "/s", |round| {
        Some(round.me_flooded.rate)
    }),
    (ME, "failed", "", |round| {
        Some(round.me.failed + round.me_idle.failed + round.me_flooded.failed)
    }),
    (PROCESS, "idle", "MiB", |round| Some(round.memory[0])),
    (PROCESS, "at most", "MiB", |round| Some(round.memory[1])),
    (PROCESS, "start to first sign-in", "ms", |round| {
        Some(round.started)
    }),
    (PROCESS, "used by others", "%", |round| {
        Some(100.0 * round.others)
    }),
];

/// Column, and what is divided.
type Ratio = (&'static str, fn(&Round) -> f64);

/// What is divided, round by round, which is what taking turns is for.
const RATIOS: &[Ratio] = &[
    ("sign-ins", |round| round.sign_ins.rate),
    ("\"me\"", |round| round.me.rate),
];

/// All of them. A column is empty for a peer that has nothing for it in some round: of the other rounds it would be another
/// figure.
pub(super) fn figures(found: &Found) -> anyhow::Result<Vec<Figure>> {
    let (_, ours) = found.first().context("nothing was measured")?;
    let mut figures = Vec::new();
    for (prepared, rounds) in found {
        for (table, what, unit, of) in COLUMNS {
            let values: Option<Vec<f64>> = rounds.iter().map(of).collect();
            if let Some(values) = values {
                figures.push(Figure::of_rounds(
                    [table, &prepared.told.name, what, unit],
                    &values,
                )?);
            }
        }
    }
    for (prepared, rounds) in &found[1..] {
        for (what, of) in RATIOS {
            let pairs = ours.iter().zip(rounds);
            let values: Vec<f64> = pairs.map(|(own, other)| of(own) / of(other)).collect();
            figures.push(Figure::of_rounds(
                ["times as many by the first", &prepared.told.name, what, ""],
                &values,
            )?);
        }
    }
    Ok(figures)
}

/// How it was measured, and what is missing for which reason.
pub(super) fn note(begin: String, found: &Found, missing: &[String]) -> String {
    let mut sentences = vec![begin];
    for (prepared, rounds) in found {
        let (name, count) = (&prepared.told.name, rounds.len());
        let silent = rounds.iter().filter(|round| round.me_flooded.p99.is_none());
        match silent.count() {
            0 => {}
            silent => sentences.push(format!(
                "{name}: no \"me\" was answered in the flood in {silent} of {count} rounds."
            )),
        }
        if rounds.iter().any(|round| round.raw.is_none()) {
            sentences.push(format!("{name}: its hash cannot be had alone."));
        }
    }
    sentences.extend(missing.iter().map(|line| format!("{line}.")));
    sentences.join(" ")
}
