//! [`SharedMemory`]: a linear memory that belongs to no store, for use from several threads.

use super::allocate_host_object;
use crate::store::{HostType, StoreOpaque, from_allocate_error};
use crate::{Engine, MemoryType, Result, Trap, bail};
use core::cell::UnsafeCell;
use core::time::Duration;
use meantime_abi as abi;
use meantime_abi::entity::PrimaryMap;
use meantime_abi::{DefinedMemoryIndex, VmCounts};
use meantime_vm as vm;
use std::sync::Arc;

pub use meantime_vm::WaitResult;

/// A linear memory that threads share (proposal "threads"). Cloning it makes another handle.
///
/// Its bytes change at any time, so they are only reached through cells; atomics on them are the embedder's to write.
#[derive(Clone)]
pub struct SharedMemory {
    engine: Engine,
    memory: Arc<vm::SharedMemory>,
}

impl SharedMemory {
    /// A shared memory of this type, all zeros.
    ///
    /// # Errors
    ///
    /// When the type is not of a shared memory, the engine does not allow them, or the machine has not the room.
    pub fn new(engine: &Engine, ty: MemoryType) -> Result<SharedMemory> {
        if !ty.is_shared() {
            bail!("shared memory must have the `shared` flag enabled on its memory type");
        }
        if !engine.config().shared_memory {
            bail!(
                "shared memories are disabled for this engine: enable them with `Config::shared_memory`"
            );
        }
        let memory = vm::SharedMemory::new(&engine.memory_shape(ty.to_abi(), None))
            .map_err(from_allocate_error)?;
        Ok(SharedMemory {
            engine: engine.clone(),
            memory,
        })
    }

    /// Its type. The minimum is that of the type, not the size now.
    pub fn ty(&self) -> MemoryType {
        MemoryType::from_abi(*self.memory.ty())
    }

    /// Its size in pages.
    pub fn size(&self) -> u64 {
        self.data_size() as u64 / self.page_size()
    }

    /// Bytes in one of its pages.
    pub fn page_size(&self) -> u64 {
        self.ty().page_size()
    }

    /// Its size in bytes.
    pub fn data_size(&self) -> usize {
        self.memory.byte_size()
    }

    /// All of its bytes. Others may change them at any time, so plain reads and writes are races.
    #[allow(unsafe_code)]
    pub fn data(&self) -> &[UnsafeCell<u8>] {
        let data = self.memory.data();
        // SAFETY: the memory never moves or shrinks; a cell has the layout of its contents and may change behind a reference.
        unsafe { &*(data as *const [UnsafeCell<u8>]) }
    }

    /// Grows it by `delta` pages and returns its size before, in pages.
    ///
    /// # Errors
    ///
    /// When its maximum or the machine do not allow it.
    pub fn grow(&self, delta: u64) -> Result<u64> {
        match self.memory.grow(delta) {
            Ok(pages) => Ok(pages),
            Err(error) => bail!("failed to grow memory by `{delta}`: {error}"),
        }
    }

    /// `memory.atomic.notify`
    ///
    /// # Errors
    ///
    /// The trap that the instruction would be.
    pub fn atomic_notify(&self, addr: u64, count: u32) -> Result<u32, Trap> {
        self.memory.atomic_notify(addr, count)
    }

    /// `memory.atomic.wait32`
    ///
    /// # Errors
    ///
    /// The trap that the instruction would be.
    pub fn atomic_wait32(
        &self,
        addr: u64,
        expected: u32,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        self.memory.atomic_wait32(addr, expected, timeout)
    }

    /// `memory.atomic.wait64`
    ///
    /// # Errors
    ///
    /// The trap that the instruction would be.
    pub fn atomic_wait64(
        &self,
        addr: u64,
        expected: u64,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        self.memory.atomic_wait64(addr, expected, timeout)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn from_vm(engine: &Engine, memory: &Arc<vm::SharedMemory>) -> SharedMemory {
        SharedMemory {
            engine: engine.clone(),
            memory: memory.clone(),
        }
    }

    /// Makes it known to a store, to be imported there.
    pub(crate) fn in_store(&self, store: &mut StoreOpaque) -> Result<vm::MemoryId> {
        let mut shape = vm::InstanceShape::empty(VmCounts {
            memories: 1,
            ..VmCounts::default()
        });
        let ty = self.ty();
        shape.memories = PrimaryMap::from_iter([store.engine().memory_shape(ty.to_abi(), None)]);
        let shared = [Some(self.memory.clone())];
        let instance = allocate_host_object(
            store,
            HostType {
                abi: abi::ExternType::Memory(ty.to_abi()),
                _alive: ty.into(),
            },
            shape,
            &shared,
        )?;
        Ok(vm::MemoryId {
            instance,
            index: DefinedMemoryIndex::from_u32(0),
        })
    }
}

impl core::fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SharedMemory")
            .field("ty", &self.ty())
            .finish_non_exhaustive()
    }
}
