//! Doorward, the keeper of the door: a sign-in service that a team drops beside its application.
//!
//! A credential proves who you are; `sign_in` decides what that is worth; a session remembers it; a token tells others.
//! The modules stand in the order in which they may know one another, a group a line: each uses only what is named above
//! it or beside it. `routes`, `pages` and `extract` files are each feature's face and may also see `app`.

pub mod clock;
pub mod error;
pub mod ids;
pub mod secret;

pub mod config;

pub mod audit;
pub mod http;
pub mod limits;

pub mod challenges;
pub mod revocations;
pub mod sessions;
pub mod tokens;
pub mod trusted_devices;
pub mod users;

pub mod attempts;
pub mod proofs;

pub mod breached;
pub mod passkeys;
pub mod password;
pub mod recovery_codes;
pub mod second_factors;
pub mod totp;

pub mod app;

pub mod introspection;
pub mod refresh;
pub mod sign_in;
pub mod sign_up;

pub mod discovery;
pub mod health;

pub mod figures;
pub mod logs;
pub mod router;

pub mod cli;
