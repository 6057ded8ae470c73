//! Conditions, jumps and selections.
//!
//! The one idea: a comparison of floats for equality needs two flags, which makes two conditions more than the processor's sixteen; whoever uses a
//! condition knows them.

use super::encode::*;
use super::int::{EQUAL, NOT_EQUAL, PARITY};
use super::{R11, X64, float, frame, wide};
use crate::buffer::{Buffer, Label};
use crate::machine::*;

/// Floats are equal: the zero flag is set and the parity flag is not.
pub(super) const FLOAT_EQUAL: Cond = Cond(16);
/// The opposite.
pub(super) const FLOAT_NOT_EQUAL: Cond = Cond(17);

const NO_PARITY: Cond = Cond(11);

pub(super) fn set(b: &mut Buffer, cond: Cond, dst: Gpr) {
    let setcc = |b: &mut Buffer, cond: Cond, dst: Gpr| {
        rr(b, ops::SETCC.plus(cond.0), false, 0, dst.0);
    };
    match cond {
        FLOAT_EQUAL => {
            setcc(b, NO_PARITY, R11);
            setcc(b, EQUAL, dst);
            rr(b, ops::AND8, false, dst.0, R11.0);
        }
        FLOAT_NOT_EQUAL => {
            setcc(b, PARITY, R11);
            setcc(b, NOT_EQUAL, dst);
            rr(b, ops::OR8, false, dst.0, R11.0);
        }
        cond => setcc(b, cond, dst),
    }
    rr(b, ops::MOVZX8, false, dst.0, dst.0);
}

fn cmov(b: &mut Buffer, cond: Cond, wide: bool, dst: Gpr, src: Src) {
    match src {
        Src::Frame(disp) => rm(b, ops::CMOVCC.plus(cond.0), wide, dst.0, frame(disp)),
        Src::Reg(src) => rr(b, ops::CMOVCC.plus(cond.0), wide, dst.0, src.0),
        Src::Imm(_) => unreachable!("loaded before"),
    }
}

pub(super) fn select(b: &mut Buffer, cond: Cond, size: Size, dst: Gpr, otherwise: Src) {
    let otherwise = match otherwise {
        Src::Imm(_) => {
            super::int::load(b, size, R11, otherwise);
            Src::Reg(R11)
        }
        other => other,
    };
    let wide = wide(size);
    match cond {
        // Replaced when not equal: either of two flags.
        FLOAT_EQUAL => {
            cmov(b, NOT_EQUAL, wide, dst, otherwise);
            cmov(b, PARITY, wide, dst, otherwise);
        }
        FLOAT_NOT_EQUAL => {
            let skip = b.label();
            X64::jump_if(b, cond, skip);
            super::int::load(b, size, dst, otherwise);
            b.bind::<X64>(skip);
        }
        cond => cmov(b, X64::invert(cond), wide, dst, otherwise),
    }
}

pub(super) fn select_float(b: &mut Buffer, cond: Cond, size: Size, dst: Fpr, otherwise: FSrc) {
    let skip = b.label();
    X64::jump_if(b, cond, skip);
    float::load(b, size, dst, otherwise);
    b.bind::<X64>(skip);
}

/// A jump to what is already written, with the opcodes of its short and its long form. What is near needs only the short one.
fn jump_back(b: &mut Buffer, short: u8, long: (u64, usize), target: u32) {
    let distance = i64::from(target) - (i64::from(b.at()) + 2);
    if let Ok(distance) = i8::try_from(distance) {
        b.put(u64::from(short) | u64::from(distance as u8) << 8, 2);
        return;
    }
    let (opcode, len) = long;
    let distance = target.wrapping_sub(b.at() + len as u32 + 4);
    b.put(opcode | u64::from(distance) << (8 * len), len + 4);
}

pub(super) fn jump(b: &mut Buffer, label: Label) {
    if let Some(target) = b.place_of(label) {
        return jump_back(b, 0xeb, (0xe9, 1), target);
    }
    b.put(0xe9, 5);
    let end = b.at();
    b.await_label(label, end - 4, end);
}

pub(super) fn jump_if(b: &mut Buffer, cond: Cond, label: Label) {
    if cond.0 >= FLOAT_EQUAL.0 {
        return jump_if_float(b, cond, label);
    }
    let opcode = 0x0f | u64::from(0x80 | cond.0) << 8;
    if let Some(target) = b.place_of(label) {
        return jump_back(b, 0x70 | cond.0, (opcode, 2), target);
    }
    b.put(opcode, 6);
    let end = b.at();
    b.await_label(label, end - 4, end);
}

#[inline(never)]
fn jump_if_float(b: &mut Buffer, cond: Cond, label: Label) {
    if cond == FLOAT_EQUAL {
        let skip = b.label();
        jump_if(b, PARITY, skip);
        jump_if(b, EQUAL, label);
        b.bind::<X64>(skip);
    } else {
        jump_if(b, PARITY, label);
        jump_if(b, NOT_EQUAL, label);
    }
}

/// The table follows the jump: distances of the labels from where it begins.
pub(super) fn jump_table(b: &mut Buffer, index: Gpr, labels: &[Label]) {
    let table = rip(b, ops::LEA, true, R11.0);
    let after_lea = b.at();
    let entry = Mem {
        base: R11.0,
        index: index.0,
        scale: 2,
        disp: 0,
    };
    rm(b, ops::MOVSXD, true, index.0, entry);
    rr(b, ops::ARITH, true, index.0, R11.0);
    X64::jump_to(b, index);
    b.align(4);
    let start = b.at();
    b.patch32(table, start.wrapping_sub(after_lea));
    for &label in labels {
        let at = b.at();
        b.put(0, 4);
        b.use_label::<X64>(label, at, start);
    }
}
