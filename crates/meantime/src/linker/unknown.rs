//! Imports that nothing defines: the error, and ways to define them all the same.

use super::{Definition, Linker};
use crate::func::failing;
use crate::{AsContextMut, ExternType, Module, Result, format_err};
use core::fmt;
use meantime_module::Import;
use std::sync::Arc;

/// An import that nothing defines.
#[derive(Clone, Debug)]
pub struct UnknownImportError {
    module: String,
    name: String,
    ty: ExternType,
}

impl UnknownImportError {
    pub(super) fn new(import: &Import, ty: ExternType) -> UnknownImportError {
        UnknownImportError {
            module: import.module.clone(),
            name: import.name.clone(),
            ty,
        }
    }

    /// The first part of the import's name.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The second part of the import's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the module declares it to be.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

impl fmt::Display for UnknownImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown import: `{}::{}` has not been defined",
            self.module, self.name
        )?;
        match &self.ty {
            ExternType::Func(ty) => write!(f, " (expected a function of type `{ty}`)"),
            ExternType::Table(ty) => write!(f, " (expected a table of `{}`)", ty.element()),
            ExternType::Memory(_) => write!(f, " (expected a memory)"),
            ExternType::Global(ty) => write!(f, " (expected a global of type `{}`)", ty.content()),
            ExternType::Tag(_) => write!(f, " (expected a tag)"),
        }
    }
}

impl core::error::Error for UnknownImportError {}

impl<T> Linker<T> {
    /// Defines each import of a module that is not defined as a function that fails with [`UnknownImportError`] when it is called.
    ///
    /// # Errors
    ///
    /// When such an import is not a function.
    pub fn define_unknown_imports_as_traps(&mut self, module: &Module) -> Result<()>
    where
        T: 'static,
    {
        for import in module.env().imports() {
            if self.lookup(&import.module, &import.name).is_some() {
                continue;
            }
            let ty = ExternType::from_abi(module.engine(), module.import_type(import));
            let error = UnknownImportError::new(import, ty.clone());
            let ExternType::Func(ty) = ty else {
                return Err(error.into());
            };
            let func = failing::<T>(&self.engine, ty, move || error.clone().into())?;
            self.insert(
                &import.module,
                &import.name,
                Definition::Host(Arc::new(func)),
            )?;
        }
        Ok(())
    }

    /// Defines each import of a module that is not defined as zeros and nulls: functions that return them, globals, memories and tables
    /// that hold them.
    ///
    /// # Errors
    ///
    /// When a type has no default value.
    pub fn define_unknown_imports_as_default_values(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<()>
    where
        T: 'static,
    {
        for import in module.env().imports() {
            if self.lookup(&import.module, &import.name).is_some() {
                continue;
            }
            let ty = ExternType::from_abi(module.engine(), module.import_type(import));
            let item = ty.default_value(&mut store).map_err(|e| {
                e.context(format_err!(
                    "no default value exists for `{}::{}` with type `{ty:?}`",
                    import.module,
                    import.name
                ))
            })?;
            self.define(&store, &import.module, &import.name, item)?;
        }
        Ok(())
    }
}
