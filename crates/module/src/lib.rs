//! From bytes or text to a validated [`Module`].
//!
//! This crate knows the language: the binary format, validation, names, and what of instantiation can be computed ahead
//! (initial memory images, initial tables). It knows neither compilers nor the runtime, and has no unsafe code.
//!
//! The one idea: only [`Module::decode`] makes a `Module`, and it validates everything first, so that every later stage may rely on
//! each index, type and size that it finds.

mod branch_hints;
mod classify;
mod const_expr;
mod convert;
mod crossing;
mod decode;
mod error;
mod escape;
mod extract;
mod image;
mod module;
mod names;
mod operator_cost;
mod packed;
mod plain;
#[cfg(feature = "wat")]
mod text;
mod validate;

pub use classify::{InputKind, classify};
pub use const_expr::{ConstExpr, ConstOp};
pub use error::{ModuleError, ModuleErrorKind};
pub use extract::Images;
pub use module::*;
pub use operator_cost::{OperatorCost, VariableOperatorCost, fuel_unit};
#[cfg(feature = "wat")]
pub use text::{parse_text, parse_text_at};

pub use wasmparser::WasmFeatures;
