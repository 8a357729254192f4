//! Servers to be ill-treated, and the wires to them.

pub(crate) mod cluster;
mod company;
mod tls;
pub(crate) mod wire;
