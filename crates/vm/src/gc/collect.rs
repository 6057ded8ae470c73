//! Collecting: everything that can be reached from the roots moves to another area, the new space; the rest is forgotten.
//!
//! What an object refers to moves right after it, and is looked at before anything else: so what belongs together lies together, for
//! the guest and for the next collection. A short stack says what is to be looked at. What does not fit there waits: as in Cheney's
//! algorithm, what has been moved is at the same time the queue of what is still to be looked at, from the first that had to wait.
//!
//! The one idea: nothing read from the heap is trusted. A reference that leads to no object that fits the space becomes null; each step
//! moves the end of what has been moved, shortens the stack, or moves the queue's start, so a collection of whatever bytes ends.

use super::layouts::Scan;
use super::values::{HostValue, HostValues};
use super::{GcRef, GcStore, frames};
use crate::instance::InstanceRef;
use meantime_abi::{DefinedTableIndex, GC_ALIGN, GcBits, RefRepr, VmGcHeader, VmStoreContext};
use std::ops::Range;

/// What visiting a root and a frame costs, in bytes of objects.
const ROOT_WORK: u64 = 8;
const FRAME_WORK: u64 = 128;

/// How many objects the stack holds.
const STACK: usize = 1024;

/// Where objects move from and to. A value that loops keep in registers.
#[derive(Copy, Clone)]
struct Spaces<'a> {
    base: *mut u8,
    /// Where objects are that survived the last collection, and where new ones.
    old: Source,
    new: Source,
    to_start: u32,
    /// Where the next object moves to.
    to_top: u32,
    to_end: u32,
    scans: &'a [Scan],
    offsets: &'a [u32],
}

/// Objects one after the other, which move.
#[derive(Copy, Clone)]
struct Source {
    start: u32,
    /// Their length in units of [`GC_ALIGN`].
    units: u32,
}

impl Source {
    fn new(range: &Range<u32>) -> Source {
        Source {
            start: range.start,
            units: (range.end - range.start) / GC_ALIGN,
        }
    }

    /// The units from where these bits refer to, to the end; none where that is not in it.
    #[inline(always)]
    fn units_after(&self, bits: u32) -> Option<u32> {
        let at = units(bits, self.start);
        (at < self.units).then(|| self.units - at)
    }
}

/// The units of [`GC_ALIGN`] from a start to what these bits refer to; far too many where they are no multiple of that.
#[inline(always)]
fn units(bits: u32, start: u32) -> u32 {
    bits.wrapping_sub(start)
        .rotate_right(GC_ALIGN.trailing_zeros())
}

impl Spaces<'_> {
    /// The new bits of a reference. Moves its object unless that has been done, and passes it on to `push` if it may hold references.
    ///
    /// # Safety
    ///
    /// What is used of the heap and all of the new space are accessible, apart, and nobody else uses them.
    #[inline(always)]
    unsafe fn forward(
        &mut self,
        values: &mut HostValues,
        bits: u32,
        push: &mut impl FnMut(u32),
    ) -> u32 {
        let units = self.old.units_after(bits);
        let Some(units) = units.or_else(|| self.new.units_after(bits)) else {
            if bits & GcBits::NOT_OBJECT == 0 {
                return self.moved(bits);
            }
            if bits & GcBits::I31 == 0 {
                values.mark(bits);
            }
            return bits;
        };
        let from = self.base.wrapping_add(bits as usize).cast::<u64>();
        // SAFETY: among objects, whose length is a multiple of a header's; aligned.
        let header = unsafe { from.read() };
        let (type_id, len) = (header as u32, (header >> 32) as u32);
        let Some(scan) = self.scans.get(type_id as usize) else {
            // No type has that number.
            let is_moved = type_id == VmGcHeader::FORWARDED.bits();
            return if is_moved { self.moved(len) } else { 0 };
        };
        let size = scan.bytes(len);
        let bits = self.to_top;
        let end = u64::from(bits) + size;
        if size / u64::from(GC_ALIGN) > u64::from(units) || end > u64::from(self.to_end) {
            return 0;
        }
        let to = self.base.wrapping_add(bits as usize).cast::<u64>();
        self.to_top = end as u32;
        // SAFETY: `size` bytes from either place are inside what is used and the new space, which are apart; sizes are multiples of eight.
        unsafe {
            copy_object(from, to, size as usize);
            from.write(u64::from(VmGcHeader::FORWARDED.bits()) | u64::from(bits) << 32);
        }
        if scan.has_refs {
            push(bits);
        }
        bits
    }

    /// A reference that is into the new space, or else null.
    #[inline(always)]
    fn moved(&self, bits: u32) -> u32 {
        let end = (self.to_top - self.to_start) / GC_ALIGN;
        match units(bits, self.to_start) < end {
            true => bits,
            false => 0,
        }
    }

    /// Moves what an object refers to that was moved itself, and returns the object's size, or zero where there is none. What
    /// is moved and may hold references is passed on to `push`.
    ///
    /// # Safety
    ///
    /// As for [`Spaces::forward`]; an object was moved to this place.
    #[inline(always)]
    unsafe fn look_at(
        &mut self,
        values: &mut HostValues,
        at: u32,
        mut push: impl FnMut(u32),
    ) -> u32 {
        let object = self.base.wrapping_add(at as usize);
        // SAFETY: the object's header was checked when it was moved, and references in it are after the header and before its end.
        unsafe {
            let header = object.cast::<u64>().read();
            let (type_id, len) = (header as u32, (header >> 32) as u32);
            let Some(scan) = self.scans.get(type_id as usize) else {
                return 0;
            };
            let row = object.wrapping_add(scan.row as usize).cast::<u32>();
            let mut slot = row.wrapping_add(scan.row_len(len) as usize);
            // What the first refers to is looked at next.
            while slot != row {
                slot = slot.wrapping_sub(1);
                slot.write(self.forward(values, slot.read(), &mut push));
            }
            for i in scan.first..scan.end {
                let offset = self.offsets[i as usize];
                let slot = object.wrapping_add(offset as usize).cast::<u32>();
                slot.write(self.forward(values, slot.read(), &mut push));
            }
            scan.bytes(len) as u32
        }
    }
}

/// A collection in progress.
struct Collector<'a> {
    spaces: Spaces<'a>,
    values: &'a mut HostValues,
    stack: Stack,
    root_work: u64,
}

/// Objects that were moved and are to be looked at next.
struct Stack {
    objects: [u32; STACK],
    height: usize,
    /// The first object that was moved while there was no place.
    waiting: Option<u32>,
}

impl Stack {
    #[inline(always)]
    fn push(&mut self, bits: u32) {
        match self.objects.get_mut(self.height) {
            Some(place) => {
                *place = bits;
                self.height += 1;
            }
            // The later ones are at higher places.
            None => self.waiting = self.waiting.or(Some(bits)),
        }
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<u32> {
        self.height = self.height.checked_sub(1)?;
        self.objects.get(self.height).copied()
    }
}

impl Collector<'_> {
    fn root(&mut self, root: &mut Option<GcRef>) {
        self.root_work += ROOT_WORK;
        if let Some(reference) = *root {
            // SAFETY: the collector's spaces are those of the heap.
            *root = GcRef::from_bits(unsafe { self.forward(reference.bits()) });
        }
    }

    /// The new bits of a root, with which moves what it leads to, as far as nothing has to wait.
    ///
    /// # Safety
    ///
    /// As for [`Spaces::forward`].
    unsafe fn forward(&mut self, bits: u32) -> u32 {
        // SAFETY: passed on to the caller.
        unsafe {
            let push = &mut |bits| self.stack.push(bits);
            let bits = self.spaces.forward(self.values, bits, push);
            self.empty_stack();
            bits
        }
    }

    /// Looks at all that is on the stack, and at what that refers to, as far as nothing has to wait.
    ///
    /// # Safety
    ///
    /// As for [`Spaces::forward`].
    #[inline(never)]
    unsafe fn empty_stack(&mut self) {
        let mut spaces = self.spaces;
        while let Some(at) = self.stack.pop() {
            // SAFETY: passed on to the caller; only objects that were moved are on the stack.
            unsafe { spaces.look_at(self.values, at, |bits| self.stack.push(bits)) };
        }
        self.spaces = spaces;
    }

    /// Looks at all that has been moved and had to wait, which moves more.
    ///
    /// # Safety
    ///
    /// As for [`Spaces::forward`].
    unsafe fn scan(&mut self) {
        let Some(mut at) = self.stack.waiting else {
            return;
        };
        while at < self.spaces.to_top {
            let push = |bits| self.stack.push(bits);
            // SAFETY: passed on to the caller. Objects lie in the new space one after the other up to its top.
            let size = unsafe { self.spaces.look_at(self.values, at, push) };
            if size == 0 {
                return;
            }
            at += size;
            // What has to wait now is still ahead.
            // SAFETY: passed on to the caller.
            unsafe { self.empty_stack() };
        }
    }
}

/// Copies an object. Most are small, for which a call, or a loop, takes longer than the copying.
///
/// # Safety
///
/// Both ranges are accessible and apart; the size is a multiple of eight and not zero.
#[inline(always)]
unsafe fn copy_object(from: *const u64, to: *mut u64, size: usize) {
    let load = |at: usize| {
        let from = from.cast::<u8>().wrapping_add(at).cast::<u128>();
        // SAFETY: only called for places inside.
        unsafe { from.read_unaligned() }
    };
    let store = |at: usize, value: u128| {
        let to = to.cast::<u8>().wrapping_add(at).cast::<u128>();
        // SAFETY: only called for places inside.
        unsafe { to.write_unaligned(value) }
    };
    // The last ones overlap those before where they must.
    match size {
        // SAFETY: passed on to the caller.
        0..16 => unsafe { to.write(from.read()) },
        16..=32 => {
            let (a, b) = (load(0), load(size - 16));
            store(0, a);
            store(size - 16, b);
        }
        33..=64 => {
            let (a, b, c, d) = (load(0), load(16), load(size - 32), load(size - 16));
            store(0, a);
            store(16, b);
            store(size - 32, c);
            store(size - 16, d);
        }
        // SAFETY: passed on to the caller.
        _ => unsafe { std::ptr::copy_nonoverlapping(from.cast::<u8>(), to.cast::<u8>(), size) },
    }
}

impl GcStore {
    /// Moves what is alive and returns the host's values that are dead. Does nothing where the system has no room for that.
    ///
    /// # Safety
    ///
    /// The instances are all of the store that the context belongs to, its records are those of this thread's stack, and nobody holds a
    /// reference that is not in a root.
    pub(crate) unsafe fn collect(
        &mut self,
        instances: &[InstanceRef],
        context: *mut VmStoreContext,
    ) -> Vec<HostValue> {
        let (base, from, to) = match &mut self.heap {
            None => (std::ptr::null_mut(), [0..0, 0..0], 0..0),
            Some(heap) => match heap.other_space() {
                Ok(to) => (heap.base(), heap.used(), to),
                Err(_) => return Vec::new(),
            },
        };
        let mut collector = Collector {
            spaces: Spaces {
                base,
                old: Source::new(&from[0]),
                new: Source::new(&from[1]),
                to_start: to.start,
                to_top: to.start,
                to_end: to.end,
                scans: self.layouts.scans(),
                offsets: self.layouts.offsets(),
            },
            values: &mut self.values,
            stack: Stack {
                objects: [0; STACK],
                height: 0,
                waiting: None,
            },
            root_work: 0,
        };
        self.roots.visit(|root| collector.root(root));
        collector.root(&mut self.exception);
        // SAFETY: the spaces are the heap's, which this borrows; the caller vouches for the rest.
        unsafe {
            for &instance in instances {
                visit_instance(instance, &mut collector);
            }
            let frames = frames::visit(context, |slot| {
                collector.root_work += ROOT_WORK;
                slot.write(collector.forward(slot.read()));
            });
            collector.root_work += frames * FRAME_WORK;
            collector.scan();
        }
        let (top, root_work) = (collector.spaces.to_top, collector.root_work);
        if let Some(heap) = &mut self.heap {
            heap.flip(top);
            heap.root_work = root_work + self.values.len() as u64 * ROOT_WORK;
        }
        self.values.sweep()
    }
}

/// The roots in an instance.
///
/// # Safety
///
/// As for [`Spaces::forward`]; the instance is alive and nobody holds a reference into it.
unsafe fn visit_instance(instance: InstanceRef, collector: &mut Collector<'_>) {
    // SAFETY: the places are the instance's, the rest is passed on to the caller.
    unsafe {
        for &global in &instance.get().shape().gc_globals {
            let value = instance.vm_global(global).as_mut();
            collector.root_work += ROOT_WORK;
            let bits = collector.forward(value.0.get_gc_ref());
            value.0 = meantime_abi::ValRaw::gc_ref(bits);
        }
        for i in 0..instance.get().tables.len() {
            let table = instance.table_mut(DefinedTableIndex::from_u32(i as u32));
            if table.repr() == RefRepr::Gc {
                let slots = table.gc_slots();
                collector.root_work += slots.len() as u64 * ROOT_WORK;
                for slot in slots {
                    *slot = collector.forward(*slot);
                }
            }
        }
    }
    instance.visit_elems(|reference| collector.root(reference));
}
