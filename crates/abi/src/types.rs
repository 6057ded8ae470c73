//! The types of the specification (section "Types"), for every layer from the decoder to the runtime.
//!
//! The one idea: a concrete heap type refers to a type definition, and what it refers by differs by layer. A
//! module's own types refer by [`TypeIndex`], an engine's canonical ones by [`TypeId`]; the parameter `T` says which,
//! and [`ValType::map`] and its siblings translate.

use crate::{TypeId, TypeIndex};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A value type (`valtype`).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ValType<T = TypeIndex> {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128-bit vector.
    V128,
    /// A reference.
    Ref(RefType<T>),
}

/// A reference type (`reftype`).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct RefType<T = TypeIndex> {
    /// Whether null is a value of this type.
    pub nullable: bool,
    /// What it refers to.
    pub heap: HeapType<T>,
}

/// A heap type (`heaptype`).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum HeapType<T = TypeIndex> {
    /// Any function.
    Func,
    /// No function.
    NoFunc,
    /// Any host value.
    Extern,
    /// No host value.
    NoExtern,
    /// Any internal value.
    Any,
    /// Any value that can be compared.
    Eq,
    /// 31-bit integers.
    I31,
    /// Any structure.
    Struct,
    /// Any array.
    Array,
    /// No internal value.
    None,
    /// Any exception.
    Exn,
    /// No exception.
    NoExn,
    /// A defined type.
    Concrete(CompositeKind, T),
}

/// Which of the composite types a definition is.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum CompositeKind {
    /// A function type.
    Func,
    /// A structure type.
    Struct,
    /// An array type.
    Array,
}

/// How machine code represents a reference.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum RefRepr {
    /// A pointer to a [`VmFuncRef`](crate::VmFuncRef), or null.
    Func,
    /// 32 bits, see [`GcBits`](crate::GcBits).
    Gc,
}

impl<T> HeapType<T> {
    /// How a reference to this heap type is represented.
    pub fn repr(&self) -> RefRepr {
        match self {
            HeapType::Func | HeapType::NoFunc | HeapType::Concrete(CompositeKind::Func, _) => {
                RefRepr::Func
            }
            _ => RefRepr::Gc,
        }
    }

    /// The same heap type with its reference translated.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> HeapType<U> {
        match self {
            HeapType::Func => HeapType::Func,
            HeapType::NoFunc => HeapType::NoFunc,
            HeapType::Extern => HeapType::Extern,
            HeapType::NoExtern => HeapType::NoExtern,
            HeapType::Any => HeapType::Any,
            HeapType::Eq => HeapType::Eq,
            HeapType::I31 => HeapType::I31,
            HeapType::Struct => HeapType::Struct,
            HeapType::Array => HeapType::Array,
            HeapType::None => HeapType::None,
            HeapType::Exn => HeapType::Exn,
            HeapType::NoExn => HeapType::NoExn,
            HeapType::Concrete(kind, t) => HeapType::Concrete(kind, f(t)),
        }
    }
}

impl<T> RefType<T> {
    /// `(ref null func)`.
    pub const FUNCREF: RefType<T> = RefType {
        nullable: true,
        heap: HeapType::Func,
    };
    /// `(ref null extern)`.
    pub const EXTERNREF: RefType<T> = RefType {
        nullable: true,
        heap: HeapType::Extern,
    };

    /// The same reference type with its reference translated.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> RefType<U> {
        RefType {
            nullable: self.nullable,
            heap: self.heap.map(f),
        }
    }

    /// Bytes that one reference takes in a table or an object.
    pub fn size(&self) -> usize {
        match self.heap.repr() {
            RefRepr::Func => size_of::<usize>(),
            RefRepr::Gc => size_of::<u32>(),
        }
    }
}

impl<T> ValType<T> {
    /// `(ref null func)`.
    pub const FUNCREF: ValType<T> = ValType::Ref(RefType::FUNCREF);
    /// `(ref null extern)`.
    pub const EXTERNREF: ValType<T> = ValType::Ref(RefType::EXTERNREF);

    /// The same value type with its reference translated.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> ValType<U> {
        match self {
            ValType::I32 => ValType::I32,
            ValType::I64 => ValType::I64,
            ValType::F32 => ValType::F32,
            ValType::F64 => ValType::F64,
            ValType::V128 => ValType::V128,
            ValType::Ref(r) => ValType::Ref(r.map(f)),
        }
    }

    /// Whether a value of this type is a reference that the collector must see.
    pub fn is_gc_ref(&self) -> bool {
        matches!(self, ValType::Ref(r) if r.heap.repr() == RefRepr::Gc)
    }
}

/// A function type (`functype`).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct FuncType<T = TypeIndex> {
    /// Types of the parameters.
    pub params: Box<[ValType<T>]>,
    /// Types of the results.
    pub results: Box<[ValType<T>]>,
}

impl<T: Copy> FuncType<T> {
    /// The same function type with every reference translated.
    pub fn map<U>(&self, mut f: impl FnMut(T) -> U) -> FuncType<U> {
        FuncType {
            params: self.params.iter().map(|t| t.map(&mut f)).collect(),
            results: self.results.iter().map(|t| t.map(&mut f)).collect(),
        }
    }
}

/// A storage type (`storagetype`).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum StorageType<T = TypeIndex> {
    /// Packed 8 bits.
    I8,
    /// Packed 16 bits.
    I16,
    /// A whole value.
    Val(ValType<T>),
}

/// A field type (`fieldtype`).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct FieldType<T = TypeIndex> {
    /// Whether it can be set.
    pub mutable: bool,
    /// What it holds.
    pub storage: StorageType<T>,
}

impl<T> FieldType<T> {
    /// The same field type with its reference translated.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> FieldType<U> {
        let storage = match self.storage {
            StorageType::I8 => StorageType::I8,
            StorageType::I16 => StorageType::I16,
            StorageType::Val(v) => StorageType::Val(v.map(f)),
        };
        FieldType {
            mutable: self.mutable,
            storage,
        }
    }
}

/// A composite type (`comptype`).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum CompositeType<T = TypeIndex> {
    /// `func`.
    Func(FuncType<T>),
    /// `struct`, by its fields.
    Struct(Box<[FieldType<T>]>),
    /// `array`, by its element.
    Array(FieldType<T>),
}

impl<T: Copy> CompositeType<T> {
    /// Which of the three it is.
    pub fn kind(&self) -> CompositeKind {
        match self {
            CompositeType::Func(_) => CompositeKind::Func,
            CompositeType::Struct(_) => CompositeKind::Struct,
            CompositeType::Array(_) => CompositeKind::Array,
        }
    }

    /// The same composite type with every reference translated.
    pub fn map<U>(&self, mut f: impl FnMut(T) -> U) -> CompositeType<U> {
        match self {
            CompositeType::Func(t) => CompositeType::Func(t.map(f)),
            CompositeType::Struct(fields) => {
                CompositeType::Struct(fields.iter().map(|t| t.map(&mut f)).collect())
            }
            CompositeType::Array(t) => CompositeType::Array(t.map(f)),
        }
    }
}

/// A sub type (`subtype`): a composite type with its place in the hierarchy.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SubType<T = TypeIndex> {
    /// Whether it can have no subtypes.
    pub is_final: bool,
    /// Its declared supertype.
    pub supertype: Option<T>,
    /// What it is.
    pub composite: CompositeType<T>,
}

impl<T: Copy> SubType<T> {
    /// The same definition with every reference translated.
    pub fn map<U>(&self, mut f: impl FnMut(T) -> U) -> SubType<U> {
        SubType {
            is_final: self.is_final,
            supertype: self.supertype.map(&mut f),
            composite: self.composite.map(f),
        }
    }

    /// The function type, when it is one.
    pub fn as_func(&self) -> Option<&FuncType<T>> {
        match &self.composite {
            CompositeType::Func(f) => Some(f),
            _ => None,
        }
    }
}

/// Type of the addresses and sizes of a memory or table (`addrtype`).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum AddrType {
    /// 32-bit addresses.
    I32,
    /// 64-bit addresses.
    I64,
}

impl AddrType {
    /// The largest address.
    pub fn max(self) -> u64 {
        match self {
            AddrType::I32 => u32::MAX.into(),
            AddrType::I64 => u64::MAX,
        }
    }
}

/// A memory type (`memtype`). Sizes are in pages.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct MemoryType {
    /// Type of its addresses.
    pub addr: AddrType,
    /// Whether several threads may use it.
    pub shared: bool,
    /// Pages at the start.
    pub min: u64,
    /// Pages at most.
    pub max: Option<u64>,
    /// Binary logarithm of the bytes in a page: 16, or what custom page sizes allow.
    pub page_size_log2: u8,
}

impl MemoryType {
    /// Bytes in a page.
    pub fn page_size(&self) -> u64 {
        1 << self.page_size_log2
    }

    /// Pages that its address type can reach.
    pub fn max_pages_by_addr(&self) -> u64 {
        match self.addr {
            AddrType::I32 => (1u64 << 32) >> self.page_size_log2,
            AddrType::I64 => ((1u128 << 64) >> self.page_size_log2).min(u64::MAX.into()) as u64,
        }
    }

    /// Bytes at the start, or none when they are beyond 64 bits.
    pub fn min_bytes(&self) -> Option<u64> {
        self.min.checked_mul(self.page_size())
    }
}

/// A table type (`tabletype`). Sizes are in elements.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct TableType<T = TypeIndex> {
    /// Type of its indices.
    pub addr: AddrType,
    /// What it holds.
    pub element: RefType<T>,
    /// Elements at the start.
    pub min: u64,
    /// Elements at most.
    pub max: Option<u64>,
}

impl<T> TableType<T> {
    /// The same table type with its reference translated.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> TableType<U> {
        TableType {
            addr: self.addr,
            element: self.element.map(f),
            min: self.min,
            max: self.max,
        }
    }
}

/// A global type (`globaltype`).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct GlobalType<T = TypeIndex> {
    /// Whether it can be set.
    pub mutable: bool,
    /// What it holds.
    pub content: ValType<T>,
}

impl<T> GlobalType<T> {
    /// The same global type with its reference translated.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> GlobalType<U> {
        GlobalType {
            mutable: self.mutable,
            content: self.content.map(f),
        }
    }
}

/// A tag type (`tagtype`).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct TagType<T = TypeIndex> {
    /// The function type whose parameters an exception with this tag carries.
    pub func: T,
}

/// The type of an import or export (`externtype`).
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ExternType<T = TypeIndex> {
    /// A function of a defined type.
    Func(T),
    /// A table.
    Table(TableType<T>),
    /// A memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType<T>),
    /// A tag.
    Tag(TagType<T>),
}

impl<T> ExternType<T> {
    /// The same type with its references translated.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> ExternType<U> {
        match self {
            ExternType::Func(t) => ExternType::Func(f(t)),
            ExternType::Table(t) => ExternType::Table(t.map(f)),
            ExternType::Memory(t) => ExternType::Memory(t),
            ExternType::Global(t) => ExternType::Global(t.map(f)),
            ExternType::Tag(t) => ExternType::Tag(TagType { func: f(t.func) }),
        }
    }
}

impl fmt::Display for CompositeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CompositeKind::Func => "func",
            CompositeKind::Struct => "struct",
            CompositeKind::Array => "array",
        })
    }
}

/// How machine code represents a value: all that trampolines must know of a type.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum ValRepr {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128-bit vector.
    V128,
    /// Pointer to a [`VmFuncRef`](crate::VmFuncRef).
    FuncRef,
    /// 32-bit reference to an object of the store's heap.
    GcRef,
}

impl<T> ValType<T> {
    /// How machine code represents a value of this type.
    pub fn repr(&self) -> ValRepr {
        match self {
            ValType::I32 => ValRepr::I32,
            ValType::I64 => ValRepr::I64,
            ValType::F32 => ValRepr::F32,
            ValType::F64 => ValRepr::F64,
            ValType::V128 => ValRepr::V128,
            ValType::Ref(r) => match r.heap.repr() {
                RefRepr::Func => ValRepr::FuncRef,
                RefRepr::Gc => ValRepr::GcRef,
            },
        }
    }
}

/// A function type as trampolines see it: types of equal signatures share their trampolines.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Signature {
    /// The parameters.
    pub params: Box<[ValRepr]>,
    /// The results.
    pub results: Box<[ValRepr]>,
}

impl<T> FuncType<T> {
    /// Whether functions of this type return values in memory that their caller provides: where there are more than eight results of either class of
    /// registers.
    pub fn results_in_memory(&self) -> bool {
        const REGISTERS: usize = 8;
        let vectors = self
            .results
            .iter()
            .filter(|ty| matches!(ty.repr(), ValRepr::F32 | ValRepr::F64 | ValRepr::V128));
        let vectors = vectors.count();
        vectors > REGISTERS || self.results.len() - vectors > REGISTERS
    }

    /// The signature of this type.
    pub fn signature(&self) -> Signature {
        Signature {
            params: self.params.iter().map(ValType::repr).collect(),
            results: self.results.iter().map(ValType::repr).collect(),
        }
    }
}

/// Value types as an engine knows them.
pub type EngineValType = ValType<TypeId>;
/// Function types as an engine knows them.
pub type EngineFuncType = FuncType<TypeId>;
