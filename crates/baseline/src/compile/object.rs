//! Instructions on structures and on 31-bit integers, and the dispatch on all instructions on objects.

use super::Compiler;
use super::heap::{Length, ObjectSize};
use crate::machine::*;
use meantime_abi::{CompositeType, FieldType, GcBits, Trap, TypeIndex, ValRepr};

impl<M: Machine> Compiler<'_, M> {
    /// Operators with the prefix `0xfb`.
    #[rustfmt::skip]
    pub(super) fn object(&mut self) {
        match self.leb_u32() {
            0 => { let ty = self.type_index(); self.struct_new(ty); }
            1 => { let ty = self.type_index(); self.struct_new_default(ty); }
            2 | 4 => { let ty = self.type_index(); let field = self.leb_u32(); self.struct_get(ty, field, false); }
            3 => { let ty = self.type_index(); let field = self.leb_u32(); self.struct_get(ty, field, true); }
            5 => { let ty = self.type_index(); let field = self.leb_u32(); self.struct_set(ty, field); }
            6 => { let ty = self.type_index(); self.array_new(ty, true); }
            7 => { let ty = self.type_index(); self.array_new(ty, false); }
            8 => { let ty = self.type_index(); let len = self.leb_u32(); self.array_new_fixed(ty, len); }
            9 => { let ty = self.type_index(); let data = self.leb_u32(); self.array_new_from(meantime_abi::Builtin::ArrayNewData, ty, data); }
            10 => { let ty = self.type_index(); let elem = self.leb_u32(); self.array_new_from(meantime_abi::Builtin::ArrayNewElem, ty, elem); }
            11 | 13 => { let ty = self.type_index(); self.array_get(ty, false); }
            12 => { let ty = self.type_index(); self.array_get(ty, true); }
            14 => { let ty = self.type_index(); self.array_set(ty); }
            15 => self.array_len(),
            16 => { let ty = self.type_index(); self.array_fill(ty); }
            17 => { self.type_index(); self.type_index(); self.array_copy(); }
            18 => { self.type_index(); let data = self.leb_u32(); self.array_init(meantime_abi::Builtin::ArrayInitData, data); }
            19 => { self.type_index(); let elem = self.leb_u32(); self.array_init(meantime_abi::Builtin::ArrayInitElem, elem); }
            20 => self.ref_test(false),
            21 => self.ref_test(true),
            22 => self.ref_cast(false),
            23 => self.ref_cast(true),
            24 => self.br_on_cast(true),
            25 => self.br_on_cast(false),
            // Both hierarchies have the same bits.
            26 | 27 => {}
            28 => self.ref_i31(),
            29 => self.i31_get(ShiftOp::ShrS),
            30 => self.i31_get(ShiftOp::ShrU),
            _ => self.unsupported("an unknown operator on objects"),
        }
    }

    fn type_index(&mut self) -> TypeIndex {
        TypeIndex::from_u32(self.leb_u32())
    }

    fn struct_fields(&self, ty: TypeIndex) -> &[FieldType] {
        match &self.module.types()[ty].composite {
            CompositeType::Struct(fields) => fields,
            _ => unreachable!("validated: a structure type"),
        }
    }

    fn struct_new(&mut self, ty: TypeIndex) {
        let layout = self.fields(ty);
        self.store_forms(layout.fields.iter().map(|f| f.1));
        let made = self.alloc_object(ty, ObjectSize::Fixed(layout.size), Length::Number(0));
        let address = self.object_address(made);
        for &(offset, storage) in layout.fields.iter().rev() {
            let value = self.pop();
            let to = Address::new(address, offset as i32);
            self.store_stored(value, storage, to, None);
        }
        self.free_gpr(address);
        self.push_gpr(ValRepr::GcRef, made);
    }

    fn struct_new_default(&mut self, ty: TypeIndex) {
        let size = self.fields(ty).size;
        let made = self.alloc_object(ty, ObjectSize::Fixed(size), Length::Number(0));
        self.push_cleared(made, size);
    }

    fn struct_get(&mut self, ty: TypeIndex, index: u32, signed: bool) {
        let field = self.struct_fields(ty)[index as usize];
        let (offset, _) = self.fields(ty).fields[index as usize];
        let reference = self.pop_reference();
        self.check_not_null(reference, Trap::NullReference);
        let from = Address {
            base: M::SCRATCH,
            index: Some(reference),
            disp: offset as i32,
        };
        let held = [reference];
        self.push_stored(&field.storage, signed, from, &held, Trap::NullReference);
    }

    fn struct_set(&mut self, ty: TypeIndex, index: u32) {
        let (offset, storage) = self.fields(ty).fields[index as usize];
        self.store_forms([storage].into_iter());
        let value = self.pop();
        let reference = self.pop_reference();
        self.check_not_null(reference, Trap::NullReference);
        let address = self.object_address(reference);
        let to = Address::new(address, offset as i32);
        self.store_stored(value, storage, to, Some(Trap::NullReference));
        self.free_gpr(address);
        self.free_gpr(reference);
    }

    /// Removes the topmost entry.
    pub(super) fn drop_top(&mut self) {
        let value = self.pop();
        self.release(value);
    }

    fn ref_i31(&mut self) {
        let value = self.pop();
        let src = self.src(value);
        let dst = self.dest_of(value, None);
        let size = Size::S32;
        M::shift(&mut self.b, ShiftOp::Shl, size, dst, src, Src::Imm(1));
        let tag = Src::Imm(GcBits::I31.into());
        M::int_op(&mut self.b, IntOp::Or, size, dst, Src::Reg(dst), tag);
        self.release_unless(value, dst);
        self.push_gpr(ValRepr::GcRef, dst);
    }

    fn i31_get(&mut self, op: ShiftOp) {
        let value = self.pop();
        let reg = self.own_gpr(value);
        self.trap_if_zero(reg, Size::S32, Trap::NullReference);
        M::shift(&mut self.b, op, Size::S32, reg, Src::Reg(reg), Src::Imm(1));
        self.push_gpr(ValRepr::I32, reg);
    }
}
