//! The epoch that an engine counts, and the deadlines of its stores.
//!
//! Not what happens at a deadline, which is `interrupt`'s. The one idea: who counts does the work, so that guests have none. An increment looks at
//! the deadline of every store and writes to those that it reaches; a guest looks at one of two words of its own store. Deadlines lie in chunks that are never freed
//! as long as the counter lives, so that an increment, which may run in a signal handler, takes no lock.

use crate::builtins::preserving;
use meantime_abi::{CodePtr, VmStoreContext};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};

const CHUNK: usize = 64;

/// What interrupted guests call.
fn interruption() -> *mut u8 {
    (preserving::interrupted as *const () as CodePtr).cast_mut()
}

/// Has the guests of a store call it.
///
/// # Safety
///
/// The store is alive.
unsafe fn interrupt(store: *const VmStoreContext) {
    // SAFETY: by the caller. No reference is made to fields that guests may write at the same time.
    unsafe {
        (*store).interrupt.store(interruption(), SeqCst);
        (*store).poll.store(null_mut(), SeqCst);
    }
}

/// The deadline of one store, or of none.
#[derive(Debug)]
struct Deadline {
    /// The epoch, or the last of all for no store.
    at: AtomicU64,
    /// The store, or null.
    store: AtomicPtr<VmStoreContext>,
}

#[derive(Debug)]
struct Chunk {
    deadlines: [Deadline; CHUNK],
    /// The chunk that was made before this one, or null.
    next: *const Chunk,
}

/// What an engine counts to interrupt its guests.
#[derive(Debug, Default)]
pub struct EpochCounter {
    epoch: AtomicU64,
    /// How many increments are going on.
    increments: AtomicUsize,
    /// The newest chunk, or null.
    chunks: AtomicPtr<Chunk>,
    /// Deadlines of no store.
    free: Mutex<Vec<NonNull<Deadline>>>,
}

// SAFETY: chunks are shared, and everything in them but the link, which never changes, is atomic.
unsafe impl Send for EpochCounter {}
// SAFETY: as above.
unsafe impl Sync for EpochCounter {}

impl EpochCounter {
    /// Begins the next epoch. May be called in a signal handler.
    pub fn increment(&self) {
        self.increments.fetch_add(1, SeqCst);
        let now = self.epoch.fetch_add(1, SeqCst).wrapping_add(1);
        let mut chunk = self.chunks.load(SeqCst).cast_const();
        // SAFETY: chunks live as long as the counter.
        while let Some(here) = unsafe { chunk.as_ref() } {
            for deadline in &here.deadlines {
                if deadline.at.load(SeqCst) <= now {
                    let store = deadline.store.load(SeqCst);
                    if !store.is_null() {
                        // SAFETY: a store that ends takes itself out and then waits for the end of increments that may have seen it.
                        unsafe { interrupt(store) };
                    }
                }
            }
            chunk = here.next;
        }
        self.increments.fetch_sub(1, SeqCst);
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<NonNull<Deadline>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A deadline for a store.
    fn take(&self) -> NonNull<Deadline> {
        let mut free = self.free();
        if free.is_empty() {
            let chunk = Box::into_raw(Box::new(Chunk {
                deadlines: [const {
                    Deadline {
                        at: AtomicU64::new(u64::MAX),
                        store: AtomicPtr::new(null_mut()),
                    }
                }; CHUNK],
                next: self.chunks.load(SeqCst),
            }));
            // SAFETY: just made, and never freed before the counter.
            free.extend(unsafe { &(*chunk).deadlines }.iter().map(NonNull::from));
            self.chunks.store(chunk, SeqCst);
        }
        free.pop().expect("there are some now")
    }
}

impl Drop for EpochCounter {
    fn drop(&mut self) {
        let mut chunk = *self.chunks.get_mut();
        while !chunk.is_null() {
            // SAFETY: made by `Box::into_raw`; stores hold the counter, so none refers to it any more.
            chunk = unsafe { Box::from_raw(chunk) }.next.cast_mut();
        }
    }
}

/// A store's place among those that a counter interrupts.
#[derive(Debug)]
pub(crate) struct Watched {
    counter: Arc<EpochCounter>,
    deadline: NonNull<Deadline>,
    store: NonNull<VmStoreContext>,
}

impl Watched {
    /// Begins at the deadline, so that guests are interrupted at once.
    ///
    /// # Safety
    ///
    /// The store's context stays where it is as long as the result lives.
    pub unsafe fn new(counter: Arc<EpochCounter>, store: NonNull<VmStoreContext>) -> Watched {
        let deadline = counter.take();
        let watched = Watched {
            counter,
            deadline,
            store,
        };
        watched.deadline().store.store(store.as_ptr(), SeqCst);
        watched.set(0);
        watched
    }

    fn deadline(&self) -> &Deadline {
        // SAFETY: in a chunk of the counter, which is alive.
        unsafe { self.deadline.as_ref() }
    }

    /// Whether the deadline is reached.
    pub fn is_due(&self) -> bool {
        self.deadline().at.load(SeqCst) <= self.counter.epoch.load(SeqCst)
    }

    /// Sets the deadline so many epochs from now.
    pub fn set(&self, epochs_from_now: u64) {
        let now = self.counter.epoch.load(SeqCst);
        let at = now.saturating_add(epochs_from_now);
        self.deadline().at.store(at, SeqCst);
        self.settle();
    }

    /// Lets guests go on, unless the deadline is reached.
    ///
    /// An increment after the last line sees the deadline, and the last line sees an increment before; one in between may interrupt guests for an
    /// earlier deadline, which they then find out.
    pub fn settle(&self) {
        let store = self.store.as_ptr();
        // SAFETY: by the promise to `new`.
        unsafe {
            (*store).interrupt.store(store.cast(), SeqCst);
            (*store).poll.store(store.cast(), SeqCst);
            if self.is_due() {
                interrupt(store);
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.deadline().at.store(u64::MAX, SeqCst);
        self.deadline().store.store(null_mut(), SeqCst);
        // It takes no longer than an increment does.
        while self.counter.increments.load(SeqCst) != 0 {
            std::thread::yield_now();
        }
        self.counter.free().push(self.deadline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GcOptions, OnDemandAllocator, OwnedStore, StoreOptions};
    use std::sync::atomic::AtomicBool;

    fn store(counter: &Arc<EpochCounter>) -> OwnedStore {
        let mut store = OwnedStore::new(StoreOptions {
            max_wasm_stack: 1 << 20,
            max_backtrace_frames: 0,
            allocator: Arc::new(OnDemandAllocator::new()),
            gc: GcOptions::default(),
        });
        store.watch_epoch(counter.clone());
        store
    }

    fn interrupted(store: &OwnedStore) -> bool {
        // SAFETY: the store is alive.
        let context = unsafe { &*store.context() };
        let interrupted = context.interrupt.load(SeqCst) == interruption();
        assert_eq!(context.poll.load(SeqCst).is_null(), interrupted);
        interrupted
    }

    #[test]
    fn every_store_has_a_deadline_of_its_own() {
        let counter = Arc::new(EpochCounter::default());
        let stores: Vec<OwnedStore> = (0..200).map(|_| store(&counter)).collect();
        assert!(stores.iter().all(interrupted));
        let mut stores = stores;
        for (i, store) in stores.iter_mut().enumerate() {
            store.set_epoch_deadline(1 + i as u64 % 3);
        }
        for now in 0..4 {
            for (i, store) in stores.iter().enumerate() {
                assert_eq!(interrupted(store), now > i % 3, "{i} in {now}");
            }
            counter.increment();
        }
        // Their places serve others.
        drop(stores);
        let chunks = counter.chunks.load(SeqCst);
        let stores: Vec<OwnedStore> = (0..200).map(|_| store(&counter)).collect();
        assert_eq!(counter.chunks.load(SeqCst), chunks);
        drop(stores);
    }

    #[test]
    fn a_deadline_may_be_never_or_now() {
        let counter = Arc::new(EpochCounter::default());
        counter.increment();
        let mut store = store(&counter);
        store.set_epoch_deadline(u64::MAX);
        counter.increment();
        assert!(!interrupted(&store));
        store.set_epoch_deadline(0);
        assert!(interrupted(&store));
    }

    #[test]
    fn stores_come_and_go_while_others_count() {
        let counter = Arc::new(EpochCounter::default());
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    counter.increment();
                }
            });
            for _ in 0..200 {
                let mut store = store(&counter);
                store.set_epoch_deadline(1);
                let before = counter.epoch.load(SeqCst);
                while counter.epoch.load(SeqCst) < before + 2 {
                    std::thread::yield_now();
                }
                // The increment that made it so may not have come to this store yet.
                while !interrupted(&store) {
                    std::thread::yield_now();
                }
            }
            done.store(true, SeqCst);
        });
    }
}
