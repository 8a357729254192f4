//! A block of the file: the size of a page, with a check of its own, so that a look reads one and can rely on it.

use aws_lc_rs::digest::{Context, SHA256};

use super::KEPT_BITS;
use super::bits::{Reader, Writer, rest_for};

/// Its size in bytes.
pub(super) const BLOCK: usize = 4096;
/// The check: so many bytes of SHA-256 of the block's number and of all that follows.
const CHECK: usize = 8;
/// Where the first value is; then the number of values, the bits of the remainders, and the gaps.
const FIRST: usize = CHECK;
const COUNT: usize = FIRST + 8;
const REST: usize = COUNT + 2;
const GAPS: usize = REST + 1;

/// A block that was read and found whole.
pub(super) struct Block(Box<[u8; BLOCK]>);

impl Block {
    /// The block with this number; `None` when it is not what was written there.
    pub(super) fn read(bytes: Box<[u8; BLOCK]>, number: u64) -> Option<Self> {
        let is_whole =
            check(&bytes, number) == bytes[..CHECK] && u32::from(bytes[REST]) <= KEPT_BITS;
        is_whole.then_some(Self(bytes))
    }

    /// Its first value.
    pub(super) fn first(&self) -> u64 {
        super::number(&self.0[FIRST..COUNT])
    }

    /// How many values it has.
    pub(super) fn count(&self) -> u64 {
        super::number(&self.0[COUNT..REST])
    }

    /// Whether it has this one.
    pub(super) fn holds(&self, wanted: u64) -> bool {
        self.values()
            .take_while(|value| *value <= wanted)
            .any(|value| value == wanted)
    }

    /// Its values, ascending.
    fn values(&self) -> impl Iterator<Item = u64> {
        let mut gaps = Reader::new(&self.0[GAPS..]);
        let (mut value, rest) = (self.first(), u32::from(self.0[REST]));
        (0..self.count()).map_while(move |at| {
            if at > 0 {
                // Of two that follow one another the second is higher, so a gap counts from there.
                value = gaps.gap(rest)?.checked_add(value)?.checked_add(1)?;
            }
            Some(value)
        })
    }
}

/// A block that is being written.
pub(super) struct Draft {
    bytes: Box<[u8; BLOCK]>,
    first: u64,
    last: u64,
    count: u16,
    rest: u32,
    /// Where the next gap goes, in bits.
    at: usize,
}

impl Draft {
    /// One that begins with `first`, for gaps that suit remainders of `rest` bits.
    pub(super) fn new(first: u64, rest: u32) -> Self {
        Self {
            bytes: Box::new([0; BLOCK]),
            first,
            last: first,
            count: 1,
            rest,
            at: GAPS * 8,
        }
    }

    /// Its first value.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Its last value so far.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Adds a value above the last one; `false` when it is full.
    pub(super) fn push(&mut self, value: u64) -> bool {
        let gap = value - self.last - 1;
        let Some(at) = Writer::new(&mut self.bytes[..], self.at).gap(gap, self.rest) else {
            return false;
        };
        (self.at, self.last, self.count) = (at, value, self.count + 1);
        true
    }

    /// Which remainders suit the gaps that it got, for the next one.
    pub(super) fn rest_for_next(&self) -> u32 {
        match u64::from(self.count) - 1 {
            0 => self.rest,
            gaps => rest_for((self.last - self.first) / gaps).min(KEPT_BITS),
        }
    }

    /// The block, with its number.
    pub(super) fn seal(mut self, number: u64) -> Box<[u8; BLOCK]> {
        self.bytes[FIRST..COUNT].copy_from_slice(&self.first.to_be_bytes());
        self.bytes[COUNT..REST].copy_from_slice(&self.count.to_be_bytes());
        self.bytes[REST] = self.rest.to_be_bytes()[3];
        let check = check(&self.bytes, number);
        self.bytes[..CHECK].copy_from_slice(&check);
        self.bytes
    }
}

fn check(bytes: &[u8; BLOCK], number: u64) -> [u8; CHECK] {
    let mut context = Context::new(&SHA256);
    context.update(&number.to_be_bytes());
    context.update(&bytes[CHECK..]);
    let mut check = [0; CHECK];
    check.copy_from_slice(&context.finish().as_ref()[..CHECK]);
    check
}
