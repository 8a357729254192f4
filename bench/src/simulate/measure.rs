//! What a sign-in takes of a hash thread.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::http::Connection;
use crate::peers::peer::{PEERS, Told};
use crate::peers::server::Server;
use crate::ticks::Ticks;

/// Who signs in, one after the other.
const PEOPLE: usize = 1_000;

/// What was measured.
pub(super) struct Measured {
    /// Of each sign-in.
    pub(super) seconds: Vec<f64>,
    /// The share of the machine that others used.
    pub(super) others: f64,
}

/// Signs in again and again over as many connections as there are hash threads: all of them are busy, and nobody waits for one.
pub(super) fn services(work: &Path, seconds: usize) -> anyhow::Result<Measured> {
    let prepared = PEERS[0].prepare(work, PEOPLE)?;
    let server = Server::start(&prepared)?;
    let threads = thread::available_parallelism()?.get();
    let lasts = Duration::from_secs(seconds as u64);
    let before = Ticks::now(Some(server.process()))?;
    let seconds = thread::scope(|scope| -> anyhow::Result<Vec<f64>> {
        let running: Vec<_> = (0..threads)
            .map(|turn| {
                let (told, host) = (&prepared.told, &server.host);
                scope.spawn(move || sign_in(told, host, (turn..PEOPLE).step_by(threads), lasts))
            })
            .collect();
        let mut all = Vec::new();
        for one in running {
            all.extend(one.join().ok().context("a thread panicked")??);
        }
        Ok(all)
    })?;
    let others = Ticks::now(Some(server.process()))?.of_others_since(before);
    Ok(Measured { seconds, others })
}

/// How long each took.
fn sign_in(
    told: &Told,
    host: &str,
    people: impl Iterator<Item = usize> + Clone,
    lasts: Duration,
) -> anyhow::Result<Vec<f64>> {
    let mut connection = Connection::to(host)?;
    let (began, mut took) = (Instant::now(), Vec::new());
    for person in people.cycle() {
        if began.elapsed() >= lasts {
            break;
        }
        let answer = connection.ask(told.sign_in(host, person).as_bytes())?;
        ensure!(
            answer.status == 200,
            "a sign-in was answered {}",
            answer.status
        );
        took.push(answer.took.last.as_secs_f64());
    }
    Ok(took)
}
