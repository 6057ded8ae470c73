//! What a function finds through its context: the store, memories, globals, the runtime's functions.
//!
//! The one idea: each place in memory belongs to exactly one alias region, a function of *what* it is and not of how it is
//! reached, so that Cranelift may forward a store to a load past stores of other regions. Imports of one kind share a region, since two of them
//! may be the same thing; what the module defines is none of them. Few regions, as Cranelift's analysis costs blocks times regions.

use super::Translator;
use crate::types::{PTR, builtin_signature, func_signature};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    AliasRegion, AliasRegionData, AliasRegionSet, Endianness, ExtFuncData, ExternalName, FuncRef,
    InstBuilder, MemFlags, MemFlagsData, SigRef, UserExternalName, Value,
};
use meantime_abi::{
    AddrType, Builtin, FuncIndex, GlobalIndex, MemoryIndex, MemoryPlan, TableIndex, TypeIndex,
    VmContext, VmGlobalImport, VmHeader, VmMemory, VmMemoryImport, VmStoreContext,
};
use std::mem::offset_of;

/// The disjoint parts of memory, see the module's documentation.
#[derive(Copy, Clone)]
pub(super) enum Region {
    /// Contexts: what is in them only the runtime writes, but for globals.
    Context,
    /// The store's context.
    Store,
    /// The descriptors of memories and tables.
    Descriptors,
    /// Funcrefs.
    FuncRefs,
    /// Contents of imported memories.
    ImportedMemory,
    /// Contents of defined memories.
    Memory(u32),
    /// Elements of imported tables.
    ImportedTable,
    /// Elements of defined tables.
    Table(u32),
    /// Imported globals.
    ImportedGlobal,
    /// Defined globals.
    Global(u32),
    /// The end of the objects in the heap, in the store's context.
    GcTop,
    /// Headers of objects.
    GcHeader,
    /// Elements of arrays.
    GcElements,
    /// Fields of structures and exceptions, by index.
    GcField(u32),
    /// The fuel, in the store's context.
    Fuel,
    /// Slots of the frame that hold references during calls, by index.
    Slot(u32),
}

/// How many regions memories, tables, globals, fields and slots are spread over, each.
const SPREAD: u32 = 16;

/// How many pointers that were loaded at the start are searched for one that is needed again.
const MAX_POINTERS: usize = 16;

impl Region {
    fn id(self) -> u32 {
        match self {
            Region::Context => 0,
            Region::Store => 1,
            Region::Descriptors => 2,
            Region::FuncRefs => 3,
            Region::ImportedMemory => 4,
            Region::ImportedTable => 5,
            Region::ImportedGlobal => 6,
            Region::GcTop => 7,
            Region::GcHeader => 8,
            Region::GcElements => 9,
            Region::Fuel => 10,
            Region::Memory(i) => 16 + i % SPREAD,
            Region::Table(i) => 16 + SPREAD + i % SPREAD,
            Region::Global(i) => 16 + 2 * SPREAD + i % SPREAD,
            Region::GcField(i) => 16 + 3 * SPREAD + i % SPREAD,
            Region::Slot(i) => 16 + 4 * SPREAD + i % SPREAD,
        }
    }

    fn intern(self, set: &mut AliasRegionSet) -> AliasRegion {
        set.get(self.id()).unwrap_or_else(|| {
            set.insert(AliasRegionData {
                user_id: self.id(),
                description: self.description().into(),
            })
        })
    }

    fn description(self) -> &'static str {
        match self {
            Region::Context => "context",
            Region::Store => "store",
            Region::Descriptors => "descriptors",
            Region::FuncRefs => "funcrefs",
            Region::ImportedMemory => "imported memory",
            Region::Memory(_) => "memory",
            Region::ImportedTable => "imported table",
            Region::Table(_) => "table",
            Region::ImportedGlobal => "imported global",
            Region::Global(_) => "global",
            Region::GcTop => "end of objects",
            Region::GcHeader => "headers",
            Region::GcElements => "elements",
            Region::GcField(_) => "field",
            Region::Fuel => "fuel",
            Region::Slot(_) => "slot",
        }
    }
}

/// What accesses of one memory need to know.
#[derive(Copy, Clone)]
pub(super) struct MemoryAccess {
    pub(super) plan: MemoryPlan,
    pub(super) addr: AddrType,
    pub(super) page_size_log2: u8,
    /// Bytes that it always has.
    pub(super) min_bytes: u64,
    /// Bytes that it can have at most.
    pub(super) max_bytes: u128,
    /// Flags of accesses that may fault.
    pub(super) flags: MemFlagsData,
    /// The same, interned.
    pub(super) interned: MemFlags,
}

impl Translator<'_> {
    pub(super) fn region(&mut self, region: Region) -> Option<AliasRegion> {
        Some(region.intern(&mut self.b.func.dfg.alias_regions))
    }

    /// Has the frame's slots of references told apart from all else: otherwise each store to one would be one to all memory.
    pub(super) fn tell_slots_apart(&mut self) {
        self.b
            .make_stack_map_alias_region(Box::new(|set, _, slot, _| {
                Some(Region::Slot(slot.as_u32()).intern(set))
            }));
    }

    /// Flags for a place that exists and is aligned.
    pub(super) fn trusted(&mut self, region: Region) -> MemFlagsData {
        let region = self.region(region);
        MemFlagsData::trusted().with_alias_region(region)
    }

    /// Flags for a place that in addition never changes while the function runs, and exists wherever it is in the function.
    pub(super) fn constant_place(&mut self, region: Region) -> MemFlagsData {
        self.trusted(region).with_readonly().with_can_move()
    }

    /// A pointer that never changes, at an offset from one that is known from the start.
    pub(super) fn constant_pointer(&mut self, base: Value, offset: u32, region: Region) -> Value {
        let flags = self.constant_place(region);
        if !self.optimizes {
            // Offsets in contexts are less than 2^31, and structures are small.
            return self.b.ins().load(PTR, flags, base, offset as i32);
        }
        let known = self.s.pointers.iter().rev().take(MAX_POINTERS);
        let mut known = known.filter(|p| (p.0, p.1) == (base, offset));
        if let Some(&(_, _, value)) = known.next() {
            return value;
        }
        // Written once, at the start; Cranelift moves it to where it is needed.
        let last = self.s.pointers.last().map(|&(_, _, value)| value);
        let last = last.and_then(|value| self.b.func.dfg.value_def(value).inst());
        let cursor = FuncCursor::new(self.b.func);
        let mut cursor = match last {
            Some(inst) => cursor.after_inst(inst),
            None => cursor.at_first_insertion_point(self.entry),
        };
        let value = cursor.ins().load(PTR, flags, base, offset as i32);
        self.s.pointers.push((base, offset, value));
        value
    }

    /// A pointer in this function's context that never changes.
    pub(super) fn context_pointer(&mut self, offset: u32) -> Value {
        self.constant_pointer(self.context, offset, Region::Context)
    }

    /// The store's context.
    pub(super) fn store_context(&mut self) -> Value {
        self.context_pointer(offset_of!(VmHeader, store) as u32)
    }

    /// A field of the store's context.
    pub(super) fn load_store_field(&mut self, store: Value, offset: i32) -> Value {
        let flags = self.trusted(Region::Store);
        self.b.ins().load(PTR, flags, store, offset)
    }

    /// Says who calls, for a callee that may be a function of the host.
    pub(super) fn store_caller(&mut self) {
        let store = self.store_context();
        let flags = self.trusted(Region::Store);
        let offset = offset_of!(VmStoreContext, caller) as i32;
        self.b.ins().store(flags, self.context, store, offset);
    }

    /// The canonical type of a type of the module, 32 bits.
    pub(super) fn type_id(&mut self, ty: TypeIndex) -> Value {
        let ids = self.context_pointer(offset_of!(VmContext, type_ids) as u32);
        let flags = self.constant_place(Region::Context);
        let size = size_of::<meantime_abi::TypeId>() as i32;
        // Modules have at most a million types.
        let offset = ty.as_u32() as i32 * size;
        self.b
            .ins()
            .load(cranelift_codegen::ir::types::I32, flags, ids, offset)
    }

    /// Calls a function of the runtime with this function's context and `args`.
    pub(super) fn builtin(&mut self, builtin: Builtin, args: &[Value]) -> Option<Value> {
        self.s.forget();
        let signature = match self.s.builtins[builtin as usize] {
            Some(signature) => signature,
            None => {
                let signature = builtin_signature(self.target, builtin);
                let signature = self.b.import_signature(signature);
                self.s.builtins[builtin as usize] = Some(signature);
                signature
            }
        };
        let code = self.builtin_code(builtin);
        let mut all = smallvec::SmallVec::<[Value; 6]>::new();
        all.push(self.context);
        all.extend_from_slice(args);
        let call = self.b.ins().call_indirect(signature, code, &all);
        self.b.inst_results(call).first().copied()
    }

    /// The address of a function of the runtime.
    pub(super) fn builtin_code(&mut self, builtin: Builtin) -> Value {
        // Not to be moved: most calls are rare, and hoisting these loads out of loops would cost registers there.
        let flags = self.trusted(Region::Context).with_readonly();
        let table = offset_of!(VmHeader, builtins) as i32;
        let table = self.b.ins().load(PTR, flags, self.context, table);
        let offset = builtin as i32 * PTR.bytes() as i32;
        self.b.ins().load(PTR, flags, table, offset)
    }

    /// The signature of a function type of the module.
    pub(super) fn type_signature(&mut self, ty: TypeIndex) -> SigRef {
        if let Some(&signature) = self.s.signatures.get(&ty) {
            return signature;
        }
        let signature = func_signature(self.module.type_as_func(ty));
        let signature = self.b.import_signature(signature);
        self.s.signatures.insert(ty, signature);
        signature
    }

    /// A function that the module defines.
    pub(super) fn function_ref(&mut self, index: FuncIndex) -> FuncRef {
        if let Some(&func) = self.s.functions.get(&index) {
            return func;
        }
        let signature = self.type_signature(self.module.functions()[index].ty);
        let func = self.declare_function(index, signature);
        self.s.functions.insert(index, func);
        func
    }

    /// The same, to be called with another signature that amounts to its own.
    pub(super) fn function_with(&mut self, index: FuncIndex, signature: SigRef) -> FuncRef {
        if let Some(&func) = self.s.try_functions.get(&index) {
            return func;
        }
        let func = self.declare_function(index, signature);
        self.s.try_functions.insert(index, func);
        func
    }

    fn declare_function(&mut self, index: FuncIndex, signature: SigRef) -> FuncRef {
        let name = self
            .b
            .func
            .declare_imported_user_function(UserExternalName {
                namespace: 0,
                index: index.as_u32(),
            });
        self.b.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        })
    }

    pub(super) fn memory_access(&mut self, index: MemoryIndex) -> MemoryAccess {
        if let Some(access) = self.s.memories[index.as_u32() as usize] {
            return access;
        }
        let ty = self.module.memories()[index];
        let region = match self.module.defined_memory(index) {
            Some(defined) => Region::Memory(defined.as_u32()),
            None => Region::ImportedMemory,
        };
        let region = self.region(region);
        let flags = MemFlagsData::new()
            .with_endianness(Endianness::Little)
            .with_alias_region(region);
        let flags = if self.signals() {
            flags
        } else {
            flags.with_notrap()
        };
        let max = ty.max.unwrap_or(u64::MAX).min(ty.max_pages_by_addr());
        let access = MemoryAccess {
            plan: MemoryPlan::new(&ty, &self.target.tunables),
            addr: ty.addr,
            page_size_log2: ty.page_size_log2,
            min_bytes: ty.min_bytes().unwrap_or(u64::MAX),
            max_bytes: u128::from(max) << ty.page_size_log2,
            flags,
            interned: self.b.func.dfg.mem_flags.insert_unchecked(flags),
        };
        self.s.memories[index.as_u32() as usize] = Some(access);
        access
    }

    /// Where the descriptor of a memory is: a pointer and an offset.
    fn memory_descriptor(&mut self, index: MemoryIndex) -> (Value, u32) {
        match self.module.defined_memory(index) {
            Some(defined) => (self.context, self.layout.memory(defined)),
            None => {
                let import = self.layout.memory_import(index);
                let from = import + offset_of!(VmMemoryImport, from) as u32;
                (self.context_pointer(from), 0)
            }
        }
    }

    /// Whether a memory may be somewhere else after a call. One that cannot grow has no reason to.
    pub(super) fn memory_moves(&mut self, index: MemoryIndex) -> bool {
        let ty = self.module.memories()[index];
        self.memory_access(index).plan.may_move && ty.max != Some(ty.min)
    }

    /// The address of a memory's first byte.
    pub(super) fn memory_base(&mut self, index: MemoryIndex) -> Value {
        let (descriptor, offset) = self.memory_descriptor(index);
        let offset = offset + offset_of!(VmMemory, base) as u32;
        if !self.memory_moves(index) {
            return self.constant_pointer(descriptor, offset, Region::Descriptors);
        }
        let flags = self.trusted(Region::Descriptors);
        self.b.ins().load(PTR, flags, descriptor, offset as i32)
    }

    /// A memory's length in bytes.
    pub(super) fn memory_len(&mut self, index: MemoryIndex) -> Value {
        let (descriptor, offset) = self.memory_descriptor(index);
        let offset = offset + offset_of!(VmMemory, len) as u32;
        let ty = self.module.memories()[index];
        // One that cannot grow has always the length that it begins with.
        let fixed = ty.max == Some(ty.min);
        let flags = if fixed {
            self.constant_place(Region::Descriptors)
        } else {
            self.trusted(Region::Descriptors)
        };
        self.b.ins().load(PTR, flags, descriptor, offset as i32)
    }

    /// Where a global is: a pointer and an offset, and flags to access it.
    pub(super) fn global_place(&mut self, index: GlobalIndex) -> (Value, i32, MemFlagsData) {
        let ty = &self.module.globals()[index];
        // A collection changes a reference wherever it is.
        let mutable = ty.mutable || ty.content.is_gc_ref();
        let (base, offset, region) = match self.module.defined_global(index) {
            Some(defined) => (
                self.context,
                self.layout.global(defined),
                Region::Global(defined.as_u32()),
            ),
            None => {
                let import = self.layout.global_import(index);
                let from = import + offset_of!(VmGlobalImport, from) as u32;
                (self.context_pointer(from), 0, Region::ImportedGlobal)
            }
        };
        let flags = if mutable {
            self.trusted(region)
        } else {
            self.constant_place(region)
        };
        let flags = flags.with_endianness(Endianness::Little);
        (base, offset as i32, flags)
    }

    /// The region of a table's elements.
    pub(super) fn table_region(&self, index: TableIndex) -> Region {
        match self.module.defined_table(index) {
            Some(defined) => Region::Table(defined.as_u32()),
            None => Region::ImportedTable,
        }
    }
}
