//! What the environment says: our variables, the files that they name, and systemd's credentials.
//! Only names that begin with `DOORWARD_` are ours, and every one of those must mean something.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::draft::Draft;
use super::problems::Source;
use super::settings::env_name;
use super::sources::{Inputs, unknown};

/// Names the configuration file when `--config` does not.
pub(super) const CONFIG: &str = "DOORWARD_CONFIG";

/// A short name that people expect.
const LOG: (&str, &str) = ("DOORWARD_LOG", "log.filter");

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

/// Puts what our variables say into the draft.
pub(super) fn from_env(inputs: &Inputs, draft: &mut Draft) {
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
pub(super) fn from_credentials(inputs: &Inputs, draft: &mut Draft) {
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
