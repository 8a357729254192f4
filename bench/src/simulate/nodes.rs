//! Nodes that hash, each with a queue of its own: who waits for how long.

use super::histogram::Histogram;
use crate::chance::Chance;

/// `password.max_wait`: who would wait for longer is refused at once. In seconds.
pub(super) const MAX_WAIT: f64 = 2.0;

/// How a sign-in finds its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Balance {
    /// One after the other, as most proxies do.
    InTurn,
    /// Any, as by a hash of the address.
    ByChance,
}

/// What sign-ins came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// From when they were asked for to when they were granted, of those that were.
    pub(super) took: Histogram,
    pub(super) refused: u64,
    /// Seconds in which a thread hashed, all threads together.
    pub(super) worked: f64,
}

/// So many nodes with so many hash threads each. A node serves in the order of arrival, by whichever thread is free first.
pub(super) struct Nodes {
    /// When each thread will have done what it was given, node after node.
    free_at: Vec<f64>,
    threads: usize,
    balance: Balance,
    next: usize,
    chance: Chance,
}

impl Nodes {
    pub(super) fn new(nodes: usize, threads: usize, balance: Balance, chance: Chance) -> Self {
        Self {
            free_at: vec![0.0; nodes * threads],
            threads,
            balance,
            next: 0,
            chance,
        }
    }

    /// Somebody signs in at that moment, which is no earlier than the last. `services` are what a sign-in takes of a thread, any
    /// as likely as any other. Gives how long it waits for a thread; nothing where it is refused.
    pub(super) fn sign_in(
        &mut self,
        at: f64,
        services: &[f64],
        outcome: &mut Outcome,
    ) -> Option<f64> {
        let node = self.node();
        let threads = &mut self.free_at[node * self.threads..(node + 1) * self.threads];
        let first = threads
            .iter_mut()
            .min_by(|one, other| one.total_cmp(other))?;
        let begins = first.max(at);
        if begins - at > MAX_WAIT {
            outcome.refused += 1;
            return None;
        }
        let service = services[index(self.chance.below(services.len() as u64))];
        *first = begins + service;
        outcome.worked += service;
        outcome.took.count(begins + service - at);
        Some(begins - at)
    }

    fn node(&mut self) -> usize {
        let nodes = self.free_at.len() / self.threads;
        match self.balance {
            Balance::InTurn => {
                self.next = (self.next + 1) % nodes;
                self.next
            }
            Balance::ByChance => index(self.chance.below(nodes as u64)),
        }
    }
}

fn index(below: u64) -> usize {
    usize::try_from(below).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean wait before the service, by simulation: arrivals at such a rate, services from a list.
    fn mean_wait(
        nodes: usize,
        threads: usize,
        balance: Balance,
        rate: f64,
        services: &[f64],
    ) -> f64 {
        let mut chance = Chance::of(42);
        let mut system = Nodes::new(nodes, threads, balance, Chance::of(43));
        let mut outcome = Outcome::default();
        let (mut at, mut waited) = (0.0, 0.0);
        let count = 1_000_000;
        for _ in 0..count {
            at += chance.exponential() / rate;
            waited += system
                .sign_in(at, services, &mut outcome)
                .expect("nobody is refused");
        }
        waited / f64::from(count)
    }

    fn near(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() < 0.03,
            "{found} instead of {expected}"
        );
    }

    /// Services that are exponential with mean 1/100 s: as many quantiles.
    fn exponential() -> Vec<f64> {
        (0..10_000)
            .map(|rank| -(1.0 - (f64::from(rank) + 0.5) / 10_000.0).ln() / 100.0)
            .collect()
    }

    #[test]
    fn one_thread_makes_people_wait_as_pollaczek_and_khinchine_say() {
        // M/D/1 at a load of 0.8: half the wait of M/M/1.
        near(
            mean_wait(1, 1, Balance::InTurn, 80.0, &[0.01]),
            0.8 * 0.01 / (2.0 * 0.2),
        );
        near(
            mean_wait(1, 1, Balance::InTurn, 80.0, &exponential()),
            0.8 * 0.01 / 0.2,
        );
    }

    #[test]
    fn several_threads_make_people_wait_as_erlang_says() {
        // M/M/4 at a load of 0.75: offered 3 erlangs; the chance to wait is Erlang's C.
        let terms = [1.0, 3.0, 4.5, 4.5];
        let last = 81.0 / 24.0 / (1.0 - 0.75);
        let waits = last / (terms.iter().sum::<f64>() + last);
        near(
            mean_wait(1, 4, Balance::InTurn, 300.0, &exponential()),
            waits / (400.0 - 300.0),
        );
    }

    #[test]
    fn nodes_by_chance_are_as_many_queues_of_their_own() {
        // Poisson arrivals that are split by chance are Poisson at each node.
        near(
            mean_wait(3, 1, Balance::ByChance, 240.0, &[0.01]),
            0.8 * 0.01 / (2.0 * 0.2),
        );
        let in_turn = mean_wait(3, 1, Balance::InTurn, 240.0, &[0.01]);
        assert!(
            in_turn < 0.8 * 0.01 / (2.0 * 0.2),
            "turns are more even than chance: {in_turn}"
        );
    }

    #[test]
    fn who_would_wait_for_too_long_is_refused_and_keeps_nobody_waiting() {
        let mut nodes = Nodes::new(1, 1, Balance::InTurn, Chance::of(1));
        let mut outcome = Outcome::default();
        for _ in 0..10 {
            nodes.sign_in(0.0, &[1.0], &mut outcome);
        }
        // At 0, 1 and 2 seconds one begins; the others would have begun later.
        assert_eq!(outcome.refused, 7);
        assert!((outcome.worked - 3.0).abs() < 1e-9);
        let waits = nodes
            .sign_in(1.0, &[1.0], &mut outcome)
            .expect("room for one that begins within 2 s");
        assert!((waits - 2.0).abs() < 1e-9, "{waits}");
    }
}
