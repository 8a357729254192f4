//! The configuration while it is being put together: what the sources gave, what was read, what was wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use zeroize::Zeroizing;

use super::problems::{Problem, Source};
use super::settings::{Preset, Setting};
use super::values::{Kind, Value, shown};

/// What the strongest source says about a setting.
pub(super) struct Given {
    pub(super) text: Zeroizing<String>,
    pub(super) source: Source,
}

/// A setting as it came out.
#[derive(Debug, Clone)]
pub(super) struct Effective {
    pub(super) key: &'static str,
    pub(super) kind: Kind,
    /// Normalised, and `***` for a secret. `None` when nothing is set and nothing holds instead.
    pub(super) text: Option<String>,
    pub(super) source: Source,
}

/// The configuration while it is being put together.
pub(super) struct Draft {
    pub(super) settings: Vec<Setting>,
    pub(super) given: BTreeMap<&'static str, Given>,
    pub(super) effective: Vec<Effective>,
    /// Keys with a problem of their own, so that no rule complains about what stands in for their value.
    pub(super) unsound: BTreeSet<&'static str>,
    pub(super) problems: Vec<Problem>,
}

impl Draft {
    pub(super) fn new(settings: Vec<Setting>) -> Self {
        Self {
            settings,
            given: BTreeMap::new(),
            effective: Vec::new(),
            unsound: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// Whether any source says something about a setting.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.given.contains_key(key)
    }

    /// The effective text of a setting that was read before; empty when it has none.
    pub(super) fn text(&self, key: &str) -> String {
        let found = self.effective.iter().find(|one| one.key == key);
        found.and_then(|one| one.text.clone()).unwrap_or_default()
    }

    /// Where the value of a setting that was read before came from.
    pub(super) fn source(&self, key: &str) -> Source {
        let found = self.effective.iter().find(|one| one.key == key);
        found.map_or(Source::Preset, |one| one.source.clone())
    }

    /// The value of a setting. When what is given is no value of the type, the problem is noted and the preset stands in.
    pub(super) fn read<T: Value>(&mut self, key: &'static str) -> Option<T> {
        let Some(given) = self.given.get(key) else {
            return self.stand_in(key, Source::Preset);
        };
        let source = given.source.clone();
        match T::from_text(&given.text) {
            Ok(value) => {
                self.note::<T>(key, Some(value.to_text()), source);
                Some(value)
            }
            Err(wrong) => {
                let shown = shown::<T>(&given.text);
                let (what, fix) = (format!("{shown} {wrong}."), expected(T::FORM, T::OPTIONAL));
                self.wrong_value(key, source.clone(), what, fix);
                self.stand_in(key, source)
            }
        }
    }

    /// The preset, noted as what came out.
    fn stand_in<T: Value>(&mut self, key: &'static str, source: Source) -> Option<T> {
        let value: Option<T> = self.preset(key);
        let is_unset = self
            .setting(key)
            .is_some_and(|one| matches!(one.preset, Preset::Unset(_)));
        let text = value.as_ref().filter(|_| !is_unset).map(T::to_text);
        self.note::<T>(key, text, source);
        value
    }

    fn note<T: Value>(&mut self, key: &'static str, text: Option<String>, source: Source) {
        self.effective.push(Effective {
            key,
            kind: T::KIND,
            text,
            source,
        });
    }

    /// Notes that nothing is set.
    pub(super) fn leave_unset(&mut self, key: &'static str) {
        self.effective.push(Effective {
            key,
            kind: Kind::Text,
            text: None,
            source: Source::Preset,
        });
    }

    fn preset<T: Value>(&mut self, key: &'static str) -> Option<T> {
        let setting = self.setting(key)?;
        let text = match &setting.preset {
            Preset::Text(text) => (*text).to_owned(),
            Preset::Follows(_, follow) => follow(self),
            Preset::CommandLine => "false".to_owned(),
            Preset::Unset(_) => return T::absent(),
            Preset::Required => {
                let fix = format!(
                    "Set {key} ({}), or take the rest of its section away.",
                    setting.env()
                );
                if !self.unsound.contains(key) {
                    let what = "it is missing, and the rest of its section is there.";
                    self.wrong_value(key, Source::Preset, what, fix);
                }
                return None;
            }
        };
        T::from_text(&text).ok().or_else(T::absent)
    }

    /// The setting of a key.
    pub(super) fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|one| one.key == key)
    }

    /// Takes a source's word, unless a stronger source gave its own before.
    pub(super) fn give(&mut self, key: &'static str, text: Zeroizing<String>, source: Source) {
        let command_line_only = self
            .setting(key)
            .is_some_and(|one| matches!(one.preset, Preset::CommandLine));
        if command_line_only && source != Source::CommandLine {
            let fix = format!("Start with --{key} instead.");
            self.wrong_value(key, source, "it is taken from the command line alone.", fix);
        } else {
            self.given.entry(key).or_insert(Given { text, source });
        }
    }

    /// Notes that a source's value for `key` cannot be used.
    pub(super) fn wrong_value(
        &mut self,
        key: &'static str,
        source: Source,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.unsound.insert(key);
        self.problem(key, Some(source), what, fix);
    }

    /// Notes a problem that is about no setting's value.
    pub(super) fn problem(
        &mut self,
        about: impl Into<String>,
        source: Option<Source>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.problems.push(Problem {
            about: about.into(),
            source,
            what: what.into(),
            fix: fix.into(),
        });
    }

    /// Notes that a rule is broken, unless one of the settings that the rule looks at has a problem of its own.
    /// The problem is told of the first of them.
    pub(super) fn refuse(
        &mut self,
        keys: &[&'static str],
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        if let Some(first) = keys
            .first()
            .filter(|_| keys.iter().all(|key| !self.unsound.contains(key)))
        {
            self.problem(*first, Some(self.source(first)), what, fix);
        }
    }

    /// Notes when a value is outside its limits.
    pub(super) fn within<T: Value + PartialOrd>(
        &mut self,
        key: &'static str,
        value: &T,
        limits: RangeInclusive<T>,
    ) {
        if !limits.contains(value) {
            let (least, most) = (limits.start().to_text(), limits.end().to_text());
            self.refuse(
                &[key],
                format!("{} is outside its limits.", value.to_text()),
                format!("Choose from {least} to {most}."),
            );
        }
    }
}

/// What a value looks like, as advice.
pub(super) fn expected(form: &str, optional: bool) -> String {
    let off = if optional { ", or off" } else { "" };
    format!("Expected {form}{off}.")
}
