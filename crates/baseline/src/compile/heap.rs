//! The heap of objects as code sees it: addresses, allocation, and values in their stored forms.
//!
//! Not the instructions on objects: those have files of their own. The one idea: the collector moves objects in every call, and finds references
//! on the operand stack and in locals only. So what an instruction needs beyond a call stays on the stack until after it, and addresses are
//! never kept. Sums of a reference and offsets wrap at 32 bits before they are added to the heap's base, but for offsets of fields, which are less
//! than the guard behind the heap: whatever the heap holds, no access leaves its region and guard.

use super::Compiler;
use super::cold::Cold;
use super::environment::Arg;
use super::value::{Place, Value, width};
use crate::machine::*;
use meantime_abi::{
    Builtin, CompositeType, GC_ALIGN, GcFields, GcStorage, HeapType, RefType, StorageType, Trap,
    TypeIndex, ValType, VmFuncRef, VmGcHeader, VmHeader, VmStoreContext,
};
use std::mem::offset_of;
use std::sync::Arc;

/// Objects up to this many bytes are cleared in place, larger ones by the runtime.
const MAX_CLEARED_INLINE: u32 = 128;

/// The size of an object that is to be made.
#[derive(Copy, Clone)]
pub(super) enum ObjectSize {
    /// Known, a multiple of [`GC_ALIGN`] and far below the limit.
    Fixed(u32),
    /// In a register, which is held: 64 bits, a multiple of [`GC_ALIGN`].
    Dynamic(Gpr),
}

/// What an array's header says of its length.
#[derive(Copy, Clone)]
pub(super) enum Length {
    Number(u32),
    /// In a register, which is held.
    Reg(Gpr),
}

impl Length {
    pub(super) fn src(self) -> Src {
        match self {
            Length::Number(n) => Src::Imm(i64::from(n as i32)),
            Length::Reg(reg) => Src::Reg(reg),
        }
    }
}

impl<M: Machine> Compiler<'_, M> {
    /// Loads the address that references count from. Any register.
    pub(super) fn load_heap_base(&mut self, dst: Gpr) {
        self.load_context_field(dst, offset_of!(VmHeader, store) as u32);
        let at = Address::new(dst, offset_of!(VmStoreContext, gc_base) as i32);
        M::load(&mut self.b, Load::U64, dst, at);
    }

    /// Loads the address of an object into a register that is held.
    pub(super) fn object_address(&mut self, reference: Gpr) -> Gpr {
        let reg = self.alloc_gpr();
        self.load_heap_base(reg);
        let (x, y) = (Src::Reg(reg), Src::Reg(reference));
        M::int_op(&mut self.b, IntOp::Add, Size::S64, reg, x, y);
        reg
    }

    /// Records that the next instruction accesses the heap.
    pub(super) fn may_fault_with(&mut self, trap: Trap) {
        if self.signals() {
            let at = self.b.at();
            self.t.trap(at, self.b.wasm_offset, trap);
            self.b.expect_fault();
        }
    }

    /// Traps on null where the access that follows does not.
    pub(super) fn check_not_null(&mut self, reference: Gpr, trap: Trap) {
        if !self.signals() {
            self.trap_if_zero(reference, Size::S32, trap);
        }
    }

    pub(super) fn trap_if_zero(&mut self, reg: Gpr, size: Size, trap: Trap) {
        let (x, zero) = (Src::Reg(reg), Src::Imm(0));
        let is_zero = M::compare(&mut self.b, IntCc::Eq, size, x, zero);
        let label = self.b.trap_label(trap);
        M::jump_if(&mut self.b, is_zero, label);
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

    /// Makes an object with its header and unspecified contents, in a register that is held. May collect: what is held otherwise is no
    /// reference. The size's register is released.
    pub(super) fn alloc_object(&mut self, ty: TypeIndex, size: ObjectSize, len: Length) -> Gpr {
        let store = self.alloc_gpr();
        let made = self.alloc_gpr();
        let left = self.alloc_gpr();
        self.load_context_field(store, offset_of!(VmHeader, store) as u32);
        let top = Address::new(store, offset_of!(VmStoreContext, gc_top) as i32);
        let limit = Address::new(store, offset_of!(VmStoreContext, gc_limit) as i32);
        M::load(&mut self.b, Load::U32, made, top);
        M::load(&mut self.b, Load::U32, left, limit);
        let (x, y) = (Src::Reg(left), Src::Reg(made));
        M::int_op(&mut self.b, IntOp::Sub, Size::S64, left, x, y);
        let size_src = match size {
            ObjectSize::Fixed(size) => Src::Imm(size.into()),
            ObjectSize::Dynamic(reg) => Src::Reg(reg),
        };
        let lacks = M::compare(&mut self.b, IntCc::LtU, Size::S64, x, size_src);
        let slow = self.b.label();
        M::jump_if(&mut self.b, lacks, slow);
        M::int_op(&mut self.b, IntOp::Add, Size::S32, left, y, size_src);
        M::store(&mut self.b, Store::I32, top, x);
        let rest = self.rest_of_cold(slow, M::TEMPS);
        self.s.cold.push(Cold::Alloc {
            rest,
            ty,
            size,
            len,
            made,
        });
        self.free_gpr(left);
        if let ObjectSize::Dynamic(reg) = size {
            self.free_gpr(reg);
        }
        self.store_header(made, store, ty, len);
        self.free_gpr(store);
        made
    }

    /// The builtin did it already; once more is less code than another branch.
    fn store_header(&mut self, made: Gpr, temp: Gpr, ty: TypeIndex, len: Length) {
        self.load_heap_base(temp);
        let at = |offset: usize| Address {
            base: temp,
            index: Some(made),
            disp: offset as i32,
        };
        self.load_type_id(M::SCRATCH, ty);
        let type_id = at(offset_of!(VmGcHeader, type_id));
        M::store(&mut self.b, Store::I32, type_id, Src::Reg(M::SCRATCH));
        let to = at(offset_of!(VmGcHeader, len));
        M::store(&mut self.b, Store::I32, to, len.src());
    }

    /// Clears the bytes of an object that was just made, whose size is fixed, after its header. The object goes to the stack.
    pub(super) fn push_cleared(&mut self, made: Gpr, size: u32) {
        let address = self.object_address(made);
        let start = size_of::<VmGcHeader>() as u32;
        self.push_gpr(meantime_abi::ValRepr::GcRef, made);
        if size <= MAX_CLEARED_INLINE {
            for offset in (start..size).step_by(GC_ALIGN as usize) {
                let to = Address::new(address, offset as i32);
                M::store(&mut self.b, Store::I64, to, Src::Imm(0));
            }
            return self.free_gpr(address);
        }
        let (x, y) = (Src::Reg(address), Src::Imm(start.into()));
        M::int_op(&mut self.b, IntOp::Add, Size::S64, address, x, y);
        let args = [
            Arg::Reg(address),
            Arg::Number(0),
            Arg::Number(u64::from(size - start)),
        ];
        self.builtin(Builtin::SetBytes, &args);
    }

    /// Has the topmost values in the forms in which objects hold them: functions as their numbers.
    pub(super) fn store_forms(&mut self, storages: impl Iterator<Item = GcStorage> + Clone) {
        if !storages.clone().any(|s| s == GcStorage::Func) {
            return;
        }
        let count = storages.clone().count();
        self.flush(count);
        let first = self.s.stack.len() - count;
        for (i, storage) in storages.enumerate() {
            if storage != GcStorage::Func {
                continue;
            }
            let value = self.s.stack[first + i];
            let func = self.own_gpr(value);
            let number = self.func_number(func);
            let disp = -(value.slot() as i32);
            M::store_frame(&mut self.b, Size::S32, disp, Src::Reg(number));
            self.free_gpr(number);
            self.s.stack[first + i] = value.with_type(meantime_abi::ValRepr::I32);
        }
    }

    /// The number of a function, by which objects hold it. Releases the function's register, and holds the number's.
    fn func_number(&mut self, func: Gpr) -> Gpr {
        let number = self.alloc_gpr();
        let (x, zero) = (Src::Reg(func), Src::Imm(0));
        M::move_int(&mut self.b, Size::S32, number, zero);
        let null = M::compare(&mut self.b, IntCc::Eq, Size::S64, x, zero);
        let (slow, done) = (self.b.label(), self.b.label());
        M::jump_if(&mut self.b, null, done);
        let id = Address::new(func, offset_of!(VmFuncRef, id) as i32);
        M::load(&mut self.b, Load::U32, number, id);
        let none = M::compare(&mut self.b, IntCc::Eq, Size::S32, Src::Reg(number), zero);
        M::jump_if(&mut self.b, none, slow);
        self.b.bind::<M>(done);
        let rest = self.rest_of_cold(slow, M::TEMPS);
        self.s.cold.push(Cold::FuncToId { rest, func, number });
        self.free_gpr(func);
        number
    }

    /// The function with a number that an object held. Traps when it is not one of this type: then the heap is corrupt.
    fn func_of_number(&mut self, number: Gpr, ty: &RefType) -> Gpr {
        let expected = match ty.heap {
            HeapType::Concrete(_, ty) => Some(ty),
            _ => None,
        };
        let func = self.alloc_gpr();
        let (slow, done) = (self.b.label(), self.b.label());
        self.load_context_field(func, offset_of!(VmHeader, store) as u32);
        let len = Address::new(func, offset_of!(VmStoreContext, gc_funcs_len) as i32);
        let x = Src::Reg(number);
        let outside = M::compare_memory(&mut self.b, IntCc::GeU, Size::S32, x, len);
        M::jump_if(&mut self.b, outside, slow);
        let funcs = Address::new(func, offset_of!(VmStoreContext, gc_funcs) as i32);
        M::load(&mut self.b, Load::U64, func, funcs);
        M::scaled(&mut self.b, func, func, number, 3);
        M::load(&mut self.b, Load::U64, func, Address::new(func, 0));
        if let Some(ty) = expected {
            let (x, zero) = (Src::Reg(func), Src::Imm(0));
            let null = M::compare(&mut self.b, IntCc::Eq, Size::S64, x, zero);
            M::jump_if(&mut self.b, null, done);
            self.load_type_id(M::SCRATCH, ty);
            let actual = Address::new(func, offset_of!(VmFuncRef, type_id) as i32);
            let x = Src::Reg(M::SCRATCH);
            let differs = M::compare_memory(&mut self.b, IntCc::Ne, Size::S32, x, actual);
            M::jump_if(&mut self.b, differs, slow);
        }
        self.b.bind::<M>(done);
        let rest = self.rest_of_cold(slow, M::TEMPS);
        self.s.cold.push(Cold::FuncFromId {
            rest,
            number,
            func,
            expected,
        });
        self.free_gpr(number);
        if !ty.nullable {
            // Code relies on it wherever such a value goes.
            self.trap_if_zero(func, Size::S64, Trap::GcHeapCorrupt);
        }
        func
    }

    /// Stores a value that was popped and is in its stored form. An access that is given a trap may fault with it.
    pub(super) fn store_stored(
        &mut self,
        value: Value,
        storage: GcStorage,
        to: Address,
        fault: Option<Trap>,
    ) {
        if value.is_float() {
            let reg = self.in_fpr(value);
            if let Some(trap) = fault {
                self.may_fault_with(trap);
            }
            M::store_float(&mut self.b, value.size(), to, reg);
            return self.free_fpr(reg);
        }
        let store = match storage {
            GcStorage::I8 => Store::I8,
            GcStorage::I16 => Store::I16,
            GcStorage::I64 => Store::I64,
            _ => Store::I32,
        };
        let mut src = self.src(value);
        let short = matches!(src, Src::Imm(value) if i32::try_from(value).is_ok());
        if !short {
            src = Src::Reg(self.in_gpr(value));
        }
        if let Some(trap) = fault {
            self.may_fault_with(trap);
        }
        M::store(&mut self.b, store, to, src);
        if let Src::Reg(reg) = src {
            self.free_gpr(reg);
        }
    }

    /// Loads a value from its stored form and pushes it. The address's registers are released, which `held` are. If its base is the scratch register, that
    /// becomes the heap's base, once a register is found for the value: to find one may move values through it.
    pub(super) fn push_stored(
        &mut self,
        storage: &StorageType,
        signed: bool,
        from: Address,
        held: &[Gpr],
        fault: Trap,
    ) {
        let free = |s: &mut Self| {
            for reg in held {
                s.free_gpr(*reg);
            }
        };
        let load = match storage {
            StorageType::I8 if signed => Load::S8,
            StorageType::I8 => Load::U8,
            StorageType::I16 if signed => Load::S16,
            StorageType::I16 => Load::U16,
            StorageType::Val(ty) => match GcStorage::of_val(ty) {
                GcStorage::F32 | GcStorage::F64 | GcStorage::V128 => {
                    let reg = self.alloc_fpr();
                    self.load_scratch_base(from);
                    self.may_fault_with(fault);
                    M::load_float(&mut self.b, width(ty.repr()), reg, from);
                    free(self);
                    return self.push_fpr(ty.repr(), reg);
                }
                GcStorage::I64 => Load::U64,
                _ => Load::U32,
            },
        };
        free(self);
        let reg = self.alloc_gpr();
        self.load_scratch_base(from);
        self.may_fault_with(fault);
        M::load(&mut self.b, load, reg, from);
        let repr = match storage {
            StorageType::I8 | StorageType::I16 => meantime_abi::ValRepr::I32,
            StorageType::Val(ValType::Ref(ty)) if ty.heap.repr() == meantime_abi::RefRepr::Func => {
                let func = self.func_of_number(reg, ty);
                return self.push_gpr(meantime_abi::ValRepr::FuncRef, func);
            }
            StorageType::Val(ty) => ty.repr(),
        };
        self.push_gpr(repr, reg);
    }

    fn load_scratch_base(&mut self, from: Address) {
        if from.base == M::SCRATCH {
            self.load_heap_base(M::SCRATCH);
        }
    }

    /// A reference that was popped, in a register. Null is known to be none at a load that faults.
    pub(super) fn pop_reference(&mut self) -> Gpr {
        let value = self.pop();
        debug_assert!(value.place() != Place::Flags);
        self.in_gpr(value)
    }
}
