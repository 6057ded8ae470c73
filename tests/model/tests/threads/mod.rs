//! Threads and time of the model, by the names that the parking lot uses.

pub(crate) use shuttle::sync::atomic::{AtomicBool, Ordering};
pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard};
pub(crate) use shuttle::thread::{Thread, current, park};
pub(crate) use std::sync::PoisonError;

use shuttle::rand::Rng;
use std::ops::Sub;
use std::time::Duration;

/// A time of which only this is known: it may be over.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(u8);

impl Instant {
    /// Whenever it is asked, it may be before or after any deadline.
    pub(crate) fn now() -> Instant {
        Instant(shuttle::rand::thread_rng().gen_range(0..4))
    }

    pub(crate) fn checked_add(self, _: Duration) -> Option<Instant> {
        Some(Instant(2))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, other: Instant) -> Duration {
        Duration::from_millis(u64::from(self.0 - other.0))
    }
}

/// Returns at any time, as the real one may.
pub(crate) fn park_timeout(_: Duration) {
    shuttle::thread::yield_now();
}
