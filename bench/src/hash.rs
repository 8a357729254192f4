//! How many Argon2id hashes a second there are by each implementation, in turn.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use argon2id::{Hasher, Input, Job, Kernel, Params, hash_two};

use crate::figures::float;
use crate::record::keep;
use crate::results::Figure;
use crate::ticks::Ticks;
use crate::{say, setting};

/// The cost that people have who choose none.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;

const PASSWORD: &[u8] = b"correct horse battery staple";
const SALT: &[u8] = b"somesalt for all";

/// What one thread calls again and again.
pub(crate) type Hashing = Box<dyn FnMut() -> anyhow::Result<[u8; 32]>>;

/// An implementation, as one uses it.
#[derive(Clone, Copy)]
enum Contender {
    Ours(Kernel),
    OursTwo(Kernel),
    Argon2RustPooled,
    #[cfg(target_arch = "x86_64")]
    CForThisMachine,
    RustCryptoReused,
    RustCryptoFresh,
}

impl Contender {
    /// The first is what the others are compared with.
    fn all() -> Vec<Self> {
        let kernels = Kernel::available();
        let ours = kernels.iter().copied().map(Self::Ours);
        let two = kernels.first().copied().map(Self::OursTwo);
        let others = [
            Self::Argon2RustPooled,
            #[cfg(target_arch = "x86_64")]
            Self::CForThisMachine,
            Self::RustCryptoReused,
            Self::RustCryptoFresh,
        ];
        ours.chain(two).chain(others).collect()
    }

    fn name(self) -> String {
        match self {
            Self::Ours(kernel) => format!("argon2id, {}", kernel.name()),
            Self::OursTwo(kernel) => format!("argon2id, {}, two a thread", kernel.name()),
            Self::Argon2RustPooled => "`argon2-rust`, memory kept".to_owned(),
            #[cfg(target_arch = "x86_64")]
            Self::CForThisMachine => "reference in C, built for this machine".to_owned(),
            Self::RustCryptoReused => "`argon2` (RustCrypto), memory kept".to_owned(),
            Self::RustCryptoFresh => "`argon2` (RustCrypto), memory for each hash".to_owned(),
        }
    }

    /// What one thread calls again and again: it makes a hash, or two of them, and gives the tag.
    fn hashing(self) -> anyhow::Result<Hashing> {
        let params = Params::new(MEMORY_KIB, PASSES, 1)?;
        let input = Input {
            password: PASSWORD,
            salt: SALT,
            ..Input::default()
        };
        Ok(match self {
            Self::Ours(kernel) => {
                let mut hasher = Hasher::with_kernel(kernel);
                Box::new(move || {
                    let mut tag = [0; 32];
                    hasher.hash(&params, &input, &mut tag)?;
                    Ok(tag)
                })
            }
            Self::OursTwo(kernel) => {
                let mut hashers = [Hasher::with_kernel(kernel), Hasher::with_kernel(kernel)];
                Box::new(move || {
                    let mut tags = [[0; 32]; 2];
                    let mut jobs = hashers.iter_mut().zip(&mut tags).map(|(hasher, tag)| Job {
                        hasher,
                        params,
                        input,
                        tag,
                    });
                    if let (Some(one), Some(other)) = (jobs.next(), jobs.next()) {
                        hash_two(one, other)?;
                    }
                    ensure!(tags[0] == tags[1], "two equal hashes differ");
                    Ok(tags[0])
                })
            }
            Self::Argon2RustPooled => {
                use argon2_rust::{Algorithm, Argon2, Params, Version, params::Memory};

                let params = Params::builder()
                    .memory(Memory::kib(MEMORY_KIB.into()))
                    .passes(PASSES)
                    .lanes(1)
                    .build()?;
                let mut hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hasher();
                Box::new(move || {
                    let mut tag = [0; 32];
                    hasher.hash_into(PASSWORD, SALT, &mut tag)?;
                    Ok(tag)
                })
            }
            #[cfg(target_arch = "x86_64")]
            Self::CForThisMachine => Box::new(|| {
                let mut tag = [0; 32];
                c_reference::hash(MEMORY_KIB, PASSES, PASSWORD, SALT, &mut tag)
                    .map_err(|error| anyhow::anyhow!("the reference's error {error}"))?;
                Ok(tag)
            }),
            Self::RustCryptoReused => {
                let argon2 = rust_crypto()?;
                let mut blocks = vec![argon2::Block::new(); argon2.params().block_count()];
                Box::new(move || {
                    let mut tag = [0; 32];
                    argon2.hash_password_into_with_memory(PASSWORD, SALT, &mut tag, &mut blocks)?;
                    Ok(tag)
                })
            }
            Self::RustCryptoFresh => {
                let argon2 = rust_crypto()?;
                Box::new(move || {
                    let mut tag = [0; 32];
                    argon2.hash_password_into(PASSWORD, SALT, &mut tag)?;
                    Ok(tag)
                })
            }
        })
    }

    fn hashes_a_call(self) -> usize {
        if matches!(self, Self::OursTwo(_)) {
            2
        } else {
            1
        }
    }
}

fn rust_crypto() -> anyhow::Result<argon2::Argon2<'static>> {
    use argon2::{Algorithm, Argon2, Params, Version};

    let params = Params::new(MEMORY_KIB, PASSES, 1, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Makes a hash by our implementation.
pub(crate) fn ours() -> anyhow::Result<Hashing> {
    our_fastest()?.hashing()
}

fn our_fastest() -> anyhow::Result<Contender> {
    let contenders = Contender::all();
    contenders
        .first()
        .copied()
        .context("there are implementations")
}

/// `raw THREADS SECONDS`: hashes a second by our implementation alone, on so many threads.
pub(crate) fn raw(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let mut number = || arguments.next()?.parse().ok();
    let (Some(threads), Some(seconds)) = (number(), number()) else {
        bail!("call it by dev/bench");
    };
    let contender = our_fastest()?;
    let expected = contender.hashing()?()?;
    let run = Run {
        contender,
        threads: usize::try_from(threads)?,
        duration: Duration::from_secs(seconds),
        expected,
    };
    say(format_args!("{:.3}", run.rate()?));
    Ok(())
}

pub(crate) fn run() -> anyhow::Result<()> {
    let rounds = setting("ROUNDS", 5)?;
    let duration = Duration::from_secs(setting("DURATION", 3)?.try_into()?);
    let threads = setting("THREADS", 2)?;
    let contenders = Contender::all();
    let expected = contenders
        .last()
        .context("there are implementations")?
        .hashing()?()?;
    let mut rates = vec![Vec::with_capacity(rounds); contenders.len()];
    let before = Ticks::now(None)?;
    // The first round warms up.
    for round in 0..=rounds {
        for (contender, rates) in contenders.iter().zip(&mut rates) {
            let run = Run {
                contender: *contender,
                threads,
                duration,
                expected,
            };
            let rate = run.rate()?;
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    let mut figures = Vec::new();
    for (contender, own) in contenders.iter().zip(&rates) {
        let name = contender.name();
        let ratios: Vec<f64> = rates[0]
            .iter()
            .zip(own)
            .map(|(first, own)| first / own)
            .collect();
        let figure =
            |what, unit, rounds| Figure::of_rounds(["implementation", &name, what, unit], rounds);
        figures.push(figure("hashes", "/s", own)?);
        figures.push(figure("times as many by the first", "", &ratios)?);
    }
    let others = 100.0 * Ticks::now(None)?.of_others_since(before);
    figures.push(Figure::of_rounds(
        ["the machine meanwhile", "used by others", "share", "%"],
        &[others],
    )?);
    keep(
        &format!(
            "m={MEMORY_KIB}, t={PASSES}, p=1; {threads} threads, {rounds} rounds of {} s each.",
            duration.as_secs()
        ),
        figures,
    )
}

/// Threads that hash at the same time for a while. Each hash must be the expected one.
#[derive(Clone, Copy)]
struct Run {
    contender: Contender,
    threads: usize,
    duration: Duration,
    expected: [u8; 32],
}

impl Run {
    /// Hashes a second, all threads together.
    fn rate(self) -> anyhow::Result<f64> {
        let start = Barrier::new(self.threads);
        let calls: f64 = thread::scope(|scope| {
            let running: Vec<_> = (0..self.threads)
                .map(|_| scope.spawn(|| self.thread(&start)))
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().expect("a thread that does not panic"))
                .sum::<anyhow::Result<f64>>()
        })?;
        Ok(calls * float(self.contender.hashes_a_call()))
    }

    /// Calls a second by one thread.
    fn thread(self, start: &Barrier) -> anyhow::Result<f64> {
        let check = |tag: [u8; 32]| {
            ensure!(
                tag == self.expected,
                "a wrong hash by {}",
                self.contender.name()
            );
            Ok(())
        };
        let hash = self.contender.hashing().and_then(|mut hash| {
            // Memory is asked for and touched by the first.
            check(hash()?)?;
            Ok(hash)
        });
        // None is waited for by the others, whatever came of it.
        start.wait();
        let mut hash = hash?;
        let begun = Instant::now();
        let (mut calls, mut took) = (0, Duration::ZERO);
        while begun.elapsed() < self.duration {
            let call = Instant::now();
            check(hash()?)?;
            took += call.elapsed();
            calls += 1;
        }
        Ok(float(calls) / took.as_secs_f64())
    }
}
