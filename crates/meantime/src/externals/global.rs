//! [`Global`]: a global variable.

use super::{allocate_host_object, global_type};
use crate::store::{HostType, StoreId, StoreOpaque};
use crate::{AsContext, AsContextMut, GlobalType, Mutability, Result, Val, ValRaw, bail};
use meantime_abi as abi;
use meantime_abi::{DefinedGlobalIndex, TypeId, VmCounts};
use meantime_vm as vm;

/// A WebAssembly global. Belongs to its store and panics when it is used with another.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Global {
    store: StoreId,
    id: vm::GlobalId,
}

impl Global {
    /// A global of this type with this value.
    ///
    /// # Errors
    ///
    /// When the value is not of the type, or belongs to another store.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, val: Val) -> Result<Global> {
        let store = store.as_context_mut().0.opaque_mut();
        ty.ensure_engine(store.engine())?;
        if !val.belongs_to(store) {
            bail!("cross-`Store` globals are not supported");
        }
        val.check_ty(store, ty.content()).map_err(|e| {
            e.context("type mismatch: initial value does not match the global's type")
        })?;
        let raw = val.lower(store)?;
        let mut shape = vm::InstanceShape::empty(VmCounts {
            globals: 1,
            ..VmCounts::default()
        });
        shape.globals = Box::new([raw]);
        let abi = ty.to_abi()?;
        if abi.content.is_gc_ref() {
            shape.gc_globals = Box::new([DefinedGlobalIndex::from_u32(0)]);
        }
        let instance = allocate_host_object(
            store,
            HostType {
                abi: abi::ExternType::Global(abi),
                _alive: ty.into(),
            },
            shape,
            &[],
        )?;
        let id = vm::GlobalId {
            instance,
            index: DefinedGlobalIndex::from_u32(0),
        };
        Ok(Global {
            store: store.id(),
            id,
        })
    }

    /// Its type.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> GlobalType {
        self.load_ty(store.as_context().0.opaque())
    }

    /// Its value.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    #[allow(unsafe_code)]
    pub fn get(&self, mut store: impl AsContextMut) -> Val {
        let store = store.as_context_mut().0.opaque_mut();
        let ty = self.load_ty(store);
        // SAFETY: globals live as long as their store, which is borrowed; a global holds a value of its type.
        unsafe {
            let raw: ValRaw = (*store.vm().global(self.id)).0;
            Val::lift(store, &raw, ty.content())
        }
    }

    /// Sets its value.
    ///
    /// # Errors
    ///
    /// When it is immutable, or the value is not of its type or belongs to another store.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    #[allow(unsafe_code)]
    pub fn set(&self, mut store: impl AsContextMut, val: Val) -> Result<()> {
        let store = store.as_context_mut().0.opaque_mut();
        let ty = self.load_ty(store);
        if ty.mutability() != Mutability::Var {
            bail!("immutable global cannot be set");
        }
        if !val.belongs_to(store) {
            bail!("cross-`Store` values are not supported");
        }
        val.check_ty(store, ty.content()).map_err(|e| {
            e.context("type mismatch: attempt to set global to value of wrong type")
        })?;
        let raw = val.lower(store)?;
        // SAFETY: globals live as long as their store, which is borrowed.
        unsafe { (*store.vm().global(self.id)).0 = raw };
        Ok(())
    }

    pub(crate) fn from_id(store: &StoreOpaque, id: vm::GlobalId) -> Global {
        Global {
            store: store.id(),
            id,
        }
    }

    pub(crate) fn belongs_to(&self, store: &StoreOpaque) -> bool {
        self.store == store.id()
    }

    pub(crate) fn id(&self, store: &StoreOpaque) -> vm::GlobalId {
        self.store.check(store);
        self.id
    }

    pub(crate) fn load_ty(&self, store: &StoreOpaque) -> GlobalType {
        GlobalType::from_abi(store.engine(), self.abi_ty(store))
    }

    pub(crate) fn abi_ty(&self, store: &StoreOpaque) -> abi::GlobalType<TypeId> {
        global_type(store, self.id(store))
    }
}
