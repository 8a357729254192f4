//! Can a stranger tell who has an account? Asks a server about accounts in two states, a pair of requests at a time, and looks
//! for a difference in what is answered and in how long that takes.

mod adapter;
mod answers;
mod measure;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::auc::Auc;
use crate::figures::{float, median};
use crate::http::Took;
use crate::record::store;
use crate::results::Figure;
use crate::{say, setting};
use adapter::{Adapter, Pair};
use measure::{Measured, Plan, measure};

/// How far from a coin's 0.5 the interval may reach.
const BAR: f64 = 0.02;
/// Asked before those that count, by each client.
const WARM_UP: usize = 50;

/// `who FOLDER [PAIR...]`: measures the named pairs of the adapter in `FOLDER`, or all of them.
///
/// # Errors
/// When the server did not start or did not answer; never for what the figures are.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let folder = PathBuf::from(arguments.next().context("an adapter's folder is missing")?);
    let wanted: Vec<String> = arguments.collect();
    let plan = Plan {
        pairs: setting("PAIRS", 20_000)?,
        clients: setting("CLIENTS", 1)?,
        warm_up: WARM_UP,
    };
    ensure!(plan.pairs > 1, "PAIRS must be 2 at least");
    let adapter = Adapter::start(&folder, &plan)?;
    for name in &wanted {
        let is_known = adapter.pairs.iter().any(|pair| &pair.name == name);
        ensure!(is_known, "{} has no pair {name}", folder.display());
    }
    let note = heading(&adapter, &plan);
    let mut figures = Vec::new();
    for pair in &adapter.pairs {
        if wanted.is_empty() || wanted.contains(&pair.name) {
            let measured =
                measure(pair, &adapter.server, &plan).with_context(|| pair.name.clone())?;
            figures.extend(row(pair, &measured)?);
        }
    }
    say("");
    store(&note, figures)
}

fn heading(adapter: &Adapter, plan: &Plan) -> String {
    let Plan { pairs, clients, .. } = plan;
    let note = format!(
        "{}. {pairs} pairs of requests each, by {clients} at a time; nobody can tell where the intervals (95%) are within \
         {:.2}-{:.2} and no bytes differ.",
        adapter.server.name,
        0.5 - BAR,
        0.5 + BAR
    );
    say(format_args!("{note}\n"));
    say(
        "| pair | answers | the same bytes | AUC to the first byte (95%) | AUC to the last byte (95%) | longer in % of pairs \
         | median difference us | median us | nobody can tell |",
    );
    say("|---|---|---|---|---|---|---|---|---|");
    note
}

fn row(pair: &Pair, measured: &Measured) -> anyhow::Result<Vec<Figure>> {
    let micros = |side: fn(&Took) -> Duration| -> Vec<(f64, f64)> {
        let micros = |took| side(took).as_secs_f64() * 1e6;
        measured
            .took
            .iter()
            .map(|(one, other)| (micros(one), micros(other)))
            .collect()
    };
    let (first, last) = (micros(|took| took.first), micros(|took| took.last));
    let (to_first, to_last) = (Auc::of(&first), Auc::of(&last));
    // What an attacker with a clock beside the victim's would look at: within a pair, other work weighs on both.
    let signs = first
        .iter()
        .map(|(one, other)| (0.0, (other - one).signum()));
    let longer = Auc::of(&signs.collect::<Vec<_>>()).area;
    let between = median(first.iter().map(|(one, other)| other - one).collect());
    let typical = median(first.iter().map(|(one, _)| *one).collect());
    let same = match measured.differing {
        0 => "yes".to_owned(),
        some => format!("NO, {some} differ"),
    };
    let both = [to_first, to_last];
    let verdict = if measured.differing > 0 || both.iter().any(|auc| auc.is_telling(BAR)) {
        "NO"
    } else if both.iter().all(|auc| auc.is_coin(BAR)) {
        "yes"
    } else {
        "too few pairs to say"
    };
    say(format_args!(
        "| {}: {} against {} | {} | {same} | {} | {} | {:.1} | {between:.1} | {typical:.0} | {verdict} |",
        pair.name,
        pair.one.of,
        pair.other.of,
        measured.statuses,
        area(&to_first),
        area(&to_last),
        longer * 100.0,
    ));
    if let Some(difference) = &measured.difference {
        say(format_args!(
            "\nThe first difference of {}: {difference}\n",
            pair.name
        ));
    }
    let name = format!("{}: {} against {}", pair.name, pair.one.of, pair.other.of);
    let one = |what, unit, value| Figure::of_rounds(["pair", &name, what, unit], &[value]);
    let interval = |what, auc: &Auc| {
        Ok::<_, anyhow::Error>(Figure {
            least: auc.low,
            most: auc.high,
            rounds: measured.took.len(),
            ..one(what, "", auc.area)?
        })
    };
    Ok(vec![
        interval("AUC to the first byte", &to_first)?,
        interval("AUC to the last byte", &to_last)?,
        one("answers that differ", "", float(measured.differing))?,
        one("longer in % of pairs", "", longer * 100.0)?,
        one("median difference", "us", between)?,
        one("median", "us", typical)?,
    ])
}

fn area(auc: &Auc) -> String {
    format!("{:.3} ({:.3}-{:.3})", auc.area, auc.low, auc.high)
}
