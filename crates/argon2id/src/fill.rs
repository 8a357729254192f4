//! The blocks of a hash, computed one after the other (RFC 9106, section 3.2, steps 3 to 6).

use std::mem;

use crate::block::{Block, WORDS};
use crate::compress::{self, Operands};
use crate::digest::ARGON2ID;
use crate::kernel::Kernel;
use crate::lanes::Lanes;
use crate::params::Params;

/// How many slices a pass has; between two of them lanes may refer to each other anew.
const SLICES: usize = 4;

/// How many blocks are computed between two pauses: the work of about half a millisecond.
pub(crate) const BETWEEN_PAUSES: usize = 4096;

/// How far the filling of a memory has come. The first two blocks of each lane are there from the beginning.
pub(crate) struct Fill<'m> {
    blocks: &'m mut [Block],
    passes: usize,
    lanes: usize,
    /// Blocks of a lane in a slice, and in all.
    segment_length: usize,
    lane_length: usize,

    // Which segment is being filled.
    pass: usize,
    slice: usize,
    lane: usize,
    /// Where the block that is next lies in its segment, and where the one lies before which there is more to do than a step.
    index: usize,
    page_end: usize,
    /// How many blocks to open pages for before `pause` is called.
    before_pause: usize,
    pause: fn(),

    // Where in memory it lies, the one before it, and the one that it refers to.
    at: usize,
    previous: usize,
    reference: usize,

    kernel: Kernel,
    addresses: Addresses,
}

/// Where blocks refer to while that must not depend on the password.
struct Addresses {
    /// Of this segment, and counted up for each 128 blocks of it.
    input: Block,
    counter: u64,
    /// For this block and those around it.
    words: Block,
}

impl<'m> Fill<'m> {
    /// Of `blocks`, as many as `params` have.
    pub(crate) fn new(
        params: &Params,
        blocks: &'m mut [Block],
        kernel: Kernel,
        pause: fn(),
    ) -> Self {
        let lanes = params.lanes as usize;
        let lane_length = blocks.len() / lanes;
        let mut input = Block::ZERO;
        input.set(3, u64::from(params.blocks()));
        input.set(4, u64::from(params.passes));
        input.set(5, u64::from(ARGON2ID));
        let mut fill = Self {
            blocks,
            passes: params.passes as usize,
            lanes,
            segment_length: lane_length / SLICES,
            lane_length,
            pass: 0,
            slice: 0,
            lane: 0,
            index: 0,
            page_end: 0,
            before_pause: BETWEEN_PAUSES,
            pause,
            at: 0,
            previous: 0,
            reference: 0,
            kernel,
            addresses: Addresses {
                input,
                counter: 0,
                words: Block::ZERO,
            },
        };
        fill.begin_segment();
        // The smallest segments are full with their lane's first two blocks.
        fill.end_segment();
        fill.open_page();
        fill
    }

    fn is_done(&self) -> bool {
        self.pass == self.passes
    }

    /// In the first half of the first pass.
    #[inline(always)]
    fn is_independent(&self) -> bool {
        self.pass == 0 && self.slice < SLICES / 2
    }

    fn begin_segment(&mut self) {
        let start = self.lane * self.lane_length;
        let is_first = self.pass == 0 && self.slice == 0;
        self.index = if is_first { 2 } else { 0 };
        self.at = start + self.slice * self.segment_length + self.index;
        self.previous = if self.at == start {
            start + self.lane_length - 1
        } else {
            self.at - 1
        };
        self.addresses.input.set(0, self.pass as u64);
        self.addresses.input.set(1, self.lane as u64);
        self.addresses.input.set(2, self.slice as u64);
        self.addresses.counter = 0;
        if is_first {
            // Those of its blocks 0 and 1 are among them, and not used.
            self.next_addresses();
        }
    }

    /// Goes on to the next segment that has a block left to compute, if any.
    #[cold]
    fn end_segment(&mut self) {
        while !self.is_done() && self.index == self.segment_length {
            self.lane += 1;
            if self.lane == self.lanes {
                self.lane = 0;
                self.slice += 1;
            }
            if self.slice == SLICES {
                self.slice = 0;
                self.pass += 1;
            }
            self.begin_segment();
        }
    }

    #[cold]
    fn next_addresses(&mut self) {
        let addresses = &mut self.addresses;
        addresses.counter += 1;
        addresses.input.set(6, addresses.counter);
        let mut between = Block::ZERO;
        self.kernel
            .compress(&Block::ZERO, &addresses.input, &mut between);
        self.kernel
            .compress(&Block::ZERO, &between, &mut addresses.words);
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.previous = self.at;
        self.at += 1;
        self.index += 1;
    }

    /// Goes on to the next block, if any, where that is more than a step. Apart from [`Fill::step`], which would otherwise have to
    /// clear its registers for what is called here.
    #[cold]
    #[inline(never)]
    fn turn_page(&mut self) {
        self.advance();
        if self.index == self.segment_length {
            self.end_segment();
        }
        if self.is_done() {
            return;
        }
        if self.before_pause == 0 {
            (self.pause)();
            self.before_pause = BETWEEN_PAUSES;
        }
        self.open_page();
    }

    /// A page ends with its segment, where other addresses are needed, or at the next pause.
    fn open_page(&mut self) {
        let mut blocks = self.before_pause.min(self.segment_length - self.index);
        if self.is_independent() {
            let place = self.index % WORDS;
            if place == 0 {
                self.next_addresses();
            }
            blocks = blocks.min(WORDS - place);
        }
        self.before_pause -= blocks;
        self.page_end = self.index + blocks;
        self.refer();
    }

    /// Finds out which block the next refers to (RFC 9106, section 3.4). Needs its address, or the first word of the one before
    /// it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is cast is less than the number of lanes, or of blocks"
    )]
    #[inline(always)]
    fn refer(&mut self) {
        let word = if self.is_independent() {
            self.addresses.words.word(self.index % WORDS)
        } else {
            self.blocks[self.previous].word(0)
        };
        let (j1, j2) = (word & u64::from(u32::MAX), word >> 32);
        let lane = if self.lanes == 1 || (self.pass == 0 && self.slice == 0) {
            self.lane
        } else {
            (j2 % self.lanes as u64) as usize
        };
        let whole_segments = if self.pass == 0 {
            self.slice * self.segment_length
        } else {
            self.lane_length - self.segment_length
        };
        let area = if lane == self.lane {
            whole_segments + self.index - 1
        } else {
            whole_segments - usize::from(self.index == 0)
        };
        let distance = ((area as u64 * ((j1 * j1) >> 32)) >> 32) as usize;
        let start = if self.pass == 0 || self.slice == SLICES - 1 {
            0
        } else {
            (self.slice + 1) * self.segment_length
        };
        let mut place = start + area - 1 - distance;
        if place >= self.lane_length {
            place -= self.lane_length;
        }
        self.reference = lane * self.lane_length + place;
    }

    /// Computes the next block, in the first pass or `OVER` the one before. As soon as its first word is known, and before the rest
    /// of it is, the block after it asks for what it refers to, so that memory answers meanwhile.
    #[inline(always)]
    fn step<L: Lanes, const GROUPS: usize, const OVER: bool>(&mut self, on: L) {
        let at = self.at;
        let Ok([previous, reference, into]) =
            self.blocks
                .get_disjoint_mut([self.previous, self.reference, at])
        else {
            unreachable!("a block refers to one before it");
        };
        let mut operands = Operands {
            previous,
            reference,
            into,
        };
        let half = compress::rows::<L, GROUPS, OVER>(on, &mut operands);
        compress::first_columns::<L, GROUPS, OVER>(on, &half, &mut operands);
        let is_same_page = self.index + 1 < self.page_end;
        if is_same_page {
            self.advance();
            self.refer();
            self.prefetch(on);
        }
        compress::rest_of_columns::<L, GROUPS>(on, &half, &mut self.blocks[at]);
        if !is_same_page {
            self.turn_page();
            self.prefetch(on);
        }
    }

    #[inline(always)]
    fn prefetch<L: Lanes>(&self, on: L) {
        for words in &self.blocks[self.reference].0 {
            on.prefetch(words);
        }
    }

    /// What the tag is made of: the sum (xor) of the lanes' last blocks.
    pub(crate) fn last(&self) -> Block {
        let mut sum = Block::ZERO;
        for lane in self.blocks.chunks_exact(self.lane_length) {
            let last = &lane[self.lane_length - 1];
            for (sum, word) in sum
                .0
                .as_flattened_mut()
                .iter_mut()
                .zip(last.0.as_flattened())
            {
                *sum ^= word;
            }
        }
        sum
    }
}

/// Computes all blocks of `fill`.
#[inline(always)]
pub(crate) fn one<L: Lanes, const GROUPS: usize>(on: L, fill: &mut Fill<'_>) {
    // Twice the code, but at any time one of the two: where processors keep decoded instructions there is room for one.
    while fill.pass == 0 {
        fill.step::<L, GROUPS, false>(on);
    }
    while !fill.is_done() {
        fill.step::<L, GROUPS, true>(on);
    }
}

/// Computes all blocks of both, in turn for as long as both have some: while memory answers the one, the other computes.
#[inline(always)]
pub(crate) fn two<'a, 'm, L: Lanes, const GROUPS: usize>(
    on: L,
    mut one: &'a mut Fill<'m>,
    mut other: &'a mut Fill<'m>,
) {
    while !one.is_done() {
        if one.pass == 0 {
            one.step::<L, GROUPS, false>(on);
        } else {
            one.step::<L, GROUPS, true>(on);
        }
        if !other.is_done() {
            // Rather than a second copy of all that, for the other: the two would not fit where processors keep decoded
            // instructions.
            mem::swap(&mut one, &mut other);
        }
    }
}
