//! The figures as a table, a column a phase.

use super::people::Wish;
use super::phase::{Event, Phase};
use super::{FLOODS, Flood};
use crate::figures::{float, percentile};
use crate::say;

/// Prints it.
pub(super) fn print(flood: &Flood, rate: f64) {
    let [before, after] = flood.raw;
    say(format_args!(
        "{} s a phase; those who flood send at most {rate} requests a second together. Raw hashes/s: {before:.1} before, \
         {after:.1} after.\n",
        flood.lasts.as_secs()
    ));
    let floods = FLOODS.map(|connections| format!(" {connections} connections flood |"));
    say(format_args!("| | idle |{}", floods.concat()));
    say(format_args!("|---|---|{}", "---|".repeat(FLOODS.len())));
    row(flood, "flood: requests sent/s", |phase| {
        format!(
            "{:.1}",
            float(phase.flood.len()) / flood.lasts.as_secs_f64()
        )
    });
    for (name, status) in [
        ("looked at (401)/s", 401),
        ("refused at once (503)/s", 503),
        ("held back (429)/s", 429),
    ] {
        row(flood, &format!("flood: {name}"), |phase| {
            format!("{:.1}", a_second(flood, &with(&phase.flood, status)))
        });
    }
    row(flood, "flood: other answers", |phase| {
        let known = [401, 503, 429].map(|status| with(&phase.flood, status).len());
        (phase.flood.len() - known.iter().sum::<usize>()).to_string()
    });
    row(flood, "flood: until a 503, p50 / p99 ms", |phase| {
        times(&with(&phase.flood, 503))
    });
    row(flood, "hashes/s", |phase| {
        format!("{:.1}", hashes(flood, phase))
    });
    row(flood, "share of the raw hashes/s", |phase| {
        format!("{:.2}", hashes(flood, phase) / f64::midpoint(before, after))
    });
    for (at, wish) in Wish::ALL.into_iter().enumerate() {
        row(flood, &format!("{}: p50 / p99 ms", wish.name()), |phase| {
            times(&with(&phase.wishes[at], 200))
        });
        row(
            flood,
            &format!("{}: p99 against idle", wish.name()),
            |phase| {
                let p99 = |phase: &Phase| percentile(millis(&with(&phase.wishes[at], 200)), 99);
                format!("{:.1}", p99(phase) / p99(&flood.phases[0].1))
            },
        );
        row(
            flood,
            &format!("{}: asked / granted", wish.name()),
            |phase| {
                let granted = with(&phase.wishes[at], 200).len();
                format!("{} / {granted}", phase.wishes[at].len())
            },
        );
    }
    memory(flood);
    row(flood, "others' share of the machine %", |phase| {
        format!("{:.0}", phase.others * 100.0)
    });
}

fn row(flood: &Flood, name: &str, cell: impl Fn(&Phase) -> String) {
    let cells: Vec<_> = flood.phases.iter().map(|(_, phase)| cell(phase)).collect();
    say(format_args!("| {name} | {} |", cells.join(" | ")));
}

fn memory(flood: &Flood) {
    let lasts = flood.lasts.as_secs_f64();
    let cells = flood.phases.iter().map(|(began, _)| {
        let during = flood
            .memory
            .iter()
            .filter(|(at, _)| (*began..began + lasts).contains(at));
        let seen: Vec<f64> = during.map(|(_, mebibytes)| *mebibytes).collect();
        format!(
            "{:.0} - {:.0}",
            percentile(seen.clone(), 0),
            percentile(seen, 100)
        )
    });
    let cells: Vec<String> = cells.collect();
    say(format_args!(
        "| resident memory MiB, least - most | {} |",
        cells.join(" | ")
    ));
}

/// Every sign-in that was decided is one hash.
fn hashes(flood: &Flood, phase: &Phase) -> f64 {
    let signed_in = Wish::ALL
        .iter()
        .zip(&phase.wishes)
        .filter(|(wish, _)| wish.is_sign_in());
    let granted = signed_in.map(|(_, events)| a_second(flood, &with(events, 200)));
    a_second(flood, &with(&phase.flood, 401)) + granted.sum::<f64>()
}

/// How many of them were answered a second. What is answered later, when the queue runs empty, is not of the phase.
fn a_second(flood: &Flood, events: &[Event]) -> f64 {
    let within = events.iter().filter(|event| event.at < flood.lasts);
    float(within.count()) / flood.lasts.as_secs_f64()
}

fn with(events: &[Event], status: u16) -> Vec<Event> {
    events
        .iter()
        .filter(|event| event.status == status)
        .copied()
        .collect()
}

fn millis(events: &[Event]) -> Vec<f64> {
    events
        .iter()
        .map(|event| event.took.as_secs_f64() * 1e3)
        .collect()
}

fn times(events: &[Event]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let percentile = |percent| percentile(millis(events), percent);
    format!("{:.1} / {:.1}", percentile(50), percentile(99))
}
