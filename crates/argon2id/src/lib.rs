#![doc = include_str!("../README.md")]

#[forbid(unsafe_code)]
mod block;
#[forbid(unsafe_code)]
mod compress;
#[forbid(unsafe_code)]
mod digest;
#[forbid(unsafe_code)]
mod fill;
#[forbid(unsafe_code)]
mod hasher;
#[forbid(unsafe_code)]
mod kernel;
#[forbid(unsafe_code)]
mod lanes;
#[expect(
    unsafe_code,
    reason = "the processor's vector instructions and advice about memory have no safe names"
)]
mod machine;
#[forbid(unsafe_code)]
mod params;

pub use hasher::{Hasher, Job, hash_two};
pub use kernel::Kernel;
pub use params::{Error, Input, Params};
