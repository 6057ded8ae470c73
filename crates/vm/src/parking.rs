//! Threads that wait at an address of a shared memory.
//!
//! The one idea: whether to wait is decided under the lock that a notifier takes, so that no wake-up is lost.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

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
                thread: std::thread::current(),
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
                std::thread::park();
                continue;
            };
            let now = Instant::now();
            if now >= deadline {
                return self.give_up(at, &waiter);
            }
            std::thread::park_timeout(deadline - now);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_end_by_mismatch_time_and_notification() {
        let parking = Parking::default();
        assert_eq!(parking.wait(8, || false, None), WaitResult::Mismatch);
        let brief = Some(Duration::from_millis(1));
        assert_eq!(parking.wait(8, || true, brief), WaitResult::TimedOut);
        assert_eq!(parking.notify(8, 1), 0);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| parking.wait(8, || true, None));
            let mut woken = 0;
            while woken == 0 {
                woken = parking.notify(8, u32::MAX);
            }
            assert_eq!(woken, 1);
            assert_eq!(waiting.join().unwrap(), WaitResult::Ok);
        });
        assert!(parking.lock().is_empty());
    }
}
