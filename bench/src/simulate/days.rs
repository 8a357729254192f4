//! Whole days of some nodes.

use std::thread;

use super::day::{DAY, HOUR};
use super::nodes::{Balance, Outcome};
use super::{Group, Simulation, joined};
use crate::figures::float;
use crate::results::Figure;

/// With these nodes, with sign-ins that find them by chance, and with one node fewer.
pub(super) fn figures(
    simulation: &Simulation,
    threads: usize,
    nodes: usize,
) -> anyhow::Result<Vec<Figure>> {
    let mut groups = vec![
        (
            format!("{nodes} x {threads} threads"),
            Group::of(nodes, threads, Balance::InTurn),
        ),
        (
            format!("{nodes} x {threads}, found by chance"),
            Group::of(nodes, threads, Balance::ByChance),
        ),
    ];
    if nodes > 1 {
        let fewer = Group::of(nodes - 1, threads, Balance::InTurn);
        groups.push((format!("one fewer: {} x {threads}", nodes - 1), fewer));
    }
    let outcomes = thread::scope(|scope| -> anyhow::Result<Vec<_>> {
        let running: Vec<_> = groups
            .iter()
            .map(|(_, group)| {
                scope.spawn(|| {
                    (
                        simulation.run(*group, 0, DAY),
                        simulation.busiest_hour(*group),
                    )
                })
            })
            .collect();
        running.into_iter().map(joined).collect()
    })?;
    let mut figures = Vec::new();
    for ((name, group), (day, hour)) in groups.iter().zip(&outcomes) {
        for (what, unit, value) in row(*group, day, hour) {
            figures.push(Figure::of_rounds(
                ["a whole day", name, what, unit],
                &[value],
            )?);
        }
    }
    Ok(figures)
}

fn row(group: Group, day: &Outcome, hour: &Outcome) -> [(&'static str, &'static str, f64); 8] {
    let ms = |outcome: &Outcome, permille| 1e3 * outcome.took.permille(permille);
    let busy = |outcome: &Outcome, seconds| {
        100.0 * outcome.worked / float(group.nodes * group.threads * seconds)
    };
    [
        ("p50", "ms", ms(day, 500)),
        ("p99", "ms", ms(day, 990)),
        ("busiest hour, p50", "ms", ms(hour, 500)),
        ("busiest hour, p99", "ms", ms(hour, 990)),
        ("busiest hour, p99.9", "ms", ms(hour, 999)),
        ("busy", "%", busy(day, DAY)),
        ("busy in the busiest hour", "%", busy(hour, HOUR)),
        ("refused", "%", 100.0 * share(day.refused, day.took.len())),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn share(part: u64, rest: u64) -> f64 {
    part as f64 / (part + rest).max(1) as f64
}
