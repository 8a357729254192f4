//! What this machine can bear, measured with the code and threads that sign-ins use.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::cost::Cost;
use crate::hasher::{HashError, Hasher};
use crate::pool::{Answer, Pool, PoolError, PoolSettings, StartError, Turn, Verified};

const PASSWORD: &[u8] = b"correct horse battery staple";

/// Each cost is measured this many times, and the median counts.
const ROUNDS: usize = 3;

/// OWASP's five equally strong choices, the most memory first.
const EQUALLY_STRONG: [Cost; 5] = [
    one_lane(46, 1),
    one_lane(19, 2),
    one_lane(12, 3),
    one_lane(9, 4),
    one_lane(7, 5),
];

/// Memory, in MiB, of the stronger costs, at the default's two passes.
const STRONGER: [u32; 8] = [32, 46, 64, 96, 128, 160, 192, 256];

const fn one_lane(mebibytes: u32, iterations: u32) -> Cost {
    Cost {
        memory_kib: mebibytes * 1024,
        iterations,
        parallelism: 1,
    }
}

/// A measurement that could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The pool did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A hash failed.
    #[error(transparent)]
    Hash(#[from] PoolError),
}

/// Hashes a second of `cost` by a pool of `threads`, kept busy for about `duration` after one hash
/// a thread to warm up.
///
/// Blocks; not to be called on a thread that drives an async runtime.
pub fn bench(cost: &Cost, threads: usize, duration: Duration) -> Result<f64, BenchError> {
    cost.check().map_err(PoolError::from)?;
    let pool = Pool::start(PoolSettings {
        threads,
        max_wait: Duration::MAX,
    })?;
    // Two jobs a thread, so that none waits for this thread to be scheduled.
    let mut answers = VecDeque::with_capacity(2 * threads);
    for _ in 0..2 * threads {
        answers.push_back(submit(&pool, cost)?);
    }
    for _ in 0..threads {
        turn(&pool, cost, &mut answers)?;
    }
    let begun = Instant::now();
    let mut done = 0.0;
    while begun.elapsed() < duration || done == 0.0 {
        turn(&pool, cost, &mut answers)?;
        done += 1.0;
    }
    let rate = done / begun.elapsed().as_secs_f64();
    // What is still being computed must not share the cores with what the caller does next.
    for answer in answers {
        answer
            .blocking_recv()
            .unwrap_or(Err(HashError::Panicked))
            .map_err(PoolError::from)?;
    }
    Ok(rate)
}

fn submit(pool: &Pool, cost: &Cost) -> Result<Answer<Verified>, PoolError> {
    pool.submit_verify(
        Zeroizing::new(PASSWORD.to_vec()),
        None,
        *cost,
        Turn::default(),
        Duration::ZERO,
    )
}

/// Waits for the oldest answer and asks anew.
fn turn(
    pool: &Pool,
    cost: &Cost,
    answers: &mut VecDeque<Answer<Verified>>,
) -> Result<(), PoolError> {
    if let Some(oldest) = answers.pop_front() {
        oldest.blocking_recv().unwrap_or(Err(HashError::Panicked))?;
    }
    answers.push_back(submit(pool, cost)?);
    Ok(())
}

/// How long one hash takes here at OWASP's five choices and then at ever more memory, up to and
/// including the first that takes longer than `target` (or 256 MiB). One thread, the median of
/// three; with every core hashing it takes longer, since they share the memory.
///
/// The strongest cost whose time is within `target` is the one to choose.
pub fn tune(target: Duration) -> Result<Vec<(Cost, Duration)>, HashError> {
    let mut hasher = Hasher::default();
    let mut measured = Vec::new();
    for cost in EQUALLY_STRONG {
        measured.push((cost, time(&mut hasher, &cost)?));
    }
    if measured.iter().any(|&(_, took)| took <= target) {
        for mebibytes in STRONGER {
            let cost = one_lane(mebibytes, 2);
            let took = time(&mut hasher, &cost)?;
            measured.push((cost, took));
            if took > target {
                break;
            }
        }
    }
    Ok(measured)
}

fn time(hasher: &mut Hasher, cost: &Cost) -> Result<Duration, HashError> {
    // The first touches the memory, which a server's thread has done long before.
    hasher.decoy(PASSWORD, cost)?;
    let mut times = [Duration::ZERO; ROUNDS];
    for time in &mut times {
        let begun = Instant::now();
        hasher.decoy(PASSWORD, cost)?;
        *time = begun.elapsed();
    }
    times.sort_unstable();
    Ok(times[ROUNDS / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_benchmark_counts_hashes() {
        let small = Cost {
            memory_kib: 8,
            iterations: 1,
            parallelism: 1,
        };
        assert!(bench(&small, 2, Duration::ZERO).expect("bench") > 0.0);
        assert!(matches!(
            bench(&small, 0, Duration::ZERO),
            Err(BenchError::Start(StartError::NoThreads))
        ));
        let none = Cost {
            iterations: 0,
            ..small
        };
        assert!(matches!(
            bench(&none, 1, Duration::ZERO),
            Err(BenchError::Hash(PoolError::Failed(HashError::Cost(_))))
        ));
    }

    #[test]
    fn tuning_begins_with_owasps_choices_and_stops_beyond_the_target() {
        let measured = tune(Duration::from_nanos(1)).expect("tune");
        let costs: Vec<Cost> = measured.iter().map(|&(cost, _)| cost).collect();
        assert_eq!(costs, EQUALLY_STRONG);
        assert_eq!(costs[1], Cost::default());
    }

    #[test]
    fn every_measured_cost_is_allowed() {
        for cost in EQUALLY_STRONG
            .into_iter()
            .chain(STRONGER.map(|mebibytes| one_lane(mebibytes, 2)))
        {
            assert_eq!(cost.check(), Ok(()), "{cost}");
        }
    }
}
