//! What must hold when processes die, disks fill and databases go away: what was acknowledged is there, nothing is half
//! there, and nothing of it needs a hand. These take minutes, so `dev/test faults` runs them apart from the others.
#![expect(
    clippy::print_stdout,
    reason = "a fault test says its seed and what it counted"
)]

mod away;
mod chance;
mod journal;
mod killed;
mod restored;
mod starting;
mod store;
mod storm;
