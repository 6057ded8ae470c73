//! [`Caller`]: the store, and the instance that calls, as a host function sees them.

use crate::store::{StoreInner, StoreOpaque};
use crate::{
    AsContext, AsContextMut, Engine, Extern, GcHeapOutOfMemory, Instance, ModuleExport, Result,
    StoreContext, StoreContextMut,
};
use meantime_abi::VmContext;
use meantime_vm as vm;

/// The circumstances of a call to a host function: its store, and the instance that called.
pub struct Caller<'a, T: 'static> {
    store: StoreContextMut<'a, T>,
    caller: *mut VmContext,
}

// SAFETY: the pointer is only compared and looked up in the store that is borrowed here.
#[allow(unsafe_code)]
unsafe impl<T: Send> Send for Caller<'_, T> {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl<T: Sync> Sync for Caller<'_, T> {}

impl<T: 'static> Caller<'_, T> {
    /// Runs `f` with the caller.
    #[inline]
    pub(super) fn with<R>(
        store: &mut StoreInner<T>,
        caller: *mut VmContext,
        f: impl FnOnce(Caller<'_, T>) -> R,
    ) -> R {
        f(Caller {
            store: StoreContextMut(store),
            caller,
        })
    }

    pub(super) fn reborrow(&mut self) -> Caller<'_, T> {
        Caller {
            store: StoreContextMut(self.store.0),
            caller: self.caller,
        }
    }

    pub(crate) fn opaque(&self) -> &StoreOpaque {
        self.store.0.opaque()
    }

    pub(crate) fn opaque_mut(&mut self) -> &mut StoreOpaque {
        self.store.0.opaque_mut()
    }

    /// The host's data in the store.
    pub fn data(&self) -> &T {
        self.store.0.data()
    }

    /// The host's data in the store, to change.
    pub fn data_mut(&mut self) -> &mut T {
        self.store.0.data_mut()
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.store.0.opaque().engine()
    }

    fn instance(&mut self) -> Option<vm::InstanceId> {
        if self.caller.is_null() {
            return None;
        }
        let caller = self.caller;
        // SAFETY: the context of the instance that called, which lives as long as the store.
        #[allow(unsafe_code)]
        unsafe {
            self.opaque_mut().vm().instance_of(caller)
        }
    }

    /// What the calling instance exports under this name. None also when the host itself calls.
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        let id = self.instance()?;
        Instance::from_id(self.opaque_mut(), id).export_by_name(self.opaque_mut(), name)
    }

    /// The same for an export that was looked up in the module before.
    pub fn get_module_export(&mut self, export: &ModuleExport) -> Option<Extern> {
        let id = self.instance()?;
        Instance::from_id(self.opaque_mut(), id).get_module_export(&mut self.store, export)
    }

    /// Collects garbage now. See [`Store::gc`](crate::Store::gc).
    ///
    /// # Errors
    ///
    /// See [`Store::gc`](crate::Store::gc).
    pub fn gc(&mut self, why: Option<&GcHeapOutOfMemory<()>>) -> Result<()> {
        self.store.gc(why)
    }

    /// Bytes that the heap of objects has now. See [`Store::gc_heap_capacity`](crate::Store::gc_heap_capacity).
    pub fn gc_heap_capacity(&self) -> usize {
        self.store.0.opaque().vm().gc_heap_capacity()
    }
}

impl<T: 'static> AsContext for Caller<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext(self.store.0)
    }
}

impl<T: 'static> AsContextMut for Caller<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut(self.store.0)
    }
}

impl<'a, T: 'static> From<Caller<'a, T>> for StoreContextMut<'a, T> {
    fn from(caller: Caller<'a, T>) -> StoreContextMut<'a, T> {
        caller.store
    }
}
