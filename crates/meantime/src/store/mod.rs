//! [`Store`]: a unit of isolation. Owns instances, host functions and heap objects, and the host's own data `T`.
//!
//! The one idea: [`StoreInner`] has one stable address for its whole life. Its untyped half, [`StoreOpaque`], is all that most of
//! this crate works with; the typed half is reached again where a host function or a limiter needs `T`.

mod context;
mod heap;
mod interrupt;
mod limiter;

pub use context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
pub use interrupt::UpdateDeadline;

use crate::{Engine, Error, ExternType, Module, ResourceLimiter, Result, bail};
use core::mem::ManuallyDrop;
use core::num::NonZeroU64;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};
use meantime_abi as abi;
use meantime_abi::TypeId;
use meantime_vm as vm;

/// Tells stores apart. Never used again.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub(crate) struct StoreId(NonZeroU64);

impl StoreId {
    fn next() -> StoreId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        StoreId(NonZeroU64::new(id).expect("2^64 stores are never made"))
    }

    #[inline]
    pub(crate) fn check(self, store: &StoreOpaque) {
        if self != store.id {
            wrong_store();
        }
    }
}

#[cold]
#[inline(never)]
pub(crate) fn wrong_store() -> ! {
    panic!("object used with the wrong store")
}

/// A store of WebAssembly objects, and the data of type `T` that the host keeps with them.
///
/// Everything that is made in a store lives as long as it. Objects ([`Func`](crate::Func), [`Memory`](crate::Memory), …) are small
/// handles that are used together with their store; with another store they panic.
///
/// ```
/// use meantime::*;
/// # fn main() -> meantime::Result<()> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, 5);
/// *store.data_mut() += 1;
/// assert_eq!(*store.data(), 6);
/// # Ok(())
/// # }
/// ```
pub struct Store<T: 'static> {
    inner: ManuallyDrop<Box<StoreInner<T>>>,
}

type LimiterFn<T> = Box<dyn FnMut(&mut T) -> &mut (dyn ResourceLimiter) + Send + Sync>;

/// What [`StoreContext`] points to.
#[doc(hidden)]
pub struct StoreInner<T: 'static> {
    opaque: StoreOpaque,
    limiter: Option<LimiterFn<T>>,
    at_deadline: interrupt::AtDeadline<T>,
    data: ManuallyDrop<T>,
}

/// The part of a store that does not depend on `T`.
#[doc(hidden)]
pub struct StoreOpaque {
    id: StoreId,
    engine: Engine,
    core: vm::OwnedStore,
    /// What each instance is of.
    owners: Vec<Option<Owner>>,
    counts: Counts,
    limits: Counts,
    heap_types: heap::HeapTypes,
}

/// How many of each a store has, or may have.
#[derive(Copy, Clone)]
pub(crate) struct Counts {
    pub(crate) instances: usize,
    pub(crate) memories: usize,
    pub(crate) tables: usize,
}

impl<T> Store<T> {
    /// A store with this data.
    ///
    /// # Panics
    ///
    /// When memory is exhausted.
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        Store::try_new(engine, data).expect("failed to make a store")
    }

    /// The same, with an error instead of the panic.
    ///
    /// # Errors
    ///
    /// When memory is exhausted.
    #[allow(unsafe_code)]
    pub fn try_new(engine: &Engine, data: T) -> Result<Store<T>> {
        let mut core = vm::OwnedStore::new(engine.store_options());
        if engine.tunables().epoch_interruption {
            core.watch_epoch(engine.epoch().clone());
        }
        let mut inner = Box::new(StoreInner {
            opaque: StoreOpaque {
                id: StoreId::next(),
                engine: engine.clone(),
                core,
                owners: Vec::new(),
                counts: Counts {
                    instances: 0,
                    memories: 0,
                    tables: 0,
                },
                limits: limiter::DEFAULT_LIMITS,
                heap_types: heap::HeapTypes::default(),
            },
            limiter: None,
            at_deadline: interrupt::AtDeadline::Trap,
            data: ManuallyDrop::new(data),
        });
        let embedder: NonNull<dyn vm::VmStore> = NonNull::from(&mut *inner);
        // SAFETY: the box's contents stay where they are until the store is dropped, and the core is dropped with them.
        unsafe { inner.opaque.core.set_embedder(embedder) };
        Ok(Store {
            inner: ManuallyDrop::new(inner),
        })
    }

    /// The host's data.
    #[inline]
    pub fn data(&self) -> &T {
        self.inner.data()
    }

    /// The host's data, to change.
    #[inline]
    pub fn data_mut(&mut self) -> &mut T {
        self.inner.data_mut()
    }

    /// Ends the store and gives back the data.
    #[allow(unsafe_code)]
    pub fn into_data(mut self) -> T {
        // SAFETY: `self` is forgotten at once, so its `drop` sees neither the data nor the box again.
        unsafe {
            let mut inner = ManuallyDrop::take(&mut self.inner);
            core::mem::forget(self);
            ManuallyDrop::take(&mut inner.data)
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.inner.opaque.engine()
    }

    /// Asks `limiter` before anything in this store grows.
    ///
    /// The closure picks the limiter from the data, usually a [`StoreLimits`](crate::StoreLimits). Also takes from it how many instances, memories and
    /// tables there may be.
    pub fn limiter(
        &mut self,
        limiter: impl FnMut(&mut T) -> &mut (dyn ResourceLimiter) + Send + Sync + 'static,
    ) {
        self.inner.set_limiter(Box::new(limiter));
    }
}

impl<T> Drop for Store<T> {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: nothing sees `self` after its `drop`. Data goes first, because it may hold owned roots.
        unsafe {
            ManuallyDrop::drop(&mut self.inner.data);
            ManuallyDrop::drop(&mut self.inner);
        }
    }
}

impl<T: Default> Default for Store<T> {
    fn default() -> Store<T> {
        Store::new(&Engine::default(), T::default())
    }
}

impl<T: core::fmt::Debug> core::fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Store")
            .field("data", self.data())
            .finish_non_exhaustive()
    }
}

impl<T> StoreInner<T> {
    #[inline]
    pub(crate) fn opaque(&self) -> &StoreOpaque {
        &self.opaque
    }

    #[inline]
    pub(crate) fn opaque_mut(&mut self) -> &mut StoreOpaque {
        &mut self.opaque
    }

    #[inline]
    pub(crate) fn data(&self) -> &T {
        &self.data
    }

    #[inline]
    pub(crate) fn data_mut(&mut self) -> &mut T {
        &mut self.data
    }

    /// The store that a host function was called in.
    ///
    /// # Safety
    ///
    /// `context` must be that of a store with data of type `T`, and nothing else may use it as long as the result lives.
    #[allow(unsafe_code)]
    #[inline]
    pub(crate) unsafe fn from_context<'a>(
        context: *mut meantime_abi::VmStoreContext,
    ) -> &'a mut StoreInner<T> {
        // SAFETY: the embedder of every core is the `StoreInner` that it lies in.
        unsafe {
            let core = vm::StoreCore::from_context(context);
            core.as_ref()
                .embedder_ptr()
                .cast::<StoreInner<T>>()
                .as_mut()
        }
    }
}

impl StoreOpaque {
    #[inline]
    pub(crate) fn id(&self) -> StoreId {
        self.id
    }

    #[inline]
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    #[inline]
    pub(crate) fn vm(&self) -> &vm::StoreCore {
        &self.core
    }

    #[inline]
    pub(crate) fn vm_mut(&mut self) -> &mut vm::StoreCore {
        &mut self.core
    }

    /// For operations that may call back into the store.
    #[inline]
    pub(crate) fn vm_ptr(&mut self) -> NonNull<vm::StoreCore> {
        self.core.ptr()
    }

    /// What an instance is of.
    pub(crate) fn owner_of(&self, instance: vm::InstanceId) -> &Owner {
        let owner = self.owners.get(instance.index()).and_then(Option::as_ref);
        owner.expect("every instance has an owner")
    }

    /// Counts what is about to be made, or refuses it.
    pub(crate) fn reserve(&mut self, more: Counts) -> Result<()> {
        fn check(kind: &str, has: usize, more: usize, limit: usize) -> Result<usize> {
            let total = has.saturating_add(more);
            if more > 0 && total > limit {
                bail!("resource limit exceeded: {kind} count too high at {total}");
            }
            Ok(total)
        }
        let instances = check(
            "instance",
            self.counts.instances,
            more.instances,
            self.limits.instances,
        )?;
        let memories = check(
            "memory",
            self.counts.memories,
            more.memories,
            self.limits.memories,
        )?;
        let tables = check("table", self.counts.tables, more.tables, self.limits.tables)?;
        self.counts = Counts {
            instances,
            memories,
            tables,
        };
        Ok(())
    }

    /// Allocates an instance, of a module or of a host object.
    #[allow(unsafe_code)]
    pub(crate) fn allocate(
        &mut self,
        owner: Owner,
        request: vm::InstanceRequest<'_>,
    ) -> Result<vm::InstanceId> {
        // SAFETY: no reference to the core is live; the imports in the request were taken from this store and type-checked.
        let id = unsafe { vm::StoreCore::allocate_instance(self.vm_ptr(), request) };
        let id = id.map_err(from_allocate_error)?;
        let at = id.index();
        if self.owners.len() <= at {
            self.owners.resize_with(at + 1, || None);
        }
        self.owners[at] = Some(owner);
        Ok(id)
    }
}

/// What an instance is of.
pub(crate) enum Owner {
    /// A module, kept alive as long as its instance.
    Module(Module),
    /// One object that the host made.
    Host(HostType),
}

/// The type of an object that the host made.
pub(crate) struct HostType {
    /// As the runtime knows it.
    pub(crate) abi: abi::ExternType<TypeId>,
    /// What keeps the types in it alive.
    pub(crate) _alive: ExternType,
}

/// The error that a limiter returned comes out as it went in.
pub(crate) fn from_allocate_error(error: vm::AllocateError) -> Error {
    match error {
        vm::AllocateError::Host(error) => from_host_error(error),
        vm::AllocateError::GcHeapOutOfMemory { .. } => crate::GcHeapOutOfMemory::new().into(),
        other => crate::format_err!("{other}"),
    }
}

/// Errors pass through `vm` as `dyn Any`; all of them are boxed [`Error`]s of this crate.
pub(crate) fn from_host_error(error: vm::HostError) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(error) => return *error,
        Err(other) => other,
    };
    // The runtime's own errors are sentences, and why there was no room for an object.
    let error = match error.downcast::<String>() {
        Ok(message) => return crate::format_err!("{message}"),
        Err(other) => other,
    };
    match error.downcast::<vm::AllocateError>() {
        Ok(error) => from_allocate_error(*error),
        Err(_) => crate::format_err!("host error of unknown type"),
    }
}

pub(crate) fn to_host_error(error: Error) -> vm::HostError {
    Box::new(error)
}
