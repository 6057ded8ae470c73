//! Tests and casts of references, and branches on them.
//!
//! The one idea: every one of these instructions branches to one of two places, by null, by the reference's lowest bits and by
//! the type in the object's header, in this order and as far as needed. Subtyping takes constant time: an object's type lists its
//! supertypes by depth, and the target's depth is known.

use super::cold::Cold;
use super::value::{Value, width};
use super::{Compiler, malformed};
use crate::buffer::Label;
use crate::machine::*;
use meantime_abi::{
    CompositeKind, GcBits, HeapType, Trap, TypeId, TypeIndex, ValRepr, VmFuncRef, VmGcHeader,
    VmGcType, VmHeader, VmStoreContext,
};
use std::mem::offset_of;

/// A type that references are tested for.
#[derive(Copy, Clone)]
struct Test {
    heap: HeapType,
    /// Whether null passes.
    nullable: bool,
}

impl<M: Machine> Compiler<'_, M> {
    fn heap_type(&mut self) -> HeapType {
        let ty = self.leb_signed();
        if ty >= 0 {
            let index = TypeIndex::from_u32(ty as u32);
            let Some(ty) = self.module.types().get(index) else {
                self.fail(malformed());
                return HeapType::None;
            };
            return HeapType::Concrete(ty.composite.kind(), index);
        }
        match ty as u8 & 0x7f {
            0x70 => HeapType::Func,
            0x73 => HeapType::NoFunc,
            0x6f => HeapType::Extern,
            0x72 => HeapType::NoExtern,
            0x6e => HeapType::Any,
            0x6d => HeapType::Eq,
            0x6c => HeapType::I31,
            0x6b => HeapType::Struct,
            0x6a => HeapType::Array,
            0x71 => HeapType::None,
            0x69 => HeapType::Exn,
            0x74 => HeapType::NoExn,
            _ => {
                self.unsupported("an unknown heap type");
                HeapType::None
            }
        }
    }

    pub(super) fn ref_test(&mut self, nullable: bool) {
        let heap = self.heap_type();
        let value = self.pop();
        let reg = self.in_gpr(value);
        let result = self.alloc_gpr();
        let test = Test { heap, nullable };
        self.test_to(result, reg, value.ty(), &test);
        self.free_gpr(reg);
        self.push_gpr(ValRepr::I32, result);
    }

    /// Whether a reference passes, as a number.
    fn test_to(&mut self, result: Gpr, reg: Gpr, ty: ValRepr, test: &Test) {
        let (yes, done) = (self.b.label(), self.b.label());
        M::move_int(&mut self.b, Size::S32, result, Src::Imm(0));
        self.branch_on_type(reg, ty, test, yes, done);
        self.b.bind::<M>(yes);
        M::move_int(&mut self.b, Size::S32, result, Src::Imm(1));
        self.b.bind::<M>(done);
    }

    pub(super) fn ref_cast(&mut self, nullable: bool) {
        let heap = self.heap_type();
        let value = self.pop();
        let reg = self.in_gpr(value);
        let yes = self.b.label();
        let no = self.b.trap_label(Trap::CastFailure);
        let test = Test { heap, nullable };
        self.branch_on_type(reg, value.ty(), &test, yes, no);
        self.b.bind::<M>(yes);
        self.push_reference(value, reg);
    }

    /// Pushes again what was popped, from the register that it is in now.
    fn push_reference(&mut self, value: Value, reg: Gpr) {
        if value.is_local() && reg.bit() & M::TEMPS == 0 {
            self.push_local(value.bits as u32);
        } else {
            self.push_gpr(value.ty(), reg);
        }
    }

    /// Branches when the cast succeeds (`when`) or fails, with the reference as the last operand; goes on with it otherwise.
    pub(super) fn br_on_cast(&mut self, when: bool) {
        let flags = self.byte();
        let depth = self.leb_u32();
        self.heap_type();
        let heap = self.heap_type();
        let Some(index) = self.frame_at(depth) else {
            return;
        };
        let test = Test {
            heap,
            nullable: flags & 2 != 0,
        };
        let value = self.pop();
        let reg = self.in_gpr(value);
        let result = self.alloc_gpr();
        self.test_to(result, reg, value.ty(), &test);
        self.push_reference(value, reg);
        let (x, zero) = (Src::Reg(result), Src::Imm(0));
        let cc = if when { IntCc::Ne } else { IntCc::Eq };
        let taken = M::compare(&mut self.b, cc, Size::S32, x, zero);
        self.free_gpr(result);
        self.branch_if(taken, index);
    }

    fn jump_if_zero(&mut self, reg: Gpr, size: Size, label: Label) {
        let (x, zero) = (Src::Reg(reg), Src::Imm(0));
        let is_zero = M::compare(&mut self.b, IntCc::Eq, size, x, zero);
        M::jump_if(&mut self.b, is_zero, label);
    }

    /// Branches to `no` when a reference does not have a type, and to `yes` or to what follows when it does.
    fn branch_on_type(&mut self, reg: Gpr, ty: ValRepr, test: &Test, yes: Label, no: Label) {
        // What is done from here on is not done on every path: there must be nothing left that others rely on.
        self.reserve_gprs(3);
        self.use_context();
        let null = if test.nullable { yes } else { no };
        self.jump_if_zero(reg, width(ty), null);
        match test.heap {
            // Every value passes that is not null.
            HeapType::Any | HeapType::Extern | HeapType::Exn | HeapType::Func => {}
            // Nothing does.
            HeapType::None | HeapType::NoExtern | HeapType::NoExn | HeapType::NoFunc => {
                M::jump(&mut self.b, no);
            }
            HeapType::I31 => {
                let bit = Src::Imm(GcBits::I31.into());
                let is_i31 = M::test(&mut self.b, Size::S32, Src::Reg(reg), bit);
                M::jump_if(&mut self.b, M::invert(is_i31), no);
            }
            HeapType::Eq => {
                let bits = self.alloc_gpr();
                let (x, mask) = (Src::Reg(reg), Src::Imm(GcBits::NOT_OBJECT.into()));
                M::int_op(&mut self.b, IntOp::And, Size::S32, bits, x, mask);
                let host = Src::Imm(GcBits::HOST.into());
                let is_host = M::compare(&mut self.b, IntCc::Eq, Size::S32, Src::Reg(bits), host);
                M::jump_if(&mut self.b, is_host, no);
                self.free_gpr(bits);
            }
            HeapType::Concrete(CompositeKind::Func, ty) => {
                let actual = self.alloc_gpr();
                let from = Address::new(reg, offset_of!(VmFuncRef, type_id) as i32);
                M::load(&mut self.b, Load::U32, actual, from);
                self.branch_on_types(actual, ty, true, yes, no);
                self.free_gpr(actual);
            }
            HeapType::Concrete(_, ty) => {
                let actual = self.object_type(reg, no);
                self.branch_on_types(actual, ty, false, yes, no);
                self.free_gpr(actual);
            }
            HeapType::Struct => self.branch_on_kind(reg, VmGcType::KIND_STRUCT, no),
            HeapType::Array => self.branch_on_kind(reg, VmGcType::KIND_ARRAY, no),
        }
    }

    /// The type of what is an object, in a register that is held; goes to `no` with what is something else.
    fn object_type(&mut self, reg: Gpr, no: Label) -> Gpr {
        let mask = Src::Imm(GcBits::NOT_OBJECT.into());
        let other = M::test(&mut self.b, Size::S32, Src::Reg(reg), mask);
        M::jump_if(&mut self.b, other, no);
        let actual = self.alloc_gpr();
        self.load_heap_base(actual);
        let from = Address {
            base: actual,
            index: Some(reg),
            disp: offset_of!(VmGcHeader, type_id) as i32,
        };
        self.may_fault_with(Trap::GcHeapCorrupt);
        M::load(&mut self.b, Load::U32, actual, from);
        actual
    }

    /// Goes to `no` unless one type is another or a subtype of it.
    fn branch_on_types(&mut self, actual: Gpr, ty: TypeIndex, func: bool, yes: Label, no: Label) {
        let expected = self.alloc_gpr();
        self.load_type_id(expected, ty);
        let (x, y) = (Src::Reg(actual), Src::Reg(expected));
        if self.module.types()[ty].is_final {
            let differs = M::compare(&mut self.b, IntCc::Ne, Size::S32, x, y);
            M::jump_if(&mut self.b, differs, no);
            return self.free_gpr(expected);
        }
        let equal = M::compare(&mut self.b, IntCc::Eq, Size::S32, x, y);
        M::jump_if(&mut self.b, equal, yes);
        let depth = self.type_depth(ty);
        if func || depth >= VmGcType::DISPLAY {
            self.free_gpr(expected);
            // Always asked: such types are rare.
            let slow = self.b.label();
            M::jump(&mut self.b, slow);
            let rest = self.rest_of_cold(slow, M::TEMPS);
            self.s.cold.push(Cold::Subtype { rest, actual, ty });
            return self.jump_if_zero(actual, Size::S32, no);
        }
        let offset = offset_of!(VmGcType, display) + depth * size_of::<TypeId>();
        let found = self.gc_type_field(actual, offset, no);
        let differs = M::compare(&mut self.b, IntCc::Ne, Size::S32, Src::Reg(found), y);
        M::jump_if(&mut self.b, differs, no);
        self.free_gpr(found);
        self.free_gpr(expected);
    }

    fn branch_on_kind(&mut self, reg: Gpr, kind: u32, no: Label) {
        let actual = self.object_type(reg, no);
        let found = self.gc_type_field(actual, offset_of!(VmGcType, kind), no);
        let kind = Src::Imm(kind.into());
        let differs = M::compare(&mut self.b, IntCc::Ne, Size::S32, Src::Reg(found), kind);
        M::jump_if(&mut self.b, differs, no);
        self.free_gpr(found);
        self.free_gpr(actual);
    }

    /// 32 bits of what is known of a type, in a register that is held; goes to `no` when nothing is.
    fn gc_type_field(&mut self, id: Gpr, offset: usize, no: Label) -> Gpr {
        let reg = self.alloc_gpr();
        self.load_context_field(reg, offset_of!(VmHeader, store) as u32);
        let len = Address::new(reg, offset_of!(VmStoreContext, gc_types_len) as i32);
        let x = Src::Reg(id);
        let outside = M::compare_memory(&mut self.b, IntCc::GeU, Size::S32, x, len);
        M::jump_if(&mut self.b, outside, no);
        let types = Address::new(reg, offset_of!(VmStoreContext, gc_types) as i32);
        M::load(&mut self.b, Load::U64, reg, types);
        let shift = Src::Imm(size_of::<VmGcType>().trailing_zeros().into());
        M::shift(&mut self.b, ShiftOp::Shl, Size::S64, M::SCRATCH, x, shift);
        let from = Address {
            base: reg,
            index: Some(M::SCRATCH),
            disp: offset as i32,
        };
        M::load(&mut self.b, Load::U32, reg, from);
        reg
    }

    /// How many supertypes a type has. The validator allows few.
    fn type_depth(&self, ty: TypeIndex) -> usize {
        let types = self.module.types();
        let supertypes = std::iter::successors(types[ty].supertype, |ty| types[*ty].supertype);
        supertypes.take(VmGcType::DISPLAY).count()
    }
}
