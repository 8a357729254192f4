//! Servers to be ill-treated, and the wires to them.

pub(crate) mod cluster;
mod company;
mod edition;
mod tls;
pub(crate) mod wire;
