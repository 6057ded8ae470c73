//! `random_get`.

use super::Host;
use super::errno::{Error, Result};

impl Host<'_> {
    pub(crate) fn random_get(&mut self, buf: u32, buf_len: u32) -> Result<()> {
        let limit = self.ctx.random.max_size;
        if u64::from(buf_len) > limit {
            return Err(Error::Trap(meantime::format_err!(
                "{buf_len} random bytes asked for at once; at most {limit} are given"
            )));
        }
        let buffer = self.memory.slice_mut(buf, buf_len)?;
        self.ctx.random.secure().fill_bytes(buffer);
        Ok(())
    }
}
