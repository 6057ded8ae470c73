//! Objects of zeros and nulls, by type.

use crate::{
    AsContextMut, Extern, ExternType, Func, FuncType, Global, GlobalType, Memory, MemoryType, Ref,
    Result, SharedMemory, Table, TableType, Tag, TagType, Val, ValType, format_err,
};

impl ValType {
    /// The value that locals of this type start with, when there is one.
    pub fn default_value(&self) -> Option<Val> {
        Val::default_for_ty(self)
    }
}

impl FuncType {
    /// A function of this type that returns zeros and nulls.
    ///
    /// # Errors
    ///
    /// When a result's type has no default value.
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Func> {
        let results: Option<Vec<Val>> = self.results().map(|t| Val::default_for_ty(&t)).collect();
        let Some(results) = results else {
            crate::bail!("function type has a result without a default value");
        };
        Func::try_new(store, self.clone(), move |_, _, places| {
            places.copy_from_slice(&results);
            Ok(())
        })
    }
}

impl GlobalType {
    /// A global of this type that holds zero or null.
    ///
    /// # Errors
    ///
    /// When the type has no default value.
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Global> {
        let value = self
            .content()
            .default_value()
            .ok_or_else(|| format_err!("global type `{}` has no default value", self.content()))?;
        Global::new(store, self.clone(), value)
    }
}

impl TableType {
    /// A table of this type, full of nulls.
    ///
    /// # Errors
    ///
    /// When its elements cannot be null.
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Table> {
        if !self.element().is_nullable() {
            crate::bail!("table of `{}` has no default value", self.element());
        }
        Table::new(store, self.clone(), Ref::null(self.element().heap_type()))
    }
}

impl MemoryType {
    /// A memory of this type, all zeros.
    ///
    /// # Errors
    ///
    /// As for [`Memory::new`] and [`SharedMemory::new`].
    pub fn default_value(&self, mut store: impl AsContextMut) -> Result<Extern> {
        if self.is_shared() {
            let engine = store.as_context_mut().engine().clone();
            return Ok(SharedMemory::new(&engine, self.clone())?.into());
        }
        Ok(Memory::new(store, self.clone())?.into())
    }
}

impl TagType {
    /// A tag of this type.
    ///
    /// # Errors
    ///
    /// As for [`Tag::new`].
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Tag> {
        Tag::new(store, self)
    }
}

impl ExternType {
    /// An object of this type, of zeros and nulls.
    ///
    /// # Errors
    ///
    /// When the type has no default value.
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Extern> {
        Ok(match self {
            ExternType::Func(ty) => ty.default_value(store)?.into(),
            ExternType::Global(ty) => ty.default_value(store)?.into(),
            ExternType::Table(ty) => ty.default_value(store)?.into(),
            ExternType::Memory(ty) => ty.default_value(store)?,
            ExternType::Tag(ty) => ty.default_value(store)?.into(),
        })
    }
}
