//! Whatever the parameters are, all kernels agree with two independent implementations, or say what is out of bounds.
#![no_main]

#[path = "../../tests/it/case.rs"]
mod case;

use argon2id::{Error, Hasher, Job, Kernel, Params, hash_two};
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;

use case::Case;

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let lanes = bytes.int_in_range(1..=4)?;
        // A segment of more than 128 blocks needs a second block of addresses.
        let memory_kib = 8 * lanes + bytes.int_in_range(0..=700)?;
        let passes = bytes.int_in_range(1..=3)?;
        let tag_bytes = bytes.int_in_range(4..=1100)?;
        let mut salt = Vec::arbitrary(bytes)?;
        salt.resize(salt.len().max(8), 0);
        let mut associated_data = Vec::arbitrary(bytes)?;
        associated_data.truncate(32);
        Ok(Self {
            memory_kib,
            passes,
            lanes,
            password: Vec::arbitrary(bytes)?,
            salt,
            secret: Vec::arbitrary(bytes)?,
            associated_data,
            tag_bytes,
        })
    }
}

fuzz_target!(|input: ([u32; 3], u8, Case, Case)| {
    let (bounds, tag_bytes, one, other) = input;
    what_is_out_of_bounds_is_refused(bounds, tag_bytes);
    let expected = [&one, &other].map(Case::by_rust_crypto);
    assert_eq!(expected, [&one, &other].map(Case::by_argon2_rust));
    for kernel in Kernel::available() {
        agrees(kernel, [&one, &other], &expected);
    }
});

/// RFC 9106, section 3.1. Nothing is computed: what is in bounds may need terabytes.
fn what_is_out_of_bounds_is_refused([memory_kib, passes, lanes]: [u32; 3], tag_bytes: u8) {
    let has_bounds = (1..1 << 24).contains(&lanes) && passes >= 1;
    let is_in_bounds = has_bounds && u64::from(memory_kib) >= 8 * u64::from(lanes);
    assert_eq!(Params::new(memory_kib, passes, lanes).is_ok(), is_in_bounds);
    let tag = &mut [0; 4][..usize::from(tag_bytes % 4)];
    let params = Params::new(8, 1, 1).expect("in bounds");
    assert_eq!(
        Hasher::new().hash(&params, &Default::default(), tag),
        Err(Error::Tag)
    );
}

/// One after the other in the same memory, and then side by side where others were before, in both orders.
fn agrees(kernel: Kernel, [one, other]: [&Case; 2], expected: &[Vec<u8>; 2]) {
    let mut first = Hasher::with_kernel(kernel);
    let mut second = Hasher::with_kernel(kernel);
    for (case, expected) in [one, other].into_iter().zip(expected) {
        let mut tag = vec![0; case.tag_bytes];
        let hashed = first.hash(&case.params(), &case.input(), &mut tag);
        assert_eq!((hashed, &tag), (Ok(()), expected), "{kernel:?}");
    }
    let mut tags = [one, other].map(|case| vec![0; case.tag_bytes]);
    for turned_round in [false, true] {
        let [tag, other_tag] = &mut tags;
        let mut jobs =
            [(one, &mut first, tag), (other, &mut second, other_tag)].map(|(case, hasher, tag)| {
                Job {
                    hasher,
                    params: case.params(),
                    input: case.input(),
                    tag,
                }
            });
        if turned_round {
            jobs.reverse();
        }
        let [job, beside] = jobs;
        assert_eq!(hash_two(job, beside), Ok(()));
        assert_eq!(&tags, expected, "{kernel:?}");
        tags.iter_mut().for_each(|tag| tag.fill(0));
    }
}
