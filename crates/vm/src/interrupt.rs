//! Interruption: the fuel of a store, and the epoch that its engine counts.
//!
//! Not what compiled code does about them: for fuel that is in `abi`'s `fuel.rs`. The one idea: neither needs the guest's cooperation beyond a comparison.
//! Fuel is a number in the store's context; an epoch is a number of the engine that any thread may raise, and a number in the store's context
//! that it is compared with.

use crate::store::StoreCore;
use crate::trap::Pending;
use meantime_abi::{Trap, VmStoreContext};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What an engine counts to interrupt its guests. Apart from all else in memory, as every loop of every guest reads it.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct EpochCounter(AtomicU64);

impl EpochCounter {
    /// Begins the next epoch. May be called in a signal handler.
    pub fn increment(&self) {
        // Nobody relies on seeing anything else that happened before: a guest has only to see it at some time.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The epoch now.
    pub fn current(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A store's part in it.
#[derive(Debug, Default)]
pub(crate) struct Interruption {
    /// Fuel beyond what the counter in the context can hold.
    reserve: u64,
    epoch: Option<Arc<EpochCounter>>,
}

impl StoreCore {
    fn context_ref(&self) -> &VmStoreContext {
        // SAFETY: the store is this thread's, and no guest changes it while the host looks.
        unsafe { &*self.context() }
    }

    /// What is left of the fuel.
    pub fn fuel(&self) -> u64 {
        // A guest may have gone beyond zero, which it finds out at its next check.
        let left = self.context_ref().fuel.min(0).unsigned_abs();
        self.interruption.reserve + left
    }

    /// Gives it so much fuel.
    pub fn set_fuel(&mut self, fuel: u64) {
        let counted = i64::try_from(fuel).unwrap_or(i64::MAX);
        // No guest runs so long as to need the reserve. It is there for `fuel` to give what was set.
        self.interruption.reserve = fuel - counted.unsigned_abs();
        self.context.get_mut().fuel = -counted;
    }

    /// A guest was stopped by the trap [`Trap::OutOfFuel`], whose check was the first to know.
    pub(crate) fn note_trap(&mut self, trap: Trap) {
        if trap == Trap::OutOfFuel {
            self.set_fuel(0);
        }
    }

    /// Says whose epochs interrupt its guests.
    pub fn set_epoch_counter(&mut self, counter: Arc<EpochCounter>) {
        self.context.get_mut().epoch = &raw const counter.0;
        self.interruption.epoch = Some(counter);
    }

    /// Interrupts its guests when so many epochs have begun from now on.
    pub fn set_epoch_deadline(&mut self, epochs_from_now: u64) {
        let now = self.interruption.epoch.as_ref().map_or(0, |e| e.current());
        self.context.get_mut().epoch_deadline = now.saturating_add(epochs_from_now);
    }

    /// A guest has reached the deadline.
    ///
    /// # Safety
    ///
    /// The guest waits in a builtin, and nobody uses a reference to the store.
    pub(crate) unsafe fn reach_epoch(this: NonNull<StoreCore>) -> Result<(), Pending> {
        // SAFETY: by the caller; the embedder may use the store, and call its guests again, while nothing here holds a reference to it.
        unsafe {
            let Some(embedder) = StoreCore::embedder(this) else {
                return Err(Trap::Interrupt.into());
            };
            let scope = this.as_ref().gc().enter_scope();
            let result = embedder.epoch_reached();
            let core = &mut *this.as_ptr();
            core.gc_mut().exit_scope(scope);
            core.set_epoch_deadline(result?);
            Ok(())
        }
    }
}
