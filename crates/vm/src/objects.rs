//! The embedder's access to what instances define: by number, with every bound checked.
//!
//! The one idea: an object is named by the instance that defines it and its number there, so a name is plain data; imports are followed
//! once, when the name is made.

use crate::HostError;
use crate::error::GrowError;
use crate::instance::{InstanceId, InstanceRef};
use crate::memory::{Backing, Memory, grown_size};
use crate::store::{StoreCore, in_bounds};
use crate::table::{Table, TableElement};
use crate::table_ops;
use cranelift_entity::packed_option::PackedOption;
use meantime_abi::*;
use std::ptr::NonNull;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $index:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
        pub struct $name {
            /// The instance that defines it.
            pub instance: InstanceId,
            /// Its number there.
            pub index: $index,
        }
    )*};
}

ids! {
    /// A memory of a store.
    MemoryId DefinedMemoryIndex;
    /// A table of a store.
    TableId DefinedTableIndex;
    /// A global of a store.
    GlobalId DefinedGlobalIndex;
    /// A tag of a store.
    TagId DefinedTagIndex;
}

/// Naming. Numbers that an instance does not have panic.
impl StoreCore {
    /// The memory that an index of an instance means.
    pub fn memory_id(&self, instance: InstanceId, memory: MemoryIndex) -> MemoryId {
        let (owner, index) = self.instance_ref(instance).memory(memory);
        MemoryId {
            instance: owner.get().id(),
            index,
        }
    }

    /// The table that an index of an instance means.
    pub fn table_id(&self, instance: InstanceId, table: TableIndex) -> TableId {
        let (owner, index) = self.instance_ref(instance).table(table);
        TableId {
            instance: owner.get().id(),
            index,
        }
    }

    /// The global that an index of an instance means.
    pub fn global_id(&self, instance: InstanceId, global: GlobalIndex) -> GlobalId {
        let (owner, index) = self.instance_ref(instance).global(global);
        GlobalId {
            instance: owner.get().id(),
            index,
        }
    }

    /// The tag that an index of an instance means.
    pub fn tag_id(&self, instance: InstanceId, tag: TagIndex) -> TagId {
        let (owner, index) = self.instance_ref(instance).tag(tag);
        TagId {
            instance: owner.get().id(),
            index,
        }
    }

    /// What to import for a function.
    ///
    /// # Safety
    ///
    /// The funcref belongs to this store.
    pub unsafe fn func_import(func: NonNull<VmFuncRef>) -> VmFuncImport {
        // SAFETY: passed on to the caller.
        let func_ref = unsafe { func.as_ref() };
        VmFuncImport {
            code: func_ref.code,
            context: func_ref.context,
            func_ref: func.as_ptr(),
        }
    }

    /// What to import for a memory.
    pub fn memory_import(&self, memory: MemoryId) -> VmMemoryImport {
        let owner = self.instance_ref(memory.instance);
        VmMemoryImport {
            from: owner.vm_memory(memory.index).as_ptr(),
            context: owner.get().context(),
        }
    }

    /// What to import for a table.
    pub fn table_import(&self, table: TableId) -> VmTableImport {
        let owner = self.instance_ref(table.instance);
        VmTableImport {
            from: owner.vm_table(table.index).as_ptr(),
            context: owner.get().context(),
        }
    }

    /// What to import for a global.
    pub fn global_import(&self, global: GlobalId) -> VmGlobalImport {
        let owner = self.instance_ref(global.instance);
        VmGlobalImport {
            from: owner.vm_global(global.index).as_ptr(),
            context: owner.get().context(),
        }
    }

    /// What to import for a tag.
    pub fn tag_import(&self, tag: TagId) -> VmTagImport {
        let owner = self.instance_ref(tag.instance);
        VmTagImport {
            from: owner.vm_tag(tag.index).as_ptr(),
            context: owner.get().context(),
        }
    }
}

/// Tags and their numbers, which exceptions hold.
impl StoreCore {
    /// A tag's number in this store.
    pub fn tag_number(&self, tag: TagId) -> u32 {
        let place = self.instance_ref(tag.instance).vm_tag(tag.index);
        // SAFETY: the context is alive as long as the store, and its tags never change.
        unsafe { place.as_ref() }.id
    }

    /// The tag with a number; none for a number that was not given out.
    pub fn tag_of_number(&self, number: u32) -> Option<TagId> {
        let (instance, index) = self.tag_owner(number)?;
        let tag = TagId {
            instance: instance.id(),
            index: DefinedTagIndex::from_u32(index),
        };
        let exists = (index as usize) < instance.shape().tags.len();
        (exists && self.tag_number(tag) == number).then_some(tag)
    }
}

/// Memories and globals.
impl StoreCore {
    /// A memory.
    pub fn memory(&self, memory: MemoryId) -> &Memory {
        &self.instance(memory.instance).memories[memory.index.as_u32() as usize]
    }

    /// Adds pages to a memory and returns how many there were before; none when the limiter, the type or the system refuses.
    ///
    /// # Errors
    ///
    /// With the limiter's error.
    ///
    /// # Safety
    ///
    /// `this` is alive and no reference to it is in use, as the limiter may make its own.
    pub unsafe fn memory_grow(
        this: NonNull<StoreCore>,
        memory: MemoryId,
        delta: u64,
    ) -> Result<Option<u64>, HostError> {
        // SAFETY: passed on to the caller.
        unsafe {
            let owner = this.as_ref().instance_ref(memory.instance);
            grow_memory(this, owner, memory.index, delta)
        }
    }

    /// Copies bytes into a memory, as an active data segment does.
    ///
    /// # Errors
    ///
    /// When they do not fit; nothing is then written.
    pub fn memory_write(&mut self, memory: MemoryId, addr: u64, bytes: &[u8]) -> Result<(), Trap> {
        let memory = self.memory(memory);
        let size = memory.byte_size() as u64;
        in_bounds(addr, bytes.len() as u64, size, Trap::MemoryOutOfBounds)?;
        // SAFETY: in bounds of a memory of this store, which the caller has borrowed.
        unsafe {
            let to = memory.base().as_ptr().add(addr as usize);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
        Ok(())
    }

    /// A global. Reading and writing it takes its type and the store's exclusive use.
    pub fn global(&self, global: GlobalId) -> *mut VmGlobal {
        self.instance_ref(global.instance)
            .vm_global(global.index)
            .as_ptr()
    }

    /// The type of a tag.
    pub fn tag_type(&self, tag: TagId) -> TypeId {
        // SAFETY: a place in the instance's context, never written after it was made.
        unsafe {
            self.instance_ref(tag.instance)
                .vm_tag(tag.index)
                .as_ref()
                .type_id
        }
    }

    /// `data.drop`.
    pub fn data_drop(&mut self, instance: InstanceId, data: DataIndex) {
        self.instance_ref(instance).drop_data(data);
    }
}

/// Tables. An element of another representation than the table's panics.
impl StoreCore {
    /// A table.
    pub fn table(&self, table: TableId) -> &Table {
        &self.instance(table.instance).tables[table.index.as_u32() as usize]
    }

    /// An element, or none beyond the end.
    pub fn table_get(&mut self, table: TableId, index: u64) -> Option<TableElement> {
        let owner = self.instance_ref(table.instance);
        table_ops::get(owner, table.index, index).ok()
    }

    /// Sets an element.
    ///
    /// # Errors
    ///
    /// Beyond the end.
    pub fn table_set(
        &mut self,
        table: TableId,
        index: u64,
        element: TableElement,
    ) -> Result<(), Trap> {
        self.table_fill(table, index, element, 1)
    }

    /// Adds elements and returns how many there were before; none when the limiter, the type or the system refuses.
    ///
    /// # Errors
    ///
    /// With the limiter's error.
    ///
    /// # Safety
    ///
    /// `this` is alive and no reference to it is in use, as the limiter may make its own. A funcref belongs to this store.
    pub unsafe fn table_grow(
        this: NonNull<StoreCore>,
        table: TableId,
        delta: u64,
        init: TableElement,
    ) -> Result<Option<u64>, HostError> {
        // SAFETY: passed on to the caller.
        unsafe {
            let owner = this.as_ref().instance_ref(table.instance);
            table_ops::grow(this, owner, table.index, delta, init)
        }
    }

    /// `table.fill`.
    ///
    /// # Errors
    ///
    /// Beyond the end; nothing is then written.
    pub fn table_fill(
        &mut self,
        table: TableId,
        dst: u64,
        element: TableElement,
        len: u64,
    ) -> Result<(), Trap> {
        let owner = self.instance_ref(table.instance);
        table_ops::fill(owner, table.index, dst, element, len)
    }

    /// `table.copy`.
    ///
    /// # Errors
    ///
    /// Beyond the end of either; nothing is then written.
    pub fn table_copy(
        &mut self,
        dst: TableId,
        dst_index: u64,
        src: TableId,
        src_index: u64,
        len: u64,
    ) -> Result<(), Trap> {
        let to = (self.instance_ref(dst.instance), dst.index);
        let from = (self.instance_ref(src.instance), src.index);
        table_ops::copy(to, dst_index, from, src_index, len)
    }

    /// `table.init` from a segment of an instance.
    ///
    /// # Errors
    ///
    /// Beyond the end of either; nothing is then written.
    pub fn table_init(
        &mut self,
        table: TableId,
        instance: InstanceId,
        elem: ElemIndex,
        dst: u64,
        src: u64,
        len: u64,
    ) -> Result<(), Trap> {
        let to = (self.instance_ref(table.instance), table.index);
        table_ops::init(to, self.instance_ref(instance), elem, dst, src, len)
    }

    /// Writes functions of an instance, as an active segment does.
    ///
    /// # Errors
    ///
    /// Beyond the end; nothing is then written.
    pub fn table_init_funcs(
        &mut self,
        table: TableId,
        instance: InstanceId,
        dst: u64,
        funcs: &[PackedOption<FuncIndex>],
    ) -> Result<(), Trap> {
        let to = (self.instance_ref(table.instance), table.index);
        table_ops::init_funcs(to, self.instance_ref(instance), funcs, dst)
    }

    /// Gives an element segment whose values were evaluated.
    pub fn set_elem(&mut self, instance: InstanceId, elem: ElemIndex, values: Vec<TableElement>) {
        self.instance_ref(instance).set_elem(elem, values);
    }

    /// `elem.drop`.
    pub fn elem_drop(&mut self, instance: InstanceId, elem: ElemIndex) {
        self.instance_ref(instance).drop_elem(elem);
    }
}

/// `memory.grow`, for a memory by its owner.
///
/// # Safety
///
/// As for [`StoreCore::memory_grow`].
pub(crate) unsafe fn grow_memory(
    store: NonNull<StoreCore>,
    owner: InstanceRef,
    index: DefinedMemoryIndex,
    delta: u64,
) -> Result<Option<u64>, HostError> {
    let memory = owner.memory_mut(index);
    let ty = *memory.ty();
    let old = memory.byte_size();
    let old_pages = old as u64 >> ty.page_size_log2;
    // Growing by nothing asks for the size.
    if delta == 0 {
        return Ok(Some(old_pages));
    }
    if let Some(shared) = memory.shared() {
        return Ok(shared.grow(delta).ok());
    }
    // SAFETY: the caller made sure that nobody else uses the embedder.
    let mut embedder = unsafe { StoreCore::embedder(store) };
    if let Some(embedder) = &mut embedder {
        let bytes = |pages: u64| {
            let bytes = pages.saturating_mul(ty.page_size());
            usize::try_from(bytes).unwrap_or(usize::MAX)
        };
        // The largest multiple of the page size stands for all that is larger.
        let desired = old
            .saturating_add(bytes(delta))
            .min(0usize.wrapping_sub(ty.page_size() as usize));
        if !embedder.memory_growing(old, desired, ty.max.map(bytes))? {
            return Ok(None);
        }
    }
    // The limiter may have run the host's code; the memory is looked at anew.
    let memory = owner.memory_mut(index);
    let result = match grown_size(&ty, old, delta) {
        None => Err(GrowError::MemoryMaximum),
        Some(new) => match &mut memory.backing {
            Backing::Own(storage) => storage.grow_to(new),
            Backing::Shared(_) => unreachable!("handled above"),
        },
    };
    match result {
        Ok(()) => {
            let vm = VmMemory {
                base: memory.base().as_ptr(),
                len: memory.byte_size().into(),
            };
            // SAFETY: a place in the owner's context; the guest waits.
            unsafe { owner.vm_memory(index).write(vm) };
            Ok(Some(old_pages))
        }
        Err(error) => {
            if let Some(embedder) = embedder {
                embedder.memory_grow_failed(error)?;
            }
            Ok(None)
        }
    }
}
