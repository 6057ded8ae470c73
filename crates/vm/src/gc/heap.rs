//! The memory of a store's heap: address space, its two halves, and how large they are.
//!
//! Not what lies in it. The one idea: all that 32 bits can name is reserved once, so the base never changes and no sum of offsets leaves
//! the reservation; growing makes more of it accessible, and what was made accessible stays so.

use super::GcOptions;
use crate::sys::Mapping;
use meantime_abi::{GC_ALIGN, GC_GUARD, GC_NULL_PAGES, GC_REGION, VmStoreContext};
use std::io;

/// Sizes of spaces are multiples of this.
const GRAIN: u32 = 64 << 10;
/// Where the halves begin.
const STARTS: [u32; 2] = [GC_NULL_PAGES, 1 << 31];
/// The largest size of a half.
const MAX_HALF: u32 = (1 << 31) - GC_NULL_PAGES;
/// The largest size of a heap that is never collected, which needs no second half.
const MAX_WHOLE: u32 = u32::MAX - (2 * GC_NULL_PAGES - 1);
/// Size and alignment of a huge page.
const HUGE_PAGE: usize = 2 << 20;
/// From this size on, huge pages are asked for.
const HUGE_FROM: u32 = 4 << 20;
/// The smallest size that a heap grows to: as much as second-level caches hold, so that objects that die young never leave them.
const FIRST_SIZE: u32 = 1 << 20;

/// A heap takes ten times what the work of a collection amounts to up to this size, ...
const SMALL: u64 = 40 << 20;
/// ... and less more than it needs from this amount of work on.
const LARGE: u64 = 128 << 20;

/// A store's heap.
pub(super) struct Heap {
    mapping: Mapping,
    /// Where the region begins in the mapping.
    region: usize,
    /// Has the next object's place and the limit of the space, as compiled code uses them.
    context: *mut VmStoreContext,
    options: GcOptions,
    /// Bytes that each space may have now.
    size: u32,
    /// Bytes of each space that are accessible.
    committed: [u32; 2],
    /// The space in use.
    current: usize,
    /// Bytes that the last collection found alive, and what stands for the work that it had with roots.
    pub live: u64,
    pub root_work: u64,
}

impl Heap {
    /// An empty heap that belongs to a store.
    pub fn new(context: *mut VmStoreContext, options: GcOptions) -> io::Result<Heap> {
        // The slack is for the region to begin at a huge page.
        let len = usize::try_from(GC_REGION + GC_GUARD)
            .ok()
            .and_then(|len| len.checked_add(HUGE_PAGE))
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let mapping = if options.signals {
            Mapping::reserve(len)?
        } else {
            // Nothing may fault, wherever a corrupt heap sends an access.
            Mapping::zeroed(len)?
        };
        let address = mapping.base().as_ptr() as usize;
        let region = address.next_multiple_of(HUGE_PAGE) - address;
        let heap = Heap {
            mapping,
            region,
            context,
            options,
            size: 0,
            committed: [0; 2],
            current: 0,
            live: 0,
            root_work: 0,
        };
        // SAFETY: the store is alive and this thread's, and no guest of it runs code that allocates yet.
        unsafe {
            (*context).gc_base = heap.base();
            (*context).gc_top = STARTS[0];
            (*context).gc_limit = STARTS[0];
        }
        Ok(heap)
    }

    /// What references count from.
    pub fn base(&self) -> *mut u8 {
        self.mapping.base().as_ptr().wrapping_add(self.region)
    }

    /// Whether an address is in the region or its guard.
    pub fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.mapping.base().as_ptr() as usize) < self.mapping.len()
    }

    /// Where objects are now: from the first to the end of the last.
    pub fn used(&self) -> std::ops::Range<u32> {
        let start = STARTS[self.current];
        // SAFETY: the store is alive as long as its heap.
        let top = unsafe { (*self.context).gc_top };
        start..top.clamp(start, start + self.size)
    }

    /// Bytes for objects, of all spaces.
    pub fn capacity(&self) -> u64 {
        self.capacity_at(self.size)
    }

    /// The capacity that spaces of this size have.
    pub fn capacity_at(&self, size: u32) -> u64 {
        u64::from(size) * if self.options.collects { 2 } else { 1 }
    }

    /// Bytes that each space may have now.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Whether there has never been room for an object.
    pub fn is_new(&self) -> bool {
        self.size == 0
    }

    /// Bytes that each space may ever have.
    pub fn max_size(&self) -> u32 {
        match self.options.collects {
            true => MAX_HALF,
            false => MAX_WHOLE,
        }
    }

    /// Bytes for new objects.
    pub fn free(&self) -> u32 {
        let used = self.used();
        self.size - (used.end - used.start)
    }

    /// A place for a new object, whose size is a multiple of [`GC_ALIGN`].
    pub fn bump(&mut self, size: u32) -> Option<u32> {
        debug_assert!(size.is_multiple_of(GC_ALIGN));
        let top = self.used().end;
        if self.free() < size {
            return None;
        }
        self.set_top(top + size);
        Some(top)
    }

    fn set_top(&mut self, top: u32) {
        let end = STARTS[self.current] + self.size;
        let limit = if self.options.zeal.is_some() {
            top
        } else {
            end
        };
        // SAFETY: the store is alive as long as its heap; no guest runs while its heap is changed here.
        unsafe {
            (*self.context).gc_top = top;
            (*self.context).gc_limit = limit;
        }
    }

    /// Makes bytes of a space accessible.
    fn commit(&mut self, space: usize, size: u32) -> io::Result<()> {
        let old = self.committed[space];
        if size <= old {
            return Ok(());
        }
        if self.options.signals {
            let at = self.region + STARTS[space] as usize;
            let range = at + old as usize..at + size as usize;
            self.mapping.make_writable(range.clone())?;
            if size >= HUGE_FROM {
                let from = range.start.next_multiple_of(HUGE_PAGE);
                let to = range.end - range.end % HUGE_PAGE;
                if from < to {
                    self.mapping.advise_huge_pages(from..to);
                }
            }
        }
        self.committed[space] = size;
        Ok(())
    }

    /// Gives spaces a larger size.
    pub fn grow_to(&mut self, size: u32) -> io::Result<()> {
        debug_assert!(size.is_multiple_of(GRAIN) && size <= self.max_size());
        self.commit(self.current, size)?;
        self.size = self.size.max(size);
        let top = self.used().end;
        self.set_top(top);
        Ok(())
    }

    /// The size that spaces shall have for an object of `request` bytes to fit, after a collection or without one.
    pub fn wanted_size(&self, request: u32, collected: bool) -> u32 {
        let used = self.used();
        let needed = u64::from(used.end - used.start) + u64::from(request);
        let wanted = if collected {
            // The work of a collection is that of what is alive; as much again as it takes must be allocated between two.
            let work = needed + self.root_work;
            let wanted = match work {
                0..LARGE => (10 * work).min(SMALL).max(3 * work),
                LARGE.. => 2 * work,
            };
            // Rather keep what is there than grow by little.
            let size = u64::from(self.size);
            let suffices = 3 * work <= size && wanted < 2 * size;
            if suffices { needed } else { wanted }
        } else {
            needed.max(2 * u64::from(self.size).min(256 << 20))
        };
        let first = u64::from(FIRST_SIZE).max(self.options.initial_size);
        let wanted = wanted.max(first).max(self.size.into());
        self.round(wanted)
    }

    /// The least size of spaces for an object of `request` bytes to fit; none when there is no such.
    pub fn least_size(&self, request: u32) -> Option<u32> {
        let used = self.used();
        let needed = u64::from(used.end - used.start) + u64::from(request);
        (needed <= self.max_size().into()).then(|| self.round(needed))
    }

    fn round(&self, size: u64) -> u32 {
        let size = size.min(self.max_size().into()) as u32;
        // The largest size is a multiple too.
        size.next_multiple_of(GRAIN)
    }

    /// Makes sure that everything alive fits the other space, and returns where that begins and ends.
    pub fn other_space(&mut self) -> io::Result<std::ops::Range<u32>> {
        let other = 1 - self.current;
        self.commit(other, self.size)?;
        let start = STARTS[other];
        Ok(start..start + self.size)
    }

    /// Goes over to the other space, in which objects end at `top`.
    pub fn flip(&mut self, top: u32) {
        let old = self.used();
        if self.options.zeal.is_some() {
            // Who still looks at what has moved shall notice.
            // SAFETY: all that was used is accessible.
            unsafe {
                let at = self.base().wrapping_add(old.start as usize);
                at.write_bytes(0xdb, (old.end - old.start) as usize);
            }
        }
        self.current = 1 - self.current;
        let start = STARTS[self.current];
        self.live = u64::from(top - start);
        self.set_top(top);
    }
}

impl std::fmt::Debug for Heap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heap")
            .field("size", &self.size)
            .field("used", &self.used())
            .finish_non_exhaustive()
    }
}

const _: () = assert!(MAX_HALF.is_multiple_of(GRAIN) && MAX_WHOLE.is_multiple_of(GRAIN));
const _: () = assert!(GC_NULL_PAGES.is_multiple_of(GRAIN));
