//! Interruption: the fuel of a store, and what happens when the epoch reaches its deadline.
//!
//! Not what compiled code does: for fuel that is in `abi`'s `fuel.rs`. Nor who counts epochs, which is in `epoch`. The one idea: neither needs more of a guest
//! than a comparison; all else happens here, where it finds that it is to stop.

use crate::epoch::{EpochCounter, Watched};
use crate::store::StoreCore;
use crate::trap::Pending;
use meantime_abi::Trap;
use std::ptr::NonNull;
use std::sync::Arc;

/// What a store keeps for it.
#[derive(Debug, Default)]
pub(crate) struct Interruption {
    /// Fuel beyond what the counter in the context can hold.
    reserve: u64,
    /// None where guests do not look at the epoch.
    watched: Option<Watched>,
}

impl StoreCore {
    /// What is left of the fuel.
    pub fn fuel(&self) -> u64 {
        // SAFETY: the store is this thread's, and no guest changes it while the host looks.
        let counter = unsafe { (*self.context()).fuel };
        // A guest may have gone beyond zero, which it finds out at its next check.
        self.interruption.reserve + counter.min(0).unsigned_abs()
    }

    /// Gives it so much fuel.
    pub fn set_fuel(&mut self, fuel: u64) {
        let counted = i64::try_from(fuel).unwrap_or(i64::MAX);
        // No guest runs so long as to need the reserve. It is there for `fuel` to give what was set.
        self.interruption.reserve = fuel - counted.unsigned_abs();
        // SAFETY: as in `fuel`.
        unsafe { (*self.context()).fuel = -counted };
    }

    /// A guest is to be stopped that passed this counter on. Where no fuel is counted, it is any number, and nobody looks.
    pub(crate) fn note_fuel(&mut self, counter: u64) {
        // SAFETY: as in `fuel`.
        unsafe { (*self.context()).fuel = counter as i64 };
    }

    /// A guest was stopped by this trap. That its fuel ran out, it knew before memory did.
    pub(crate) fn note_trap(&mut self, trap: Trap) {
        if trap == Trap::OutOfFuel {
            self.set_fuel(0);
        }
    }

    /// Lets its guests be interrupted by this counter. The deadline is now.
    pub fn watch_epoch(&mut self, counter: Arc<EpochCounter>) {
        let context = NonNull::new(self.context()).expect("it is a field");
        // SAFETY: a store core does not move, and what watches it is dropped with it.
        let watched = unsafe { Watched::new(counter, context) };
        self.interruption.watched = Some(watched);
    }

    /// Interrupts its guests when so many epochs have begun from now on. Of no effect where they do not look.
    pub fn set_epoch_deadline(&mut self, epochs_from_now: u64) {
        if let Some(watched) = &self.interruption.watched {
            watched.set(epochs_from_now);
        }
    }

    /// A guest found that it is to stop.
    ///
    /// # Safety
    ///
    /// The guest waits in a builtin, and nobody uses a reference to the store.
    pub(crate) unsafe fn reach_epoch(this: NonNull<StoreCore>) -> Result<(), Pending> {
        // SAFETY: by the caller; the embedder may use the store, and call its guests again, while nothing here holds a reference to it.
        unsafe {
            if let Some(watched) = &this.as_ref().interruption.watched
                && !watched.is_due()
            {
                watched.settle();
                return Ok(());
            }
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
