//! Doorward, the keeper of the door: a sign-in service that a team drops beside its application.
//!
//! A credential proves who you are; `sign_in` decides what that is worth; a session remembers it; a token tells others.
//! The modules stand in the order in which they may know one another: each uses only what is named above it.

pub mod clock;
pub mod config;
pub mod ids;
pub mod secret;
