//! Argon2id by the reference implementation in C (phc-winner-argon2, `opt.c`), compiled for the processor of this machine.
//! It asks for its memory anew for each hash, as whoever calls it has it.

#![cfg(target_arch = "x86_64")]

/// Computes `tag`, on one lane, at a cost of `memory_kib` KiB and so many `passes`. The error is the library's number for it.
#[expect(unsafe_code, reason = "the function is in C")]
pub fn hash(
    memory_kib: u32,
    passes: u32,
    password: &[u8],
    salt: &[u8],
    tag: &mut [u8],
) -> Result<(), i32> {
    // SAFETY: each pointer comes with the length of the slice that it is of; the library reads the first two and writes the
    // third, and keeps none.
    let outcome = unsafe {
        argon2_sys::argon2id_hash_raw(
            passes,
            memory_kib,
            1,
            password.as_ptr().cast(),
            password.len(),
            salt.as_ptr().cast(),
            salt.len(),
            tag.as_mut_ptr().cast(),
            tag.len(),
        )
    };
    if outcome == 0 { Ok(()) } else { Err(outcome) }
}

#[cfg(test)]
mod tests {
    /// The example of the reference implementation's own tests.
    #[test]
    fn it_is_argon2id() {
        let mut tag = [0; 32];
        super::hash(256, 2, b"password", b"somesalt", &mut tag).expect("computed");
        assert_eq!(tag[..8], [0x9d, 0xfe, 0xb9, 0x10, 0xe8, 0x0b, 0xad, 0x03]);
        assert!(super::hash(256, 2, b"password", b"short", &mut tag).is_err());
    }
}
