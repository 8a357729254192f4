//! What every command says of itself, kept word for word, and the habits that all of them share.

use std::collections::VecDeque;
use std::fs;

use super::{bare, ends, refuses};
use crate::harness::process::Place;

/// The help of every command there is, found by following the lists of commands.
fn pages(place: &Place) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let mut left = VecDeque::from([String::new()]);
    while let Some(command) = left.pop_front() {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let ended = ends(bare(place, &[], &arguments), "");
        assert_eq!(
            (ended.code, ended.said.as_str()),
            (Some(0), ""),
            "{command}"
        );
        let verbs = ended
            .output
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1);
        let verbs = verbs.take_while(|line| !line.is_empty());
        // A line that goes on with its description is indented further.
        let verbs = verbs.filter_map(|line| line.strip_prefix("  ")?.split_once(' '));
        let verbs = verbs
            .map(|(verb, _)| verb)
            .filter(|verb| !verb.is_empty() && *verb != "help");
        left.extend(verbs.map(|verb| format!("{command} {verb}")));
        pages.push((command, ended.output));
    }
    pages
}

#[tokio::test]
async fn every_command_says_what_it_does_how_it_is_used_and_what_it_takes() {
    let place = Place::new().await;
    let pages = pages(&place);
    for (command, page) in &pages {
        let (example, usage) = (page.find("\nExamples:\n  "), page.find("\nUsage: doorward"));
        assert!(
            example.is_some() && example < usage,
            "examples come first: doorward{command}\n{page}"
        );
        assert!(
            page.lines().all(|line| line.chars().count() <= 120),
            "doorward{command}"
        );
    }
    let text: Vec<_> = pages
        .into_iter()
        .map(|(command, page)| format!("$ doorward{command} --help\n\n{}\n", page.trim_end()))
        .collect();
    insta::with_settings!({snapshot_path => "../snapshots"}, {
        insta::assert_snapshot!("help", text.join("\n\n"));
    });
}

/// In the help and in the documents for people alike.
#[tokio::test]
async fn examples_are_of_commands_that_there_are() {
    let place = Place::new().await;
    let pages = pages(&place);
    let commands: Vec<&str> = pages.iter().map(|(command, _)| command.trim()).collect();
    let mut texts: Vec<String> = pages.iter().map(|(_, page)| page.clone()).collect();
    for entry in fs::read_dir("docs").unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
    texts.push(fs::read_to_string("README.md").unwrap());
    let mut count = 0;
    for text in texts {
        for (at, name) in text.match_indices("doorward ") {
            // A command, and not the name in a sentence, a path or a usage line.
            let rest = &text[at + name.len()..];
            if !text[..at].ends_with(['\n', ' ', '`', '|', '\''])
                || !rest.starts_with(|c: char| c.is_ascii_lowercase())
            {
                continue;
            }
            let words: Vec<&str> = rest
                .split(|c: char| c.is_whitespace() || "`'<[\")".contains(c))
                .take(2)
                .collect();
            let is_known = |known: &&str| *known == words[0] || *known == words.join(" ");
            assert!(
                commands.iter().any(is_known),
                "doorward {}",
                words.join(" ")
            );
            count += 1;
        }
    }
    assert!(count > 50, "{count} examples were looked at");
}

#[tokio::test]
async fn a_slip_gets_a_suggestion_and_nothing_at_all_gets_the_help() {
    let place = Place::new().await;
    let run = |arguments: &[&str]| ends(bare(&place, &[], arguments), "");
    refuses(
        &run(&["user", "lst"]),
        2,
        "a similar subcommand exists: 'list'",
    );
    refuses(
        &run(&["user", "list", "--jsn"]),
        2,
        "a similar argument exists: '--json'",
    );
    for nothing in [&[][..], &["user"], &["key"], &["token"], &["config"]] {
        refuses(&run(nothing), 2, "Usage: doorward");
    }
    refuses(
        &run(&["user", "list", "--set", "tokens.lifetime"]),
        2,
        "write it as KEY=VALUE",
    );
}
