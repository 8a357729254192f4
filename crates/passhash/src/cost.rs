//! What one Argon2id hash may cost.

use std::fmt;

/// Argon2's three parameters (RFC 9106, section 3.1), in the order of a PHC string.
///
/// The default is OWASP's second choice, 19 MiB twice over, which is also the smallest that NIST
/// and OWASP both accept without a caveat. A `Cost` put together field by field is checked where it
/// is used; [`Cost::new`] checks at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cost {
    /// Memory in KiB: what one hash holds while it is computed.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes. They are computed one after the other, so more lanes buy no speed here: 1 unless
    /// another system has to agree.
    pub parallelism: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
        }
    }
}

/// A cost outside what RFC 9106 defines, or above what this crate agrees to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// Lanes outside 1 to [`Cost::MOST_PARALLELISM`].
    #[error("parallelism must be 1 to {}", Cost::MOST_PARALLELISM)]
    Parallelism,
    /// Less than 8 KiB a lane, or more than [`Cost::MOST_MEMORY_KIB`].
    #[error("memory must be 8 KiB a lane to {} KiB", Cost::MOST_MEMORY_KIB)]
    Memory,
    /// No pass at all, or more memory times passes than [`Cost::MOST_WORK_KIB`].
    #[error(
        "iterations must be at least 1, and memory times iterations at most {} KiB",
        Cost::MOST_WORK_KIB
    )]
    Iterations,
}

impl Cost {
    /// 256 MiB: with more, a handful of stored hashes could exhaust a machine.
    pub const MOST_MEMORY_KIB: u32 = 256 * 1024;
    /// Memory times iterations, 2 GiB: about two seconds of one core.
    pub const MOST_WORK_KIB: u64 = 2 * 1024 * 1024;
    /// RFC 9106 allows 2^24 - 1; nobody who hashes passwords uses more than the cores of a large
    /// machine.
    pub const MOST_PARALLELISM: u32 = 64;

    /// A cost within RFC 9106's bounds and the three caps above.
    pub fn new(memory_kib: u32, iterations: u32, parallelism: u32) -> Result<Self, CostError> {
        let cost = Self {
            memory_kib,
            iterations,
            parallelism,
        };
        cost.check()?;
        Ok(cost)
    }

    pub(crate) fn check(&self) -> Result<(), CostError> {
        if !(1..=Self::MOST_PARALLELISM).contains(&self.parallelism) {
            return Err(CostError::Parallelism);
        }
        if !(8 * self.parallelism..=Self::MOST_MEMORY_KIB).contains(&self.memory_kib) {
            return Err(CostError::Memory);
        }
        if self.iterations == 0 || self.kib_passes() > Self::MOST_WORK_KIB {
            return Err(CostError::Iterations);
        }
        Ok(())
    }

    /// Memory times passes: what the time of a hash is proportional to.
    pub(crate) fn kib_passes(&self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }
}

/// As in a PHC string: `m=19456,t=2,p=1`.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "m={},t={},p={}",
            self.memory_kib, self.iterations, self.parallelism
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_rfc_9106s_and_ours() {
        for (m, t, p, expected) in [
            (8, 1, 1, Ok(())),
            (7, 1, 1, Err(CostError::Memory)),
            (8 * 64, 1, 64, Ok(())),
            (8 * 64 - 1, 1, 64, Err(CostError::Memory)),
            (19_456, 2, 0, Err(CostError::Parallelism)),
            (u32::MAX, 1, 65, Err(CostError::Parallelism)),
            (u32::MAX, 1, u32::MAX, Err(CostError::Parallelism)),
            (256 * 1024, 8, 1, Ok(())),
            (256 * 1024, 9, 1, Err(CostError::Iterations)),
            (256 * 1024 + 1, 1, 1, Err(CostError::Memory)),
            (4 * 1024 * 1024, 1, 1, Err(CostError::Memory)),
            (19_456, 0, 1, Err(CostError::Iterations)),
            (8, u32::MAX, 1, Err(CostError::Iterations)),
        ] {
            assert_eq!(
                Cost::new(m, t, p).map(|_| ()),
                expected,
                "m={m},t={t},p={p}"
            );
        }
    }

    #[test]
    fn the_default_is_the_documented_one() {
        assert_eq!(Cost::new(19_456, 2, 1), Ok(Cost::default()));
        assert_eq!(Cost::default().to_string(), "m=19456,t=2,p=1");
    }
}
