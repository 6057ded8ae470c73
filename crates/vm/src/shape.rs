//! What the runtime must know of a module to make instances of it.
//!
//! Plain data, made once per module by the embedder, shared by its instances. The one idea: everything that does not differ between two
//! instances is here, so that making one is little more than zeroed memory and copied imports.

use crate::bytes::SharedBytes;
use crate::code::CodeRegion;
use crate::image::MemoryImage;
use crate::shared::SharedMemory;
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{PrimaryMap, SecondaryMap};
use meantime_abi::{
    DataIndex, DefinedFuncIndex, DefinedGlobalIndex, DefinedMemoryIndex, DefinedTableIndex,
    ElemIndex, EscapedFuncIndex, FuncIndex, MemoryPlan, MemoryType, RefRepr, TypeId, TypeIndex,
    ValRaw, VmCounts, VmFuncImport, VmGlobalImport, VmLayout, VmMemoryImport, VmTableImport,
    VmTagImport,
};
use std::ops::Range;
use std::sync::Arc;

/// A module, as its instances need it.
///
/// The counts of `layout` equal the lengths of the collections here; [`StoreCore::allocate_instance`](crate::StoreCore::allocate_instance)
/// checks that.
#[derive(Debug)]
pub struct InstanceShape {
    /// Where things lie in a context.
    pub layout: VmLayout,
    /// Machine code; none for an instance without functions of its own.
    pub code: Option<Arc<CodeRegion>>,
    /// Canonical types, by [`TypeIndex`].
    pub type_ids: Box<[TypeId]>,
    /// Types of the defined functions, by [`DefinedFuncIndex`].
    pub func_types: Box<[TypeIndex]>,
    /// Where in the text the trampoline into functions of each type starts, by [`TypeIndex`]; none where the host can never get hold of one.
    /// Empty where the code is asked instead ([`CodeRegion::trampoline`]).
    pub enters: Box<[Option<u32>]>,
    /// Which functions can become funcrefs.
    pub escaped: SecondaryMap<FuncIndex, PackedOption<EscapedFuncIndex>>,
    /// Defined memories.
    pub memories: PrimaryMap<DefinedMemoryIndex, MemoryShape>,
    /// Defined tables.
    pub tables: PrimaryMap<DefinedTableIndex, TableShape>,
    /// Initial values of the defined globals, by [`DefinedGlobalIndex`]; zero where the embedder evaluates them for each instance.
    pub globals: Box<[ValRaw]>,
    /// The globals that hold GC references.
    pub gc_globals: Box<[DefinedGlobalIndex]>,
    /// Types of the defined tags, by `DefinedTagIndex`.
    pub tags: Box<[TypeIndex]>,
    /// Data segments for `memory.init`, as ranges of `data_bytes`; empty for active ones.
    pub data: PrimaryMap<DataIndex, Range<usize>>,
    /// The bytes of the data segments.
    pub data_bytes: SharedBytes,
    /// Element segments for `table.init`.
    pub elems: PrimaryMap<ElemIndex, ElemShape>,
}

impl InstanceShape {
    /// A shape with these counts and nothing else: for what the host makes, which is an instance without code.
    pub fn empty(counts: VmCounts) -> InstanceShape {
        InstanceShape {
            layout: VmLayout::new(counts),
            code: None,
            type_ids: Box::default(),
            func_types: Box::default(),
            enters: Box::default(),
            escaped: SecondaryMap::new(),
            memories: PrimaryMap::new(),
            tables: PrimaryMap::new(),
            globals: Box::default(),
            gc_globals: Box::default(),
            tags: Box::default(),
            data: PrimaryMap::new(),
            data_bytes: SharedBytes::default(),
            elems: PrimaryMap::new(),
        }
    }

    /// # Panics
    ///
    /// When the counts of the layout are not those of the collections.
    pub(crate) fn check(&self) {
        let counts = self.layout.counts();
        let same = |what, count: u32, len: usize| {
            assert_eq!(count as usize, len, "the layout's count of {what}");
        };
        same("tables", counts.tables, self.tables.len());
        same("memories", counts.memories, self.memories.len());
        same("globals", counts.globals, self.globals.len());
        same("tags", counts.tags, self.tags.len());
    }

    /// The type of a defined function.
    pub(crate) fn func_type(&self, func: DefinedFuncIndex) -> TypeIndex {
        self.func_types[func.as_u32() as usize]
    }
}

/// A memory that instances define.
#[derive(Clone, Debug)]
pub struct MemoryShape {
    /// Its type.
    pub ty: MemoryType,
    /// How it lies in the address space.
    pub plan: MemoryPlan,
    /// Bytes reserved beyond a memory that has moved.
    pub growth_reserve: u64,
    /// Its initial contents; zeros without.
    pub image: Option<Arc<MemoryImage>>,
}

/// A table that instances define.
#[derive(Clone, Debug)]
pub struct TableShape {
    /// What its elements are.
    pub repr: RefRepr,
    /// Elements at the start.
    pub min: u64,
    /// Elements at most.
    pub max: Option<u64>,
    /// Whether elements are initialized when they are first used; only for functions.
    pub lazy: bool,
    /// The functions in its first elements at the start; null beyond.
    pub image: Box<[PackedOption<FuncIndex>]>,
}

/// An element segment.
#[derive(Clone, Debug)]
pub enum ElemShape {
    /// Functions of the module, or null. Empty for an active segment.
    Funcs(Box<[PackedOption<FuncIndex>]>),
    /// Values that the embedder evaluates for each instance and gives to [`StoreCore::set_elem`](crate::StoreCore::set_elem).
    Evaluated,
}

/// What an instance imports, each list in the order of its index space.
#[derive(Copy, Clone, Debug, Default)]
pub struct Imports<'a> {
    /// Functions.
    pub funcs: &'a [VmFuncImport],
    /// Tables.
    pub tables: &'a [VmTableImport],
    /// Memories.
    pub memories: &'a [VmMemoryImport],
    /// Globals.
    pub globals: &'a [VmGlobalImport],
    /// Tags.
    pub tags: &'a [VmTagImport],
}

/// What to make an instance of.
#[derive(Clone, Debug)]
pub struct InstanceRequest<'a> {
    /// The module.
    pub shape: Arc<InstanceShape>,
    /// Its imports, which fit the module's.
    pub imports: Imports<'a>,
    /// Existing shared memories to use for defined ones, by [`DefinedMemoryIndex`]; shorter means none for the rest.
    pub shared_memories: &'a [Option<Arc<SharedMemory>>],
}
