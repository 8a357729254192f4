//! Argon2 (RFC 9106): Argon2id as we make it by the crate `argon2id`, on memory that the caller keeps; its siblings and its
//! first version by `argon2`.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::phc;
use super::{Scheme, Work};
use crate::cost::{Cost, CostError};
use crate::hasher::HashError;
use crate::stored::ParseError;

/// What we make: a 128-bit salt and a 256-bit tag, as RFC 9106 section 4 recommends.
pub(crate) const SALT_BYTES: usize = 16;
pub(crate) const TAG_BYTES: usize = 32;

#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) scheme: Scheme,
    /// 1.3, or 1.0 where the string names no version.
    version: Version,
    pub(crate) cost: Cost,
    salt: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

impl Stored {
    /// What follows `$argon2id$` and its siblings: `[v=19$]m=19456,t=2,p=1$salt$tag`.
    pub(crate) fn parse(scheme: Scheme, rest: &str) -> Result<Self, ParseError> {
        let mut segments = rest.split('$').peekable();
        let version = match segments.next_if(|segment| segment.starts_with("v=")) {
            None | Some("v=16") => Version::V0x10,
            Some("v=19") => Version::V0x13,
            Some(_) => return Err(ParseError::Malformed("version")),
        };
        let [parameters, salt, tag] = phc::three(segments)?;
        let [memory_kib, iterations, parallelism] = phc::parameters(parameters, ["m", "t", "p"])?;
        Ok(Self {
            scheme,
            version,
            cost: Cost::new(memory_kib, iterations, parallelism)?,
            salt: phc::salt(salt, argon2::MIN_SALT_LEN)?,
            tag: phc::tag(tag)?,
        })
    }

    pub(crate) fn work(&self) -> Work {
        work(self.scheme, &self.cost)
    }

    /// Whether a hash made now, at `cost`, would be stronger in any way.
    pub(crate) fn is_weaker_than(&self, cost: &Cost) -> bool {
        self.scheme != Scheme::Argon2id
            || self.version != Version::V0x13
            || self.cost.memory_kib < cost.memory_kib
            || self.cost.iterations < cost.iterations
            || self.cost.parallelism < cost.parallelism
            || self.salt.len() < SALT_BYTES
            || self.tag.len() < TAG_BYTES
    }

    /// The tag of `password` under this hash's salt and parameters.
    pub(crate) fn tag_of(
        &self,
        password: &[u8],
        hasher: &mut argon2id::Hasher,
    ) -> Result<Zeroizing<Vec<u8>>, HashError> {
        let mut tag = Zeroizing::new(vec![0; self.tag.len()]);
        if (self.scheme, self.version) == (Scheme::Argon2id, Version::V0x13) {
            derive(password, &self.salt, &self.cost, hasher, &mut tag)?;
        } else {
            self.derive_otherwise(password, &mut tag)?;
        }
        Ok(tag)
    }

    /// What comes from elsewhere and is replaced when it was verified has memory of its own, for that long.
    fn derive_otherwise(&self, password: &[u8], tag: &mut [u8]) -> Result<(), HashError> {
        let algorithm = match self.scheme {
            Scheme::Argon2i => Algorithm::Argon2i,
            Scheme::Argon2d => Algorithm::Argon2d,
            _ => Algorithm::Argon2id,
        };
        let Cost {
            memory_kib,
            iterations,
            parallelism,
        } = self.cost;
        let params = Params::new(memory_kib, iterations, parallelism, Some(tag.len()))?;
        let kib = params.block_count();
        let mut blocks = Zeroizing::new(Vec::new());
        blocks
            .try_reserve_exact(kib)
            .map_err(|_| HashError::Memory { kib })?;
        blocks.resize(kib, Block::new());
        Argon2::new(algorithm, self.version, params).hash_password_into_with_memory(
            password,
            &self.salt,
            tag,
            blocks.as_mut_slice(),
        )?;
        Ok(())
    }
}

/// Puts the Argon2id tag of `password` into `tag`.
pub(crate) fn derive(
    password: &[u8],
    salt: &[u8],
    cost: &Cost,
    hasher: &mut argon2id::Hasher,
    tag: &mut [u8],
) -> Result<(), HashError> {
    let params = argon2id::Params::new(cost.memory_kib, cost.iterations, cost.parallelism)?;
    let input = argon2id::Input {
        password,
        salt,
        ..argon2id::Input::default()
    };
    Ok(hasher.hash(&params, &input, tag)?)
}

/// The PHC string of a new Argon2id hash.
pub(crate) fn encode(cost: &Cost, salt: &[u8; SALT_BYTES], tag: &[u8; TAG_BYTES]) -> String {
    format!(
        "$argon2id$v=19${cost}${}${}",
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(tag)
    )
}

pub(crate) fn work(scheme: Scheme, cost: &Cost) -> Work {
    Work {
        scheme,
        units: cost.kib_passes(),
    }
}

impl From<CostError> for ParseError {
    fn from(error: CostError) -> Self {
        match error {
            CostError::Parallelism => Self::OutOfBounds {
                parameter: "p",
                least: 1,
                most: Cost::MOST_PARALLELISM.into(),
            },
            CostError::Memory => Self::OutOfBounds {
                parameter: "m",
                least: 8,
                most: Cost::MOST_MEMORY_KIB.into(),
            },
            CostError::Iterations => Self::OutOfBounds {
                parameter: "m * t",
                least: 8,
                most: Cost::MOST_WORK_KIB,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};

    use super::*;

    /// RFC 9106, section 5. The vectors have a secret and associated data, which no PHC string of
    /// ours has, so they are computed on the library as it is built and called here: with a buffer
    /// of the caller's, by the instructions that this processor has.
    #[test]
    fn the_library_computes_rfc_9106s_vectors() {
        for (algorithm, expected) in [
            (
                Algorithm::Argon2d,
                "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb",
            ),
            (
                Algorithm::Argon2i,
                "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8",
            ),
            (
                Algorithm::Argon2id,
                "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
            ),
        ] {
            let params = ParamsBuilder::new()
                .m_cost(32)
                .t_cost(3)
                .p_cost(4)
                .data(AssociatedData::new(&[4; 12]).expect("short"))
                .build()
                .expect("in bounds");
            let mut tag = [0; 32];
            let mut blocks = vec![Block::new(); 32];
            Argon2::new_with_secret(&[3; 8], algorithm, Version::V0x13, params)
                .expect("short")
                .hash_password_into_with_memory(&[1; 32], &[2; 16], &mut tag, blocks.as_mut_slice())
                .expect("in bounds");
            let expected: Vec<u8> = (0..64)
                .step_by(2)
                .map(|at| u8::from_str_radix(&expected[at..at + 2], 16).expect("hex"))
                .collect();
            assert_eq!(tag, *expected);
        }
    }
}
