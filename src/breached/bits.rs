//! Gaps between sorted numbers, written as Rice codes (Golomb's with a power of two): the quotient in ones, a zero, the
//! remainder in bits. A quotient that is far too long is followed by the whole gap instead, so that no gap costs much.

use super::KEPT_BITS;

/// A quotient of so many ones has no end: the gap itself follows.
const ESCAPE: u32 = 32;

/// The quotient of a gap whose remainder has `rest` bits; `None` when it is far too long.
fn quotient(gap: u64, rest: u32) -> Option<u32> {
    let quotient = u32::try_from(gap >> rest).ok()?;
    (quotient < ESCAPE).then_some(quotient)
}

/// The bits of remainders that suit gaps of this mean, of numbers that are spread by chance: 2 to their power is near the
/// mean times ln 2, the median.
pub(super) fn rest_for(mean: u64) -> u32 {
    (mean.saturating_mul(69) / 100)
        .max(1)
        .next_power_of_two()
        .ilog2()
}

/// Bits to be written, into a place of fixed size.
pub(super) struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    /// Writes behind the first `at` bits.
    pub(super) fn new(bytes: &'a mut [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Writes a gap of less than 2^51; `None` when there is no room for it. Answers where the next one goes.
    pub(super) fn gap(mut self, gap: u64, rest: u32) -> Option<usize> {
        let quotient = quotient(gap, rest);
        let width = quotient.map_or(ESCAPE + KEPT_BITS, |quotient| quotient + 1 + rest);
        if self.at + width as usize > self.bytes.len() * 8 {
            return None;
        }
        if let Some(quotient) = quotient {
            self.bits(u64::MAX, quotient);
            self.bits(0, 1);
            self.bits(gap, rest);
        } else {
            self.bits(u64::MAX, ESCAPE);
            self.bits(gap, KEPT_BITS);
        }
        Some(self.at)
    }

    /// Writes the last `count` bits of a number, the highest first.
    fn bits(&mut self, number: u64, count: u32) {
        for bit in (0..count).rev() {
            self.bytes[self.at / 8] |= ((number >> bit & 1) as u8) << (7 - self.at % 8);
            self.at += 1;
        }
    }
}

/// Bits to be read.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next gap; `None` where the bits end.
    pub(super) fn gap(&mut self, rest: u32) -> Option<u64> {
        let mut quotient = 0;
        while quotient < u64::from(ESCAPE) && self.bits(1)? == 1 {
            quotient += 1;
        }
        if quotient == u64::from(ESCAPE) {
            return self.bits(KEPT_BITS);
        }
        Some(quotient << rest | self.bits(rest)?)
    }

    fn bits(&mut self, count: u32) -> Option<u64> {
        (0..count).try_fold(0, |number, _| {
            let byte = *self.bytes.get(self.at / 8)?;
            let bit = byte >> (7 - self.at % 8) & 1;
            self.at += 1;
            Some(number << 1 | u64::from(bit))
        })
    }
}
