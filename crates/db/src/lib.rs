#![doc = include_str!("../README.md")]

mod address;
mod caller;
mod database;
mod error;
mod lex;
mod migration;
mod postgres;
mod queue;
mod row;
mod sqlite;
mod statement;
mod unit;
mod value;

pub use address::file_of;
pub use database::{Counts, Db, Edition, Engine, Stats};
pub use error::{Error, OpenError};
pub use migration::Migration;
pub use row::Row;
pub use statement::{Sql, sql};
pub use unit::{Unit, Written};
pub use value::{FromValue, Kind, ToValue, Value};
