//! BLAKE2b as Argon2 uses it: H0, and the hash H' of variable length (RFC 9106, sections 3.2 and 3.3).

use blake2::Blake2bVarCore;
use blake2::digest::Output;
use blake2::digest::block_api::{UpdateCore, VariableOutputCore};
use blake2::digest::block_buffer::LazyBuffer;
use zeroize::{Zeroize, Zeroizing};

use crate::block::Block;
use crate::params::{Error, Input, Params};

/// The longest that BLAKE2b makes in one piece.
const LONGEST: usize = 64;

/// Argon2's number for Argon2id, and for version 1.3.
pub(crate) const ARGON2ID: u32 = 2;
const VERSION: u32 = 0x13;

/// H0, which all blocks come from.
pub(crate) struct Seed(Zeroizing<[u8; LONGEST]>);

impl Seed {
    /// Of a tag of `tag` bytes.
    pub(crate) fn new(params: &Params, input: &Input<'_>, tag: u32) -> Result<Self, Error> {
        let mut head = [0; 24];
        for (bytes, number) in head.as_chunks_mut::<4>().0.iter_mut().zip([
            params.lanes,
            tag,
            params.memory_kib,
            params.passes,
            VERSION,
            ARGON2ID,
        ]) {
            *bytes = number.to_le_bytes();
        }
        let length = |part: &[u8]| match u32::try_from(part.len()) {
            Ok(length) => Ok(length.to_le_bytes()),
            Err(_) => Err(Error::Input),
        };
        let mut seed = Zeroizing::new([0; LONGEST]);
        short(
            &[
                &head,
                &length(input.password)?,
                input.password,
                &length(input.salt)?,
                input.salt,
                &length(input.secret)?,
                input.secret,
                &length(input.associated_data)?,
                input.associated_data,
            ],
            seed.as_mut_slice(),
        );
        Ok(Self(seed))
    }

    /// The bytes of the block at `index`, which is 0 or 1, of `lane`.
    pub(crate) fn block(&self, index: u32, lane: u32, into: &mut [u8; Block::BYTES]) {
        long(
            1024,
            &[self.0.as_slice(), &index.to_le_bytes(), &lane.to_le_bytes()],
            into,
        );
    }
}

/// H' of `parts`, in `into`, whose length is `length`.
pub(crate) fn long(length: u32, parts: &[&[u8]], into: &mut [u8]) {
    let length = length.to_le_bytes();
    let mut with_length: Vec<&[u8]> = vec![&length];
    with_length.extend(parts);
    if into.len() <= LONGEST {
        return short(&with_length, into);
    }
    // Of each link of the chain the first half, and all of the last.
    let mut link = Zeroizing::new([0; LONGEST]);
    short(&with_length, link.as_mut_slice());
    let mut rest = into;
    loop {
        let (half, behind) = rest.split_at_mut(LONGEST / 2);
        half.copy_from_slice(&link[..LONGEST / 2]);
        rest = behind;
        let last = *link;
        if rest.len() <= LONGEST {
            return short(&[Zeroizing::new(last).as_slice()], rest);
        }
        short(&[Zeroizing::new(last).as_slice()], link.as_mut_slice());
    }
}

/// BLAKE2b of `parts`, as long as `into`, which is at most [`LONGEST`] and not empty.
fn short(parts: &[&[u8]], into: &mut [u8]) {
    let Ok(mut hash) = Blake2bVarCore::new(into.len()) else {
        unreachable!("BLAKE2b makes up to 64 bytes");
    };
    let mut buffer = LazyBuffer::default();
    for part in parts {
        buffer.digest_blocks(part, |blocks| hash.update_blocks(blocks));
    }
    let mut whole = Output::<Blake2bVarCore>::default();
    hash.finalize_variable_core(&mut buffer, &mut whole);
    into.copy_from_slice(&whole[..into.len()]);
    whole.as_mut_slice().zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        let digits = |byte: &u8| {
            [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        };
        bytes.iter().flat_map(digits).collect()
    }

    /// RFC 7693, appendix A.
    #[test]
    fn blake2b_of_abc() {
        let mut digest = [0; LONGEST];
        short(&[b"a", b"", b"bc"], &mut digest);
        assert_eq!(
            hex(&digest),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
             7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
        );
    }

    /// RFC 9106, section 5.3, "Pre-hashing digest".
    #[test]
    fn the_seed_of_rfc_9106s_example() {
        let params = Params::new(32, 3, 4).expect("in bounds");
        let input = Input {
            password: &[1; 32],
            salt: &[2; 16],
            secret: &[3; 8],
            associated_data: &[4; 12],
        };
        let seed = Seed::new(&params, &input, 32).expect("short");
        assert_eq!(
            hex(seed.0.as_slice()),
            "2889de487eb42ae500c0007ed9252f1069eadec40d5765b485de6dc2437a67b8\
             546a2f0acc1a0882db8fcf74714b472e94df421a5da1112ffa11434370a1e997"
        );
    }
}
