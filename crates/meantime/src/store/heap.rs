//! A store's heap of objects, as this crate sees it: which types it knows, collecting, and the exception that waits.
//!
//! Not the heap, which is `vm`'s. The one idea: whatever type an object of the heap has, the store keeps that type alive, so that the ids in
//! objects never come to mean something else.

use super::{Store, StoreContextMut, StoreOpaque, from_allocate_error, to_host_error};
use crate::type_registry::RegisteredType;
use crate::{Error, ExnRef, GcHeapOutOfMemory, Module, Result, Rooted, ThrownException};
use meantime_abi::TypeId;
use meantime_vm as vm;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// What keeps alive the types of a store's objects.
#[derive(Default)]
pub(super) struct HeapTypes {
    /// Those that the host brought.
    types: HashMap<TypeId, RegisteredType>,
    /// Modules, by address, which is theirs as long as they are here.
    modules: HashMap<usize, Module>,
}

impl StoreOpaque {
    /// Makes the heap, unless it is there.
    #[allow(unsafe_code)]
    pub(crate) fn ensure_gc_heap(&mut self) -> Result<()> {
        // SAFETY: no reference to the core is in use.
        unsafe { vm::StoreCore::ensure_gc_heap(self.vm_ptr()) }.map_err(from_allocate_error)
    }

    /// Lets there be objects of a type of the host's.
    pub(crate) fn admit_type(&mut self, ty: &RegisteredType) {
        if self.heap_types.types.contains_key(&ty.id()) {
            return;
        }
        self.heap_types.types.insert(ty.id(), ty.clone());
        let definition = (ty.id(), ty.supertypes(), &ty.ty().composite);
        self.core.add_gc_types([definition].into_iter());
    }

    /// Lets there be objects of a module's types, and what its code needs to look at objects of others.
    pub(crate) fn admit_module(&mut self, module: &Module) -> Result<()> {
        if !module.sees_objects() {
            return Ok(());
        }
        self.ensure_gc_heap()?;
        let kept = &mut self.heap_types.modules;
        if let Entry::Vacant(place) = kept.entry(module.address()) {
            place.insert(module.clone());
            self.core.add_gc_types(module.types().definitions());
        }
        Ok(())
    }

    /// Lets raw references be in flight: until it is switched on again, the heap grows instead of being collected.
    pub(crate) fn set_collecting(&mut self, collecting: bool) {
        self.core.gc_set_collecting(collecting);
    }

    /// How the error of a host function stops the guest that called it: as an exception if it is that of one that waits here.
    pub(crate) fn pending(&self, error: Error) -> vm::Pending {
        match error.is::<ThrownException>() && self.core.has_pending_exception() {
            true => vm::Pending::Exception,
            false => vm::Pending::error(to_host_error(error)),
        }
    }

    fn throw<R>(&mut self, exception: Rooted<ExnRef>) -> Result<R> {
        if !exception.belongs_to(self) {
            super::wrong_store();
        }
        let object = exception.object(self)?;
        self.core.set_pending_exception(object);
        Err(Error::from(ThrownException))
    }

    fn take_pending_exception(&mut self) -> Option<Rooted<ExnRef>> {
        let object = self.core.take_pending_exception()?;
        Rooted::root(self, object.bits())
    }
}

impl<T> Store<T> {
    /// Throws an exception: makes it the one that waits in this store, and gives the error for the caller to return.
    ///
    /// From a host function, the error throws the exception in the guest that called; see [`ExnRef`] for an example.
    ///
    /// # Errors
    ///
    /// Always: [`ThrownException`], or that the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When the exception belongs to another store.
    pub fn throw<R>(&mut self, exception: Rooted<ExnRef>) -> Result<R> {
        self.inner.opaque_mut().throw(exception)
    }

    /// The exception that ended the last call, if one did; see [`ThrownException`]. After this none waits.
    pub fn take_pending_exception(&mut self) -> Option<Rooted<ExnRef>> {
        self.inner.opaque_mut().take_pending_exception()
    }

    /// Whether there is one.
    pub fn has_pending_exception(&self) -> bool {
        self.inner.opaque().vm().has_pending_exception()
    }

    /// Collects garbage now: objects and values of the host that neither guests nor roots hold any more.
    ///
    /// `why` is the error of an allocation that is to be tried again.
    ///
    /// # Errors
    ///
    /// None: what cannot be had is told to the next allocation.
    pub fn gc(&mut self, why: Option<&GcHeapOutOfMemory<()>>) -> Result<()> {
        StoreContextMut(&mut self.inner).gc(why)
    }

    /// Bytes that the heap of objects has now; none as long as nothing needed a heap.
    pub fn gc_heap_capacity(&self) -> usize {
        self.inner.opaque().vm().gc_heap_capacity()
    }
}

impl<T> StoreContextMut<'_, T> {
    /// Throws an exception. See [`Store::throw`].
    ///
    /// # Errors
    ///
    /// See [`Store::throw`].
    ///
    /// # Panics
    ///
    /// See [`Store::throw`].
    pub fn throw<R>(&mut self, exception: Rooted<ExnRef>) -> Result<R> {
        self.0.opaque_mut().throw(exception)
    }

    /// The exception that ended the last call, if one did. See [`Store::take_pending_exception`].
    pub fn take_pending_exception(&mut self) -> Option<Rooted<ExnRef>> {
        self.0.opaque_mut().take_pending_exception()
    }

    /// Whether there is one.
    pub fn has_pending_exception(&self) -> bool {
        self.0.opaque().vm().has_pending_exception()
    }

    /// Collects garbage now. See [`Store::gc`].
    ///
    /// # Errors
    ///
    /// See [`Store::gc`].
    pub fn gc(&mut self, _why: Option<&GcHeapOutOfMemory<()>>) -> Result<()> {
        self.0.opaque_mut().vm_mut().collect_garbage();
        Ok(())
    }
}
