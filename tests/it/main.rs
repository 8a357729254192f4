//! Doorward from outside: one binary, a file for each feature, each test on a service of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(unreachable_pub, reason = "nothing of a test is reached from outside")]

mod faults;
mod harness;

mod bad_input;
mod callers;
mod cli;
mod cors;
mod crossing;
mod discovery;
mod emails;
mod enumeration;
mod figures;
mod floor;
mod guessing;
mod hash_queue;
mod https;
mod introspection;
mod limits;
mod me;
mod passkeys;
mod passwords;
mod proofs;
mod purge;
mod races;
mod recovery_codes;
mod revocations;
mod second_factor;
mod sessions;
mod sign_in;
mod sign_up;
mod snapshots;
mod tidy;
mod tokens;
mod totp;
mod wire;
