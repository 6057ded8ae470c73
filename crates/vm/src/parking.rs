//! Threads that wait at an address of a shared memory.
//!
//! The one idea: whether to wait is decided under the lock that a notifier takes, so that no wake-up is lost. `tests/model` compiles this file
//! with threads of its own and tries their interleavings.

use crate::threads::{
    Arc, AtomicBool, Instant, Mutex, MutexGuard, Ordering, PoisonError, Thread, current, park,
    park_timeout,
};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// How a wait ended. The numbers are those of the instruction's result.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum WaitResult {
    /// Notified.
    Ok = 0,
    /// The value was not the expected one.
    Mismatch = 1,
    /// The time was over.
    TimedOut = 2,
}

#[derive(Debug)]
struct Waiter {
    thread: Thread,
    woken: AtomicBool,
}

/// The waiters of a memory, by address, first come first served.
#[derive(Debug, Default)]
pub(crate) struct Parking {
    waiters: Mutex<HashMap<usize, VecDeque<Arc<Waiter>>>>,
}

impl Parking {
    fn lock(&self) -> MutexGuard<'_, HashMap<usize, VecDeque<Arc<Waiter>>>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anyone waits at any address.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests ask"))]
    pub fn has_waiters(&self) -> bool {
        !self.lock().is_empty()
    }

    /// Wakes up to `count` waiters and returns how many.
    pub fn notify(&self, at: usize, count: u32) -> u32 {
        let mut waiters = self.lock();
        let Some(queue) = waiters.get_mut(&at) else {
            return 0;
        };
        let count = queue.len().min(count as usize);
        for waiter in queue.drain(..count) {
            waiter.woken.store(true, Ordering::Release);
            waiter.thread.unpark();
        }
        if queue.is_empty() {
            waiters.remove(&at);
        }
        count as u32
    }

    /// Waits if `equal` says so.
    pub fn wait(
        &self,
        at: usize,
        equal: impl FnOnce() -> bool,
        timeout: Option<Duration>,
    ) -> WaitResult {
        // A time too far away to be represented is never reached.
        let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
        let waiter = {
            let mut waiters = self.lock();
            if !equal() {
                return WaitResult::Mismatch;
            }
            let waiter = Arc::new(Waiter {
                thread: current(),
                woken: AtomicBool::new(false),
            });
            waiters.entry(at).or_default().push_back(waiter.clone());
            waiter
        };
        loop {
            if waiter.woken.load(Ordering::Acquire) {
                return WaitResult::Ok;
            }
            let Some(deadline) = deadline else {
                park();
                continue;
            };
            let now = Instant::now();
            if now >= deadline {
                return self.give_up(at, &waiter);
            }
            park_timeout(deadline - now);
        }
    }

    /// Takes a waiter out whose time is over, unless it was woken just now.
    fn give_up(&self, at: usize, waiter: &Arc<Waiter>) -> WaitResult {
        let mut waiters = self.lock();
        if waiter.woken.load(Ordering::Acquire) {
            return WaitResult::Ok;
        }
        if let Some(queue) = waiters.get_mut(&at) {
            queue.retain(|other| !Arc::ptr_eq(other, waiter));
            if queue.is_empty() {
                waiters.remove(&at);
            }
        }
        WaitResult::TimedOut
    }
}
