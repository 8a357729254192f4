//! The figures, a column a phase.

use super::Flood;
use super::people::Wish;
use super::phase::{Crowd, Event, Phase};
use crate::figures::{float, percentile};
use crate::results::Figure;

/// All of them. A cell is left out where nothing was to be measured.
pub(super) fn figures(flood: &Flood) -> anyhow::Result<Vec<Figure>> {
    let mut table = Table {
        flood,
        figures: Vec::new(),
    };
    table.of_the_flood()?;
    let raw = f64::midpoint(flood.raw[0], flood.raw[1]);
    let signing_in = Crowd::ALL
        .iter()
        .zip(&flood.phases)
        .find(|(crowd, _)| matches!(crowd, Crowd::SignsIn(_)))
        .map(|(_, (_, phase))| hashes(flood, phase));
    table.row("hashes", "/s", |phase| Some(hashes(flood, phase)))?;
    table.row("share of the hashes alone", "", |phase| {
        Some(hashes(flood, phase) / raw)
    })?;
    table.row("hashes against those of sign-ins", "", |phase| {
        Some(hashes(flood, phase) / signing_in?)
    })?;
    for (at, wish) in Wish::ALL.into_iter().enumerate() {
        table.of_a_wish(at, wish)?;
    }
    table.memory()?;
    table.row("used by others", "%", |phase| Some(phase.others * 100.0))?;
    Ok(table.figures)
}

struct Table<'a> {
    flood: &'a Flood,
    figures: Vec<Figure>,
}

impl Table<'_> {
    /// A row of what `cell` gives for each phase.
    fn row(
        &mut self,
        name: &str,
        unit: &str,
        cell: impl Fn(&Phase) -> Option<f64>,
    ) -> anyhow::Result<()> {
        let cells: Vec<_> = self
            .flood
            .phases
            .iter()
            .map(|(_, phase)| cell(phase))
            .collect();
        self.cells(name, unit, cells)
    }

    fn cells(&mut self, name: &str, unit: &str, cells: Vec<Option<f64>>) -> anyhow::Result<()> {
        let phases = Crowd::ALL.map(Crowd::name);
        // The unit differs from row to row, so it stands there.
        let row = match unit {
            "" => name.to_owned(),
            "/s" => format!("{name}/s"),
            unit => format!("{name} {unit}"),
        };
        for (phase, value) in phases.into_iter().zip(cells) {
            if let Some(value) = value {
                let place = ["what is seen of it", &row, &phase, ""];
                self.figures.push(Figure::of_rounds(place, &[value])?);
            }
        }
        Ok(())
    }

    fn of_the_flood(&mut self) -> anyhow::Result<()> {
        let flood = self.flood;
        self.row("crowd: requests sent", "/s", |phase| {
            Some(float(phase.crowd.len()) / flood.lasts.as_secs_f64())
        })?;
        for (name, status) in [
            ("signed in (200)", 200),
            ("looked at (401)", 401),
            ("refused at once (503)", 503),
            ("held back (429)", 429),
        ] {
            self.row(&format!("crowd: {name}"), "/s", |phase| {
                Some(a_second(flood, &with(&phase.crowd, status)))
            })?;
        }
        self.row("crowd: other answers", "", |phase| {
            let known = [200, 401, 503, 429].map(|status| with(&phase.crowd, status).len());
            Some(float(phase.crowd.len() - known.iter().sum::<usize>()))
        })?;
        for percent in [50, 99] {
            self.row(&format!("crowd: until a 503, p{percent}"), "ms", |phase| {
                time(&with(&phase.crowd, 503), percent)
            })?;
        }
        Ok(())
    }

    fn of_a_wish(&mut self, at: usize, wish: Wish) -> anyhow::Result<()> {
        let flood = self.flood;
        let granted = |phase: &Phase| with(&phase.wishes[at], 200);
        for percent in [50, 99] {
            self.row(&format!("{}: p{percent}", wish.name()), "ms", |phase| {
                time(&granted(phase), percent)
            })?;
        }
        self.row(&format!("{}: p99 against idle", wish.name()), "", |phase| {
            Some(time(&granted(phase), 99)? / time(&granted(&flood.phases[0].1), 99)?)
        })?;
        self.row(
            &format!("{}: granted, of those who asked", wish.name()),
            "%",
            |phase| Some(100.0 * float(granted(phase).len()) / float(phase.wishes[at].len())),
        )
    }

    fn memory(&mut self) -> anyhow::Result<()> {
        let lasts = self.flood.lasts.as_secs_f64();
        for (name, percent) in [("least", 0), ("most", 100)] {
            let cells = self.flood.phases.iter().map(|(began, _)| {
                let during = self
                    .flood
                    .memory
                    .iter()
                    .filter(|(at, _)| (*began..began + lasts).contains(at));
                let seen: Vec<f64> = during.map(|(_, mebibytes)| *mebibytes).collect();
                (!seen.is_empty()).then(|| percentile(seen, percent))
            });
            let cells = cells.collect();
            self.cells(&format!("resident memory, {name}"), "MiB", cells)?;
        }
        Ok(())
    }
}

/// Every sign-in that was decided is one hash, whosever it was.
fn hashes(flood: &Flood, phase: &Phase) -> f64 {
    let signed_in = Wish::ALL
        .iter()
        .zip(&phase.wishes)
        .filter(|(wish, _)| wish.is_sign_in());
    let granted = signed_in.map(|(_, events)| a_second(flood, &with(events, 200)));
    let decided = [200, 401].map(|status| a_second(flood, &with(&phase.crowd, status)));
    decided.into_iter().sum::<f64>() + granted.sum::<f64>()
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

/// In ms; nothing where there was none.
fn time(events: &[Event], percent: usize) -> Option<f64> {
    let took = |event: &Event| event.took.as_secs_f64() * 1e3;
    (!events.is_empty()).then(|| percentile(events.iter().map(took).collect(), percent))
}
