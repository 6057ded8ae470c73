//! What `vm` asks a store: whether memories and tables may grow, how types relate, and what happens at a deadline.

use super::{Counts, LimiterFn, StoreInner, to_host_error};
use meantime_abi::TypeId;
use meantime_vm as vm;

/// How many a store may have when nobody says otherwise.
pub(super) const DEFAULT_LIMITS: Counts = Counts {
    instances: 10_000,
    memories: 10_000,
    tables: 10_000,
};

impl<T> StoreInner<T> {
    pub(super) fn set_limiter(&mut self, mut limiter: LimiterFn<T>) {
        let chosen = limiter(&mut self.data);
        self.opaque.limits = Counts {
            instances: chosen.instances(),
            memories: chosen.memories(),
            tables: chosen.tables(),
        };
        self.limiter = Some(limiter);
    }
}

impl<T> vm::VmStore for StoreInner<T> {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, vm::HostError> {
        match &mut self.limiter {
            Some(limiter) => limiter(&mut self.data)
                .memory_growing(current, desired, maximum)
                .map_err(to_host_error),
            None => Ok(true),
        }
    }

    fn memory_grow_failed(&mut self, error: vm::GrowError) -> Result<(), vm::HostError> {
        match &mut self.limiter {
            Some(limiter) => limiter(&mut self.data)
                .memory_grow_failed(error.into())
                .map_err(to_host_error),
            None => Ok(()),
        }
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, vm::HostError> {
        match &mut self.limiter {
            Some(limiter) => limiter(&mut self.data)
                .table_growing(current, desired, maximum)
                .map_err(to_host_error),
            None => Ok(true),
        }
    }

    fn table_grow_failed(&mut self, error: vm::GrowError) -> Result<(), vm::HostError> {
        match &mut self.limiter {
            Some(limiter) => limiter(&mut self.data)
                .table_grow_failed(error.into())
                .map_err(to_host_error),
            None => Ok(()),
        }
    }

    fn is_subtype(&self, actual: TypeId, expected: TypeId) -> bool {
        self.opaque.engine.types().is_subtype(actual, expected)
    }

    fn epoch_reached(&mut self) -> Result<u64, vm::Pending> {
        self.at_epoch_deadline()
    }
}
