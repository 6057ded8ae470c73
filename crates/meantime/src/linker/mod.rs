//! [`Linker`]: finds the imports of modules by name.
//!
//! The one idea: a definition is either an object of one store or a host function for any store. A module whose imports are all found
//! becomes an [`InstancePre`] once, and then instantiates without looking at names or types again.

mod command;
mod unknown;

pub use unknown::UnknownImportError;

use crate::func::{Caller, HostFunc, IntoFunc};
use crate::instantiate::{self, ResolvedImport};
use crate::store::StoreOpaque;
use crate::types::matching;
use crate::{
    AsContext, AsContextMut, Engine, Extern, ExternType, Func, FuncType, ImportType, Instance,
    InstancePre, Module, Result, Val, ValRaw, bail, format_err,
};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use meantime_abi::TypeId;
use meantime_module::Import;
use std::collections::HashMap;
use std::sync::Arc;

/// Names and what they stand for, to give to modules that import them.
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut linker = Linker::<u32>::new(&engine);
/// linker.func_wrap("host", "add", |caller: Caller<'_, u32>, x: u32| *caller.data() + x)?;
/// let module = Module::new(
///     &engine,
///     r#"(module (import "host" "add" (func $add (param i32) (result i32)))
///            (func (export "run") (result i32) (call $add (i32.const 1))))"#,
/// )?;
/// let mut store = Store::new(&engine, 41);
/// let instance = linker.instantiate(&mut store, &module)?;
/// let run = instance.get_typed_func::<(), u32>(&mut store, "run")?;
/// assert_eq!(run.call(&mut store, ())?, 42);
/// # Ok(())
/// # }
/// ```
pub struct Linker<T> {
    engine: Engine,
    definitions: HashMap<Arc<str>, HashMap<Arc<str>, Definition>>,
    allow_shadowing: bool,
    allow_unknown_exports: bool,
    _data: PhantomData<fn() -> T>,
}

#[derive(Clone)]
enum Definition {
    /// An object of one store, its type, and its size when it was defined.
    Extern {
        item: Extern,
        ty: meantime_abi::ExternType<TypeId>,
        size: Option<u64>,
        /// What keeps the type alive after the store.
        _alive: ExternType,
    },
    /// A host function for any store.
    Host(Arc<HostFunc>),
}

impl Definition {
    fn from_extern(store: &StoreOpaque, item: Extern) -> Definition {
        let (ty, size) = item.abi_ty(store);
        let _alive = ExternType::from_abi(store.engine(), ty);
        Definition::Extern {
            item,
            ty,
            size,
            _alive,
        }
    }

    /// As an object of this store.
    fn in_store(&self, store: &mut StoreOpaque) -> Extern {
        match self {
            Definition::Extern { item, .. } => {
                if !item.belongs_to(store) {
                    crate::store::wrong_store();
                }
                item.clone()
            }
            Definition::Host(func) => func.in_store(store).into(),
        }
    }

    fn resolve(&self) -> ResolvedImport {
        match self {
            Definition::Extern { item, .. } => ResolvedImport::Extern(item.clone()),
            Definition::Host(func) => ResolvedImport::Host(func.clone()),
        }
    }
}

impl<T> Clone for Linker<T> {
    fn clone(&self) -> Linker<T> {
        Linker {
            engine: self.engine.clone(),
            definitions: self.definitions.clone(),
            allow_shadowing: self.allow_shadowing,
            allow_unknown_exports: self.allow_unknown_exports,
            _data: PhantomData,
        }
    }
}

impl<T> Default for Linker<T> {
    fn default() -> Linker<T> {
        Linker::new(&Engine::default())
    }
}

impl<T> core::fmt::Debug for Linker<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Linker").finish_non_exhaustive()
    }
}

impl<T> Linker<T> {
    /// A linker without definitions.
    pub fn new(engine: &Engine) -> Linker<T> {
        Linker {
            engine: engine.clone(),
            definitions: HashMap::new(),
            allow_shadowing: false,
            allow_unknown_exports: false,
            _data: PhantomData,
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a name may be defined again, which replaces what it stood for. Not at first.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        self.allow_shadowing = allow;
        self
    }

    /// Whether a command module may export more than the command ABI knows, for [`Linker::module`]. Not at first.
    pub fn allow_unknown_exports(&mut self, allow: bool) -> &mut Self {
        self.allow_unknown_exports = allow;
        self
    }

    /// Defines a name as an object of one store.
    ///
    /// # Errors
    ///
    /// When the name is defined and shadowing is not allowed.
    ///
    /// # Panics
    ///
    /// When the object belongs to another store.
    pub fn define(
        &mut self,
        store: impl AsContext<Data = T>,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Self>
    where
        T: 'static,
    {
        let definition = Definition::from_extern(store.as_context().0.opaque(), item.into());
        self.insert(module, name, definition)?;
        Ok(self)
    }

    /// Defines a name as a host function of a type that is known at run time. See [`Func::new`].
    ///
    /// # Errors
    ///
    /// When the name is defined and shadowing is not allowed.
    ///
    /// # Panics
    ///
    /// When the type belongs to another engine.
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self>
    where
        T: 'static,
    {
        let func = HostFunc::new(&self.engine, ty, func)?;
        self.insert(module, name, Definition::Host(Arc::new(func)))?;
        Ok(self)
    }

    /// Defines a name as a host function that gets bare slots. See [`Func::new_unchecked`].
    ///
    /// # Errors
    ///
    /// When the name is defined and shadowing is not allowed.
    ///
    /// # Safety
    ///
    /// As for [`Func::new_unchecked`].
    ///
    /// # Panics
    ///
    /// When the type belongs to another engine.
    #[allow(unsafe_code)]
    pub unsafe fn func_new_unchecked(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &mut [MaybeUninit<ValRaw>]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self>
    where
        T: 'static,
    {
        // SAFETY: by the caller.
        let func = unsafe { HostFunc::new_unchecked(&self.engine, ty, func)? };
        self.insert(module, name, Definition::Host(Arc::new(func)))?;
        Ok(self)
    }

    /// Defines a name as a host function from a closure. See [`Func::wrap`].
    ///
    /// # Errors
    ///
    /// When the name is defined and shadowing is not allowed.
    pub fn func_wrap<Params, Args>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoFunc<T, Params, Args>,
    ) -> Result<&mut Self>
    where
        T: 'static,
    {
        let func = func.into_func(&self.engine)?;
        self.insert(module, name, Definition::Host(Arc::new(func)))?;
        Ok(self)
    }

    /// Defines the exports of an instance under this module name.
    ///
    /// # Errors
    ///
    /// When one is defined and shadowing is not allowed.
    ///
    /// # Panics
    ///
    /// When the instance belongs to another store.
    pub fn instance(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module_name: &str,
        instance: Instance,
    ) -> Result<&mut Self>
    where
        T: 'static,
    {
        let mut store = store.as_context_mut();
        let exports: Vec<(String, Extern)> = instance
            .exports(&mut store)
            .map(|export| (export.name().to_owned(), export.into_extern()))
            .collect();
        for (name, item) in exports {
            let definition = Definition::from_extern(store.0.opaque(), item);
            self.insert(module_name, &name, definition)?;
        }
        Ok(self)
    }

    /// Gives what one name stands for a second name.
    ///
    /// # Errors
    ///
    /// When the first is not defined, or the second is and shadowing is not allowed.
    pub fn alias(
        &mut self,
        module: &str,
        name: &str,
        as_module: &str,
        as_name: &str,
    ) -> Result<&mut Self> {
        let Some(definition) = self.lookup(module, name).cloned() else {
            bail!("no item named `{module}::{name}` defined");
        };
        self.insert(as_module, as_name, definition)?;
        Ok(self)
    }

    /// Gives everything under one module name a second module name.
    ///
    /// # Errors
    ///
    /// When a name is defined there and shadowing is not allowed.
    pub fn alias_module(&mut self, module: &str, as_module: &str) -> Result<()> {
        let definitions = self.definitions.get(module).cloned().unwrap_or_default();
        for (name, definition) in definitions {
            self.insert(as_module, &name, definition)?;
        }
        Ok(())
    }

    fn insert(&mut self, module: &str, name: &str, definition: Definition) -> Result<()> {
        let names = match self.definitions.get_mut(module) {
            Some(names) => names,
            None => self.definitions.entry(module.into()).or_default(),
        };
        if !self.allow_shadowing && names.contains_key(name) {
            bail!("import of `{module}::{name}` defined twice");
        }
        names.insert(name.into(), definition);
        Ok(())
    }

    fn lookup(&self, module: &str, name: &str) -> Option<&Definition> {
        self.definitions.get(module)?.get(name)
    }

    fn lookup_import(&self, module: &Module, import: &Import) -> Result<&Definition> {
        self.lookup(&import.module, &import.name).ok_or_else(|| {
            let ty = ExternType::from_abi(module.engine(), module.import_type(import));
            UnknownImportError::new(import, ty).into()
        })
    }

    fn check_engine(&self, module: &Module) {
        assert!(
            Engine::same(&self.engine, module.engine()),
            "cannot link a module of another engine"
        );
    }

    /// Finds a module's imports and instantiates it. See [`Instance::new`].
    ///
    /// # Errors
    ///
    /// When an import is not defined (the error can be downcast to [`UnknownImportError`]) or of another type, and as for
    /// [`Instance::new`].
    ///
    /// # Panics
    ///
    /// When a definition that is used belongs to another store, or the module to another engine.
    pub fn instantiate(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<Instance>
    where
        T: 'static,
    {
        self.check_engine(module);
        let store = store.as_context_mut().0.opaque_mut();
        let imports = module.env().imports().iter().map(|import| {
            let definition = self.lookup_import(module, import)?;
            match definition {
                Definition::Extern { item, .. } => {
                    if !item.belongs_to(store) {
                        crate::store::wrong_store();
                    }
                    instantiate::check_import(store, module, import, item)?;
                }
                Definition::Host(func) => instantiate::check_host_import(module, import, func)?,
            }
            Ok(definition.resolve())
        });
        let imports = imports.collect::<Result<Vec<_>>>()?;
        instantiate::instantiate(store, module, &imports)
    }

    /// Finds and checks a module's imports, so that it can be instantiated many times.
    ///
    /// # Errors
    ///
    /// When an import is not defined (the error can be downcast to [`UnknownImportError`]) or of another type.
    ///
    /// # Panics
    ///
    /// When the module belongs to another engine.
    pub fn instantiate_pre(&self, module: &Module) -> Result<InstancePre<T>>
    where
        T: 'static,
    {
        self.check_engine(module);
        let imports = module.env().imports().iter().map(|import| {
            let definition = self.lookup_import(module, import)?;
            match definition {
                Definition::Extern { ty, size, .. } => {
                    let expected = module.import_type(import);
                    matching::import(&self.engine, &expected, ty, *size).map_err(|e| {
                        e.context(format!(
                            "incompatible import type for `{}::{}`",
                            import.module, import.name
                        ))
                    })?;
                }
                Definition::Host(func) => instantiate::check_host_import(module, import, func)?,
            }
            Ok(definition.resolve())
        });
        Ok(InstancePre::new(
            module,
            imports.collect::<Result<Vec<_>>>()?,
        ))
    }

    /// Everything that is defined: module name, name, and what it stands for, in no order.
    ///
    /// # Panics
    ///
    /// When a definition belongs to another store.
    pub fn iter<'a: 'p, 'p>(
        &'a self,
        mut store: impl AsContextMut<Data = T> + 'p,
    ) -> impl Iterator<Item = (&'a str, &'a str, Extern)> + 'p
    where
        T: 'static,
    {
        let all = self.definitions.iter().flat_map(|(module, names)| {
            names
                .iter()
                .map(move |(name, definition)| (&**module, &**name, definition))
        });
        all.map(move |(module, name, definition)| {
            (
                module,
                name,
                definition.in_store(store.as_context_mut().0.opaque_mut()),
            )
        })
    }

    /// What a name stands for.
    ///
    /// # Errors
    ///
    /// When it is not defined.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
        name: &str,
    ) -> Result<Extern>
    where
        T: 'static,
    {
        let definition = self
            .lookup(module, name)
            .ok_or_else(|| format_err!("missing definition for `{module}::{name}`"))?;
        Ok(definition.in_store(store.as_context_mut().0.opaque_mut()))
    }

    /// What an import would be given, if it is defined.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get_by_import(
        &self,
        mut store: impl AsContextMut<Data = T>,
        import: &ImportType<'_>,
    ) -> Option<Extern>
    where
        T: 'static,
    {
        let definition = self.lookup(import.module(), import.name())?;
        Some(definition.in_store(store.as_context_mut().0.opaque_mut()))
    }

    /// The same, with an error where it would panic for want of memory.
    ///
    /// # Errors
    ///
    /// None today.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn try_get_by_import(
        &self,
        store: impl AsContextMut<Data = T>,
        import: &ImportType<'_>,
    ) -> Result<Option<Extern>>
    where
        T: 'static,
    {
        Ok(self.get_by_import(store, import))
    }

    /// The function that is a module name's default: the one without a name, or else `_start`, or else one that does nothing.
    ///
    /// # Errors
    ///
    /// When that is no function.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get_default(&self, mut store: impl AsContextMut<Data = T>, module: &str) -> Result<Func>
    where
        T: 'static,
    {
        let store_opaque = store.as_context_mut();
        let store_opaque = store_opaque.0.opaque_mut();
        if let Some(definition) = self.lookup(module, "") {
            return definition
                .in_store(store_opaque)
                .into_func()
                .ok_or_else(|| format_err!("default export in '{module}' is not a function"));
        }
        if let Some(definition) = self.lookup(module, "_start") {
            return definition
                .in_store(store_opaque)
                .into_func()
                .ok_or_else(|| format_err!("`_start` in '{module}' is not a function"));
        }
        Ok(Func::wrap(store, || {}))
    }
}
