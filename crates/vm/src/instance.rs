//! An instance of a module: its context, which compiled code sees, and what only the runtime sees.
//!
//! The one idea: both lie in one zeroed block, the context at its end because its size differs by module. From either the other is a
//! constant away. An instance lives as long as its store and never moves.

use crate::allocator::Allocator;
use crate::block::ZeroedBlock;
use crate::builtins::BUILTINS;
use crate::enter::no_trampoline;
use crate::error::AllocateError;
use crate::gc::GcRef;
use crate::memory::{Backing, Memory};
use crate::shape::{InstanceRequest, InstanceShape, MemoryShape};
use crate::shared::SharedMemory;
use crate::store::StoreCore;
use crate::table::{Table, TableElement};
use cranelift_entity::PrimaryMap;
use cranelift_entity::packed_option::PackedOption;
use meantime_abi::*;
use std::collections::BTreeMap;
use std::mem::offset_of;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// Which instance of a store.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct InstanceId(pub(crate) u32);

impl InstanceId {
    /// Its place among the instances of its store, from zero.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An instance.
#[derive(Debug)]
#[repr(C)]
pub struct Instance {
    id: InstanceId,
    shape: Arc<InstanceShape>,
    /// The context, with leave to reach the arrays that follow it.
    context: *mut VmContext,
    pub(crate) memories: Box<[Memory]>,
    pub(crate) tables: Box<[Table]>,
    dropped_data: Bits,
    dropped_elems: Bits,
    pub(crate) elems: BTreeMap<ElemIndex, Vec<TableElement>>,
    /// What all of this lies in.
    block: Option<ZeroedBlock>,
    vm: VmContext,
}

impl Instance {
    /// Its number in its store.
    pub fn id(&self) -> InstanceId {
        self.id
    }

    /// Its context.
    pub fn context(&self) -> *mut VmContext {
        self.context
    }

    /// The module's description.
    pub fn shape(&self) -> &Arc<InstanceShape> {
        &self.shape
    }
}

/// Numbers of dropped segments; most instances have none.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn contains(&self, i: u32) -> bool {
        let word = self.0.get(i as usize / 64);
        word.is_some_and(|word| word >> (i % 64) & 1 != 0)
    }

    fn insert(&mut self, i: u32) {
        let word = i as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (i % 64);
    }
}

/// A pointer to an instance that is alive, in the hands of the one thread that uses its store.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct InstanceRef(NonNull<Instance>);

impl InstanceRef {
    /// The instance of a context.
    ///
    /// # Safety
    ///
    /// The context is that of an instance, whose store outlives the result and is used by this thread alone.
    pub unsafe fn of(context: *mut VmContext) -> InstanceRef {
        // SAFETY: every context of an instance is the field of an `Instance`.
        unsafe {
            debug_assert_eq!((*context).header.kind, VmHeader::INSTANCE);
            let instance = context.byte_sub(offset_of!(Instance, vm)).cast();
            InstanceRef(NonNull::new_unchecked(instance))
        }
    }

    /// A new instance, with memories and tables at their minimum, imports and constants copied.
    ///
    /// # Safety
    ///
    /// The imports fit the shape and live as long as the store, which never moves.
    pub unsafe fn allocate(
        store: *mut StoreCore,
        id: InstanceId,
        request: &InstanceRequest<'_>,
        allocator: &dyn Allocator,
    ) -> Result<InstanceRef, AllocateError> {
        let shape = &request.shape;
        shape.check();
        let counts = shape.layout.counts();
        let imports = &request.imports;
        assert_eq!(imports.funcs.len(), counts.func_imports as usize);
        assert_eq!(imports.tables.len(), counts.table_imports as usize);
        assert_eq!(imports.memories.len(), counts.memory_imports as usize);
        assert_eq!(imports.globals.len(), counts.global_imports as usize);
        assert_eq!(imports.tags.len(), counts.tag_imports as usize);

        // SAFETY: the caller vouches for the store.
        let first_tag = unsafe { (*store).number_tags(id, counts.tags)? };
        let size = offset_of!(Instance, vm) + shape.layout.size() as usize;
        let block = allocator
            .allocate_block(size.max(size_of::<Instance>()))
            .map_err(|source| AllocateError::Os {
                what: "an instance",
                size: size as u64,
                source,
            })?;
        let memories = allocate_memories(request, allocator)?;
        let tables = match allocate_tables(shape, allocator) {
            Ok(tables) => tables,
            Err(error) => {
                free_memories(memories, &shape.memories, allocator);
                return Err(error);
            }
        };
        let this: NonNull<Instance> = block.base().cast();
        // SAFETY: the block is large enough, aligned to 16 and nobody else's; the context's arrays follow it in the block.
        let this = unsafe {
            let context: *mut VmContext = this.as_ptr().byte_add(offset_of!(Instance, vm)).cast();
            let header = VmHeader {
                kind: VmHeader::INSTANCE,
                reserved: 0,
                store: (*store).context(),
                builtins: &raw const BUILTINS,
            };
            this.write(Instance {
                id,
                shape: shape.clone(),
                context,
                memories,
                tables,
                dropped_data: Bits::default(),
                dropped_elems: Bits::default(),
                elems: BTreeMap::new(),
                block: Some(block),
                vm: VmContext {
                    header,
                    type_ids: shape.type_ids.as_ptr(),
                    code_slots: match &shape.code {
                        Some(code) => code.slots().as_ptr(),
                        None => std::ptr::null(),
                    },
                    call_profiles: match &shape.code {
                        Some(code) => code.call_profiles().as_ptr().cast_mut(),
                        None => std::ptr::null_mut(),
                    },
                },
            });
            InstanceRef(this)
        };
        // SAFETY: the arrays of the context have room for what the layout counts, which was compared above.
        unsafe { this.fill_context(request, first_tag) };
        Ok(this)
    }

    unsafe fn fill_context(self, request: &InstanceRequest<'_>, first_tag: u32) {
        let shape = &*request.shape;
        let imports = &request.imports;
        let layout = &shape.layout;
        // SAFETY: passed on to the caller.
        unsafe {
            self.copy(imports.funcs, |i| {
                layout.func_import(FuncIndex::from_u32(i))
            });
            self.copy(imports.tables, |i| {
                layout.table_import(TableIndex::from_u32(i))
            });
            self.copy(imports.memories, |i| {
                layout.memory_import(MemoryIndex::from_u32(i))
            });
            self.copy(imports.globals, |i| {
                layout.global_import(GlobalIndex::from_u32(i))
            });
            self.copy(imports.tags, |i| layout.tag_import(TagIndex::from_u32(i)));
            self.copy(&shape.globals, |i| {
                layout.global(DefinedGlobalIndex::from_u32(i))
            });
            for (i, ty) in shape.tags.iter().enumerate() {
                let at = layout.tag(DefinedTagIndex::from_u32(i as u32));
                self.at::<VmTag>(at).write(VmTag {
                    type_id: shape.type_ids[ty.as_u32() as usize],
                    id: first_tag + i as u32,
                });
            }
            for (i, memory) in self.get().memories.iter().enumerate() {
                let vm = self.vm_memory(DefinedMemoryIndex::from_u32(i as u32));
                match &memory.backing {
                    Backing::Own(memory) => vm.write(VmMemory {
                        base: memory.base().as_ptr(),
                        len: AtomicUsize::new(memory.byte_size()),
                    }),
                    Backing::Shared(memory) => memory.attach(vm),
                }
            }
            for i in shape.tables.keys() {
                self.update_table(i);
            }
            for (i, table) in shape.tables.iter() {
                if !self.get().tables[i.as_u32() as usize].is_lazy() {
                    self.fill_eagerly(i, &table.image);
                }
            }
        }
    }

    fn fill_eagerly(self, table: DefinedTableIndex, image: &[PackedOption<FuncIndex>]) {
        for (i, func) in image.iter().enumerate() {
            if let Some(func) = func.expand() {
                let func = self.func_ref(func);
                let table = self.table_mut(table);
                let stored = table.encode(TableElement::Func(Some(func)));
                table.store(i, 1, stored);
            }
        }
    }

    /// Copies values to an array of the context; `place` gives the offset of its elements.
    unsafe fn copy<T>(self, from: &[T], place: impl FnOnce(u32) -> u32) {
        if from.is_empty() {
            return;
        }
        let to: NonNull<T> = self.at(place(0));
        // SAFETY: the array has as many elements as the layout counts, and the caller compared that.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), to.as_ptr(), from.len()) };
    }

    /// Frees the instance.
    ///
    /// # Safety
    ///
    /// Nobody uses the instance, or anything that it defines, any more.
    pub unsafe fn free(self, allocator: &dyn Allocator) {
        // SAFETY: the fields are valid and never used again; the block they lie in is moved out first and dropped last.
        unsafe {
            let instance = &mut *self.0.as_ptr();
            let block = instance.block.take();
            for (i, memory) in instance.memories.iter().enumerate() {
                if let Backing::Shared(memory) = &memory.backing {
                    memory.detach(self.vm_memory(DefinedMemoryIndex::from_u32(i as u32)));
                }
            }
            let memories = std::mem::take(&mut instance.memories);
            free_memories(memories, &instance.shape.memories, allocator);
            for table in std::mem::take(&mut instance.tables) {
                allocator.free_block(table.into_block());
            }
            self.0.drop_in_place();
            if let Some(block) = block {
                allocator.free_block(block);
            }
        }
    }

    /// The instance itself.
    pub fn get<'a>(self) -> &'a Instance {
        // SAFETY: alive, by the type's promise. Who changes a field through `get_mut` holds no other reference meanwhile.
        unsafe { self.0.as_ref() }
    }

    fn get_mut<'a>(mut self) -> &'a mut Instance {
        // SAFETY: as above; each user in this crate ends its borrow before it calls on.
        unsafe { self.0.as_mut() }
    }

    /// A place in the context.
    fn at<T>(self, offset: u32) -> NonNull<T> {
        let at = self
            .get()
            .context
            .cast::<u8>()
            .wrapping_add(offset as usize);
        NonNull::new(at.cast()).expect("inside an instance")
    }

    fn layout<'a>(self) -> &'a VmLayout {
        &self.get().shape.layout
    }

    pub fn vm_memory(self, memory: DefinedMemoryIndex) -> NonNull<VmMemory> {
        self.at(self.layout().memory(memory))
    }

    pub fn vm_table(self, table: DefinedTableIndex) -> NonNull<VmTable> {
        self.at(self.layout().table(table))
    }

    pub fn vm_global(self, global: DefinedGlobalIndex) -> NonNull<VmGlobal> {
        self.at(self.layout().global(global))
    }

    pub fn vm_tag(self, tag: DefinedTagIndex) -> NonNull<VmTag> {
        self.at(self.layout().tag(tag))
    }

    pub fn memory_mut<'a>(self, memory: DefinedMemoryIndex) -> &'a mut Memory {
        // SAFETY: alive, and only this field is borrowed; users end the borrow before they call on.
        let memories = unsafe { &mut (*self.0.as_ptr()).memories };
        &mut memories[memory.as_u32() as usize]
    }

    pub fn table_mut<'a>(self, table: DefinedTableIndex) -> &'a mut Table {
        // SAFETY: alive, and only this field is borrowed; users end the borrow before they call on.
        let tables = unsafe { &mut (*self.0.as_ptr()).tables };
        &mut tables[table.as_u32() as usize]
    }

    /// Tells compiled code where a table is and how long.
    pub fn update_table(self, table: DefinedTableIndex) {
        let vm = VmTable {
            base: self.table_mut(table).base(),
            len: self.table_mut(table).len(),
        };
        // SAFETY: a place in this instance's context.
        unsafe { self.vm_table(table).write(vm) };
    }

    /// The funcref of a function of this instance.
    ///
    /// # Panics
    ///
    /// When the function is defined and does not escape.
    pub fn func_ref(self, func: FuncIndex) -> NonNull<VmFuncRef> {
        let instance = self.get();
        let shape = &*instance.shape;
        let imported = shape.layout.counts().func_imports;
        if func.as_u32() < imported {
            let import: NonNull<VmFuncImport> = self.at(shape.layout.func_import(func));
            // SAFETY: written when the instance was made.
            let func_ref = unsafe { import.as_ref() }.func_ref;
            return NonNull::new(func_ref).expect("an import has a funcref");
        }
        let escaped = shape.escaped[func].expect("the function escapes");
        let mut func_ref: NonNull<VmFuncRef> = self.at(shape.layout.func_ref(escaped));
        // SAFETY: a place in this instance's context, zero or written below.
        unsafe {
            if func_ref.as_ref().code.is_null() {
                let defined = DefinedFuncIndex::from_u32(func.as_u32() - imported);
                let ty = shape.func_type(defined);
                let code = shape.code.as_ref().expect("a function has code");
                let enter = match shape.enters.get(ty.as_u32() as usize) {
                    Some(offset) => offset.map(|at| code.text()[at as usize..].as_ptr()),
                    None => code.trampoline(Trampoline::Enter, ty),
                };
                let enter = enter.unwrap_or(no_trampoline as *const () as EnterPtr);
                *func_ref.as_mut() = VmFuncRef {
                    code: code.func_code(defined),
                    context: instance.context.cast(),
                    type_id: shape.type_ids[ty.as_u32() as usize],
                    id: 0,
                    enter,
                };
            }
        }
        func_ref
    }

    /// The instance that defines a memory, and the memory's number there.
    pub fn memory(self, memory: MemoryIndex) -> (InstanceRef, DefinedMemoryIndex) {
        let imported = self.layout().counts().memory_imports;
        match memory.as_u32().checked_sub(imported) {
            Some(i) => (self, DefinedMemoryIndex::from_u32(i)),
            None => {
                let import: NonNull<VmMemoryImport> = self.at(self.layout().memory_import(memory));
                // SAFETY: written when the instance was made; it names an instance of the same store.
                let (owner, from) = unsafe {
                    let import = import.as_ref();
                    (InstanceRef::of(import.context), import.from)
                };
                let start = owner.layout().memory(DefinedMemoryIndex::from_u32(0));
                let i = owner.index_of(start, from);
                (owner, DefinedMemoryIndex::from_u32(i))
            }
        }
    }

    /// The instance that defines a table, and the table's number there.
    pub fn table(self, table: TableIndex) -> (InstanceRef, DefinedTableIndex) {
        let imported = self.layout().counts().table_imports;
        match table.as_u32().checked_sub(imported) {
            Some(i) => (self, DefinedTableIndex::from_u32(i)),
            None => {
                let import: NonNull<VmTableImport> = self.at(self.layout().table_import(table));
                // SAFETY: as in `memory`.
                let (owner, from) = unsafe {
                    let import = import.as_ref();
                    (InstanceRef::of(import.context), import.from)
                };
                let start = owner.layout().table(DefinedTableIndex::from_u32(0));
                (
                    owner,
                    DefinedTableIndex::from_u32(owner.index_of(start, from)),
                )
            }
        }
    }

    /// The instance that defines a global, and the global's number there.
    pub fn global(self, global: GlobalIndex) -> (InstanceRef, DefinedGlobalIndex) {
        let imported = self.layout().counts().global_imports;
        match global.as_u32().checked_sub(imported) {
            Some(i) => (self, DefinedGlobalIndex::from_u32(i)),
            None => {
                let import: NonNull<VmGlobalImport> = self.at(self.layout().global_import(global));
                // SAFETY: as in `memory`.
                let (owner, from) = unsafe {
                    let import = import.as_ref();
                    (InstanceRef::of(import.context), import.from)
                };
                let start = owner.layout().global(DefinedGlobalIndex::from_u32(0));
                (
                    owner,
                    DefinedGlobalIndex::from_u32(owner.index_of(start, from)),
                )
            }
        }
    }

    /// The instance that defines a tag, and the tag's number there.
    pub fn tag(self, tag: TagIndex) -> (InstanceRef, DefinedTagIndex) {
        let imported = self.layout().counts().tag_imports;
        match tag.as_u32().checked_sub(imported) {
            Some(i) => (self, DefinedTagIndex::from_u32(i)),
            None => {
                let import: NonNull<VmTagImport> = self.at(self.layout().tag_import(tag));
                // SAFETY: as in `memory`.
                let (owner, from) = unsafe {
                    let import = import.as_ref();
                    (InstanceRef::of(import.context), import.from)
                };
                let start = owner.layout().tag(DefinedTagIndex::from_u32(0));
                (
                    owner,
                    DefinedTagIndex::from_u32(owner.index_of(start, from)),
                )
            }
        }
    }

    /// The number of a tag.
    pub fn tag_number(self, tag: TagIndex) -> u32 {
        let imported = self.layout().counts().tag_imports;
        let place = match tag.as_u32().checked_sub(imported) {
            Some(i) => self.vm_tag(DefinedTagIndex::from_u32(i)).as_ptr(),
            None => {
                let import: NonNull<VmTagImport> = self.at(self.layout().tag_import(tag));
                // SAFETY: written when the instance was made.
                unsafe { import.as_ref().from }
            }
        };
        // SAFETY: a place in the context of an instance of the same store.
        unsafe { (*place).id }
    }

    /// Which element of an array of the context a pointer is to.
    fn index_of<T>(self, start: u32, element: *const T) -> u32 {
        let array = self.at::<T>(start).as_ptr() as usize;
        ((element as usize - array) / size_of::<T>()) as u32
    }

    /// The part of the data bytes that a segment is; empty once it was dropped.
    pub fn data(self, data: DataIndex) -> Range<usize> {
        let instance = self.get();
        if instance.dropped_data.contains(data.as_u32()) {
            return 0..0;
        }
        instance.shape.data[data].clone()
    }

    pub fn drop_data(self, data: DataIndex) {
        self.get_mut().dropped_data.insert(data.as_u32());
    }

    pub fn elem_is_dropped(self, elem: ElemIndex) -> bool {
        self.get().dropped_elems.contains(elem.as_u32())
    }

    pub fn drop_elem(self, elem: ElemIndex) {
        let instance = self.get_mut();
        instance.dropped_elems.insert(elem.as_u32());
        instance.elems.remove(&elem);
    }

    /// Calls `visit` with each reference in an element segment.
    pub fn visit_elems(self, mut visit: impl FnMut(&mut Option<GcRef>)) {
        for value in self.get_mut().elems.values_mut().flatten() {
            if let TableElement::Gc(reference) = value {
                visit(reference);
            }
        }
    }

    pub fn set_elem(self, elem: ElemIndex, values: Vec<TableElement>) {
        self.get_mut().elems.insert(elem, values);
    }
}

fn allocate_memories(
    request: &InstanceRequest<'_>,
    allocator: &dyn Allocator,
) -> Result<Box<[Memory]>, AllocateError> {
    let mut memories = Vec::with_capacity(request.shape.memories.len());
    for (i, shape) in request.shape.memories.iter() {
        let given = request.shared_memories.get(i.as_u32() as usize);
        let backing = match given.cloned().flatten() {
            Some(shared) => Ok(Backing::Shared(shared)),
            None if shape.ty.shared => SharedMemory::new(shape).map(Backing::Shared),
            None => allocator.allocate_memory(shape).map(Backing::Own),
        };
        match backing {
            Ok(backing) => memories.push(Memory::new(shape, backing)),
            Err(error) => {
                free_memories(memories, &request.shape.memories, allocator);
                return Err(error);
            }
        }
    }
    Ok(memories.into())
}

fn free_memories(
    memories: impl IntoIterator<Item = Memory>,
    shapes: &PrimaryMap<DefinedMemoryIndex, MemoryShape>,
    allocator: &dyn Allocator,
) {
    for (memory, shape) in memories.into_iter().zip(shapes.values()) {
        if let Backing::Own(memory) = memory.backing {
            allocator.free_memory(memory, shape);
        }
    }
}

fn allocate_tables(
    shape: &InstanceShape,
    allocator: &dyn Allocator,
) -> Result<Box<[Table]>, AllocateError> {
    let mut tables = Vec::with_capacity(shape.tables.len());
    for shape in shape.tables.values() {
        match Table::new(shape, allocator) {
            Ok(table) => tables.push(table),
            Err(error) => {
                for table in tables {
                    allocator.free_block(table.into_block());
                }
                return Err(error);
            }
        }
    }
    Ok(tables.into())
}
