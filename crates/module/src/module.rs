//! The validated module: every section as plain data in typed index spaces.
//!
//! It keeps function bodies as byte ranges into the bytes it was decoded from, not as code; and of data segments
//! ranges too. With those bytes it is all that compiling and instantiating need.

use crate::ConstExpr;
use crate::branch_hints::BranchHints;
use crate::names::FuncNames;
use crate::packed;
use meantime_abi::entity::PrimaryMap;
use meantime_abi::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// An item of one of the index spaces.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum EntityIndex {
    /// A function.
    Func(FuncIndex),
    /// A table.
    Table(TableIndex),
    /// A memory.
    Memory(MemoryIndex),
    /// A global.
    Global(GlobalIndex),
    /// A tag.
    Tag(TagIndex),
}

/// An import.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Import {
    /// The name's first part.
    pub module: String,
    /// The name's second part.
    pub name: String,
    /// What it becomes in the module.
    pub index: EntityIndex,
}

/// An export.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// What it exports.
    pub index: EntityIndex,
}

/// A function, imported or defined.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Function {
    /// Its type.
    pub ty: TypeIndex,
    /// Its place among those that can become funcrefs, if it is one.
    pub escaped: Option<EscapedFuncIndex>,
}

/// The body of a defined function.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Body {
    /// Bytes of the body in the module: declarations of locals, then the expression.
    pub range: Range<u32>,
}

/// How a defined table begins.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TableInit {
    /// The value of every element; none is null.
    pub init: Option<ConstExpr>,
    /// The first elements as active segments leave them, where that is known ahead: all in bounds of the table's minimum, by functions of the
    /// module, at constant offsets. Segments that are folded in here are marked so. Elements between them have the value of `init`.
    #[serde(with = "packed")]
    pub image: Box<[Option<FuncIndex>]>,
}

/// Where a segment goes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum SegmentMode<I> {
    /// Into this table or memory at instantiation.
    Active {
        /// The table or memory.
        target: I,
        /// From where on.
        offset: ConstExpr,
        /// Whether the initial image has it already, so that instantiation has nothing to do but to drop the segment. Always so for a first few of
        /// a target's segments and not for those after them. A segment of zeros can be in the image of a memory that has none.
        in_image: bool,
    },
    /// Where an instruction says.
    Passive,
    /// Nowhere; it only declares functions.
    Declared,
}

/// An element segment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Elem {
    /// Type of its elements.
    pub ty: RefType,
    /// Where it goes.
    pub mode: SegmentMode<TableIndex>,
    /// Its elements.
    pub items: ElemItems,
}

/// Elements of an element segment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ElemItems {
    /// Functions; none is null.
    Funcs(#[serde(with = "packed")] Box<[Option<FuncIndex>]>),
    /// Any expressions.
    Exprs(Box<[ConstExpr]>),
}

impl ElemItems {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            ElemItems::Funcs(items) => items.len(),
            ElemItems::Exprs(items) => items.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A data segment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Data {
    /// Where it goes.
    pub mode: SegmentMode<MemoryIndex>,
    /// Its bytes, in the module. Empty in an extracted module where the image has it.
    pub range: Range<u32>,
}

/// The initial contents of a defined memory, where they are known ahead.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MemoryImage {
    /// Address of the first byte, a multiple of 64 KiB or of the page size, whichever is smaller.
    pub start: u64,
    /// Bytes from the first to the last that is not zero, rounded up likewise. At most the memory's minimum.
    pub len: u64,
    /// The segments that it is made of, in order: address and bytes in the module. Later ones overwrite earlier ones. Each lies inside
    /// `start..start + len`; what lies outside of it were zeros.
    pub pieces: Box<[(u64, Range<u32>)]>,
}

/// A custom section.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CustomSection {
    /// Its name.
    pub name: String,
    /// Its contents, in the module.
    pub range: Range<u32>,
}

/// A validated module.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Module {
    pub(crate) name: Option<String>,
    pub(crate) types: PrimaryMap<TypeIndex, SubType>,
    pub(crate) rec_groups: PrimaryMap<RecGroupIndex, Range<u32>>,
    pub(crate) imports: Vec<Import>,
    pub(crate) exports: Vec<Export>,
    #[serde(with = "packed")]
    pub(crate) functions: PrimaryMap<FuncIndex, Function>,
    pub(crate) tables: PrimaryMap<TableIndex, TableType>,
    pub(crate) memories: PrimaryMap<MemoryIndex, MemoryType>,
    pub(crate) globals: PrimaryMap<GlobalIndex, GlobalType>,
    pub(crate) tags: PrimaryMap<TagIndex, TagType>,
    pub(crate) counts: VmCounts,
    #[serde(with = "packed")]
    pub(crate) escaped: PrimaryMap<EscapedFuncIndex, FuncIndex>,
    pub(crate) table_inits: PrimaryMap<DefinedTableIndex, TableInit>,
    pub(crate) global_inits: PrimaryMap<DefinedGlobalIndex, ConstExpr>,
    pub(crate) memory_images: PrimaryMap<DefinedMemoryIndex, Option<MemoryImage>>,
    pub(crate) elems: PrimaryMap<ElemIndex, Elem>,
    pub(crate) datas: PrimaryMap<DataIndex, Data>,
    pub(crate) start: Option<FuncIndex>,
    #[serde(with = "packed")]
    pub(crate) bodies: PrimaryMap<DefinedFuncIndex, Body>,
    pub(crate) func_names: FuncNames,
    pub(crate) branch_hints: BranchHints,
    /// Places in `exports`, by name.
    #[serde(with = "packed")]
    pub(crate) exports_by_name: Vec<u32>,
    pub(crate) custom_sections: Vec<CustomSection>,
    /// Offset of the code section's contents in the module: what DWARF counts from.
    pub(crate) code_section_start: u32,
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident: $ty:ty;)*) => {
        impl Module {
            $($(#[$doc])* pub fn $name(&self) -> &$ty { &self.$name })*
        }
    };
}

getters! {
    /// Type definitions, as the module counts them.
    types: PrimaryMap<TypeIndex, SubType>;
    /// Which types stand in which recursion group: consecutive ranges that cover all types.
    rec_groups: PrimaryMap<RecGroupIndex, Range<u32>>;
    /// Imports, in the module's order.
    imports: Vec<Import>;
    /// Exports, in the module's order.
    exports: Vec<Export>;
    /// Functions.
    functions: PrimaryMap<FuncIndex, Function>;
    /// Tables.
    tables: PrimaryMap<TableIndex, TableType>;
    /// Memories.
    memories: PrimaryMap<MemoryIndex, MemoryType>;
    /// Globals.
    globals: PrimaryMap<GlobalIndex, GlobalType>;
    /// Tags.
    tags: PrimaryMap<TagIndex, TagType>;
    /// How many of each there are.
    counts: VmCounts;
    /// The functions that can become funcrefs.
    escaped: PrimaryMap<EscapedFuncIndex, FuncIndex>;
    /// How defined tables begin.
    table_inits: PrimaryMap<DefinedTableIndex, TableInit>;
    /// How defined globals begin.
    global_inits: PrimaryMap<DefinedGlobalIndex, ConstExpr>;
    /// How defined memories begin, where that is known ahead.
    memory_images: PrimaryMap<DefinedMemoryIndex, Option<MemoryImage>>;
    /// Element segments.
    elems: PrimaryMap<ElemIndex, Elem>;
    /// Data segments.
    datas: PrimaryMap<DataIndex, Data>;
    /// Bodies of defined functions.
    bodies: PrimaryMap<DefinedFuncIndex, Body>;
    /// Custom sections.
    custom_sections: Vec<CustomSection>;
}

macro_rules! defined {
    ($($(#[$doc:meta])* $defined:ident $global:ident($index:ident) -> $defined_index:ident in $imports:ident;)*) => {
        impl Module {
            $(
                $(#[$doc])*
                pub fn $defined(&self, index: $index) -> Option<$defined_index> {
                    let index = index.as_u32().checked_sub(self.counts.$imports)?;
                    Some($defined_index::from_u32(index))
                }

                /// The inverse: the index in the whole index space.
                pub fn $global(&self, index: $defined_index) -> $index {
                    $index::from_u32(index.as_u32() + self.counts.$imports)
                }
            )*
        }
    };
}

defined! {
    /// The index among defined functions, unless it is imported.
    defined_func func_index(FuncIndex) -> DefinedFuncIndex in func_imports;
    /// The index among defined tables, unless it is imported.
    defined_table table_index(TableIndex) -> DefinedTableIndex in table_imports;
    /// The index among defined memories, unless it is imported.
    defined_memory memory_index(MemoryIndex) -> DefinedMemoryIndex in memory_imports;
    /// The index among defined globals, unless it is imported.
    defined_global global_index(GlobalIndex) -> DefinedGlobalIndex in global_imports;
    /// The index among defined tags, unless it is imported.
    defined_tag tag_index(TagIndex) -> DefinedTagIndex in tag_imports;
}

impl Module {
    /// The module's own name, from its name section.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The function to run at the end of instantiation.
    pub fn start(&self) -> Option<FuncIndex> {
        self.start
    }

    /// A function's name, from the name section.
    pub fn func_name(&self, index: FuncIndex) -> Option<&str> {
        self.func_names.get(index)
    }

    /// How many functions have a name in the name section.
    pub fn func_name_count(&self) -> usize {
        self.func_names.len()
    }

    /// The place of an export among [`Module::exports`].
    pub fn export_at(&self, name: &str) -> Option<usize> {
        let by_name = |&at: &u32| self.exports[at as usize].name.as_str().cmp(name);
        let found = self.exports_by_name.binary_search_by(by_name).ok()?;
        Some(self.exports_by_name[found] as usize)
    }

    /// What is exported under a name.
    pub fn export(&self, name: &str) -> Option<EntityIndex> {
        Some(self.exports[self.export_at(name)?].index)
    }

    /// The contents of the first custom section of this name, in the module.
    pub fn custom_section(&self, name: &str) -> Option<Range<u32>> {
        let section = self.custom_sections.iter().find(|s| s.name == name)?;
        Some(section.range.clone())
    }

    /// The type of a function.
    ///
    /// # Panics
    ///
    /// When there is no such function.
    pub fn func_type(&self, index: FuncIndex) -> &FuncType {
        self.type_as_func(self.functions[index].ty)
    }

    /// A type that is known to be a function type.
    ///
    /// # Panics
    ///
    /// When it is another.
    pub fn type_as_func(&self, index: TypeIndex) -> &FuncType {
        self.types[index]
            .as_func()
            .expect("validated: this is a function type")
    }

    /// The type of any item.
    ///
    /// # Panics
    ///
    /// When there is no such item.
    pub fn type_of(&self, index: EntityIndex) -> ExternType {
        match index {
            EntityIndex::Func(i) => ExternType::Func(self.functions[i].ty),
            EntityIndex::Table(i) => ExternType::Table(self.tables[i]),
            EntityIndex::Memory(i) => ExternType::Memory(self.memories[i]),
            EntityIndex::Global(i) => ExternType::Global(self.globals[i]),
            EntityIndex::Tag(i) => ExternType::Tag(self.tags[i]),
        }
    }

    /// Where the code section's contents begin in the module's bytes: what addresses in DWARF count from.
    pub fn code_section_start(&self) -> u32 {
        self.code_section_start
    }

    /// The layout of its instances' contexts.
    pub fn layout(&self) -> VmLayout {
        VmLayout::new(self.counts)
    }
}
