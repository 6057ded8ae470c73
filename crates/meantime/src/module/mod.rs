//! [`Module`]: compiled code with its description, to be instantiated any number of times.
//!
//! The one idea: what is the same for all instances is made here once: machine code, canonical types, the shape of instances with their
//! initial images, and the list of what is left to do for each (`Recipe`).

mod load;
mod new;
mod symbolize;

use crate::instantiate::Recipe;
use crate::tiers::ModuleTiers;
use crate::type_registry::ModuleTypes;
use crate::{Engine, ExportType, ExternType, ImportType, Result};
use core::ops::Range;
use load::Source;
use meantime_abi as abi;
use meantime_abi::{CodePtr, FuncIndex, Trampoline, TypeId, TypeIndex};
use meantime_compile::ArtifactView;
use meantime_module::{Data, EntityIndex, Import};
use meantime_vm as vm;
use std::sync::{Arc, OnceLock, Weak};

/// A compiled WebAssembly module. Cheap to clone; clones are the same module.
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module (memory (export "memory") 1))"#)?;
/// let export = module.exports().next().unwrap();
/// assert_eq!(export.name(), "memory");
/// assert_eq!(export.ty().unwrap_memory().minimum(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Module {
    inner: Arc<ModuleInner>,
}

struct ModuleInner {
    engine: Engine,
    source: Arc<Source>,
    /// What makes its code while it runs.
    tiers: Option<Arc<ModuleTiers>>,
    types: ModuleTypes,
    region: Arc<vm::CodeRegion>,
    shape: Arc<vm::InstanceShape>,
    recipe: Recipe,
    /// Whether its code may come across objects of the heap.
    sees_objects: bool,
    /// Whether the module as it was written has DWARF, kept or not.
    debug_info: bool,
    symbols: OnceLock<Option<symbolize::Symbols>>,
}

impl Drop for ModuleInner {
    fn drop(&mut self) {
        if let Some(tiers) = &self.tiers {
            tiers.keep(&self.region);
        }
    }
}

/// How code finds its module again.
struct CodeOwner(Weak<ModuleInner>);

impl Module {
    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// Its own name, from the name section.
    pub fn name(&self) -> Option<&str> {
        self.env().name()
    }

    /// Its imports, in its order.
    pub fn imports<'module>(
        &'module self,
    ) -> impl ExactSizeIterator<Item = ImportType<'module>> + 'module {
        self.env().imports().iter().map(|import| {
            ImportType::new(
                &import.module,
                &import.name,
                self.import_type(import),
                self.engine(),
            )
        })
    }

    /// Its exports, in its order.
    pub fn exports<'module>(
        &'module self,
    ) -> impl ExactSizeIterator<Item = ExportType<'module>> + 'module {
        self.env().exports().iter().map(|export| {
            let ty = self.env().type_of(export.index).map(|i| self.type_id(i));
            ExportType::new(&export.name, ty, self.engine())
        })
    }

    /// The type of the export with this name, if there is one.
    pub fn get_export(&self, name: &str) -> Option<ExternType> {
        let index = self.env().export(name)?;
        let ty = self.env().type_of(index).map(|i| self.type_id(i));
        Some(ExternType::from_abi(self.engine(), ty))
    }

    /// The export with this name, for a faster look-up in instances.
    pub fn get_export_index(&self, name: &str) -> Option<ModuleExport> {
        let index = self.env().export(name)?;
        Some(ModuleExport {
            module: Arc::as_ptr(&self.inner) as usize,
            index,
        })
    }

    /// What an instance needs, as far as the module alone says.
    pub fn resources_required(&self) -> ResourcesRequired {
        let env = self.env();
        let counts = env.counts();
        let memories = env.memories().values().skip(counts.memory_imports as usize);
        let tables = env.tables().values().skip(counts.table_imports as usize);
        ResourcesRequired {
            num_memories: counts.memories,
            max_initial_memory_size: memories.map(|m| m.min).max(),
            num_tables: counts.tables,
            max_initial_table_size: tables.map(|t| t.min).max(),
        }
    }

    /// The addresses of its code.
    pub fn image_range(&self) -> Range<*const u8> {
        self.text().as_ptr_range()
    }

    /// Its machine code; where that is made while the program runs, what there is so far.
    pub fn text(&self) -> &[u8] {
        let text = self.inner.region.text();
        match self.inner.tiers {
            Some(_) => {
                let last = self.inner.region.functions().last();
                &text[..last.map_or(0, |f| (f.start + f.len) as usize)]
            }
            None => text,
        }
    }

    /// The functions that it defines. One that has no code yet is at offset zero with no length.
    pub fn functions<'a>(&'a self) -> impl ExactSizeIterator<Item = ModuleFunction> + 'a {
        let env = self.env();
        env.bodies().keys().map(move |defined| {
            let index = env.func_index(defined);
            let code = self.func_range(defined);
            ModuleFunction {
                index: index.as_u32(),
                name: env.func_name(index).map(str::to_owned),
                offset: code.start as usize,
                len: code.len(),
            }
        })
    }

    /// Pairs of an offset in [`Module::text`] and the offset in the module's bytes that it comes from, for the instructions that can trap or
    /// call; none when address maps are off.
    pub fn address_map<'a>(&'a self) -> Option<impl Iterator<Item = (usize, Option<u32>)> + 'a> {
        if !self.view().info().tunables.generate_address_map {
            return None;
        }
        let region = &self.inner.region;
        Some(region.functions().iter().flat_map(move |entry| {
            let start = entry.start as usize;
            let table = region.side_table(entry);
            table.into_iter().flat_map(move |table| {
                table
                    .points()
                    .map(move |p| (start + p.code_offset as usize, p.wasm_offset))
            })
        }))
    }

    /// Makes the copy-on-write images of its memories now, which otherwise happens at the first instantiation.
    ///
    /// # Errors
    ///
    /// None today: where the system refuses, images are copied.
    pub fn initialize_copy_on_write_image(&self) -> Result<()> {
        for memory in self.inner.shape.memories.values() {
            if let Some(image) = &memory.image {
                image.prepare();
            }
        }
        Ok(())
    }

    /// Writes what was optimized so far to the engine's cache, if it has one and there is something new. Otherwise that happens when the last handle of the
    /// module is dropped: for programs that end without. Meantime's own.
    pub fn update_cache(&self) {
        if let Some(tiers) = &self.inner.tiers {
            tiers.keep(&self.inner.region);
        }
    }

    /// Whether both are the same compiled module.
    pub fn same(a: &Module, b: &Module) -> bool {
        Arc::ptr_eq(&a.inner, &b.inner)
    }

    /// Where the newest code of a function is in the text.
    fn func_range(&self, func: abi::DefinedFuncIndex) -> Range<u32> {
        let key = abi::FuncKey::Func(func);
        match self.inner.tiers {
            Some(_) => {
                let functions = self.inner.region.functions().iter();
                let newest = functions.rev().find(|f| f.key == key);
                newest.map_or(0..0, |f| f.start..f.start + f.len)
            }
            None => self.view().func(func).code,
        }
    }

    /// What makes its code while it runs.
    pub(crate) fn tiers(&self) -> Option<&ModuleTiers> {
        self.inner.tiers.as_deref()
    }

    pub(crate) fn view(&self) -> ArtifactView<'_> {
        self.inner.source.view()
    }

    /// The module's description.
    pub(crate) fn env(&self) -> &meantime_module::Module {
        self.view().module()
    }

    /// The canonical type of one of the module's.
    pub(crate) fn types(&self) -> &ModuleTypes {
        &self.inner.types
    }

    /// Tells modules apart as long as they live.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }

    /// Whether its code may come across objects of the heap, its own or others', so that there must be a heap to look them up in.
    pub(crate) fn sees_objects(&self) -> bool {
        self.inner.sees_objects
    }

    pub(crate) fn type_id(&self, index: TypeIndex) -> TypeId {
        self.inner.types.id(index)
    }

    pub(crate) fn import_type(&self, import: &Import) -> abi::ExternType<TypeId> {
        self.env().type_of(import.index).map(|i| self.type_id(i))
    }

    pub(crate) fn shape(&self) -> &Arc<vm::InstanceShape> {
        &self.inner.shape
    }

    pub(crate) fn code(&self) -> &Arc<vm::CodeRegion> {
        &self.inner.region
    }

    pub(crate) fn recipe(&self) -> &Recipe {
        &self.inner.recipe
    }

    pub(crate) fn data(&self, data: &Data) -> &[u8] {
        &self.view().data()[data.range.start as usize..data.range.end as usize]
    }

    /// The trampoline to host functions of an imported function's type.
    pub(crate) fn host_trampoline(&self, import: &Import) -> CodePtr {
        let EntityIndex::Func(func) = import.index else {
            unreachable!("only functions are called");
        };
        let ty = self.env().functions()[func].ty;
        let code = match self.inner.tiers {
            Some(_) => self.inner.region.trampoline(Trampoline::Host, ty),
            None => {
                let record = self.view().trampoline(Trampoline::Host, ty);
                record.map(|r| self.text()[r.code.start as usize..].as_ptr())
            }
        };
        code.expect("there is a trampoline for every imported function's type")
    }

    /// The module whose code this is.
    pub(crate) fn of_code(region: &vm::CodeRegion) -> Option<Module> {
        let owner = region.owner().downcast_ref::<CodeOwner>()?;
        Some(Module {
            inner: owner.0.upgrade()?,
        })
    }

    pub(crate) fn func_name(&self, func: FuncIndex) -> Option<&str> {
        self.env().func_name(func)
    }

    /// Where a function's body starts in the module's bytes.
    pub(crate) fn func_start(&self, func: FuncIndex) -> Option<u32> {
        let defined = self.env().defined_func(func)?;
        Some(self.env().bodies()[defined].range.start)
    }

    pub(crate) fn has_debug_info(&self) -> bool {
        self.inner.debug_info
    }

    /// The source positions of an offset in the module's bytes, innermost inlined function first.
    pub(crate) fn symbolize(&self, offset: u32) -> Vec<crate::FrameSymbol> {
        let symbols = self
            .inner
            .symbols
            .get_or_init(|| symbolize::Symbols::new(self.view()));
        symbols
            .as_ref()
            .map_or(Vec::new(), |symbols| symbols.find(self.env(), offset))
    }
}

impl core::fmt::Debug for Module {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Module")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// An export of a module, looked up once.
#[derive(Clone, Copy)]
pub struct ModuleExport {
    module: usize,
    index: EntityIndex,
}

impl ModuleExport {
    pub(crate) fn is_of(&self, module: &Module) -> bool {
        self.module == Arc::as_ptr(&module.inner) as usize
    }

    pub(crate) fn index(&self) -> EntityIndex {
        self.index
    }
}

/// A function that a module defines, as [`Module::functions`] lists it.
#[derive(Clone, Debug)]
pub struct ModuleFunction {
    /// Its index among all functions of the module.
    pub index: u32,
    /// Its name, from the name section.
    pub name: Option<String>,
    /// Where its code starts in [`Module::text`], in bytes.
    pub offset: usize,
    /// Bytes of its code.
    pub len: usize,
}

/// What an instance of a module needs.
#[derive(Clone, Debug)]
pub struct ResourcesRequired {
    /// How many memories it defines.
    pub num_memories: u32,
    /// Pages of the largest of those at the start.
    pub max_initial_memory_size: Option<u64>,
    /// How many tables it defines.
    pub num_tables: u32,
    /// Elements of the largest of those at the start.
    pub max_initial_table_size: Option<u64>,
}
