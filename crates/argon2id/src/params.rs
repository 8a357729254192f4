//! What is hashed, and at what cost.

/// What an Argon2id hash costs: m, t and p of RFC 9106, section 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Params {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

impl Params {
    /// More lanes than this are not defined.
    pub const MOST_LANES: u32 = (1 << 24) - 1;

    /// `memory_kib` of memory, at least 8 a lane; at least one pass over it; 1 to [`Params::MOST_LANES`] lanes. Lanes are
    /// computed one after the other.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, Error> {
        if lanes < 1 || lanes > Self::MOST_LANES {
            return Err(Error::Lanes);
        }
        if memory_kib / 8 < lanes {
            return Err(Error::Memory);
        }
        if passes < 1 {
            return Err(Error::Passes);
        }
        Ok(Self {
            memory_kib,
            passes,
            lanes,
        })
    }

    /// How many blocks are computed: as many as fill four slices of all lanes alike.
    pub(crate) const fn blocks(&self) -> u32 {
        self.memory_kib - self.memory_kib % (4 * self.lanes)
    }
}

/// What is hashed. Each part is at most 2^32 - 1 bytes long, and may be empty.
#[derive(Clone, Copy, Default)]
pub struct Input<'a> {
    /// P: the password.
    pub password: &'a [u8],
    /// S: the salt. RFC 9106 recommends 16 bytes.
    pub salt: &'a [u8],
    /// K: a key that is kept apart from the hashes.
    pub secret: &'a [u8],
    /// X: what else the tag is to depend on.
    pub associated_data: &'a [u8],
}

/// Why there is no tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Lanes outside 1 to [`Params::MOST_LANES`].
    #[error("lanes must be 1 to {}", Params::MOST_LANES)]
    Lanes,
    /// Less than 8 KiB a lane.
    #[error("memory must be at least 8 KiB a lane")]
    Memory,
    /// No pass at all.
    #[error("there must be at least one pass")]
    Passes,
    /// A tag shorter than 4 bytes or longer than 2^32 - 1.
    #[error("a tag must be 4 to 2^32 - 1 bytes long")]
    Tag,
    /// A part of the input longer than 2^32 - 1 bytes.
    #[error("no part of the input may be longer than 2^32 - 1 bytes")]
    Input,
    /// The system gave no memory for the blocks.
    #[error("no memory for {kib} KiB of blocks")]
    NoMemory {
        /// How much was asked for.
        kib: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_rfc_9106s() {
        for (m, t, p, error) in [
            (8, 1, 1, None),
            (7, 1, 1, Some(Error::Memory)),
            (16, 1, 2, None),
            (15, 1, 2, Some(Error::Memory)),
            (u32::MAX, u32::MAX, Params::MOST_LANES, None),
            (u32::MAX, 1, Params::MOST_LANES + 1, Some(Error::Lanes)),
            (8, 1, 0, Some(Error::Lanes)),
            (8, 0, 1, Some(Error::Passes)),
        ] {
            assert_eq!(Params::new(m, t, p).err(), error, "m={m},t={t},p={p}");
        }
    }

    #[test]
    fn blocks_are_whole_slices_of_all_lanes() {
        let blocks = |m, p| Params::new(m, 1, p).expect("in bounds").blocks();
        assert_eq!(blocks(19_456, 1), 19_456);
        assert_eq!(blocks(11, 1), 8);
        assert_eq!(blocks(47, 3), 36);
    }
}
