//! `proc_raise` and `sched_yield`. `proc_exit`, which never returns, is in `link`.

use super::Host;
use super::errno::{Errno, Error, Result};
use crate::I32Exit;

/// The last signal of the specification, `sys`.
const LAST_SIGNAL: u32 = 30;

impl Host<'_> {
    /// Does to the guest what the signal does by default, for the guest has no way to say
    /// otherwise: nothing, or it ends with the status that a shell shows for a process ended by
    /// that signal. The host is never signalled.
    pub(crate) fn proc_raise(&mut self, signal: u32) -> Result<()> {
        match signal {
            // none, chld, cont, urg, winch
            0 | 16 | 17 | 22 | 27 => Ok(()),
            // stop, tstp, ttin, ttou: nobody could continue the guest
            18..=21 => Err(Errno::Notsup.into()),
            1..=LAST_SIGNAL => Err(Error::Trap(I32Exit(128 + signal as i32).into())),
            _ => Err(Errno::Inval.into()),
        }
    }

    pub(crate) fn sched_yield(&mut self) -> Result<()> {
        std::thread::yield_now();
        Ok(())
    }
}
