//! Options about the heap of structures, arrays and exceptions.
//!
//! The one idea: a heap's layout is fixed (4 GiB of address space and a guard, at an address that never changes), so that options
//! about its layout can only agree with it. What it grows to is the limiter's business, not the configuration's.

use super::{Collector, Config};
use crate::error::{Result, bail};
use meantime_abi::{GC_GUARD, GC_REGION};
use std::num::NonZeroU32;

impl Config {
    /// Which garbage collector to use. [`Collector::Auto`] by default, which is [`Collector::Copying`].
    ///
    /// `Engine::new` refuses [`Collector::DeferredReferenceCounting`], which Meantime does not have.
    pub fn collector(&mut self, collector: Collector) -> &mut Self {
        self.collector = collector;
        self
    }

    /// Bytes of address space reserved for each store's heap: all that 32-bit references can name, 4 GiB. `Engine::new` refuses other
    /// values.
    pub fn gc_heap_reservation(&mut self, bytes: u64) -> &mut Self {
        self.not_yet("gc_heap_reservation", bytes != GC_REGION)
    }

    /// Bytes after each store's heap that nothing else uses. 1 MiB, which suffices whatever a heap holds; `Engine::new` refuses larger
    /// values.
    pub fn gc_heap_guard_size(&mut self, bytes: u64) -> &mut Self {
        self.not_yet("gc_heap_guard_size", bytes > GC_GUARD)
    }

    /// Bytes of address space that a heap gets beyond its new size when it outgrows its reservation and moves. Heaps never do, so this
    /// changes nothing.
    pub fn gc_heap_reservation_for_growth(&mut self, bytes: u64) -> &mut Self {
        self.gc_heap_reservation_for_growth = bytes;
        self
    }

    /// Bytes that a heap has from the start. None by default: it grows as objects are made. At most 2 GiB, which is half of the
    /// reservation, as the other half is where the collector copies to.
    pub fn gc_heap_initial_size(&mut self, bytes: u64) -> &mut Self {
        self.gc_heap_initial_size = bytes;
        self
    }

    /// Whether a heap may move to other addresses when it outgrows its reservation. Heaps never do, so this changes nothing.
    pub fn gc_heap_may_move(&mut self, enable: bool) -> &mut Self {
        self.gc_heap_may_move = enable;
        self
    }

    /// Makes the collector zealous: it runs at every so many allocations. For tests of the collector and of those who use it; slow.
    ///
    /// # Errors
    ///
    /// None. The signature is that of an API in which there is one.
    pub fn gc_zeal_alloc_counter(&mut self, counter: Option<NonZeroU32>) -> Result<&mut Self> {
        self.gc_zeal_alloc_counter = counter;
        Ok(self)
    }

    /// Whether objects whose fields make no sense are found out by trap information of their own. Compiled code finds them by what it
    /// checks anyway, so this changes nothing.
    pub fn metadata_for_gc_heap_corruption(&mut self, enable: bool) -> &mut Self {
        self.metadata_for_gc_heap_corruption = enable;
        self
    }

    /// The collector that stores get.
    pub(crate) fn chosen_collector(&self) -> Collector {
        match self.collector {
            Collector::Auto => Collector::Copying,
            chosen => chosen,
        }
    }

    pub(super) fn check_heap(&self) -> Result<()> {
        if self.collector == Collector::DeferredReferenceCounting {
            bail!(
                "the deferred reference-counting collector is not in this version of Meantime; it has `Collector::Copying` \
                 and `Collector::Null`"
            );
        }
        if self.gc_heap_initial_size > GC_REGION / 2 {
            bail!("gc_heap_initial_size cannot exceed {} bytes", GC_REGION / 2);
        }
        Ok(())
    }
}
