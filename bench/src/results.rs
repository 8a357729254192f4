//! What was measured, in files: `bench/results/DATE.json`, an object a part of `dev/bench`, by the part's name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::figures::median;

/// Everything of a day, by what was measured: `signin`, `signin --postgres`.
pub(crate) type Results = BTreeMap<String, Part>;

/// What one part found out, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// What to type to measure it again.
    pub(crate) command: String,
    /// Of this tree; "-dirty" where it was changed since.
    pub(crate) commit: String,
    /// How many of which processor.
    pub(crate) cpu: String,
    /// YYYY-MM-DD.
    pub(crate) date: String,
    /// `sqlite` or `postgres`.
    pub(crate) database: String,
    /// How often and for how long.
    pub(crate) note: String,
    pub(crate) figures: Vec<Figure>,
}

/// One cell of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figure {
    /// Which table, by what its rows are: "connections".
    pub(crate) table: String,
    /// Which row of it: "64".
    pub(crate) of: String,
    /// Which column: "sign-ins".
    pub(crate) what: String,
    /// "/s", "ms", "MiB", "%", or nothing where it is a ratio or a count.
    pub(crate) unit: String,
    /// Of the rounds.
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) rounds: usize,
}

impl Figure {
    /// Of what each round gave, at least one.
    pub(crate) fn of_rounds(
        [table, of, what, unit]: [&str; 4],
        rounds: &[f64],
    ) -> anyhow::Result<Self> {
        ensure!(!rounds.is_empty(), "{table} {of}: {what} was not measured");
        ensure!(
            rounds.iter().all(|value| value.is_finite()),
            "{table} {of}: {what} is not a number"
        );
        Ok(Self {
            table: table.to_owned(),
            of: of.to_owned(),
            what: what.to_owned(),
            unit: unit.to_owned(),
            median: short(median(rounds.to_vec())),
            least: short(rounds.iter().copied().fold(f64::INFINITY, f64::min)),
            most: short(rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            rounds: rounds.len(),
        })
    }

    /// As a cell: the median, and in parentheses the least and the most where there were several rounds.
    pub(crate) fn cell(&self) -> String {
        let Self {
            median,
            least,
            most,
            ..
        } = self;
        let is_count = [median, least, most].map(|value| value.fract() == 0.0);
        let digits = if is_count == [true; 3] {
            0
        } else {
            digits(*median)
        };
        if self.rounds == 1 {
            return format!("{median:.digits$}");
        }
        format!("{median:.digits$} ({least:.digits$}-{most:.digits$})")
    }

    /// What stands above its column.
    pub(crate) fn heading(&self) -> String {
        match self.unit.as_str() {
            "" => self.what.clone(),
            "/s" => format!("{}/s", self.what),
            unit => format!("{} {unit}", self.what),
        }
    }
}

/// Six digits are more than any of these figures is good for.
fn short(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

fn digits(value: f64) -> usize {
    match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 0.1 || value == 0.0 => 2,
        _ => 3,
    }
}

/// Columns and rows, each in the order in which they were measured first.
pub(crate) fn tables(figures: &[Figure]) -> Vec<String> {
    distinct(figures.iter().map(|figure| figure.table.as_str()))
        .into_iter()
        .map(|name| table(name, figures))
        .collect()
}

fn table(name: &str, figures: &[Figure]) -> String {
    let figures: Vec<&Figure> = figures
        .iter()
        .filter(|figure| figure.table == name)
        .collect();
    let headings: Vec<String> = figures.iter().map(|figure| figure.heading()).collect();
    let columns = distinct(headings.iter().map(String::as_str));
    let mut lines = vec![
        format!("| {name} | {} |", columns.join(" | ")),
        format!("|---|{}", "---|".repeat(columns.len())),
    ];
    for row in distinct(figures.iter().map(|figure| figure.of.as_str())) {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| {
                let there = figures
                    .iter()
                    .find(|figure| figure.of == row && figure.heading() == *column);
                there.map(|figure| figure.cell()).unwrap_or_default()
            })
            .collect();
        lines.push(format!("| {row} | {} |", cells.join(" | ")));
    }
    lines.join("\n")
}

/// Each once.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut known = Vec::new();
    for name in names {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    known
}

/// The newest file of a folder, by its name, and what it holds.
pub(crate) fn newest(folder: &Path) -> anyhow::Result<(PathBuf, Results)> {
    let there = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let files = there.filter_map(|entry| Some(entry.ok()?.path()));
    let newest = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .max()
        .with_context(|| format!("no results in {}", folder.display()))?;
    let results = read(&newest)?;
    Ok((newest, results))
}

fn read(path: &Path) -> anyhow::Result<Results> {
    let text = fs::read(path)?;
    serde_json::from_slice(&text).with_context(|| path.display().to_string())
}

/// Puts a part where its day's are, in the place of what it found before.
pub(crate) fn put(folder: &Path, name: &str, part: Part) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.json", part.date));
    let mut results = if path.exists() {
        read(&path)?
    } else {
        Results::new()
    };
    results.insert(name.to_owned(), part);
    // Whole or not at all: what took minutes to measure is in it.
    let draft = path.with_extension("draft");
    fs::write(&draft, serde_json::to_string_pretty(&results)? + "\n")?;
    fs::rename(&draft, &path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(of: &str, what: &str, rounds: &[f64]) -> Figure {
        Figure::of_rounds(["connections", of, what, "/s"], rounds).expect("a figure")
    }

    #[test]
    fn rounds_become_a_median_with_the_least_and_the_most() {
        assert_eq!(figure("1", "asked", &[3.0, 1.0, 2.0]).cell(), "2 (1-3)");
        assert_eq!(
            figure("1", "asked", &[3.5, 1.0, 2.0]).cell(),
            "2.00 (1.00-3.50)"
        );
        assert_eq!(figure("1", "asked", &[1234.5678]).cell(), "1235");
        assert!(Figure::of_rounds(["a", "b", "c", ""], &[]).is_err());
        assert!(Figure::of_rounds(["a", "b", "c", ""], &[f64::NAN]).is_err());
    }

    #[test]
    fn a_table_leaves_empty_what_was_not_measured() {
        let figures = [
            figure("1", "asked", &[10.0]),
            figure("64", "asked", &[20.0]),
            figure("64", "granted", &[30.0]),
        ];
        assert_eq!(
            tables(&figures),
            [
                "| connections | asked/s | granted/s |\n|---|---|---|\n| 1 | 10 |  |\n| 64 | 20 | 30 |"
            ]
        );
    }

    #[test]
    fn a_part_replaces_itself_and_leaves_the_others() {
        let folder = std::env::temp_dir().join(format!("doorward-results-{}", std::process::id()));
        let part = |date: &str, commit: &str| Part {
            command: "dev/bench hash".to_owned(),
            commit: commit.to_owned(),
            cpu: "2 x a processor".to_owned(),
            date: date.to_owned(),
            database: "sqlite".to_owned(),
            note: String::new(),
            figures: vec![figure("1", "asked", &[10.0])],
        };
        put(&folder, "hash", part("2026-01-01", "old")).expect("written");
        put(&folder, "hash", part("2026-01-02", "before")).expect("written");
        put(&folder, "me", part("2026-01-02", "other")).expect("written");
        put(&folder, "hash", part("2026-01-02", "after")).expect("written");
        let (path, results) = newest(&folder).expect("results");
        fs::remove_dir_all(&folder).expect("removed");
        assert!(path.ends_with("2026-01-02.json"));
        let commits: Vec<_> = results
            .iter()
            .map(|(name, part)| (name.as_str(), part.commit.as_str()))
            .collect();
        assert_eq!(commits, [("hash", "after"), ("me", "other")]);
    }
}
