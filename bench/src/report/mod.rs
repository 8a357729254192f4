//! From the newest results to `docs/benchmarks.md`, its pictures, and the part of the README that shows them.

mod bars;
mod charts;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use crate::results::{Part, Results, newest, tables};
use crate::say;
use charts::CHARTS;

/// What the parts are about, in the order in which they are shown. Others follow, by their names.
const PARTS: &[(&str, &str, &str)] = &[
    (
        "hash",
        "Hashes",
        "Argon2id at the usual cost, by each implementation in turn.",
    ),
    (
        "signin",
        "Sign-ins",
        "`POST /auth/signin` with the right password, each for somebody else and from another network, with the usual limits and \
         cost; beside it what our own hash alone gives on the same cores.",
    ),
    (
        "me",
        "Who am I",
        "`GET /auth/me` with a bearer token, beside a handler that does nothing but verify the same token by the same code.",
    ),
    (
        "refresh",
        "Refreshes",
        "`POST /auth/refresh`, beside the same server with a commit for each of them.",
    ),
    (
        "flood",
        "A flood",
        "A flood of wrong passwords, and what everybody else notices of it.",
    ),
    ("start", "Start, memory and size", ""),
    (
        "growth",
        "Growth",
        "The same sign-ins with few and with many people, each of whom has a session.",
    ),
    (
        "peers",
        "Beside others",
        "What people would take instead, each as its own guide has it, on its published packages (`bench/peers`).",
    ),
    (
        "nodes",
        "A second node",
        "Two nodes on one PostgreSQL, beside one; and what each sign-in takes of the database.",
    ),
    (
        "simulate",
        "A hundred million people",
        "A day of sign-ins, simulated: only what one takes is measured. [scaling.md](scaling.md) says what that can tell.",
    ),
];

const BEGIN: &str = "<!-- benchmarks: made by dev/bench report -->\n";
const END: &str = "<!-- /benchmarks -->";

/// A file, by its path from the top of the repository, and what is to be in it.
type Files = Vec<(PathBuf, String)>;

/// `report FOLDER`: writes them, from the newest results of that folder.
///
/// # Errors
/// When there are no results, or a file cannot be read or written.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let (Some(results), None) = (arguments.next(), arguments.next()) else {
        bail!("call it by dev/bench");
    };
    for (path, text) in files(Path::new("."), Path::new(&results))? {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        say(format_args!("Written: {}", path.display()));
    }
    Ok(())
}

fn files(top: &Path, results: &Path) -> anyhow::Result<Files> {
    let (path, results) = newest(&top.join(results))?;
    let name = path.file_name().context("a file")?.to_string_lossy();
    let readme = top.join("README.md");
    let mut files = vec![
        (top.join("docs/benchmarks.md"), page(&name, &results)),
        (
            readme.clone(),
            in_readme(&fs::read_to_string(&readme)?, &results)?,
        ),
    ];
    for (part, chart) in CHARTS {
        if results.contains_key(*part) {
            let path = top.join("docs/benchmarks").join(chart.file);
            files.push((path, chart.draw(&results)));
        }
    }
    Ok(files)
}

fn page(name: &str, results: &Results) -> String {
    let mut page = format!(
        "# Benchmarks\n\n`dev/bench report` makes this page of `bench/results/{name}`, which `dev/bench` writes. A figure that was not \
         measured is not here. Medians of interleaved rounds, with (least-most); compare ratios within one part. How it is \
         measured: [performance.md](performance.md).\n\n## What is aimed at\n\n{}\n",
        bars::table(results)
    );
    let known = PARTS.iter().map(|(name, ..)| *name);
    let others = results
        .keys()
        .map(|name| bare(name))
        .filter(|name| known.clone().all(|known| known != *name));
    let mut shown: Vec<&str> = Vec::new();
    for name in known.clone().chain(others) {
        if !shown.contains(&name) {
            section(&mut page, name, results);
            shown.push(name);
        }
    }
    page
}

/// A part without its database.
fn bare(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}

fn section(page: &mut String, name: &str, results: &Results) {
    let parts: Vec<&Part> = results
        .iter()
        .filter(|(known, _)| bare(known) == name)
        .map(|(_, part)| part)
        .collect();
    if parts.is_empty() {
        return;
    }
    let known = PARTS.iter().find(|(known, ..)| *known == name);
    let (_, heading, about) = known.copied().unwrap_or((name, name, ""));
    let _ = writeln!(page, "\n## {heading}");
    if !about.is_empty() {
        let _ = writeln!(page, "\n{about}");
    }
    for (_, chart) in CHARTS.iter().filter(|(part, _)| *part == name) {
        let _ = writeln!(page, "\n![{}](benchmarks/{})", chart.title, chart.file);
    }
    for part in parts {
        let Part {
            command,
            date,
            commit,
            cpu,
            database,
            note,
            figures,
        } = part;
        let _ = writeln!(
            page,
            "\n`{command}`, {date}, commit {commit}, {cpu}, {database}. {note}"
        );
        for table in tables(figures) {
            let _ = writeln!(page, "\n{table}");
        }
    }
}

/// The README with today's figures in the place of those before.
fn in_readme(readme: &str, results: &Results) -> anyhow::Result<String> {
    let (before, rest) = readme
        .split_once(BEGIN)
        .context("the README has no place for figures")?;
    let (_, after) = rest
        .split_once(END)
        .context("the README's figures have no end")?;
    ensure!(
        !after.contains(BEGIN),
        "the README has two places for figures"
    );
    let mut figures = format!("\n{}\n", bars::table(results));
    if let Some((_, chart)) = CHARTS.iter().find(|(part, _)| results.contains_key(*part)) {
        let _ = writeln!(
            figures,
            "\n![{}](docs/benchmarks/{})",
            chart.title, chart.file
        );
    }
    Ok(format!("{before}{BEGIN}{figures}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Figure;

    fn top() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn what_is_committed_is_what_the_results_render_to() {
        for (path, text) in files(&top(), Path::new("bench/results")).expect("results") {
            let there = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                there == text,
                "{} is out of date: run dev/bench report",
                path.display()
            );
        }
    }

    fn results(share: f64) -> Results {
        let figure = |of: &str, what: &str, value| {
            Figure::of_rounds(["connections", of, what, ""], &[value]).expect("a figure")
        };
        let part = Part {
            command: "dev/bench signin".to_owned(),
            commit: "abc".to_owned(),
            cpu: "2 x a processor".to_owned(),
            date: "2026-01-01".to_owned(),
            database: "sqlite".to_owned(),
            note: "3 rounds.".to_owned(),
            figures: vec![
                figure("8", "sign-ins", 40.0),
                figure("64", "sign-ins", 50.0),
                figure("64", "share of the hashes alone", share),
            ],
        };
        Results::from([("signin".to_owned(), part)])
    }

    #[test]
    fn a_bar_is_met_or_missed_and_one_that_was_not_measured_is_not_shown() {
        let promised = |share| bars::table(&results(share));
        assert!(promised(0.96).ends_with("| at least 0.95 | 0.96 | yes |"));
        assert!(promised(0.94).ends_with("| at least 0.95 | 0.94 | no |"));
        assert_eq!(promised(0.94).lines().count(), 3);
    }

    #[test]
    fn a_page_says_how_it_was_measured_and_shows_what_was() {
        let page = page("2026-01-01.json", &results(0.96));
        assert!(page.contains(
            "`dev/bench signin`, 2026-01-01, commit abc, 2 x a processor, sqlite. 3 rounds."
        ));
        assert!(page.contains("![Sign-ins by connections](benchmarks/signin.svg)"));
        assert!(!page.contains("## Growth"));
    }

    #[test]
    fn a_picture_stays_within_its_edges() {
        let (_, chart) = CHARTS.first().expect("a chart");
        let svg = chart.draw(&results(0.96));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert_eq!(svg.matches("<polyline").count(), 1);
        assert!(svg.contains(">64</text>"));
    }

    #[test]
    fn the_readme_keeps_what_is_around_its_figures() {
        let readme = format!("a\n{BEGIN}old\n{END}\nb\n");
        let new = in_readme(&readme, &results(0.96)).expect("a place");
        assert!(new.starts_with("a\n") && new.ends_with("\nb\n") && !new.contains("old"));
        assert_eq!(in_readme(&new, &results(0.96)).expect("a place"), new);
        assert!(in_readme("nothing", &results(0.96)).is_err());
    }
}
