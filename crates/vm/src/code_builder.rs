//! Machine code that is put together where it will run.
//!
//! The one idea: code is written once, to pages that become executable when it is complete, and were never both writable and executable. The system
//! provides these pages many at a time: to ask for them one by one, as they are written, is a cost to be seen beside that of the baseline compiler.

use crate::code::CodeMemory;
use crate::sys::{Mapping, host_page_size};
use std::io;

/// How many bytes are provided at a time, at most.
const STEP: usize = 256 << 10;

/// See the module.
#[derive(Debug)]
pub struct CodeBuilder {
    mapping: Mapping,
    len: usize,
    /// How far the memory was provided.
    provided: usize,
}

impl CodeBuilder {
    /// No code yet, and room for so many bytes.
    ///
    /// # Errors
    ///
    /// When the system refuses memory.
    pub fn new(room: usize) -> io::Result<CodeBuilder> {
        Ok(CodeBuilder {
            mapping: Mapping::zeroed(room)?,
            len: 0,
            provided: 0,
        })
    }

    /// Makes room for code of this length, if the system has it.
    pub fn reserve(&mut self, len: usize) {
        if len > self.mapping.len() {
            // Without the room, to append is what fails.
            let _ = self.resize(len);
        }
    }

    /// What was appended.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: readable, and as long as that; changed through `self` only.
        unsafe { std::slice::from_raw_parts(self.mapping.base().as_ptr(), self.len) }
    }

    /// The same, to patch.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and writable.
        unsafe { std::slice::from_raw_parts_mut(self.mapping.base().as_ptr(), self.len) }
    }

    /// Appends position-independent code.
    ///
    /// # Errors
    ///
    /// When the system refuses memory.
    pub fn append(&mut self, code: &[u8]) -> io::Result<()> {
        let end = self.len.checked_add(code.len());
        let end = end.ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        if end > self.provided {
            self.provide(end)?;
        }
        let start = self.len;
        self.len = end;
        self.bytes_mut()[start..].copy_from_slice(code);
        Ok(())
    }

    /// Lets bytes be written up to this length, and some more.
    #[cold]
    fn provide(&mut self, len: usize) -> io::Result<()> {
        if len > self.mapping.len() {
            self.resize(len.max(self.mapping.len().saturating_mul(2)))?;
        }
        let to = len.saturating_add(STEP).min(self.mapping.len());
        let to = to / host_page_size() * host_page_size();
        self.mapping.provide(self.provided..to);
        self.provided = to;
        Ok(())
    }

    fn resize(&mut self, len: usize) -> io::Result<()> {
        // SAFETY: references into it borrow `self`; it was mapped at once, to be read and written.
        unsafe { self.mapping.resize(len) }
    }

    /// The complete code, which can be executed and no longer written. Gives back what was not used.
    ///
    /// # Errors
    ///
    /// When the system refuses to make it executable.
    pub fn finish(mut self) -> io::Result<CodeMemory> {
        if self.mapping.len() - self.len >= host_page_size() {
            self.resize(self.len)?;
        }
        CodeMemory::of(self.mapping, self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_complete_wherever_its_memory_had_to_move() {
        let page = host_page_size();
        for reserve in [0, page, 3 * STEP] {
            let mut builder = CodeBuilder::new(1).unwrap();
            builder.reserve(reserve);
            let mut expected = Vec::new();
            // Pieces of all lengths, none and several steps among them.
            for len in [0, 1, page - 1, 2, 5 * page, 2 * STEP + 3, 0, 77] {
                let piece: Vec<u8> = (0..len).map(|i| (i ^ len >> 3) as u8).collect();
                builder.append(&piece).unwrap();
                expected.extend(piece);
            }
            builder.bytes_mut()[page] = 0xc3;
            expected[page] = 0xc3;
            assert_eq!(builder.bytes(), expected);
            let code = builder.finish().unwrap();
            assert_eq!(code.text(), expected);
        }
    }

    #[test]
    fn no_code_is_code_too() {
        let code = CodeBuilder::new(0).unwrap().finish().unwrap();
        assert_eq!(code.text(), []);
    }
}
