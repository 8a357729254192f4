//! One thread's means to hash: a block buffer that is allocated once.

use argon2::Block;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::cost::{Cost, CostError};
use crate::schemes::argon2 as scheme;
use crate::stored::{Parts, StoredHash};

/// A hash or a verification that could not be computed. It says nothing about the password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// The cost is out of bounds.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// The system gave no random bytes for a salt.
    #[error("no random bytes for a salt")]
    Random(#[source] getrandom::Error),
    /// The system gave no memory for the blocks.
    #[error("no memory for {kib} KiB of Argon2 blocks")]
    Memory {
        /// How much was asked for.
        kib: usize,
    },
    /// The algorithm's library refused parameters that were checked before: a mistake in this
    /// crate.
    #[error("the hash library refused its input")]
    Library,
    /// The computation panicked. The thread that ran it goes on with a new buffer.
    #[error("the hash computation panicked")]
    Panicked,
}

impl From<argon2::Error> for HashError {
    fn from(_: argon2::Error) -> Self {
        Self::Library
    }
}

/// Hashes and verifies, on memory that it keeps. One for each thread.
///
/// The buffer is as large as the last cost that this hasher was told to keep memory for (by
/// [`Hasher::new`], [`Hasher::hash`], [`Hasher::decoy`] or [`Hasher::keep_memory_for`]) and stays
/// where it is from hash to hash. A stored hash that needs more has it for as long as its
/// verification takes.
///
/// **What is wiped.** Derived tags, always, and bcrypt's copy of the password. The block buffer is
/// not wiped between two hashes, of which the second overwrites it; it is wiped by
/// [`Hasher::wipe`], where it is given back, and on drop. What the libraries keep on the stack
/// (BLAKE2's and HMAC's states) and scrypt's own memory are not wiped.
pub struct Hasher {
    blocks: Vec<Block>,
    /// How many blocks stay allocated.
    keep: usize,
    /// Something was computed in `blocks` since they were last wiped.
    dirty: bool,
}

impl Hasher {
    /// A hasher for hashes of `cost`. The buffer is allocated by the first of them.
    pub fn new(cost: &Cost) -> Result<Self, HashError> {
        cost.check()?;
        let mut hasher = Self::default();
        hasher.keep = blocks_of(cost);
        Ok(hasher)
    }

    /// A new Argon2id hash of `password` as a PHC string, with a random salt of 16 bytes and a tag
    /// of 32.
    pub fn hash(&mut self, password: &[u8], cost: &Cost) -> Result<String, HashError> {
        self.keep_memory_for(cost)?;
        let mut salt = [0; scheme::SALT_BYTES];
        getrandom::fill(&mut salt).map_err(HashError::Random)?;
        let tag = scheme::derive(password, &salt, cost, self.blocks(blocks_of(cost))?)?;
        Ok(scheme::encode(cost, &salt, &tag))
    }

    /// Whether `stored` is a hash of `password`. Tags are compared in constant time.
    pub fn verify(&mut self, password: &[u8], stored: &StoredHash) -> Result<bool, HashError> {
        let (tag, expected) = match &stored.parts {
            Parts::Argon2(stored) => {
                let blocks = self.blocks(blocks_of(&stored.cost))?;
                let tag = stored.tag_of(password, blocks)?;
                self.give_back();
                (tag, stored.tag.as_slice())
            }
            Parts::Bcrypt(stored) => (stored.tag_of(password), stored.tag.as_slice()),
            Parts::Scrypt(stored) => (
                stored.tag_of(password).map_err(|_| HashError::Library)?,
                stored.tag.as_slice(),
            ),
            Parts::Pbkdf2(stored) => (stored.tag_of(password), stored.tag.as_slice()),
        };
        Ok(tag.ct_eq(expected).into())
    }

    /// The work of verifying an Argon2id hash of `cost`, where there is none to verify. The answer
    /// is always `false`.
    pub fn decoy(&mut self, password: &[u8], cost: &Cost) -> Result<bool, HashError> {
        self.keep_memory_for(cost)?;
        let salt = [0; scheme::SALT_BYTES];
        let tag = scheme::derive(password, &salt, cost, self.blocks(blocks_of(cost))?)?;
        std::hint::black_box(tag.ct_eq(&[0; scheme::TAG_BYTES]));
        Ok(false)
    }

    /// Keep, from now on, the memory that `cost` needs, neither more nor less.
    pub fn keep_memory_for(&mut self, cost: &Cost) -> Result<(), HashError> {
        cost.check()?;
        self.keep = blocks_of(cost);
        self.give_back();
        Ok(())
    }

    /// Overwrites the buffer, unless nothing was computed in it since the last time. The buffer
    /// stays allocated.
    pub fn wipe(&mut self) {
        if self.dirty {
            self.blocks.iter_mut().for_each(Zeroize::zeroize);
            self.dirty = false;
        }
    }

    /// The first `count` blocks, allocated anew if there are fewer.
    fn blocks(&mut self, count: usize) -> Result<&mut [Block], HashError> {
        if self.blocks.len() < count {
            // What the old buffer holds is of no use, so it is dropped before the new one is asked
            // for rather than copied into it.
            self.wipe();
            self.blocks = Vec::new();
            self.blocks
                .try_reserve_exact(count)
                .map_err(|_| HashError::Memory { kib: count })?;
            self.blocks.resize(count, Block::new());
        }
        self.dirty = true;
        Ok(&mut self.blocks[..count])
    }

    fn give_back(&mut self) {
        if self.blocks.len() > self.keep {
            self.blocks[self.keep..]
                .iter_mut()
                .for_each(Zeroize::zeroize);
            self.blocks.truncate(self.keep);
            self.blocks.shrink_to_fit();
        }
    }
}

impl Default for Hasher {
    /// For hashes of the default cost.
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            keep: blocks_of(&Cost::default()),
            dirty: false,
        }
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// A block is one KiB.
fn blocks_of(cost: &Cost) -> usize {
    cost.memory_kib as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Cost = Cost {
        memory_kib: 64,
        iterations: 1,
        parallelism: 1,
    };

    /// "password", at 256 KiB.
    const LARGER: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$yrdGtGIZk/3JHsUHh5gLQUqQppLwvGjf4Z+cJbPLqew";

    fn buffer(hasher: &Hasher) -> (*const Block, usize) {
        (hasher.blocks.as_ptr(), hasher.blocks.capacity())
    }

    #[test]
    fn l4_a_hundred_hashes_use_one_buffer() {
        let mut hasher = Hasher::new(&SMALL).expect("cost");
        let stored: StoredHash = hasher
            .hash(b"password", &SMALL)
            .expect("hash")
            .parse()
            .expect("parse");
        let first = buffer(&hasher);
        assert_eq!(first.1, 64);
        for round in 0..100 {
            match round % 4 {
                0 => drop(hasher.hash(b"password", &SMALL).expect("hash")),
                1 => assert!(hasher.verify(b"password", &stored).expect("verify")),
                2 => assert!(!hasher.decoy(b"password", &SMALL).expect("decoy")),
                _ => hasher.wipe(),
            }
            assert_eq!(buffer(&hasher), first);
        }
    }

    #[test]
    fn l4_a_larger_hash_has_its_memory_for_as_long_as_it_takes() {
        let mut hasher = Hasher::new(&SMALL).expect("cost");
        let larger: StoredHash = LARGER.parse().expect("parse");
        assert_eq!(hasher.blocks.capacity(), 0);
        for _ in 0..3 {
            assert!(hasher.verify(b"password", &larger).expect("verify"));
            assert_eq!((hasher.blocks.len(), hasher.blocks.capacity()), (64, 64));
        }
        let larger = Cost {
            memory_kib: 256,
            ..SMALL
        };
        hasher.decoy(b"password", &larger).expect("decoy");
        assert_eq!(hasher.blocks.capacity(), 256);
        hasher.keep_memory_for(&SMALL).expect("cost");
        assert_eq!((hasher.blocks.len(), hasher.blocks.capacity()), (64, 64));
    }

    #[test]
    fn a_wiped_buffer_is_empty_and_in_its_place() {
        let mut hasher = Hasher::new(&SMALL).expect("cost");
        hasher.decoy(b"password", &SMALL).expect("decoy");
        let before = buffer(&hasher);
        let words = |hasher: &Hasher| -> u64 {
            hasher
                .blocks
                .iter()
                .flat_map(AsRef::as_ref)
                .fold(0, |seen, word| seen | word)
        };
        assert_ne!(words(&hasher), 0);
        hasher.wipe();
        assert_eq!(words(&hasher), 0);
        assert_eq!(buffer(&hasher), before);
    }
}
