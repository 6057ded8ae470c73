//! The contract between code that Meantime compiles and the runtime that runs it.
//!
//! Everything here is data: types and index spaces of the specification, the `#[repr(C)]` structures that
//! machine code reads and writes, the codes of traps, the calls back into the runtime, the formats of side
//! tables, and [`CompiledFunction`], what a backend makes. Nothing here decodes, compiles or executes.
//!
//! The one idea: a layout that machine code depends on is written once, as a Rust struct, and every offset is
//! taken from it with `offset_of!`, so that compiler and runtime cannot disagree.

mod builtin;
mod compiled;
mod fuel;
mod gc;
mod index;
mod layout;
mod memory_plan;
mod raw;
mod side_table;
mod trap;
mod tunables;
mod types;
mod vm;

pub use builtin::{Builtin, BuiltinType};
pub use compiled::{CompiledFunction, FuncKey, Relocation, RelocationKind, Trampoline};
pub use fuel::{
    FUEL_ENTRY, FUEL_REGISTER_AARCH64, FUEL_REGISTER_X86_64, FuelCosts, FuelUnit, MAX_GROWN_UNITS,
};
pub use gc::*;
pub use index::*;
pub use layout::{VmCounts, VmLayout};
pub use memory_plan::{Bounds, MemoryPlan};
pub use raw::ValRaw;
pub use side_table::{
    ContextPlace, Handler, HandlerKind, InlineFrame, Point, SavedRegister, SideTable,
    SideTableBuilder, SideTableError,
};
pub use trap::Trap;
pub use tunables::{OptLevel, RegallocAlgorithm, Tunables};
pub use types::*;
pub use vm::*;

pub use cranelift_entity as entity;
