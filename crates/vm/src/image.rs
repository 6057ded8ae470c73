//! The initial contents of a memory, shared by all its instances.
//!
//! The one idea: the contents lie in a file, an artifact's or one in memory, and an instance maps them copy-on-write, so that making it
//! copies nothing and pages that are only read exist once.

use crate::bytes::SharedBytes;
use crate::sys::{Mapping, host_page_size, memory_file};
use std::fs::File;
use std::io;
use std::sync::{Arc, OnceLock};

/// Bytes that a memory starts with, from an offset that is a multiple of the host's page size.
#[derive(Debug)]
pub struct MemoryImage {
    offset: u64,
    bytes: SharedBytes,
    copy_on_write: bool,
    file: OnceLock<Option<(Arc<File>, u64)>>,
}

impl MemoryImage {
    /// An image of these bytes. With `copy_on_write` a file is made of them when the first instance needs it; without, or when the
    /// system has no such files, each instance copies them.
    pub fn new(offset: u64, bytes: SharedBytes, copy_on_write: bool) -> MemoryImage {
        MemoryImage {
            offset,
            bytes,
            copy_on_write,
            file: OnceLock::new(),
        }
    }

    /// An image whose bytes are also those of a file from `file_offset` on, a multiple of the host's page size.
    pub fn from_file(
        offset: u64,
        file: Arc<File>,
        file_offset: u64,
        bytes: SharedBytes,
    ) -> MemoryImage {
        let aligned = offset.is_multiple_of(host_page_size() as u64);
        MemoryImage {
            offset,
            bytes,
            copy_on_write: true,
            file: OnceLock::from(aligned.then_some((file, file_offset))),
        }
    }

    /// Does now what the first instance would do: makes the file.
    pub fn prepare(&self) {
        if self.copy_on_write {
            self.file();
        }
    }

    /// Where in the memory it ends; none when that is beyond the address space.
    pub(crate) fn end(&self) -> Option<usize> {
        usize::try_from(self.offset)
            .ok()?
            .checked_add(self.bytes.len())
    }

    /// Maps what of the image can be mapped into a memory that is all zeros. What is left is [`MemoryImage::copy_rest`]'s.
    ///
    /// `base` is the memory's offset in the mapping, a multiple of the page size; the image lies in the mapping.
    ///
    /// # Safety
    ///
    /// Nobody else uses the memory.
    pub(crate) unsafe fn map(&self, mapping: &Mapping, base: usize) -> io::Result<()> {
        let start = base + self.offset as usize;
        let len = self.mapped_len();
        match self.file() {
            // SAFETY: the caller is alone with the memory; the file is sealed, or promised not to change when it was given.
            Some((file, file_offset)) => unsafe {
                mapping.map_copy_on_write(start..start + len, file, *file_offset)
            },
            None => Ok(()),
        }
    }

    /// Copies what of the image is not mapped into a memory that is writable there.
    ///
    /// # Safety
    ///
    /// As for [`MemoryImage::map`].
    pub(crate) unsafe fn copy_rest(&self, mapping: &Mapping, base: usize) {
        let mapped = self.mapped_len();
        let rest = &self.bytes[mapped..];
        // SAFETY: inside the mapping, writable and nobody else's.
        unsafe {
            let to = mapping
                .base()
                .as_ptr()
                .add(base + self.offset as usize + mapped);
            std::ptr::copy_nonoverlapping(rest.as_ptr(), to, rest.len());
        }
    }

    /// How many bytes are mapped. What follows a last, incomplete page in the file may be anything, so that page is not.
    fn mapped_len(&self) -> usize {
        match self.file() {
            Some(_) => self.bytes.len() - self.bytes.len() % host_page_size(),
            None => 0,
        }
    }

    fn file(&self) -> Option<&(Arc<File>, u64)> {
        // An image of less than a page is not worth a file.
        let make = || {
            let page = host_page_size();
            let aligned = self.offset.is_multiple_of(page as u64);
            if !self.copy_on_write || !aligned || self.bytes.len() < page {
                return None;
            }
            Some((Arc::new(memory_file(&self.bytes).ok()?), 0))
        };
        self.file.get_or_init(make).as_ref()
    }
}
