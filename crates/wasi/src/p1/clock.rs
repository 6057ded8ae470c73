//! `clock_*`: reading clocks. Waiting for them is `poll_oneoff`.

use super::Host;
use super::errno::Result;
use super::types::ClockId;
use crate::clocks::{WasiClocksCtx, nanoseconds};
use crate::sys::{self, CpuClock};

impl Host<'_> {
    pub(crate) fn clock_res_get(&mut self, id: u32, resolution: u32) -> Result<()> {
        let clocks = &self.ctx.clocks;
        let value = match source(clocks, ClockId::try_from(id)?) {
            Source::Wall => nanoseconds(clocks.wall_clock.resolution()),
            Source::Monotonic => clocks.monotonic_clock.resolution(),
            Source::Cpu(clock) => nanoseconds(sys::cpu_time_resolution(clock)),
        };
        self.memory.write_u64(resolution, value)
    }

    /// The precision that the guest would be content with is not used: exact time costs no more.
    pub(crate) fn clock_time_get(&mut self, id: u32, _precision: u64, time: u32) -> Result<()> {
        let clocks = &self.ctx.clocks;
        let value = match source(clocks, ClockId::try_from(id)?) {
            Source::Wall => nanoseconds(clocks.wall_clock.now()),
            Source::Monotonic => clocks.monotonic_clock.now(),
            Source::Cpu(clock) => nanoseconds(sys::cpu_time(clock)),
        };
        self.memory.write_u64(time, value)
    }
}

enum Source {
    Wall,
    Monotonic,
    Cpu(CpuClock),
}

fn source(clocks: &WasiClocksCtx, id: ClockId) -> Source {
    match id {
        ClockId::Realtime => Source::Wall,
        ClockId::Monotonic => Source::Monotonic,
        ClockId::ProcessCpuTime | ClockId::ThreadCpuTime if clocks.monotonic_replaced => {
            Source::Monotonic
        }
        ClockId::ProcessCpuTime => Source::Cpu(CpuClock::Process),
        ClockId::ThreadCpuTime => Source::Cpu(CpuClock::Thread),
    }
}
