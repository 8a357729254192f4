//! The figures over time, as one SVG that is read in light and dark.

use std::fmt::Write as _;

use super::people::Wish;
use super::phase::Event;
use super::{FLOODS, Flood};
use crate::figures::{float, percentile};

const WIDTH: f64 = 840.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 34.0;
/// Of a panel, with its title and the space below it.
const PANEL: f64 = 150.0;
const TITLE: f64 = 24.0;
const DRAWN: f64 = 104.0;

const STYLE: &str = "
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .title { font-weight: 600 }
  .grid { stroke: #ddd }
  .mark { stroke: #777; stroke-dasharray: 5 4 }
  .line { fill: none; stroke-width: 1.5 }
  .a { stroke: #0060a8; fill: #0060a8 } .b { stroke: #b34700; fill: #b34700 } .c { stroke: #00785a; fill: #00785a }
  text.a, text.b, text.c { stroke: none }
  @media (prefers-color-scheme: dark) {
    svg { background: #16181c }
    text { fill: #ddd }
    .grid { stroke: #3a3d44 }
    .mark { stroke: #999 }
    .a { stroke: #6ab7ff; fill: #6ab7ff } .b { stroke: #ffa564; fill: #ffa564 } .c { stroke: #5ad1ab; fill: #5ad1ab }
  }";

/// One measure over time.
struct Panel {
    title: &'static str,
    scale: Scale,
    /// A name, and what was measured at which second.
    lines: Vec<(&'static str, Vec<(f64, f64)>)>,
    /// A height that is meant to be compared with, and what it is.
    mark: Option<(f64, &'static str)>,
}

/// From which value to which a panel goes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    /// From 0 on, equal steps for equal differences.
    Linear { most: f64, step: f64 },
    /// Equal steps for equal ratios; powers of ten.
    Logarithmic { least: i32, most: i32 },
}

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
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>A flood of sign-ins: \
         hashes, refusals, waits and memory over time</title>\n<style>{STYLE}\n</style>\n"
    );
    phases(&mut svg, flood, &x, height);
    for (at, panel) in panels.iter().enumerate() {
        panel.draw(&mut svg, &x, TOP + PANEL * float(at));
    }
    svg + "</svg>\n"
}

fn panels(flood: &Flood) -> Vec<Panel> {
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
        let evaluated = phase.flood.iter().filter(|event| event.status == 401);
        granted.chain(evaluated).copied().collect()
    });
    let refused = each_second(flood, |at| {
        let all = flood.phases[at].1.flood.iter();
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
    let names = [0]
        .into_iter()
        .chain(FLOODS)
        .map(|connections| match connections {
            0 => "idle".to_owned(),
            _ => format!("{connections} connections flood"),
        });
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

impl Panel {
    fn draw(&self, svg: &mut String, x: &Axis, top: f64) {
        let y = |value: f64| top + TITLE + DRAWN * (1.0 - self.scale.share(value));
        let _ = writeln!(
            svg,
            "<text class=\"title\" x=\"{LEFT}\" y=\"{:.1}\">{}</text>",
            top + 16.0,
            self.title
        );
        for value in self.scale.ticks() {
            let (at, end) = (y(value), WIDTH - RIGHT);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{end}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>"
            );
            let (left, below) = (LEFT - 6.0, at + 4.0);
            let _ = writeln!(
                svg,
                "<text x=\"{left}\" y=\"{below:.1}\" text-anchor=\"end\">{value}</text>"
            );
        }
        if let Some((value, name)) = self.mark {
            let (at, end) = (y(value), WIDTH - RIGHT);
            let _ = writeln!(
                svg,
                "<line class=\"mark\" x1=\"{LEFT}\" x2=\"{end}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>"
            );
            let _ = writeln!(
                svg,
                "<text x=\"{end}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
                at - 4.0
            );
        }
        let mut named = WIDTH - RIGHT;
        for ((name, points), class) in self.lines.iter().zip(["a", "b", "c"]) {
            let points: Vec<_> = points
                .iter()
                .map(|(at, value)| format!("{:.1},{:.1}", x.at(*at), y(*value)))
                .collect();
            let _ = writeln!(
                svg,
                "<polyline class=\"line {class}\" style=\"fill: none\" points=\"{}\"/>",
                points.join(" ")
            );
            let _ = writeln!(
                svg,
                "<text class=\"{class}\" x=\"{named}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
                top + 16.0
            );
            named -= 8.0 * float(name.len());
        }
    }
}

impl Scale {
    /// From 0 to what is no less than any value nor than `least_end`, in four or five round steps.
    fn linear(lines: &[(&str, Vec<(f64, f64)>)], least_end: f64) -> Self {
        let most = values(lines).fold(least_end, f64::max);
        let magnitude = 10_f64.powf((most / 4.0).log10().floor());
        let rounds = [1.0, 2.0, 2.5, 5.0, 10.0];
        let step = rounds
            .into_iter()
            .map(|round| round * magnitude)
            .find(|step| step * 5.0 >= most);
        let step = step.unwrap_or(most);
        Self::Linear {
            most: step * (most / step).ceil(),
            step,
        }
    }

    /// From the power of ten below the least value to the one above the most.
    fn logarithmic(lines: &[(&str, Vec<(f64, f64)>)]) -> Self {
        let (least, most) = values(lines).fold((f64::MAX, f64::MIN), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        let power = |value: f64, round: fn(f64) -> f64| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the exponent of a time in milliseconds"
            )]
            {
                round(value.log10()) as i32
            }
        };
        if least > most || least <= 0.0 {
            return Self::Logarithmic { least: 0, most: 1 };
        }
        let least = power(least, f64::floor);
        Self::Logarithmic {
            least,
            most: power(most, f64::ceil).max(least + 1),
        }
    }

    /// How far up a value is: 0 at the bottom, 1 at the top.
    fn share(self, value: f64) -> f64 {
        match self {
            Self::Linear { most, .. } => value / most,
            Self::Logarithmic { least, most } => {
                (value.log10() - f64::from(least)) / f64::from(most - least)
            }
        }
    }

    /// The values that are written beside the panel.
    fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear { most, step } => {
                let mut ticks = vec![0.0];
                while ticks[ticks.len() - 1] < most - step / 2.0 {
                    ticks.push(step * float(ticks.len()));
                }
                ticks
            }
            Self::Logarithmic { least, most } => {
                (least..=most).map(|power| 10_f64.powi(power)).collect()
            }
        }
    }
}

fn values<'a>(lines: &'a [(&str, Vec<(f64, f64)>)]) -> impl Iterator<Item = f64> + 'a {
    lines
        .iter()
        .flat_map(|(_, points)| points.iter().map(|(_, value)| *value))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::phase::Phase;
    use super::*;

    fn line(values: &[f64]) -> Vec<(&'static str, Vec<(f64, f64)>)> {
        vec![("", values.iter().map(|value| (0.0, *value)).collect())]
    }

    #[test]
    fn a_linear_scale_has_round_steps_and_room_for_everything() {
        for (most, end, step) in [
            (52.0, 60.0, 20.0),
            (100.0, 100.0, 20.0),
            (7.3, 8.0, 2.0),
            (1.0, 1.0, 0.2),
        ] {
            let scale = Scale::linear(&line(&[most, 0.5]), 0.1);
            assert_eq!(scale, Scale::Linear { most: end, step }, "{most}");
            assert!(
                (4..=6).contains(&scale.ticks().len()),
                "{:?}",
                scale.ticks()
            );
        }
    }

    #[test]
    fn a_logarithmic_scale_ends_at_powers_of_ten() {
        let scale = Scale::logarithmic(&line(&[0.4, 35.0]));
        assert_eq!(scale, Scale::Logarithmic { least: -1, most: 2 });
        assert_eq!(scale.ticks(), [0.1, 1.0, 10.0, 100.0]);
        assert!((scale.share(1.0) - 1.0 / 3.0).abs() < 1e-9);
        let none = Scale::logarithmic(&[]);
        assert!(none.share(1.0).is_finite());
    }

    #[test]
    fn what_is_drawn_stays_within_the_picture_even_of_a_phase_without_answers() {
        let event = |seconds, status| Event {
            at: Duration::from_secs(seconds),
            took: Duration::from_millis(3),
            status,
        };
        let phase = |flood| Phase {
            wishes: vec![vec![event(0, 200)]; Wish::ALL.len()],
            flood,
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
                        flood: Vec::new(),
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
