//! The artifact: a compiled module with all that loading and instantiating it needs.
//!
//! The one idea: an artifact in memory and one in a file are read through the same [`ArtifactView`], which borrows and copies nothing, so
//! that what runs does not know where its code came from.

use crate::records::{FuncTable, TrampolineTable};
use crate::{ArtifactInfo, FuncRecord};
use meantime_abi::{
    DataIndex, DefinedFuncIndex, DefinedMemoryIndex, FuncKey, SideTable, SideTableError, Signature,
    Trampoline, TypeIndex,
};
use meantime_module::Module;
use std::borrow::Cow;
use std::ops::Range;

/// A compiled module in memory.
#[derive(Clone, PartialEq, Debug)]
pub struct Artifact {
    pub(crate) info: ArtifactInfo,
    pub(crate) module: Module,
    pub(crate) text: Vec<u8>,
    pub(crate) funcs: Vec<u8>,
    pub(crate) trampolines: Vec<u8>,
    pub(crate) side: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

impl Artifact {
    /// The view through which it is read.
    pub fn view(&self) -> ArtifactView<'_> {
        self.view_with(&self.text)
    }

    /// The view of one whose code is elsewhere: see [`compile_module_into`](crate::compile_module_into).
    pub fn view_with<'a>(&'a self, text: &'a [u8]) -> ArtifactView<'a> {
        ArtifactView {
            info: &self.info,
            module: &self.module,
            text,
            funcs: FuncTable::new(&self.funcs),
            trampolines: TrampolineTable::new(&self.trampolines),
            side: &self.side,
            data: &self.data,
        }
    }

    /// The module. Its ranges of data segments, images and custom sections point into [`ArtifactView::data`].
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// What it was made with.
    pub fn info(&self) -> &ArtifactInfo {
        &self.info
    }
}

/// A compiled module, wherever it is.
#[derive(Copy, Clone, Debug)]
pub struct ArtifactView<'a> {
    pub(crate) info: &'a ArtifactInfo,
    pub(crate) module: &'a Module,
    pub(crate) text: &'a [u8],
    pub(crate) funcs: FuncTable<'a>,
    pub(crate) trampolines: TrampolineTable<'a>,
    pub(crate) side: &'a [u8],
    pub(crate) data: &'a [u8],
}

impl<'a> ArtifactView<'a> {
    /// What it was made with.
    pub fn info(&self) -> &'a ArtifactInfo {
        self.info
    }

    /// The module. Its ranges of data segments, images and custom sections point into [`ArtifactView::data`]; those of bodies into the
    /// bytes it was compiled from, which are not kept.
    pub fn module(&self) -> &'a Module {
        self.module
    }

    /// The machine code. Position-independent; nothing is left to patch.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// What ranges of the module point into.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Every piece of code. The first are the defined functions, in order; trampolines follow.
    pub fn funcs(&self) -> FuncTable<'a> {
        self.funcs
    }

    /// The code of a defined function.
    ///
    /// # Panics
    ///
    /// When there is no such function.
    pub fn func(&self, func: DefinedFuncIndex) -> FuncRecord {
        let record = self.funcs.get(func.as_u32() as usize);
        record.expect("every defined function has a record")
    }

    /// The piece of code that holds this offset of the text. Allocates nothing and takes no lock.
    pub fn find(&self, text_offset: u32) -> Option<FuncRecord> {
        self.funcs.find(text_offset)
    }

    /// The bytes of all side tables, into which [`FuncRecord::side`] points.
    pub fn side_tables(&self) -> &'a [u8] {
        self.side
    }

    /// The side table of a piece of code. Allocates nothing and takes no lock.
    ///
    /// # Errors
    ///
    /// When the bytes are not a side table, as in a damaged file, or the piece has none.
    pub fn side_table(&self, record: &FuncRecord) -> Result<SideTable<'a>, SideTableError> {
        let range = record.side.start as usize..record.side.end as usize;
        SideTable::new(self.side.get(range).ok_or(SideTableError)?)
    }

    /// The trampoline of this kind for the signature of a type, where the module needs one: see [`compile_module`](crate::compile_module).
    pub fn trampoline(&self, kind: Trampoline, ty: TypeIndex) -> Option<FuncRecord> {
        self.funcs.get(self.trampolines.record(kind, ty)?)
    }

    /// The trampoline of this kind for a signature. Looks at every trampoline of the module.
    pub fn trampoline_for(&self, kind: Trampoline, signature: &Signature) -> Option<FuncRecord> {
        let found = self.trampolines().find(|(k, ty, _)| {
            *k == kind && self.module.type_as_func(*ty).signature() == *signature
        });
        found.map(|(_, _, record)| record)
    }

    /// Every trampoline, with the first type that has its signature.
    pub fn trampolines(
        &self,
    ) -> impl Iterator<Item = (Trampoline, TypeIndex, FuncRecord)> + use<'a> {
        let (funcs, first) = (self.funcs, self.module.bodies().len());
        (first..funcs.len()).filter_map(move |i| {
            let record = funcs.get(i)?;
            match record.key {
                FuncKey::Trampoline(kind, ty) => Some((kind, ty, record)),
                FuncKey::Func(_) => None,
            }
        })
    }

    /// The initial contents of a memory, from its image's `start` on. Borrowed when they stand ready, as in a file.
    pub fn memory_image(&self, memory: DefinedMemoryIndex) -> Option<Cow<'a, [u8]>> {
        let image = self.module.memory_images()[memory].as_ref()?;
        Some(image.bytes(self.data))
    }

    /// Where in [`ArtifactView::data`] the initial contents of a memory stand ready; in a file from a page's start on.
    pub fn memory_image_range(&self, memory: DefinedMemoryIndex) -> Option<Range<usize>> {
        let image = self.module.memory_images()[memory].as_ref()?;
        let range = image.as_one_piece()?;
        Some(range.start as usize..range.end as usize)
    }

    /// The bytes of a data segment. None are left of one that is in a memory's image.
    ///
    /// # Panics
    ///
    /// When there is no such segment.
    pub fn data_segment(&self, data: DataIndex) -> &'a [u8] {
        let range = &self.module.datas()[data].range;
        &self.data[range.start as usize..range.end as usize]
    }

    /// The contents of the first custom section of this name, if it was kept.
    pub fn custom_section(&self, name: &str) -> Option<&'a [u8]> {
        let range = self.module.custom_section(name)?;
        Some(&self.data[range.start as usize..range.end as usize])
    }

    /// Every piece of code by name, in the order of the text: what a disassembler lists.
    pub fn symbols(&self) -> impl ExactSizeIterator<Item = Symbol<'a>> + use<'a> {
        let view = *self;
        self.funcs.iter().map(move |record| Symbol {
            name: symbol_name(view.module, record.key),
            code: &view.text[record.code.start as usize..record.code.end as usize],
            side_table: view.side_table(&record).ok(),
            record,
        })
    }
}

/// A named piece of code.
#[derive(Clone, Debug)]
pub struct Symbol<'a> {
    /// Its name, as in the file's symbol table.
    pub name: String,
    /// What it is and where.
    pub record: FuncRecord,
    /// Its machine code.
    pub code: &'a [u8],
    /// What is known of its instructions.
    pub side_table: Option<SideTable<'a>>,
}

/// The longest name that is shown of a function; modules are free to have any.
const MAX_NAME: usize = 1024;

/// The name of a piece of code in symbol tables. A function's own name is shown without what would confuse a reader of such tables.
pub(crate) fn symbol_name(module: &Module, key: FuncKey) -> String {
    match key {
        FuncKey::Func(func) => {
            let index = module.func_index(func);
            let number = index.as_u32();
            match module.func_name(index) {
                Some(name) => {
                    let shown = |c: char| if c.is_control() { '?' } else { c };
                    let name: String = name.chars().take(MAX_NAME).map(shown).collect();
                    format!("wasm[0]::function[{number}]::{name}")
                }
                None => format!("wasm[0]::function[{number}]"),
            }
        }
        FuncKey::Trampoline(Trampoline::Enter, ty) => {
            format!("wasm[0]::enter[{}]", ty.as_u32())
        }
        FuncKey::Trampoline(Trampoline::Host, ty) => format!("wasm[0]::host[{}]", ty.as_u32()),
    }
}
