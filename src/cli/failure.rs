//! How a command ends when it does not end well: what it says, and the exit code that scripts go by.

use std::fmt::Display;

use db::OpenError;

use crate::app::CannotStart;
use crate::error::{Broken, Error, Message, Refusal};
use crate::revocations::{CannotTell, MarkError};

/// It was tried and did not work.
const FAILED: u8 = 1;
/// It was asked for in a way that means nothing; clap's own errors end so too.
const USAGE: u8 = 2;
/// What it is about does not exist.
const NOT_FOUND: u8 = 4;
/// Something that it needs does not answer (`EX_UNAVAILABLE` of sysexits.h).
const UNREACHABLE: u8 = 69;
/// The configuration is wrong (`EX_CONFIG`), which no restart mends: systemd's `RestartPreventExitStatus=78`.
const CONFIGURATION: u8 = 78;

/// Why a command failed, in words, and the exit code.
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) words: String,
}

impl Failure {
    fn new(code: u8, words: impl Display) -> Self {
        Self {
            code,
            words: words.to_string(),
        }
    }

    pub(super) fn failed(words: impl Display) -> Self {
        Self::new(FAILED, words)
    }

    pub(super) fn usage(words: impl Display) -> Self {
        Self::new(USAGE, words)
    }

    pub(super) fn not_found(words: impl Display) -> Self {
        Self::new(NOT_FOUND, words)
    }

    pub(super) fn unreachable(words: impl Display) -> Self {
        Self::new(UNREACHABLE, words)
    }

    pub(super) fn configuration(words: impl Display) -> Self {
        Self::new(CONFIGURATION, words)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Broken(Broken::Unavailable(why)) => Self::unreachable(why),
            Error::Broken(Broken::Bug(why)) => Self::failed(why),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let words = match refusal.said().message {
            Message::One(sentence) => sentence.into_owned(),
            Message::Many(sentences) => sentences.join("; "),
        };
        match refusal {
            Refusal::Invalid(_) => Self::usage(words),
            _ => Self::failed(words),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Connect(_) => Self::unreachable(error),
            OpenError::Address(_) => Self::configuration(error),
            _ => Self::failed(error),
        }
    }
}

impl From<CannotTell> for Failure {
    fn from(error: CannotTell) -> Self {
        match error {
            CannotTell::Forgotten(found) => Self::failed(format_args!(
                "{found}. Sessions that were ended may be open in it: `doorward serve` ends all sessions before it serves, and \
                 says so. Nothing was done"
            )),
            CannotTell::Mark(MarkError::Io { .. }) => Self::failed(error),
            CannotTell::Mark(_) => Self::configuration(error),
            CannotTell::Database(error) => Error::from(error).into(),
        }
    }
}

impl From<CannotStart> for Failure {
    fn from(error: CannotStart) -> Self {
        match error {
            CannotStart::WrongSecretKey | CannotStart::Breached(_) => Self::configuration(error),
            CannotStart::Revocations(why) => why.into(),
            CannotStart::Broken(_) => Self::failed(error),
        }
    }
}
