//! `args_*` and `environ_*`: two lists of strings that end in a zero byte.

use super::Host;
use super::errno::{Errno, Result};
use super::memory::GuestMemory;

impl Host<'_> {
    pub(crate) fn args_sizes_get(&mut self, argc: u32, argv_buf_size: u32) -> Result<()> {
        let lengths = self.ctx.cli.arguments.iter().map(String::len);
        write_sizes(&mut self.memory, lengths, argc, argv_buf_size)
    }

    pub(crate) fn args_get(&mut self, argv: u32, argv_buf: u32) -> Result<()> {
        let strings = self
            .ctx
            .cli
            .arguments
            .iter()
            .map(|argument| [argument.as_bytes(), b"", b""]);
        write_strings(&mut self.memory, strings, argv, argv_buf)
    }

    pub(crate) fn environ_sizes_get(&mut self, count: u32, environ_buf_size: u32) -> Result<()> {
        let lengths = self
            .ctx
            .cli
            .environment
            .iter()
            .map(|(name, value)| name.len() + 1 + value.len());
        write_sizes(&mut self.memory, lengths, count, environ_buf_size)
    }

    pub(crate) fn environ_get(&mut self, environ: u32, environ_buf: u32) -> Result<()> {
        let strings = self
            .ctx
            .cli
            .environment
            .iter()
            .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()]);
        write_strings(&mut self.memory, strings, environ, environ_buf)
    }
}

fn write_sizes(
    memory: &mut GuestMemory<'_>,
    lengths: impl ExactSizeIterator<Item = usize>,
    count: u32,
    size: u32,
) -> Result<()> {
    let number = u32::try_from(lengths.len()).map_err(|_| Errno::Overflow)?;
    let total: usize = lengths.map(|len| len + 1).sum();
    memory.write_u32(count, number)?;
    memory.write_u32(size, u32::try_from(total).map_err(|_| Errno::Overflow)?)
}

/// Writes the strings, each made of some parts, to `buffer` and their addresses to `pointers`.
fn write_strings<'a, const PARTS: usize>(
    memory: &mut GuestMemory<'_>,
    strings: impl Iterator<Item = [&'a [u8]; PARTS]>,
    mut pointers: u32,
    mut buffer: u32,
) -> Result<()> {
    for parts in strings {
        memory.write_u32(pointers, buffer)?;
        pointers = pointers.checked_add(4).ok_or(Errno::Overflow)?;
        for part in parts.into_iter().chain([&b"\0"[..]]) {
            memory.write(buffer, part)?;
            let len = u32::try_from(part.len()).map_err(|_| Errno::Overflow)?;
            buffer = buffer.checked_add(len).ok_or(Errno::Overflow)?;
        }
    }
    Ok(())
}
