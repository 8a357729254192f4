//! This server beside what people would take instead: the same users, the same load, round by round on the same machine.

mod load;
pub(crate) mod peer;
pub(crate) mod server;
mod table;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::figures::{float, median};
use crate::http::Connection;
use crate::record::keep;
use crate::ticks::Ticks;
use crate::{say, setting};
use load::{Requests, Run, begin};
use peer::{PEERS, Peer, Prepared};
use server::Server;

/// Who asks "me": as many as ask at a time when it is quiet.
const SIGNED_IN: usize = 8;
const CONNECTIONS: usize = 64;
/// No window is longer, however slow a peer is.
const LONGEST: f64 = 20.0;

/// What was found in one round.
struct Round {
    /// Hashes a second by the peer's own library alone.
    raw: Option<f64>,
    /// From its start to the first sign-in, in milliseconds.
    started: f64,
    /// In MiB, after that, and the most that it ever was.
    memory: [f64; 2],
    /// A sign-in on an idle server, in milliseconds.
    alone: f64,
    sign_ins: Run,
    me: Run,
    me_idle: Run,
    me_flooded: Run,
    /// Share of the machine.
    others: f64,
}

/// `peers WORK [FOLDER/VARIANT ...]`: measures those and this server, or all there are, with their data in the folder `WORK`.
///
/// # Errors
/// When this server cannot be measured. Another that cannot is said to be missing.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let work = PathBuf::from(arguments.next().context("call it by dev/bench")?);
    let wanted = wanted(&arguments.collect::<Vec<_>>())?;
    let rounds = setting("ROUNDS", 3)?;
    let seconds = setting("DURATION", 2)?;
    let people = setting("PEOPLE", 10_000)?;
    let mut missing = Vec::new();
    let mut running = Vec::new();
    for peer in wanted {
        match peer.prepare(&work, people) {
            Ok(prepared) => running.push((prepared, Vec::new())),
            Err(error) => missing.push(absent(peer, &error)?),
        }
    }
    for _ in 0..rounds {
        running = take_turns(running, &work, seconds, &mut missing)?;
    }
    say("");
    let begin = format!(
        "{rounds} rounds, in each of which all take turns; {seconds} s for each figure, or as long as {CONNECTIONS} sign-ins take \
         one after the other. {people} people, all with the same password. \"Me\" is who asks, by the session that a sign-in gave. \
         In the flood {CONNECTIONS} connections sign in, and {SIGNED_IN} ask \"me\" as when it is idle."
    );
    keep(
        &table::note(begin, &running, &missing),
        table::figures(&running)?,
    )
}

/// This server and those that are named, or all.
fn wanted(named: &[String]) -> anyhow::Result<Vec<Peer>> {
    let known = PEERS.map(Peer::name);
    for name in named {
        ensure!(
            known.contains(name),
            "not a peer: {name}; there are {}",
            known.join(", ")
        );
    }
    let is_wanted =
        |peer: &Peer| named.is_empty() || *peer == PEERS[0] || named.contains(&peer.name());
    Ok(PEERS.into_iter().filter(is_wanted).collect())
}

/// One round. Gives those that were measured in it and before.
fn take_turns(
    running: Vec<(Prepared, Vec<Round>)>,
    work: &Path,
    seconds: usize,
    missing: &mut Vec<String>,
) -> anyhow::Result<Vec<(Prepared, Vec<Round>)>> {
    let mut left = Vec::new();
    for (prepared, mut found) in running {
        match round(&prepared, work, seconds) {
            Ok(round) => {
                let (name, rate) = (prepared.peer.name(), round.sign_ins.rate);
                say(format_args!("{name}: {rate:.1} sign-ins/s"));
                found.push(round);
                left.push((prepared, found));
            }
            Err(error) => missing.push(absent(prepared.peer, &error)?),
        }
    }
    Ok(left)
}

/// A line about a peer that is not among the figures.
fn absent(peer: Peer, error: &anyhow::Error) -> anyhow::Result<String> {
    ensure!(peer != PEERS[0], "{}: {error:#}", peer.name());
    let line = format!("{} was not measured: {error:#}", peer.name());
    say(&line);
    Ok(line)
}

/// All that is asked of one peer, from its start to its end.
fn round(prepared: &Prepared, work: &Path, seconds: usize) -> anyhow::Result<Round> {
    let server = Server::start(prepared)?;
    let before = Ticks::now(Some(server.process()))?;
    let [idle, _] = server.memory()?;
    let (asking, alone) = signed_in(prepared, &server)?;
    let me = Requests::write(work.join("me"), &asking)?;
    let people: Vec<String> = (0..prepared.people)
        .map(|number| prepared.told.sign_in(&server.host, number))
        .collect();
    let sign_ins = Requests::write(work.join("sign-ins"), &people)?;
    let measure =
        |requests, connections, seconds| begin(&server.host, requests, connections, seconds)?.end();

    measure(&me, SIGNED_IN, 1)?; // what is compiled on the way is compiled now
    let me_idle = measure(&me, SIGNED_IN, seconds)?;
    let me_many = measure(&me, CONNECTIONS, seconds)?;
    let raw = prepared.raw(seconds)?; // right before, so that both find the machine as it is at that moment
    let signing_in = measure(&sign_ins, CONNECTIONS, window(alone, seconds))?;
    let flood = begin(&server.host, &sign_ins, CONNECTIONS, seconds + 2)?;
    std::thread::sleep(std::time::Duration::from_secs(1)); // until all of them wait
    let me_flooded = measure(&me, SIGNED_IN, seconds)?;
    flood.end()?;
    Ok(Round {
        raw,
        started: 1e3 * server.started.as_secs_f64(),
        memory: [idle, server.memory()?[1]],
        alone: 1e3 * alone,
        sign_ins: signing_in,
        me: me_many,
        me_idle,
        me_flooded,
        others: Ticks::now(Some(server.process()))?.of_others_since(before),
    })
}

/// Requests of those who signed in one after the other, and how many seconds that took each. Each is answered with who asks.
fn signed_in(prepared: &Prepared, server: &Server) -> anyhow::Result<(Vec<String>, f64)> {
    let mut connection = Connection::to(&server.host)?;
    let (mut asking, mut took) = (Vec::new(), Vec::new());
    for number in 0..SIGNED_IN {
        let answer = connection.ask(prepared.told.sign_in(&server.host, number).as_bytes())?;
        ensure!(
            answer.status == 200,
            "a sign-in was answered {}",
            answer.status
        );
        took.push(answer.took.last.as_secs_f64());
        let me = prepared.told.me(&server.host, number, &answer)?;
        let answer = connection.ask(me.as_bytes())?;
        let told =
            String::from_utf8_lossy(&answer.body).contains(&format!("person{number}@example.com"));
        ensure!(
            answer.status == 200 && told,
            "who asks was answered {}",
            answer.status
        );
        asking.push(me);
    }
    Ok((asking, median(took)))
}

/// Seconds in which sign-ins are counted: no fewer than it takes to serve all connections once, one after the other.
fn window(alone: f64, seconds: usize) -> usize {
    let once = (alone * float(CONNECTIONS)).min(LONGEST);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to LONGEST"
    )]
    {
        seconds.max(once.ceil() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_as_long_as_all_connections_need_once() {
        assert_eq!(window(0.005, 2), 2);
        assert_eq!(window(0.1, 2), 7);
        assert_eq!(window(1.0, 2), 20);
    }
}
