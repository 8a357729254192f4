//! The figures of a flood over time.

use std::fmt::Write as _;

use super::Flood;
use super::people::Wish;
use super::phase::{Crowd, Event};
use crate::figures::{float, percentile};
use crate::plot::{LEFT, PANEL, Panel, RIGHT, Scale, WIDTH, picture};

const TOP: f64 = 34.0;

/// Draws all panels, one below the other.
pub(super) fn draw(flood: &Flood) -> String {
    let panels = panels(flood);
    let x = Axis {
        seconds: flood
            .memory
            .iter()
            .map(|(at, _)| *at)
            .fold(flood.lasts.as_secs_f64(), f64::max),
    };
    let height = TOP + PANEL * float(panels.len()) + 10.0;
    let mut svg = String::new();
    phases(&mut svg, flood, &x, height);
    for (at, panel) in panels.iter().enumerate() {
        panel.draw(&mut svg, |second| x.at(second), TOP + PANEL * float(at));
    }
    let title = "A flood of sign-ins: hashes, refusals, waits and memory over time";
    picture(title, height, &svg)
}

fn panels(flood: &Flood) -> Vec<Panel<'static>> {
    let raw = f64::midpoint(flood.raw[0], flood.raw[1]);
    let hashes = each_second(flood, |at| {
        let phase = &flood.phases[at].1;
        let signed_in = Wish::ALL
            .iter()
            .zip(&phase.wishes)
            .filter(|(wish, _)| wish.is_sign_in());
        let granted = signed_in
            .flat_map(|(_, events)| events)
            .filter(|event| event.status == 200);
        let evaluated = phase
            .crowd
            .iter()
            .filter(|event| [200, 401].contains(&event.status));
        granted.chain(evaluated).copied().collect()
    });
    let refused = each_second(flood, |at| {
        let all = flood.phases[at].1.crowd.iter();
        all.filter(|event| event.status == 503).copied().collect()
    });
    let waits = [Wish::Me, Wish::Refresh, Wish::Health].map(|wish| {
        let seconds = each_second(flood, |at| {
            let wishes = Wish::ALL.iter().zip(&flood.phases[at].1.wishes);
            wishes
                .filter(|(known, _)| **known == wish)
                .flat_map(|(_, events)| events)
                .copied()
                .collect()
        });
        let wait = |events: &[Event]| {
            percentile(
                events
                    .iter()
                    .map(|event| event.took.as_secs_f64() * 1e3)
                    .collect(),
                99,
            )
        };
        let answered = seconds.into_iter().filter(|(_, events)| !events.is_empty());
        (
            wish.name(),
            answered.map(|(at, events)| (at, wait(&events))).collect(),
        )
    });
    let counts = |seconds: Seconds| -> Vec<(f64, f64)> {
        seconds
            .into_iter()
            .map(|(at, events)| (at, float(events.len())))
            .collect()
    };
    let hashes = vec![("", counts(hashes))];
    let refused = vec![("", counts(refused))];
    let memory = vec![("", flood.memory.clone())];
    vec![
        Panel {
            title: "Passwords checked a second",
            scale: Scale::linear(&hashes, raw),
            lines: hashes,
            mark: Some((raw, "raw hashes")),
        },
        Panel {
            title: "Refused at once (503) a second",
            scale: Scale::linear(&refused, 1.0),
            lines: refused,
            mark: None,
        },
        Panel {
            title: "99th percentile of each second, ms",
            scale: Scale::logarithmic(&waits),
            lines: waits.into(),
            mark: None,
        },
        Panel {
            title: "Resident memory, MiB",
            scale: Scale::linear(&memory, 1.0),
            lines: memory,
            mark: None,
        },
    ]
}

type Seconds = Vec<(f64, Vec<Event>)>;

/// What of each phase came to an end within each second, in the middle of which it is drawn.
fn each_second(flood: &Flood, of_phase: impl Fn(usize) -> Vec<Event>) -> Seconds {
    let mut seconds = Vec::new();
    for (at, (began, _)) in flood.phases.iter().enumerate() {
        let events = of_phase(at);
        seconds.extend((0..flood.lasts.as_secs()).map(|second| {
            let within = events.iter().filter(|event| event.at.as_secs() == second);
            let middle = float(usize::try_from(second).unwrap_or(0)) + 0.5;
            (began + middle, within.copied().collect())
        }));
    }
    seconds
}

/// Lines between the phases, and their names above all panels.
fn phases(svg: &mut String, flood: &Flood, x: &Axis, height: f64) {
    let names = Crowd::ALL.map(Crowd::name);
    for ((began, _), name) in flood.phases.iter().zip(names) {
        let at = x.at(*began);
        let _ = writeln!(
            svg,
            "<line class=\"mark\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"8\" y2=\"{:.1}\"/>",
            height - 14.0
        );
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"18\">{name}</text>", at + 6.0);
    }
}

/// Time, from left to right.
struct Axis {
    seconds: f64,
}

impl Axis {
    fn at(&self, second: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * second / self.seconds
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::phase::Phase;
    use super::*;

    #[test]
    fn what_is_drawn_stays_within_the_picture_even_of_a_phase_without_answers() {
        let event = |seconds, status| Event {
            at: Duration::from_secs(seconds),
            took: Duration::from_millis(3),
            status,
        };
        let phase = |crowd| Phase {
            wishes: vec![vec![event(0, 200)]; Wish::ALL.len()],
            crowd,
            others: 0.0,
        };
        let flood = Flood {
            raw: [50.0, 52.0],
            phases: vec![
                (0.0, phase(Vec::new())),
                (2.0, phase(vec![event(0, 401), event(1, 503)])),
                (
                    4.0,
                    Phase {
                        wishes: vec![Vec::new(); Wish::ALL.len()],
                        crowd: Vec::new(),
                        others: 0.0,
                    },
                ),
            ],
            memory: vec![(0.0, 40.0), (6.1, 60.0)],
            lasts: Duration::from_secs(2),
        };
        let svg = draw(&flood);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let points = svg
            .split("points=\"")
            .skip(1)
            .flat_map(|rest| rest.split('"').next().unwrap_or("").split(' '));
        for point in points.filter(|point| !point.is_empty()) {
            let (x, y) = point.split_once(',').expect("two numbers");
            let (x, y): (f64, f64) = (x.parse().expect("x"), y.parse().expect("y"));
            assert!(
                (LEFT..=WIDTH).contains(&x) && (0.0..=TOP + 4.0 * PANEL).contains(&y),
                "{point}"
            );
        }
        assert_eq!(svg.matches("<polyline").count(), 6);
    }
}
