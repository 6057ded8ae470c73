//! Zeroed memory whose pages are only paid for when touched: the storage of instances and tables.
//!
//! The one idea: a large block is a mapping of its own, so that making a table of a million elements writes nothing; a small one comes
//! from the heap.

use crate::sys::Mapping;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::io;
use std::ptr::NonNull;

const ALIGN: usize = 16;

/// Zeroed bytes, aligned to 16.
#[derive(Debug)]
pub struct ZeroedBlock {
    base: NonNull<u8>,
    len: usize,
    mapping: Option<Mapping>,
}

// SAFETY: a block is plain memory that its owner alone reaches through unsafe code.
unsafe impl Send for ZeroedBlock {}
// SAFETY: as above.
unsafe impl Sync for ZeroedBlock {}

impl ZeroedBlock {
    /// From this size on, a mapping is cheaper than zeroing.
    pub(crate) const MAP_FROM: usize = 64 << 10;

    /// A block of this many bytes.
    ///
    /// # Errors
    ///
    /// When there is not that much memory.
    pub fn new(len: usize) -> io::Result<ZeroedBlock> {
        if len >= ZeroedBlock::MAP_FROM {
            let mapping = Mapping::zeroed(len)?;
            return Ok(ZeroedBlock {
                base: mapping.base(),
                len,
                mapping: Some(mapping),
            });
        }
        let base = if len == 0 {
            NonNull::without_provenance(std::num::NonZero::new(ALIGN).expect("not zero"))
        } else {
            // SAFETY: the size is not zero.
            NonNull::new(unsafe { alloc_zeroed(layout(len)) })
                .ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?
        };
        Ok(ZeroedBlock {
            base,
            len,
            mapping: None,
        })
    }

    /// Makes it all zeros again and gives its memory back, without giving up its addresses.
    ///
    /// # Errors
    ///
    /// When it is a small block, or the system refuses.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        match &self.mapping {
            // SAFETY: the block is borrowed mutably, so nobody else refers to its bytes.
            Some(mapping) => unsafe { mapping.discard(0..mapping.len()) },
            None => Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
    }

    /// Its first byte.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Its length in bytes.
    pub fn size(&self) -> usize {
        self.len
    }
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(len, ALIGN).expect("small blocks only")
}

impl Drop for ZeroedBlock {
    fn drop(&mut self) {
        if self.mapping.is_none() && self.len != 0 {
            // SAFETY: allocated in `new` with this layout.
            unsafe { dealloc(self.base.as_ptr(), layout(self.len)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP_FROM: usize = ZeroedBlock::MAP_FROM;

    #[test]
    fn blocks_of_every_size_are_zero_and_aligned() {
        for len in [0, 1, 100, MAP_FROM - 1, MAP_FROM, 1 << 30] {
            let block = ZeroedBlock::new(len).unwrap();
            assert_eq!(block.base().as_ptr() as usize % ALIGN, 0);
            assert_eq!(block.size(), len);
            if len > 0 {
                // SAFETY: inside the block.
                assert_eq!(unsafe { block.base().add(len - 1).read() }, 0);
            }
        }
        let mut block = ZeroedBlock::new(MAP_FROM).unwrap();
        // SAFETY: inside the block.
        unsafe {
            block.base().write_bytes(1, MAP_FROM);
            block.clear().unwrap();
            assert_eq!(block.base().add(MAP_FROM - 1).read(), 0);
        }
    }
}
