//! What the crate promises, through its public face.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod passwords;
mod recipes;
mod stored;
mod vectors;

use passhash::{Hasher, StoredHash};

fn verify(password: impl AsRef<[u8]>, stored: &str) -> bool {
    let stored: StoredHash = stored.parse().unwrap();
    Hasher::default()
        .verify(password.as_ref(), &stored)
        .unwrap()
}
