//! How a value is written: every source's text passes the same parser, and what is shown can be read back.
//! Nothing here knows which setting a value is for.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::secret::Secret;

/// How a value stands in TOML. On the command line and in the environment everything is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Boolean,
    /// An array of strings; elsewhere the items stand between commas, which no item contains.
    List,
}

impl Kind {
    /// A value of this kind as it would stand in a file.
    pub(super) fn toml(self, text: &str) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        match self {
            Self::Text => quoted(text),
            Self::Integer | Self::Boolean => text.to_owned(),
            Self::List => {
                let items = text.split(',').filter(|item| !item.is_empty());
                format!("[{}]", items.map(quoted).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// A type that a setting can have.
pub(super) trait Value: Sized {
    const KIND: Kind = Kind::Text;
    /// What a value looks like; completes "expected ...".
    const FORM: &'static str;
    const OPTIONAL: bool = false;
    const SECRET: bool = false;

    /// Reads the text. The error completes a sentence that begins with the value: "is not a duration".
    fn from_text(text: &str) -> Result<Self, String>;
    /// The text that reads back as this value.
    fn to_text(&self) -> String;
    /// What the setting is when no source and no preset gives a text.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;
    const FORM: &'static str = T::FORM;
    const OPTIONAL: bool = true;
    const SECRET: bool = T::SECRET;

    /// `off` is nothing, so that a stronger source can take away what a weaker one set.
    fn from_text(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(None);
        }
        T::from_text(text).map(Some)
    }

    fn to_text(&self) -> String {
        self.as_ref().map_or_else(|| "off".to_owned(), T::to_text)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Value> Value for Vec<T> {
    const KIND: Kind = Kind::List;
    const FORM: &'static str = T::FORM;
    const SECRET: bool = T::SECRET;

    fn from_text(text: &str) -> Result<Self, String> {
        text.split([',', '\n'])
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .enumerate()
            .map(|(at, item)| {
                let shown = if T::SECRET {
                    format!("item {}", at + 1)
                } else {
                    shown::<T>(item)
                };
                T::from_text(item).map_err(|wrong| format!("has {shown}, which {wrong}"))
            })
            .collect()
    }

    fn to_text(&self) -> String {
        self.iter().map(T::to_text).collect::<Vec<_>>().join(",")
    }
}

/// A value as a message may show it: no secret, nothing that may be a password in a URL, nothing long.
pub(super) fn shown<T: Value>(text: &str) -> String {
    if T::SECRET || text.contains('@') || text.chars().count() > 200 {
        return "the value".to_owned();
    }
    format!("{text:?}")
}

impl Value for String {
    const FORM: &'static str = "some text";

    fn from_text(text: &str) -> Result<Self, String> {
        not_empty(text).map(str::to_owned)
    }

    fn to_text(&self) -> String {
        self.clone()
    }
}

impl Value for PathBuf {
    const FORM: &'static str = "a path";

    fn from_text(text: &str) -> Result<Self, String> {
        not_empty(text).map(Self::from)
    }

    fn to_text(&self) -> String {
        self.display().to_string()
    }
}

impl Value for Secret<String> {
    const FORM: &'static str = "a secret";
    const SECRET: bool = true;

    fn from_text(text: &str) -> Result<Self, String> {
        not_empty(text).map(|text| Self::new(text.to_owned()))
    }

    fn to_text(&self) -> String {
        "***".to_owned()
    }
}

fn not_empty(text: &str) -> Result<&str, String> {
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    Ok(text)
}

impl Value for bool {
    const KIND: Kind = Kind::Boolean;
    const FORM: &'static str = "true or false";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| "is neither true nor false".to_owned())
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl Value for u32 {
    const KIND: Kind = Kind::Integer;
    const FORM: &'static str = "a whole number";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| format!("is not a whole number from 0 to {}", u32::MAX))
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl Value for SocketAddr {
    const FORM: &'static str = "an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| "is not an IP address and a port".to_owned())
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

/// Declares how a closed set of words is written.
macro_rules! words {
    ($type:ty, $form:literal, $($word:literal => $value:path),+ $(,)?) => {
        impl Value for $type {
            const FORM: &'static str = $form;

            fn from_text(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok($value),)+
                    _ => Err("is not one of the words that this setting takes".to_owned()),
                }
            }

            fn to_text(&self) -> String {
                match self {
                    $($value => $word,)+
                }
                .to_owned()
            }
        }
    };
}

pub(super) use words;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_stands_between_commas_and_says_which_item_is_wrong() {
        assert_eq!(Vec::<u32>::from_text(" 1,2 ,"), Ok(vec![1, 2]));
        assert_eq!(Vec::<u32>::from_text(""), Ok(vec![]));
        let wrong = Vec::<u32>::from_text("1,x").expect_err("x is no number");
        assert!(wrong.starts_with("has \"x\", which is not"), "{wrong}");
    }

    #[test]
    fn a_text_is_never_empty() {
        assert!(String::from_text(" ").is_err());
        assert!(PathBuf::from_text("").is_err());
        assert!(Option::<Secret<String>>::from_text("").is_err());
    }
}
