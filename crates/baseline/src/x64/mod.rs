//! The machine x86-64, with what every processor has that the optimizing compiler accepts: SSE up to 4.2 and `popcnt`.
//!
//! The one idea: `rdi` and `rsi`, in which a call's first two arguments are, hold the context and the start of the first memory while they are
//! known; of the registers that calls clobber, `r11` and `xmm7` are scratch, all others hold temporary values.

mod atomic;
mod bits;
mod branch;
mod encode;
mod float;
mod frame;
mod int;
mod memory;
mod sequence;
#[cfg(test)]
mod tests;
mod vector;

use crate::buffer::{Buffer, Label};
use crate::machine::*;
use encode::*;
use meantime_abi::{FUEL_REGISTER_X86_64, RelocationKind};

/// See the module.
pub(crate) enum X64 {}

pub(crate) const RAX: Gpr = Gpr(0);
pub(crate) const RCX: Gpr = Gpr(1);
pub(crate) const RDX: Gpr = Gpr(2);
pub(crate) const RBX: Gpr = Gpr(3);
pub(crate) const RSP: Gpr = Gpr(4);
pub(crate) const RBP: Gpr = Gpr(5);
pub(crate) const RSI: Gpr = Gpr(6);
pub(crate) const RDI: Gpr = Gpr(7);
pub(crate) const R8: Gpr = Gpr(8);
pub(crate) const R9: Gpr = Gpr(9);
pub(crate) const R10: Gpr = Gpr(10);
pub(crate) const R11: Gpr = Gpr(11);
pub(crate) const R12: Gpr = Gpr(12);
pub(crate) const R13: Gpr = Gpr(13);
pub(crate) const R14: Gpr = Gpr(14);
pub(crate) const R15: Gpr = Gpr(15);

/// What floats are computed in where their destination cannot be written yet.
const FLOAT_SCRATCH: Fpr = Fpr(7);

fn wide(size: Size) -> bool {
    size == Size::S64
}

fn frame(disp: i32) -> Mem {
    Mem::new(RBP.0, disp)
}

fn stack(offset: u32) -> Mem {
    Mem::new(RSP.0, offset as i32)
}

fn mem(address: Address) -> Mem {
    Mem {
        base: address.base.0,
        index: address.index.map_or(NO_INDEX, |r| r.0),
        scale: 0,
        disp: address.disp,
    }
}

impl Machine for X64 {
    const TEMPS: u32 = RAX.bit() | RCX.bit() | RDX.bit() | R8.bit() | R9.bit() | R10.bit();
    const FLOAT_TEMPS: u32 = 0x7f;
    const PINS: &'static [Gpr] = &[RBX, R12, R13, R14, R15];
    const FUEL: Gpr = Gpr(FUEL_REGISTER_X86_64);
    const PINS_BESIDE_FUEL: &'static [Gpr] = &[RBX, R12, R13, R14];
    const FLOAT_PINS: &'static [Fpr] = &[
        Fpr(8),
        Fpr(9),
        Fpr(10),
        Fpr(11),
        Fpr(12),
        Fpr(13),
        Fpr(14),
        Fpr(15),
    ];
    const CONTEXT: Gpr = RDI;
    const BASE: Gpr = RSI;
    const SCRATCH: Gpr = R11;
    const CALLEE: Gpr = RAX;
    const RESULT: Gpr = RAX;
    const FLOAT_RESULT: Fpr = Fpr(0);
    const SHIFT_COUNT: Option<Gpr> = Some(RCX);
    const DIVISION: Option<(Gpr, Gpr)> = Some((RAX, RDX));

    const PARAMS: &'static [Gpr] = &[RDI, RSI, RDX, RCX, R8, R9];
    const FLOAT_PARAMS: &'static [Fpr] = &[
        Fpr(0),
        Fpr(1),
        Fpr(2),
        Fpr(3),
        Fpr(4),
        Fpr(5),
        Fpr(6),
        Fpr(7),
    ];
    const RESULTS: &'static [Gpr] = &[RAX, RCX, RDX, RSI, RDI, R8, R9, R10];
    const FLOAT_RESULTS: &'static [Fpr] = Self::FLOAT_PARAMS;
    const BUILTIN_PARAMS: &'static [Gpr] = Self::PARAMS;
    const EXCEPTION: Gpr = RAX;
    const RESULT_AREA: Option<Gpr> = None;
    const BUILTIN_RESULT: Gpr = RAX;
    const ALIGN: u32 = 16;
    const MAX_NEAR_CODE: u32 = Self::MAX_CODE;
    const MAX_CODE: u32 = 1 << 28;
    const REPLACE_SPACE: u32 = 16;

    /// Every distance counts from a place that `form` names.
    fn patch(code: &mut [u8], at: u32, form: u32, target: u32) {
        let distance = target.wrapping_sub(form);
        code[at as usize..at as usize + 4].copy_from_slice(&distance.to_le_bytes());
    }

    #[inline]
    fn move_int(b: &mut Buffer, size: Size, dst: Gpr, src: Src) {
        int::load(b, size, dst, src);
    }

    #[inline(always)]
    fn load_frame(b: &mut Buffer, size: Size, dst: Gpr, disp: i32) {
        ro(b, ops::MOV_LOAD, wide(size), dst.0, Operand::frame(disp));
    }

    #[inline]
    fn store_frame(b: &mut Buffer, size: Size, disp: i32, src: Src) {
        match src {
            Src::Reg(src) => ro(b, ops::MOV_STORE, wide(size), src.0, Operand::frame(disp)),
            _ => memory::store_int(b, size, frame(disp), src),
        }
    }

    fn store_arg(b: &mut Buffer, size: Size, offset: u32, src: Src) {
        memory::store_int(b, size, stack(offset), src);
    }

    fn swap_int(b: &mut Buffer, x: Gpr, y: Gpr) {
        rr(b, ops::XCHG, true, x.0, y.0);
    }

    #[inline]
    fn move_float(b: &mut Buffer, size: Size, dst: Fpr, src: FSrc) {
        float::load(b, size, dst, src);
    }

    fn store_frame_float(b: &mut Buffer, size: Size, disp: i32, src: FSrc) {
        float::store(b, size, frame(disp), src);
    }

    fn store_arg_float(b: &mut Buffer, size: Size, offset: u32, src: FSrc) {
        float::store(b, size, stack(offset), src);
    }

    fn swap_float(b: &mut Buffer, x: Fpr, y: Fpr) {
        for (x, y) in [(x, y), (y, x), (x, y)] {
            rr(b, ops::packed(false, ops::XOR), false, x.0, y.0);
        }
    }

    fn frame_address(b: &mut Buffer, dst: Gpr, disp: i32) {
        rm(b, ops::LEA, true, dst.0, frame(disp));
    }

    fn clear_frame(b: &mut Buffer, disp: i32, slots: u32) -> bool {
        frame::clear(b, disp, slots)
    }

    #[inline(never)]
    fn int_op(b: &mut Buffer, op: IntOp, size: Size, dst: Gpr, x: Src, y: Src) {
        int::op(b, op, size, dst, x, y);
    }

    #[inline(always)]
    fn int_op_by(b: &mut Buffer, op: IntOp, size: Size, dst: Gpr, x: Src, y: i32) {
        int::op_by(b, op, size, dst, x, y);
    }

    #[inline(always)]
    fn int_op_inline(b: &mut Buffer, op: IntOp, size: Size, dst: Gpr, x: Src, y: Src) {
        int::op(b, op, size, dst, x, y);
    }

    #[inline]
    fn shift(b: &mut Buffer, op: ShiftOp, size: Size, dst: Gpr, x: Src, count: Src) {
        int::shift(b, op, size, dst, x, count);
    }

    fn bit_op(b: &mut Buffer, op: BitOp, size: Size, dst: Gpr, x: Src) {
        bits::op(b, op, size, dst, x);
    }

    #[inline(always)]
    fn extend(b: &mut Buffer, extend: Extend, size: Size, dst: Gpr, x: Src) {
        int::extend(b, extend, size, dst, x);
    }

    fn divide(b: &mut Buffer, division: Division, dst: Gpr, x: Gpr, y: Src) {
        debug_assert!(x == RAX && dst == if division.remainder { RDX } else { RAX });
        int::divide(b, division, y);
    }

    fn add_or_jump(b: &mut Buffer, dst: Gpr, x: Gpr, y: Src, overflow: Label) {
        int::add_or_jump(b, dst, x, y, overflow);
    }

    fn add_carry(b: &mut Buffer, subtract: bool, x: (Gpr, Gpr), y: (Src, Src)) {
        int::add_carry(b, subtract, x, y);
    }

    fn multiply_wide(b: &mut Buffer, signed: bool, dst: (Gpr, Gpr), x: Gpr, y: Src) {
        debug_assert!(x == RAX && dst == (RAX, RDX));
        int::multiply_wide(b, signed, y);
    }

    #[inline(never)]
    fn compare(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Src) -> Cond {
        int::compare(b, cc, size, x, y)
    }

    #[inline(always)]
    fn compare_inline(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Src) -> Cond {
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
        float::convert(b, from, dst, x);
    }

    fn int_to_float(b: &mut Buffer, signed: bool, from: Size, to: Size, dst: Fpr, x: Src) {
        float::from_int(b, signed, from, to, dst, x);
    }

    fn truncate(b: &mut Buffer, truncation: Truncation, dst: Gpr, x: Fpr) {
        float::truncate(b, truncation, dst, x);
    }

    fn float_bits(b: &mut Buffer, size: Size, dst: Gpr, x: Fpr) {
        rr(b, ops::MOV_FROM_XMM, wide(size), x.0, dst.0);
    }

    fn float_of_bits(b: &mut Buffer, size: Size, dst: Fpr, x: Gpr) {
        rr(b, ops::MOV_TO_XMM, wide(size), dst.0, x.0);
    }

    #[inline]
    fn load(b: &mut Buffer, load: Load, dst: Gpr, from: Address) {
        memory::load(b, load, dst, mem(from));
    }

    #[inline]
    fn store(b: &mut Buffer, store: Store, to: Address, src: Src) {
        memory::store(b, store, mem(to), src);
    }

    #[inline]
    fn load_field(b: &mut Buffer, size: Size, dst: Gpr, base: Gpr, disp: i32) {
        if base.0 & 7 == RSP.0 {
            return rm(b, ops::MOV_LOAD, wide(size), dst.0, Mem::new(base.0, disp));
        }
        rb(b, ops::MOV_LOAD, wide(size), dst.0, base.0, disp);
    }

    #[inline]
    fn store_field(b: &mut Buffer, size: Size, base: Gpr, disp: i32, src: Gpr) {
        if base.0 & 7 == RSP.0 {
            return rm(b, ops::MOV_STORE, wide(size), src.0, Mem::new(base.0, disp));
        }
        rb(b, ops::MOV_STORE, wide(size), src.0, base.0, disp);
    }

    #[inline(always)]
    fn load_indexed(b: &mut Buffer, load: Load, dst: Gpr, index: Gpr, offset: i32) {
        memory::load_indexed(b, load, dst, index, offset);
    }

    #[inline(always)]
    fn store_indexed(b: &mut Buffer, store: Store, index: Gpr, offset: i32, src: Src) {
        memory::store_indexed(b, store, index, offset, src);
    }

    fn load_float(b: &mut Buffer, size: Size, dst: Fpr, from: Address) {
        let op = ops::moves(size, ops::MOVS_LOAD);
        rm(b, op, false, dst.0, mem(from));
    }

    fn store_float(b: &mut Buffer, size: Size, to: Address, src: Fpr) {
        let op = ops::moves(size, ops::MOVS_STORE);
        rm(b, op, false, src.0, mem(to));
    }

    fn address(b: &mut Buffer, dst: Gpr, of: Address) {
        rm(b, ops::LEA, true, dst.0, mem(of));
    }

    fn scaled(b: &mut Buffer, dst: Gpr, base: Gpr, index: Gpr, shift: u8) {
        let of = Mem {
            base: base.0,
            index: index.0,
            scale: shift,
            disp: 0,
        };
        rm(b, ops::LEA, true, dst.0, of);
    }

    fn compare_memory(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Address) -> Cond {
        int::compare_memory(b, cc, size, x, mem(y))
    }

    fn count_down(b: &mut Buffer, at: Address, amount: u8) -> (Cond, u32) {
        int::count_down(b, mem(at), amount)
    }

    fn set_amount(b: &mut Buffer, at: u32, amount: u8) {
        b.patch8(at, amount);
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
        rr(b, ops::GROUP5, false, 4, code.0);
    }

    fn trap(b: &mut Buffer) {
        b.put(0x0b0f, 2);
    }

    fn call_relative(b: &mut Buffer) -> u32 {
        b.put(0xe8, 5);
        b.at() - 4
    }

    fn jump_relative(b: &mut Buffer) -> u32 {
        b.put(0xe9, 5);
        b.at() - 4
    }

    fn call_memory(b: &mut Buffer, code: Address) {
        rm(b, ops::GROUP5, false, 2, mem(code));
    }

    fn call_to(b: &mut Buffer, code: Gpr) {
        rr(b, ops::GROUP5, false, 2, code.0);
    }

    fn relocation() -> (RelocationKind, i64) {
        (RelocationKind::X86Pc32, -4)
    }

    fn after_call(b: &mut Buffer, popped: u32) {
        if popped != 0 {
            int::arith_imm(b, int::SUB, true, RSP, popped as i32);
        }
    }

    fn enter_frame(b: &mut Buffer) -> u32 {
        frame::enter(b)
    }

    fn set_frame_size(b: &mut Buffer, at: u32, size: u32) {
        b.patch32(at, size);
    }

    fn compare_stack(b: &mut Buffer, limit: Address) -> Cond {
        int::compare_memory(b, IntCc::LtU, Size::S64, Src::Reg(RSP), mem(limit))
    }

    fn shrink_to_frame(b: &mut Buffer) {
        int::mov(b, Size::S64, RSP, RBP);
    }

    fn leave_frame(b: &mut Buffer) {
        b.put(0xc9, 1);
    }

    fn return_(b: &mut Buffer, popped: u32) {
        frame::return_(b, popped);
    }

    fn replace_frame(b: &mut Buffer, own: u32, args: u32) {
        frame::replace(b, own, args);
    }
}
