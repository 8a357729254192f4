//! What only this machine can say: its vector instructions, and how it keeps memory. All that is unsafe is here.
//!
//! The instructions of one extension are implemented on a proof that the processor has it, a value that only `detect` makes.
//! That is the reason for each `unsafe` about them: who has the value may run them.

use crate::block::Block;

/// What x86-64 has, and ARM where pages are of 4 KiB.
#[cfg(target_os = "linux")]
const HUGE_PAGE: usize = 2 * 1024 * 1024;

/// Asks for `blocks` to be kept on huge pages, of which a hash touches ten instead of five thousand. A system that has none
/// keeps them as it did.
///
/// To be asked before they are first written: what has its place already keeps it.
pub(crate) fn prefer_huge_pages(blocks: &mut Vec<Block>) {
    #[cfg(target_os = "linux")]
    {
        use rustix::mm::{Advice, madvise};

        let spare = blocks.spare_capacity_mut();
        let start = spare.as_mut_ptr().cast::<u8>();
        let skipped = start.align_offset(HUGE_PAGE);
        let length = size_of_val(spare).saturating_sub(skipped) / HUGE_PAGE * HUGE_PAGE;
        if length > 0 {
            // A system without huge pages says so, and nothing is lost.
            //
            // SAFETY: all that is memory of this vector's, and this advice changes what holds it, never what it holds.
            let _ = unsafe {
                madvise(
                    start.wrapping_add(skipped).cast(),
                    length,
                    Advice::LinuxHugepage,
                )
            };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = blocks;
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use crate::block::Block;
    use crate::compress;
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
        ($proof:ty, $feature:literal, $groups:literal) => {
            impl Entries for $proof {
                fn compress(self, previous: &Block, reference: &Block, into: &mut Block) {
                    #[target_feature(enable = $feature)]
                    fn compiled(on: $proof, previous: &Block, reference: &Block, into: &mut Block) {
                        compress::compress::<_, $groups>(on, previous, reference, into);
                    }
                    proven!(self, compiled(self, previous, reference, into));
                }

                fn fill(self, one: &mut Fill<'_>) {
                    #[target_feature(enable = $feature)]
                    fn compiled(on: $proof, one: &mut Fill<'_>) {
                        fill::one::<_, $groups>(on, one);
                    }
                    proven!(self, compiled(self, one));
                }

                fn fill_two<'m>(self, one: &mut Fill<'m>, other: &mut Fill<'m>) {
                    #[target_feature(enable = $feature)]
                    fn compiled<'m>(on: $proof, one: &mut Fill<'m>, other: &mut Fill<'m>) {
                        fill::two::<_, $groups>(on, one, other);
                    }
                    proven!(self, compiled(self, one, other));
                }
            }
        };
    }

    entries!(Avx2, "avx2", 1);
    entries!(Avx512, "avx512f", 4);

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
            proven!(self, _mm_prefetch::<_MM_HINT_T0>(words.as_ptr().cast()));
        }
    }
}
