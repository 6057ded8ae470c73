//! The parts of `cargo xtask`, as a library, so that the tests of real programs (`tests/programs`)
//! fetch compilers and build guests exactly as the benchmarks do.
//!
//! Nothing here is part of the product, and no crate of the product may depend on it.

pub mod bench;
pub mod paths;
pub mod tidy;
pub mod toolbox;
