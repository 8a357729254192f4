//! What one sign-in takes beside its hash, when nobody else wants anything.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use serde_json::json;

use crate::chance::Chance;
use crate::figures::median;
use crate::http::{Connection, network, post};
use crate::{hash, say};

/// `one URL PEOPLE SECONDS`: signs one of so many people in and computes the same hash here, again and again in turn, so that
/// both find the machine in the same mood. Prints how many milliseconds a sign-in takes, a hash, and a sign-in more than the hash
/// right after it: medians.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let url = arguments.next();
    let host = url.as_deref().and_then(|url| url.strip_prefix("http://"));
    let mut number = || arguments.next()?.parse().ok();
    let (Some(host), Some(people), Some(seconds)) = (host, number(), number()) else {
        bail!("call it by dev/bench");
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
