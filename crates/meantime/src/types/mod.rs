//! The types of the specification as the embedder sees them.
//!
//! Not here: the canonical definitions behind them (`type_registry`), or values (`Val`).
//! The one idea: a type that names a definition ([`FuncType`], [`StructType`], [`ArrayType`]) belongs to an engine and
//! keeps its definition alive; all else is plain data. Wherever two types meet, both must be of the same engine; using
//! types of two engines together panics, or is an error where the function returns one.
//!
//! Conversion from and to the types that the runtime works with (`meantime_abi`, by [`TypeId`](meantime_abi::TypeId)) is
//! `from_abi` and `to_abi` of each type.

mod array;
mod composite;
mod cont;
mod exn;
mod external;
mod field;
mod func;
mod global;
mod heap;
pub(crate) mod matching;
mod memory;
mod reference;
mod structure;
mod table;
mod tag;
#[cfg(test)]
mod tests;
mod value;

pub use array::ArrayType;
pub use cont::ContType;
pub use exn::ExnType;
pub use external::{ExportType, ExternType, ImportType};
pub use field::{FieldType, Finality, Mutability, StorageType};
pub use func::FuncType;
pub use global::GlobalType;
pub use heap::HeapType;
pub use memory::{MemoryType, MemoryTypeBuilder};
pub use reference::RefType;
pub use structure::StructType;
pub use table::TableType;
pub use tag::TagType;
pub use value::ValType;

use crate::Engine;

/// Refuses types of two engines where the function returns none.
#[track_caller]
fn assert_same_engine(a: &Engine, b: &Engine) {
    assert!(
        Engine::same(a, b),
        "types of different engines cannot be used together"
    );
}
