//! Lines over time or over steps, as SVG that is read in light and dark.

use std::fmt::Write as _;

use crate::figures::float;

pub(crate) const WIDTH: f64 = 840.0;
pub(crate) const LEFT: f64 = 56.0;
pub(crate) const RIGHT: f64 = 20.0;
/// Of a panel, with its title and the space below it.
pub(crate) const PANEL: f64 = 150.0;
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

/// One measure over what the picture is about.
pub(crate) struct Panel<'a> {
    pub(crate) title: &'a str,
    pub(crate) scale: Scale,
    /// A name, and what was measured where.
    pub(crate) lines: Vec<(&'a str, Vec<(f64, f64)>)>,
    /// A height that is meant to be compared with, and what it is.
    pub(crate) mark: Option<(f64, &'a str)>,
}

/// From which value to which a panel goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// From 0 on, equal steps for equal differences.
    Linear { most: f64, step: f64 },
    /// Equal steps for equal ratios; powers of ten.
    Logarithmic { least: i32, most: i32 },
}

/// A picture of this height, of which `inside` is drawn.
pub(crate) fn picture(title: &str, height: f64, inside: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>{title}</title>\n\
         <style>{STYLE}\n</style>\n{inside}</svg>\n"
    )
}

impl Panel<'_> {
    /// Draws it below `top`, where `x` says how far to the right each place is.
    pub(crate) fn draw(&self, svg: &mut String, x: impl Fn(f64) -> f64, top: f64) {
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
                .map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value)))
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
            named -= 7.0 * float(name.len()) + 14.0;
        }
    }
}

impl Scale {
    /// From 0 to what is no less than any value nor than `least_end`, in four or five round steps.
    pub(crate) fn linear(lines: &[(&str, Vec<(f64, f64)>)], least_end: f64) -> Self {
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
    pub(crate) fn logarithmic(lines: &[(&str, Vec<(f64, f64)>)]) -> Self {
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
}
