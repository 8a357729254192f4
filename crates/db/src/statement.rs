//! One statement and its values, and the checks that it passes before it goes anywhere.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

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
        let shape = Shape::of(self.text);
        if let Some(what) = shape.foreign {
            return broken(what);
        }
        if shape.highest > self.values.len() {
            return broken("a placeholder has no value");
        }
        if shape.highest < self.values.len() || shape.has_gap() {
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

/// What the text of a statement asks for, and how its answer is read.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// The numbers of its placeholders, each once, in the order in which they first appear.
    pub(crate) placeholders: Vec<usize>,
    /// The names of the columns of its answers, once there was one: they are in the text, which says no `*`.
    pub(crate) columns: OnceLock<Arc<[String]>>,
    /// The number of its last placeholder.
    highest: usize,
    /// Why it is not of the shared dialect.
    foreign: Option<&'static str>,
}

/// By where the texts are, and how long: they never go away. To read one takes as long as to look up a row.
static SHAPES: RwLock<BTreeMap<(usize, usize), &Shape>> = RwLock::new(BTreeMap::new());

impl Shape {
    /// The shape of a text, which is read when it is asked about for the first time.
    pub(crate) fn of(text: &'static str) -> &'static Self {
        let place = (text.as_ptr().addr(), text.len());
        let known = SHAPES
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&place)
            .copied();
        known.unwrap_or_else(|| {
            let read = Self::read(text);
            let mut shapes = SHAPES.write().unwrap_or_else(PoisonError::into_inner);
            shapes
                .entry(place)
                .or_insert_with(|| Box::leak(Box::new(read)))
        })
    }

    fn read(text: &str) -> Self {
        let mut shape = Self::default();
        for token in lex::tokens(text) {
            match token.kind {
                lex::Kind::Placeholder(number) if !shape.placeholders.contains(&number) => {
                    shape.placeholders.push(number);
                }
                lex::Kind::Foreign(what) => shape.foreign = shape.foreign.or(Some(what)),
                _ => {}
            }
        }
        shape.highest = shape.placeholders.iter().copied().max().unwrap_or(0);
        shape
    }

    /// Whether a number below the last one is missing.
    fn has_gap(&self) -> bool {
        self.placeholders.len() < self.highest
    }
}
