//! Where memories and tables come from.
//!
//! The one idea: instances ask a trait, so that other strategies, such as a pool of slots, can stand behind it.

use crate::block::ZeroedBlock;
use crate::error::AllocateError;
use crate::memory::LinearMemory;
use crate::shape::MemoryShape;
use std::fmt::Debug;
use std::io;

/// Makes the storage of instances and takes it back.
pub trait Allocator: Send + Sync + Debug {
    /// A memory with its minimum size and initial contents.
    ///
    /// # Errors
    ///
    /// When there is no room.
    fn allocate_memory(&self, shape: &MemoryShape) -> Result<LinearMemory, AllocateError>;

    /// Takes back a memory that nobody uses any more.
    fn free_memory(&self, memory: LinearMemory) {
        drop(memory);
    }

    /// Zeroed storage for a table of this many bytes.
    ///
    /// # Errors
    ///
    /// When there is no room.
    fn allocate_table(&self, bytes: usize) -> io::Result<ZeroedBlock> {
        ZeroedBlock::new(bytes)
    }

    /// Takes back a table's storage that nobody uses any more.
    fn free_table(&self, block: ZeroedBlock) {
        drop(block);
    }
}

/// Asks the system each time.
#[derive(Debug, Default)]
pub struct OnDemandAllocator;

impl OnDemandAllocator {
    /// A new allocator.
    pub fn new() -> OnDemandAllocator {
        OnDemandAllocator
    }
}

impl Allocator for OnDemandAllocator {
    fn allocate_memory(&self, shape: &MemoryShape) -> Result<LinearMemory, AllocateError> {
        LinearMemory::new(shape)
    }
}
