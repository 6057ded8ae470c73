//! Where the linker puts the code of a module.
//!
//! The one idea: it only appends and patches, so that it can write to memory of any kind, also to where the code is going to run.

use std::io;

/// Bytes of machine code that grow at the end.
pub trait TextMemory {
    /// What was appended.
    fn bytes(&self) -> &[u8];

    /// The same, to patch.
    fn bytes_mut(&mut self) -> &mut [u8];

    /// Says that about so many bytes will be appended: a hint.
    fn reserve(&mut self, bytes: usize);

    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// When there is no memory for them.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
}

impl TextMemory for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }

    fn reserve(&mut self, bytes: usize) {
        Vec::reserve(self, bytes);
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}
