#![doc = include_str!("../README.md")]

mod algorithm;
mod claims;
mod compact;
mod jwk;
mod members;
mod signing;
#[cfg(test)]
mod tests;
mod verify;
mod verifying;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use jwk::{Jwk, Jwks};
pub use signing::{KeyError, SignError, SigningKey};
pub use verify::{Policy, Rejected, decode_unverified, verify};
pub use verifying::VerifyingKey;
