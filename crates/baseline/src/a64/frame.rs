//! Frames: how they begin and end, and how one takes the place of another.

use super::encode::*;
use super::int::{add_imm, mov};
use super::{A64, FP, LR, SCRATCH, SCRATCH2, branch};
use crate::buffer::Buffer;
use crate::machine::*;

/// `stp fp, lr, [sp, #-16]!; mov fp, sp`, and two subtractions, as a frame may be larger than an immediate.
pub(super) fn enter(b: &mut Buffer) -> u32 {
    pair(b, ops::STP_PRE, FP.0, LR, SP, -16);
    imm12(b, ops::ADD_IMM, Size::S64, FP.0, SP, 0, false);
    let at = b.at();
    imm12(b, ops::SUB_IMM, Size::S64, SP, SP, 0, false);
    imm12(b, ops::SUB_IMM, Size::S64, SP, SP, 0, true);
    at
}

pub(super) fn set_size(b: &mut Buffer, at: u32, size: u32) {
    // The compiler gives up functions with larger frames.
    assert!(
        size < 1 << 24,
        "a frame is smaller than what two immediates can say"
    );
    let subtract = |imm: u32, shifted: u32| {
        let sp = u32::from(SP);
        1 << 31 | ops::SUB_IMM | shifted << 22 | imm << 10 | sp << 5 | sp
    };
    b.patch32(at, subtract(size & 0xfff, 0));
    b.patch32(at + 4, subtract(size >> 12, 1));
}

pub(super) fn move_stack(b: &mut Buffer, distance: i64) {
    if distance != 0 {
        add_imm(b, Size::S64, SP, SP, distance);
    }
}

pub(super) fn shrink(b: &mut Buffer) {
    imm12(b, ops::ADD_IMM, Size::S64, SP, FP.0, 0, false);
}

pub(super) fn leave(b: &mut Buffer) {
    shrink(b);
    pair(b, ops::LDP_POST, FP.0, LR, SP, 16);
}

pub(super) fn return_(b: &mut Buffer, popped: u32) {
    move_stack(b, i64::from(popped));
    put(b, ops::RET);
}

/// Slots cleared by instructions of their own.
const UNROLLED: u32 = 16;

pub(super) fn clear(b: &mut Buffer, disp: i32, slots: u32) {
    let at = SCRATCH2.0;
    add_imm(b, Size::S64, at, FP.0, i64::from(disp));
    let pairs = slots / 2;
    if slots <= UNROLLED {
        for i in 0..pairs {
            pair(b, ops::STP, ZR, ZR, at, i as i32 * 16);
        }
    } else {
        super::imm::load(b, SCRATCH, u64::from(pairs));
        let again = b.label();
        b.bind::<A64>(again);
        // `stp xzr, xzr, [at], #16`.
        const STP_POST: Op = 0xa880_0000;
        pair(b, STP_POST, ZR, ZR, at, 16);
        imm12(b, ops::SUBS_IMM, Size::S64, SCRATCH.0, SCRATCH.0, 1, false);
        branch::jump_if(b, super::int::NOT_EQUAL, again);
    }
    if slots % 2 == 1 {
        let offset = if slots <= UNROLLED { pairs * 16 } else { 0 };
        access(b, accesses::STR_X, ZR, Mode::Scaled { base: at, offset });
    }
}

/// The arguments are at the stack pointer. They go to where the caller's stack pointer was, from there downwards: perhaps over this very frame.
/// That goes well from the last one on, as each moves up.
pub(super) fn replace(b: &mut Buffer, own: u32, args: u32) {
    // Neither is a parameter's, nor the callee, nor the address of results.
    const COPIED: u8 = 9;
    const CALLER: u8 = 10;
    let top = 16 + i64::from(own) - i64::from(args);
    if args == 0 {
        leave(b);
        return move_stack(b, top - 16);
    }
    pair(b, ops::LDP, CALLER, LR, FP.0, 0);
    add_imm(b, Size::S64, SCRATCH.0, FP.0, top);
    for offset in (0..args).step_by(8).rev() {
        let at = |base: u8| Mode::Scaled { base, offset };
        access(b, accesses::LDR_X, COPIED, at(SP));
        access(b, accesses::STR_X, COPIED, at(SCRATCH.0));
    }
    imm12(b, ops::ADD_IMM, Size::S64, SP, SCRATCH.0, 0, false);
    mov(b, Size::S64, FP, Gpr(CALLER));
}

/// The condition that the stack pointer is below what is in memory.
pub(super) fn compare_stack(b: &mut Buffer, limit: Address) -> Cond {
    super::memory::access_at(b, accesses::LDR_X, SCRATCH2.0, limit);
    rrr(b, ops::SUBS_SP, Size::S64, ZR, SP, SCRATCH2.0);
    super::int::LOWER
}
