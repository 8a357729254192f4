//! Which figures are drawn, and how.

use std::fmt::Write as _;

use crate::figures::float;
use crate::plot::{LEFT, PANEL, Panel, RIGHT, Scale, WIDTH, picture};
use crate::results::{Figure, Results, distinct};

/// A picture of one panel below the other, all over the same steps.
pub(super) struct Chart {
    /// In `docs/benchmarks/`.
    pub(super) file: &'static str,
    pub(super) title: &'static str,
    /// What the steps are.
    steps: &'static str,
    /// The table that has a row for each step.
    table: &'static str,
    panels: &'static [Measure],
}

/// A panel, as it is asked for.
struct Measure {
    title: &'static str,
    is_logarithmic: bool,
    /// What a line is called, the part that measured it, and its column.
    lines: &'static [(&'static str, &'static str, &'static str)],
}

const ON_BOTH: [&str; 2] = ["signin", "signin --postgres"];

/// All there are, with what part they belong to: where that was not measured, there is no picture.
pub(super) const CHARTS: &[(&str, Chart)] = &[
    (
        "signin",
        Chart {
            file: "signin.svg",
            title: "Sign-ins by connections",
            steps: "connections",
            table: "connections",
            panels: &[
                Measure {
                    title: "Sign-ins a second",
                    is_logarithmic: false,
                    lines: &[
                        ("SQLite", ON_BOTH[0], "sign-ins"),
                        ("PostgreSQL", ON_BOTH[1], "sign-ins"),
                        ("hashes alone", ON_BOTH[0], "hashes alone"),
                    ],
                },
                Measure {
                    title: "Time of a sign-in on SQLite, ms",
                    is_logarithmic: true,
                    lines: &[("p50", ON_BOTH[0], "p50"), ("p99", ON_BOTH[0], "p99")],
                },
            ],
        },
    ),
    (
        "start",
        Chart {
            file: "memory.svg",
            title: "Resident memory by load",
            steps: "",
            table: "memory",
            panels: &[Measure {
                title: "Resident memory, MiB",
                is_logarithmic: false,
                lines: &[
                    ("all of it", "start", "all of it"),
                    ("less the hash buffers", "start", "less the hash buffers"),
                ],
            }],
        },
    ),
    (
        "growth",
        Chart {
            file: "growth.svg",
            title: "Sign-ins by how many people there are",
            steps: "people, each with a session",
            table: "people, each with a session",
            panels: &[
                Measure {
                    title: "Sign-ins a second",
                    is_logarithmic: false,
                    lines: &[
                        ("SQLite", "growth", "sign-ins"),
                        ("PostgreSQL", "growth --postgres", "sign-ins"),
                    ],
                },
                Measure {
                    title: "Time of a sign-in on SQLite, ms",
                    is_logarithmic: true,
                    lines: &[("p50", "growth", "p50"), ("p99", "growth", "p99")],
                },
            ],
        },
    ),
];

const TOP: f64 = 10.0;
/// For the names of the steps.
const BELOW: f64 = 40.0;

impl Chart {
    /// The picture of what was measured.
    pub(super) fn draw(&self, results: &Results) -> String {
        let measured = |part: &str, column: &str| -> Vec<&Figure> {
            let figures = results
                .get(part)
                .map(|part| part.figures.as_slice())
                .unwrap_or_default();
            figures
                .iter()
                .filter(|figure| figure.table == self.table && figure.what == column)
                .collect()
        };
        let all = self.panels.iter().flat_map(|panel| panel.lines);
        let figures: Vec<&Figure> = all
            .flat_map(|(_, part, column)| measured(part, column))
            .collect();
        let steps = distinct(figures.iter().map(|figure| figure.of.as_str()));
        let x = |step: f64| LEFT + (WIDTH - LEFT - RIGHT) * (step + 0.5) / float(steps.len());
        let height = TOP + PANEL * float(self.panels.len()) + BELOW;
        let mut svg = String::new();
        for (at, panel) in self.panels.iter().enumerate() {
            let lines: Vec<_> = panel
                .lines
                .iter()
                .map(|(name, part, column)| {
                    let at_step = |(at, step): (usize, &&str)| {
                        let figure = measured(part, column)
                            .into_iter()
                            .find(|figure| figure.of == **step)?;
                        Some((float(at), figure.median))
                    };
                    (
                        *name,
                        steps
                            .iter()
                            .enumerate()
                            .filter_map(at_step)
                            .collect::<Vec<_>>(),
                    )
                })
                .filter(|(_, points)| !points.is_empty())
                .collect();
            let scale = if panel.is_logarithmic {
                Scale::logarithmic(&lines)
            } else {
                Scale::linear(&lines, 1.0)
            };
            let panel = Panel {
                title: panel.title,
                scale,
                lines,
                mark: None,
            };
            panel.draw(&mut svg, x, TOP + PANEL * float(at));
        }
        for (at, step) in steps.iter().enumerate() {
            let (x, y) = (x(float(at)), height - 24.0);
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{step}</text>"
            );
        }
        let (x, y) = (f64::midpoint(LEFT, WIDTH - RIGHT), height - 6.0);
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{}</text>",
            self.steps
        );
        picture(self.title, height, &svg)
    }
}
