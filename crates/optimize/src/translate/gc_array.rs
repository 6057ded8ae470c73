//! Instructions on arrays.
//!
//! The one idea: what fills memory is a loop of 32-bit offsets or, in an object that was just made, of whole words; what copies it is
//! the runtime's.

use super::environment::Region;
use super::heap::{Extend, MAX_CLEARED_INLINE, Size};
use super::{Result, Translator};
use cranelift_codegen::ir::types::{F32, F64, I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, condcodes::IntCC};
use meantime_abi::{
    ARRAY_ELEMENTS, Builtin, CompositeType, FieldType, GC_ALIGN, GcStorage, Trap, TypeIndex,
    VmGcHeader, array_size,
};
use smallvec::SmallVec;
use std::mem::offset_of;
use wasmparser::Operator;

/// New arrays of more bytes than this are cleared by the runtime: it has wider stores.
const MAX_CLEARED_BY_LOOP: i64 = 256;

impl Translator<'_> {
    pub(super) fn gc_array(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::ArrayNew { array_type_index } => {
                let (init, len) = self.pop2();
                self.array_new(array_type_index, Some(init), len);
            }
            Operator::ArrayNewDefault { array_type_index } => {
                let len = self.pop();
                self.array_new(array_type_index, None, len);
            }
            Operator::ArrayNewFixed {
                array_type_index,
                array_size,
            } => self.array_new_fixed(array_type_index, array_size),
            Operator::ArrayGet { array_type_index } | Operator::ArrayGetU { array_type_index } => {
                self.array_get(array_type_index, Extend::Unsigned);
            }
            Operator::ArrayGetS { array_type_index } => {
                self.array_get(array_type_index, Extend::Signed);
            }
            Operator::ArraySet { array_type_index } => self.array_set(array_type_index),
            Operator::ArrayLen => {
                let array = self.pop();
                let len = self.array_len(array);
                self.push(len);
            }
            Operator::ArrayFill { array_type_index } => self.array_fill(array_type_index),
            _ => return Ok(self.array_by_runtime(op)),
        }
        Ok(true)
    }

    /// What the runtime does.
    fn array_by_runtime(&mut self, op: &Operator<'_>) -> bool {
        match *op {
            Operator::ArrayNewData {
                array_type_index,
                array_data_index,
            } => self.array_new_from(Builtin::ArrayNewData, array_type_index, array_data_index),
            Operator::ArrayNewElem {
                array_type_index,
                array_elem_index,
            } => self.array_new_from(Builtin::ArrayNewElem, array_type_index, array_elem_index),
            Operator::ArrayInitData {
                array_data_index, ..
            } => self.array_init(Builtin::ArrayInitData, array_data_index),
            Operator::ArrayInitElem {
                array_elem_index, ..
            } => self.array_init(Builtin::ArrayInitElem, array_elem_index),
            Operator::ArrayCopy { .. } => {
                let (src_array, src, len) = self.pop3();
                let (dst_array, dst) = self.pop2();
                self.builtin(Builtin::ArrayCopy, &[dst_array, dst, src_array, src, len]);
            }
            _ => return false,
        }
        true
    }

    fn array_new_from(&mut self, builtin: Builtin, ty: u32, segment: u32) {
        let (src, len) = self.pop2();
        let ty = self.type_id(TypeIndex::from_u32(ty));
        let segment = self.number(segment);
        let made = self.builtin(builtin, &[ty, segment, src, len]);
        let made = made.expect("the builtin has a result");
        self.b.declare_value_needs_stack_map(made);
        self.push(made);
    }

    fn array_init(&mut self, builtin: Builtin, segment: u32) {
        let (dst, src, len) = self.pop3();
        let array = self.pop();
        let segment = self.number(segment);
        self.builtin(builtin, &[array, segment, dst, src, len]);
    }

    fn element_type(&self, ty: u32) -> FieldType {
        match self.module.types()[TypeIndex::from_u32(ty)].composite {
            CompositeType::Array(element) => element,
            _ => unreachable!("validated: an array type"),
        }
    }

    /// The length of an array, which may be null.
    fn array_len(&mut self, array: Value) -> Value {
        self.check_not_null(array, Trap::NullReference);
        let flags = self.heap_flags(Region::GcHeader, Some(Trap::NullReference));
        let address = self.heap_address(array);
        let offset = offset_of!(VmGcHeader, len) as i32;
        self.b.ins().load(I32, flags, address, offset)
    }

    /// The offset of an element in the heap, less [`ARRAY_ELEMENTS`]. 32 bits.
    fn element_offset(&mut self, array: Value, index: Value, storage: GcStorage) -> Value {
        let shift = i64::from(storage.size().trailing_zeros());
        let shift = self.b.ins().iconst(I32, shift);
        let offset = self.b.ins().ishl(index, shift);
        self.b.ins().iadd(array, offset)
    }

    /// The address of an element less [`ARRAY_ELEMENTS`], checked, and flags to access it with.
    fn array_element(
        &mut self,
        array: Value,
        index: Value,
        storage: GcStorage,
    ) -> (Value, MemFlagsData) {
        let len = self.array_len(array);
        let cc = IntCC::UnsignedGreaterThanOrEqual;
        let outside = self.b.ins().icmp(cc, index, len);
        self.trap_if(outside, Trap::ArrayOutOfBounds);
        let offset = self.element_offset(array, index, storage);
        let flags = self.heap_flags(Region::GcElements, Some(Trap::GcHeapCorrupt));
        (self.heap_address(offset), flags)
    }

    fn array_get(&mut self, ty: u32, extend: Extend) {
        let element = self.element_type(ty);
        let (array, index) = self.pop2();
        let (address, flags) = self.array_element(array, index, GcStorage::of(&element));
        let offset = ARRAY_ELEMENTS as i32;
        let value = self.load_stored(flags, &element.storage, extend, address, offset);
        self.push(value);
    }

    fn array_set(&mut self, ty: u32) {
        let storage = GcStorage::of(&self.element_type(ty));
        let (array, index, value) = self.pop3();
        let value = self.stored_form(value, storage);
        let (address, flags) = self.array_element(array, index, storage);
        self.store_stored(flags, storage, value, address, ARRAY_ELEMENTS as i32);
    }

    fn array_new_fixed(&mut self, ty: u32, len: u32) {
        let storage = GcStorage::of(&self.element_type(ty));
        let top = self.top(len as usize);
        let mut values = SmallVec::<[Value; 8]>::with_capacity(len as usize);
        for i in 0..len as usize {
            // Before there is an object: this may call the runtime.
            values.push(self.stored_form(self.s.stack[top + i], storage));
        }
        self.s.stack.truncate(top);
        // At most ten thousand elements.
        let size = Size::Fixed(array_size(storage, len) as u32);
        let len = self.number(len);
        let made = self.alloc(TypeIndex::from_u32(ty), size, Some(len));
        let address = self.heap_address(made);
        let flags = self.heap_flags(Region::GcElements, None);
        for (i, value) in values.into_iter().enumerate() {
            let offset = ARRAY_ELEMENTS + i as u32 * storage.size();
            self.store_stored(flags, storage, value, address, offset as i32);
        }
        self.push(made);
    }

    /// An array of one value, or of zeros and nulls.
    fn array_new(&mut self, ty: u32, init: Option<Value>, len: Value) {
        let storage = GcStorage::of(&self.element_type(ty));
        let init = init.map(|init| self.stored_form(init, storage));
        let init = init.filter(|init| self.constant(*init) != Some(0));
        let ty = TypeIndex::from_u32(ty);
        if let Some(size) = self.small_size(len, storage).filter(|_| init.is_none()) {
            let made = self.alloc(ty, Size::Fixed(size), Some(len));
            self.clear_object(made, ARRAY_ELEMENTS, size, Region::GcElements);
            self.push(made);
            return;
        }
        let size = self.dynamic_size(len, storage);
        let made = self.alloc(ty, Size::Dynamic(size), Some(len));
        match init {
            Some(init) => {
                let word = self.word_of(init, storage);
                self.fill_new(made, size, word);
            }
            None => self.clear_new(made, size),
        }
        self.push(made);
    }

    /// The size of an array whose length is known and that is small enough to be cleared without a loop.
    fn small_size(&self, len: Value, storage: GcStorage) -> Option<u32> {
        let size = array_size(storage, self.constant(len)? as u32);
        u32::try_from(size)
            .ok()
            .filter(|&size| size <= MAX_CLEARED_INLINE)
    }

    /// Clears all of an array that was just made but its header: large ones by the runtime.
    fn clear_new(&mut self, array: Value, size: Value) {
        let [large, small, next] = [(); 3].map(|()| self.b.create_block());
        let limit = self.b.ins().iconst(I64, MAX_CLEARED_BY_LOOP);
        let cc = IntCC::UnsignedGreaterThan;
        let is_large = self.b.ins().icmp(cc, size, limit);
        self.b.ins().brif(is_large, large, &[], small, &[]);

        self.enter(large);
        let address = self.heap_address(array);
        let start = self.b.ins().iconst(I64, i64::from(ARRAY_ELEMENTS));
        let from = self.b.ins().iadd(address, start);
        let len = self.b.ins().isub(size, start);
        let zero = self.number(0);
        self.builtin(Builtin::SetBytes, &[from, zero, len]);
        self.b.ins().jump(next, &[]);

        self.enter(small);
        let zero = self.b.ins().iconst(I64, 0);
        self.fill_new(array, size, zero);
        self.b.ins().jump(next, &[]);
        self.enter(next);
    }

    /// The size of an array in 64 bits, where it cannot overflow.
    fn dynamic_size(&mut self, len: Value, storage: GcStorage) -> Value {
        let size = match self.constant(len) {
            Some(len) => {
                let size = array_size(storage, len as u32);
                return self.b.ins().iconst(I64, size as i64);
            }
            None => self.b.ins().uextend(I64, len),
        };
        let shift = self
            .b
            .ins()
            .iconst(I64, i64::from(storage.size().trailing_zeros()));
        let size = self.b.ins().ishl(size, shift);
        let aligned = storage.size() >= GC_ALIGN;
        let extra = ARRAY_ELEMENTS + if aligned { 0 } else { GC_ALIGN - 1 };
        let extra = self.b.ins().iconst(I64, i64::from(extra));
        let size = self.b.ins().iadd(size, extra);
        if aligned {
            return size;
        }
        let mask = self.b.ins().iconst(I64, -i64::from(GC_ALIGN));
        self.b.ins().band(size, mask)
    }

    /// A value as often as it fits into a word of 64 bits, or a vector.
    fn word_of(&mut self, value: Value, storage: GcStorage) -> Value {
        let value = match self.type_of(value) {
            F32 => self.b.ins().bitcast(I32, MemFlagsData::new(), value),
            F64 => self.b.ins().bitcast(I64, MemFlagsData::new(), value),
            _ => value,
        };
        let (mask, factor) = match storage {
            GcStorage::I8 => (0xff, 0x0101_0101_0101_0101),
            GcStorage::I16 => (0xffff, 0x0001_0001_0001_0001),
            _ if self.type_of(value) == I32 => (0xffff_ffff, 0x0000_0001_0000_0001),
            _ => return value,
        };
        let value = self.b.ins().uextend(I64, value);
        let mask = self.b.ins().iconst(I64, mask);
        let value = self.b.ins().band(value, mask);
        let factor = self.b.ins().iconst(I64, factor);
        self.b.ins().imul(value, factor)
    }

    /// Writes a word, or a vector, over all of an array that was just made but its header.
    fn fill_new(&mut self, array: Value, size: Value, word: Value) {
        let flags = self.heap_flags(Region::GcElements, None);
        let address = self.heap_address(array);
        let end = self.b.ins().iadd(address, size);
        let start = self.b.ins().iconst(I64, i64::from(ARRAY_ELEMENTS));
        let start = self.b.ins().iadd(address, start);
        let step = self.type_of(word).bytes();
        self.fill(start, end, step, |t, at| {
            t.b.ins().store(flags, word, at, 0);
        });
    }

    /// A loop over `start..end` in steps, both of one type.
    fn fill(
        &mut self,
        start: Value,
        end: Value,
        step: u32,
        mut body: impl FnMut(&mut Translator<'_>, Value),
    ) {
        let ty = self.type_of(start);
        let [header, next] = [(); 2].map(|()| self.b.create_block());
        let at = self.b.append_block_param(header, ty);
        let any = self.b.ins().icmp(IntCC::NotEqual, start, end);
        self.b.ins().brif(any, header, &[start.into()], next, &[]);
        self.b.switch_to_block(header);
        body(self, at);
        let step = self.b.ins().iconst(ty, i64::from(step));
        let after = self.b.ins().iadd(at, step);
        let more = self.b.ins().icmp(IntCC::NotEqual, after, end);
        self.b.ins().brif(more, header, &[after.into()], next, &[]);
        self.b.seal_block(header);
        self.enter(next);
    }

    fn array_fill(&mut self, ty: u32) {
        let storage = GcStorage::of(&self.element_type(ty));
        let (index, value, count) = self.pop3();
        let array = self.pop();
        let value = self.stored_form(value, storage);
        let len = self.array_len(array);
        let [start, wide_count, len] = [index, count, len].map(|v| self.b.ins().uextend(I64, v));
        let end = self.b.ins().iadd(start, wide_count);
        let outside = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, len);
        self.trap_if(outside, Trap::ArrayOutOfBounds);
        let start = self.element_offset(array, index, storage);
        let end = self.b.ins().iadd(index, count);
        let end = self.element_offset(array, end, storage);
        let flags = self.heap_flags(Region::GcElements, Some(Trap::GcHeapCorrupt));
        self.fill(start, end, storage.size(), |t, at| {
            let address = t.heap_address(at);
            t.store_stored(flags, storage, value, address, ARRAY_ELEMENTS as i32);
        });
    }
}
