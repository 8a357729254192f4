//! The configuration file: TOML 1.1, each value with the line on which it stands.
//! Types are checked here, since TOML has them; what a text means is for `values`.

use std::path::Path;

use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::draft::{Draft, expected};
use super::problems::Source;
use super::sources::unknown;
use super::values::Kind;

/// The file that is being read.
struct Page<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Page<'_> {
    /// The place of a byte, in lines and characters from 1.
    fn source(&self, offset: usize) -> Source {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Source::File {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// Puts what the file says into the draft, and everything that is wrong with it.
pub(super) fn read(path: &Path, text: &str, draft: &mut Draft) {
    let page = Page { path, text };
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let offset = error.span().map_or(text.len(), |span| span.start);
        let what = format!("it is not TOML here: {}.", error.message());
        draft.problem(
            path.display().to_string(),
            Some(page.source(offset)),
            what,
            "Correct the line; texts stand in quotes, sections in [brackets].",
        );
    }
    section(&page, "", document.get_ref(), draft);
}

fn section(page: &Page<'_>, prefix: &str, table: &DeTable<'_>, draft: &mut Draft) {
    for (name, value) in table {
        let path = format!("{prefix}{}", name.get_ref());
        let source = page.source(name.span().start);
        let below = format!("{path}.");
        let is_section = draft.settings.iter().any(|one| one.key.starts_with(&below));
        match value.get_ref() {
            DeValue::Table(table) if is_section => section(page, &below, table, draft),
            _ if is_section => draft.problem(
                &path,
                Some(source),
                "it is a section, not a setting.",
                format!("Write [{path}] on a line of its own, and its settings below."),
            ),
            value => match draft.setting(&path).map(|setting| setting.key) {
                Some(key) => setting(key, value, source, draft),
                None => unknown(draft, path.clone(), Some(source), &path, str::to_owned),
            },
        }
    }
}

fn setting(key: &'static str, value: &DeValue<'_>, source: Source, draft: &mut Draft) {
    let Some(setting) = draft.setting(key) else {
        return;
    };
    if let Some(text) = text_of(setting.kind, value) {
        return draft.give(key, Zeroizing::new(text), source);
    }
    let kind = match setting.kind {
        Kind::Text => "a string in quotes",
        Kind::Integer => "an integer without quotes",
        Kind::Boolean => "true or false without quotes",
        Kind::List => "an array of strings",
    };
    let what = format!("it is of type {}, and should be {kind}.", value.type_str());
    let fix = expected(setting.form, setting.optional);
    draft.wrong_value(key, source, what, fix);
}

/// The value as text, when it is of the kind.
fn text_of(kind: Kind, value: &DeValue<'_>) -> Option<String> {
    match (kind, value) {
        (Kind::Text, DeValue::String(text)) => Some(text.clone().into_owned()),
        (Kind::Integer, DeValue::Integer(number)) => {
            let plain = i128::from_str_radix(number.as_str(), number.radix());
            Some(plain.map_or_else(|_| number.to_string(), |plain| plain.to_string()))
        }
        (Kind::Boolean, DeValue::Boolean(truth)) => Some(truth.to_string()),
        (Kind::List, DeValue::Array(items)) => {
            let items: Option<Vec<&str>> =
                items.iter().map(|item| item.get_ref().as_str()).collect();
            items.map(|items| items.join(","))
        }
        _ => None,
    }
}
