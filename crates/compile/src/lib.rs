//! Compiling a module: what a backend is, the driver that runs one over all functions in parallel, and the artifact that results.

mod backend;

pub use backend::{Backend, CompileError};
