//! What a setting is: a field with its doc comment, its key and what holds when nobody sets it, declared in one place.
//! [`settings!`] makes the struct and the list from one text; nothing here knows a particular setting.

use super::draft::Draft;
use super::values::{Kind, Value};

/// One setting, as the sources, the reference and the messages know it.
pub(super) struct Setting {
    /// Its place in the file: `tokens.lifetime`.
    pub key: &'static str,
    /// The lines of the field's doc comment.
    pub about: &'static [&'static str],
    /// What holds when no source sets it.
    pub preset: Preset,
    /// How it is written in TOML.
    pub kind: Kind,
    /// What a value looks like; completes "expected ...".
    pub form: &'static str,
    /// Whether it may be left out, and turned `off`.
    pub optional: bool,
    /// Never shown, and may be read from a file that the environment names.
    pub secret: bool,
}

impl Setting {
    /// The setting of a field of type `T`.
    pub(super) fn of<T: Value>(
        key: &'static str,
        about: &'static [&'static str],
        preset: impl Into<Preset>,
    ) -> Self {
        Self {
            key,
            about,
            preset: preset.into(),
            kind: T::KIND,
            form: T::FORM,
            optional: T::OPTIONAL,
            secret: T::SECRET,
        }
    }

    /// The environment variable: `DOORWARD_` and the key, `__` between section and name.
    pub(super) fn env(&self) -> String {
        env_name(self.key)
    }
}

/// The environment variable of a key.
pub(super) fn env_name(key: &str) -> String {
    format!("DOORWARD_{}", key.replace('.', "__").to_uppercase())
}

/// What holds when no source sets a setting. Texts pass the same parser as anybody's.
pub(super) enum Preset {
    /// This text.
    Text(&'static str),
    /// What follows from settings declared above this one; the words are for the reference.
    Follows(&'static str, fn(&Draft) -> String),
    /// Nothing; the words say what happens then.
    Unset(&'static str),
    /// Nothing, and its section is not complete without it.
    Required,
    /// Only the command line sets it, so that nothing left behind in a file or an environment can.
    CommandLine,
}

impl From<&'static str> for Preset {
    fn from(text: &'static str) -> Self {
        Self::Text(text)
    }
}

/// A struct of settings.
pub(super) trait Section: Sized {
    /// Every setting in it and in the sections below it, in order.
    fn settings() -> Vec<Setting>;
    /// The values. `None` when a required one is missing; the draft then holds the problem.
    fn read(draft: &mut Draft) -> Option<Self>;
}

/// A section that is there when any of its settings is.
impl<S: Section> Section for Option<S> {
    fn settings() -> Vec<Setting> {
        S::settings()
    }

    fn read(draft: &mut Draft) -> Option<Self> {
        if S::settings().iter().any(|one| draft.is_given(one.key)) {
            Some(S::read(draft))
        } else {
            for setting in S::settings() {
                draft.leave_unset(setting.key);
            }
            Some(None)
        }
    }
}

/// Declares a struct of settings: each field is `name: Type = preset`, or `name: Section` for the settings below it.
macro_rules! settings {
    (
        $(#[$about:meta])*
        $reach:vis struct $name:ident under $prefix:literal {
            $($(#[doc = $doc:literal])+ $field:ident: $type:ty $(= $preset:expr)?,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        $reach struct $name {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl $crate::config::settings::Section for $name {
            fn settings() -> Vec<$crate::config::settings::Setting> {
                let each = [
                    $(settings!(@list concat!($prefix, stringify!($field)), $type, [$($doc),+] $(, $preset)?),)+
                ];
                each.into_iter().flatten().collect()
            }

            fn read(draft: &mut $crate::config::draft::Draft) -> Option<Self> {
                $(let $field = settings!(@read draft, concat!($prefix, stringify!($field)), $type $(, $preset)?);)+
                Some(Self { $($field: $field?,)+ })
            }
        }
    };
    (@list $key:expr, $type:ty, $about:expr, $preset:expr) => {
        vec![$crate::config::settings::Setting::of::<$type>($key, &$about, $preset)]
    };
    (@list $key:expr, $type:ty, $about:expr) => {
        <$type as $crate::config::settings::Section>::settings()
    };
    (@read $draft:ident, $key:expr, $type:ty, $preset:expr) => {
        $draft.read::<$type>($key)
    };
    (@read $draft:ident, $key:expr, $type:ty) => {
        <$type as $crate::config::settings::Section>::read($draft)
    };
}

pub(super) use settings;
