//! What only this machine can say: its vector instructions, and how it keeps memory. All that is unsafe is here.
//!
//! The instructions of one extension are implemented on a proof that the processor has it, a value that only `detect` makes.
//! That is the reason for each `unsafe` about them: who has the value may run them.

pub(crate) use memory::Memory;

#[cfg(target_os = "linux")]
mod memory {
    use std::ffi::c_void;
    use std::ops::{Deref, DerefMut};
    use std::ptr::{NonNull, null_mut};
    use std::slice;

    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

    use crate::block::Block;

    /// What x86-64 has, and ARM where pages are of 4 KiB.
    const HUGE_PAGE: usize = 2 * 1024 * 1024;

    /// Blocks on huge pages, of which a hash touches ten instead of five thousand. A system that has none keeps them on others.
    pub(crate) struct Memory {
        blocks: NonNull<Block>,
        count: usize,
        /// What was mapped to hold them; nothing, for none.
        mapped: *mut c_void,
        length: usize,
    }

    // SAFETY: it is the one owner of what it mapped, as a vector is, and has nothing to do with the thread that mapped it. Who
    // shares it can only read.
    unsafe impl Send for Memory {}
    // SAFETY: as above.
    unsafe impl Sync for Memory {}

    impl Memory {
        /// No block at all.
        pub(crate) const NONE: Self = Self {
            blocks: NonNull::dangling(),
            count: 0,
            mapped: null_mut(),
            length: 0,
        };

        /// Blocks of zeros, from the beginning of a page of any size on; `None` where the system has no room for them.
        pub(crate) fn zeroed(count: usize) -> Option<Self> {
            let bytes = count.checked_mul(size_of::<Block>())?;
            let length = bytes.checked_add(HUGE_PAGE)?;
            let (access, kind) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
            // SAFETY: the system chooses a place that nothing else has.
            let mapped = unsafe { mmap_anonymous(null_mut(), length, access, kind) }.ok()?;
            let start = mapped.wrapping_byte_add(mapped.cast::<u8>().align_offset(HUGE_PAGE));
            // A system without huge pages says so, and nothing is lost.
            //
            // SAFETY: this is within what was mapped, and the advice changes what holds it, never what it holds.
            let _ = unsafe { madvise(start, bytes / HUGE_PAGE * HUGE_PAGE, Advice::LinuxHugepage) };
            Some(Self {
                blocks: NonNull::new(start)?.cast(),
                count,
                mapped,
                length,
            })
        }
    }

    impl Deref for Memory {
        type Target = [Block];

        fn deref(&self) -> &[Block] {
            // SAFETY: there are so many, aligned to more than a block is, in memory that is mapped for as long as this is; they
            // were zeros from the beginning, and any bytes are a block.
            unsafe { slice::from_raw_parts(self.blocks.as_ptr(), self.count) }
        }
    }

    impl DerefMut for Memory {
        fn deref_mut(&mut self) -> &mut [Block] {
            // SAFETY: as above; and who changes them has borrowed the one owner.
            unsafe { slice::from_raw_parts_mut(self.blocks.as_ptr(), self.count) }
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            if self.length > 0 {
                // SAFETY: all of that is this one's, and nobody has borrowed it any more.
                let _ = unsafe { munmap(self.mapped, self.length) };
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn it_is_zeros_from_the_beginning_of_a_huge_page_on() {
            let mut memory = Memory::zeroed(3000).expect("there is room");
            assert_eq!(memory.len(), 3000);
            assert_eq!(memory.as_ptr().addr() % HUGE_PAGE, 0);
            assert!(memory.iter().all(|block| block.to_bytes() == [0; 1024]));
            memory.fill(Block([[7; 8]; 16]));
            assert_eq!(memory[2999].word(0), 7);
        }

        #[test]
        fn none_takes_no_room_and_what_is_too_much_is_refused() {
            assert!(Memory::NONE.is_empty());
            assert!(Memory::zeroed(usize::MAX / 2).is_none());
            assert!(Memory::zeroed(usize::MAX / Block::BYTES - HUGE_PAGE).is_none());
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod memory {
    use std::ops::{Deref, DerefMut};

    use crate::block::Block;

    /// Blocks wherever the system has room for them.
    pub(crate) struct Memory(Vec<Block>);

    impl Memory {
        /// No block at all.
        pub(crate) const NONE: Self = Self(Vec::new());

        /// Blocks of zeros; `None` where the system has no room for them.
        pub(crate) fn zeroed(count: usize) -> Option<Self> {
            let mut blocks = Vec::new();
            blocks.try_reserve_exact(count).ok()?;
            blocks.resize(count, Block::ZERO);
            Some(Self(blocks))
        }
    }

    impl Deref for Memory {
        type Target = [Block];

        fn deref(&self) -> &[Block] {
            &self.0
        }
    }

    impl DerefMut for Memory {
        fn deref_mut(&mut self) -> &mut [Block] {
            &mut self.0
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use crate::block::Block;
    use crate::compress::{self, ALL};
    use crate::fill::{self, Fill};
    use crate::kernel::Entries;
    use crate::lanes::Lanes;

    /// A proof of AVX2.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(());

    /// A proof of AVX-512F.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(());

    impl Avx2 {
        pub(crate) fn detect() -> Option<Self> {
            is_x86_feature_detected!("avx2").then_some(Self(()))
        }
    }

    impl Avx512 {
        pub(crate) fn detect() -> Option<Self> {
            is_x86_feature_detected!("avx512f").then_some(Self(()))
        }
    }

    /// Runs instructions of the extension that `$proof` proves.
    macro_rules! proven {
        ($proof:expr, $instructions:expr) => {{
            let _ = $proof;
            // SAFETY: the value exists, so the processor has these instructions. Those that take a pointer take one to a whole
            // vector, made from a reference to it.
            unsafe { $instructions }
        }};
    }

    /// Compiles the kernel for an extension: its functions are inlined into these and use their instructions.
    macro_rules! entries {
        ($proof:ty, $feature:literal) => {
            impl Entries for $proof {
                fn compress(self, previous: &Block, reference: &Block, into: &mut Block) {
                    #[target_feature(enable = $feature)]
                    fn compiled(on: $proof, previous: &Block, reference: &Block, into: &mut Block) {
                        compress::compress::<_, ALL>(on, previous, reference, into);
                    }
                    proven!(self, compiled(self, previous, reference, into));
                }

                fn fill(self, one: &mut Fill<'_>) {
                    #[target_feature(enable = $feature)]
                    fn compiled(on: $proof, one: &mut Fill<'_>) {
                        fill::one::<_, ALL>(on, one);
                    }
                    proven!(self, compiled(self, one));
                }

                fn fill_two<'m>(self, one: &mut Fill<'m>, other: &mut Fill<'m>) {
                    #[target_feature(enable = $feature)]
                    fn compiled<'m>(on: $proof, one: &mut Fill<'m>, other: &mut Fill<'m>) {
                        fill::two::<_, ALL>(on, one, other);
                    }
                    proven!(self, compiled(self, one, other));
                }
            }
        };
    }

    entries!(Avx2, "avx2");
    entries!(Avx512, "avx512f");

    /// Whole bytes are moved; AVX2 has no rotation of its own for the rest.
    macro_rules! rotate_row {
        ($bits:expr, $row:expr) => {{
            let row = $row;
            match $bits {
                16 => {
                    _mm256_shuffle_epi8(row, _mm256_loadu_si256((&raw const BY_TWO_BYTES).cast()))
                }
                24 => {
                    _mm256_shuffle_epi8(row, _mm256_loadu_si256((&raw const BY_THREE_BYTES).cast()))
                }
                32 => _mm256_shuffle_epi32::<0b10_11_00_01>(row),
                _ => _mm256_xor_si256(_mm256_srli_epi64::<63>(row), _mm256_add_epi64(row, row)),
            }
        }};
    }

    impl Lanes for Avx2 {
        /// A row each.
        type Vector = [__m256i; 2];

        #[inline(always)]
        fn load(self, words: &[u64; 8]) -> Self::Vector {
            let rows = words.as_chunks::<4>().0;
            proven!(
                self,
                [
                    _mm256_loadu_si256((&raw const rows[0]).cast()),
                    _mm256_loadu_si256((&raw const rows[1]).cast()),
                ]
            )
        }

        #[inline(always)]
        fn store(self, [a, b]: Self::Vector, words: &mut [u64; 8]) {
            let rows = words.as_chunks_mut::<4>().0;
            proven!(self, {
                _mm256_storeu_si256((&raw mut rows[0]).cast(), a);
                _mm256_storeu_si256((&raw mut rows[1]).cast(), b);
            });
        }

        #[inline(always)]
        fn xor(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
            proven!(
                self,
                [_mm256_xor_si256(a[0], b[0]), _mm256_xor_si256(a[1], b[1])]
            )
        }

        #[inline(always)]
        fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
            proven!(self, {
                let products = [_mm256_mul_epu32(a[0], b[0]), _mm256_mul_epu32(a[1], b[1])];
                let sums = [_mm256_add_epi64(a[0], b[0]), _mm256_add_epi64(a[1], b[1])];
                [
                    _mm256_add_epi64(sums[0], _mm256_add_epi64(products[0], products[0])),
                    _mm256_add_epi64(sums[1], _mm256_add_epi64(products[1], products[1])),
                ]
            })
        }

        #[inline(always)]
        fn rotate<const BITS: i32>(self, a: Self::Vector) -> Self::Vector {
            [
                proven!(self, rotate_row!(BITS, a[0])),
                proven!(self, rotate_row!(BITS, a[1])),
            ]
        }

        #[inline(always)]
        fn turn_rows<const BY: usize>(self, [a, b]: Self::Vector) -> Self::Vector {
            proven!(
                self,
                match BY {
                    1 => [
                        _mm256_permute4x64_epi64::<0b00_11_10_01>(a),
                        _mm256_permute4x64_epi64::<0b00_11_10_01>(b),
                    ],
                    2 => [
                        _mm256_permute4x64_epi64::<0b01_00_11_10>(a),
                        _mm256_permute4x64_epi64::<0b01_00_11_10>(b),
                    ],
                    _ => [
                        _mm256_permute4x64_epi64::<0b10_01_00_11>(a),
                        _mm256_permute4x64_epi64::<0b10_01_00_11>(b),
                    ],
                }
            )
        }

        #[inline(always)]
        fn turn_columns<const BY: usize>(self, [a, b]: Self::Vector) -> Self::Vector {
            proven!(
                self,
                match BY {
                    1 => [_mm256_alignr_epi8::<8>(b, a), _mm256_alignr_epi8::<8>(a, b)],
                    2 => [b, a],
                    _ => [_mm256_alignr_epi8::<8>(a, b), _mm256_alignr_epi8::<8>(b, a)],
                }
            )
        }

        #[inline(always)]
        fn prefetch(self, words: &[u64; 8]) {
            proven!(self, _mm_prefetch::<_MM_HINT_T0>(words.as_ptr().cast()));
        }
    }
    static BY_TWO_BYTES: [u8; 32] = rotation(2);
    static BY_THREE_BYTES: [u8; 32] = rotation(3);

    /// Which byte comes where when each word is rotated to the right by so many bytes.
    const fn rotation(bytes: u8) -> [u8; 32] {
        let mut from = [0; 32];
        let mut at = 0;
        while at < 32 {
            // Instructions take bytes from within halves of 16.
            from[at as usize] = at % 16 / 8 * 8 + (at + bytes) % 8;
            at += 1;
        }
        from
    }

    impl Lanes for Avx512 {
        type Vector = __m512i;

        #[inline(always)]
        fn load(self, words: &[u64; 8]) -> __m512i {
            proven!(self, _mm512_loadu_si512(words.as_ptr().cast()))
        }

        #[inline(always)]
        fn store(self, vector: __m512i, words: &mut [u64; 8]) {
            proven!(self, _mm512_storeu_si512(words.as_mut_ptr().cast(), vector));
        }

        #[inline(always)]
        fn xor(self, a: __m512i, b: __m512i) -> __m512i {
            proven!(self, _mm512_xor_si512(a, b))
        }

        #[inline(always)]
        fn add(self, a: __m512i, b: __m512i) -> __m512i {
            proven!(self, {
                let product = _mm512_mul_epu32(a, b);
                _mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(product, product))
            })
        }

        #[inline(always)]
        fn rotate<const BITS: i32>(self, a: __m512i) -> __m512i {
            proven!(self, _mm512_ror_epi64::<BITS>(a))
        }

        #[inline(always)]
        fn turn_rows<const BY: usize>(self, a: __m512i) -> __m512i {
            proven!(
                self,
                match BY {
                    1 => _mm512_permutex_epi64::<0b00_11_10_01>(a),
                    2 => _mm512_permutex_epi64::<0b01_00_11_10>(a),
                    _ => _mm512_permutex_epi64::<0b10_01_00_11>(a),
                }
            )
        }

        #[inline(always)]
        fn turn_columns<const BY: usize>(self, a: __m512i) -> __m512i {
            proven!(
                self,
                match BY {
                    // Words 0, 1, 4, 5 and 2, 3, 6, 7 turn; halves of 256 bits change places for two.
                    1 => _mm512_permutexvar_epi64(_mm512_setr_epi64(1, 4, 3, 6, 5, 0, 7, 2), a),
                    2 => _mm512_shuffle_i64x2::<0b01_00_11_10>(a, a),
                    _ => _mm512_permutexvar_epi64(_mm512_setr_epi64(5, 0, 7, 2, 1, 4, 3, 6), a),
                }
            )
        }

        #[inline(always)]
        fn prefetch(self, words: &[u64; 8]) {
            // Past the second cache, which stays with the blocks computed last: those are referred to most.
            proven!(self, _mm_prefetch::<_MM_HINT_NTA>(words.as_ptr().cast()));
        }
    }
}
