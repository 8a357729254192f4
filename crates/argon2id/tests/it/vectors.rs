//! Tags that are known, on all vectors that this processor has.

use argon2id::{Error, Hasher, Input, Job, Kernel, Params, hash_two};

fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| {
        [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
    };
    bytes.iter().flat_map(digits).collect()
}

/// RFC 9106, section 5.3.
const EXAMPLE: Input<'_> = Input {
    password: &[1; 32],
    salt: &[2; 16],
    secret: &[3; 8],
    associated_data: &[4; 12],
};
const EXAMPLE_TAG: &str = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";

#[test]
fn rfc_9106s_example() {
    let params = Params::new(32, 3, 4).expect("in bounds");
    for kernel in Kernel::available() {
        let mut tag = [0; 32];
        Hasher::with_kernel(kernel)
            .hash(&params, &EXAMPLE, &mut tag)
            .expect("hash");
        assert_eq!(hex(&tag), EXAMPLE_TAG, "{kernel:?}");
    }
}

#[test]
fn rfc_9106s_example_beside_itself() {
    let params = Params::new(32, 3, 4).expect("in bounds");
    for kernel in Kernel::available() {
        let mut hashers = [Hasher::with_kernel(kernel), Hasher::with_kernel(kernel)];
        let mut tags = [[0; 32]; 2];
        let [one, other] = &mut hashers;
        let [tag, other_tag] = &mut tags;
        let job = |hasher, tag| Job {
            hasher,
            params,
            input: EXAMPLE,
            tag,
        };
        hash_two(job(one, tag), job(other, other_tag)).expect("hash");
        assert_eq!(tags.map(|tag| hex(&tag)), [EXAMPLE_TAG; 2], "{kernel:?}");
    }
}

/// From the tests of the reference implementation (github.com/P-H-C/phc-winner-argon2, src/test.c).
#[test]
fn the_references_examples() {
    for (lanes, expected) in [
        (
            1,
            "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
        ),
        (
            2,
            "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
        ),
    ] {
        check([2, 8, lanes], "password", "somesalt", expected);
    }
}

/// From the same.
#[test]
fn the_references_examples_of_64_mib() {
    for (passes, password, salt, expected) in [
        (
            2,
            "password",
            "somesalt",
            "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7",
        ),
        (
            1,
            "password",
            "somesalt",
            "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98",
        ),
        (
            4,
            "password",
            "somesalt",
            "9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c",
        ),
        (
            2,
            "differentpassword",
            "somesalt",
            "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde",
        ),
        (
            2,
            "password",
            "diffsalt",
            "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c",
        ),
    ] {
        check([passes, 16, 1], password, salt, expected);
    }
}

/// That all vectors give this tag, at as many KiB as two to the power of `exponent`.
fn check([passes, exponent, lanes]: [u32; 3], password: &str, salt: &str, expected: &str) {
    let params = Params::new(1 << exponent, passes, lanes).expect("in bounds");
    let input = Input {
        password: password.as_bytes(),
        salt: salt.as_bytes(),
        ..Input::default()
    };
    for kernel in Kernel::available() {
        let mut tag = [0; 32];
        Hasher::with_kernel(kernel)
            .hash(&params, &input, &mut tag)
            .expect("hash");
        assert_eq!(hex(&tag), expected, "{kernel:?}");
    }
}

/// That is, no kernel was passed over. Where `FASTEST_KERNEL` says which it is to be, as `on-avx512` does, it is that one.
#[test]
fn the_fastest_is_one_of_those_there_are() {
    let fastest = Kernel::fastest().name();
    assert_eq!(
        Kernel::available().first().map(|kernel| kernel.name()),
        Some(fastest)
    );
    if let Ok(expected) = std::env::var("FASTEST_KERNEL") {
        assert_eq!(fastest, expected);
    }
}

#[test]
fn a_tag_too_short_is_refused() {
    let params = Params::new(8, 1, 1).expect("in bounds");
    let mut hasher = Hasher::new();
    assert_eq!(hasher.hash(&params, &EXAMPLE, &mut [0; 3]), Err(Error::Tag));
    assert_eq!(hasher.hash(&params, &EXAMPLE, &mut [0; 4]), Ok(()));
}
