//! Pairs of requests, one right after the other on one connection, in an order that is drawn for each pair.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Context as _;

use super::adapter::{Pair, Server};
use super::answers::difference;
use crate::chance::Chance;
use crate::http::{Answer, Connection, Took};

/// How much is asked.
pub(super) struct Plan {
    /// Pairs that count.
    pub(super) pairs: usize,
    /// Connections, each with one request at a time.
    pub(super) clients: usize,
    /// Pairs that each client asks before.
    pub(super) warm_up: usize,
}

/// What came of a pair of states.
#[derive(Default)]
pub(super) struct Measured {
    /// For each pair, how long the two took.
    pub(super) took: Vec<(Took, Took)>,
    /// How many pairs of answers were not the same.
    pub(super) differing: usize,
    /// What the first of those differed in.
    pub(super) difference: Option<String>,
    /// How often each status was answered, to the one and to the other.
    pub(super) statuses: Statuses,
}

/// How often each status was answered.
#[derive(Default)]
pub(super) struct Statuses(BTreeMap<u16, (usize, usize)>);

impl Plan {
    /// How many requests there are about accounts in one state.
    pub(super) fn of_each_state(&self) -> usize {
        self.pairs + self.clients * self.warm_up
    }
}

/// Asks `plan.pairs` times.
pub(super) fn measure(pair: &Pair, server: &Server, plan: &Plan) -> anyhow::Result<Measured> {
    // Every pair has a number, the ones of the warm-up too, so that no account has more than its share of them.
    let next = AtomicUsize::new(0);
    let left = AtomicUsize::new(plan.pairs);
    let client = |seed: usize| client(pair, server, plan, seed, &next, &left);
    let parts: Vec<_> = thread::scope(|threads| {
        let clients: Vec<_> = (0..plan.clients)
            .map(|seed| threads.spawn(move || client(seed)))
            .collect();
        clients
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect()
    });
    let mut measured = Measured::default();
    for part in parts {
        let part = part.ok().context("a client panicked")??;
        measured.add(part);
    }
    Ok(measured)
}

fn client(
    pair: &Pair,
    server: &Server,
    plan: &Plan,
    seed: usize,
    next: &AtomicUsize,
    left: &AtomicUsize,
) -> anyhow::Result<Measured> {
    let mut chance = Chance::of(seed as u64);
    let mut connection = Connection::to(&pair.host)?;
    let mut measured = Measured::default();
    let mut ask = |measured: &mut Measured, counts: bool| -> anyhow::Result<()> {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let (account, is_one_first) = (number % pair.accounts, chance.coin());
        let one = pair.one.request(&pair.host, account, 2 * number);
        let other = pair.other.request(&pair.host, account, 2 * number + 1);
        let (one, other) = if is_one_first {
            let one = connection.ask(&one)?;
            (one, connection.ask(&other)?)
        } else {
            let other = connection.ask(&other)?;
            (connection.ask(&one)?, other)
        };
        measured.count(&one, &other, server);
        if counts {
            measured.took.push((one.took, other.took));
        }
        Ok(())
    };
    for _ in 0..plan.warm_up {
        ask(&mut measured, false)?;
    }
    let take_one = |left: usize| left.checked_sub(1);
    while left
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one)
        .is_ok()
    {
        ask(&mut measured, true)?;
    }
    Ok(measured)
}

impl Measured {
    fn count(&mut self, one: &Answer, other: &Answer, server: &Server) {
        self.statuses.0.entry(one.status).or_default().0 += 1;
        self.statuses.0.entry(other.status).or_default().1 += 1;
        if let Some(difference) = difference(one, other, server) {
            self.differing += 1;
            self.difference.get_or_insert(difference);
        }
    }

    fn add(&mut self, part: Self) {
        self.took.extend(part.took);
        self.differing += part.differing;
        self.difference = self.difference.take().or(part.difference);
        for (status, (one, other)) in part.statuses.0 {
            let counts = self.statuses.0.entry(status).or_default();
            counts.0 += one;
            counts.1 += other;
        }
    }
}

impl fmt::Display for Statuses {
    /// One status, or how often there was which.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut statuses = self.0.iter();
        if let (Some((status, _)), None) = (statuses.next(), statuses.next()) {
            return write!(f, "{status}");
        }
        let told: Vec<_> = self
            .0
            .iter()
            .map(|(status, (one, other))| format!("{status} x {one}/{other}"))
            .collect();
        f.write_str(&told.join(", "))
    }
}
