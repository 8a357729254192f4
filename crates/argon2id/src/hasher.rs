//! Hashes, on memory that is kept.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::block::Block;
use crate::digest::{self, Seed};
use crate::fill::Fill;
use crate::kernel::Kernel;
use crate::machine::Memory;
use crate::params::{Error, Input, Params};

/// How long a tag is at least, in bytes.
const SHORTEST_TAG: usize = 4;

/// How many blocks are wiped without a look at what else there is to do.
const WIPED_TOGETHER: usize = 256;

/// Computes hashes in memory that it keeps from one to the next. One for each thread, or two to compute side by side.
///
/// The memory is as large as the largest hash was. It is not wiped between two hashes, of which the second overwrites it, but
/// by [`Hasher::wipe`], where it is given back, and on drop. What else depends on the password is wiped at the end of each hash,
/// except what the compiler put into registers and on the stack.
pub struct Hasher {
    kernel: Kernel,
    pause: fn(),
    blocks: Memory,
    /// Something was computed in `blocks` since they were last wiped.
    dirty: bool,
}

/// A hash to be computed beside another.
pub struct Job<'a> {
    /// In whose memory.
    pub hasher: &'a mut Hasher,
    /// At what cost.
    pub params: Params,
    /// Of what.
    pub input: Input<'a>,
    /// Where the tag goes, which is as long as this.
    pub tag: &'a mut [u8],
}

impl Hasher {
    /// On the fastest vectors that this processor has. Memory is asked for by the first hash.
    pub fn new() -> Self {
        Self::with_kernel(Kernel::fastest())
    }

    /// On these vectors.
    pub const fn with_kernel(kernel: Kernel) -> Self {
        Self {
            kernel,
            pause: || {},
            blocks: Memory::NONE,
            dirty: false,
        }
    }

    /// From now on `pause` is called after every 4,096 blocks (4 MiB of a pass) of a hash, which take about half a millisecond, for
    /// whatever should not wait for the end of it. Where two are computed side by side each has its own pauses.
    #[must_use]
    pub const fn with_pauses(mut self, pause: fn()) -> Self {
        self.pause = pause;
        self
    }

    /// Puts the Argon2id tag (version 1.3) of `input` into `tag`, which is 4 to 2^32 - 1 bytes long; its length goes into it.
    pub fn hash(
        &mut self,
        params: &Params,
        input: &Input<'_>,
        tag: &mut [u8],
    ) -> Result<(), Error> {
        let kernel = self.kernel;
        let length = length_of(tag)?;
        let mut fill = self.begin(params, input, length)?;
        kernel.fill(&mut fill);
        finish(&fill, length, tag);
        Ok(())
    }

    /// How much memory it holds, in KiB.
    pub fn memory_kib(&self) -> usize {
        self.blocks.len()
    }

    /// Gives all memory back, wiped, if it is more than `kib`. The next hash asks for what it needs.
    ///
    /// To give back a part would copy the rest to another place, and leave it where it was.
    pub fn keep_at_most(&mut self, kib: usize) {
        if self.blocks.len() > kib {
            self.wipe();
            self.blocks = Memory::NONE;
        }
    }

    /// Overwrites the memory, unless nothing was computed in it since the last time. It stays where it is.
    pub fn wipe(&mut self) {
        self.wipe_while(|| true);
    }

    /// The same, but stops when `goes_on`, which is asked at each quarter of a megabyte, says no. What is left then is for the
    /// next hash or the next time to overwrite.
    pub fn wipe_while(&mut self, mut goes_on: impl FnMut() -> bool) {
        if !self.dirty {
            return;
        }
        for part in self.blocks.chunks_mut(WIPED_TOGETHER) {
            if !goes_on() {
                return;
            }
            part.iter_mut().for_each(Zeroize::zeroize);
        }
        self.dirty = false;
    }

    /// The first two blocks of each lane, and what is to be done for the others.
    fn begin(&mut self, params: &Params, input: &Input<'_>, tag: u32) -> Result<Fill<'_>, Error> {
        let seed = Seed::new(params, input, tag)?;
        let (kernel, pause) = (self.kernel, self.pause);
        let blocks = self.blocks(params.blocks())?;
        let lane_length = blocks.len() / params.lanes as usize;
        let mut bytes = Zeroizing::new([0; Block::BYTES]);
        for (lane, blocks) in (0..).zip(blocks.chunks_exact_mut(lane_length)) {
            for (index, block) in (0..2).zip(blocks) {
                seed.block(index, lane, &mut bytes);
                *block = Block::from_bytes(&bytes);
            }
        }
        Ok(Fill::new(params, blocks, kernel, pause))
    }

    fn blocks(&mut self, count: u32) -> Result<&mut [Block], Error> {
        let no_memory = Error::NoMemory { kib: count };
        let count = usize::try_from(count).map_err(|_| no_memory)?;
        if self.blocks.len() < count {
            // What the old memory holds is of no use, so it is given back before the new one is asked for rather than copied.
            self.wipe();
            self.blocks = Memory::NONE;
            self.blocks = Memory::zeroed(count).ok_or(no_memory)?;
        }
        self.dirty = true;
        Ok(&mut self.blocks[..count])
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("kernel", &self.kernel)
            .field("memory_kib", &self.memory_kib())
            .finish_non_exhaustive()
    }
}

/// Computes both tags on this thread, block by block in turn, which takes less time than one after the other where memory is
/// what hashes wait for. On the vectors of the first's hasher.
///
/// When one of them fails there is no tag of either.
pub fn hash_two(one: Job<'_>, other: Job<'_>) -> Result<(), Error> {
    let Job {
        hasher,
        params,
        input,
        tag,
    } = one;
    let kernel = hasher.kernel;
    let length = length_of(tag)?;
    let other_length = length_of(other.tag)?;
    let mut fill = hasher.begin(&params, &input, length)?;
    let Job {
        hasher,
        params,
        input,
        tag: other_tag,
    } = other;
    let mut other_fill = hasher.begin(&params, &input, other_length)?;
    kernel.fill_two(&mut fill, &mut other_fill);
    finish(&fill, length, tag);
    finish(&other_fill, other_length, other_tag);
    Ok(())
}

fn length_of(tag: &[u8]) -> Result<u32, Error> {
    if tag.len() < SHORTEST_TAG {
        return Err(Error::Tag);
    }
    u32::try_from(tag.len()).map_err(|_| Error::Tag)
}

fn finish(fill: &Fill<'_>, length: u32, tag: &mut [u8]) {
    let mut last = fill.last();
    digest::long(length, &[Zeroizing::new(last.to_bytes()).as_slice()], tag);
    last.zeroize();
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::fill::BETWEEN_PAUSES;

    const INPUT: Input<'_> = Input {
        password: b"password",
        salt: b"somesalt",
        secret: b"",
        associated_data: b"",
    };

    fn hash(hasher: &mut Hasher, memory_kib: u32) -> [u8; 32] {
        let params = Params::new(memory_kib, 1, 1).expect("in bounds");
        let mut tag = [0; 32];
        hasher.hash(&params, &INPUT, &mut tag).expect("hash");
        tag
    }

    fn is_empty(hasher: &Hasher) -> bool {
        let mut words = hasher
            .blocks
            .iter()
            .flat_map(|block| block.0.as_flattened());
        words.all(|&word| word == 0)
    }

    #[test]
    fn memory_is_asked_for_once_and_wiped_in_its_place() {
        let mut hasher = Hasher::new();
        assert_eq!(hasher.memory_kib(), 0);
        let tag = hash(&mut hasher, 3000);
        let place = (hasher.blocks.as_ptr(), hasher.blocks.len());
        assert_eq!(place.1, 3000);
        for kib in [8, 100, 3000] {
            hash(&mut hasher, kib);
            assert!(!is_empty(&hasher));
            hasher.wipe();
            assert!(is_empty(&hasher));
            assert_eq!((hasher.blocks.as_ptr(), hasher.blocks.len()), place);
        }
        assert_eq!(hash(&mut hasher, 3000), tag);
    }

    #[test]
    fn a_wipe_that_is_stopped_leaves_the_rest_to_the_next() {
        let mut hasher = Hasher::new();
        hash(&mut hasher, 3000);
        let mut parts = 0;
        hasher.wipe_while(|| {
            parts += 1;
            parts < 3
        });
        let (wiped, left) = hasher.blocks.split_at(2 * WIPED_TOGETHER);
        let is_zero = |block: &Block| block.0.as_flattened().iter().all(|&word| word == 0);
        assert!(wiped.iter().all(is_zero));
        assert!(!left.iter().any(is_zero));
        hasher.wipe();
        assert!(is_empty(&hasher));
        hasher.wipe_while(|| panic!("there is nothing to wipe"));
    }

    #[test]
    fn what_is_given_back_is_asked_for_anew() {
        let mut hasher = Hasher::new();
        let tag = hash(&mut hasher, 500);
        hasher.keep_at_most(500);
        assert_eq!(hasher.memory_kib(), 500);
        hasher.keep_at_most(499);
        assert_eq!(hasher.memory_kib(), 0);
        assert_eq!(hash(&mut hasher, 500), tag);
    }

    /// Segments are as long as they happen to be, and pages of addresses, too.
    #[test]
    fn there_is_a_pause_every_so_many_blocks() {
        thread_local! {
            static PAUSES: Cell<usize> = const { Cell::new(0) };
        }
        let mut quick = Hasher::new();
        let mut patient = Hasher::new().with_pauses(|| PAUSES.set(PAUSES.get() + 1));
        for (memory_kib, passes, lanes) in [(8, 3, 1), (500, 9, 3), (8191, 1, 1), (19_456, 2, 1)] {
            let params = Params::new(memory_kib, passes, lanes).expect("in bounds");
            let mut tags = [[0; 32]; 2];
            quick.hash(&params, &INPUT, &mut tags[0]).expect("hash");
            patient.hash(&params, &INPUT, &mut tags[1]).expect("hash");
            assert_eq!(tags[0], tags[1]);
            // All blocks but the first two of each lane, and no pause where nothing is left to be done.
            let computed = (params.blocks() * passes - 2 * lanes) as usize;
            assert_eq!(PAUSES.take(), (computed - 1) / BETWEEN_PAUSES, "{params:?}");
        }
    }

    #[test]
    fn a_hasher_tells_nothing_of_what_it_holds() {
        let mut hasher = Hasher::with_kernel(Kernel::PORTABLE);
        hash(&mut hasher, 8);
        assert_eq!(
            format!("{hasher:?}"),
            "Hasher { kernel: portable, memory_kib: 8, .. }"
        );
    }
}
