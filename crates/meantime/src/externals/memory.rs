//! [`Memory`]: a linear memory of one store.

use super::{allocate_host_object, memory_type};
use crate::store::{HostType, StoreId, StoreOpaque, from_host_error};
use crate::{AsContext, AsContextMut, MemoryType, Result, StoreContext, StoreContextMut, bail};
use core::fmt;
use meantime_abi as abi;
use meantime_abi::entity::PrimaryMap;
use meantime_abi::{DefinedMemoryIndex, VmCounts};
use meantime_vm as vm;

/// A WebAssembly linear memory. Belongs to its store and panics when it is used with another.
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let memory = Memory::new(&mut store, MemoryType::new(1, Some(2)))?;
/// memory.write(&mut store, 10, b"hello")?;
/// assert_eq!(&memory.data(&store)[10..15], b"hello");
/// assert_eq!(memory.grow(&mut store, 1)?, 1);
/// assert!(memory.grow(&mut store, 1).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Memory {
    store: StoreId,
    id: vm::MemoryId,
}

/// An access beyond the end of a memory.
#[derive(Debug)]
#[non_exhaustive]
pub struct MemoryAccessError {}

impl fmt::Display for MemoryAccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of bounds memory access")
    }
}

impl core::error::Error for MemoryAccessError {}

impl Memory {
    /// A memory of this type, all zeros.
    ///
    /// # Errors
    ///
    /// When the type is of a shared memory (see [`SharedMemory`](crate::SharedMemory)), or the memory is larger than the address space, the
    /// machine or the store's limiter allow.
    pub fn new(mut store: impl AsContextMut, ty: MemoryType) -> Result<Memory> {
        let store = store.as_context_mut().0.opaque_mut();
        if ty.is_shared() {
            bail!("shared memories are made with `SharedMemory::new`");
        }
        let mut shape = vm::InstanceShape::empty(VmCounts {
            memories: 1,
            ..VmCounts::default()
        });
        shape.memories = PrimaryMap::from_iter([store.engine().memory_shape(ty.to_abi(), None)]);
        let instance = allocate_host_object(
            store,
            HostType {
                abi: abi::ExternType::Memory(ty.to_abi()),
                _alive: ty.into(),
            },
            shape,
            &[],
        )?;
        let id = vm::MemoryId {
            instance,
            index: DefinedMemoryIndex::from_u32(0),
        };
        Ok(Memory {
            store: store.id(),
            id,
        })
    }

    /// Its type. The minimum is that of the type, not the size now.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> MemoryType {
        self.load_ty(store.as_context().0.opaque())
    }

    /// Copies bytes from the memory.
    ///
    /// # Errors
    ///
    /// When they are not all inside it; nothing was copied then.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn read(
        &self,
        store: impl AsContext,
        offset: usize,
        buffer: &mut [u8],
    ) -> Result<(), MemoryAccessError> {
        let store = store.as_context();
        let source = self
            .data(&store)
            .get(offset..)
            .and_then(|s| s.get(..buffer.len()));
        buffer.copy_from_slice(source.ok_or(MemoryAccessError {})?);
        Ok(())
    }

    /// Copies bytes into the memory.
    ///
    /// # Errors
    ///
    /// When they do not all fit inside it; nothing was copied then.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn write(
        &self,
        mut store: impl AsContextMut,
        offset: usize,
        buffer: &[u8],
    ) -> Result<(), MemoryAccessError> {
        let mut store = store.as_context_mut();
        let target = self.data_mut(&mut store).get_mut(offset..);
        let target = target.and_then(|s| s.get_mut(..buffer.len()));
        target.ok_or(MemoryAccessError {})?.copy_from_slice(buffer);
        Ok(())
    }

    /// All of its bytes. The borrow of the store sees to it that nothing changes them meanwhile.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    #[allow(unsafe_code)]
    pub fn data<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a [u8] {
        let store = store.into().0.opaque();
        let memory = store.vm().memory(self.id(store));
        // SAFETY: these bytes belong to the memory, which only code that borrows the store can change, grow or drop.
        unsafe { &*memory.data() }
    }

    /// All of its bytes, to change.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    #[allow(unsafe_code)]
    pub fn data_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> &'a mut [u8] {
        let store = store.into().0.opaque();
        let memory = store.vm().memory(self.id(store));
        // SAFETY: as in `data`; the store was borrowed to change.
        unsafe { &mut *memory.data() }
    }

    /// All of its bytes, and the host's data in the store.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    #[allow(unsafe_code)]
    pub fn data_and_store_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> (&'a mut [u8], &'a mut T) {
        let store = store.into().0;
        let data = store.opaque().vm().memory(self.id(store.opaque())).data();
        // SAFETY: as in `data_mut`; a memory's bytes lie outside of the store and of its data.
        (unsafe { &mut *data }, store.data_mut())
    }

    /// Address of its first byte. Growing may change it.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn data_ptr(&self, store: impl AsContext) -> *mut u8 {
        let store = store.as_context();
        let store = store.0.opaque();
        store.vm().memory(self.id(store)).base().as_ptr()
    }

    /// Its size in bytes.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn data_size(&self, store: impl AsContext) -> usize {
        let store = store.as_context();
        let store = store.0.opaque();
        store.vm().memory(self.id(store)).byte_size()
    }

    /// Its size in pages.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn size(&self, store: impl AsContext) -> u64 {
        self.pages(store.as_context().0.opaque())
    }

    /// Bytes in one of its pages.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn page_size(&self, store: impl AsContext) -> u64 {
        self.load_ty(store.as_context().0.opaque()).page_size()
    }

    /// Binary logarithm of [`Memory::page_size`].
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn page_size_log2(&self, store: impl AsContext) -> u8 {
        self.load_ty(store.as_context().0.opaque()).page_size_log2()
    }

    /// Grows it by `delta` pages and returns its size before, in pages.
    ///
    /// # Errors
    ///
    /// When its maximum, the address space, the machine or the store's limiter do not allow it.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    #[allow(unsafe_code)]
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64) -> Result<u64> {
        let store = store.as_context_mut().0.opaque_mut();
        let id = self.id(store);
        // SAFETY: no reference to the core is live.
        match unsafe { vm::StoreCore::memory_grow(store.vm_ptr(), id, delta) } {
            Ok(Some(pages)) => Ok(pages),
            Ok(None) => bail!("failed to grow memory by `{delta}`"),
            Err(error) => Err(from_host_error(error)),
        }
    }

    pub(crate) fn from_id(store: &StoreOpaque, id: vm::MemoryId) -> Memory {
        Memory {
            store: store.id(),
            id,
        }
    }

    pub(crate) fn belongs_to(&self, store: &StoreOpaque) -> bool {
        self.store == store.id()
    }

    #[inline]
    pub(crate) fn id(&self, store: &StoreOpaque) -> vm::MemoryId {
        self.store.check(store);
        self.id
    }

    pub(crate) fn pages(&self, store: &StoreOpaque) -> u64 {
        store.vm().memory(self.id(store)).pages()
    }

    pub(crate) fn load_ty(&self, store: &StoreOpaque) -> MemoryType {
        MemoryType::from_abi(self.abi_ty(store))
    }

    pub(crate) fn abi_ty(&self, store: &StoreOpaque) -> abi::MemoryType {
        memory_type(store, self.id(store))
    }
}
