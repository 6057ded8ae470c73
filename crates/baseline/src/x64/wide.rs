//! Integer instructions on pairs of registers: division, sums that carry, whole products.

use super::encode::*;
use super::int::{
    ADC, ADD, BELOW, CMP, EQUAL, NOT_EQUAL, OVERFLOW, SBB, SUB, XOR, arith, arith_imm, in_reg, mov,
};
use super::{RAX, RDX, X64, frame, wide};
use crate::buffer::{Buffer, Label};
use crate::machine::*;
use meantime_abi::Trap;

/// The dividend is in `rax`.
pub(super) fn divide(b: &mut Buffer, division: Division, y: Src) {
    let size = division.size;
    let wide = wide(size);
    let y = in_reg(b, size, y);
    debug_assert!(y != RAX && y != RDX);
    if division.zero {
        rr(b, ops::TEST, wide, y.0, y.0);
        let zero = b.trap_label(Division::BY_ZERO);
        X64::jump_if(b, EQUAL, zero);
    }
    if !division.signed {
        rr(b, ops::ARITH.plus(XOR * 8), false, RDX.0, RDX.0);
        rr(b, ops::GROUP3, wide, 6, y.0);
        return;
    }
    let done = b.label();
    if division.minus_one {
        let usual = b.label();
        arith_imm(b, CMP, wide, y, -1);
        X64::jump_if(b, NOT_EQUAL, usual);
        if division.remainder {
            rr(b, ops::ARITH.plus(XOR * 8), false, RDX.0, RDX.0);
            X64::jump(b, done);
        } else {
            // Negation overflows exactly where the division does.
            rr(b, ops::GROUP3, wide, 3, RAX.0);
            let overflow = b.trap_label(Trap::IntegerOverflow);
            X64::jump_if(b, OVERFLOW, overflow);
            X64::jump(b, done);
        }
        b.bind::<X64>(usual);
    }
    // `cdq` or `cqo`.
    if wide {
        b.put(0x9948, 2);
    } else {
        b.put(0x99, 1);
    }
    rr(b, ops::GROUP3, wide, 7, y.0);
    b.bind::<X64>(done);
}

pub(super) fn add_or_jump(b: &mut Buffer, dst: Gpr, x: Gpr, y: Src, overflow: Label) {
    debug_assert!(y != Src::Reg(dst));
    mov(b, Size::S64, dst, x);
    arith(b, ADD, Size::S64, dst, y);
    X64::jump_if(b, BELOW, overflow);
}

pub(super) fn add_carry(b: &mut Buffer, subtract: bool, x: (Gpr, Gpr), y: (Src, Src)) {
    let (low, high) = if subtract { (SUB, SBB) } else { (ADD, ADC) };
    arith(b, low, Size::S64, x.0, y.0);
    // What loads an immediate here changes no flags.
    arith(b, high, Size::S64, x.1, y.1);
}

/// `rdx:rax = rax * y`.
pub(super) fn multiply_wide(b: &mut Buffer, signed: bool, y: Src) {
    let number = if signed { 5 } else { 4 };
    match y {
        Src::Frame(disp) => rm(b, ops::GROUP3, true, number, frame(disp)),
        _ => {
            let y = in_reg(b, Size::S64, y);
            rr(b, ops::GROUP3, true, number, y.0);
        }
    }
}
