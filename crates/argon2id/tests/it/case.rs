//! A hash to compute, here and by two independent implementations. The fuzz target has this file, too.

use argon2id::{Input, Params};

/// A hash to compute. The others take no salt under 8 bytes, and one of them no associated data over 32.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
    pub(crate) password: Vec<u8>,
    pub(crate) salt: Vec<u8>,
    pub(crate) secret: Vec<u8>,
    pub(crate) associated_data: Vec<u8>,
    pub(crate) tag_bytes: usize,
}

impl Case {
    pub(crate) fn params(&self) -> Params {
        Params::new(self.memory_kib, self.passes, self.lanes).expect("in bounds")
    }

    pub(crate) fn input(&self) -> Input<'_> {
        Input {
            password: &self.password,
            salt: &self.salt,
            secret: &self.secret,
            associated_data: &self.associated_data,
        }
    }

    pub(crate) fn by_rust_crypto(&self) -> Vec<u8> {
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

    pub(crate) fn by_argon2_rust(&self) -> Vec<u8> {
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
