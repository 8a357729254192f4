//! How long work takes here, learnt from the work that was done.

use std::time::Duration;

use argon2id::Kernel;

use crate::schemes::{Scheme, Work};

/// How much past hashing the measured pace remembers, in seconds of one thread: long enough that
/// one preempted hash says little, short enough that a machine that grows slow is noticed within
/// one refusal's wait.
const MEMORY: f64 = 2.0;
/// How much the first guess counts, in the same seconds: a few real hashes outweigh it.
const GUESS: f64 = 0.1;
/// What any job costs besides its computation, and the reason why a queue of cheap ones is not
/// without end.
const OVERHEAD: f64 = 50e-6;

/// The pace of each scheme: seconds spent over units done, both fading with the time spent since.
/// Since the fading follows time rather than the number of jobs, many small hashes say no more than
/// one large one, and a small one that was held up says little.
pub(super) struct Pace([Measured; Scheme::COUNT]);

#[derive(Clone, Copy)]
struct Measured {
    seconds: f64,
    units: f64,
}

impl Pace {
    /// What ordinary cores were measured to do while all of them hashed; replaced by what this machine
    /// does as soon as it has done something.
    pub(super) fn guessed() -> Self {
        let mut pace = Self(
            [Measured {
                seconds: GUESS,
                units: 0.0,
            }; Scheme::COUNT],
        );
        for (scheme, seconds_per_unit) in [
            (Scheme::Argon2id, argon2id(Kernel::fastest())),
            (Scheme::Argon2i, 1.0e-6),
            (Scheme::Argon2d, 1.0e-6),
            (Scheme::Bcrypt, 8.0e-5),
            (Scheme::Scrypt, 6.0e-7),
            (Scheme::Pbkdf2Sha1, 1.0e-6),
            (Scheme::Pbkdf2Sha256, 1.2e-6),
            (Scheme::Pbkdf2Sha512, 1.5e-6),
        ] {
            pace.0[scheme as usize].units = GUESS / seconds_per_unit;
        }
        pace
    }

    /// How long `units` of `scheme` are expected to take on one thread.
    fn seconds(&self, scheme: Scheme, units: u64) -> f64 {
        let measured = self.0[scheme as usize];
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let units = units as f64;
        units * measured.seconds / measured.units
    }

    /// How long `work` is expected to take on one thread, all that belongs to a job included.
    pub(super) fn of(&self, work: Work) -> f64 {
        self.seconds(work.scheme, work.units) + OVERHEAD
    }

    pub(super) fn learn(&mut self, work: Work, took: Duration) {
        // A clock too coarse to see the hash must not make the next ones free.
        let took = took.as_secs_f64().max(1e-7);
        let measured = &mut self.0[work.scheme as usize];
        let kept = (-took / MEMORY).exp();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let units = work.units as f64;
        measured.seconds = measured.seconds * kept + took;
        measured.units = measured.units * kept + units;
    }
}

/// Seconds for a unit of Argon2id, which every sign-in is about to ask for, by what it is computed with: a first crowd is let in
/// by this.
fn argon2id(kernel: Kernel) -> f64 {
    match kernel.name() {
        "avx512" => 1.6e-7,
        "avx2" => 2.2e-7,
        _ => 6.0e-7,
    }
}

/// Work that waits, added up by scheme, so that what it will take is always told at the latest
/// pace.
#[derive(Default)]
pub(super) struct Backlog {
    units: [u64; Scheme::COUNT],
    jobs: u64,
}

impl Backlog {
    pub(super) fn add(&mut self, work: Work) {
        self.units[work.scheme as usize] += work.units;
        self.jobs += 1;
    }

    pub(super) fn remove(&mut self, work: Work) {
        self.units[work.scheme as usize] -= work.units;
        self.jobs -= 1;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs == 0
    }

    /// How long all of it will take one thread.
    pub(super) fn seconds(&self, pace: &Pace) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let overhead = self.jobs as f64 * OVERHEAD;
        Scheme::ALL
            .iter()
            .map(|&scheme| pace.seconds(scheme, self.units[scheme as usize]))
            .sum::<f64>()
            + overhead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: Work = Work {
        scheme: Scheme::Argon2id,
        units: 38_912,
    };

    fn millis(pace: &Pace, work: Work) -> u128 {
        Duration::from_secs_f64(pace.seconds(work.scheme, work.units)).as_millis()
    }

    #[test]
    fn each_kernel_is_guessed_to_be_faster_than_the_next() {
        let guesses: Vec<f64> = Kernel::available().into_iter().map(argon2id).collect();
        assert!(
            guesses.windows(2).all(|pair| pair[0] < pair[1]),
            "{guesses:?}"
        );
    }

    #[test]
    fn the_pace_follows_the_machine() {
        let mut pace = Pace::guessed();
        assert!((6..24).contains(&millis(&pace, WORK)));
        for _ in 0..300 {
            pace.learn(WORK, Duration::from_millis(120));
        }
        assert!((119..=120).contains(&millis(&pace, WORK)));
        for _ in 0..300 {
            pace.learn(WORK, Duration::from_millis(20));
        }
        assert!((20..=21).contains(&millis(&pace, WORK)));
    }

    #[test]
    fn a_small_hash_that_was_held_up_does_not_slow_the_large_ones() {
        let mut pace = Pace::guessed();
        for _ in 0..300 {
            pace.learn(WORK, Duration::from_millis(40));
        }
        pace.learn(Work { units: 8, ..WORK }, Duration::from_millis(10));
        assert!((40..=41).contains(&millis(&pace, WORK)));
    }

    #[test]
    fn one_scheme_says_nothing_about_another() {
        let mut pace = Pace::guessed();
        let bcrypt = Work {
            scheme: Scheme::Bcrypt,
            units: 1024,
        };
        let before = millis(&pace, WORK);
        pace.learn(bcrypt, Duration::from_secs(50));
        assert_eq!(millis(&pace, WORK), before);
        assert!(millis(&pace, bcrypt) > 1000);
    }

    #[test]
    fn a_backlog_takes_as_long_as_its_parts() {
        let pace = Pace::guessed();
        let mut backlog = Backlog::default();
        for scheme in Scheme::ALL {
            backlog.add(Work {
                scheme,
                units: 1000,
            });
        }
        let parts: f64 = Scheme::ALL.iter().map(|&s| pace.seconds(s, 1000)).sum();
        assert!(backlog.seconds(&pace) >= parts);
        assert!(backlog.seconds(&pace) < parts + 0.001);
        for scheme in Scheme::ALL {
            backlog.remove(Work {
                scheme,
                units: 1000,
            });
        }
        assert!(backlog.seconds(&pace).abs() < f64::EPSILON);
    }
}
