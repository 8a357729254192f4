//! Servers to be ill-treated, and the wires to them.

pub(crate) mod cluster;
pub(crate) mod wire;
