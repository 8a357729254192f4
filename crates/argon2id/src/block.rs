//! A block of memory, and in which order its words lie.

use zeroize::Zeroize;

/// How many words of 64 bits a block has.
pub(crate) const WORDS: usize = 128;

/// One KiB, as sixteen vectors of eight words.
///
/// RFC 9106, section 3.6, sees a block as eight rows of sixteen words and permutes first each row, then each column, a column
/// being two words wide. Here two rows lie side by side, four words of the one and then four of the other: vector `4k + n` is
/// words `4n..4n + 4` of row `2k` followed by those of row `2k + 1`. So the four quarters of two rows are four neighbouring
/// vectors, the four quarters of two columns are every fourth vector, and both are mixed without moving a word from vector to
/// vector.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub(crate) struct Block(pub(crate) [[u64; 8]; 16]);

impl Block {
    pub(crate) const ZERO: Self = Self([[0; 8]; 16]);
    pub(crate) const BYTES: usize = 8 * WORDS;

    pub(crate) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut block = Self::ZERO;
        for (word, bytes) in bytes.as_chunks::<8>().0.iter().enumerate() {
            block.set(word, u64::from_le_bytes(*bytes));
        }
        block
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (word, bytes) in bytes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            *bytes = self.word(word).to_le_bytes();
        }
        bytes
    }

    /// The word that RFC 9106 counts as `word`.
    #[inline(always)]
    pub(crate) fn word(&self, word: usize) -> u64 {
        let (vector, lane) = place(word);
        self.0[vector][lane]
    }

    pub(crate) fn set(&mut self, word: usize, value: u64) {
        let (vector, lane) = place(word);
        self.0[vector][lane] = value;
    }
}

/// In which vector a word lies, and where in it.
#[inline(always)]
fn place(word: usize) -> (usize, usize) {
    let (row, column) = (word / 16 % 8, word % 16);
    (row / 2 * 4 + column / 4, row % 2 * 4 + column % 4)
}

impl Zeroize for Block {
    fn zeroize(&mut self) {
        self.0.as_flattened_mut().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_a_place_of_its_own_and_comes_back_from_it() {
        let mut bytes = [0; Block::BYTES];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from(at * 7 % 251).expect("small");
        }
        assert_eq!(Block::from_bytes(&bytes).to_bytes(), bytes);
        let mut places: Vec<_> = (0..WORDS).map(place).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), WORDS);
        assert_eq!(place(0), (0, 0));
        assert_eq!(place(16), (0, 4));
        assert_eq!(place(127), (15, 7));
    }

    #[test]
    fn a_wiped_block_is_zero() {
        let mut block = Block([[7; 8]; 16]);
        block.zeroize();
        assert_eq!(block.to_bytes(), [0; Block::BYTES]);
    }
}
