//! Memories that several threads use.
//!
//! The one idea: the storage never moves, so its users keep their own copies of base and length; growing, under a lock, raises the
//! length in all of them.

use crate::error::{AllocateError, GrowError};
use crate::memory::{LinearMemory, grown_size};
use crate::parking::{Parking, WaitResult};
use crate::shape::MemoryShape;
use meantime_abi::{MemoryType, Trap, VmMemory};
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A memory whose type says `shared`.
#[derive(Debug)]
pub struct SharedMemory {
    ty: MemoryType,
    base: NonNull<u8>,
    len: AtomicUsize,
    range: Range<usize>,
    inner: Mutex<Inner>,
    parking: Parking,
}

#[derive(Debug)]
struct Inner {
    storage: LinearMemory,
    /// The contexts' copies of base and length.
    copies: Vec<NonNull<VmMemory>>,
}

// SAFETY: the storage is accessed with atomics or by guests, for whom races are defined; the copies are alive while they are listed and
// their length is atomic.
unsafe impl Send for SharedMemory {}
// SAFETY: as above; all that changes is behind the lock or atomic.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// A new memory.
    ///
    /// # Errors
    ///
    /// When it does not fit the address space or the system refuses.
    pub fn new(shape: &MemoryShape) -> Result<Arc<SharedMemory>, AllocateError> {
        let storage = LinearMemory::new(shape)?;
        Ok(Arc::new(SharedMemory {
            ty: shape.ty,
            base: storage.base(),
            len: AtomicUsize::new(storage.byte_size()),
            range: storage.address_range(),
            inner: Mutex::new(Inner {
                storage,
                copies: Vec::new(),
            }),
            parking: Parking::default(),
        }))
    }

    /// Its type.
    pub fn ty(&self) -> &MemoryType {
        &self.ty
    }

    /// Its length in bytes now.
    pub fn byte_size(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Its first byte. Never changes.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Its bytes, which others write to at any time.
    pub fn data(&self) -> *mut [u8] {
        std::ptr::slice_from_raw_parts_mut(self.base.as_ptr(), self.byte_size())
    }

    pub(crate) fn address_range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Adds pages and returns how many there were before.
    ///
    /// # Errors
    ///
    /// When its type's maximum or the system refuses.
    pub fn grow(&self, delta: u64) -> Result<u64, GrowError> {
        let mut inner = self.lock();
        let old = inner.storage.byte_size();
        let new = grown_size(&self.ty, old, delta).ok_or(GrowError::MemoryMaximum)?;
        inner.storage.grow_to(new)?;
        self.len.store(new, Ordering::Release);
        for copy in &inner.copies {
            // SAFETY: listed copies are alive, and the field is atomic.
            unsafe { copy.as_ref() }.len.store(new, Ordering::Release);
        }
        Ok(old as u64 >> self.ty.page_size_log2)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills in a context's copy and keeps it up to date until [`SharedMemory::detach`].
    ///
    /// # Safety
    ///
    /// The copy stays where it is until then.
    pub(crate) unsafe fn attach(&self, copy: NonNull<VmMemory>) {
        let mut inner = self.lock();
        let value = VmMemory {
            base: self.base.as_ptr(),
            len: AtomicUsize::new(inner.storage.byte_size()),
        };
        // SAFETY: the caller vouches for the copy, which nobody reads yet.
        unsafe { copy.write(value) };
        inner.copies.push(copy);
    }

    pub(crate) fn detach(&self, copy: NonNull<VmMemory>) {
        self.lock().copies.retain(|&other| other != copy);
    }

    /// `memory.atomic.notify`: wakes up to `count` waiters at an address and returns how many.
    ///
    /// # Errors
    ///
    /// When the address is not aligned to 4 or not inside.
    pub fn atomic_notify(&self, addr: u64, count: u32) -> Result<u32, Trap> {
        let at = check_atomic(addr, 4, self.byte_size())?;
        Ok(self.parking.notify(at, count))
    }

    /// `memory.atomic.wait32`: waits while the value is as expected, until it is notified or the time is over.
    ///
    /// # Errors
    ///
    /// When the address is not aligned to 4 or not inside.
    pub fn atomic_wait32(
        &self,
        addr: u64,
        expected: u32,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        let at = check_atomic(addr, 4, self.byte_size())?;
        // SAFETY: inside the memory, which never moves, and aligned.
        let value = unsafe { AtomicU32::from_ptr(self.base.as_ptr().add(at).cast()) };
        let equal = || value.load(Ordering::SeqCst) == expected;
        Ok(self.parking.wait(at, equal, timeout))
    }

    /// `memory.atomic.wait64`: as [`SharedMemory::atomic_wait32`], with 64 bits.
    ///
    /// # Errors
    ///
    /// When the address is not aligned to 8 or not inside.
    pub fn atomic_wait64(
        &self,
        addr: u64,
        expected: u64,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        let at = check_atomic(addr, 8, self.byte_size())?;
        // SAFETY: inside the memory, which never moves, and aligned.
        let value = unsafe { AtomicU64::from_ptr(self.base.as_ptr().add(at).cast()) };
        let equal = || value.load(Ordering::SeqCst) == expected;
        Ok(self.parking.wait(at, equal, timeout))
    }
}

/// The offset of an atomic access of this many bytes, checked.
pub(crate) fn check_atomic(addr: u64, size: u64, len: usize) -> Result<usize, Trap> {
    if !addr.is_multiple_of(size) {
        return Err(Trap::HeapMisaligned);
    }
    match addr.checked_add(size) {
        Some(end) if end <= len as u64 => Ok(addr as usize),
        _ => Err(Trap::MemoryOutOfBounds),
    }
}
