//! Jumps, and what conditions select.
//!
//! The one idea: a conditional branch reaches 1 MiB, a jump 128 MiB. A branch to what is not known yet takes the short form where the function is
//! known to be small ([`Buffer::far`]), else the opposite branch over a jump.

use super::encode::*;
use super::int::{self, in_reg};
use super::{A64, FLOAT_SCRATCH, SCRATCH, SCRATCH2, float};
use crate::buffer::{Buffer, Label};
use crate::machine::*;

/// Where in an instruction a label's distance goes, as what the lowest two bits of a use's form say. Other uses are words of tables, and
/// their form is where the distance counts from, which is a multiple of four.
const BITS_26: u32 = 1;
const BITS_19: u32 = 2;

/// How far conditional branches and loads of constants reach.
const REACH_19: i64 = 1 << 20;

pub(super) fn patch(code: &mut [u8], at: u32, form: u32, target: u32) {
    let at_byte = at as usize;
    let Some(word) = code[at_byte..].first_chunk_mut::<4>() else {
        return;
    };
    let old = u32::from_le_bytes(*word);
    // A distance that does not fit is cut off; the function is given up then for its size.
    let distance = target.wrapping_sub(at) >> 2;
    let new = match form & 3 {
        BITS_26 => old & !0x03ff_ffff | distance & 0x03ff_ffff,
        BITS_19 => old & !0x00ff_ffe0 | (distance & 0x7_ffff) << 5,
        _ => target.wrapping_sub(form),
    };
    *word = new.to_le_bytes();
}

fn use_26(b: &mut Buffer, op: Op, label: Label) {
    let at = b.at();
    put(b, op);
    b.use_label::<A64>(label, at, BITS_26);
}

/// An instruction with 19 bits for the label's distance.
pub(super) fn use_19(b: &mut Buffer, word: u32, label: Label) {
    let at = b.at();
    put(b, word);
    b.use_label::<A64>(label, at, BITS_19);
}

pub(super) fn jump(b: &mut Buffer, label: Label) {
    use_26(b, ops::B, label);
}

/// A conditional branch, or where that may not reach, `inverted` over a jump.
fn branch(b: &mut Buffer, word: u32, inverted: u32, label: Label) {
    let near = match b.place_of(label) {
        Some(place) => i64::from(b.at()) - i64::from(place) < REACH_19,
        None => !b.far,
    };
    if near {
        return use_19(b, word, label);
    }
    // Two instructions on.
    put(b, inverted | 2 << 5);
    jump(b, label);
}

pub(super) fn jump_if(b: &mut Buffer, cond: Cond, label: Label) {
    let word = |cond: Cond| ops::B_COND | u32::from(cond.0);
    branch(b, word(cond), word(A64::invert(cond)), label);
}

pub(super) fn jump_if_zero(b: &mut Buffer, size: Size, x: u8, label: Label) {
    let wide = u32::from(size == Size::S64) << 31;
    let operand = wide | u32::from(x);
    branch(b, ops::CBZ | operand, ops::CBNZ | operand, label);
}

pub(super) fn jump_if_not_zero(b: &mut Buffer, size: Size, x: u8, label: Label) {
    let wide = u32::from(size == Size::S64) << 31;
    let operand = wide | u32::from(x);
    branch(b, ops::CBNZ | operand, ops::CBZ | operand, label);
}

/// The table follows the jump: distances of the labels from where it begins. Its entries have 32 bits, so labels are in reach.
pub(super) fn jump_table(b: &mut Buffer, index: Gpr, labels: &[Label]) {
    let start = b.at() + 16;
    let (base, index) = (SCRATCH.0, index.0);
    put(b, ops::ADR | (16 / 4) << 5 | u32::from(base));
    access(b, accesses::LDRSW, index, Mode::Index { base, index });
    rrr(b, ops::ADD, Size::S64, index, index, base);
    put(b, ops::BR | u32::from(index) << 5);
    for &label in labels {
        let at = b.at();
        put(b, 0);
        b.use_label::<A64>(label, at, start);
    }
}

pub(super) fn set(b: &mut Buffer, cond: Cond, dst: Gpr) {
    // One more than zero where the opposite does not hold.
    let opposite = A64::invert(cond).0;
    conditional(b, ops::CSINC, Size::S32, opposite, [dst.0, ZR, ZR]);
}

pub(super) fn select(b: &mut Buffer, cond: Cond, size: Size, dst: Gpr, otherwise: Src) {
    let scratch = int::other_scratch(dst.0);
    let otherwise = in_reg(b, size, otherwise, scratch);
    conditional(b, ops::CSEL, size, cond.0, [dst.0, dst.0, otherwise]);
}

pub(super) fn select_float(b: &mut Buffer, cond: Cond, size: Size, dst: Fpr, otherwise: FSrc) {
    let otherwise = float::in_reg(b, size, otherwise, FLOAT_SCRATCH);
    if size == Size::S128 {
        let skip = b.label();
        jump_if(b, cond, skip);
        float::mov(b, dst, otherwise);
        return b.bind::<A64>(skip);
    }
    let op = ops::FCSEL | u32::from(cond.0) << 12;
    float(b, op, size, dst.0, dst.0, otherwise.0);
}

pub(super) fn call_memory(b: &mut Buffer, code: Address) {
    super::memory::access_at(b, accesses::LDR_X, SCRATCH2.0, code);
    put(b, ops::BLR | u32::from(SCRATCH2.0) << 5);
}
