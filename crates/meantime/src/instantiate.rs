//! Instantiation (section "Instantiation" of the specification), as a list of steps.
//!
//! The one idea: everything that can be known from the module alone was done when it was loaded. What is left for each instance
//! is to allocate it with its imports, to evaluate what depends on imports, to apply the segments that were not folded into images, and to start it.

use crate::const_expr::{constant, evaluate};
use crate::func::HostFunc;
use crate::store::{Counts, Owner, StoreOpaque};
use crate::types::matching;
use crate::{Engine, Error, Extern, Func, Instance, Module, Result, ValRaw, bail};
use core::ptr::NonNull;
use meantime_abi::{
    ElemIndex, FuncIndex, RefRepr, RefType, VmFuncImport, VmFuncRef, VmGlobalImport,
    VmMemoryImport, VmTableImport, VmTagImport,
};
use meantime_module::{ConstExpr, ElemItems, Import, SegmentMode};
use meantime_vm as vm;
use smallvec::SmallVec;
use std::sync::Arc;

/// What is given for an import, of the right type.
#[derive(Clone)]
pub(crate) enum ResolvedImport {
    /// An object of a store.
    Extern(Extern),
    /// A host function for any store of the engine.
    Host(Arc<HostFunc>),
}

/// Checks what is given for a module's imports.
pub(crate) fn typecheck(
    store: &StoreOpaque,
    module: &Module,
    given: &[Extern],
) -> Result<SmallVec<[ResolvedImport; 4]>> {
    let imports = module.env().imports();
    if imports.len() != given.len() {
        bail!("expected {} imports, found {}", imports.len(), given.len());
    }
    imports
        .iter()
        .zip(given)
        .map(|(import, item)| {
            if !item.belongs_to(store) {
                bail!("cross-`Store` instantiation is not currently supported");
            }
            check_import(store, module, import, item)?;
            Ok(ResolvedImport::Extern(item.clone()))
        })
        .collect()
}

/// Checks one import against an object of a store.
pub(crate) fn check_import(
    store: &StoreOpaque,
    module: &Module,
    import: &Import,
    item: &Extern,
) -> Result<()> {
    let expected = module.import_type(import);
    let (actual, size) = item.abi_ty(store);
    matching::import(module.engine(), &expected, &actual, size).map_err(|e| in_import(import, e))
}

/// Checks one import against a host function.
pub(crate) fn check_host_import(module: &Module, import: &Import, func: &HostFunc) -> Result<()> {
    let expected = module.import_type(import);
    let actual = meantime_abi::ExternType::Func(func.ty().id());
    matching::import(module.engine(), &expected, &actual, None).map_err(|e| in_import(import, e))
}

fn in_import(import: &Import, error: Error) -> Error {
    error.context(format!(
        "incompatible import type for `{}::{}`",
        import.module, import.name
    ))
}

/// Makes an instance from imports of the right types.
pub(crate) fn instantiate(
    store: &mut StoreOpaque,
    module: &Module,
    imports: &[ResolvedImport],
) -> Result<Instance> {
    assert!(
        Engine::same(store.engine(), module.engine()),
        "cannot instantiate a module in a store of another engine"
    );
    store.admit_module(module)?;
    let id = allocate(store, module, imports)?;
    if !module.recipe().is_trivial() {
        // Values of expressions are held where no collection would find them.
        initialize(Uncollected::begin(store).0, module, id)?;
    }
    start(store, module, id)?;
    Ok(Instance::from_id(store, id))
}

/// A store without collections, until this is dropped: also when the embedder's limiter panics.
struct Uncollected<'a>(&'a mut StoreOpaque);

impl Uncollected<'_> {
    fn begin(store: &mut StoreOpaque) -> Uncollected<'_> {
        store.set_collecting(false);
        Uncollected(store)
    }
}

impl Drop for Uncollected<'_> {
    fn drop(&mut self) {
        self.0.set_collecting(true);
    }
}

/// Gives the instance what its module says and images did not.
fn initialize(store: &mut StoreOpaque, module: &Module, id: vm::InstanceId) -> Result<()> {
    evaluate_globals(store, module, id)?;
    fill_tables(store, module, id)?;
    evaluate_elems(store, module, id)?;
    apply_elems(store, module, id)?;
    apply_datas(store, module, id)
}

/// Allocates the instance, with memories and tables as their images say.
fn allocate(
    store: &mut StoreOpaque,
    module: &Module,
    imports: &[ResolvedImport],
) -> Result<vm::InstanceId> {
    let counts = module.env().counts();
    store.reserve(Counts {
        instances: 1,
        memories: counts.memories as usize,
        tables: counts.tables as usize,
    })?;
    let mut lists = ImportLists::default();
    for (import, given) in module.env().imports().iter().zip(imports) {
        lists.push(store, module, import, given)?;
    }
    store.allocate(
        Owner::Module(module.clone()),
        vm::InstanceRequest {
            shape: module.shape().clone(),
            imports: vm::Imports {
                funcs: &lists.funcs,
                tables: &lists.tables,
                memories: &lists.memories,
                globals: &lists.globals,
                tags: &lists.tags,
            },
            shared_memories: &[],
        },
    )
}

#[allow(unsafe_code)]
fn func_import(func: NonNull<VmFuncRef>) -> VmFuncImport {
    // SAFETY: the funcref was taken from a handle of this store.
    unsafe { vm::StoreCore::func_import(func) }
}

/// Imports, as `vm` takes them.
#[derive(Default)]
struct ImportLists {
    funcs: SmallVec<[VmFuncImport; 16]>,
    tables: SmallVec<[VmTableImport; 1]>,
    memories: SmallVec<[VmMemoryImport; 1]>,
    globals: SmallVec<[VmGlobalImport; 4]>,
    tags: SmallVec<[VmTagImport; 1]>,
}

impl ImportLists {
    fn push(
        &mut self,
        store: &mut StoreOpaque,
        module: &Module,
        import: &Import,
        given: &ResolvedImport,
    ) -> Result<()> {
        let item = match given {
            ResolvedImport::Host(func) => {
                let code = module.host_trampoline(import);
                let func = func.in_store_with_code(store, code);
                self.funcs.push(func_import(func.func_ref(store)));
                return Ok(());
            }
            ResolvedImport::Extern(item) => item,
        };
        match item {
            Extern::Func(func) => {
                prepare(store, module, import, func)?;
                self.funcs.push(func_import(func.func_ref(store)));
            }
            Extern::Table(item) => self.tables.push(store.vm().table_import(item.id(store))),
            Extern::Memory(item) => self.memories.push(store.vm().memory_import(item.id(store))),
            Extern::SharedMemory(item) => {
                let id = item.in_store(store)?;
                self.memories.push(store.vm().memory_import(id));
            }
            Extern::Global(item) => self.globals.push(store.vm().global_import(item.id(store))),
            Extern::Tag(item) => self.tags.push(store.vm().tag_import(item.id(store))),
        }
        Ok(())
    }
}

/// A host function that no guest could reach yet takes its trampoline from the module that imports it.
#[allow(unsafe_code)]
fn prepare(store: &mut StoreOpaque, module: &Module, import: &Import, func: &Func) -> Result<()> {
    let func_ref = func.func_ref(store);
    // SAFETY: functions live as long as their store. The trampoline is for the type that the import was checked to have (equal types have equal
    // signatures, subtypes too), and its code is kept as long as the store, even if instantiation fails.
    unsafe {
        if func_ref.as_ref().code.is_null() {
            store.vm_mut().keep_alive(module.code().clone());
            vm::StoreCore::set_host_code(func_ref, module.host_trampoline(import));
        }
    }
    Ok(())
}

/// Evaluates the globals whose value is not a constant.
#[allow(unsafe_code)]
fn evaluate_globals(store: &mut StoreOpaque, module: &Module, id: vm::InstanceId) -> Result<()> {
    for &index in &module.recipe().globals {
        let expr = &module.env().global_inits()[index];
        let value = evaluate(store, module, id, expr)?;
        let global = store.vm().global(vm::GlobalId {
            instance: id,
            index,
        });
        // SAFETY: the instance was just made and no guest runs.
        unsafe { (*global).0 = value };
    }
    Ok(())
}

/// Fills tables whose elements do not start as null.
fn fill_tables(store: &mut StoreOpaque, module: &Module, id: vm::InstanceId) -> Result<()> {
    for &index in &module.recipe().tables {
        let env = module.env();
        let Some(init) = &env.table_inits()[index].init else {
            continue;
        };
        let ty = env.tables()[env.table_index(index)];
        let value = evaluate(store, module, id, init)?;
        let table = vm::TableId {
            instance: id,
            index,
        };
        store
            .vm_mut()
            .table_fill(table, 0, element(&ty.element, value), ty.min)?;
        // The image comes over it.
        let image: Vec<_> = env.table_inits()[index].image.to_vec();
        for (at, func) in image.into_iter().enumerate() {
            if let Some(func) = func {
                let func = store.vm_mut().func_ref(id, func);
                store
                    .vm_mut()
                    .table_set(table, at as u64, vm::TableElement::Func(Some(func)))?;
            }
        }
    }
    Ok(())
}

/// Evaluates the passive element segments that are not lists of functions.
fn evaluate_elems(store: &mut StoreOpaque, module: &Module, id: vm::InstanceId) -> Result<()> {
    for &index in &module.recipe().elems_to_evaluate {
        evaluate_elem(store, module, id, index)?;
    }
    Ok(())
}

fn evaluate_elem(
    store: &mut StoreOpaque,
    module: &Module,
    id: vm::InstanceId,
    index: ElemIndex,
) -> Result<()> {
    let elem = &module.env().elems()[index];
    let ElemItems::Exprs(items) = &elem.items else {
        return Ok(());
    };
    let items = items
        .iter()
        .map(|e| Ok(element(&elem.ty, evaluate(store, module, id, e)?)));
    let items = items.collect::<Result<Vec<_>>>()?;
    store.vm_mut().set_elem(id, index, items);
    Ok(())
}

/// Applies the active element segments that are in no image, in order.
fn apply_elems(store: &mut StoreOpaque, module: &Module, id: vm::InstanceId) -> Result<()> {
    for &index in &module.recipe().active_elems {
        let elem = &module.env().elems()[index];
        let SegmentMode::Active { target, offset, .. } = &elem.mode else {
            continue;
        };
        let offset = evaluate_address(store, module, id, offset)?;
        let table = store.vm().table_id(id, *target);
        match &elem.items {
            ElemItems::Funcs(_) => {
                let funcs = module.recipe().funcs_of(index);
                store.vm_mut().table_init_funcs(table, id, offset, funcs)?;
            }
            ElemItems::Exprs(items) => {
                let len = items.len() as u64;
                evaluate_elem(store, module, id, index)?;
                let result = store.vm_mut().table_init(table, id, index, offset, 0, len);
                store.vm_mut().elem_drop(id, index);
                result?;
            }
        }
    }
    Ok(())
}

/// Applies the active data segments that are in no image, in order.
fn apply_datas(store: &mut StoreOpaque, module: &Module, id: vm::InstanceId) -> Result<()> {
    for &index in &module.recipe().active_datas {
        let data = &module.env().datas()[index];
        let SegmentMode::Active { target, offset, .. } = &data.mode else {
            continue;
        };
        let offset = evaluate_address(store, module, id, offset)?;
        let memory = store.vm().memory_id(id, *target);
        store
            .vm_mut()
            .memory_write(memory, offset, module.data(data))?;
    }
    Ok(())
}

/// Calls the start function.
#[allow(unsafe_code)]
fn start(store: &mut StoreOpaque, module: &Module, id: vm::InstanceId) -> Result<()> {
    let Some(index) = module.env().start() else {
        return Ok(());
    };
    let func_ref = store.vm_mut().func_ref(id, index);
    // SAFETY: validated: the start function has neither parameters nor results.
    unsafe { Func::from_func_ref(store, func_ref).call_raw(store, &mut []) }
}

/// An address or index: unsigned, of 32 or 64 bits.
fn evaluate_address(
    store: &mut StoreOpaque,
    module: &Module,
    id: vm::InstanceId,
    expr: &ConstExpr,
) -> Result<u64> {
    let value = evaluate(store, module, id, expr)?;
    // Every 32-bit value is written to a slot of zeros, so that the upper half is zero.
    Ok(value.get_u64())
}

fn element(ty: &RefType, value: ValRaw) -> vm::TableElement {
    match ty.heap.repr() {
        RefRepr::Func => vm::TableElement::Func(NonNull::new(value.get_funcref().cast())),
        RefRepr::Gc => vm::TableElement::Gc(vm::GcRef::from_bits(value.get_gc_ref())),
    }
}

/// What instantiation has to do for a module beyond allocating.
#[derive(Default)]
pub(crate) struct Recipe {
    /// Globals whose value is not a constant.
    pub(crate) globals: Vec<meantime_abi::DefinedGlobalIndex>,
    /// Tables whose elements do not start as null.
    pub(crate) tables: Vec<meantime_abi::DefinedTableIndex>,
    /// Passive element segments of expressions.
    pub(crate) elems_to_evaluate: Vec<ElemIndex>,
    /// Active element segments in no image.
    pub(crate) active_elems: Vec<ElemIndex>,
    /// The functions of those, where they are lists of functions.
    funcs: Vec<(ElemIndex, Vec<PackedFunc>)>,
    /// Active data segments in no image.
    pub(crate) active_datas: Vec<meantime_abi::DataIndex>,
}

type PackedFunc = meantime_abi::entity::packed_option::PackedOption<FuncIndex>;

impl Recipe {
    /// What a module needs.
    pub(crate) fn new(module: &meantime_module::Module) -> Recipe {
        let mut recipe = Recipe::default();
        for (index, init) in module.global_inits() {
            if constant(init).is_none() {
                recipe.globals.push(index);
            }
        }
        for (index, init) in module.table_inits() {
            if init.init.is_some() {
                recipe.tables.push(index);
            }
        }
        for (index, elem) in module.elems() {
            match (&elem.mode, &elem.items) {
                (
                    SegmentMode::Active {
                        in_image: false, ..
                    },
                    items,
                ) => {
                    recipe.active_elems.push(index);
                    if let ElemItems::Funcs(funcs) = items {
                        let funcs = funcs.iter().map(|f| (*f).into()).collect();
                        recipe.funcs.push((index, funcs));
                    }
                }
                (SegmentMode::Passive, ElemItems::Exprs(_)) => recipe.elems_to_evaluate.push(index),
                _ => {}
            }
        }
        for (index, data) in module.datas() {
            if matches!(
                data.mode,
                SegmentMode::Active {
                    in_image: false,
                    ..
                }
            ) {
                recipe.active_datas.push(index);
            }
        }
        recipe
    }

    fn is_trivial(&self) -> bool {
        self.globals.is_empty()
            && self.tables.is_empty()
            && self.elems_to_evaluate.is_empty()
            && self.active_elems.is_empty()
            && self.active_datas.is_empty()
    }

    fn funcs_of(&self, index: ElemIndex) -> &[PackedFunc] {
        let at = self.funcs.binary_search_by_key(&index, |(i, _)| *i);
        at.map_or(&[], |at| &self.funcs[at].1)
    }
}
