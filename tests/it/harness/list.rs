//! Lists of breached passwords in their public form.

use std::fmt::Write as _;

use doorward::breached::{Hash, hash};

/// The list of these passwords: sorted, each seen three times.
pub fn list<'a>(passwords: impl IntoIterator<Item = &'a str>) -> String {
    let hashes = passwords
        .into_iter()
        .map(|password| hash(password.as_bytes()));
    let mut hashes: Vec<Hash> = hashes.collect();
    hashes.sort_unstable();
    hashes.iter().fold(String::new(), |mut list, hash| {
        for byte in hash {
            write!(list, "{byte:02X}").unwrap();
        }
        list + ":3\r\n"
    })
}
