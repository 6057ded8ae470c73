//! [`Instance`]: a module in a store, with its memories, tables and globals, ready to be called.

use crate::instantiate::{self, ResolvedImport};
use crate::store::{Owner, StoreId, StoreOpaque};
use crate::{
    AsContext, AsContextMut, Extern, ExternType, Func, Global, Memory, Module, ModuleExport,
    Result, SharedMemory, StoreContext, StoreContextMut, Table, Tag, TypedFunc, WasmParams,
    WasmResults, format_err,
};
use core::marker::PhantomData;
use meantime_module::EntityIndex;
use meantime_vm as vm;
use std::sync::Arc;

/// An instance of a module. Belongs to its store and panics when it is used with another.
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(
///     &engine,
///     r#"(module (func (export "add") (param i32 i32) (result i32)
///            (i32.add (local.get 0) (local.get 1))))"#,
/// )?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add")?;
/// assert_eq!(add.call(&mut store, (20, 22))?, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Instance {
    store: StoreId,
    id: vm::InstanceId,
}

impl Instance {
    /// Instantiates a module with these imports, in its order, and runs its start function.
    ///
    /// # Errors
    ///
    /// When imports are too many, too few or of other types than the module declares; when a segment does not fit or the start function
    /// traps (the error can be downcast to [`Trap`](crate::Trap)); when the machine or the store's limiter have not the room.
    ///
    /// # Panics
    ///
    /// When an import belongs to another store, or the module to another engine.
    pub fn new(
        mut store: impl AsContextMut,
        module: &Module,
        imports: &[Extern],
    ) -> Result<Instance> {
        let store = store.as_context_mut().0.opaque_mut();
        let resolved = instantiate::typecheck(store, module, imports)?;
        instantiate::instantiate(store, module, &resolved)
    }

    pub(crate) fn from_id(store: &StoreOpaque, id: vm::InstanceId) -> Instance {
        Instance {
            store: store.id(),
            id,
        }
    }

    /// The module that it is an instance of.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn module<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a Module {
        self.load_module(store.into().0.opaque())
    }

    fn load_module<'a>(&self, store: &'a StoreOpaque) -> &'a Module {
        self.store.check(store);
        match store.owner_of(self.id) {
            Owner::Module(module) => module,
            Owner::Host(_) => {
                unreachable!("handles of instances are only made of modules' instances")
            }
        }
    }

    /// Everything that it exports, in the module's order.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn exports<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> impl ExactSizeIterator<Item = Export<'a>> + 'a {
        let store = store.into().0.opaque_mut();
        let module = self.load_module(store).clone();
        let items: Vec<Extern> = module
            .env()
            .exports()
            .iter()
            .map(|e| self.item(store, e.index))
            .collect();
        let store = &*store;
        let names = self.load_module(store).env().exports().iter();
        names
            .zip(items)
            .map(|(export, item)| Export::new(&export.name, item))
    }

    /// What it exports under this name.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get_export(&self, mut store: impl AsContextMut, name: &str) -> Option<Extern> {
        self.export_by_name(store.as_context_mut().0.opaque_mut(), name)
    }

    pub(crate) fn export_by_name(&self, store: &mut StoreOpaque, name: &str) -> Option<Extern> {
        let index = self.load_module(store).env().export(name)?;
        Some(self.item(store, index))
    }

    /// What it exports, by a name that was looked up in the module before.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get_module_export(
        &self,
        mut store: impl AsContextMut,
        export: &ModuleExport,
    ) -> Option<Extern> {
        let store = store.as_context_mut().0.opaque_mut();
        if !export.is_of(self.load_module(store)) {
            return None;
        }
        Some(self.item(store, export.index()))
    }

    /// An item of the instance as a handle.
    fn item(&self, store: &mut StoreOpaque, index: EntityIndex) -> Extern {
        let id = self.id;
        match index {
            EntityIndex::Func(i) => {
                let func_ref = store.vm_mut().func_ref(id, i);
                Func::from_func_ref(store, func_ref).into()
            }
            EntityIndex::Table(i) => Table::from_id(store, store.vm().table_id(id, i)).into(),
            EntityIndex::Memory(i) => {
                let memory = store.vm().memory_id(id, i);
                match store.vm().memory(memory).shared() {
                    Some(shared) => SharedMemory::from_vm(store.engine(), shared).into(),
                    None => Memory::from_id(store, memory).into(),
                }
            }
            EntityIndex::Global(i) => Global::from_id(store, store.vm().global_id(id, i)).into(),
            EntityIndex::Tag(i) => Tag::from_id(store, store.vm().tag_id(id, i)).into(),
        }
    }

    /// The function that it exports under this name, if it does.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get_func(&self, store: impl AsContextMut, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// The function that it exports under this name, with its type checked.
    ///
    /// # Errors
    ///
    /// When there is none, or it has another type.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get_typed_func<Params, Results>(
        &self,
        mut store: impl AsContextMut,
        name: &str,
    ) -> Result<TypedFunc<Params, Results>>
    where
        Params: WasmParams,
        Results: WasmResults,
    {
        let func = self
            .get_export(&mut store, name)
            .and_then(Extern::into_func)
            .ok_or_else(|| format_err!("failed to find function export `{name}`"))?;
        func.typed::<Params, Results>(&store)
            .map_err(|e| e.context(format!("failed to convert function `{name}` to given type")))
    }

    /// The table that it exports under this name, if it does.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get_table(&self, store: impl AsContextMut, name: &str) -> Option<Table> {
        self.get_export(store, name)?.into_table()
    }

    /// The memory that it exports under this name, if it does and it is not shared.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get_memory(&self, store: impl AsContextMut, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }

    /// The shared memory that it exports under this name, if it does.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get_shared_memory(&self, store: impl AsContextMut, name: &str) -> Option<SharedMemory> {
        self.get_export(store, name)?.into_shared_memory()
    }

    /// The global that it exports under this name, if it does.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get_global(&self, store: impl AsContextMut, name: &str) -> Option<Global> {
        self.get_export(store, name)?.into_global()
    }

    /// The tag that it exports under this name, if it does.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get_tag(&self, store: impl AsContextMut, name: &str) -> Option<Tag> {
        self.get_export(store, name)?.into_tag()
    }
}

/// An export of an instance: its name and what it is.
#[derive(Clone)]
pub struct Export<'instance> {
    name: &'instance str,
    item: Extern,
}

impl<'instance> Export<'instance> {
    pub(crate) fn new(name: &'instance str, item: Extern) -> Export<'instance> {
        Export { name, item }
    }

    /// Its name.
    pub fn name(&self) -> &'instance str {
        self.name
    }

    /// Its type.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        self.item.ty(store)
    }

    /// What it is.
    pub fn into_extern(self) -> Extern {
        self.item
    }

    /// The function, when it is one.
    pub fn into_func(self) -> Option<Func> {
        self.item.into_func()
    }

    /// The table, when it is one.
    pub fn into_table(self) -> Option<Table> {
        self.item.into_table()
    }

    /// The memory, when it is one of one store.
    pub fn into_memory(self) -> Option<Memory> {
        self.item.into_memory()
    }

    /// The memory, when it is a shared one.
    pub fn into_shared_memory(self) -> Option<SharedMemory> {
        self.item.into_shared_memory()
    }

    /// The global, when it is one.
    pub fn into_global(self) -> Option<Global> {
        self.item.into_global()
    }

    /// The tag, when it is one.
    pub fn into_tag(self) -> Option<Tag> {
        self.item.into_tag()
    }
}

/// A module whose imports are found and checked, ready to be instantiated many times, in any store with data of type `T` where none of them
/// belongs to one store.
///
/// Made by [`Linker::instantiate_pre`](crate::Linker::instantiate_pre).
pub struct InstancePre<T> {
    module: Module,
    imports: Arc<[ResolvedImport]>,
    _data: PhantomData<fn() -> T>,
}

impl<T> Clone for InstancePre<T> {
    fn clone(&self) -> Self {
        InstancePre {
            module: self.module.clone(),
            imports: self.imports.clone(),
            _data: PhantomData,
        }
    }
}

impl<T: 'static> InstancePre<T> {
    pub(crate) fn new(module: &Module, imports: Vec<ResolvedImport>) -> InstancePre<T> {
        InstancePre {
            module: module.clone(),
            imports: imports.into(),
            _data: PhantomData,
        }
    }

    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// Instantiates the module in this store. See [`Instance::new`].
    ///
    /// # Errors
    ///
    /// As for [`Instance::new`]; imports were checked before.
    ///
    /// # Panics
    ///
    /// When the store or an import belongs to another engine or store.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        instantiate::instantiate(
            store.as_context_mut().0.opaque_mut(),
            &self.module,
            &self.imports,
        )
    }
}
