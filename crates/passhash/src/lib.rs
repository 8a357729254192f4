#![doc = include_str!("../README.md")]

mod cost;
mod hasher;
mod measure;
mod pool;
mod recipe;
mod schemes;
mod stored;

pub use cost::{Cost, CostError};
pub use hasher::{HashError, Hasher};
pub use measure::{BenchError, bench, tune};
pub use pool::{Counts, Load, Pool, PoolError, PoolSettings, StartError, Turn, Verified};
pub use recipe::Recipe;
pub use schemes::Scheme;
pub use stored::{ParseError, StoredHash};
