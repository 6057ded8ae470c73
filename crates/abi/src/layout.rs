//! Where the arrays of a [`VmContext`] lie, for a module with given counts.
//!
//! The order is: imports, then definitions, then funcrefs. Everything is 8-byte aligned, globals 16.

use crate::*;
use serde::{Deserialize, Serialize};

/// How many of each a module has.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct VmCounts {
    /// Imported functions.
    pub func_imports: u32,
    /// Imported tables.
    pub table_imports: u32,
    /// Imported memories.
    pub memory_imports: u32,
    /// Imported globals.
    pub global_imports: u32,
    /// Imported tags.
    pub tag_imports: u32,
    /// Defined tables.
    pub tables: u32,
    /// Defined memories.
    pub memories: u32,
    /// Defined globals.
    pub globals: u32,
    /// Defined tags.
    pub tags: u32,
    /// Functions that can become funcrefs.
    pub escaped_funcs: u32,
}

/// Offsets in bytes from the start of a [`VmContext`].
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct VmLayout {
    counts: VmCounts,
    func_imports: u32,
    table_imports: u32,
    memory_imports: u32,
    global_imports: u32,
    tag_imports: u32,
    tables: u32,
    memories: u32,
    globals: u32,
    tags: u32,
    func_refs: u32,
    size: u32,
}

/// Hands out space.
struct Cursor(u64);

impl Cursor {
    fn array<T>(&mut self, count: u32) -> u32 {
        self.0 = self.0.next_multiple_of(align_of::<T>() as u64);
        let start = self.0;
        self.0 += u64::from(count) * size_of::<T>() as u64;
        // The decoder limits every count to far less than overflows here.
        u32::try_from(start).expect("counts are limited by the decoder")
    }
}

impl VmLayout {
    /// The layout for these counts.
    ///
    /// # Panics
    ///
    /// When the context would be 2 GiB or larger, which the decoder's limits on counts exclude.
    pub fn new(counts: VmCounts) -> VmLayout {
        let mut at = Cursor(size_of::<VmContext>() as u64);
        let mut layout = VmLayout {
            counts,
            func_imports: at.array::<VmFuncImport>(counts.func_imports),
            table_imports: at.array::<VmTableImport>(counts.table_imports),
            memory_imports: at.array::<VmMemoryImport>(counts.memory_imports),
            global_imports: at.array::<VmGlobalImport>(counts.global_imports),
            tag_imports: at.array::<VmTagImport>(counts.tag_imports),
            tables: at.array::<VmTable>(counts.tables),
            memories: at.array::<VmMemory>(counts.memories),
            globals: at.array::<VmGlobal>(counts.globals),
            tags: at.array::<VmTag>(counts.tags),
            func_refs: at.array::<VmFuncRef>(counts.escaped_funcs),
            size: 0,
        };
        layout.size = at.array::<VmGlobal>(0);
        assert!(
            i32::try_from(layout.size).is_ok(),
            "counts are limited by the decoder"
        );
        layout
    }

    /// The counts it was made for.
    pub fn counts(&self) -> &VmCounts {
        &self.counts
    }

    /// Bytes of the whole context.
    pub fn size(&self) -> u32 {
        self.size
    }
}

fn element<T>(start: u32, count: u32, index: u32) -> u32 {
    assert!(index < count, "index {index} of {count}");
    start + index * size_of::<T>() as u32
}

macro_rules! arrays {
    ($($(#[$doc:meta])* $name:ident($index:ty) $start:ident $count:ident $ty:ty;)*) => {
        impl VmLayout {
            $(
                $(#[$doc])*
                ///
                /// # Panics
                ///
                /// When the index is not below the count.
                pub fn $name(&self, index: $index) -> u32 {
                    element::<$ty>(self.$start, self.counts.$count, index.as_u32())
                }
            )*
        }
    };
}

arrays! {
    /// Offset of an imported function's [`VmFuncImport`].
    func_import(FuncIndex) func_imports func_imports VmFuncImport;
    /// Offset of an imported table's [`VmTableImport`].
    table_import(TableIndex) table_imports table_imports VmTableImport;
    /// Offset of an imported memory's [`VmMemoryImport`].
    memory_import(MemoryIndex) memory_imports memory_imports VmMemoryImport;
    /// Offset of an imported global's [`VmGlobalImport`].
    global_import(GlobalIndex) global_imports global_imports VmGlobalImport;
    /// Offset of an imported tag's [`VmTagImport`].
    tag_import(TagIndex) tag_imports tag_imports VmTagImport;
    /// Offset of a defined table's [`VmTable`].
    table(DefinedTableIndex) tables tables VmTable;
    /// Offset of a defined memory's [`VmMemory`].
    memory(DefinedMemoryIndex) memories memories VmMemory;
    /// Offset of a defined global's [`VmGlobal`].
    global(DefinedGlobalIndex) globals globals VmGlobal;
    /// Offset of a defined tag's [`VmTag`].
    tag(DefinedTagIndex) tags tags VmTag;
    /// Offset of the [`VmFuncRef`] of a function that escapes.
    func_ref(EscapedFuncIndex) func_refs escaped_funcs VmFuncRef;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_do_not_overlap() {
        let layout = VmLayout::new(VmCounts {
            func_imports: 3,
            table_imports: 1,
            memory_imports: 2,
            global_imports: 5,
            tag_imports: 1,
            tables: 2,
            memories: 1,
            globals: 7,
            tags: 1,
            escaped_funcs: 4,
        });
        assert_eq!(
            layout.func_import(FuncIndex::from_u32(0)),
            size_of::<VmContext>() as u32
        );
        let last_import =
            layout.func_import(FuncIndex::from_u32(2)) + size_of::<VmFuncImport>() as u32;
        assert!(last_import <= layout.table_import(TableIndex::from_u32(0)));
        assert!(
            layout.tag(DefinedTagIndex::from_u32(0)) + 8
                <= layout.func_ref(EscapedFuncIndex::from_u32(0))
        );
        assert_eq!(layout.global(DefinedGlobalIndex::from_u32(3)) % 16, 0);
        let last = layout.func_ref(EscapedFuncIndex::from_u32(3)) + size_of::<VmFuncRef>() as u32;
        assert!(last <= layout.size() && layout.size() < last + 16);
    }

    #[test]
    #[should_panic(expected = "index 1 of 1")]
    fn an_index_beyond_the_count_panics() {
        let counts = VmCounts {
            memories: 1,
            ..VmCounts::default()
        };
        VmLayout::new(counts).memory(DefinedMemoryIndex::from_u32(1));
    }
}
