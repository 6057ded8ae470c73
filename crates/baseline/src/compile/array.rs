//! Instructions on arrays.
//!
//! The one idea: what fills memory with a value is a loop, of 32-bit offsets or, in an object that was just made, of addresses; what clears or copies
//! it is the runtime's.

use super::Compiler;
use super::environment::Arg;
use super::heap::{Length, ObjectSize};
use super::value::Value;
use crate::machine::*;
use meantime_abi::{
    ARRAY_ELEMENTS, Builtin, CompositeType, FieldType, GC_ALIGN, GcStorage, Trap, TypeIndex,
    ValRepr, VmGcHeader, array_size,
};
use std::mem::offset_of;

/// New arrays of known length and at most this many bytes are cleared in place.
const MAX_CLEARED_INLINE: u64 = 128;

impl<M: Machine> Compiler<'_, M> {
    /// The type of an array's elements.
    fn element_type(&self, ty: TypeIndex) -> FieldType {
        let CompositeType::Array(element) = self.module.types()[ty].composite else {
            unreachable!("validated: an array type");
        };
        element
    }

    pub(super) fn array_new_from(&mut self, builtin: Builtin, ty: TypeIndex, segment: u32) {
        let len = self.pop();
        let src = self.pop();
        let id = self.alloc_gpr();
        self.load_type_id(id, ty);
        let args = [
            Arg::Reg(id),
            Arg::Number(segment.into()),
            Arg::Value(src),
            Arg::Value(len),
        ];
        self.builtin(builtin, &args);
        let made = self.builtin_result32();
        self.push_gpr(ValRepr::GcRef, made);
    }

    pub(super) fn array_init(&mut self, builtin: Builtin, segment: u32) {
        let (dst, src, len) = self.pop3();
        let array = self.pop();
        let args = [
            Arg::Value(array),
            Arg::Number(segment.into()),
            Arg::Value(dst),
            Arg::Value(src),
            Arg::Value(len),
        ];
        self.builtin(builtin, &args);
    }

    pub(super) fn array_copy(&mut self) {
        let (src_array, src, len) = self.pop3();
        let dst = self.pop();
        let dst_array = self.pop();
        let args = [dst_array, dst, src_array, src, len].map(Arg::Value);
        self.builtin(Builtin::ArrayCopy, &args);
    }

    /// Where an array's length is, by the heap's base in one register and a reference in another.
    fn length_at(base: Gpr, array: Gpr) -> Address {
        Address {
            base,
            index: Some(array),
            disp: offset_of!(VmGcHeader, len) as i32,
        }
    }

    pub(super) fn array_len(&mut self) {
        let array = self.pop_reference();
        self.check_not_null(array, Trap::NullReference);
        self.free_gpr(array);
        let dst = self.alloc_gpr();
        self.load_heap_base(M::SCRATCH);
        self.may_fault_with(Trap::NullReference);
        let from = Self::length_at(M::SCRATCH, array);
        M::load(&mut self.b, Load::U32, dst, from);
        self.push_gpr(ValRepr::I32, dst);
    }

    /// The address of an element, checked, of an array and an index that were popped; and the registers that are held for it.
    fn array_element(
        &mut self,
        array: Value,
        index: Value,
        storage: GcStorage,
    ) -> (Address, [Gpr; 2]) {
        let array_reg = self.in_gpr(array);
        let index_reg = self.in_gpr(index);
        self.check_not_null(array_reg, Trap::NullReference);
        let base = self.alloc_gpr();
        self.load_heap_base(base);
        self.may_fault_with(Trap::NullReference);
        let x = Src::Reg(index_reg);
        let len = Self::length_at(base, array_reg);
        let outside = M::compare_memory(&mut self.b, IntCc::GeU, Size::S32, x, len);
        let label = self.b.trap_label(Trap::ArrayOutOfBounds);
        M::jump_if(&mut self.b, outside, label);
        let offset = self.alloc_gpr();
        self.element_offset(offset, array_reg, x, storage);
        self.free_gpr(array_reg);
        self.free_gpr(index_reg);
        let address = Address {
            base,
            index: Some(offset),
            disp: ARRAY_ELEMENTS as i32,
        };
        (address, [base, offset])
    }

    /// The offset of an element in the heap, less [`ARRAY_ELEMENTS`]. 32 bits.
    fn element_offset(&mut self, dst: Gpr, array: Gpr, index: Src, storage: GcStorage) {
        let size = Size::S32;
        let shift = Src::Imm(storage.size().trailing_zeros().into());
        M::shift(&mut self.b, ShiftOp::Shl, size, dst, index, shift);
        let (x, y) = (Src::Reg(dst), Src::Reg(array));
        M::int_op(&mut self.b, IntOp::Add, size, dst, x, y);
    }

    pub(super) fn array_get(&mut self, ty: TypeIndex, signed: bool) {
        let element = self.element_type(ty);
        let index = self.pop();
        let array = self.pop();
        let (from, held) = self.array_element(array, index, GcStorage::of(&element));
        self.push_stored(&element.storage, signed, from, &held, Trap::GcHeapCorrupt);
    }

    pub(super) fn array_set(&mut self, ty: TypeIndex) {
        let storage = GcStorage::of(&self.element_type(ty));
        self.store_forms([storage].into_iter());
        let (array, index, value) = self.pop3();
        let (to, held) = self.array_element(array, index, storage);
        self.store_stored(value, storage, to, Some(Trap::GcHeapCorrupt));
        for reg in held {
            self.free_gpr(reg);
        }
    }

    pub(super) fn array_new_fixed(&mut self, ty: TypeIndex, len: u32) {
        let storage = GcStorage::of(&self.element_type(ty));
        self.store_forms(std::iter::repeat_n(storage, len as usize));
        // At most ten thousand elements.
        let size = ObjectSize::Fixed(array_size(storage, len) as u32);
        let made = self.alloc_object(ty, size, Length::Number(len));
        let address = self.object_address(made);
        for i in (0..len).rev() {
            let value = self.pop();
            let offset = ARRAY_ELEMENTS + i * storage.size();
            let to = Address::new(address, offset as i32);
            self.store_stored(value, storage, to, None);
        }
        self.free_gpr(address);
        self.push_gpr(ValRepr::GcRef, made);
    }

    /// An array of one value, or of zeros and nulls.
    pub(super) fn array_new(&mut self, ty: TypeIndex, with_init: bool) {
        let storage = GcStorage::of(&self.element_type(ty));
        let len = self.pop();
        let mut with_init = with_init;
        if with_init {
            self.store_forms([storage].into_iter());
            if self
                .s
                .stack
                .last()
                .is_some_and(|v| v.is_const() && v.bits == 0)
            {
                self.drop_top();
                with_init = false;
            }
        }
        if len.is_const() && !with_init {
            let size = array_size(storage, len.bits as u32);
            if size <= MAX_CLEARED_INLINE {
                let length = Length::Number(len.bits as u32);
                let made = self.alloc_object(ty, ObjectSize::Fixed(size as u32), length);
                return self.push_cleared(made, size as u32);
            }
        }
        let len = self.own_gpr(len);
        let size = self.alloc_gpr();
        self.object_size(size, len, storage);
        let made = self.alloc_object(ty, ObjectSize::Dynamic(size), Length::Reg(len));
        if with_init {
            let value = self.pop();
            self.fill_new(made, len, value, storage);
            return self.push_gpr(ValRepr::GcRef, made);
        }
        self.clear_new(made, len, storage);
    }

    /// The size of an array in 64 bits, where it cannot overflow.
    fn object_size(&mut self, dst: Gpr, len: Gpr, storage: GcStorage) {
        let wide = Size::S64;
        let src = Src::Reg(dst);
        let shift = Src::Imm(storage.size().trailing_zeros().into());
        M::shift(&mut self.b, ShiftOp::Shl, wide, dst, Src::Reg(len), shift);
        let extra = Src::Imm((ARRAY_ELEMENTS + GC_ALIGN - 1).into());
        M::int_op(&mut self.b, IntOp::Add, wide, dst, src, extra);
        let mask = Src::Imm(-i64::from(GC_ALIGN));
        M::int_op(&mut self.b, IntOp::And, wide, dst, src, mask);
    }

    /// Clears all of an array that was just made but its header, and pushes it. The length's register is released.
    fn clear_new(&mut self, made: Gpr, len: Gpr, storage: GcStorage) {
        let wide = Size::S64;
        let address = self.object_address(made);
        self.push_gpr(ValRepr::GcRef, made);
        let (x, y) = (Src::Reg(address), Src::Imm(ARRAY_ELEMENTS.into()));
        M::int_op(&mut self.b, IntOp::Add, wide, address, x, y);
        let bytes = self.alloc_gpr();
        self.object_size(bytes, len, storage);
        let (x, y) = (Src::Reg(bytes), Src::Imm(ARRAY_ELEMENTS.into()));
        M::int_op(&mut self.b, IntOp::Sub, wide, bytes, x, y);
        self.free_gpr(len);
        let args = [Arg::Reg(address), Arg::Number(0), Arg::Reg(bytes)];
        self.builtin(Builtin::SetBytes, &args);
    }

    /// Writes a value over all elements of an array that was just made. The length's register is released.
    fn fill_new(&mut self, made: Gpr, len: Gpr, value: Value, storage: GcStorage) {
        let wide = Size::S64;
        let at = self.object_address(made);
        // The length becomes the end.
        let end = Src::Reg(len);
        let shift = Src::Imm(storage.size().trailing_zeros().into());
        M::shift(&mut self.b, ShiftOp::Shl, wide, len, end, shift);
        M::int_op(&mut self.b, IntOp::Add, wide, len, end, Src::Reg(at));
        self.fill(at, len, None, wide, value, storage);
        self.free_gpr(at);
        self.free_gpr(len);
    }

    /// A loop that stores a value at [`ARRAY_ELEMENTS`] after `at`, as an address or an offset from a base, up to `end`.
    fn fill(
        &mut self,
        at: Gpr,
        end: Gpr,
        base: Option<Gpr>,
        size: Size,
        value: Value,
        storage: GcStorage,
    ) {
        // In a register before the loop.
        let (value, int, float) = if value.is_float() {
            (value, None, Some(self.in_fpr(value)))
        } else {
            (value, Some(self.in_gpr(value)), None)
        };
        let (again, done) = (self.b.label(), self.b.label());
        self.b.bind::<M>(again);
        let (x, y) = (Src::Reg(at), Src::Reg(end));
        let all = M::compare(&mut self.b, IntCc::Eq, size, x, y);
        M::jump_if(&mut self.b, all, done);
        let disp = ARRAY_ELEMENTS as i32;
        let to = match base {
            Some(base) => Address {
                base,
                index: Some(at),
                disp,
            },
            None => Address::new(at, disp),
        };
        if base.is_some() {
            self.may_fault_with(Trap::GcHeapCorrupt);
        }
        if let Some(reg) = float {
            M::store_float(&mut self.b, value.size(), to, reg);
            self.free_fpr(reg);
        }
        if let Some(reg) = int {
            let store = match storage {
                GcStorage::I8 => Store::I8,
                GcStorage::I16 => Store::I16,
                GcStorage::I64 => Store::I64,
                _ => Store::I32,
            };
            M::store(&mut self.b, store, to, Src::Reg(reg));
            self.free_gpr(reg);
        }
        let step = Src::Imm(storage.size().into());
        M::int_op(&mut self.b, IntOp::Add, size, at, x, step);
        M::jump(&mut self.b, again);
        self.b.bind::<M>(done);
    }

    pub(super) fn array_fill(&mut self, ty: TypeIndex) {
        let storage = GcStorage::of(&self.element_type(ty));
        let count = self.pop();
        self.store_forms([storage].into_iter());
        let (array, index, value) = self.pop3();
        let array = self.in_gpr(array);
        let index = self.own_gpr(index);
        let end = self.own_gpr(count);
        self.check_not_null(array, Trap::NullReference);
        let base = self.alloc_gpr();
        self.load_heap_base(base);
        let end_src = Src::Reg(end);
        let wide = Size::S64;
        M::int_op(&mut self.b, IntOp::Add, wide, end, end_src, Src::Reg(index));
        self.may_fault_with(Trap::NullReference);
        let len = Self::length_at(base, array);
        M::load(&mut self.b, Load::U32, M::SCRATCH, len);
        let len = Src::Reg(M::SCRATCH);
        let outside = M::compare(&mut self.b, IntCc::GtU, wide, end_src, len);
        let label = self.b.trap_label(Trap::ArrayOutOfBounds);
        M::jump_if(&mut self.b, outside, label);
        self.element_offset(index, array, Src::Reg(index), storage);
        self.element_offset(end, array, end_src, storage);
        self.free_gpr(array);
        self.fill(index, end, Some(base), Size::S32, value, storage);
        for reg in [index, end, base] {
            self.free_gpr(reg);
        }
    }
}
