//! Where memories, tables and contexts come from.
//!
//! The one idea: instances ask a trait, so that other strategies, such as a pool of slots, can stand behind it.

use crate::block::ZeroedBlock;
use crate::error::AllocateError;
use crate::image::MemoryImage;
use crate::memory::LinearMemory;
use crate::shape::MemoryShape;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Makes the storage of instances and takes it back.
pub trait Allocator: Send + Sync + Debug {
    /// A memory with its minimum size and initial contents.
    ///
    /// # Errors
    ///
    /// When there is no room.
    fn allocate_memory(&self, shape: &MemoryShape) -> Result<LinearMemory, AllocateError>;

    /// Takes back a memory that was made for this shape and that nobody uses any more.
    fn free_memory(&self, memory: LinearMemory, shape: &MemoryShape) {
        let _ = shape;
        drop(memory);
    }

    /// Zeroed storage for a table or an instance's context, of this many bytes.
    ///
    /// # Errors
    ///
    /// When there is no room.
    fn allocate_block(&self, bytes: usize) -> io::Result<ZeroedBlock> {
        ZeroedBlock::new(bytes)
    }

    /// Takes back storage that nobody uses any more.
    fn free_block(&self, block: ZeroedBlock) {
        drop(block);
    }
}

/// Memories, and blocks, that are kept for the next instance.
const MAX_KEPT: usize = 16;

/// Asks the system for each instance, except that a few memories and large tables are kept, emptied, for the next instance of the same
/// module: the system calls that make and unmake them take longer than all else of making an instance.
#[derive(Debug, Default)]
pub struct OnDemandAllocator {
    /// Oldest first.
    kept: Mutex<VecDeque<Kept>>,
    /// Oldest first, all zeros.
    kept_blocks: Mutex<VecDeque<ZeroedBlock>>,
}

/// An emptied memory.
#[derive(Debug)]
struct Kept {
    memory: LinearMemory,
    /// What it was made for, without the image.
    shape: MemoryShape,
    /// Does not keep the image of a module that is gone.
    image: Option<Weak<MemoryImage>>,
}

impl Kept {
    /// Whether its image can still be asked for.
    fn is_useful(&self) -> bool {
        self.image.as_ref().is_none_or(|i| i.strong_count() > 0)
    }

    /// Whether this is as a memory newly made for a shape.
    fn fits(&self, shape: &MemoryShape) -> bool {
        let same_image = match (&self.image, &shape.image) {
            (None, None) => true,
            (Some(a), Some(b)) => std::ptr::eq(a.as_ptr(), Arc::as_ptr(b)),
            _ => false,
        };
        same_image
            && self.shape.ty == shape.ty
            && self.shape.plan == shape.plan
            && self.shape.growth_reserve == shape.growth_reserve
    }
}

impl OnDemandAllocator {
    /// A new allocator.
    pub fn new() -> OnDemandAllocator {
        OnDemandAllocator::default()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_blocks(&self) -> MutexGuard<'_, VecDeque<ZeroedBlock>> {
        let guard = self.kept_blocks.lock();
        guard.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Allocator for OnDemandAllocator {
    fn allocate_memory(&self, shape: &MemoryShape) -> Result<LinearMemory, AllocateError> {
        let found = {
            let mut kept = self.kept();
            let newest = kept.iter().rposition(|kept| kept.fits(shape));
            newest.and_then(|i| kept.remove(i))
        };
        if let Some(mut found) = found {
            found.memory.reuse(shape);
            return Ok(found.memory);
        }
        LinearMemory::new(shape).or_else(|error| {
            // The address space may be limited; what is kept is not needed.
            let kept = std::mem::take(&mut *self.kept());
            if kept.is_empty() {
                return Err(error);
            }
            drop(kept);
            LinearMemory::new(shape)
        })
    }

    fn free_memory(&self, mut memory: LinearMemory, shape: &MemoryShape) {
        if memory.reset(shape).is_err() {
            return;
        }
        let image = shape.image.as_ref().map(Arc::downgrade);
        let shape = MemoryShape {
            image: None,
            ..shape.clone()
        };
        let mut kept = self.kept();
        kept.push_back(Kept {
            memory,
            shape,
            image,
        });
        // One for one, so that there are never more; unmapped when the lock is free again.
        let first_useless = match kept.len() > MAX_KEPT {
            true => Some(0),
            false => kept.iter().position(|kept| !kept.is_useful()),
        };
        let dropped = first_useless.and_then(|i| kept.remove(i));
        drop(kept);
        drop(dropped);
    }

    fn allocate_block(&self, bytes: usize) -> io::Result<ZeroedBlock> {
        if bytes >= ZeroedBlock::MAP_FROM {
            let mut kept = self.kept_blocks();
            let newest = kept.iter().rposition(|block| block.size() == bytes);
            if let Some(block) = newest.and_then(|i| kept.remove(i)) {
                return Ok(block);
            }
        }
        ZeroedBlock::new(bytes)
    }

    fn free_block(&self, mut block: ZeroedBlock) {
        if block.clear().is_err() {
            return;
        }
        let mut kept = self.kept_blocks();
        kept.push_back(block);
        let dropped = if kept.len() > MAX_KEPT {
            kept.pop_front()
        } else {
            None
        };
        drop(kept);
        drop(dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SharedBytes, host_page_size};
    use meantime_abi::{AddrType, MemoryPlan, MemoryType, Tunables};

    fn shape(image: Option<Arc<MemoryImage>>) -> MemoryShape {
        let ty = MemoryType {
            addr: AddrType::I32,
            shared: false,
            min: 2,
            max: None,
            page_size_log2: 16,
        };
        MemoryShape {
            ty,
            plan: MemoryPlan::new(&ty, &Tunables::default()),
            growth_reserve: 0,
            image,
        }
    }

    fn bytes(memory: &LinearMemory) -> &[u8] {
        // SAFETY: the memory's own bytes, which the test does not change meanwhile.
        unsafe { std::slice::from_raw_parts(memory.base().as_ptr(), memory.byte_size()) }
    }

    #[test]
    fn a_kept_memory_has_nothing_of_the_instance_before() {
        let page = host_page_size();
        for copy_on_write in [true, false] {
            let image_bytes = SharedBytes::from(vec![7u8; page + 100]);
            let image = MemoryImage::new(page as u64, image_bytes, copy_on_write);
            let shape = shape(Some(Arc::new(image)));
            let allocator = OnDemandAllocator::new();
            let mut memory = allocator.allocate_memory(&shape).unwrap();
            let (base, initial) = (memory.base(), bytes(&memory).to_vec());
            assert_eq!(initial.iter().filter(|&&b| b == 7).count(), page + 100);
            memory.grow_to(5 << 16).unwrap();
            // SAFETY: inside the memory.
            unsafe { base.write_bytes(9, memory.byte_size()) };
            allocator.free_memory(memory, &shape);
            let mut again = allocator.allocate_memory(&shape).unwrap();
            assert_eq!(again.base(), base);
            assert!(bytes(&again) == initial);
            again.grow_to(6 << 16).unwrap();
            assert!(bytes(&again)[2 << 16..].iter().all(|&b| b == 0));
        }
    }

    #[test]
    fn a_kept_block_is_zero() {
        let allocator = OnDemandAllocator::new();
        let block = allocator.allocate_block(1 << 20).unwrap();
        let base = block.base();
        // SAFETY: inside the block.
        unsafe { base.write_bytes(1, 1 << 20) };
        allocator.free_block(block);
        assert_ne!(allocator.allocate_block(1 << 21).unwrap().base(), base);
        let again = allocator.allocate_block(1 << 20).unwrap();
        assert_eq!(again.base(), base);
        // SAFETY: inside the block.
        let bytes = unsafe { std::slice::from_raw_parts(base.as_ptr(), 1 << 20) };
        assert!(bytes.iter().all(|&b| b == 0));
    }

    #[test]
    fn only_the_same_shape_gets_a_kept_memory() {
        let allocator = OnDemandAllocator::new();
        let plain = shape(None);
        let memory = allocator.allocate_memory(&plain).unwrap();
        let base = memory.base();
        allocator.free_memory(memory, &plain);
        let image = MemoryImage::new(0, SharedBytes::from(vec![1u8; 10]), true);
        let with_image = shape(Some(Arc::new(image)));
        let other = allocator.allocate_memory(&with_image).unwrap();
        assert_ne!(other.base(), base);
        assert_eq!(allocator.allocate_memory(&plain).unwrap().base(), base);
        for _ in 0..2 * MAX_KEPT {
            let memory = LinearMemory::new(&plain).unwrap();
            allocator.free_memory(memory, &plain);
        }
        assert_eq!(allocator.kept().len(), MAX_KEPT);
        // What was made for a module that is gone goes first.
        allocator.kept().truncate(3);
        allocator.free_memory(other, &with_image);
        drop(with_image);
        let memory = LinearMemory::new(&plain).unwrap();
        allocator.free_memory(memory, &plain);
        assert!(allocator.kept().iter().all(Kept::is_useful));
        assert_eq!(allocator.kept().len(), 4);
    }
}
