//! Linking a whole module under a name: [`Linker::module`], with the semantics of WASI commands and reactors.

use super::{Definition, Linker};
use crate::func::{Caller, HostFunc};
use crate::{AsContextMut, Engine, ExternType, InstancePre, Module, Result, Val, bail};
use std::sync::Arc;

/// How a module wants to be instantiated.
enum ModuleKind {
    /// Anew for each call of one of its functions.
    Command,
    /// Once.
    Reactor,
}

impl ModuleKind {
    /// A module that exports `_start` is a command, all others are reactors.
    fn of(module: &Module) -> Result<ModuleKind> {
        let is_func = |ty: Option<ExternType>| ty.map(|ty| matches!(ty, ExternType::Func(_)));
        let start = is_func(module.get_export("_start"));
        let initialize = is_func(module.get_export("_initialize"));
        match (start, initialize) {
            (Some(true), None) => Ok(ModuleKind::Command),
            (Some(false), None) => bail!("`_start` must be a function"),
            (None, Some(false)) => bail!("`_initialize` must be a function"),
            (None, _) => Ok(ModuleKind::Reactor),
            (Some(_), Some(_)) => bail!("Program cannot be both a Command and a Reactor"),
        }
    }
}

impl<T> Linker<T> {
    /// Defines a module's exports under this module name.
    ///
    /// A *reactor* is instantiated here, and its `_initialize` is called. A *command*, a module that exports `_start`, is instantiated
    /// for each call of one of its functions.
    ///
    /// # Errors
    ///
    /// When imports are not defined or of another type, when instantiating or initializing fails, when a name is defined and shadowing is not
    /// allowed, when a command exports what the command ABI does not know and [`Linker::allow_unknown_exports`] is off.
    ///
    /// # Panics
    ///
    /// When a definition that is used belongs to another store, or the store or module to another engine.
    pub fn module(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module_name: &str,
        module: &Module,
    ) -> Result<&mut Self>
    where
        T: 'static,
    {
        assert!(
            Engine::same(&self.engine, store.as_context().engine()),
            "different engines for this linker and the store provided"
        );
        match ModuleKind::of(module)? {
            ModuleKind::Command => self.command(module_name, module),
            ModuleKind::Reactor => {
                let instance = self.instantiate(&mut store, module)?;
                if let Some(func) = instance.get_func(&mut store, "_initialize") {
                    let func = func
                        .typed::<(), ()>(&store)
                        .map_err(|e| e.context("loading the Reactor initialization function"))?;
                    func.call(&mut store, ())
                        .map_err(|e| e.context("calling the Reactor initialization function"))?;
                }
                self.instance(store, module_name, instance)
            }
        }
    }

    fn command(&mut self, module_name: &str, module: &Module) -> Result<&mut Self>
    where
        T: 'static,
    {
        let pre = self.instantiate_pre(module)?;
        for export in module.exports() {
            match export.ty() {
                ExternType::Func(ty) => {
                    let call = call_in_new_instance(pre.clone(), export.name().to_owned());
                    let func = HostFunc::new(&self.engine, ty, call)?;
                    self.insert(module_name, export.name(), Definition::Host(Arc::new(func)))?;
                }
                // What toolchains export besides functions, which a command's users cannot use.
                ExternType::Memory(_) if export.name() == "memory" => {}
                ExternType::Table(_) if export.name() == "__indirect_function_table" => {}
                ExternType::Global(_)
                    if matches!(
                        export.name(),
                        "__memory_base"
                            | "__heap_base"
                            | "__data_end"
                            | "__dso_handle"
                            | "__stack_pointer"
                            | "__rtti_base"
                            | "__table_base"
                    ) => {}
                _ if self.allow_unknown_exports => {}
                _ => bail!("command export '{}' is not a function", export.name()),
            }
        }
        Ok(self)
    }
}

fn call_in_new_instance<T: 'static>(
    pre: InstancePre<T>,
    name: String,
) -> impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static {
    move |mut caller, params, results| {
        let instance = pre.instantiate(&mut caller)?;
        let func = instance
            .get_func(&mut caller, &name)
            .expect("the module has this export");
        func.call(&mut caller, params, results)
    }
}
