//! The memory of a store's heap: address space, where objects are made in it, where those move that survive, and how large that is.
//!
//! Not what lies in it. The one idea: all that 32 bits can name is reserved once, so the base never changes and no sum of offsets leaves
//! the reservation; growing makes more of it accessible, and what was made accessible stays so.
//!
//! Objects are made in one area, and those that a collection finds alive move to one of two others in turn, the one that the last
//! did not move them to. So most of the memory is written to between any two collections, and only what was alive is there twice.
//! A heap that is too large for that has two halves, each of which has both: objects are made after those that survived.

use super::GcOptions;
use crate::sys::Mapping;
use meantime_abi::{GC_ALIGN, GC_GUARD, GC_NULL_PAGES, GC_REGION, VmStoreContext};
use std::io;
use std::ops::Range;

/// Sizes of spaces are multiples of this.
pub(super) const GRAIN: u32 = 64 << 10;
/// Where areas begin: objects are made in the first, and survive in the last two. The first and the third are the halves of a large heap.
const AREAS: [u32; 4] = [GC_NULL_PAGES, 1 << 30, 2 << 30, 3 << 30];
/// The area where objects are made.
const NEW: usize = 0;
/// The areas where they survive.
const OLD: [usize; 2] = [2, 3];
/// The largest size of a heap that is in areas. Tests shall see what comes after that, too.
const MAX_IN_AREAS: u32 = if cfg!(test) {
    8 << 20
} else {
    (1 << 30) - GC_NULL_PAGES
};
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

/// A heap takes twenty times what the work of a collection amounts to up to this size, ...
const SMALL: u64 = 80 << 20;
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
    /// Bytes that objects may take now.
    size: u32,
    /// Bytes from the start of each area that are accessible, ...
    committed: [u32; 4],
    /// ... and those that were used at some time.
    touched: [u32; 4],
    /// Whether objects that survived and new ones are in areas of their own.
    in_areas: bool,
    /// Whether the next collection is to end that.
    joins: bool,
    /// Where what survived the last collection is.
    old: Range<u32>,
    /// Where objects begin that were made since.
    new_start: u32,
    /// What stands for the work that the last collection had with roots.
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
            committed: [0; 4],
            touched: [0; 4],
            in_areas: options.collects,
            joins: false,
            old: AREAS[NEW]..AREAS[NEW],
            new_start: AREAS[NEW],
            root_work: 0,
        };
        // SAFETY: the store is alive and this thread's, and no guest of it runs code that allocates yet.
        unsafe {
            (*context).gc_base = heap.base();
            (*context).gc_top = AREAS[NEW];
            (*context).gc_limit = AREAS[NEW];
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

    /// Where objects are that survived the last collection, and where those are that were made since: each from the first to the end of
    /// the last.
    pub fn used(&self) -> [Range<u32>; 2] {
        // SAFETY: the store is alive as long as its heap.
        let top = unsafe { (*self.context).gc_top };
        let start = self.new_start;
        [self.old.clone(), start..top.clamp(start, self.new_end())]
    }

    /// As far as new objects may reach.
    fn new_end(&self) -> u32 {
        // What survived had room.
        self.new_start + (self.size - len(&self.old))
    }

    /// Bytes that objects take, dead ones too.
    fn used_size(&self) -> u32 {
        self.used().iter().map(len).sum()
    }

    /// Bytes for objects, with as many for those that survive.
    pub fn capacity(&self) -> u64 {
        self.capacity_at(self.size)
    }

    /// The capacity that a heap of this size has.
    pub fn capacity_at(&self, size: u32) -> u64 {
        u64::from(size) * if self.options.collects { 2 } else { 1 }
    }

    /// Bytes that objects may take now.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Whether there has never been room for an object.
    pub fn is_new(&self) -> bool {
        self.size == 0
    }

    /// Bytes that objects may ever take.
    pub fn max_size(&self) -> u32 {
        match self.options.collects {
            true => MAX_HALF,
            false => MAX_WHOLE,
        }
    }

    /// Bytes that objects may take at most before the next collection.
    fn max_size_now(&self) -> u32 {
        match self.in_areas && !self.is_new() {
            true => MAX_IN_AREAS,
            false => self.max_size(),
        }
    }

    /// Bytes for new objects.
    pub fn free(&self) -> u32 {
        self.size - self.used_size()
    }

    /// A place for a new object, whose size is a multiple of [`GC_ALIGN`].
    pub fn bump(&mut self, size: u32) -> Option<u32> {
        debug_assert!(size.is_multiple_of(GC_ALIGN));
        let top = self.used()[1].end;
        if self.free() < size {
            return None;
        }
        self.set_top(top + size);
        Some(top)
    }

    fn set_top(&mut self, top: u32) {
        let limit = if self.options.zeal.is_some() {
            top
        } else {
            self.new_end()
        };
        // SAFETY: the store is alive as long as its heap; no guest runs while its heap is changed here.
        unsafe {
            (*self.context).gc_top = top;
            (*self.context).gc_limit = limit;
        }
    }

    /// Makes bytes from an area's start accessible.
    fn commit(&mut self, area: usize, size: u32) -> io::Result<()> {
        let old = self.committed[area];
        if size <= old {
            return Ok(());
        }
        if self.options.signals {
            let at = self.region + AREAS[area] as usize;
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
        self.committed[area] = size;
        Ok(())
    }

    /// Gives the heap a larger size.
    pub fn grow_to(&mut self, size: u32) -> io::Result<()> {
        debug_assert!(size.is_multiple_of(GRAIN) && size <= self.max_size_now());
        if self.is_new() && size > MAX_IN_AREAS {
            self.in_areas = false;
        }
        // Where it is in halves, objects that survived are at the start of that one.
        let area = match self.in_areas || self.old.start == AREAS[NEW] {
            true => NEW,
            false => OLD[0],
        };
        self.commit(area, size)?;
        self.size = self.size.max(size);
        let top = self.used()[1].end;
        self.set_top(top);
        Ok(())
    }

    /// The size that the heap shall have for an object of `request` bytes to fit, after a collection or without one.
    pub fn wanted_size(&self, request: u32, collected: bool) -> u32 {
        let needed = u64::from(self.used_size()) + u64::from(request);
        let wanted = if collected {
            // The work of a collection is that of what is alive; as much again as it takes must be allocated between two.
            let work = needed + self.root_work;
            let wanted = match (work, self.in_areas) {
                // What is alive takes its part of this, and as much again: with areas, twice as much is about the same memory.
                (0..LARGE, true) => (20 * work).min(SMALL).max(5 * work),
                (0..LARGE, false) => 3 * work,
                (LARGE.., true) => 3 * work,
                (LARGE.., false) => 2 * work,
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

    /// The least size of the heap for an object of `request` bytes to fit; none when there is no such.
    pub fn least_size(&self, request: u32) -> Option<u32> {
        let needed = u64::from(self.used_size()) + u64::from(request);
        (needed <= self.max_size_now().into()).then(|| self.round(needed))
    }

    fn round(&self, size: u64) -> u32 {
        let size = size.min(self.max_size_now().into()) as u32;
        // The largest sizes are multiples too.
        size.next_multiple_of(GRAIN)
    }

    /// Whether, after a collection, a heap in areas cannot become as large as it should be at least for an object of `request` bytes.
    pub fn should_join(&self, request: u32) -> bool {
        let needed = u64::from(self.used_size()) + u64::from(request);
        self.in_areas && 2 * (needed + self.root_work) > MAX_IN_AREAS.into()
    }

    /// Says whether the next collection, which must follow another at once, moves objects of a heap in areas to the first half.
    pub fn set_joins(&mut self, joins: bool) {
        self.joins = joins && self.in_areas && self.used()[1].is_empty();
    }

    /// The area to which objects move.
    fn destination(&self) -> usize {
        if self.in_areas && !self.joins {
            let [one, other] = OLD;
            return if self.old.start == AREAS[one] {
                other
            } else {
                one
            };
        }
        // A half that neither what survived is in nor anything new.
        if self.old.start == AREAS[NEW] {
            OLD[0]
        } else {
            NEW
        }
    }

    /// Makes sure that everything alive fits where it moves, and returns where that begins and ends.
    pub fn other_space(&mut self) -> io::Result<Range<u32>> {
        let area = self.destination();
        self.commit(area, self.size)?;
        Ok(AREAS[area]..AREAS[area] + self.size)
    }

    /// Says that everything alive has moved, up to `top`.
    pub fn flip(&mut self, top: u32) {
        let used = self.used();
        if self.options.zeal.is_some() {
            // Who still looks at what has moved shall notice.
            for range in &used {
                // SAFETY: all that was used is accessible.
                unsafe {
                    let at = self.base().wrapping_add(range.start as usize);
                    at.write_bytes(0xdb, len(range) as usize);
                }
            }
        }
        let area = self.destination();
        for range in &used {
            self.touch(range);
        }
        self.old = AREAS[area]..top;
        self.touch(&self.old.clone());
        let joined = std::mem::take(&mut self.joins);
        self.in_areas &= !joined;
        self.new_start = if self.in_areas { AREAS[NEW] } else { top };
        self.set_top(self.new_start);
        let touched: u64 = self.touched.iter().copied().map(u64::from).sum();
        if joined || (self.in_areas && touched > self.capacity()) {
            self.trim();
        }
    }

    /// Bytes that were used at some time and not given back, of a heap in areas.
    #[cfg(test)]
    pub fn touched_in_areas(&self) -> Option<u64> {
        let touched = self.touched.iter().copied().map(u64::from);
        self.in_areas.then(|| touched.sum())
    }

    /// Notes that a range was used.
    fn touch(&mut self, range: &Range<u32>) {
        let area = AREAS.iter().rposition(|&start| start <= range.start);
        if let Some(area) = area {
            let touched = &mut self.touched[area];
            *touched = (*touched).max(range.end - AREAS[area]);
        }
    }

    /// Right after a collection, gives memory back that objects had that survived, so that not more is in use than the capacity says.
    fn trim(&mut self) {
        for area in OLD {
            let start = AREAS[area];
            let kept = match self.old.start == start {
                true => len(&self.old).next_multiple_of(GRAIN),
                false => 0,
            };
            if kept < self.touched[area] {
                let at = self.region + start as usize;
                let range = at + kept as usize..at + self.committed[area] as usize;
                // SAFETY: no object is there. If the system refuses, the memory stays.
                if unsafe { self.mapping.discard(range) }.is_ok() {
                    self.touched[area] = kept;
                }
            }
        }
    }
}

fn len(range: &Range<u32>) -> u32 {
    range.end - range.start
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
const _: () = {
    let max = GC_REGION - GC_NULL_PAGES as u64;
    assert!(
        AREAS[NEW] as u64 + MAX_WHOLE as u64 <= max
            && AREAS[OLD[0]] as u64 + MAX_HALF as u64 <= max
    );
};
const _: () = assert!(MAX_IN_AREAS.is_multiple_of(GRAIN));
const _: () = assert!(GC_NULL_PAGES.is_multiple_of(GRAIN));
