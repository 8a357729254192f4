#![doc = include_str!("../README.md")]

mod base32;
mod code;
mod secret;
#[cfg(test)]
mod tests;
mod totp;
mod url;

pub use code::{Code, Digits, NotACode};
pub use secret::{Secret, TooShort};
pub use totp::{Algorithm, PERIOD_SECONDS, Totp, hotp, step_at};
