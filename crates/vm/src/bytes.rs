//! Bytes with a shared owner: a vector, or a part of a mapped file.
//!
//! The one idea: side tables and data segments are read where they lie, whether that is on the heap or in an artifact's mapping, and
//! whoever holds a piece keeps the whole alive.

use crate::sys::Mapping;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::ptr::NonNull;
use std::sync::Arc;

/// A piece of bytes that others may share. Cheap to clone.
#[derive(Clone)]
pub struct SharedBytes {
    _owner: Arc<dyn AsRef<[u8]> + Send + Sync>,
    /// Asked of the owner once, so that reading runs none of its code; signal handlers read side tables.
    bytes: NonNull<[u8]>,
}

// SAFETY: the bytes are the owner's, shared; it may be used from any thread.
unsafe impl Send for SharedBytes {}
// SAFETY: as above.
unsafe impl Sync for SharedBytes {}

impl SharedBytes {
    /// All bytes of an owner, asked for once.
    pub fn new(owner: Arc<dyn AsRef<[u8]> + Send + Sync>) -> SharedBytes {
        let bytes = NonNull::from((*owner).as_ref());
        SharedBytes {
            _owner: owner,
            bytes,
        }
    }

    /// A part of this piece, or none when the range is not inside it.
    pub fn slice(&self, range: Range<usize>) -> Option<SharedBytes> {
        let bytes = NonNull::from(self.get(range)?);
        Some(SharedBytes {
            _owner: self._owner.clone(),
            bytes,
        })
    }
}

impl Deref for SharedBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: borrowed from the owner, which is alive and only ever shared, so the borrow may last as long as `self`.
        unsafe { self.bytes.as_ref() }
    }
}

impl From<Vec<u8>> for SharedBytes {
    fn from(bytes: Vec<u8>) -> SharedBytes {
        SharedBytes::new(Arc::new(bytes))
    }
}

impl Default for SharedBytes {
    fn default() -> SharedBytes {
        SharedBytes::from(Vec::new())
    }
}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedBytes({} bytes)", self.len())
    }
}

/// A whole file, mapped to be read.
#[derive(Debug)]
pub struct MappedFile {
    file: Arc<File>,
    mapping: Mapping,
    len: usize,
}

impl MappedFile {
    /// Maps a file.
    ///
    /// # Errors
    ///
    /// When the system refuses, for example because it is not a regular file.
    ///
    /// # Safety
    ///
    /// The file must not change as long as the mapping lives.
    pub unsafe fn open(file: File) -> io::Result<MappedFile> {
        let len = usize::try_from(file.metadata()?.len())
            .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let mapping = if len == 0 {
            Mapping::zeroed(1)?
        } else {
            // SAFETY: passed on to the caller.
            unsafe { Mapping::file(&file, 0, len)? }
        };
        Ok(MappedFile {
            file: Arc::new(file),
            mapping,
            len,
        })
    }

    /// The file.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the mapping is readable, at least this long, lives as long as `self`, and `open`'s caller promised that its bytes stay.
        unsafe { std::slice::from_raw_parts(self.mapping.base().as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_slices_stay_inside() {
        let bytes = SharedBytes::from((0..10).collect::<Vec<u8>>());
        let middle = bytes.slice(2..8).unwrap();
        assert_eq!(&*middle.slice(1..3).unwrap(), [3, 4]);
        assert!(middle.slice(1..7).is_none());
        #[expect(clippy::reversed_empty_ranges)]
        let reversed = middle.slice(3..2);
        assert!(reversed.is_none());
    }

    #[test]
    fn a_mapped_file_shows_the_files_bytes() {
        let file = crate::sys::memory_file(b"contents").unwrap();
        // SAFETY: the file is sealed.
        let mapped = unsafe { MappedFile::open(file).unwrap() };
        assert!(mapped.as_ref().starts_with(b"contents"));
    }
}
