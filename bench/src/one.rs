//! What one sign-in takes beside its hash, when nobody else wants anything.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::json;

use crate::chance::Chance;
use crate::figures::median;
use crate::http::{Connection, network, post};
use crate::{hash, say};

/// Linux lets no core sleep that needs longer to wake up than the least that is written here (microseconds, an i32), for as
/// long as whoever wrote it keeps it open.
const LONGEST_WAKING: &str = "/dev/cpu_dma_latency";

/// `one URL PEOPLE SECONDS [awake]`: signs one of so many people in and computes the same hash here, again and again in turn, so
/// that both find the machine in the same mood. Prints how many milliseconds a sign-in takes, a hash, and a sign-in more than the
/// hash right after it: medians. `awake`, which root may say, keeps all cores from sleeping meanwhile.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let url = arguments.next();
    let host = url.as_deref().and_then(|url| url.strip_prefix("http://"));
    let mut number = || arguments.next()?.parse().ok();
    let (Some(host), Some(people), Some(seconds)) = (host, number(), number()) else {
        bail!("call it by dev/bench");
    };
    let _awake = match arguments.next().as_deref() {
        None => None,
        Some("awake") => Some(keep_awake().context(LONGEST_WAKING)?),
        Some(other) => bail!("{other} is not known"),
    };
    let lasts = Duration::from_secs(seconds);
    let mut connection = Connection::to(host)?;
    let mut hash = hash::ours()?;
    let expected = hash()?;
    let mut chance = Chance::of(1);
    let (mut sign_ins, mut hashes) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    while begun.elapsed() < lasts {
        // As bench/signin.lua has it.
        let email = format!("person{}@example.com", 1 + chance.below(people));
        let body = json!({"email": email, "password": "a long walk by the sea"});
        let request = post("/auth/signin", host, &network(sign_ins.len()), &body);
        let answer = connection.ask(&request)?;
        ensure!(
            answer.status == 200,
            "a sign-in was answered {}",
            answer.status
        );
        sign_ins.push(1e3 * answer.took.last.as_secs_f64());
        let call = Instant::now();
        ensure!(hash()? == expected, "two equal hashes differ");
        hashes.push(1e3 * call.elapsed().as_secs_f64());
    }
    let more = sign_ins.iter().zip(&hashes).map(|(all, hash)| all - hash);
    let more = median(more.collect());
    say(format_args!(
        "{:.3} {:.3} {more:.3}",
        median(sign_ins),
        median(hashes)
    ));
    Ok(())
}

/// Keeps all cores from sleeping until what it gives is dropped.
fn keep_awake() -> anyhow::Result<File> {
    let mut longest = OpenOptions::new().write(true).open(LONGEST_WAKING)?;
    longest.write_all(&0_i32.to_ne_bytes())?;
    Ok(longest)
}
