//! Options about memories and tables.

use super::{Config, InstanceAllocationStrategy};
use crate::error::{Context, Result, ensure};
use meantime_abi::Tunables;

/// What sizes are rounded up to: a multiple of every page size that hosts have.
const GRANULE: u64 = 64 << 10;

/// Rounds sizes up, and refuses those that no address space can hold.
pub(super) fn round(tunables: &mut Tunables) -> Result<()> {
    let mut total: u64 = 0;
    for size in [
        &mut tunables.memory_reservation,
        &mut tunables.memory_reservation_for_growth,
        &mut tunables.memory_guard_size,
    ] {
        let rounded = size.checked_next_multiple_of(GRANULE);
        *size = rounded.context("they are too large to be rounded to whole pages")?;
        total = total.saturating_add(*size);
    }
    // There may be a guard in front, too.
    total = total.saturating_add(tunables.memory_guard_size);
    ensure!(
        total <= i64::MAX as u64,
        "they are larger than any address space"
    );
    Ok(())
}

impl Config {
    /// Where the memory of instances comes from. [On demand](InstanceAllocationStrategy::OnDemand) by default; pooling is not
    /// supported by this version.
    pub fn allocation_strategy(
        &mut self,
        strategy: impl Into<InstanceAllocationStrategy>,
    ) -> &mut Self {
        self.allocation_strategy = strategy.into();
        self
    }

    /// Bytes of address space reserved for each memory. 4 GiB by default, on 64-bit hosts.
    /// If it is 4 GiB or more, memories with 64-bit addresses get 64 GiB at least, and cannot grow beyond what they get.
    ///
    /// A memory never moves within its reservation. If the reservation is 4 GiB or more, accesses of memories with 32-bit addresses
    /// need no bounds checks ([`Config::memory_guard_size`]). Rounded up to 64 KiB.
    pub fn memory_reservation(&mut self, bytes: u64) -> &mut Self {
        self.tunables.memory_reservation = bytes;
        self
    }

    /// Bytes after each memory's reservation that fault on every access. 32 MiB by default.
    ///
    /// An access with a constant offset of up to this many bytes needs no bounds check if the reservation covers all addresses.
    /// Rounded up to 64 KiB.
    pub fn memory_guard_size(&mut self, bytes: u64) -> &mut Self {
        self.tunables.memory_guard_size = bytes;
        self
    }

    /// Bytes of address space that a memory gets beyond its new size when it outgrows its reservation and moves. 2 GiB by default.
    /// Rounded up to 64 KiB.
    pub fn memory_reservation_for_growth(&mut self, bytes: u64) -> &mut Self {
        self.tunables.memory_reservation_for_growth = bytes;
        self
    }

    /// Whether a memory may move to other addresses when it outgrows its reservation; if not, it cannot outgrow it. True by default.
    pub fn memory_may_move(&mut self, enable: bool) -> &mut Self {
        self.tunables.memory_may_move = enable;
        self
    }

    /// Whether there is a guard in front of each memory, too: a second line of defence against errors of the compiler. True by default.
    pub fn guard_before_linear_memory(&mut self, enable: bool) -> &mut Self {
        self.tunables.guard_before_linear_memory = enable;
        self
    }

    /// Whether initial contents of memories are mapped copy-on-write rather than copied, where the platform can. True by default.
    pub fn memory_init_cow(&mut self, enable: bool) -> &mut Self {
        self.tunables.memory_init_cow = enable;
        self
    }

    /// Whether initial contents of memories are always put into a file in memory of their own, even where they could be mapped from a
    /// module's file on disk. False by default.
    pub fn force_memory_init_memfd(&mut self, enable: bool) -> &mut Self {
        self.force_memory_init_memfd = enable;
        self
    }

    /// Bytes of initial contents of a memory up to which they are mapped as one piece even if they consist mostly of holes. 16 MiB by
    /// default.
    pub fn memory_guaranteed_dense_image_size(&mut self, size_in_bytes: u64) -> &mut Self {
        self.memory_guaranteed_dense_image_size = size_in_bytes;
        self
    }

    /// Whether elements of tables of functions are made when they are first used rather than at instantiation. True by default.
    pub fn table_lazy_init(&mut self, table_lazy_init: bool) -> &mut Self {
        self.tunables.table_lazy_init = table_lazy_init;
        self
    }

    /// Whether memories that several threads use can be created. False by default, whatever [`Config::wasm_threads`] is: the guest
    /// can then make the host wait.
    pub fn shared_memory(&mut self, enable: bool) -> &mut Self {
        self.shared_memory = enable;
        self
    }
}
