//! Where values come from, the strongest first: the command line, the environment, systemd's credentials, the file.
//! Each source's text goes into the draft as it is; what it means is for `values`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::draft::Draft;
use super::file;
use super::problems::Source;
use super::settings::env_name;

/// Names the configuration file when `--config` does not.
const CONFIG: &str = "DOORWARD_CONFIG";

/// A short name that people expect.
const LOG: (&str, &str) = ("DOORWARD_LOG", "log.filter");

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

    fn variable(&self, wanted: &str) -> Option<&OsStr> {
        let found = self.env.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_os_str())
    }
}

/// Puts what every source gives into the draft.
pub(super) fn gather(inputs: &Inputs, draft: &mut Draft) {
    from_flags(inputs, draft);
    from_env(inputs, draft);
    from_credentials(inputs, draft);
    if let Some((path, text)) = find_file(inputs, draft) {
        file::read(&path, &text, draft);
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

/// What a variable of ours stands for.
enum Meaning {
    /// The value of this setting, or when `in_file` the path of a file that holds it.
    Value {
        key: &'static str,
        in_file: bool,
    },
    /// `_FILE` after the name of a setting that is no secret.
    NotSecret {
        name: String,
    },
    /// Not for us to read here.
    Elsewhere,
    Unknown,
}

fn from_env(inputs: &Inputs, draft: &mut Draft) {
    let mut ours: BTreeMap<&'static str, Vec<(String, &OsStr, bool)>> = BTreeMap::new();
    for (name, value) in &inputs.env {
        let name = name.to_string_lossy().into_owned();
        if !name.starts_with("DOORWARD_") {
            continue;
        }
        match meaning(draft, &name, value) {
            Meaning::Value { key, in_file } => {
                ours.entry(key).or_default().push((name, value, in_file));
            }
            Meaning::NotSecret { name: plain } => draft.problem(
                name,
                None,
                "only a secret is read from a file of its own, and this setting is none.",
                format!("Set {plain} to the value itself."),
            ),
            Meaning::Elsewhere => {}
            Meaning::Unknown => {
                let key = name["DOORWARD_".len()..].replace("__", ".").to_lowercase();
                unknown(draft, name, None, &key, env_name);
            }
        }
    }
    for (key, variables) in ours {
        match variables.as_slice() {
            [(name, value, in_file)] => from_variable(draft, key, name, value, *in_file),
            several => {
                let names: Vec<&str> = several.iter().map(|(name, ..)| name.as_str()).collect();
                let source = Source::Env(names.join(" and "));
                draft.wrong_value(
                    key,
                    source,
                    "it is set more than once.",
                    "Keep one of them.",
                );
            }
        }
    }
}

fn meaning(draft: &Draft, name: &str, value: &OsStr) -> Meaning {
    let named = |name: &str| draft.settings.iter().find(|one| one.env() == name);
    if let Some(setting) = named(name) {
        return Meaning::Value {
            key: setting.key,
            in_file: false,
        };
    }
    if name == LOG.0 {
        return Meaning::Value {
            key: LOG.1,
            in_file: false,
        };
    }
    match name.strip_suffix("_FILE").and_then(named) {
        Some(setting) if setting.secret => Meaning::Value {
            key: setting.key,
            in_file: true,
        },
        Some(setting) => Meaning::NotSecret {
            name: setting.env(),
        },
        None if name == CONFIG || is_service_link(name, value) => Meaning::Elsewhere,
        None => Meaning::Unknown,
    }
}

/// Whether Kubernetes or Docker made the variable. They tell every container of each service in its namespace, and a
/// service named `doorward` or `doorward-db` makes names that begin like ours.
fn is_service_link(name: &str, value: &OsStr) -> bool {
    let is_port = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    let is_address = ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.to_string_lossy().starts_with(scheme));
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name
            .split_once("_PORT_")
            .is_some_and(|(_, rest)| is_port(rest))
        || (name.ends_with("_PORT") && is_address)
}

fn from_variable(draft: &mut Draft, key: &'static str, name: &str, value: &OsStr, in_file: bool) {
    let name = name.to_owned();
    if in_file {
        let path = PathBuf::from(value);
        let source = Source::EnvFile {
            name,
            path: path.clone(),
        };
        return from_secret_file(draft, key, &path, source);
    }
    let source = Source::Env(name);
    match value.to_str() {
        Some(text) => draft.give(key, Zeroizing::new(text.to_owned()), source),
        None => draft.wrong_value(key, source, "the value is not UTF-8.", "Write it in UTF-8."),
    }
}

fn from_secret_file(draft: &mut Draft, key: &'static str, path: &Path, source: Source) {
    match std::fs::read_to_string(path).map(Zeroizing::new) {
        // Editors and `echo` end a file with a newline that is not meant.
        Ok(text) => {
            let text = text.trim_end_matches(['\r', '\n']).to_owned();
            draft.give(key, Zeroizing::new(text), source);
        }
        Err(error) => {
            let what = format!("the file cannot be read: {error}.");
            draft.wrong_value(
                key,
                source,
                what,
                "Make it readable for the user that runs Doorward, or name another.",
            );
        }
    }
}

/// systemd's `LoadCredential=tokens.hs256_secret:/path`: a file named by the key.
fn from_credentials(inputs: &Inputs, draft: &mut Draft) {
    let Some(folder) = inputs.variable("CREDENTIALS_DIRECTORY").map(Path::new) else {
        return;
    };
    let secrets: Vec<&'static str> = draft
        .settings
        .iter()
        .filter(|one| one.secret && !draft.is_given(one.key) && !draft.unsound.contains(one.key))
        .map(|one| one.key)
        .collect();
    for key in secrets {
        let path = folder.join(key);
        if path.exists() {
            from_secret_file(draft, key, &path, Source::Credential(path.clone()));
        }
    }
}

fn find_file(inputs: &Inputs, draft: &mut Draft) -> Option<(PathBuf, Zeroizing<String>)> {
    let named = inputs
        .file
        .clone()
        .or_else(|| inputs.variable(CONFIG).map(PathBuf::from));
    let places = named
        .as_ref()
        .map_or(inputs.places.as_slice(), std::slice::from_ref);
    for path in places {
        match std::fs::read_to_string(path) {
            Ok(text) => return Some((path.clone(), Zeroizing::new(text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {}
            Err(error) => {
                let what = format!("the configuration file cannot be read: {error}.");
                draft.problem(
                    path.display().to_string(),
                    None,
                    what,
                    "Name another with --config, or make it readable.",
                );
                return None;
            }
        }
    }
    None
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
