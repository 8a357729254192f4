//! One statement and its values, and the checks that it passes before it goes anywhere.

use crate::{Error, ToValue, Value, lex};

/// A statement with the values of its placeholders `$1`, `$2`, ...
#[derive(Clone, Debug)]
#[must_use = "a statement does nothing until it is asked or written"]
pub struct Sql {
    pub(crate) text: &'static str,
    pub(crate) values: Vec<Value>,
}

/// A statement in the shared dialect. The text is static, so that none is ever built from data.
pub fn sql(text: &'static str) -> Sql {
    Sql {
        text,
        values: Vec::new(),
    }
}

impl Sql {
    /// Gives the next placeholder its value: the first call is for `$1`.
    pub fn bind(mut self, value: impl ToValue) -> Self {
        self.values.push(value.to_value());
        self
    }

    /// The statement as it was written, without values.
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Refuses what one of the databases would take and the other not: a value without placeholder, a placeholder
    /// without value, text that PostgreSQL cannot hold.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let broken = |what: &str| Err(Error::Broken(format!("{what} in: {}", self.text)));
        let mut used = vec![false; self.values.len()];
        for token in lex::tokens(self.text) {
            match token.kind {
                lex::Kind::Placeholder(number) => {
                    match number.checked_sub(1).and_then(|i| used.get_mut(i)) {
                        Some(used) => *used = true,
                        None => return broken("a placeholder has no value"),
                    }
                }
                lex::Kind::Foreign(what) => return broken(what),
                _ => {}
            }
        }
        if !used.iter().all(|used| *used) {
            return broken("a value has no placeholder");
        }
        if self
            .values
            .iter()
            .any(|value| matches!(value, Value::Text(text) if text.contains('\0')))
        {
            return broken("a text contains U+0000");
        }
        Ok(())
    }
}
