//! Frames: how they begin and end, and how one takes the place of another.

use super::encode::*;
use super::int::{self, SUB, XOR};
use super::{R10, R11, RAX, RBP, RCX, RDI, RSP, frame, stack};
use crate::buffer::Buffer;
use crate::machine::*;

/// `push rbp; mov rbp, rsp; sub rsp, imm32`.
pub(super) fn enter(b: &mut Buffer) -> u32 {
    push(b, RBP.0);
    int::mov(b, Size::S64, RBP, RSP);
    rr(b, ops::ARITH_IMM32, true, SUB, RSP.0);
    imm32(b, 0);
    b.at() - 4
}

pub(super) fn return_(b: &mut Buffer, popped: u32) {
    if popped == 0 {
        b.put(0xc3, 1);
    } else {
        // A function has at most a thousand parameters of sixteen bytes.
        b.put(0xc2 | u64::from(popped as u16) << 8, 3);
    }
}

/// Slots cleared by instructions of their own.
const UNROLLED: u32 = 16;

pub(super) fn clear(b: &mut Buffer, disp: i32, slots: u32) -> bool {
    if slots > UNROLLED {
        // `rep stosq` writes `rcx` words of `rax` from `rdi` upwards.
        rm(b, ops::LEA, true, RDI.0, frame(disp));
        rr(b, ops::ARITH.plus(XOR * 8), false, RAX.0, RAX.0);
        mov_imm32(b, RCX.0, slots);
        b.put(0xab_48f3, 3);
        return true;
    }
    if slots == 1 {
        rm(b, ops::MOV_IMM, true, 0, frame(disp));
        imm32(b, 0);
        return false;
    }
    let xmm = super::FLOAT_SCRATCH.0;
    rr(b, ops::packed(false, ops::XOR), false, xmm, xmm);
    let mut at = 0;
    while at < slots {
        // The last of an odd number is cleared twice.
        let slot = at.min(slots - 2);
        rm(
            b,
            ops::moves(Size::S128, ops::MOVS_STORE),
            false,
            xmm,
            frame(disp + slot as i32 * 8),
        );
        at += 2;
    }
    false
}

/// The arguments are at the stack pointer, after 16 bytes of room. They go to where the caller's stack pointer was, from there downwards, with
/// the return address below them: perhaps over this very frame. That goes well from the last one on, as each moves up.
pub(super) fn replace(b: &mut Buffer, own: u32, args: u32) {
    if args == own {
        for offset in (0..args).step_by(8).rev() {
            rm(b, ops::MOV_LOAD, true, R11.0, stack(offset + 16));
            rm(b, ops::MOV_STORE, true, R11.0, frame(16 + offset as i32));
        }
        // The return address is in its place.
        b.put(0xc9, 1);
        return;
    }
    // The caller's frame pointer and the return address wait below all of that.
    rm(b, ops::MOV_LOAD, true, R11.0, frame(0));
    rm(b, ops::MOV_STORE, true, R11.0, stack(0));
    rm(b, ops::MOV_LOAD, true, R10.0, frame(8));
    let top = 16 + own as i32;
    for offset in (0..args).step_by(8).rev() {
        let to = top - args as i32 + offset as i32;
        rm(b, ops::MOV_LOAD, true, R11.0, stack(offset + 16));
        rm(b, ops::MOV_STORE, true, R11.0, frame(to));
    }
    let return_at = top - args as i32 - 8;
    rm(b, ops::MOV_STORE, true, R10.0, frame(return_at));
    rm(b, ops::LEA, true, R11.0, frame(return_at));
    rm(b, ops::MOV_LOAD, true, RBP.0, stack(0));
    int::mov(b, Size::S64, RSP, R11);
}
