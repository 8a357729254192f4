//! What goes into a statement and what comes out of a row: four kinds of value and their nulls.

use std::fmt;

/// The kind of a value. Both databases know these four, so columns are of no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `BOOLEAN`; SQLite keeps it as 0 or 1.
    Bool,
    /// `BIGINT`.
    Int,
    /// `TEXT`, without U+0000, which PostgreSQL cannot hold.
    Text,
    /// `BYTEA`, which is `BLOB` in SQLite.
    Bytes,
}

/// A value on its way into a statement.
///
/// It may be a secret, so `Debug` prints its kind and never its contents.
#[derive(Clone)]
pub enum Value {
    /// No value. PostgreSQL wants to know of which kind.
    Null(Kind),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// The kind of this value, null or not.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Null(kind) => *kind,
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) => Kind::Int,
            Value::Text(_) => Kind::Text,
            Value::Bytes(_) => Kind::Bytes,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null(kind) => write!(f, "Null({kind:?})"),
            value => write!(f, "{:?}(..)", value.kind()),
        }
    }
}

/// A type that can be bound to a placeholder. Types of the product implement it by way of one of these.
pub trait ToValue {
    /// The kind that this type always gives; it types the null of an `Option`.
    const KIND: Kind;

    /// The value to bind.
    fn to_value(self) -> Value;
}

macro_rules! to_value {
    ($($source:ty => $kind:ident($convert:expr);)*) => {$(
        impl ToValue for $source {
            const KIND: Kind = Kind::$kind;

            fn to_value(self) -> Value {
                Value::$kind($convert(self))
            }
        }
    )*};
}

to_value! {
    bool => Bool(|it| it);
    i64 => Int(|it| it);
    i32 => Int(i64::from);
    u32 => Int(i64::from);
    String => Text(|it| it);
    &String => Text(String::clone);
    &str => Text(str::to_owned);
    Vec<u8> => Bytes(|it| it);
    &Vec<u8> => Bytes(Vec::clone);
    &[u8] => Bytes(<[u8]>::to_vec);
}

impl<const N: usize> ToValue for [u8; N] {
    const KIND: Kind = Kind::Bytes;

    fn to_value(self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<const N: usize> ToValue for &[u8; N] {
    const KIND: Kind = Kind::Bytes;

    fn to_value(self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<T: ToValue> ToValue for Option<T> {
    const KIND: Kind = T::KIND;

    fn to_value(self) -> Value {
        self.map_or(Value::Null(T::KIND), T::to_value)
    }
}

/// A type that can be read from a column.
pub trait FromValue: Sized {
    /// Reads what the column holds, `None` standing for SQL's null. The answer is `None` when this type cannot
    /// hold it: that is a fault of the program or of the data, and [`Row::get`](crate::Row::get) reports it.
    fn from_value(value: Option<&Value>) -> Option<Self>;
}

impl FromValue for bool {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value? {
            Value::Bool(it) => Some(*it),
            // SQLite has no boolean of its own.
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl FromValue for i64 {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value? {
            Value::Int(it) => Some(*it),
            _ => None,
        }
    }
}

impl FromValue for String {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value? {
            Value::Text(it) => Some(it.clone()),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value? {
            Value::Bytes(it) => Some(it.clone()),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Option<&Value>) -> Option<Self> {
        match value {
            None => Some(None),
            some => T::from_value(some).map(Some),
        }
    }
}
