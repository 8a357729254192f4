//! What a kernel asks of vectors, and the vectors of a processor that has none.

/// Operations on vectors of eight words, which are two rows of four (see [`Block`](crate::block::Block)).
///
/// A value of an implementation is a proof that this processor has its instructions. All is to be inlined into a function
/// that was compiled for them; [`Kernel`](crate::Kernel) names those.
pub(crate) trait Lanes: Copy {
    type Vector: Copy;

    fn load(self, words: &[u64; 8]) -> Self::Vector;

    fn store(self, vector: Self::Vector, words: &mut [u64; 8]);

    fn xor(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// `a + b + 2 * a' * b'` modulo 2^64, where `a'` and `b'` are the lower halves: BlaMka's addition (RFC 9106, section 3.6).
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// Each word rotated to the right by 16, 24, 32 or 63 bits.
    fn rotate<const BITS: i32>(self, a: Self::Vector) -> Self::Vector;

    /// Each row of four turned to the left by 1, 2 or 3 words.
    fn turn_rows<const BY: usize>(self, a: Self::Vector) -> Self::Vector;

    /// The same of the two columns of four: words 0, 1, 4, 5 and words 2, 3, 6, 7.
    fn turn_columns<const BY: usize>(self, a: Self::Vector) -> Self::Vector;

    /// Has memory brought nearer that will be read soon.
    fn prefetch(self, words: &[u64; 8]);
}

/// Vectors in terms of words. Compilers make of it what the target has.
#[derive(Clone, Copy)]
pub(crate) struct Words;

const ROWS: [[usize; 4]; 2] = [[0, 1, 2, 3], [4, 5, 6, 7]];
const COLUMNS: [[usize; 4]; 2] = [[0, 1, 4, 5], [2, 3, 6, 7]];

#[inline(always)]
fn turn<const BY: usize>(a: [u64; 8], fours: [[usize; 4]; 2]) -> [u64; 8] {
    let mut turned = a;
    for four in fours {
        for at in 0..4 {
            turned[four[at]] = a[four[(at + BY) % 4]];
        }
    }
    turned
}

impl Lanes for Words {
    type Vector = [u64; 8];

    #[inline(always)]
    fn load(self, words: &[u64; 8]) -> [u64; 8] {
        *words
    }

    #[inline(always)]
    fn store(self, vector: [u64; 8], words: &mut [u64; 8]) {
        *words = vector;
    }

    #[inline(always)]
    fn xor(self, mut a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        for (a, b) in a.iter_mut().zip(b) {
            *a ^= b;
        }
        a
    }

    #[inline(always)]
    fn add(self, mut a: [u64; 8], b: [u64; 8]) -> [u64; 8] {
        const LOW: u64 = u32::MAX as u64;
        for (a, b) in a.iter_mut().zip(b) {
            let product = (*a & LOW) * (b & LOW);
            *a = a
                .wrapping_add(b)
                .wrapping_add(product)
                .wrapping_add(product);
        }
        a
    }

    #[inline(always)]
    fn rotate<const BITS: i32>(self, a: [u64; 8]) -> [u64; 8] {
        a.map(|word| word.rotate_right(BITS.unsigned_abs()))
    }

    #[inline(always)]
    fn turn_rows<const BY: usize>(self, a: [u64; 8]) -> [u64; 8] {
        turn::<BY>(a, ROWS)
    }

    #[inline(always)]
    fn turn_columns<const BY: usize>(self, a: [u64; 8]) -> [u64; 8] {
        turn::<BY>(a, COLUMNS)
    }

    #[inline(always)]
    fn prefetch(self, _: &[u64; 8]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of no pattern.
    fn some(seed: u64) -> [u64; 8] {
        let mut state = seed;
        std::array::from_fn(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        })
    }

    /// What each operation makes of two vectors.
    #[inline(always)]
    fn results<L: Lanes>(on: L, a: &[u64; 8], b: &[u64; 8]) -> [[u64; 8]; 12] {
        let (a, b) = (on.load(a), on.load(b));
        on.prefetch(&some(0));
        let vectors = [
            a,
            on.xor(a, b),
            on.add(a, b),
            on.rotate::<16>(a),
            on.rotate::<24>(a),
            on.rotate::<32>(a),
            on.rotate::<63>(a),
            on.turn_rows::<1>(a),
            on.turn_rows::<2>(a),
            on.turn_rows::<3>(a),
            on.turn_columns::<1>(a),
            on.turn_columns::<3>(on.turn_columns::<2>(on.turn_columns::<2>(a))),
        ];
        let mut words = [[0; 8]; 12];
        for (vector, words) in vectors.into_iter().zip(&mut words) {
            on.store(vector, words);
        }
        words
    }

    #[test]
    fn words_turn_by_rows_and_by_columns() {
        let a = [0, 1, 2, 3, 4, 5, 6, 7];
        assert_eq!(Words.turn_rows::<1>(a), [1, 2, 3, 0, 5, 6, 7, 4]);
        assert_eq!(Words.turn_columns::<1>(a), [1, 4, 3, 6, 5, 0, 7, 2]);
        assert_eq!(Words.turn_columns::<2>(a), [4, 5, 6, 7, 0, 1, 2, 3]);
        assert_eq!(Words.turn_columns::<3>(a), [5, 0, 7, 2, 1, 4, 3, 6]);
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn vectors_compute_what_words_do() {
        use crate::machine::{Avx2, Avx512};

        for round in 0..100 {
            let (a, b) = (some(round), some(round + 1000));
            let expected = results(Words, &a, &b);
            if let Some(on) = Avx2::detect() {
                assert_eq!(results(on, &a, &b), expected);
            }
            if let Some(on) = Avx512::detect() {
                assert_eq!(results(on, &a, &b), expected);
            }
        }
    }
}
