//! Instructions on references: null, functions, and branches on null.
//!
//! A null of either representation is zero.

use super::Compiler;
use super::environment::Arg;
use super::value::width;
use crate::machine::*;
use meantime_abi::{Builtin, FuncIndex, Trap, ValRepr, VmFuncImport};
use std::mem::offset_of;

impl<M: Machine> Compiler<'_, M> {
    pub(super) fn ref_null(&mut self) {
        let ty = self.heap_repr();
        self.push_const(ty, 0);
    }

    pub(super) fn ref_is_null(&mut self) {
        let value = self.pop();
        self.test_zero(value);
    }

    /// Puts back what was just popped.
    fn push_again(&mut self, value: super::value::Value) {
        use super::value::Place;
        match value.place() {
            Place::Const => self.push_const(value.ty(), value.bits),
            Place::Gpr => self.push_gpr(value.ty(), Gpr(value.reg())),
            Place::Fpr => self.push_fpr(value.ty(), Fpr(value.reg())),
            Place::PinnedLocal | Place::Local => {
                self.push_local(value.bits as u32);
            }
            Place::Slot => self.push_slot(value.ty()),
            Place::Flags => self.push_flags(value.reg()),
        }
    }

    pub(super) fn ref_eq(&mut self) {
        let y = self.pop();
        let x = self.pop();
        self.compare_ints(IntCc::Eq, Size::S32, x, y);
    }

    /// The comparison of a reference with null, for a value that was popped and is no constant.
    fn compare_null(&mut self, value: super::value::Value, cc: IntCc) -> Cond {
        let src = self.src(value);
        M::compare(&mut self.b, cc, value.size(), src, Src::Imm(0))
    }

    pub(super) fn ref_as_non_null(&mut self) {
        let value = self.pop();
        if value.is_const() {
            return self.trap_always(Trap::NullReference);
        }
        let null = self.compare_null(value, IntCc::Eq);
        let label = self.b.trap_label(Trap::NullReference);
        M::jump_if(&mut self.b, null, label);
        self.push_again(value);
    }

    pub(super) fn br_on_null(&mut self, depth: u32) {
        let Some(index) = self.frame_at(depth) else {
            return;
        };
        // In a register that is no local's: other values may move before the branch.
        let value = self.pop();
        let ty = value.ty();
        let reg = self.own_gpr(value);
        let (x, zero) = (Src::Reg(reg), Src::Imm(0));
        let null = M::compare(&mut self.b, IntCc::Eq, width(ty), x, zero);
        let reg = self.out_of_the_way(reg);
        self.branch_if(null, index);
        self.push_gpr(ty, reg);
    }

    /// A register that is held and is not that of results, which a branch may need.
    fn out_of_the_way(&mut self, reg: Gpr) -> Gpr {
        if reg != M::RESULT {
            return reg;
        }
        let other = self.alloc_gpr();
        M::move_int(&mut self.b, Size::S64, other, Src::Reg(reg));
        self.free_gpr(reg);
        other
    }

    pub(super) fn br_on_non_null(&mut self, depth: u32) {
        let Some(index) = self.frame_at(depth) else {
            return;
        };
        // The reference goes along: it is compared where it stays.
        let value = self.pop();
        let ty = value.ty();
        let reg = self.own_gpr(value);
        let (x, zero) = (Src::Reg(reg), Src::Imm(0));
        let some = M::compare(&mut self.b, IntCc::Ne, width(ty), x, zero);
        self.push_gpr(ty, reg);
        self.branch_if(some, index);
        let value = self.pop();
        self.release(value);
    }

    pub(super) fn ref_func(&mut self, index: u32) {
        let func = FuncIndex::from_u32(index);
        if self.module.defined_func(func).is_none() {
            // An import came with its funcref.
            let import = self.layout.func_import(func);
            let dst = self.dest();
            self.load_context_field(dst, import + offset_of!(VmFuncImport, func_ref) as u32);
            return self.push_gpr(ValRepr::FuncRef, dst);
        }
        self.builtin(Builtin::RefFunc, &[Arg::Number(index.into())]);
        let reg = self.builtin_result64();
        self.push_gpr(ValRepr::FuncRef, reg);
    }
}
