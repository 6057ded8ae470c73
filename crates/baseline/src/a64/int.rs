//! Integer instructions.
//!
//! The one idea: instructions have three operands in registers, so all there is to do is to get others there. What is loaded for an operation goes to
//! one of two scratch registers, whichever no other operand is in.

use super::encode::*;
use super::imm::{self, extended};
use super::{FLOAT_SCRATCH, SCRATCH, SCRATCH2, branch, memory};
use crate::buffer::{Buffer, Label};
use crate::machine::*;
use meantime_abi::Trap;

/// Conditions, as the processor numbers them.
pub(super) const EQUAL: Cond = Cond(0);
pub(super) const NOT_EQUAL: Cond = Cond(1);
pub(super) const CARRY: Cond = Cond(2);
pub(super) const LOWER: Cond = Cond(3);
pub(super) const NEGATIVE: Cond = Cond(4);
pub(super) const OVERFLOW: Cond = Cond(6);

pub(super) fn cond(cc: IntCc) -> Cond {
    Cond(match cc {
        IntCc::Eq => 0,
        IntCc::Ne => 1,
        IntCc::GeU => 2,
        IntCc::LtU => 3,
        IntCc::GtU => 8,
        IntCc::LeU => 9,
        IntCc::GeS => 10,
        IntCc::LtS => 11,
        IntCc::GtS => 12,
        IntCc::LeS => 13,
    })
}

/// A register to itself is no instruction.
#[inline]
pub(super) fn mov(b: &mut Buffer, size: Size, dst: Gpr, src: Gpr) {
    if dst != src {
        rrr(b, ops::ORR, size, dst.0, ZR, src.0);
    }
}

/// Changes no flags, and no register but the destination.
#[inline]
pub(super) fn load(b: &mut Buffer, size: Size, dst: Gpr, src: Src) {
    match src {
        Src::Reg(src) => mov(b, size, dst, src),
        Src::Imm(value) => imm::load(b, dst, extended(size, value)),
        Src::Frame(disp) => {
            let op = memory::load_of(size);
            memory::frame_through(b, op, dst.0, disp, dst);
        }
    }
}

/// The source in a register: its own, that of zeros, or `scratch`.
#[inline]
pub(super) fn in_reg(b: &mut Buffer, size: Size, src: Src, scratch: Gpr) -> u8 {
    match src {
        Src::Reg(reg) => reg.0,
        Src::Imm(value) if extended(size, value) == 0 => ZR,
        _ => {
            load(b, size, scratch, src);
            scratch.0
        }
    }
}

/// Both sources in registers.
#[inline]
pub(super) fn both(b: &mut Buffer, size: Size, x: Src, y: Src) -> (u8, u8) {
    let (of_x, of_y) = scratches(x, y);
    let x = in_reg(b, size, x, of_x);
    let y = in_reg(b, size, y, of_y);
    (x, y)
}

/// Where two sources go that must be loaded, when the other may be in a scratch register itself.
fn scratches(x: Src, y: Src) -> (Gpr, Gpr) {
    if y == Src::Reg(SCRATCH) || x == Src::Reg(SCRATCH2) {
        (SCRATCH2, SCRATCH)
    } else {
        (SCRATCH, SCRATCH2)
    }
}

/// The scratch register that this is not.
pub(super) fn other_scratch(than: u8) -> Gpr {
    if than == SCRATCH.0 { SCRATCH2 } else { SCRATCH }
}

/// `dst = x + value`, where register 31 is the stack pointer. Changes no flags.
pub(super) fn add_imm(b: &mut Buffer, size: Size, dst: u8, x: u8, value: i64) {
    let magnitude = value.unsigned_abs();
    let op = if value < 0 {
        ops::SUB_IMM
    } else {
        ops::ADD_IMM
    };
    match imm::twelve(magnitude) {
        Some((bits, shifted)) => imm12(b, op, size, dst, x, bits, shifted),
        None if magnitude < 1 << 24 => {
            imm12(b, op, size, dst, x, (magnitude >> 12) as u32, true);
            imm12(b, op, size, dst, dst, (magnitude & 0xfff) as u32, false);
        }
        None => {
            let scratch = other_scratch(x);
            debug_assert!(x != SP);
            imm::load(b, scratch, extended(size, value));
            rrr(b, ops::ADD, size, dst, x, scratch.0);
        }
    }
}

#[inline]
pub(super) fn op(b: &mut Buffer, op: IntOp, size: Size, dst: Gpr, x: Src, y: Src) {
    let (x, y) = match x {
        Src::Imm(_) if op.commutes() => (y, x),
        _ => (x, y),
    };
    let (plain, logical_op) = match op {
        IntOp::Add => (ops::ADD, None),
        IntOp::Sub => (ops::SUB, None),
        IntOp::Mul => (ops::MUL, None),
        IntOp::And => (ops::AND, Some(ops::AND_IMM)),
        IntOp::Or => (ops::ORR, Some(ops::ORR_IMM)),
        IntOp::Xor => (ops::EOR, Some(ops::EOR_IMM)),
    };
    if let Src::Imm(value) = y {
        let value = extended(size, value);
        // As a number with a sign, of which addition and subtraction take the magnitude.
        let signed = match size {
            Size::S32 => i64::from(value as i32),
            _ => value as i64,
        };
        let small = signed.unsigned_abs() < 1 << 24;
        match op {
            IntOp::Add | IntOp::Sub if small => {
                let x = in_reg_not_zero(b, size, x);
                let value = if op == IntOp::Sub { -signed } else { signed };
                return add_imm(b, size, dst.0, x, value);
            }
            IntOp::Mul if value.is_power_of_two() => {
                let count = Src::Imm(i64::from(value.trailing_zeros()));
                return shift(b, ShiftOp::Shl, size, dst, x, count);
            }
            IntOp::Xor if value == extended(size, -1) => {
                let x = in_reg(b, size, x, SCRATCH);
                return rrr(b, ops::ORN, size, dst.0, ZR, x);
            }
            _ => {}
        }
        if let Some(logical_op) = logical_op
            && let Some(bits) = imm::logical_imm(size, value)
        {
            let x = in_reg(b, size, x, SCRATCH);
            return logical(b, logical_op, size, dst.0, x, bits);
        }
    }
    let (x, y) = both(b, size, x, y);
    rrr(b, plain, size, dst.0, x, y);
}

/// For instructions that have the stack pointer in place of the zero register.
fn in_reg_not_zero(b: &mut Buffer, size: Size, x: Src) -> u8 {
    let reg = in_reg(b, size, x, SCRATCH);
    if reg != ZR {
        return reg;
    }
    imm::load(b, SCRATCH, 0);
    SCRATCH.0
}

pub(super) fn shift(b: &mut Buffer, op: ShiftOp, size: Size, dst: Gpr, x: Src, count: Src) {
    let bits = size.bits();
    if let Src::Imm(count) = count {
        let count = count as u32 & (bits - 1);
        if count == 0 {
            return load(b, size, dst, x);
        }
        let x = in_reg(b, size, x, SCRATCH);
        let last = bits - 1;
        return match op {
            ShiftOp::Shl => {
                bitfield(b, ops::UBFM, size, dst.0, x, bits - count, last - count);
            }
            ShiftOp::ShrU => bitfield(b, ops::UBFM, size, dst.0, x, count, last),
            ShiftOp::ShrS => bitfield(b, ops::SBFM, size, dst.0, x, count, last),
            ShiftOp::Rotr => extr(b, size, dst.0, x, x, count),
            ShiftOp::Rotl => extr(b, size, dst.0, x, x, bits - count),
        };
    }
    let (x, mut count) = both(b, size, x, count);
    let op = match op {
        ShiftOp::Shl => ops::LSLV,
        ShiftOp::ShrU => ops::LSRV,
        ShiftOp::ShrS => ops::ASRV,
        ShiftOp::Rotr => ops::RORV,
        ShiftOp::Rotl => {
            // To the right by what is missing to a whole turn.
            let scratch = other_scratch(x);
            rrr(b, ops::SUB, size, scratch.0, ZR, count);
            count = scratch.0;
            ops::RORV
        }
    };
    rrr(b, op, size, dst.0, x, count);
}

pub(super) fn bit_op(b: &mut Buffer, op: BitOp, size: Size, dst: Gpr, x: Src) {
    let x = in_reg(b, size, x, SCRATCH);
    match op {
        BitOp::Clz => rr(b, ops::CLZ, size, dst.0, x),
        BitOp::Ctz => {
            rr(b, ops::RBIT, size, dst.0, x);
            rr(b, ops::CLZ, size, dst.0, dst.0);
        }
        // Only vectors have it: bits of each byte, and their sum.
        BitOp::Popcnt => {
            let v = FLOAT_SCRATCH.0;
            convert(b, ops::FMOV_OF_INT, size, size, v, x);
            vector(b, ops::CNT_8B, v, v, 0);
            vector(b, ops::ADDV_8B, v, v, 0);
            convert(b, ops::FMOV_TO_INT, Size::S32, Size::S32, dst.0, v);
        }
    }
}

pub(super) fn extend(b: &mut Buffer, extend: Extend, size: Size, dst: Gpr, x: Src) {
    let wide = size == Size::S64;
    if let Src::Imm(value) = x {
        let value = match extend {
            Extend::S8 => i64::from(value as i8),
            Extend::S16 => i64::from(value as i16),
            Extend::S32 => i64::from(value as i32),
            Extend::U32 => i64::from(value as u32),
        };
        let size = match extend {
            Extend::S8 | Extend::S16 => size,
            Extend::S32 | Extend::U32 => Size::S64,
        };
        return imm::load(b, dst, extended(size, value));
    }
    if let Src::Frame(disp) = x {
        let op = match extend {
            Extend::S8 if wide => accesses::LDRSB_X,
            Extend::S8 => accesses::LDRSB_W,
            Extend::S16 if wide => accesses::LDRSH_X,
            Extend::S16 => accesses::LDRSH_W,
            Extend::S32 => accesses::LDRSW,
            Extend::U32 => accesses::LDR_W,
        };
        return memory::frame_through(b, op, dst.0, disp, dst);
    }
    let x = in_reg(b, Size::S64, x, SCRATCH);
    match extend {
        Extend::S8 => bitfield(b, ops::SBFM, size, dst.0, x, 0, 7),
        Extend::S16 => bitfield(b, ops::SBFM, size, dst.0, x, 0, 15),
        Extend::S32 => bitfield(b, ops::SBFM, Size::S64, dst.0, x, 0, 31),
        Extend::U32 => rrr(b, ops::ORR, Size::S32, dst.0, ZR, x),
    }
}

/// No division traps by itself: the quotient by zero is zero, and that of the lowest number by minus one is it again.
pub(super) fn divide(b: &mut Buffer, division: Division, dst: Gpr, x: Gpr, y: Src) {
    let size = division.size;
    let y = in_reg(b, size, y, other_scratch(x.0));
    if division.zero {
        let zero = b.trap_label(Division::BY_ZERO);
        branch::jump_if_zero(b, size, y, zero);
    }
    if division.signed && division.minus_one && !division.remainder {
        // Subtracting one overflows from the lowest number only; of others, the second comparison says "not equal".
        imm12(b, ops::SUBS_IMM, size, ZR, x.0, 1, false);
        ccmn(b, size, y, 1, OVERFLOW.0);
        let overflow = b.trap_label(Trap::IntegerOverflow);
        branch::jump_if(b, EQUAL, overflow);
    }
    let op = if division.signed {
        ops::SDIV
    } else {
        ops::UDIV
    };
    if !division.remainder {
        return rrr(b, op, size, dst.0, x.0, y);
    }
    let quotient = if dst != x && dst.0 != y {
        dst
    } else if x != SCRATCH && y != SCRATCH.0 {
        SCRATCH
    } else {
        SCRATCH2
    };
    debug_assert!(quotient != x && quotient.0 != y);
    rrr(b, op, size, quotient.0, x.0, y);
    // Of the lowest number and minus one this is zero, as it should be.
    msub(b, size, dst.0, quotient.0, y, x.0);
}

pub(super) fn add_or_jump(b: &mut Buffer, dst: Gpr, x: Gpr, y: Src, overflow: Label) {
    let short = match y {
        Src::Imm(value) => imm::twelve(value as u64),
        _ => None,
    };
    match short {
        Some((bits, shifted)) => imm12(b, ops::ADDS_IMM, Size::S64, dst.0, x.0, bits, shifted),
        None => {
            let y = in_reg(b, Size::S64, y, other_scratch(x.0));
            rrr(b, ops::ADDS, Size::S64, dst.0, x.0, y);
        }
    }
    branch::jump_if(b, CARRY, overflow);
}

pub(super) fn add_carry(b: &mut Buffer, subtract: bool, x: (Gpr, Gpr), y: (Src, Src)) {
    let (low, high) = if subtract {
        (ops::SUBS, ops::SBCS)
    } else {
        (ops::ADDS, ops::ADCS)
    };
    let y0 = in_reg(b, Size::S64, y.0, SCRATCH);
    rrr(b, low, Size::S64, x.0.0, x.0.0, y0);
    // What loads a source changes no flags.
    let y1 = in_reg(b, Size::S64, y.1, SCRATCH);
    rrr(b, high, Size::S64, x.1.0, x.1.0, y1);
}

pub(super) fn multiply_wide(b: &mut Buffer, signed: bool, dst: (Gpr, Gpr), x: Gpr, y: Src) {
    let y = in_reg(b, Size::S64, y, SCRATCH);
    let high = if signed { ops::SMULH } else { ops::UMULH };
    // Either destination may be a source.
    rrr(b, ops::MUL, Size::S64, SCRATCH2.0, x.0, y);
    rrr(b, high, Size::S64, dst.1.0, x.0, y);
    mov(b, Size::S64, dst.0, SCRATCH2);
}

/// At most one of the operands is an immediate.
pub(super) fn compare(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Src) -> Cond {
    let (cc, x, y) = match x {
        Src::Imm(_) => (cc.swapped(), y, x),
        _ => (cc, x, y),
    };
    if let Src::Imm(value) = y {
        let signed = match size {
            Size::S32 => i64::from(value as i32),
            _ => value,
        };
        let op = if signed < 0 {
            ops::ADDS_IMM
        } else {
            ops::SUBS_IMM
        };
        if let Some((bits, shifted)) = imm::twelve(signed.unsigned_abs()) {
            let x = in_reg_not_zero(b, size, x);
            imm12(b, op, size, ZR, x, bits, shifted);
            return cond(cc);
        }
    }
    let (x, y) = both(b, size, x, y);
    rrr(b, ops::SUBS, size, ZR, x, y);
    cond(cc)
}

/// At most one of the operands is an immediate.
pub(super) fn test(b: &mut Buffer, size: Size, x: Src, mask: Src) -> Cond {
    let (x, mask) = match x {
        Src::Imm(_) => (mask, x),
        _ => (x, mask),
    };
    if let Src::Imm(value) = mask
        && let Some(bits) = imm::logical_imm(size, extended(size, value))
    {
        let x = in_reg(b, size, x, SCRATCH);
        logical(b, ops::ANDS_IMM, size, ZR, x, bits);
        return NOT_EQUAL;
    }
    let (x, mask) = both(b, size, x, mask);
    rrr(b, ops::ANDS, size, ZR, x, mask);
    NOT_EQUAL
}
