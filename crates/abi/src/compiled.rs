//! What a backend makes of one function: bytes, what to patch in them, and a side table.

use crate::{DefinedFuncIndex, FuncIndex, TypeIndex};
use serde::{Deserialize, Serialize};

/// Which piece of code this is, within a module.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum FuncKey {
    /// A function of the module.
    Func(DefinedFuncIndex),
    /// A trampoline for the signature of this type of the module (the first type that has it).
    Trampoline(Trampoline, TypeIndex),
}

/// Which way a trampoline leads.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Trampoline {
    /// From the host into a Wasm function, see [`EnterPtr`](crate::EnterPtr).
    Enter,
    /// From a Wasm function to a function of the host: has the signature of the type, calls [`VmHostContext::func`](crate::VmHostContext::func).
    Host,
}

/// Machine code of one function or trampoline, position-independent but for its relocations.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CompiledFunction {
    /// The bytes; constants included.
    pub code: Vec<u8>,
    /// The alignment that they need; a power of two.
    pub align: u32,
    /// What to patch.
    pub relocations: Vec<Relocation>,
    /// Traps, addresses, stack maps and handlers, as [`SideTable`](crate::SideTable) reads them.
    pub side_table: Vec<u8>,
}

/// A place in code that holds a distance to other code.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Relocation {
    /// Where, in bytes from the function's start.
    pub offset: u32,
    /// How.
    pub kind: RelocationKind,
    /// To what.
    pub target: FuncIndex,
    /// Added to the target's address.
    pub addend: i64,
}

/// How a distance is encoded.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum RelocationKind {
    /// 32 bits, little-endian, from the place itself: `S + A - P` (`call rel32` with an addend of -4).
    X86Pc32,
    /// 26 bits of a multiple of 4 in a `b` or `bl`: `(S + A - P) >> 2`.
    Aarch64Branch26,
}
