//! One newtype per index space, so that no bare number crosses a function boundary.
//!
//! Names follow the specification: `funcidx` is [`FuncIndex`], and so on. A `Defined*` index counts only what the
//! module itself defines, after its imports. [`TypeId`] is not a module's: it names a canonical type of an engine.

use cranelift_entity::entity_impl;
use serde::{Deserialize, Serialize};

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[repr(transparent)]
        pub struct $name(u32);
        entity_impl!($name, $prefix);
    )*};
}

index! {
    /// Index of a type in a module (`typeidx`).
    TypeIndex = "type";
    /// Index of a recursion group in a module's type section.
    RecGroupIndex = "rec";
    /// Index of a function, imports first (`funcidx`).
    FuncIndex = "func";
    /// Index of a function among those that the module defines.
    DefinedFuncIndex = "defined-func";
    /// Index of a table, imports first (`tableidx`).
    TableIndex = "table";
    /// Index of a table among those that the module defines.
    DefinedTableIndex = "defined-table";
    /// Index of a memory, imports first (`memidx`).
    MemoryIndex = "memory";
    /// Index of a memory among those that the module defines.
    DefinedMemoryIndex = "defined-memory";
    /// Index of a global, imports first (`globalidx`).
    GlobalIndex = "global";
    /// Index of a global among those that the module defines.
    DefinedGlobalIndex = "defined-global";
    /// Index of a tag, imports first (`tagidx`).
    TagIndex = "tag";
    /// Index of a tag among those that the module defines.
    DefinedTagIndex = "defined-tag";
    /// Index of an element segment (`elemidx`).
    ElemIndex = "elem";
    /// Index of a data segment (`dataidx`).
    DataIndex = "data";
    /// Index of a function among those that can become a `funcref` of the module: exported, in an element segment,
    /// or named by `ref.func` outside a body.
    EscapedFuncIndex = "escaped-func";
    /// A canonical type of an engine: equal numbers are equal types, across modules.
    TypeId = "type-id";
}

impl TypeId {
    /// The type that no function has; what an empty place for a type holds.
    pub const NONE: TypeId = TypeId(u32::MAX);

    /// The number itself, as machine code compares it.
    pub fn bits(self) -> u32 {
        self.0
    }
}
