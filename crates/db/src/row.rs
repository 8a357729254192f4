//! A row that came back, owned, its columns read by name.

use std::{fmt, sync::Arc};

use crate::{Error, FromValue, Value};

/// One row of an answer.
///
/// A column that is not there, or holds something else than it is read as, is [`Error::Broken`]: the statement and
/// the code that reads it disagree.
#[derive(Clone)]
pub struct Row {
    columns: Arc<[String]>,
    cells: Vec<Option<Value>>,
}

impl Row {
    pub(crate) fn new(columns: Arc<[String]>, cells: Vec<Option<Value>>) -> Self {
        Self { columns, cells }
    }

    /// The column as any type that can be read from one.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, Error> {
        let position = self
            .columns
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| Error::Broken(format!("the answer has no column `{column}`")))?;
        let cell = self.cells[position].as_ref();
        T::from_value(cell).ok_or_else(|| {
            let found = cell.map_or("NULL".to_owned(), |value| format!("{:?}", value.kind()));
            let wanted = std::any::type_name::<T>();
            Error::Broken(format!(
                "column `{column}` holds {found}, which is no {wanted}"
            ))
        })
    }

    /// The text in a column that is never null.
    pub fn text(&self, column: &str) -> Result<String, Error> {
        self.get(column)
    }

    /// The text in a column, or `None` for null.
    pub fn opt_text(&self, column: &str) -> Result<Option<String>, Error> {
        self.get(column)
    }

    /// The number in a column that is never null.
    pub fn int(&self, column: &str) -> Result<i64, Error> {
        self.get(column)
    }

    /// The number in a column, or `None` for null.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>, Error> {
        self.get(column)
    }

    /// The truth in a column that is never null.
    pub fn bool(&self, column: &str) -> Result<bool, Error> {
        self.get(column)
    }

    /// The truth in a column, or `None` for null.
    pub fn opt_bool(&self, column: &str) -> Result<Option<bool>, Error> {
        self.get(column)
    }

    /// The bytes in a column that is never null.
    pub fn bytes(&self, column: &str) -> Result<Vec<u8>, Error> {
        self.get(column)
    }

    /// The bytes in a column, or `None` for null.
    pub fn opt_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, Error> {
        self.get(column)
    }
}

/// Names of columns and kinds of values; never what they hold.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.columns.iter().zip(&self.cells))
            .finish()
    }
}
