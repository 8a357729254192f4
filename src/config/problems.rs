//! What is wrong with a configuration, in words: which setting, where its value came from, what is wrong, what to do.
//! A secret's value never comes here.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A flag.
    CommandLine,
    /// An environment variable.
    Env(String),
    /// A file that an environment variable names.
    EnvFile {
        /// The variable: `DOORWARD_SECRET_KEY_FILE`.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// A file below systemd's `$CREDENTIALS_DIRECTORY`.
    Credential(PathBuf),
    /// The configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// Nobody set it.
    Preset,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("from the command line"),
            Self::Env(name) => write!(f, "from env {name}"),
            Self::EnvFile { name, path } => write!(f, "from {}, named by {name}", path.display()),
            Self::Credential(path) => write!(f, "from credential {}", path.display()),
            Self::File { path, line, column } => {
                write!(f, "from {}:{line}:{column}", path.display())
            }
            Self::Preset => f.write_str("default"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// The key, the variable or the file that it is about.
    pub(super) about: String,
    /// Where the value came from, when there is one.
    pub(super) source: Option<Source>,
    /// What is wrong: a sentence.
    pub(super) what: String,
    /// What to do about it: a sentence.
    pub(super) fix: String,
}

impl Problem {
    /// What is wrong and where, without what to do about it.
    fn said(&self) -> String {
        let source = match &self.source {
            Some(Source::Preset) => " (not set)".to_owned(),
            Some(source) => format!(" ({source})"),
            None => String::new(),
        };
        format!("{}{source}: {}", self.about, self.what)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}", self.said(), self.fix)
    }
}

/// Everything that is wrong with a configuration, all at once. A command that meets it exits with 78 (`EX_CONFIG`).
#[derive(Debug, thiserror::Error)]
pub struct ConfigErrors(pub(super) Vec<Problem>);

impl ConfigErrors {
    /// Each problem: what is wrong, and what to do about it.
    pub fn each(&self) -> impl Iterator<Item = (String, &str)> {
        let problems = self.0.iter();
        problems.map(|problem| (problem.said(), problem.fix.as_str()))
    }
}

impl fmt::Display for ConfigErrors {
    /// A paragraph a problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let gap = if at == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}
