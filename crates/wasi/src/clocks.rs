//! The clocks a guest reads, and the traits by which an embedder replaces them.
//!
//! Not here: sleeping (`p1::poll`). A replaced clock changes what the guest *reads*; how long the
//! host really sleeps is always measured by the host's own clock.

use crate::sys;
use std::time::{Duration, Instant, SystemTime};

/// A wall clock: time since 1970-01-01 00:00:00 UTC, leap seconds not counted.
pub trait HostWallClock: Send {
    /// The smallest step the clock can show.
    fn resolution(&self) -> Duration;
    /// The time now, since the Unix epoch.
    fn now(&self) -> Duration;
}

/// A clock that never goes backwards, counted in nanoseconds from an arbitrary start.
pub trait HostMonotonicClock: Send {
    /// The smallest step the clock can show, in nanoseconds.
    fn resolution(&self) -> u64;
    /// Nanoseconds since the clock's start.
    fn now(&self) -> u64;
}

/// The host's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl WallClock {
    /// The host's wall clock.
    pub fn new() -> Self {
        WallClock
    }
}

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        sys::realtime_resolution()
    }

    fn now(&self) -> Duration {
        // A host clock set before 1970 has no representation in WASI; the epoch is the nearest.
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
    }
}

/// The host's monotonic clock, counted from the creation of this value, so that a guest learns
/// nothing of the machine's uptime.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock {
    initial: Instant,
}

impl MonotonicClock {
    /// A clock that starts at zero now.
    pub fn new() -> Self {
        MonotonicClock {
            initial: Instant::now(),
        }
    }
}

impl Default for MonotonicClock {
    fn default() -> Self {
        Self::new()
    }
}

impl HostMonotonicClock for MonotonicClock {
    fn resolution(&self) -> u64 {
        nanoseconds(sys::monotonic_resolution())
    }

    fn now(&self) -> u64 {
        nanoseconds(self.initial.elapsed())
    }
}

/// The default wall clock, boxed.
pub fn wall_clock() -> Box<dyn HostWallClock + Send> {
    Box::new(WallClock::new())
}

/// The default monotonic clock, boxed.
pub fn monotonic_clock() -> Box<dyn HostMonotonicClock + Send> {
    Box::new(MonotonicClock::new())
}

/// The clocks of a context.
pub struct WasiClocksCtx {
    pub(crate) wall_clock: Box<dyn HostWallClock + Send>,
    pub(crate) monotonic_clock: Box<dyn HostMonotonicClock + Send>,
    /// Whether the embedder replaced the wall clock. "Now" as a file's time is then by that clock
    /// too.
    pub(crate) wall_replaced: bool,
    /// Whether the embedder replaced the monotonic clock. The CPU-time clocks then follow it: a run
    /// that is meant to be deterministic must not read the host's processor time.
    pub(crate) monotonic_replaced: bool,
}

impl Default for WasiClocksCtx {
    fn default() -> Self {
        WasiClocksCtx {
            wall_clock: wall_clock(),
            monotonic_clock: monotonic_clock(),
            wall_replaced: false,
            monotonic_replaced: false,
        }
    }
}

/// A duration as WASI's 64-bit nanoseconds; what does not fit saturates (in the year 2554).
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
