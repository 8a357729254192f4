//! The crate from outside.

mod against_others;
mod case;
mod vectors;
