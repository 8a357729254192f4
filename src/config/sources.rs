//! Where values come from, the strongest first: the command line, the environment, systemd's credentials, the file.
//! Each source's text goes into the draft as it is; what it means is for `values`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::draft::Draft;
use super::environment;
use super::file::{self, Page};
use super::problems::Source;

/// What the configuration is made of. The default is nothing at all: every setting at its preset.
#[derive(Clone, Default)]
pub struct Inputs {
    /// Settings from the command line: the key, such as `tokens.lifetime`, and the text.
    pub flags: Vec<(String, String)>,
    /// The environment. Names that do not begin with `DOORWARD_` are passed over, `CREDENTIALS_DIRECTORY` excepted.
    pub env: Vec<(OsString, OsString)>,
    /// The file that `--config` names. It must be there.
    pub file: Option<PathBuf>,
    /// Where a file is looked for when none is named; the first that is there is read.
    pub places: Vec<PathBuf>,
    /// Whether `--dev` was given.
    pub dev: bool,
}

impl Inputs {
    /// What this process was started with: its environment, and the usual places of the file.
    pub fn of_process() -> Self {
        Self {
            env: std::env::vars_os().collect(),
            places: vec!["doorward.toml".into(), "/etc/doorward/doorward.toml".into()],
            ..Self::default()
        }
    }

    /// The value of a variable.
    pub(super) fn variable(&self, wanted: &str) -> Option<&OsStr> {
        let found = self.env.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_os_str())
    }
}

/// Puts what every source gives into the draft; `page` is the configuration file.
pub(super) fn gather(inputs: &Inputs, page: Option<&Page>, draft: &mut Draft) {
    from_flags(inputs, draft);
    environment::from_env(inputs, draft);
    environment::from_credentials(inputs, draft);
    if let Some(page) = page {
        file::read(page, draft);
    }
}

fn from_flags(inputs: &Inputs, draft: &mut Draft) {
    if inputs.dev {
        draft.give(
            "dev",
            Zeroizing::new("true".to_owned()),
            Source::CommandLine,
        );
    }
    for (key, text) in &inputs.flags {
        match draft.setting(key).map(|setting| setting.key) {
            Some(key) => draft.give(key, Zeroizing::new(text.clone()), Source::CommandLine),
            None => unknown(
                draft,
                key.clone(),
                Some(Source::CommandLine),
                key,
                str::to_owned,
            ),
        }
    }
}

/// Notes a name that no setting has, and the setting that is nearest to it. `spell` writes a key as this source does.
pub(super) fn unknown(
    draft: &mut Draft,
    name: String,
    source: Option<Source>,
    key: &str,
    spell: fn(&str) -> String,
) {
    let fix = match nearest(draft, key) {
        Some(near) => format!("Did you mean {}?", spell(near)),
        None => "`doorward config reference` lists the settings that there are.".to_owned(),
    };
    draft.problem(name, source, "there is no such setting.", fix);
}

/// The setting or section whose name is most like `key`, or like its last part, when any is like it at all.
fn nearest<'a>(draft: &'a Draft, key: &str) -> Option<&'a str> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |candidate: &str| {
        let whole = strsim::normalized_damerau_levenshtein(key, candidate);
        let part = strsim::normalized_damerau_levenshtein(&last(key), &last(candidate));
        whole.max(part * 0.95)
    };
    let keys = draft.settings.iter().map(|one| one.key);
    let sections = keys
        .clone()
        .filter_map(|key| key.rsplit_once('.').map(|(section, _)| section));
    keys.chain(sections)
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}
