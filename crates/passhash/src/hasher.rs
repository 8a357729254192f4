//! One thread's means to hash: a block buffer that is allocated once.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

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

impl From<argon2id::Error> for HashError {
    fn from(error: argon2id::Error) -> Self {
        match error {
            argon2id::Error::NoMemory { kib } => Self::Memory { kib: kib as usize },
            _ => Self::Library,
        }
    }
}

/// Hashes and verifies, on memory that it keeps. One for each thread.
///
/// The buffer is as large as the last cost that this hasher was told to keep memory for (by
/// [`Hasher::new`], [`Hasher::hash`], [`Hasher::decoy`] or [`Hasher::keep_memory_for`]) and stays
/// where it is from hash to hash. A stored hash that needs more has it for as long as its
/// verification takes, after which the buffer is allocated anew; Argon2i, Argon2d and Argon2's
/// first version have memory of their own for that long.
///
/// **What is wiped.** Derived tags, always, and bcrypt's copy of the password. The block buffer is
/// not wiped between two hashes, of which the second overwrites it; it is wiped by
/// [`Hasher::wipe`], where it is given back, and on drop. What the libraries keep on the stack
/// and scrypt's own memory are not wiped.
pub struct Hasher {
    argon2id: argon2id::Hasher,
    /// How many KiB stay allocated.
    keep: usize,
}

impl Hasher {
    /// A hasher for hashes of `cost`. The buffer is allocated by the first of them.
    pub fn new(cost: &Cost) -> Result<Self, HashError> {
        cost.check()?;
        Ok(Self {
            keep: kib_of(cost),
            ..Self::default()
        })
    }

    /// From now on `pause` is called about every half millisecond of an Argon2id hash, for other threads to go on.
    #[must_use]
    pub fn with_pauses(mut self, pause: fn()) -> Self {
        self.argon2id = self.argon2id.with_pauses(pause);
        self
    }

    /// A new Argon2id hash of `password` as a PHC string, with a random salt of 16 bytes and a tag
    /// of 32.
    pub fn hash(&mut self, password: &[u8], cost: &Cost) -> Result<String, HashError> {
        self.keep_memory_for(cost)?;
        let mut salt = [0; scheme::SALT_BYTES];
        getrandom::fill(&mut salt).map_err(HashError::Random)?;
        let tag = self.derive(password, &salt, cost)?;
        Ok(scheme::encode(cost, &salt, &tag))
    }

    /// Whether `stored` is a hash of `password`. Tags are compared in constant time.
    pub fn verify(&mut self, password: &[u8], stored: &StoredHash) -> Result<bool, HashError> {
        let (tag, expected) = match &stored.parts {
            Parts::Argon2(stored) => {
                let tag = stored.tag_of(password, &mut self.argon2id)?;
                self.argon2id.keep_at_most(self.keep);
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
        let tag = self.derive(password, &salt, cost)?;
        std::hint::black_box(tag.ct_eq(&[0; scheme::TAG_BYTES]));
        Ok(false)
    }

    /// Keep, from now on, the memory that `cost` needs, and no more.
    pub fn keep_memory_for(&mut self, cost: &Cost) -> Result<(), HashError> {
        cost.check()?;
        self.keep = kib_of(cost);
        self.argon2id.keep_at_most(self.keep);
        Ok(())
    }

    /// Overwrites the buffer, unless nothing was computed in it since the last time. The buffer
    /// stays allocated.
    pub fn wipe(&mut self) {
        self.argon2id.wipe();
    }

    /// The same, but stops when `goes_on` says no; it is asked many times a millisecond. What is left then is for the next
    /// hash or the next time to overwrite.
    pub fn wipe_while(&mut self, goes_on: impl FnMut() -> bool) {
        self.argon2id.wipe_while(goes_on);
    }

    fn derive(
        &mut self,
        password: &[u8],
        salt: &[u8],
        cost: &Cost,
    ) -> Result<Zeroizing<[u8; scheme::TAG_BYTES]>, HashError> {
        let mut tag = Zeroizing::new([0; scheme::TAG_BYTES]);
        scheme::derive(password, salt, cost, &mut self.argon2id, tag.as_mut_slice())?;
        Ok(tag)
    }
}

impl Default for Hasher {
    /// For hashes of the default cost.
    fn default() -> Self {
        Self {
            argon2id: argon2id::Hasher::new(),
            keep: kib_of(&Cost::default()),
        }
    }
}

fn kib_of(cost: &Cost) -> usize {
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

    /// The same password by Argon2i, at as much.
    const OF_A_SIBLING: &str =
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8";

    #[test]
    fn l4_a_hundred_hashes_use_one_buffer() {
        let mut hasher = Hasher::new(&SMALL).expect("cost");
        let stored: StoredHash = hasher
            .hash(b"password", &SMALL)
            .expect("hash")
            .parse()
            .expect("parse");
        for round in 0..100 {
            match round % 4 {
                0 => drop(hasher.hash(b"password", &SMALL).expect("hash")),
                1 => assert!(hasher.verify(b"password", &stored).expect("verify")),
                2 => assert!(!hasher.decoy(b"password", &SMALL).expect("decoy")),
                _ => hasher.wipe(),
            }
            assert_eq!(hasher.argon2id.memory_kib(), 64);
        }
    }

    #[test]
    fn l4_a_larger_hash_has_its_memory_for_as_long_as_it_takes() {
        let mut hasher = Hasher::new(&SMALL).expect("cost");
        assert_eq!(hasher.argon2id.memory_kib(), 0);
        hasher.decoy(b"password", &SMALL).expect("decoy");
        for text in [LARGER, OF_A_SIBLING, LARGER] {
            let larger: StoredHash = text.parse().expect("parse");
            assert!(hasher.verify(b"password", &larger).expect("verify"));
            assert!(hasher.argon2id.memory_kib() <= 64);
        }
        let larger = Cost {
            memory_kib: 256,
            ..SMALL
        };
        hasher.decoy(b"password", &larger).expect("decoy");
        assert_eq!(hasher.argon2id.memory_kib(), 256);
        hasher.keep_memory_for(&SMALL).expect("cost");
        assert_eq!(hasher.argon2id.memory_kib(), 0);
        hasher.decoy(b"password", &SMALL).expect("decoy");
        assert_eq!(hasher.argon2id.memory_kib(), 64);
    }
}
