//! Proofs of work, in place of a captcha: whoever asks for much computes a little first. The format is ALTCHA's, so that its
//! clients solve our challenges: which number, written behind the salt, has this SHA-256?
//!
//! A challenge is stateless: all that we must know of it is in it and stamped. A proof is taken once, by a row that is there
//! until the challenge is over. A database that was put back in time may take it a second time, which is no loss: it was
//! worth a blink of computing, and the challenge is over soon.

pub mod routes;
pub mod store;

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use db::{Db, Unit};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::error::Error;
use crate::secret::{self, Stamp};

/// How long a challenge may be answered.
pub const LIFETIME: Duration = Duration::from_mins(5);
/// The longest text that may be a proof, in characters; ours have less than half of that.
pub const MAX_LENGTH: usize = 1_024;

/// The only algorithm.
const ALGORITHM: &str = "SHA-256";
/// Where the stamp counts.
const PLACE: &str = "proofs";
/// What stands between the random part of a salt and the second until which its challenge counts.
const EXPIRES: &str = "?expires=";
/// What ends a salt. Without it, digits could wander between the number and the second before it, and the sum would be
/// the same: one proof would pass for others, with any end.
const END: &str = "&";

/// A number to find.
#[derive(Debug, Serialize)]
pub struct Challenge {
    algorithm: &'static str,
    #[serde(rename = "challenge")]
    sum: String,
    maxnumber: u32,
    salt: String,
    signature: String,
}

/// What a client says that it found; more than these it may say, and nobody reads it.
#[derive(Deserialize)]
struct Proof {
    algorithm: String,
    challenge: String,
    number: u64,
    salt: String,
    signature: String,
}

impl Challenge {
    /// A new one, which costs `work` times SHA-256 at most and half of that on average.
    pub fn new(stamp: &Stamp, work: u32, now: Timestamp) -> Self {
        let random = hex(&secret::bytes::<12>());
        let expires = now.plus(LIFETIME).seconds();
        // With the number this fits into one block of SHA-256, which is 55 bytes.
        let salt = format!("{random}{EXPIRES}{expires}{END}");
        let number = u64::from_le_bytes(secret::bytes()) % (u64::from(work) + 1);
        let sum = hex(&sum(&salt, number));
        Self {
            algorithm: ALGORITHM,
            signature: hex(&stamp.tag(PLACE, sum.as_bytes())),
            sum,
            maxnumber: work,
            salt,
        }
    }
}

/// Takes a proof: whether `text` answers a challenge of ours that is not over, and nobody came with it before. What comes
/// of many who bring one at once, to whatever nodes, is one yes.
///
/// # Errors
/// When the store does not tell.
pub async fn take(db: &Db, stamp: &Stamp, text: &str, now: Timestamp) -> Result<bool, Error> {
    let Some((sum, expires)) = read(text).and_then(|proof| proof.check(stamp)) else {
        return Ok(false);
    };
    if expires <= now {
        return Ok(false);
    }
    // A node whose clock is behind must find the row too.
    let until = expires.plus(LIFETIME);
    // Nothing goes with the row that would have to be undone, so whether it was new can be told afterwards: a crowd with one
    // proof waits for each other half as long.
    let written = db.write(Unit::from(store::spend(&sum, until))).await?;
    Ok(written.touched(0) == 1)
}

/// The base64 (RFC 4648 section 4, padded) of a JSON object.
fn read(text: &str) -> Option<Proof> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()
}

impl Proof {
    /// The sum that it is known by, and until when it counts; `None` when it answers nothing that we asked.
    fn check(&self, stamp: &Stamp) -> Option<([u8; SHA256_OUTPUT_LEN], Timestamp)> {
        let sum = sum(&self.salt, self.number);
        let challenge = hex(&sum);
        let is_answer = self.algorithm == ALGORITHM && self.challenge == challenge;
        let tag = unhex(&self.signature)?;
        if !is_answer || !stamp.is_genuine(PLACE, challenge.as_bytes(), &tag) {
            return None;
        }
        let (_, expires) = self.salt.strip_suffix(END)?.split_once(EXPIRES)?;
        let seconds: i64 = expires.parse().ok()?;
        Some((sum, Timestamp::from_micros(seconds.checked_mul(1_000_000)?)))
    }
}

fn sum(salt: &str, number: u64) -> [u8; SHA256_OUTPUT_LEN] {
    let mut sum = [0; SHA256_OUTPUT_LEN];
    sum.copy_from_slice(digest(&SHA256, format!("{salt}{number}").as_bytes()).as_ref());
    sum
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // A String takes whatever is written to it.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The bytes of a whole tag in lower case.
fn unhex(text: &str) -> Option<[u8; SHA256_OUTPUT_LEN]> {
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    (hex(&bytes) == text).then_some(bytes)
}
