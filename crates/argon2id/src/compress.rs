//! The compression function G (RFC 9106, section 3.5), once for all vectors.

use crate::block::Block;
use crate::lanes::Lanes;

/// What a block is computed of, and where to: `OVER` what is there, from the second pass on.
pub(crate) struct Operands<'a> {
    pub(crate) previous: &'a Block,
    pub(crate) reference: &'a Block,
    pub(crate) into: &'a mut Block,
}

/// What lies between the two halves of G: all rows permuted, no column.
pub(crate) type Half<V> = [V; 16];

/// How many groups of rows there are. Side by side none of their steps has to wait for the one before, even where registers do not
/// hold them all.
pub(crate) const ALL: usize = 4;

/// `into` becomes G(`previous`, `reference`).
#[inline(always)]
pub(crate) fn compress<L: Lanes, const GROUPS: usize>(
    on: L,
    previous: &Block,
    reference: &Block,
    into: &mut Block,
) {
    let mut operands = Operands {
        previous,
        reference,
        into,
    };
    let half = rows::<L, GROUPS, false>(on, &mut operands);
    first_columns::<L, GROUPS, false>(on, &half, &mut operands);
    rest_of_columns::<L, GROUPS>(on, &half, into);
}

/// The first half of G, `GROUPS` of rows side by side.
#[inline(always)]
pub(crate) fn rows<L: Lanes, const GROUPS: usize, const OVER: bool>(
    on: L,
    operands: &mut Operands<'_>,
) -> Half<L::Vector> {
    let mut half = [on.load(&operands.previous.0[0]); 16];
    let mut first = 0;
    while first < ALL {
        let mut fours = [[half[0]; GROUPS]; 4];
        for group in 0..GROUPS {
            for (quarter, four) in fours.iter_mut().enumerate() {
                four[group] = operands.sum(on, 4 * (first + group) + quarter);
            }
        }
        if GROUPS < ALL {
            for group in 0..GROUPS {
                for (quarter, four) in fours.iter().enumerate() {
                    operands.keep::<L, OVER>(on, four[group], 4 * (first + group) + quarter);
                }
            }
        }
        permute_rows(on, &mut fours);
        for group in 0..GROUPS {
            for (quarter, four) in fours.iter().enumerate() {
                half[4 * (first + group) + quarter] = four[group];
            }
        }
        first += GROUPS;
    }
    half
}

/// The second half of G, of the first two columns alone: the sooner is the block's first word known.
#[inline(always)]
pub(crate) fn first_columns<L: Lanes, const GROUPS: usize, const OVER: bool>(
    on: L,
    half: &Half<L::Vector>,
    operands: &mut Operands<'_>,
) {
    let mut four = columns::<L, 1>(half, 0);
    let meanwhile = if GROUPS < ALL {
        None
    } else {
        Some(&mut *operands)
    };
    permute_columns::<L, 1, OVER>(on, &mut four, meanwhile);
    add(on, &four, operands.into, 0);
}

/// The same of the other six.
#[inline(always)]
pub(crate) fn rest_of_columns<L: Lanes, const GROUPS: usize>(
    on: L,
    half: &Half<L::Vector>,
    into: &mut Block,
) {
    if GROUPS < ALL {
        for first in 1..4 {
            let mut four = columns::<L, 1>(half, first);
            permute_columns::<L, 1, false>(on, &mut four, None);
            add(on, &four, into, first);
        }
    } else {
        let mut fours = columns::<L, 3>(half, 1);
        permute_columns::<L, 3, false>(on, &mut fours, None);
        add(on, &fours, into, 1);
    }
}

/// Two columns `GROUPS` times, from the group `first` on.
#[inline(always)]
fn columns<L: Lanes, const GROUPS: usize>(
    half: &Half<L::Vector>,
    first: usize,
) -> [[L::Vector; GROUPS]; 4] {
    let mut fours = [[half[0]; GROUPS]; 4];
    for group in 0..GROUPS {
        for (quarter, four) in fours.iter_mut().enumerate() {
            four[group] = half[4 * quarter + first + group];
        }
    }
    fours
}

/// Adds columns to what `into` has.
#[inline(always)]
fn add<L: Lanes, const GROUPS: usize>(
    on: L,
    fours: &[[L::Vector; GROUPS]; 4],
    into: &mut Block,
    first: usize,
) {
    for group in 0..GROUPS {
        for (quarter, four) in fours.iter().enumerate() {
            let there = &mut into.0[4 * quarter + first + group];
            on.store(on.xor(four[group], on.load(there)), there);
        }
    }
}

impl Operands<'_> {
    /// What G permutes: the sum (xor) of the two blocks.
    #[inline(always)]
    fn sum<L: Lanes>(&self, on: L, at: usize) -> L::Vector {
        on.xor(
            on.load(&self.previous.0[at]),
            on.load(&self.reference.0[at]),
        )
    }

    /// Leaves in `into` what the second half of G is to be added to: that sum and, `OVER` what was there, that of both.
    #[inline(always)]
    fn keep<L: Lanes, const OVER: bool>(&mut self, on: L, sum: L::Vector, at: usize) {
        let there = &mut self.into.0[at];
        if OVER {
            on.store(on.xor(sum, on.load(there)), there);
        } else {
            on.store(sum, there);
        }
    }

    /// The same of a column of vectors, where the sum is no longer at hand.
    #[inline(always)]
    fn keep_column<L: Lanes, const OVER: bool>(&mut self, on: L, column: usize) {
        for at in (column..16).step_by(4) {
            let sum = self.sum(on, at);
            self.keep::<L, OVER>(on, sum, at);
        }
    }
}

/// P (RFC 9106, section 3.6) on each of two rows, `GROUPS` times: GB on what stands below each other, and, with the quarters
/// turned against each other, on the diagonals.
#[inline(always)]
fn permute_rows<L: Lanes, const GROUPS: usize>(on: L, fours: &mut [[L::Vector; GROUPS]; 4]) {
    mix(on, fours);
    let [a, _, c, d] = fours;
    for group in 0..GROUPS {
        a[group] = on.turn_rows::<3>(a[group]);
        c[group] = on.turn_rows::<1>(c[group]);
        d[group] = on.turn_rows::<2>(d[group]);
    }
    mix(on, fours);
    let [a, _, c, d] = fours;
    for group in 0..GROUPS {
        a[group] = on.turn_rows::<1>(a[group]);
        c[group] = on.turn_rows::<3>(c[group]);
        d[group] = on.turn_rows::<2>(d[group]);
    }
}

/// The same of columns. The steps of a single group wait for each other; `meanwhile` what all columns are to be added to is brought
/// where it is kept, if it is not there yet.
#[inline(always)]
fn permute_columns<L: Lanes, const GROUPS: usize, const OVER: bool>(
    on: L,
    fours: &mut [[L::Vector; GROUPS]; 4],
    mut meanwhile: Option<&mut Operands<'_>>,
) {
    let [a, b, c, d] = fours;
    half_mix::<L, GROUPS, 32, 24>(on, a, b, c, d);
    if let Some(operands) = &mut meanwhile {
        operands.keep_column::<L, OVER>(on, 0);
    }
    half_mix::<L, GROUPS, 16, 63>(on, a, b, c, d);
    for group in 0..GROUPS {
        a[group] = on.turn_columns::<3>(a[group]);
        c[group] = on.turn_columns::<1>(c[group]);
        d[group] = on.turn_columns::<2>(d[group]);
    }
    if let Some(operands) = &mut meanwhile {
        operands.keep_column::<L, OVER>(on, 1);
    }
    half_mix::<L, GROUPS, 32, 24>(on, a, b, c, d);
    if let Some(operands) = &mut meanwhile {
        operands.keep_column::<L, OVER>(on, 2);
    }
    half_mix::<L, GROUPS, 16, 63>(on, a, b, c, d);
    for group in 0..GROUPS {
        a[group] = on.turn_columns::<1>(a[group]);
        c[group] = on.turn_columns::<3>(c[group]);
        d[group] = on.turn_columns::<2>(d[group]);
    }
    if let Some(operands) = &mut meanwhile {
        operands.keep_column::<L, OVER>(on, 3);
    }
}

/// GB (RFC 9106, section 3.6), step by step for all groups.
#[inline(always)]
fn mix<L: Lanes, const GROUPS: usize>(on: L, [a, b, c, d]: &mut [[L::Vector; GROUPS]; 4]) {
    half_mix::<L, GROUPS, 32, 24>(on, a, b, c, d);
    half_mix::<L, GROUPS, 16, 63>(on, a, b, c, d);
}

#[inline(always)]
fn half_mix<L: Lanes, const GROUPS: usize, const D: i32, const B: i32>(
    on: L,
    a: &mut [L::Vector; GROUPS],
    b: &mut [L::Vector; GROUPS],
    c: &mut [L::Vector; GROUPS],
    d: &mut [L::Vector; GROUPS],
) {
    for group in 0..GROUPS {
        a[group] = on.add(a[group], b[group]);
    }
    for group in 0..GROUPS {
        d[group] = on.rotate::<D>(on.xor(d[group], a[group]));
    }
    for group in 0..GROUPS {
        c[group] = on.add(c[group], d[group]);
    }
    for group in 0..GROUPS {
        b[group] = on.rotate::<B>(on.xor(b[group], c[group]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fill::{self, Fill};
    use crate::kernel::Kernel;
    use crate::lanes::Words;
    use crate::params::Params;

    /// Bytes of no pattern.
    fn some(seed: u8) -> Block {
        let mut bytes = [0; Block::BYTES];
        crate::digest::long(1024, &[&[seed]], &mut bytes);
        Block::from_bytes(&bytes)
    }

    /// G as RFC 9106, section 3.5, has it, word by word.
    fn by_the_book(x: &Block, y: &Block) -> Block {
        let r: Vec<u64> = (0..128).map(|at| x.word(at) ^ y.word(at)).collect();
        let mut z = r.clone();
        for row in 0..8 {
            permute(&mut z, std::array::from_fn(|at| 16 * row + at));
        }
        for column in 0..8 {
            permute(
                &mut z,
                std::array::from_fn(|at| 16 * (at / 2) + 2 * column + at % 2),
            );
        }
        let mut block = Block::ZERO;
        for at in 0..128 {
            block.set(at, z[at] ^ r[at]);
        }
        block
    }

    /// P (section 3.6) on the words at these places.
    fn permute(z: &mut [u64], v: [usize; 16]) {
        for [a, b, c, d] in [
            [0, 4, 8, 12],
            [1, 5, 9, 13],
            [2, 6, 10, 14],
            [3, 7, 11, 15],
            [0, 5, 10, 15],
            [1, 6, 11, 12],
            [2, 7, 8, 13],
            [3, 4, 9, 14],
        ] {
            let [a, b, c, d] = [v[a], v[b], v[c], v[d]];
            for (right_d, right_b) in [(32, 24), (16, 63)] {
                z[a] = blamka(z[a], z[b]);
                z[d] = (z[d] ^ z[a]).rotate_right(right_d);
                z[c] = blamka(z[c], z[d]);
                z[b] = (z[b] ^ z[c]).rotate_right(right_b);
            }
        }
    }

    fn blamka(a: u64, b: u64) -> u64 {
        let product = (a & 0xffff_ffff) * (b & 0xffff_ffff);
        a.wrapping_add(b).wrapping_add(product.wrapping_mul(2))
    }

    #[test]
    fn blocks_are_compressed_by_the_book() {
        for seed in 0..20 {
            let (x, y) = (some(seed), some(seed + 100));
            let expected = by_the_book(&x, &y).to_bytes();
            for kernel in Kernel::available() {
                let mut z = some(1);
                kernel.compress(&x, &y, &mut z);
                assert_eq!(z.to_bytes(), expected, "{kernel:?}");
            }
        }
    }

    /// As the kernel is compiled for words and for vectors, and in between, on what every processor has: the tag, too, and that of
    /// two side by side.
    #[test]
    fn groups_side_by_side_compute_the_same() {
        check::<1>();
        check::<2>();
        check::<ALL>();
    }

    fn check<const GROUPS: usize>() {
        let (x, y) = (some(3), some(4));
        let mut z = some(5);
        compress::<_, GROUPS>(Words, &x, &y, &mut z);
        assert_eq!(z.to_bytes(), by_the_book(&x, &y).to_bytes());

        let expected = last_blocks(|one, other| {
            Kernel::PORTABLE.fill(one);
            Kernel::PORTABLE.fill(other);
        });
        let apart = last_blocks(|one, other| {
            fill::one::<_, GROUPS>(Words, one);
            fill::one::<_, GROUPS>(Words, other);
        });
        let side_by_side = last_blocks(|one, other| fill::two::<_, GROUPS>(Words, one, other));
        let turned_round = last_blocks(|one, other| fill::two::<_, GROUPS>(Words, other, one));
        assert_eq!([apart, side_by_side, turned_round], [expected; 3]);
    }

    /// What the tags of two hashes would be made of.
    fn last_blocks(
        fill: impl for<'m> FnOnce(&mut Fill<'m>, &mut Fill<'m>),
    ) -> [[u8; Block::BYTES]; 2] {
        let params =
            [(140, 2, 1), (64, 3, 2)].map(|(m, t, p)| Params::new(m, t, p).expect("in bounds"));
        let mut memory = params.map(|params| filled(params.blocks()));
        let [one, other] = &mut memory;
        let mut one = Fill::new(&params[0], one, Kernel::PORTABLE, || {});
        let mut other = Fill::new(&params[1], other, Kernel::PORTABLE, || {});
        fill(&mut one, &mut other);
        [one.last().to_bytes(), other.last().to_bytes()]
    }

    fn filled(blocks: u32) -> Vec<Block> {
        (0..blocks).map(|at| some(at.to_le_bytes()[0])).collect()
    }
}
