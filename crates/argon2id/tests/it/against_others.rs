//! Whatever the parameters are, two independent implementations agree with this one.

use argon2id::{Hasher, Job, Kernel, hash_two};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::case::Case;

/// Small ones mostly, where segments are short and every edge is near; some of which a segment needs several address blocks.
fn case() -> impl Strategy<Value = Case> {
    let lanes = prop_oneof![3 => Just(1), 2 => 2_u32..=5];
    let memory = prop_oneof![3 => 0_u32..=64, 2 => 0_u32..=600, 1 => 0_u32..=3000];
    let tag_bytes = prop_oneof![
        4_usize..=130,
        Just(32),
        Just(64),
        Just(65),
        900_usize..=1100
    ];
    let bytes = |least, most| prop::collection::vec(any::<u8>(), least..=most);
    (
        (memory, 1_u32..=4, lanes, tag_bytes),
        (bytes(0, 200), bytes(8, 70), bytes(0, 40), bytes(0, 32)),
    )
        .prop_map(
            |((memory, passes, lanes, tag_bytes), (password, salt, secret, associated_data))| {
                Case {
                    memory_kib: 8 * lanes + memory,
                    passes,
                    lanes,
                    password,
                    salt,
                    secret,
                    associated_data,
                    tag_bytes,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_implementations_agree(case in case()) {
        let expected = case.by_rust_crypto();
        prop_assert_eq!(&expected, &case.by_argon2_rust());
        for kernel in Kernel::available() {
            let mut tag = vec![0; case.tag_bytes];
            Hasher::with_kernel(kernel).hash(&case.params(), &case.input(), &mut tag).expect("hash");
            prop_assert_eq!(&tag, &expected, "{:?}", kernel);
        }
    }

    /// Side by side with another of whatever cost, in memory that held others before.
    #[test]
    fn two_side_by_side_are_those_apart(cases in prop::collection::vec(case(), 2..=4), which in any::<Index>()) {
        let kernels = Kernel::available();
        let kernel = *which.get(&kernels);
        let mut hashers = [Hasher::with_kernel(kernel), Hasher::with_kernel(kernel)];
        for pair in cases.windows(2) {
            let (one, other) = (&pair[0], &pair[1]);
            let mut tags = (vec![0; one.tag_bytes], vec![0; other.tag_bytes]);
            let [first, second] = &mut hashers;
            hash_two(
                Job { hasher: first, params: one.params(), input: one.input(), tag: &mut tags.0 },
                Job { hasher: second, params: other.params(), input: other.input(), tag: &mut tags.1 },
            ).expect("hash");
            prop_assert_eq!(tags, (one.by_rust_crypto(), other.by_rust_crypto()), "{:?}", kernel);
        }
    }
}
