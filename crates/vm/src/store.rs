//! A store, as far as the runtime is concerned: what compiled code sees of it, its instances, its host functions, what is pending.
//!
//! Not the embedder's store with the user's data, which owns this and is known here only as a `dyn VmStore`. The one idea: compiled code
//! reaches everything from a pointer to the [`VmStoreContext`] that begins a [`StoreCore`], so a store core never moves.

use crate::HostError;
use crate::allocator::Allocator;
use crate::backtrace::{Backtrace, RegionCache, Start, capture, capture_up_to};
use crate::error::{AllocateError, GrowError};
use crate::gc::{GcOptions, GcStore};
use crate::host::HostFuncs;
use crate::instance::{Instance, InstanceId, InstanceRef};
use crate::interrupt::Interruption;
use crate::shape::InstanceRequest;
use crate::tiers::Osr;
use crate::trap::{Fault, Pending, Stopped};
use meantime_abi::{
    CodePtr, FuncIndex, HostFn, Trap, TypeId, ValRaw, VmContext, VmFuncRef, VmHeader,
    VmStoreContext,
};
use std::any::Any;
use std::ffi::c_void;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicUsize};

/// What the runtime asks the embedder's store. Called while a builtin or a growth runs; must not enter the guest of the same store.
pub trait VmStore {
    /// Whether a memory may grow from `current` to `desired` bytes; `maximum` is its type's. Also asked for a new memory, from zero.
    ///
    /// # Errors
    ///
    /// An error unwinds the guest.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, HostError>;

    /// A memory that might have grown did not.
    ///
    /// # Errors
    ///
    /// An error unwinds the guest instead of telling it.
    fn memory_grow_failed(&mut self, error: GrowError) -> Result<(), HostError>;

    /// As [`VmStore::memory_growing`], for a table, in elements.
    ///
    /// # Errors
    ///
    /// An error unwinds the guest.
    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, HostError>;

    /// A table that might have grown did not.
    ///
    /// # Errors
    ///
    /// An error unwinds the guest instead of telling it.
    fn table_grow_failed(&mut self, error: GrowError) -> Result<(), HostError>;

    /// Whether the engine's first type is a subtype of the second.
    fn is_subtype(&self, actual: TypeId, expected: TypeId) -> bool;

    /// The epoch is that of the store's deadline. Returns how many epochs from now the next one is. This one method may enter the guest.
    ///
    /// # Errors
    ///
    /// An error unwinds the guest. Without an implementation it is the trap.
    fn epoch_reached(&mut self) -> Result<u64, Pending> {
        Err(Trap::Interrupt.into())
    }
}

/// How a store behaves.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Bytes of stack for guest code, all nested calls together.
    pub max_wasm_stack: usize,
    /// Frames in a backtrace; zero turns backtraces off.
    pub max_backtrace_frames: usize,
    /// Where memories and tables come from.
    pub allocator: Arc<dyn Allocator>,
    /// How its heap of objects behaves.
    pub gc: GcOptions,
}

/// The runtime's part of a store.
#[repr(C)]
pub struct StoreCore {
    /// First, so that a pointer to it is a pointer to the store. In a cell because compiled code writes it.
    pub(crate) context: std::cell::UnsafeCell<VmStoreContext>,
    pub(crate) max_wasm_stack: usize,
    pub(crate) max_backtrace_frames: usize,
    /// Written by the signal handler.
    pub(crate) fault: Option<Fault>,
    pub(crate) stopped: Option<Stopped>,
    pending: Option<Pending>,
    embedder: Option<NonNull<dyn VmStore>>,
    pub(crate) allocator: Arc<dyn Allocator>,
    instances: Vec<InstanceRef>,
    host_funcs: HostFuncs,
    kept: Vec<Arc<dyn Any + Send + Sync>>,
    gc: GcStore,
    /// Where a loop's values wait for the code that continues with it.
    osr_values: Vec<ValRaw>,
    /// How many tags have a number.
    tags: u32,
    /// The first number of each instance's tags, in order. One that could not be made after all has left its numbers to nobody.
    tag_owners: Vec<(u32, InstanceId)>,
    /// Where exceptions were thrown last.
    pub(crate) throw_regions: RegionCache,
    pub(crate) interruption: Interruption,
}

/// A store core at an address that does not change. Dropping it drops everything in the store.
///
/// The embedder must not exchange two cores through `DerefMut` (`std::mem::swap`), as compiled code holds their addresses.
#[derive(Debug)]
pub struct OwnedStore(NonNull<StoreCore>);

// SAFETY: a store is used by one thread at a time, and nothing in it belongs to a thread: host values are `Send`, as are errors.
unsafe impl Send for OwnedStore {}
// SAFETY: through a shared reference nothing of the store can be changed.
unsafe impl Sync for OwnedStore {}

impl OwnedStore {
    /// An empty store.
    pub fn new(options: StoreOptions) -> OwnedStore {
        let core = Box::new(StoreCore {
            context: std::cell::UnsafeCell::new(VmStoreContext {
                poll: AtomicPtr::default(),
                stack_limit: AtomicUsize::new(usize::MAX),
                caller: std::ptr::null_mut(),
                exit_fp: 0,
                entry_fp: 0,
                entry_sp: 0,
                gc_base: std::ptr::null_mut(),
                gc_top: 0,
                gc_limit: 0,
                gc_types: std::ptr::null(),
                gc_funcs: std::ptr::null(),
                gc_types_len: 0,
                gc_funcs_len: 0,
                osr_code: std::ptr::null(),
                osr_values: std::ptr::null_mut(),
                fuel: 0,
                interrupt: AtomicPtr::default(),
            }),
            max_wasm_stack: options.max_wasm_stack,
            max_backtrace_frames: options.max_backtrace_frames,
            fault: None,
            stopped: None,
            pending: None,
            embedder: None,
            allocator: options.allocator,
            instances: Vec::new(),
            host_funcs: HostFuncs::default(),
            kept: Vec::new(),
            gc: GcStore::new(options.gc),
            osr_values: Vec::new(),
            tags: 0,
            tag_owners: Vec::new(),
            throw_regions: RegionCache::default(),
            interruption: Interruption::default(),
        });
        OwnedStore(NonNull::from(Box::leak(core)))
    }

    /// Its address.
    pub fn ptr(&self) -> NonNull<StoreCore> {
        self.0
    }
}

impl Deref for OwnedStore {
    type Target = StoreCore;
    fn deref(&self) -> &StoreCore {
        // SAFETY: alive until `self` is dropped.
        unsafe { self.0.as_ref() }
    }
}

impl DerefMut for OwnedStore {
    fn deref_mut(&mut self) -> &mut StoreCore {
        // SAFETY: alive until `self` is dropped, and `self` is borrowed mutably.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for OwnedStore {
    fn drop(&mut self) {
        // SAFETY: made by `Box::leak`; the owner drops it, so no guest is running.
        let mut core = unsafe { Box::from_raw(self.0.as_ptr()) };
        let allocator = core.allocator.clone();
        for instance in std::mem::take(&mut core.instances) {
            // SAFETY: the store is gone, and with it all who could use its instances.
            unsafe { instance.free(&*allocator) };
        }
    }
}

impl StoreCore {
    /// What compiled code sees of the store.
    pub fn context(&self) -> *mut VmStoreContext {
        self.context.get()
    }

    /// The store of a context, for example that of a host function's: `(*context).header.store`.
    ///
    /// # Safety
    ///
    /// The context is that of a store.
    #[inline]
    pub unsafe fn from_context(context: *mut VmStoreContext) -> NonNull<StoreCore> {
        // SAFETY: every store context begins a `StoreCore`.
        unsafe { NonNull::new_unchecked(context.cast()) }
    }

    /// Says whom to ask for growth and types.
    ///
    /// # Safety
    ///
    /// It outlives the store core, and nobody uses a reference to it while guest code or a growth runs.
    pub unsafe fn set_embedder(&mut self, embedder: NonNull<dyn VmStore>) {
        self.embedder = Some(embedder);
    }

    /// Whom [`StoreCore::set_embedder`] named.
    ///
    /// # Safety
    ///
    /// It was called.
    #[inline]
    pub unsafe fn embedder_ptr(&self) -> NonNull<dyn VmStore> {
        debug_assert!(self.embedder.is_some());
        // SAFETY: by the caller.
        unsafe { self.embedder.unwrap_unchecked() }
    }

    /// Whom to ask.
    ///
    /// # Safety
    ///
    /// No other result of this is in use.
    pub(crate) unsafe fn embedder<'a>(this: NonNull<StoreCore>) -> Option<&'a mut dyn VmStore> {
        // SAFETY: `set_embedder`'s caller promised that it lives, and that nobody else uses it now.
        unsafe { this.as_ref().embedder.map(|mut e| e.as_mut()) }
    }

    /// Bytes of stack for guest code.
    pub fn max_wasm_stack(&self) -> usize {
        self.max_wasm_stack
    }

    /// Whether guest code of this store is on the stack.
    pub fn is_entered(&self) -> bool {
        // SAFETY: the store is this thread's.
        unsafe { (*self.context()).entry_fp != 0 }
    }

    /// Says why the guest is to be unwound, before a host function returns false.
    pub fn set_pending(&mut self, pending: Pending) {
        self.pending = Some(pending);
    }

    pub(crate) fn take_pending(&mut self) -> Pending {
        self.pending.take().unwrap_or_else(|| {
            Pending::error(Box::new(
                "a host function failed without saying why".to_string(),
            ))
        })
    }

    /// Keeps something alive as long as the store: code that its functions use, for example.
    pub fn keep_alive(&mut self, what: Arc<dyn Any + Send + Sync>) {
        self.kept.push(what);
    }

    /// Makes a function of the host. `owner` is dropped with the store; `code`, its trampoline, may be null until guest code can reach it.
    pub fn alloc_host_func(
        &mut self,
        func: HostFn,
        data: *mut c_void,
        owner: Option<Arc<dyn Any + Send + Sync>>,
        type_id: TypeId,
        code: CodePtr,
    ) -> NonNull<VmFuncRef> {
        let context = self.context();
        self.host_funcs
            .alloc(context, func, data, owner, type_id, code)
    }

    /// Gives a host function its trampoline.
    ///
    /// # Safety
    ///
    /// The function was made by [`StoreCore::alloc_host_func`] of a store that is alive; the code is a host trampoline for its type and
    /// outlives that store.
    pub unsafe fn set_host_code(mut func: NonNull<VmFuncRef>, code: CodePtr) {
        // SAFETY: the caller vouches for the function.
        unsafe { func.as_mut().code = code };
    }

    /// Makes an instance: memories with their images, tables with theirs, constants in globals, imports.
    ///
    /// What is left to the embedder: globals that are not constant, segments that are not in images, the start function.
    ///
    /// # Errors
    ///
    /// When the limiter refuses or there is no room.
    ///
    /// # Panics
    ///
    /// When the number of imports is not what the shape says.
    ///
    /// # Safety
    ///
    /// `this` is alive and no reference to it is in use, as the limiter may make its own. The imports belong to the store and fit the
    /// shape; the shape describes its code truly.
    pub unsafe fn allocate_instance(
        this: NonNull<StoreCore>,
        request: InstanceRequest<'_>,
    ) -> Result<InstanceId, AllocateError> {
        // SAFETY: passed on to the caller.
        unsafe {
            if let Some(embedder) = StoreCore::embedder(this) {
                ask_limits(embedder, &request)?;
            }
            let core = this.as_ptr();
            let count = this.as_ref().instances.len();
            let id = u32::try_from(count).map_err(|_| AllocateError::TooLarge {
                what: "a store",
                size: count as u64,
            })?;
            let allocator = (*core).allocator.clone();
            let instance = InstanceRef::allocate(core, InstanceId(id), &request, &*allocator)?;
            (*core).instances.push(instance);
            Ok(InstanceId(id))
        }
    }

    /// An instance.
    ///
    /// # Panics
    ///
    /// When the store has no such instance.
    pub fn instance(&self, id: InstanceId) -> &Instance {
        self.instance_ref(id).get()
    }

    pub(crate) fn instance_ref(&self, id: InstanceId) -> InstanceRef {
        self.instances[id.0 as usize]
    }

    /// The instance of a context, such as a host function gets for its caller; none for null.
    ///
    /// # Safety
    ///
    /// The context is null or that of an instance of this store.
    pub unsafe fn instance_of(&self, context: *mut VmContext) -> Option<InstanceId> {
        // SAFETY: passed on to the caller.
        (!context.is_null()).then(|| unsafe { InstanceRef::of(context) }.get().id())
    }

    /// The instance that a function belongs to; none for a function of the host.
    ///
    /// # Safety
    ///
    /// The funcref belongs to this store.
    pub unsafe fn instance_of_func(&self, func: NonNull<VmFuncRef>) -> Option<InstanceId> {
        // SAFETY: passed on to the caller; every context begins with a header that says what it is.
        unsafe {
            let context = func.as_ref().context;
            ((*context).kind == VmHeader::INSTANCE)
                .then(|| InstanceRef::of(context.cast()).get().id())
        }
    }

    /// The funcref of a function of an instance, imported or defined.
    ///
    /// # Panics
    ///
    /// When the function is not one that the shape says can become a funcref.
    pub fn func_ref(&mut self, instance: InstanceId, func: FuncIndex) -> NonNull<VmFuncRef> {
        self.instance_ref(instance).func_ref(func)
    }

    /// Whether an access at this address could have run into a memory's guard, or the heap of objects.
    pub(crate) fn guards(&self, address: usize) -> bool {
        self.gc.contains(address) || self.describe_fault(address).is_some()
    }

    /// What an access that faulted at this address was beyond.
    pub fn describe_fault(&self, address: usize) -> Option<MemoryFault> {
        self.instances.iter().find_map(|instance| {
            let memories = &instance.get().memories;
            memories.iter().find_map(|memory| {
                memory.fault_offset(address).map(|offset| MemoryFault {
                    memory_size: memory.byte_size(),
                    wasm_address: offset,
                })
            })
        })
    }

    /// The guest's frames, innermost first; for a host function that the guest called. As many as `max`.
    pub fn backtrace(&self, max: usize) -> Backtrace {
        // SAFETY: the store is this thread's, so its records are those of this stack, or say that there are none.
        unsafe { capture_up_to(self, Start::Exit, max) }
    }

    pub(crate) fn backtrace_if_wanted(&self) -> Option<Backtrace> {
        // SAFETY: as in `backtrace`.
        unsafe { capture(self, Start::Exit) }
    }

    /// The host's values and roots.
    pub fn gc(&self) -> &GcStore {
        &self.gc
    }

    /// Makes room for the values of a loop that continues elsewhere, and says where.
    pub(crate) fn prepare_osr(&mut self, osr: Osr) -> *mut ValRaw {
        if self.osr_values.len() < osr.values as usize {
            self.osr_values.resize(osr.values as usize, ValRaw::ZERO);
        }
        let values = self.osr_values.as_mut_ptr();
        let context = self.context.get_mut();
        context.osr_code = osr.code;
        context.osr_values = values;
        values
    }

    /// The host's values and roots.
    pub fn gc_mut(&mut self) -> &mut GcStore {
        &mut self.gc
    }

    pub(crate) fn instances_and_gc(&mut self) -> (&[InstanceRef], &mut GcStore) {
        (&self.instances, &mut self.gc)
    }

    /// Gives numbers to so many tags of an instance, and returns the first.
    pub(crate) fn number_tags(
        &mut self,
        owner: InstanceId,
        count: u32,
    ) -> Result<u32, AllocateError> {
        let first = self.tags;
        self.tags = first.checked_add(count).ok_or(AllocateError::TooLarge {
            what: "a store's tags",
            size: u64::from(first) + u64::from(count),
        })?;
        if count > 0 {
            self.tag_owners.push((first + 1, owner));
        }
        Ok(first + 1)
    }

    /// The instance whose tag has this number, if any has, and the tag's place there if it has so many.
    pub(crate) fn tag_owner(&self, number: u32) -> Option<(&Instance, u32)> {
        let after = self
            .tag_owners
            .partition_point(|(first, _)| *first <= number);
        let (first, owner) = *self.tag_owners.get(after.checked_sub(1)?)?;
        let instance = self.instances.get(owner.index())?;
        Some((instance.get(), number - first))
    }
}

impl std::fmt::Debug for StoreCore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreCore")
            .field("instances", &self.instances.len())
            .field("gc", &self.gc)
            .finish_non_exhaustive()
    }
}

/// An access beyond a memory's end.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct MemoryFault {
    /// The memory's length in bytes.
    pub memory_size: usize,
    /// The address in the memory that was accessed.
    pub wasm_address: u64,
}

/// Asks whether the memories and tables of a new instance may have their minimum size.
fn ask_limits(
    embedder: &mut dyn VmStore,
    request: &InstanceRequest<'_>,
) -> Result<(), AllocateError> {
    for (i, memory) in request.shape.memories.iter() {
        let given = request.shared_memories.get(i.as_u32() as usize);
        if memory.ty.shared || given.is_some_and(Option::is_some) {
            continue;
        }
        let bytes = |pages: u64| {
            let bytes = pages.saturating_mul(memory.ty.page_size());
            usize::try_from(bytes).unwrap_or(usize::MAX)
        };
        let max = memory.ty.max.map(bytes);
        let allowed = embedder
            .memory_growing(0, bytes(memory.ty.min), max)
            .map_err(AllocateError::Host)?;
        if !allowed {
            let pages = memory.ty.min;
            return Err(AllocateError::MemoryLimit { pages });
        }
    }
    for table in request.shape.tables.values() {
        let elements = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let allowed = embedder
            .table_growing(0, elements(table.min), table.max.map(elements))
            .map_err(AllocateError::Host)?;
        if !allowed {
            let elements = table.min;
            return Err(AllocateError::TableLimit { elements });
        }
    }
    Ok(())
}

/// The trap of an access beyond a table's or memory's end, or nothing.
pub(crate) fn in_bounds(start: u64, len: u64, size: u64, trap: Trap) -> Result<(), Trap> {
    match start.checked_add(len) {
        Some(end) if end <= size => Ok(()),
        _ => Err(trap),
    }
}
