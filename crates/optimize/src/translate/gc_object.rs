//! Instructions on structures and on 31-bit integers, and conversions between the hierarchies of references.
//!
//! The one idea: a field of one index lies in an alias region of its own, since two accesses that meet in one object through
//! types of different length still agree on the index.

use super::environment::Region;
use super::guess::FuncNumber;
use super::heap::{Extend, Size};
use super::{Result, Translator};
use cranelift_codegen::ir::{InstBuilder, Value, types::I32};
use meantime_abi::{
    CompositeType, FieldType, GcBits, GcStorage, STRUCT_FIELDS, StorageType, Trap, TypeIndex,
    ValType,
};
use smallvec::SmallVec;
use wasmparser::Operator;

impl Translator<'_> {
    pub(super) fn gc_object(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::StructNew { struct_type_index } => self.struct_new(struct_type_index),
            Operator::StructNewDefault { struct_type_index } => {
                let ty = TypeIndex::from_u32(struct_type_index);
                let size = self.fields(ty).size;
                let made = self.alloc(ty, Size::Fixed(size), None);
                self.clear_object(made, STRUCT_FIELDS, size, Region::GcField(0));
                self.push(made);
            }
            Operator::StructGet {
                struct_type_index,
                field_index,
            }
            | Operator::StructGetU {
                struct_type_index,
                field_index,
            } => self.struct_get(struct_type_index, field_index, Extend::Unsigned),
            Operator::StructGetS {
                struct_type_index,
                field_index,
            } => self.struct_get(struct_type_index, field_index, Extend::Signed),
            Operator::StructSet {
                struct_type_index,
                field_index,
            } => self.struct_set(struct_type_index, field_index),
            Operator::RefI31 => {
                let value = self.pop();
                let one = self.b.ins().iconst(I32, 1);
                let value = self.b.ins().ishl(value, one);
                let tag = self.b.ins().iconst(I32, i64::from(GcBits::I31));
                let value = self.b.ins().bor(value, tag);
                self.push(value);
            }
            Operator::I31GetS => {
                let (value, one) = self.i31();
                let value = self.b.ins().sshr(value, one);
                self.push(value);
            }
            Operator::I31GetU => {
                let (value, one) = self.i31();
                let value = self.b.ins().ushr(value, one);
                self.push(value);
            }
            // Both hierarchies have the same bits.
            Operator::AnyConvertExtern | Operator::ExternConvertAny => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// An `i31` that is not null, and the number one.
    fn i31(&mut self) -> (Value, Value) {
        let value = self.pop();
        self.trap_unless(value, Trap::NullReference);
        (value, self.b.ins().iconst(I32, 1))
    }

    fn field(&self, ty: TypeIndex, index: u32) -> FieldType {
        match &self.module.types()[ty].composite {
            CompositeType::Struct(fields) => fields[index as usize],
            _ => unreachable!("validated: a structure type"),
        }
    }

    fn struct_new(&mut self, ty: u32) {
        let ty = TypeIndex::from_u32(ty);
        let layout = self.fields(ty);
        let count = layout.fields.len();
        let top = self.top(count);
        let mut values = SmallVec::<[Value; 8]>::with_capacity(count);
        for (i, &(_, storage)) in layout.fields.iter().enumerate() {
            // Before there is an object: this may call the runtime.
            values.push(self.stored_form(self.s.stack[top + i], storage));
        }
        self.s.stack.truncate(top);
        let made = self.alloc(ty, Size::Fixed(layout.size), None);
        let address = self.heap_address(made);
        for (i, (&(offset, storage), value)) in layout.fields.iter().zip(values).enumerate() {
            let flags = self.heap_flags(Region::GcField(i as u32), None);
            self.store_stored(flags, storage, value, address, offset as i32);
        }
        self.push(made);
    }

    fn struct_get(&mut self, ty: u32, index: u32, extend: Extend) {
        let ty = TypeIndex::from_u32(ty);
        let (offset, storage) = self.fields(ty).fields[index as usize];
        let field = self.field(ty, index);
        let reference = self.pop();
        self.check_not_null(reference, Trap::NullReference);
        let flags = self.heap_flags(Region::GcField(index), Some(Trap::NullReference));
        let address = self.heap_address(reference);
        if let StorageType::Val(ValType::Ref(ty)) = field.storage
            && storage == GcStorage::Func
            && self.is_called_next(&ty)
        {
            let number = self.b.ins().load(I32, flags, address, offset as i32);
            self.number = Some(FuncNumber { number, ty });
            self.push(number);
            return;
        }
        let value = self.load_stored(flags, &field.storage, extend, address, offset as i32);
        self.push(value);
    }

    fn struct_set(&mut self, ty: u32, index: u32) {
        let (offset, storage) = self.fields(TypeIndex::from_u32(ty)).fields[index as usize];
        let (reference, value) = self.pop2();
        let value = self.stored_form(value, storage);
        self.check_not_null(reference, Trap::NullReference);
        let flags = self.heap_flags(Region::GcField(index), Some(Trap::NullReference));
        let address = self.heap_address(reference);
        self.store_stored(flags, storage, value, address, offset as i32);
    }
}
