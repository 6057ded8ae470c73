//! Counting bits. Without the instructions that not every processor has, a count of zeros is a scan, which says by a flag that there is no bit.

use super::encode::*;
use super::int::{self, EQUAL, XOR, arith_imm, in_reg};
use super::{R11, frame, wide};
use crate::buffer::Buffer;
use crate::machine::*;

pub(super) fn op(b: &mut Buffer, op: BitOp, size: Size, dst: Gpr, x: Src) {
    let wide = wide(size);
    let bits = size.bits();
    let (scan, none) = match op {
        BitOp::Popcnt => return unary(b, ops::POPCNT, wide, dst, x),
        // The scan finds the highest bit's number; flipping the bits of that counts from the other end.
        BitOp::Clz => (ops::BSR, 2 * bits - 1),
        BitOp::Ctz => (ops::BSF, bits),
    };
    if let Src::Imm(_) = x {
        int::load(b, size, dst, x);
        unary(b, scan, wide, dst, Src::Reg(dst));
    } else {
        unary(b, scan, wide, dst, x);
    }
    mov_imm32(b, R11.0, none);
    rr(b, ops::CMOVCC.plus(EQUAL.0), wide, dst.0, R11.0);
    if op == BitOp::Clz {
        arith_imm(b, XOR, false, dst, bits as i32 - 1);
    }
}

fn unary(b: &mut Buffer, op: Op, wide: bool, dst: Gpr, x: Src) {
    match x {
        Src::Frame(disp) => rm(b, op, wide, dst.0, frame(disp)),
        _ => {
            let x = in_reg(b, Size::S64, x);
            rr(b, op, wide, dst.0, x.0);
        }
    }
}
