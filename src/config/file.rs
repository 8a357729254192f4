//! The configuration file: TOML 1.1, each value with the line on which it stands.
//! Types are checked here, since TOML has them; what a text means is for `values`.

use std::io;
use std::path::PathBuf;

use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::draft::{Draft, expected};
use super::environment;
use super::problems::Source;
use super::sources::{Inputs, unknown};
use super::values::Kind;

/// A configuration file as it was found.
pub(super) struct Page {
    pub(super) path: PathBuf,
    pub(super) text: Zeroizing<String>,
}

impl Page {
    /// The line and the column of a byte, in characters from 1.
    fn place(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    fn source(&self, offset: usize) -> Source {
        let (line, column) = self.place(offset);
        let path = self.path.clone();
        Source::File { path, line, column }
    }
}

/// The configuration file: the one that is named, or the first of the usual places that has one.
pub(super) fn find(inputs: &Inputs, draft: &mut Draft) -> Option<Page> {
    let named = inputs
        .file
        .clone()
        .or_else(|| inputs.variable(environment::CONFIG).map(PathBuf::from));
    let places = named
        .as_ref()
        .map_or(inputs.places.as_slice(), std::slice::from_ref);
    for path in places {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let (path, text) = (path.clone(), Zeroizing::new(text));
                return Some(Page { path, text });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {}
            Err(error) => {
                draft.problem(
                    path.display().to_string(),
                    None,
                    format!("the configuration file cannot be read: {error}."),
                    "Name another with --config, or make it readable for the user that runs Doorward.",
                );
                return None;
            }
        }
    }
    None
}

/// Puts what the file says into the draft, and everything that is wrong with it.
pub(super) fn read(page: &Page, draft: &mut Draft) {
    let (document, errors) = DeTable::parse_recoverable(&page.text);
    for error in errors {
        let offset = error.span().map_or(page.text.len(), |span| span.start);
        let (line, column) = page.place(offset);
        draft.problem(
            format!("{}:{line}:{column}", page.path.display()),
            None,
            format!("it is not TOML here: {}.", error.message()),
            "Correct the line. A text stands in quotes, the name of a section in brackets, and each name only once.",
        );
    }
    section(page, "", document.get_ref(), draft);
}

fn section(page: &Page, prefix: &str, table: &DeTable<'_>, draft: &mut Draft) {
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
