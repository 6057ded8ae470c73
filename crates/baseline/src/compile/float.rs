//! Instructions on floats, and conversions from and to them.

use super::Compiler;
use super::value::Place;
use crate::machine::*;
use meantime_abi::ValRepr;

pub(super) fn float_type(size: Size) -> ValRepr {
    match size {
        Size::S32 => ValRepr::F32,
        Size::S64 => ValRepr::F64,
        Size::S128 => ValRepr::V128,
    }
}

impl<M: Machine> Compiler<'_, M> {
    pub(super) fn float_op(&mut self, op: FloatOp, size: Size) {
        let (x, y) = self.pop_numbers();
        let (src_x, src_y) = (self.float_src(x), self.float_src(y));
        let dst = self.float_dest_of(x, op.commutes().then_some(y));
        M::float_op(&mut self.b, op, size, dst, src_x, src_y);
        if op != FloatOp::Copysign {
            self.canonicalize(size, dst);
        }
        self.release_float_unless(x, dst);
        self.release_float_unless(y, dst);
        self.push_fpr(float_type(size), dst);
    }

    pub(super) fn float_unary(&mut self, op: FloatUnary, size: Size) {
        let x = self.pop();
        let src = self.float_src(x);
        let dst = self.float_dest_of(x, None);
        M::float_unary(&mut self.b, op, size, dst, src);
        if !matches!(op, FloatUnary::Abs | FloatUnary::Neg) {
            self.canonicalize(size, dst);
        }
        self.release_float_unless(x, dst);
        self.push_fpr(float_type(size), dst);
    }

    /// Makes a NaN the canonical one, where that is asked for.
    fn canonicalize(&mut self, size: Size, reg: Fpr) {
        if !self.tunables.nan_canonicalization {
            return;
        }
        let canonical = match size {
            Size::S32 => u64::from(f32::NAN.to_bits()),
            _ => f64::NAN.to_bits(),
        };
        let number = M::compare_float(&mut self.b, FloatCc::Eq, size, reg, reg);
        M::select_float(&mut self.b, number, size, reg, FSrc::Bits(canonical));
    }

    pub(super) fn float_compare(&mut self, cc: FloatCc, size: Size) {
        let (x, y) = self.pop_numbers();
        let (x_reg, y_reg) = (self.in_fpr(x), self.in_fpr(y));
        let cond = M::compare_float(&mut self.b, cc, size, x_reg, y_reg);
        self.free_fpr(x_reg);
        self.free_fpr(y_reg);
        self.push_condition(cond);
    }

    /// To the other width.
    pub(super) fn convert_float(&mut self, from: Size) {
        let x = self.pop();
        let src = self.float_src(x);
        let dst = self.float_dest_of(x, None);
        M::convert_float(&mut self.b, from, dst, src);
        self.release_float_unless(x, dst);
        let to = match from {
            Size::S32 => Size::S64,
            _ => Size::S32,
        };
        self.canonicalize(to, dst);
        self.push_fpr(float_type(to), dst);
    }

    pub(super) fn int_to_float(&mut self, signed: bool, from: Size, to: Size) {
        let x = self.pop();
        let src = self.src(x);
        let dst = self.float_dest();
        M::int_to_float(&mut self.b, signed, from, to, dst, src);
        self.release(x);
        self.push_fpr(float_type(to), dst);
    }

    pub(super) fn truncate(&mut self, from: Size, to: Size, signed: bool, traps: bool) {
        let x = self.pop();
        let reg = self.in_fpr(x);
        let dst = self.dest();
        let truncation = Truncation {
            from,
            to,
            signed,
            traps,
        };
        M::truncate(&mut self.b, truncation, dst, reg);
        self.free_fpr(reg);
        let ty = match to {
            Size::S32 => ValRepr::I32,
            _ => ValRepr::I64,
        };
        self.push_gpr(ty, dst);
    }

    /// `reinterpret` to an integer.
    pub(super) fn float_bits(&mut self, size: Size) {
        let x = self.pop();
        let ty = match size {
            Size::S32 => ValRepr::I32,
            _ => ValRepr::I64,
        };
        match self.float_src(x) {
            FSrc::Bits(bits) => self.push_const(ty, bits),
            FSrc::Frame(disp) => {
                let dst = self.dest();
                M::move_int(&mut self.b, size, dst, Src::Frame(disp));
                self.push_gpr(ty, dst);
            }
            FSrc::Constant(_) => unreachable!("a float is no vector"),
            FSrc::Reg(reg) => {
                let dst = self.dest();
                M::float_bits(&mut self.b, size, dst, reg);
                self.release(x);
                self.push_gpr(ty, dst);
            }
        }
    }

    /// `reinterpret` to a float.
    pub(super) fn float_of_bits(&mut self, size: Size) {
        let x = self.pop();
        let ty = float_type(size);
        if x.place() == Place::Const {
            return self.push_const(ty, x.bits);
        }
        let dst = self.float_dest();
        match self.src(x) {
            Src::Reg(reg) => M::float_of_bits(&mut self.b, size, dst, reg),
            Src::Frame(disp) => M::move_float(&mut self.b, size, dst, FSrc::Frame(disp)),
            Src::Imm(_) => unreachable!("a constant is one"),
        }
        self.release(x);
        self.push_fpr(ty, dst);
    }
}
