//! The heap of objects as code sees it: addresses, allocation, and values in their stored forms.
//!
//! Not the instructions on objects: those have files of their own. The one idea: a reference may stop being the object's at every call,
//! as the collector moves objects, so an address is computed from the reference right where it is used and never kept. Sums of a reference
//! and offsets wrap at 32 bits before they are added to the heap's base: whatever the heap holds, no access leaves its region and guard.

use super::Translator;
use super::environment::Region;
use crate::types::{PTR, trap_code};
use cranelift_codegen::ir::types::{F32, F64, I8X16, I16, I32, I64};
use cranelift_codegen::ir::{
    Block, Endianness, InstBuilder, MemFlagsData, Value, condcodes::IntCC,
};
use meantime_abi::{
    Builtin, CompositeType, GC_ALIGN, GC_NULL_PAGES, GcFields, GcStorage, HeapType, RefType,
    StorageType, Trap, TypeId, TypeIndex, ValType, VmFuncRef, VmGcHeader, VmHeader, VmStoreContext,
};
use std::mem::offset_of;
use std::sync::Arc;

/// Objects up to this many bytes are cleared in place, larger ones by the runtime.
pub(super) const MAX_CLEARED_INLINE: u32 = 128;

/// How many types are looked at for one that objects have.
const MAX_TYPES_SCANNED: usize = 64;

/// How a packed field is read.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Extend {
    Signed,
    Unsigned,
}

/// The size of an object that is to be made.
#[derive(Copy, Clone)]
pub(super) enum Size {
    /// Known, a multiple of [`GC_ALIGN`] and far below the limit.
    Fixed(u32),
    /// Known when the code runs, 64 bits, a multiple of [`GC_ALIGN`].
    Dynamic(Value),
}

impl Translator<'_> {
    /// The address that references count from.
    fn heap_base(&mut self) -> Value {
        let offset = offset_of!(VmStoreContext, gc_base) as u32;
        if self.landing {
            // Not to be moved: what is loaded ahead of a loop costs a register there, for what hardly ever happens.
            let flags = self.trusted(Region::Context).with_readonly();
            let at = offset_of!(VmHeader, store) as i32;
            let store = self.b.ins().load(PTR, flags, self.context, at);
            return self.b.ins().load(PTR, flags, store, offset as i32);
        }
        let store = self.store_context();
        let mut types = self.module.types().values().take(MAX_TYPES_SCANNED);
        let has_objects = types.any(|ty| !matches!(ty.composite, CompositeType::Func(_)));
        if has_objects || !self.module.tags().is_empty() {
            return self.constant_pointer(store, offset, Region::Store);
        }
        // There may be no heap yet, and one while the function runs.
        self.load_store_field(store, offset as i32)
    }

    /// The address of what is this far into the heap; 32 bits.
    pub(super) fn heap_address(&mut self, offset: Value) -> Value {
        let base = self.heap_base();
        let offset = self.b.ins().uextend(PTR, offset);
        self.b.ins().iadd(base, offset)
    }

    /// Flags for a place in an object: of one that was just made, or else with what an access means that faults. Without hardware
    /// faults as traps all of the heap can be accessed.
    pub(super) fn heap_flags(&mut self, region: Region, fault: Option<Trap>) -> MemFlagsData {
        let region = self.region(region);
        let flags = MemFlagsData::new()
            .with_endianness(Endianness::Little)
            .with_alias_region(region);
        match fault.filter(|_| self.signals()) {
            Some(trap) => flags.with_trap_code(Some(trap_code(trap))),
            None => flags.with_notrap(),
        }
    }

    /// Traps on null where the access that follows does not.
    pub(super) fn check_not_null(&mut self, reference: Value, trap: Trap) {
        if !self.signals() {
            self.trap_unless(reference, trap);
        }
    }

    /// The canonical type in an object's header.
    pub(super) fn load_type_id(&mut self, reference: Value, fault: Trap) -> Value {
        let flags = self.heap_flags(Region::GcHeader, Some(fault));
        let address = self.heap_address(reference);
        let offset = offset_of!(VmGcHeader, type_id) as i32;
        self.b.ins().load(I32, flags, address, offset)
    }

    /// Where the fields of a structure type lie, or those of exceptions with a function type.
    pub(super) fn fields(&mut self, ty: TypeIndex) -> Arc<GcFields> {
        let module = self.module;
        let fields = self.s.fields.entry(ty).or_insert_with(|| {
            Arc::new(match &module.types()[ty].composite {
                CompositeType::Struct(fields) => GcFields::of_struct(fields),
                CompositeType::Func(func) => GcFields::of_exn(&func.params),
                CompositeType::Array(_) => unreachable!("validated: not an array"),
            })
        });
        Arc::clone(fields)
    }

    /// Makes an object with its header and unspecified contents. May collect. `len` is an array's length.
    pub(super) fn alloc(&mut self, ty: TypeIndex, size: Size, len: Option<Value>) -> Value {
        let type_id = self.type_id(ty);
        let store = self.store_context();
        let top_flags = self.trusted(Region::GcTop);
        let top_offset = offset_of!(VmStoreContext, gc_top) as i32;
        let top = self.b.ins().load(I32, top_flags, store, top_offset);
        let flags = self.trusted(Region::Store);
        let limit_offset = offset_of!(VmStoreContext, gc_limit) as i32;
        let limit = self.b.ins().load(I32, flags, store, limit_offset);
        let (fits, new_top, size64) = self.fits(top, limit, size);

        let [fast, slow, next] = [(); 3].map(|()| self.b.create_block());
        self.b.set_cold_block(slow);
        let reference = self.b.append_block_param(next, I32);
        self.b.declare_value_needs_stack_map(reference);
        self.b.ins().brif(fits, fast, &[], slow, &[]);

        self.enter(slow);
        let size64 = size64.unwrap_or_else(|size| self.b.ins().iconst(I64, i64::from(size)));
        let header_len = len.unwrap_or_else(|| self.b.ins().iconst(I32, 0));
        let made = self.builtin(Builtin::GcAlloc, &[type_id, size64, header_len]);
        let made = made.expect("the builtin has a result");
        self.b.ins().jump(next, &[made.into()]);

        self.enter(fast);
        self.b.ins().store(top_flags, new_top, store, top_offset);
        self.b.ins().jump(next, &[top.into()]);

        self.enter(next);
        self.store_header(reference, type_id, len);
        reference
    }

    /// Whether an object fits between what is used and the limit; where the next one follows if so; and its size in 64 bits where that is
    /// not a constant.
    fn fits(&mut self, top: Value, limit: Value, size: Size) -> (Value, Value, Result<Value, u32>) {
        match size {
            Size::Fixed(size) if size <= GC_NULL_PAGES => {
                // No sum wraps: so far from the region's end is every limit.
                let end = self.b.ins().iadd_imm_u(top, i64::from(size));
                let cc = IntCC::UnsignedLessThanOrEqual;
                (self.b.ins().icmp(cc, end, limit), end, Err(size))
            }
            Size::Fixed(size) => {
                let size = self.b.ins().iconst(I64, i64::from(size));
                self.fits(top, limit, Size::Dynamic(size))
            }
            Size::Dynamic(size) => {
                let left = self.b.ins().isub(limit, top);
                let left = self.b.ins().uextend(I64, left);
                let cc = IntCC::UnsignedGreaterThanOrEqual;
                let fits = self.b.ins().icmp(cc, left, size);
                let size32 = self.b.ins().ireduce(I32, size);
                (fits, self.b.ins().iadd(top, size32), Ok(size))
            }
        }
    }

    /// The builtin did it already; once more is less code than another branch.
    fn store_header(&mut self, reference: Value, type_id: Value, len: Option<Value>) {
        let flags = self.heap_flags(Region::GcHeader, None);
        let address = self.heap_address(reference);
        let Some(len) = len else {
            self.b.ins().store(flags, type_id, address, 0);
            return;
        };
        let type_id = self.b.ins().uextend(I64, type_id);
        let len = self.b.ins().uextend(I64, len);
        let half = self.b.ins().iconst(I64, 32);
        let len = self.b.ins().ishl(len, half);
        let header = self.b.ins().bor(type_id, len);
        self.b.ins().store(flags, header, address, 0);
    }

    /// Clears the bytes of an object that was just made, whose size is fixed, from its fields or elements on.
    pub(super) fn clear_object(&mut self, reference: Value, start: u32, size: u32, region: Region) {
        let zero = self.b.ins().iconst(I64, 0);
        let address = self.heap_address(reference);
        if size <= MAX_CLEARED_INLINE {
            let flags = self.heap_flags(region, None);
            let words = start.next_multiple_of(GC_ALIGN);
            if start < words {
                let zero = self.b.ins().iconst(I32, 0);
                self.b.ins().store(flags, zero, address, start as i32);
            }
            for offset in (words..size).step_by(GC_ALIGN as usize) {
                self.b.ins().store(flags, zero, address, offset as i32);
            }
            return;
        }
        let len = self.b.ins().iconst(I64, i64::from(size - start));
        let start = self.b.ins().iconst(I64, i64::from(start));
        let from = self.b.ins().iadd(address, start);
        let zero = self.b.ins().iconst(I32, 0);
        self.builtin(Builtin::SetBytes, &[from, zero, len]);
    }

    /// Continues in a block to which everything that leads there is written.
    pub(super) fn enter(&mut self, block: Block) {
        self.b.seal_block(block);
        self.b.switch_to_block(block);
    }

    /// A value in the form in which objects hold it. May call the runtime.
    pub(super) fn stored_form(&mut self, value: Value, storage: GcStorage) -> Value {
        match storage {
            GcStorage::Func => self.func_number(value),
            _ => self.canonical(value),
        }
    }

    /// Stores a value in its stored form.
    pub(super) fn store_stored(
        &mut self,
        flags: MemFlagsData,
        storage: GcStorage,
        value: Value,
        address: Value,
        offset: i32,
    ) {
        match storage {
            GcStorage::I8 => self.b.ins().istore8(flags, value, address, offset),
            GcStorage::I16 => self.b.ins().istore16(flags, value, address, offset),
            _ => self.b.ins().store(flags, value, address, offset),
        };
    }

    /// Loads a value from its stored form. May call the runtime, after it used the address.
    pub(super) fn load_stored(
        &mut self,
        flags: MemFlagsData,
        storage: &StorageType,
        extend: Extend,
        address: Value,
        offset: i32,
    ) -> Value {
        let signed = extend == Extend::Signed;
        let ins = self.b.ins();
        let ty = match storage {
            StorageType::I8 if signed => return ins.sload8(I32, flags, address, offset),
            StorageType::I8 => return ins.uload8(I32, flags, address, offset),
            StorageType::I16 if signed => return ins.sload16(I32, flags, address, offset),
            StorageType::I16 => return ins.uload16(I32, flags, address, offset),
            StorageType::Val(ty) => ty,
        };
        let clif = match GcStorage::of_val(ty) {
            GcStorage::I8 | GcStorage::I16 => I16,
            GcStorage::I32 | GcStorage::Ref | GcStorage::Func => I32,
            GcStorage::I64 => I64,
            GcStorage::F32 => F32,
            GcStorage::F64 => F64,
            GcStorage::V128 => I8X16,
        };
        let value = ins.load(clif, flags, address, offset);
        match ty {
            ValType::Ref(ty) if GcStorage::of_val(&ValType::Ref(*ty)) == GcStorage::Func => {
                self.func_of_number(value, ty)
            }
            ValType::Ref(_) => {
                self.b.declare_value_needs_stack_map(value);
                value
            }
            _ => value,
        }
    }

    /// The number of a function, by which objects hold it.
    fn func_number(&mut self, func: Value) -> Value {
        let [some, slow, next] = [(); 3].map(|()| self.b.create_block());
        self.b.set_cold_block(slow);
        let result = self.b.append_block_param(next, I32);
        let null = self.b.ins().iconst(I32, 0);
        self.b.ins().brif(func, some, &[], next, &[null.into()]);

        self.enter(some);
        let flags = self.trusted(Region::FuncRefs);
        let offset = offset_of!(VmFuncRef, id) as i32;
        let id = self.b.ins().load(I32, flags, func, offset);
        self.b.ins().brif(id, next, &[id.into()], slow, &[]);

        self.enter(slow);
        let given = self.builtin(Builtin::FuncToId, &[func]);
        let given = given.expect("the builtin has a result");
        self.b.ins().jump(next, &[given.into()]);
        self.enter(next);
        result
    }

    /// The function with a number that an object held. Traps when it is not one of this type: then the heap is corrupt.
    pub(super) fn func_of_number(&mut self, id: Value, ty: &RefType) -> Value {
        let expected = match ty.heap {
            HeapType::Concrete(_, ty) => Some(self.type_id(ty)),
            _ => None,
        };
        let [known, slow, next] = [(); 3].map(|()| self.b.create_block());
        self.b.set_cold_block(slow);
        let result = self.b.append_block_param(next, PTR);
        let store = self.store_context();
        let flags = self.trusted(Region::Store);
        let offset = offset_of!(VmStoreContext, gc_funcs_len) as i32;
        let len = self.b.ins().load(I32, flags, store, offset);
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, id, len);
        self.b.ins().brif(inside, known, &[], slow, &[]);

        self.enter(known);
        let funcs = self.load_store_field(store, offset_of!(VmStoreContext, gc_funcs) as i32);
        let wide = self.b.ins().uextend(PTR, id);
        let shift = self
            .b
            .ins()
            .iconst(PTR, i64::from(PTR.bytes().trailing_zeros()));
        let at = self.b.ins().ishl(wide, shift);
        let at = self.b.ins().iadd(funcs, at);
        let func = self.b.ins().load(PTR, flags, at, 0);
        match expected {
            Some(expected) => self.branch_on_func_type(func, ty.nullable, expected, next, slow),
            None => {
                if !ty.nullable {
                    self.trap_unless(func, Trap::GcHeapCorrupt);
                }
                self.b.ins().jump(next, &[func.into()]);
            }
        }

        self.enter(slow);
        let none = i64::from(TypeId::NONE.bits());
        let expected = expected.unwrap_or_else(|| self.b.ins().iconst(I32, none));
        let found = self.builtin(Builtin::FuncFromId, &[id, expected]);
        let found = found.expect("the builtin has a result");
        if !ty.nullable {
            // Code relies on it wherever such a value goes.
            self.trap_unless(found, Trap::GcHeapCorrupt);
        }
        self.b.ins().jump(next, &[found.into()]);

        self.enter(next);
        result
    }

    /// Branches to `next` with a function that has exactly this type, or that is null and may be, else to `slow`. Traps on one that
    /// is null and must not be.
    fn branch_on_func_type(
        &mut self,
        func: Value,
        nullable: bool,
        expected: Value,
        next: Block,
        slow: Block,
    ) {
        let mut flags = self.trusted(Region::FuncRefs).with_readonly();
        if nullable {
            let some = self.b.create_block();
            self.b.ins().brif(func, some, &[], next, &[func.into()]);
            self.enter(some);
        } else if self.signals() {
            // Nothing is mapped at and after null.
            flags = flags.with_trap_code(Some(trap_code(Trap::GcHeapCorrupt)));
        } else {
            self.trap_unless(func, Trap::GcHeapCorrupt);
        }
        let offset = offset_of!(VmFuncRef, type_id) as i32;
        let actual = self.b.ins().load(I32, flags, func, offset);
        let equal = self.b.ins().icmp(IntCC::Equal, actual, expected);
        self.b.ins().brif(equal, next, &[func.into()], slow, &[]);
    }
}
