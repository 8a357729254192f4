//! The choice of vectors, and the kernel as it is compiled for each.

use std::fmt;
use std::sync::OnceLock;

use crate::block::Block;
use crate::compress::compress;
use crate::fill::{self, Fill};
use crate::hasher::{Hasher, Job, hash_two};
use crate::lanes::Words;
#[cfg(target_arch = "x86_64")]
use crate::machine::{Avx2, Avx512};
use crate::params::{Input, Params};

/// The vectors to compute on. All give the same tags.
#[derive(Clone, Copy)]
pub struct Kernel(Vectors);

#[derive(Clone, Copy)]
enum Vectors {
    Words,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Kernel {
    /// The one that every processor has, in terms of words.
    pub const PORTABLE: Self = Self(Vectors::Words);

    /// All that this processor has, the fastest first.
    pub fn available() -> Vec<Self> {
        let mut available = Vec::with_capacity(3);
        #[cfg(target_arch = "x86_64")]
        {
            available.extend(Avx512::detect().map(|on| Self(Vectors::Avx512(on))));
            available.extend(Avx2::detect().map(|on| Self(Vectors::Avx2(on))));
        }
        available.push(Self::PORTABLE);
        available
    }

    /// The fastest that computes here what the portable one does. Chosen, and tried on a small hash, the first time that it is
    /// asked for.
    pub fn fastest() -> Self {
        static FASTEST: OnceLock<Kernel> = OnceLock::new();
        *FASTEST.get_or_init(|| first_right(&Self::available(), trial))
    }

    /// `avx512`, `avx2` or `portable`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Vectors::Words => "portable",
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx512(_) => "avx512",
        }
    }

    pub(crate) fn compress(self, previous: &Block, reference: &Block, into: &mut Block) {
        match self.0 {
            Vectors::Words => Words.compress(previous, reference, into),
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx2(on) => on.compress(previous, reference, into),
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx512(on) => on.compress(previous, reference, into),
        }
    }

    pub(crate) fn fill(self, one: &mut Fill<'_>) {
        match self.0 {
            Vectors::Words => Words.fill(one),
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx2(on) => on.fill(one),
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx512(on) => on.fill(one),
        }
    }

    pub(crate) fn fill_two<'m>(self, one: &mut Fill<'m>, other: &mut Fill<'m>) {
        match self.0 {
            Vectors::Words => Words.fill_two(one, other),
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx2(on) => on.fill_two(one, other),
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx512(on) => on.fill_two(one, other),
        }
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The first of them whose trial ends as the portable kernel's does.
fn first_right(kernels: &[Kernel], trial: impl Fn(Kernel) -> Option<Trial>) -> Kernel {
    let right = trial(Kernel::PORTABLE);
    kernels
        .iter()
        .copied()
        .find(|&kernel| trial(kernel) == right)
        .unwrap_or(Kernel::PORTABLE)
}

/// The tags of a trial.
type Trial = [[u8; 32]; 4];

/// Two small hashes, one after the other and then side by side: both ways through memory, over blocks that were there before and
/// over none, and into another lane.
fn trial(kernel: Kernel) -> Option<Trial> {
    let params = [Params::new(140, 2, 1).ok()?, Params::new(64, 3, 2).ok()?];
    let input = Input {
        password: b"password",
        salt: b"somesalt",
        ..Input::default()
    };
    let mut hashers = [Hasher::with_kernel(kernel), Hasher::with_kernel(kernel)];
    let mut tags = [[0; 32]; 4];
    let [one, other, beside, its_neighbour] = &mut tags;
    hashers[0].hash(&params[0], &input, one).ok()?;
    hashers[1].hash(&params[1], &input, other).ok()?;
    let [first, second] = &mut hashers;
    let job = |hasher, params, tag| Job {
        hasher,
        params,
        input,
        tag,
    };
    hash_two(
        job(first, params[0], beside),
        job(second, params[1], its_neighbour),
    )
    .ok()?;
    Some(tags)
}

/// The kernel compiled for certain vectors.
pub(crate) trait Entries: Copy {
    /// `into` becomes G(`previous`, `reference`).
    fn compress(self, previous: &Block, reference: &Block, into: &mut Block);

    /// Computes all blocks.
    fn fill(self, one: &mut Fill<'_>);

    /// The same of two, block by block in turn.
    fn fill_two<'m>(self, one: &mut Fill<'m>, other: &mut Fill<'m>);
}

impl Entries for Words {
    fn compress(self, previous: &Block, reference: &Block, into: &mut Block) {
        compress::<_, 1>(self, previous, reference, into);
    }

    fn fill(self, one: &mut Fill<'_>) {
        fill::one::<_, 1>(self, one);
    }

    fn fill_two<'m>(self, one: &mut Fill<'m>, other: &mut Fill<'m>) {
        fill::two::<_, 1>(self, one, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_that_compute_something_else_are_not_chosen() {
        let available = Kernel::available();
        let chosen = |is_wrong: &dyn Fn(Kernel) -> bool| {
            let lying = |kernel| trial(kernel).filter(|_| !is_wrong(kernel));
            first_right(&available, lying).name()
        };
        assert_eq!(chosen(&|_| false), available[0].name());
        assert_eq!(chosen(&|kernel| kernel.name() != "portable"), "portable");
    }
}
