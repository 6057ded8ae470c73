//! Collecting: everything that can be reached from the roots moves to the other space, the rest is forgotten.
//!
//! Cheney's algorithm: what has been moved is at the same time the queue of what is still to be looked at. The one idea: nothing read
//! from the heap is trusted. A reference that leads to no object that fits the space becomes null; each step moves the queue's end or
//! its start, so a collection of whatever bytes ends.

use super::layouts::Scan;
use super::prefetch::prefetch;
use super::values::{HostValue, HostValues};
use super::{GcRef, GcStore, frames};
use crate::instance::InstanceRef;
use meantime_abi::{DefinedTableIndex, GC_ALIGN, GcBits, RefRepr, VmGcHeader, VmStoreContext};

/// What visiting a root and a frame costs, in bytes of objects.
const ROOT_WORK: u64 = 8;
const FRAME_WORK: u64 = 128;

/// So many bytes before it is looked at, what an object refers to is fetched.
const AHEAD: u32 = 256;

/// A collection in progress.
struct Collector<'a> {
    base: *mut u8,
    from_start: u32,
    from_len: u32,
    to_start: u32,
    /// Where the next object moves to.
    to_top: u32,
    to_end: u32,
    scans: &'a [Scan],
    offsets: &'a [u32],
    values: &'a mut HostValues,
    root_work: u64,
}

impl Collector<'_> {
    fn root(&mut self, root: &mut Option<GcRef>) {
        self.root_work += ROOT_WORK;
        if let Some(reference) = *root {
            // SAFETY: the collector's spaces are those of the heap.
            *root = GcRef::from_bits(unsafe { self.forward(reference.bits()) });
        }
    }

    /// The new bits of a reference; moves its object unless that has been done.
    ///
    /// # Safety
    ///
    /// Both spaces are accessible and nobody else uses them.
    #[inline(always)]
    unsafe fn forward(&mut self, bits: u32) -> u32 {
        if bits & GcBits::NOT_OBJECT != 0 {
            if bits & GcBits::I31 == 0 {
                self.values.mark(bits);
            }
            return bits;
        }
        let at = bits.wrapping_sub(self.from_start);
        if at >= self.from_len || !bits.is_multiple_of(GC_ALIGN) {
            return self.outside(bits);
        }
        let from = self.base.wrapping_add(bits as usize).cast::<u64>();
        // SAFETY: in the used part of the old space, whose length is a multiple of a header's; aligned.
        let header = unsafe { from.read() };
        let (type_id, len) = (header as u32, (header >> 32) as u32);
        if type_id == VmGcHeader::FORWARDED.bits() {
            return self.outside(len);
        }
        let Some(scan) = self.scans.get(type_id as usize) else {
            return 0;
        };
        let size = scan.bytes(len);
        if size > u64::from(self.from_len - at)
            || size > u64::from(self.to_end - self.to_top)
            || size == 0
        {
            return 0;
        }
        let to_bits = self.to_top;
        let to = self.base.wrapping_add(to_bits as usize).cast::<u64>();
        self.to_top += size as u32;
        // SAFETY: `size` bytes from either place are inside their spaces, which do not overlap; sizes are multiples of eight.
        unsafe {
            copy_words(from, to, size as usize / 8);
            from.write(u64::from(VmGcHeader::FORWARDED.bits()) | u64::from(to_bits) << 32);
        }
        to_bits
    }

    /// Fetches an object that may have to be moved, if this is a reference to one.
    #[inline(always)]
    fn prefetch(&self, bits: u32) {
        if bits.wrapping_sub(self.from_start) < self.from_len {
            prefetch(self.base.wrapping_add(bits as usize));
        }
    }

    /// A reference that is not into the old space: null, into the new space, or wrong, which makes it null.
    #[inline(always)]
    fn outside(&self, bits: u32) -> u32 {
        let moved = (self.to_start..self.to_top).contains(&bits) && bits.is_multiple_of(GC_ALIGN);
        if moved { bits } else { 0 }
    }

    /// Looks at all that has been moved, which moves more.
    ///
    /// # Safety
    ///
    /// As for [`Collector::forward`].
    unsafe fn scan(&mut self) {
        let mut at = self.to_start;
        while at < self.to_top {
            let object = self.base.wrapping_add(at as usize);
            // SAFETY: objects lie in the new space one after the other up to its top. Their headers were checked when they were moved
            // and references in them are after the header and before their end.
            let size = unsafe {
                let header = object.cast::<u64>().read();
                let (type_id, len) = (header as u32, (header >> 32) as u32);
                let Some(scan) = self.scans.get(type_id as usize) else {
                    return;
                };
                for i in scan.first..scan.end {
                    let offset = self.offsets[i as usize];
                    let slot = object.wrapping_add(offset as usize).cast::<u32>();
                    slot.write(self.forward(slot.read()));
                }
                let row = object.wrapping_add(scan.row as usize).cast::<u32>();
                let row_len = scan.row_len(len) as usize;
                let size = scan.bytes(len) as u32;
                // The queue goes on with objects of this type, mostly.
                let may_look = u64::from(at) + u64::from(size + AHEAD) <= u64::from(self.to_top);
                for i in 0..row_len {
                    let slot = row.wrapping_add(i);
                    if may_look {
                        self.prefetch(slot.wrapping_add(AHEAD as usize / 4).read());
                    }
                    slot.write(self.forward(slot.read()));
                }
                size
            };
            if size == 0 {
                return;
            }
            at += size;
        }
    }
}

/// Copies words. Most objects are a few, for which a call takes longer than the copying.
///
/// # Safety
///
/// Both ranges are accessible and apart.
#[inline(always)]
unsafe fn copy_words(from: *const u64, to: *mut u64, words: usize) {
    // SAFETY: passed on to the caller.
    unsafe {
        if words > 16 {
            std::ptr::copy_nonoverlapping(from, to, words);
        } else {
            for i in 0..words {
                to.add(i).write(from.add(i).read());
            }
        }
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
            None => (std::ptr::null_mut(), 0..0, 0..0),
            Some(heap) => match heap.other_space() {
                Ok(to) => (heap.base(), heap.used(), to),
                Err(_) => return Vec::new(),
            },
        };
        let mut collector = Collector {
            base,
            from_start: from.start,
            from_len: from.end - from.start,
            to_start: to.start,
            to_top: to.start,
            to_end: to.end,
            scans: self.layouts.scans(),
            offsets: self.layouts.offsets(),
            values: &mut self.values,
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
        let (top, root_work) = (collector.to_top, collector.root_work);
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
/// As for [`Collector::forward`]; the instance is alive and nobody holds a reference into it.
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
