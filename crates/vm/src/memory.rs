//! A linear memory in the host's address space.
//!
//! Not the memory's type rules (limits, who may grow it): those are its owner's. The one idea: the plan says how much address space a
//! memory owns; what of it can be accessed is exactly the memory's length, rounded up to the host's pages, so that an access beyond it
//! faults.

use crate::error::{AllocateError, GrowError};
use crate::shape::MemoryShape;
use crate::shared::SharedMemory;
use crate::sys::{Mapping, host_page_size};
use meantime_abi::{Bounds, MemoryPlan, MemoryType};
use std::io;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

/// Size and alignment of a huge page, on every machine that we know.
const HUGE_PAGE: usize = 2 << 20;
/// From this size on, huge pages are asked for: above what programs get that use little of it (16 MiB is a common default), as each huge
/// page that is touched at all is zeroed and resident as a whole.
const HUGE_FROM: usize = 32 << 20;

/// A linear memory's storage.
#[derive(Debug)]
pub struct LinearMemory {
    mapping: Mapping,
    /// Offset of the first byte in the mapping.
    start: usize,
    /// Bytes from the first on that the memory can have without moving.
    reserved: usize,
    /// Bytes from the first on that can be accessed.
    committed: usize,
    len: usize,
    plan: MemoryPlan,
    growth_reserve: u64,
    moved: bool,
}

/// Address space for a memory, inaccessible.
fn reserve(plan: &MemoryPlan, reserved: usize) -> Option<(usize, usize)> {
    let page = host_page_size();
    let guard = usize::try_from(plan.guard)
        .ok()?
        .checked_next_multiple_of(page)?;
    let before = if plan.guard_before { guard } else { 0 };
    // Huge pages need an aligned start, and a memory that can become large is worth the addresses.
    let slack = if reserved >= HUGE_FROM { HUGE_PAGE } else { 0 };
    let total = before
        .checked_add(reserved)?
        .checked_add(guard)?
        .checked_add(slack)?;
    Some((before, total))
}

impl LinearMemory {
    /// A memory with its minimum size and initial contents.
    ///
    /// # Errors
    ///
    /// When it does not fit the address space or the system refuses.
    pub fn new(shape: &MemoryShape) -> Result<LinearMemory, AllocateError> {
        let too_large = |size: Option<u64>| AllocateError::TooLarge {
            what: "a memory",
            size: size.unwrap_or(u64::MAX),
        };
        let min = shape.ty.min_bytes();
        let len = min
            .and_then(|min| usize::try_from(min).ok())
            .ok_or_else(|| too_large(min))?;
        let reservation = usize::try_from(shape.plan.reservation).map_err(|_| too_large(min))?;
        if matches!(shape.plan.bounds, Bounds::Clamped { .. }) && len > reservation {
            // Code takes for granted that guards begin where the reservation ends.
            return Err(too_large(min));
        }
        let mut memory = LinearMemory::reserve(&shape.plan, shape.growth_reserve, len, reservation)
            .map_err(|source| AllocateError::Os {
                what: "a memory",
                size: len as u64,
                source,
            })?;
        memory
            .initialize(shape, len)
            .map_err(|source| AllocateError::Os {
                what: "a memory",
                size: len as u64,
                source,
            })?;
        Ok(memory)
    }

    fn reserve(
        plan: &MemoryPlan,
        growth_reserve: u64,
        len: usize,
        reservation: usize,
    ) -> io::Result<LinearMemory> {
        let out_of_memory = || io::Error::from(io::ErrorKind::OutOfMemory);
        let page = host_page_size();
        let mut reserved = reservation.max(len);
        if plan.may_move && len > reservation {
            let extra = usize::try_from(growth_reserve).map_err(|_| out_of_memory())?;
            reserved = len.checked_add(extra).ok_or_else(out_of_memory)?;
        }
        let reserved = reserved
            .checked_next_multiple_of(page)
            .ok_or_else(out_of_memory)?;
        let (before, total) = reserve(plan, reserved).ok_or_else(out_of_memory)?;
        let mapping = Mapping::reserve(total)?;
        let mut start = before;
        if reserved >= HUGE_FROM {
            let base = mapping.base().as_ptr() as usize;
            start = (base + before).next_multiple_of(HUGE_PAGE) - base;
        }
        Ok(LinearMemory {
            mapping,
            start,
            reserved,
            committed: 0,
            len: 0,
            plan: *plan,
            growth_reserve,
            moved: false,
        })
    }

    fn initialize(&mut self, shape: &MemoryShape, len: usize) -> io::Result<()> {
        self.commit(len)?;
        if let Some(image) = &shape.image {
            if image.end().is_none_or(|end| end > len) {
                return Err(io::Error::other("its initial contents are larger"));
            }
            // SAFETY: the memory is new.
            unsafe {
                image.map(&self.mapping, self.start)?;
                image.copy_rest(&self.mapping, self.start);
            }
        }
        self.len = len;
        Ok(())
    }

    /// Gives all its contents back. It is then as it was made for this shape, but for what [`LinearMemory::reuse`] does.
    ///
    /// # Errors
    ///
    /// When the system refuses, or the memory has moved since; it is then good for nothing.
    pub(crate) fn reset(&mut self, shape: &MemoryShape) -> io::Result<()> {
        let min = shape.ty.min_bytes().unwrap_or(u64::MAX);
        let len = usize::try_from(min).unwrap_or(usize::MAX);
        if self.moved || len > self.len {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let end = self.start + len.next_multiple_of(host_page_size());
        // SAFETY: its owner gave the memory back.
        unsafe {
            self.mapping.discard(self.start..end)?;
            self.mapping.release(end..self.start + self.committed)?;
        }
        self.committed = end - self.start;
        self.len = len;
        Ok(())
    }

    /// Completes the initial contents after a [`LinearMemory::reset`] for the same shape.
    pub(crate) fn reuse(&mut self, shape: &MemoryShape) {
        if let Some(image) = &shape.image {
            // SAFETY: nobody uses the memory yet; the image fits, as it did when the memory was made.
            unsafe { image.copy_rest(&self.mapping, self.start) };
        }
    }

    /// Its first byte.
    pub fn base(&self) -> NonNull<u8> {
        // SAFETY: inside the mapping.
        unsafe { self.mapping.base().add(self.start) }
    }

    /// Its length in bytes.
    pub fn byte_size(&self) -> usize {
        self.len
    }

    /// Every address that an access of this memory can reach, guards included.
    pub(crate) fn address_range(&self) -> Range<usize> {
        let start = self.mapping.base().as_ptr() as usize;
        start..start + self.mapping.len()
    }

    /// Makes the memory longer. Its base changes only when the plan says so.
    ///
    /// # Errors
    ///
    /// When it must not move or the system refuses; it is then unchanged.
    pub fn grow_to(&mut self, new_len: usize) -> Result<(), GrowError> {
        debug_assert!(new_len >= self.len);
        if new_len > self.reserved {
            if !self.plan.may_move {
                return Err(GrowError::Reservation);
            }
            self.move_to_larger(new_len).map_err(GrowError::Os)?;
        } else {
            self.commit(new_len).map_err(GrowError::Os)?;
        }
        self.len = new_len;
        Ok(())
    }

    /// Makes the first bytes accessible, as many as this.
    fn commit(&mut self, len: usize) -> io::Result<()> {
        let end = len.next_multiple_of(host_page_size());
        if end <= self.committed {
            return Ok(());
        }
        self.mapping
            .make_writable(self.start + self.committed..self.start + end)?;
        if end >= HUGE_FROM {
            // What the guest touches beyond a small memory's size it mostly touches densely.
            let from = self.committed.next_multiple_of(HUGE_PAGE);
            let to = end - end % HUGE_PAGE;
            if from < to {
                self.mapping
                    .advise_huge_pages(self.start + from..self.start + to);
            }
        }
        self.committed = end;
        Ok(())
    }

    fn move_to_larger(&mut self, new_len: usize) -> io::Result<()> {
        let mut new = LinearMemory::reserve(&self.plan, self.growth_reserve, new_len, 0)?;
        new.commit(new_len)?;
        let old = self.committed;
        // SAFETY: the memory's owner grows it, so nobody else uses it; both ranges are accessible.
        unsafe {
            let to = new.start..new.start + old;
            if new
                .mapping
                .move_pages_from(to, &self.mapping, self.start)
                .is_err()
            {
                std::ptr::copy_nonoverlapping(self.base().as_ptr(), new.base().as_ptr(), self.len);
            }
        }
        new.moved = true;
        *self = new;
        Ok(())
    }
}

/// A memory that an instance defines.
#[derive(Debug)]
pub struct Memory {
    ty: MemoryType,
    plan: MemoryPlan,
    pub(crate) backing: Backing,
}

/// Whose storage a memory is.
#[derive(Debug)]
pub(crate) enum Backing {
    Own(LinearMemory),
    Shared(Arc<SharedMemory>),
}

impl Memory {
    pub(crate) fn new(shape: &MemoryShape, backing: Backing) -> Memory {
        Memory {
            ty: shape.ty,
            plan: shape.plan,
            backing,
        }
    }

    /// Its type.
    pub fn ty(&self) -> &MemoryType {
        &self.ty
    }

    /// How it lies in the address space.
    pub fn plan(&self) -> &MemoryPlan {
        &self.plan
    }

    /// Its length in bytes now.
    pub fn byte_size(&self) -> usize {
        match &self.backing {
            Backing::Own(memory) => memory.byte_size(),
            Backing::Shared(memory) => memory.byte_size(),
        }
    }

    /// Its length in pages now.
    pub fn pages(&self) -> u64 {
        self.byte_size() as u64 >> self.ty.page_size_log2
    }

    /// Its first byte.
    pub fn base(&self) -> NonNull<u8> {
        match &self.backing {
            Backing::Own(memory) => memory.base(),
            Backing::Shared(memory) => memory.base(),
        }
    }

    /// Its bytes. Valid until the memory grows or its store is dropped; others write to a shared memory at any time.
    pub fn data(&self) -> *mut [u8] {
        std::ptr::slice_from_raw_parts_mut(self.base().as_ptr(), self.byte_size())
    }

    /// The memory that it shares with others, if it does.
    pub fn shared(&self) -> Option<&Arc<SharedMemory>> {
        match &self.backing {
            Backing::Own(_) => None,
            Backing::Shared(memory) => Some(memory),
        }
    }

    /// Whether a fault at this address can come from an access beyond this memory's end, and how far from its base that was.
    pub(crate) fn fault_offset(&self, address: usize) -> Option<u64> {
        let (range, len) = match &self.backing {
            Backing::Own(memory) => (memory.address_range(), memory.byte_size()),
            // It may have grown since the fault.
            Backing::Shared(memory) => (memory.address_range(), 0),
        };
        let offset = address.wrapping_sub(self.base().as_ptr() as usize);
        (range.contains(&address) && offset >= len).then_some(offset as u64)
    }
}

/// The size after growing, in bytes, or why the type forbids it: `current` and the result are bytes, `delta` pages.
pub(crate) fn grown_size(ty: &MemoryType, current: usize, delta: u64) -> Option<usize> {
    let delta = delta.checked_mul(ty.page_size())?;
    let new = (current as u64).checked_add(delta)?;
    let max = ty.max.unwrap_or(u64::MAX).min(ty.max_pages_by_addr());
    let max = u128::from(max) << ty.page_size_log2;
    if u128::from(new) > max {
        return None;
    }
    usize::try_from(new).ok()
}
