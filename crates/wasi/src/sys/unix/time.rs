//! What the system's clocks say about themselves, and the clocks of processor time.

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};
use std::time::Duration;

pub(crate) fn realtime_resolution() -> Duration {
    duration(clock_getres(ClockId::Realtime))
}

pub(crate) fn monotonic_resolution() -> Duration {
    duration(clock_getres(ClockId::Monotonic))
}

/// Which processor time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CpuClock {
    Process,
    Thread,
}

impl CpuClock {
    fn id(self) -> ClockId {
        match self {
            CpuClock::Process => ClockId::ProcessCPUTime,
            CpuClock::Thread => ClockId::ThreadCPUTime,
        }
    }
}

pub(crate) fn cpu_time(clock: CpuClock) -> Duration {
    duration(clock_gettime(clock.id()))
}

pub(crate) fn cpu_time_resolution(clock: CpuClock) -> Duration {
    duration(clock_getres(clock.id()))
}

fn duration(time: Timespec) -> Duration {
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
