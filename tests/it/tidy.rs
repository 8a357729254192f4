//! The rules of the house, as ARCHITECTURE.md has them: who may know whom, what belongs where, how long a file may get.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of ours, by its path from the top of the repository.
struct File {
    path: String,
    text: String,
}

impl File {
    /// The module of `src/` that it belongs to.
    fn module(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?;
        Some(rest.split('/').next()?.trim_end_matches(".rs"))
    }

    /// Its name without the ending.
    fn name(&self) -> &str {
        self.path
            .rsplit('/')
            .next()
            .unwrap_or("")
            .trim_end_matches(".rs")
    }

    /// Whether it is a feature's face: what turns requests into calls and outcomes into answers.
    fn is_face(&self) -> bool {
        matches!(self.name(), "routes" | "pages" | "extract")
    }

    /// Its lines of code: no comments, and nothing from its unit tests on.
    fn code(&self) -> impl Iterator<Item = &str> {
        let code = self
            .text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or("");
        code.lines()
            .filter(|line| !line.trim_start().starts_with("//"))
    }

    /// The same, with what is used drawn together into one line.
    fn joined(&self) -> Vec<String> {
        let mut joined: Vec<String> = Vec::new();
        for line in self.code() {
            match joined.last_mut() {
                Some(last) if last.starts_with("use ") && !last.contains(';') => {
                    last.push_str(line.trim());
                }
                _ => joined.push(line.to_owned()),
            }
        }
        joined
    }
}

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(below: &str, ending: &str) -> Vec<File> {
    let mut found = Vec::new();
    collect(&top().join(below), ending, &mut found);
    assert!(!found.is_empty(), "no {ending} below {below}");
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir()
            && !matches!(
                name.as_str(),
                "target" | "node_modules" | ".git" | "fixtures"
            )
        {
            collect(&path, ending, found);
        } else if name.ends_with(ending) && path.is_file() {
            let text = fs::read_to_string(&path).unwrap();
            found.push(File {
                path: path.strip_prefix(top()).unwrap().display().to_string(),
                text,
            });
        }
    }
}

fn product() -> Vec<File> {
    let is_test = |file: &File| file.name() == "tests" || file.path.contains("/tests/");
    files("src", ".rs")
        .into_iter()
        .filter(|file| !is_test(file))
        .collect()
}

/// Each module of `lib.rs` and the number of its group, counted from above.
fn groups() -> BTreeMap<String, usize> {
    let lib = fs::read_to_string(top().join("src/lib.rs")).unwrap();
    let mut group = 0;
    let mut groups = BTreeMap::new();
    for line in lib.lines() {
        match line
            .strip_prefix("pub mod ")
            .and_then(|rest| rest.strip_suffix(';'))
        {
            Some(module) => drop(groups.insert(module.to_owned(), group)),
            None => group += 1,
        }
    }
    assert!(groups.len() > 10, "lib.rs lists the modules");
    groups
}

/// The modules that a line names by `crate::`.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").flat_map(|(at, prefix)| {
        let rest = &line[at + prefix.len()..];
        let list = rest
            .strip_prefix('{')
            .map_or(rest, |list| list.split('}').next().unwrap_or(list));
        let is_list = rest.starts_with('{');
        let count = if is_list { usize::MAX } else { 1 };
        list.split(',').take(count).map(|name| {
            let end = name
                .trim()
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(name.trim().len());
            &name.trim()[..end]
        })
    })
}

#[test]
fn a_module_knows_only_what_stands_above_it() {
    let groups = groups();
    for file in product() {
        let Some(own) = file.module().and_then(|module| groups.get(module)) else {
            continue;
        };
        for line in file.joined() {
            for module in named(&line) {
                let Some(other) = groups.get(module) else {
                    continue;
                };
                let is_face_to_app = file.is_face() && module == "app";
                assert!(
                    other <= own || is_face_to_app,
                    "{} looks up to {module}: {line}",
                    file.path
                );
            }
        }
    }
}

#[test]
fn http_is_spoken_at_the_face_only() {
    for file in product() {
        let may = file.path.starts_with("src/http/")
            || matches!(
                file.path.as_str(),
                "src/router.rs" | "src/error.rs" | "src/error/envelope.rs" | "src/error/words.rs"
            )
            || file.is_face();
        let speaks = file
            .code()
            .any(|line| line.contains("axum::") || line.trim_start().starts_with("use axum"));
        assert!(may || !speaks, "{} names axum", file.path);
    }
}

#[test]
fn sql_is_in_the_stores_only() {
    for file in product() {
        let has_sql = file.code().any(|line| {
            line.contains("sql(\"")
                || line.contains("sql(concat!")
                || line.contains("db::sql")
                || line.contains(", sql}")
        });
        assert!(
            file.name() == "store" || !has_sql,
            "{} holds SQL",
            file.path
        );
    }
}

#[test]
fn within_a_feature_the_way_is_down() {
    for file in product() {
        let looks_up = |line: &&str| {
            ["routes::", "pages::"]
                .iter()
                .any(|face| line.contains(&format!("super::{face}")))
        };
        if file.name() == "store" || file.name() == "mod" {
            assert_eq!(
                file.code().find(looks_up),
                None,
                "{} looks up to its face",
                file.path
            );
        }
    }
}

#[test]
fn leaf_crates_know_nothing_of_the_product() {
    for ending in [".rs", ".md", ".toml"] {
        for file in files("crates", ending) {
            assert!(
                !file.text.to_lowercase().contains("doorward"),
                "{} names the product",
                file.path
            );
        }
    }
}

#[test]
fn a_file_is_read_in_one_sitting_and_has_a_name() {
    for folder in ["src", "crates", "tests", "bench"] {
        for file in files(folder, ".rs") {
            let lines = file.text.lines().count();
            assert!(lines <= 500, "{} has {lines} lines", file.path);
            assert!(
                !matches!(
                    file.name(),
                    "utils" | "util" | "helpers" | "common" | "misc"
                ),
                "{} needs a name",
                file.path
            );
        }
    }
}

#[test]
fn a_module_opens_with_what_it_holds() {
    for file in product().into_iter().chain(files("tests/it", ".rs")) {
        assert!(
            file.text.starts_with("//!"),
            "{} does not say what it holds",
            file.path
        );
    }
}

#[test]
fn every_refusal_is_in_the_catalogue() {
    let error = fs::read_to_string(top().join("src/error.rs")).unwrap();
    let list = |from: &str, to: &str| {
        error
            .split(from)
            .nth(1)
            .unwrap()
            .split(to)
            .next()
            .unwrap()
            .to_owned()
    };
    let variants = list("pub enum Refusal {", "\n}");
    let catalogue = list("pub fn catalogue()", "\n    }");
    let is_variant = |line: &&str| {
        line.starts_with("    ") && line.trim().starts_with(|c: char| c.is_ascii_uppercase())
    };
    for line in variants
        .lines()
        .filter(is_variant)
        .filter(|line| !line.starts_with("     "))
    {
        let name: String = line
            .trim()
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let is_listed = catalogue.contains(&format!("Self::{name}"))
            || name == "Invalid" && catalogue.contains("Self::invalid");
        assert!(is_listed, "{name} is not in Refusal::catalogue");
    }
}

#[test]
fn the_map_is_short_and_its_places_exist() {
    let map = fs::read_to_string(top().join("ARCHITECTURE.md")).unwrap();
    assert!(
        map.lines().count() <= 120,
        "ARCHITECTURE.md is a map, not a book"
    );
    for place in map
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|text| text.starts_with("src/") || text.starts_with("crates/"))
    {
        assert!(
            top().join(place).exists(),
            "ARCHITECTURE.md names {place}, which is not there"
        );
    }
    for module in groups().keys() {
        assert!(
            map.contains(module.as_str()),
            "ARCHITECTURE.md does not mention {module}"
        );
    }
}
