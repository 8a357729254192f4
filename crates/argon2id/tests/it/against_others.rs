//! Whatever the parameters are, two independent implementations agree with this one.

use argon2id::{Hasher, Input, Job, Kernel, Params, hash_two};
use proptest::prelude::*;
use proptest::sample::Index;

/// A hash to compute.
#[derive(Clone, Debug)]
struct Case {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    password: Vec<u8>,
    salt: Vec<u8>,
    secret: Vec<u8>,
    associated_data: Vec<u8>,
    tag_bytes: usize,
}

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
        // The other implementations take no salt under 8 bytes.
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

impl Case {
    fn params(&self) -> Params {
        Params::new(self.memory_kib, self.passes, self.lanes).expect("in bounds")
    }

    fn input(&self) -> Input<'_> {
        Input {
            password: &self.password,
            salt: &self.salt,
            secret: &self.secret,
            associated_data: &self.associated_data,
        }
    }

    fn by_rust_crypto(&self) -> Vec<u8> {
        use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};

        let params = ParamsBuilder::new()
            .m_cost(self.memory_kib)
            .t_cost(self.passes)
            .p_cost(self.lanes)
            .data(AssociatedData::new(&self.associated_data).expect("short"))
            .output_len(self.tag_bytes)
            .build()
            .expect("in bounds");
        let mut tag = vec![0; self.tag_bytes];
        Argon2::new_with_secret(&self.secret, Algorithm::Argon2id, Version::V0x13, params)
            .expect("short")
            .hash_password_into(&self.password, &self.salt, &mut tag)
            .expect("hash");
        tag
    }

    fn by_argon2_rust(&self) -> Vec<u8> {
        use argon2_rust::params::{Memory, TagLen};
        use argon2_rust::{Algorithm, Argon2, Params, Version};

        let params = Params::builder()
            .memory(Memory::kib(self.memory_kib.into()))
            .passes(self.passes)
            .lanes(self.lanes)
            .tag_len(TagLen::bytes(self.tag_bytes as u64))
            .build()
            .expect("in bounds");
        let mut tag = vec![0; self.tag_bytes];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_into_with_ad(
                &self.password,
                &self.salt,
                &self.secret,
                &self.associated_data,
                &mut tag,
            )
            .expect("hash");
        tag
    }
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
