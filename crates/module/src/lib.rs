//! From bytes or text to a validated [`Module`].
//!
//! This crate knows the language: the binary format, validation, names, and what of instantiation can be computed ahead
//! (initial memory images, initial tables). It knows neither compilers nor the runtime, and has no unsafe code.
//!
//! The one idea: only [`Module::decode`] makes a `Module`, and it validates everything first, so that every later stage may rely on
//! each index, type and size that it finds.

mod const_expr;
mod module;

pub use const_expr::{ConstExpr, ConstOp};
pub use module::*;
