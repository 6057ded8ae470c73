//! The machine AArch64, with what version 8.0 of the architecture has.
//!
//! The one idea: `x14` and `x15`, in which neither a parameter nor a result is, hold the start of the first memory and the context while they are
//! known; `x16`, `x17`, `v30` and `v31` are scratch, the other registers that calls clobber hold temporary values.
//!
//! An access of memory may take several instructions; the one that faults is the last one.

mod atomic;
mod branch;
mod encode;
mod float;
mod frame;
mod imm;
mod int;
mod memory;
#[cfg(test)]
mod tests;
mod vector;

use crate::buffer::{Buffer, Label};
use crate::machine::*;
use encode::*;
use meantime_abi::{FUEL_REGISTER_AARCH64, RelocationKind};

/// See the module.
pub(crate) enum A64 {}

/// What operations load their sources into.
const SCRATCH: Gpr = Gpr(16);
/// The same, and sums of addresses; only the machine uses it.
const SCRATCH2: Gpr = Gpr(17);
const FLOAT_SCRATCH: Fpr = Fpr(31);
const FLOAT_SCRATCH2: Fpr = Fpr(30);
const FP: Gpr = Gpr(29);
const LR: u8 = 30;

const fn gprs<const N: usize>(first: u8) -> [Gpr; N] {
    let mut regs = [Gpr(0); N];
    let mut i = 0;
    while i < N {
        regs[i] = Gpr(first + i as u8);
        i += 1;
    }
    regs
}

const fn fprs<const N: usize>(first: u8) -> [Fpr; N] {
    let mut regs = [Fpr(0); N];
    let mut i = 0;
    while i < N {
        regs[i] = Fpr(first + i as u8);
        i += 1;
    }
    regs
}

fn frame_at(disp: i32) -> Address {
    Address::new(FP, disp)
}

fn stack_at(offset: u32) -> Address {
    Address::new(Gpr(SP), offset as i32)
}

impl Machine for A64 {
    /// `x0` to `x13`.
    const TEMPS: u32 = 0x3fff;
    /// `v0` to `v7` and `v16` to `v19`.
    const FLOAT_TEMPS: u32 = 0xf_00ff;
    const PINS: &'static [Gpr] = &gprs::<10>(19);
    const FUEL: Gpr = Gpr(FUEL_REGISTER_AARCH64);
    const PINS_BESIDE_FUEL: &'static [Gpr] = &{
        let mut regs = [Gpr(0); 9];
        let mut i = 0;
        while i < regs.len() {
            let after = Self::PINS[i].0 >= FUEL_REGISTER_AARCH64;
            regs[i] = Self::PINS[i + after as usize];
            i += 1;
        }
        regs
    };
    const FLOAT_PINS: &'static [Fpr] = &fprs::<10>(20);
    const CONTEXT: Gpr = Gpr(15);
    const BASE: Gpr = Gpr(14);
    const SCRATCH: Gpr = SCRATCH;
    const CALLEE: Gpr = Gpr(1);
    const RESULT: Gpr = Gpr(2);
    const FLOAT_RESULT: Fpr = Fpr(0);
    const SHIFT_COUNT: Option<Gpr> = None;
    const DIVISION: Option<(Gpr, Gpr)> = None;

    /// Cranelift keeps `x0` and `x1` free for other ends.
    const PARAMS: &'static [Gpr] = &gprs::<6>(2);
    const FLOAT_PARAMS: &'static [Fpr] = &fprs::<8>(0);
    const RESULTS: &'static [Gpr] = Self::PARAMS;
    const FLOAT_RESULTS: &'static [Fpr] = Self::FLOAT_PARAMS;
    const BUILTIN_PARAMS: &'static [Gpr] = &gprs::<8>(0);
    const EXCEPTION: Gpr = Gpr(0);
    const ALIGN: u32 = 16;
    const REPLACE_SPACE: u32 = 0;
    const RESULT_AREA: Option<Gpr> = Some(Gpr(8));
    const BUILTIN_RESULT: Gpr = Gpr(0);
    /// What conditional branches and loads of constants reach.
    const MAX_NEAR_CODE: u32 = 1 << 20;
    /// What jumps reach.
    const MAX_CODE: u32 = 1 << 27;

    fn patch(code: &mut [u8], at: u32, form: u32, target: u32) {
        branch::patch(code, at, form, target);
    }

    #[inline]
    fn move_int(b: &mut Buffer, size: Size, dst: Gpr, src: Src) {
        int::load(b, size, dst, src);
    }

    #[inline]
    fn store_frame(b: &mut Buffer, size: Size, disp: i32, src: Src) {
        memory::store_int(b, size, frame_at(disp), src);
    }

    fn store_arg(b: &mut Buffer, size: Size, offset: u32, src: Src) {
        memory::store_int(b, size, stack_at(offset), src);
    }

    fn swap_int(b: &mut Buffer, x: Gpr, y: Gpr) {
        for (to, from) in [(SCRATCH, x), (x, y), (y, SCRATCH)] {
            int::mov(b, Size::S64, to, from);
        }
    }

    #[inline]
    fn move_float(b: &mut Buffer, size: Size, dst: Fpr, src: FSrc) {
        float::load(b, size, dst, src);
    }

    fn store_frame_float(b: &mut Buffer, size: Size, disp: i32, src: FSrc) {
        float::store(b, size, frame_at(disp), src);
    }

    fn store_arg_float(b: &mut Buffer, size: Size, offset: u32, src: FSrc) {
        float::store(b, size, stack_at(offset), src);
    }

    fn swap_float(b: &mut Buffer, x: Fpr, y: Fpr) {
        for (to, from) in [(FLOAT_SCRATCH, x), (x, y), (y, FLOAT_SCRATCH)] {
            float::mov(b, to, from);
        }
    }

    fn frame_address(b: &mut Buffer, dst: Gpr, disp: i32) {
        int::add_imm(b, Size::S64, dst.0, FP.0, i64::from(disp));
    }

    fn clear_frame(b: &mut Buffer, disp: i32, slots: u32) -> bool {
        frame::clear(b, disp, slots);
        false
    }

    #[inline]
    fn int_op(b: &mut Buffer, op: IntOp, size: Size, dst: Gpr, x: Src, y: Src) {
        int::op(b, op, size, dst, x, y);
    }

    #[inline]
    fn shift(b: &mut Buffer, op: ShiftOp, size: Size, dst: Gpr, x: Src, count: Src) {
        int::shift(b, op, size, dst, x, count);
    }

    fn bit_op(b: &mut Buffer, op: BitOp, size: Size, dst: Gpr, x: Src) {
        int::bit_op(b, op, size, dst, x);
    }

    fn extend(b: &mut Buffer, extend: Extend, size: Size, dst: Gpr, x: Src) {
        int::extend(b, extend, size, dst, x);
    }

    fn divide(b: &mut Buffer, division: Division, dst: Gpr, x: Gpr, y: Src) {
        int::divide(b, division, dst, x, y);
    }

    fn add_or_jump(b: &mut Buffer, dst: Gpr, x: Gpr, y: Src, overflow: Label) {
        int::add_or_jump(b, dst, x, y, overflow);
    }

    fn add_carry(b: &mut Buffer, subtract: bool, x: (Gpr, Gpr), y: (Src, Src)) {
        int::add_carry(b, subtract, x, y);
    }

    fn multiply_wide(b: &mut Buffer, signed: bool, dst: (Gpr, Gpr), x: Gpr, y: Src) {
        int::multiply_wide(b, signed, dst, x, y);
    }

    #[inline]
    fn compare(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Src) -> Cond {
        int::compare(b, cc, size, x, y)
    }

    #[inline]
    fn test(b: &mut Buffer, size: Size, x: Src, mask: Src) -> Cond {
        int::test(b, size, x, mask)
    }

    fn compare_float(b: &mut Buffer, cc: FloatCc, size: Size, x: Fpr, y: Fpr) -> Cond {
        float::compare(b, cc, size, x, y)
    }

    fn invert(cond: Cond) -> Cond {
        // Conditions come in pairs that differ in the lowest bit.
        Cond(cond.0 ^ 1)
    }

    fn set(b: &mut Buffer, cond: Cond, dst: Gpr) {
        branch::set(b, cond, dst);
    }

    fn select(b: &mut Buffer, cond: Cond, size: Size, dst: Gpr, otherwise: Src) {
        branch::select(b, cond, size, dst, otherwise);
    }

    fn select_float(b: &mut Buffer, cond: Cond, size: Size, dst: Fpr, otherwise: FSrc) {
        branch::select_float(b, cond, size, dst, otherwise);
    }

    #[inline]
    fn float_op(b: &mut Buffer, op: FloatOp, size: Size, dst: Fpr, x: FSrc, y: FSrc) {
        float::op(b, op, size, dst, x, y);
    }

    fn float_unary(b: &mut Buffer, op: FloatUnary, size: Size, dst: Fpr, x: FSrc) {
        float::unary(b, op, size, dst, x);
    }

    fn convert_float(b: &mut Buffer, from: Size, dst: Fpr, x: FSrc) {
        float::convert_width(b, from, dst, x);
    }

    fn int_to_float(b: &mut Buffer, signed: bool, from: Size, to: Size, dst: Fpr, x: Src) {
        float::from_int(b, signed, from, to, dst, x);
    }

    fn truncate(b: &mut Buffer, truncation: Truncation, dst: Gpr, x: Fpr) {
        float::truncate(b, truncation, dst, x);
    }

    fn float_bits(b: &mut Buffer, size: Size, dst: Gpr, x: Fpr) {
        convert(b, ops::FMOV_TO_INT, size, size, dst.0, x.0);
    }

    fn float_of_bits(b: &mut Buffer, size: Size, dst: Fpr, x: Gpr) {
        convert(b, ops::FMOV_OF_INT, size, size, dst.0, x.0);
    }

    #[inline]
    fn load(b: &mut Buffer, load: Load, dst: Gpr, from: Address) {
        memory::load(b, load, dst, from);
    }

    #[inline]
    fn store(b: &mut Buffer, store: Store, to: Address, src: Src) {
        memory::store(b, store, to, src);
    }

    fn load_float(b: &mut Buffer, size: Size, dst: Fpr, from: Address) {
        memory::access_at(b, memory::float_load_of(size), dst.0, from);
    }

    fn store_float(b: &mut Buffer, size: Size, to: Address, src: Fpr) {
        memory::access_at(b, memory::float_store_of(size), src.0, to);
    }

    fn address(b: &mut Buffer, dst: Gpr, of: Address) {
        memory::address(b, dst, of);
    }

    fn scaled(b: &mut Buffer, dst: Gpr, base: Gpr, index: Gpr, shift: u8) {
        let regs = [dst.0, base.0, index.0];
        rrr_lsl(b, ops::ADD, Size::S64, regs, shift);
    }

    fn compare_memory(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Address) -> Cond {
        memory::compare_memory(b, cc, size, x, y)
    }

    fn count_down(b: &mut Buffer, at: Address, amount: u8) -> (Cond, u32) {
        memory::count_down(b, at, amount)
    }

    fn set_amount(b: &mut Buffer, at: u32, amount: u8) {
        memory::set_amount(b, at, amount);
    }

    fn jump(b: &mut Buffer, label: Label) {
        branch::jump(b, label);
    }

    fn jump_if(b: &mut Buffer, cond: Cond, label: Label) {
        branch::jump_if(b, cond, label);
    }

    fn jump_table(b: &mut Buffer, index: Gpr, labels: &[Label]) {
        branch::jump_table(b, index, labels);
    }

    fn jump_to(b: &mut Buffer, code: Gpr) {
        put(b, ops::BR | u32::from(code.0) << 5);
    }

    fn trap(b: &mut Buffer) {
        put(b, ops::UDF);
    }

    fn call_relative(b: &mut Buffer) -> u32 {
        put(b, ops::BL);
        b.at() - 4
    }

    fn jump_relative(b: &mut Buffer) -> u32 {
        put(b, ops::B);
        b.at() - 4
    }

    fn call_memory(b: &mut Buffer, code: Address) {
        branch::call_memory(b, code);
    }

    fn call_to(b: &mut Buffer, code: Gpr) {
        put(b, ops::BLR | u32::from(code.0) << 5);
    }

    fn relocation() -> (RelocationKind, i64) {
        (RelocationKind::Aarch64Branch26, 0)
    }

    fn after_call(b: &mut Buffer, popped: u32) {
        frame::move_stack(b, -i64::from(popped));
    }

    fn enter_frame(b: &mut Buffer) -> u32 {
        frame::enter(b)
    }

    fn set_frame_size(b: &mut Buffer, at: u32, size: u32) {
        frame::set_size(b, at, size);
    }

    fn compare_stack(b: &mut Buffer, limit: Address) -> Cond {
        frame::compare_stack(b, limit)
    }

    fn shrink_to_frame(b: &mut Buffer) {
        frame::shrink(b);
    }

    fn leave_frame(b: &mut Buffer) {
        frame::leave(b);
    }

    fn return_(b: &mut Buffer, popped: u32) {
        frame::return_(b, popped);
    }

    fn replace_frame(b: &mut Buffer, own: u32, args: u32) {
        frame::replace(b, own, args);
    }
}
