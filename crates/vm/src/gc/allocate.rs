//! A store's heap as the rest of the runtime uses it: types, objects, collections, growth.
//!
//! The one idea: room is found in this order: what is free, what a collection frees, more memory if the store's limiter and the system
//! agree. After a collection the heap grows so far that the next one is worth its while.

use super::heap::{GRAIN, Heap};
use super::{GcRef, GcStore};
use crate::error::{AllocateError, GrowError};
use crate::store::StoreCore;
use meantime_abi::{CompositeType, GC_MAX_OBJECT, GcLayout, TypeId, VmGcHeader};
use std::any::Any;
use std::ptr::NonNull;

/// If a collection leaves less than this part of a heap free that cannot grow, that is not enough: the next collections would come ever
/// sooner and find ever less.
const LEAST_FREE: u32 = 64;

impl GcStore {
    /// Whether a collection may happen now.
    fn may_collect(&self) -> bool {
        self.options.collects && !self.paused
    }

    /// Whether zeal wants a collection at this allocation.
    fn zeal_is_due(&mut self) -> bool {
        let Some(every) = self.options.zeal else {
            return false;
        };
        self.zeal_left = self.zeal_left.saturating_sub(1);
        if self.zeal_left > 0 || !self.may_collect() {
            return false;
        }
        self.zeal_left = every.get();
        true
    }
}

fn out_of_memory(size: u32) -> AllocateError {
    AllocateError::GcHeapOutOfMemory { size: size.into() }
}

impl StoreCore {
    /// Reserves the heap, unless that has been done. Needed before the first instance whose module has types of objects or tags, and before
    /// the host makes an object.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    ///
    /// # Safety
    ///
    /// `this` is alive and no reference to it is in use.
    pub unsafe fn ensure_gc_heap(mut this: NonNull<StoreCore>) -> Result<(), AllocateError> {
        // SAFETY: passed on to the caller.
        let this = unsafe { this.as_mut() };
        if this.gc().heap.is_some() {
            return Ok(());
        }
        let options = this.gc().options;
        let heap = Heap::new(this.context(), options).map_err(|source| AllocateError::Os {
            what: "a heap for objects",
            size: meantime_abi::GC_REGION,
            source,
        })?;
        this.gc_mut().heap = Some(heap);
        this.publish();
        Ok(())
    }

    /// Makes types known, each with its supertypes from the topmost. Types that are known already change nothing. They must stay
    /// what they are as long as the store.
    pub fn add_gc_types<'a>(
        &mut self,
        types: impl Iterator<Item = (TypeId, &'a [TypeId], &'a CompositeType<TypeId>)>,
    ) {
        for (id, supertypes, ty) in types {
            self.gc_mut().layouts.add(id, supertypes, ty);
        }
        self.publish();
    }

    /// Tells compiled code where the types and functions are.
    pub(super) fn publish(&mut self) {
        let context = self.context();
        let gc = self.gc();
        // SAFETY: the store's own context; no guest is in the middle of reading it.
        unsafe {
            (*context).gc_types = gc.layouts.vm_types().as_ptr();
            (*context).gc_types_len = gc.layouts.vm_types().len() as u32;
            (*context).gc_funcs = gc.funcs.as_ptr();
            (*context).gc_funcs_len = gc.funcs.len() as u32;
        }
    }

    /// Switches collections off, while references are in use that nobody roots, or on again; the heap grows in between.
    pub fn gc_set_collecting(&mut self, collecting: bool) {
        self.gc_mut().paused = !collecting;
    }

    /// Bytes of memory that the heap takes for objects.
    pub fn gc_heap_capacity(&self) -> usize {
        let capacity = self.gc().heap.as_ref().map_or(0, Heap::capacity);
        usize::try_from(capacity).unwrap_or(usize::MAX)
    }

    /// Forgets every object and drops every value of the host that neither the host's roots nor the guest can reach. Objects move.
    /// Does nothing where collections are off.
    pub fn collect_garbage(&mut self) {
        if !self.gc().may_collect() {
            return;
        }
        let context = self.context();
        let (instances, gc) = self.instances_and_gc();
        // SAFETY: all instances are passed, and the store is this thread's, so its records are those of this stack. That references
        // are rooted is what the documentation of all that collects asks for.
        let dead = unsafe { gc.collect(instances, context) };
        drop(dead);
    }

    /// A new object of a type that is known, its fields or elements zero or null; `len` is an array's length, else zero. May collect
    /// before, so every reference that the host still needs must be rooted; so must the new one before the next.
    ///
    /// # Errors
    ///
    /// When the limiter fails, or there is no room.
    ///
    /// # Panics
    ///
    /// When the type is not known.
    ///
    /// # Safety
    ///
    /// `this` is alive and no reference to it is in use, as the limiter may make its own.
    pub unsafe fn gc_alloc(
        this: NonNull<StoreCore>,
        ty: TypeId,
        len: u32,
    ) -> Result<GcRef, AllocateError> {
        // SAFETY: passed on to the caller.
        unsafe {
            let gc = this.as_ref().gc();
            let layout = gc.layouts.layout(ty).expect("the type was added");
            let len = match layout {
                GcLayout::Array(_) => len,
                _ => 0,
            };
            let size = layout.size(len);
            StoreCore::ensure_gc_heap(this)?;
            let (reference, address) = StoreCore::allocate_object(this, ty, size, len)?;
            let header = size_of::<VmGcHeader>();
            // Of what is not an array, it is zero after the type.
            address.add(header).write_bytes(0, size as usize - header);
            Ok(reference)
        }
    }

    /// A new object with its type, its length or zero, and unspecified contents after that; and its address.
    ///
    /// # Safety
    ///
    /// As for [`StoreCore::gc_alloc`]; there is a heap.
    pub(super) unsafe fn allocate_object(
        this: NonNull<StoreCore>,
        type_id: TypeId,
        size: u64,
        len: u32,
    ) -> Result<(GcRef, *mut u8), AllocateError> {
        if size >= GC_MAX_OBJECT {
            return Err(AllocateError::GcHeapOutOfMemory { size });
        }
        // SAFETY: passed on to the caller. The place has as many bytes as a header, and is aligned.
        unsafe {
            let bits = allocate(this, size as u32)?;
            let address = (*(*this.as_ptr()).context())
                .gc_base
                .wrapping_add(bits as usize);
            address
                .cast::<VmGcHeader>()
                .write(VmGcHeader { type_id, len });
            let reference = GcRef::from_bits(bits).expect("no object is at zero");
            Ok((reference, address))
        }
    }

    /// Makes a value of the host one that the guest can hold. May collect before, so every reference that the host still needs must
    /// be rooted; so must the new one before the next.
    ///
    /// # Errors
    ///
    /// When there are too many.
    pub fn alloc_extern(
        &mut self,
        value: Box<dyn Any + Send + Sync>,
    ) -> Result<GcRef, AllocateError> {
        if self.gc_mut().zeal_is_due() || self.gc().values.want_collection() {
            self.collect_garbage();
        }
        let len = self.gc().values.len();
        let inserted = self.gc_mut().values.insert(value);
        inserted.map_err(|_| AllocateError::TooLarge {
            what: "a store's host values",
            size: len as u64,
        })
    }

    /// Holds an exception as a root, to be thrown by [`Pending::Exception`](crate::Pending::Exception).
    pub fn set_pending_exception(&mut self, exception: GcRef) {
        self.gc_mut().exception = Some(exception);
    }

    /// Whether an exception is held.
    pub fn has_pending_exception(&self) -> bool {
        self.gc().exception.is_some()
    }

    /// The exception that is held, which then no longer is.
    pub fn take_pending_exception(&mut self) -> Option<GcRef> {
        self.gc_mut().exception.take()
    }
}

/// Room for an object.
///
/// # Safety
///
/// As for [`StoreCore::gc_alloc`]; there is a heap.
unsafe fn allocate(mut this: NonNull<StoreCore>, size: u32) -> Result<u32, AllocateError> {
    // SAFETY: the caller vouches for the store; the reference ends before anybody else can use the store.
    let collects = unsafe {
        let core = this.as_mut();
        if core.gc_mut().zeal_is_due() {
            core.collect_garbage();
        }
        if let Some(bits) = bump(core, size)? {
            return Ok(bits);
        }
        let is_new = core.gc().heap.as_ref().is_some_and(Heap::is_new);
        let collects = core.gc().may_collect() && !is_new;
        if collects {
            core.collect_garbage();
            join_if_due(core, size);
        }
        collects
    };
    // SAFETY: passed on to the caller.
    let grown = unsafe { grow(this, size, collects)? };
    // SAFETY: as above.
    let core = unsafe { this.as_mut() };
    let heap = core.gc().heap.as_ref();
    let too_full =
        collects && !grown && heap.is_some_and(|heap| heap.free() < heap.size() / LEAST_FREE);
    match bump(core, size)? {
        Some(bits) if !too_full => Ok(bits),
        _ => Err(out_of_memory(size)),
    }
}

/// After a collection, has the objects of a heap that will be large moved once more, to where it can become so.
fn join_if_due(core: &mut StoreCore, request: u32) {
    let heap = core.gc_mut().heap.as_mut();
    if let Some(heap) = heap.filter(|heap| heap.should_join(request)) {
        heap.set_joins(true);
        core.collect_garbage();
    }
    if let Some(heap) = &mut core.gc_mut().heap {
        // If it did not happen, there was no room for it.
        heap.set_joins(false);
    }
}

fn bump(core: &mut StoreCore, size: u32) -> Result<Option<u32>, AllocateError> {
    match &mut core.gc_mut().heap {
        Some(heap) => Ok(heap.bump(size)),
        None => Err(out_of_memory(size)),
    }
}

/// Grows the heap if that is due or necessary for an object. False says that it is not as large as it should be.
///
/// # Safety
///
/// As for [`StoreCore::gc_alloc`].
unsafe fn grow(
    this: NonNull<StoreCore>,
    request: u32,
    collected: bool,
) -> Result<bool, AllocateError> {
    // SAFETY: passed on to the caller; the reference ends before the limiter runs.
    let (size, wanted, least) = unsafe {
        let Some(heap) = this.as_ref().gc().heap.as_ref() else {
            return Ok(false);
        };
        let wanted = heap.wanted_size(request, collected);
        (heap.size(), wanted, heap.least_size(request))
    };
    let Some(least) = least else {
        return Ok(false);
    };
    if wanted <= size {
        return Ok(true);
    }
    // SAFETY: passed on to the caller.
    unsafe {
        if try_grow(this, wanted)? {
            return Ok(true);
        }
        // Less may be allowed, and do for now.
        for part in [2, 4, 8] {
            let less = least + (wanted - least) / part;
            let less = less - less % GRAIN;
            if less > size.max(least) && try_grow(this, less)? {
                return Ok(false);
            }
        }
        if least > size {
            try_grow(this, least)?;
        }
    }
    Ok(false)
}

/// Grows the heap's spaces to a size, if the limiter and the system agree.
///
/// # Safety
///
/// As for [`StoreCore::gc_alloc`].
unsafe fn try_grow(mut this: NonNull<StoreCore>, size: u32) -> Result<bool, AllocateError> {
    // SAFETY: passed on to the caller; the references to the core end before the embedder runs.
    unsafe {
        let bytes = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let Some((current, desired, max)) = this.as_ref().gc().heap.as_ref().map(|heap| {
            let max = heap.capacity_at(heap.max_size());
            (heap.capacity(), heap.capacity_at(size), max)
        }) else {
            return Ok(false);
        };
        let mut embedder = StoreCore::embedder(this);
        if let Some(embedder) = &mut embedder {
            let allowed = embedder
                .memory_growing(bytes(current), bytes(desired), Some(bytes(max)))
                .map_err(AllocateError::Host)?;
            if !allowed {
                return Ok(false);
            }
        }
        let grown = match &mut this.as_mut().gc_mut().heap {
            Some(heap) => heap.grow_to(size),
            None => return Ok(false),
        };
        match grown {
            Ok(()) => Ok(true),
            Err(error) => {
                if let Some(embedder) = StoreCore::embedder(this) {
                    embedder
                        .memory_grow_failed(GrowError::Os(error))
                        .map_err(AllocateError::Host)?;
                }
                Ok(false)
            }
        }
    }
}
