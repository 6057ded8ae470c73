//! Floats.
//!
//! The one idea: the processor has what the specification asks for, down to the signs of zeros and what wins over a NaN; only conversions that
//! trap must look first.

use super::encode::*;
use super::int::{self, NOT_EQUAL, OVERFLOW};
use super::memory::{access_at, float_load_of, float_store_of, frame_through, store_int};
use super::{FLOAT_SCRATCH, FLOAT_SCRATCH2, SCRATCH, SCRATCH2, branch, imm};
use crate::buffer::Buffer;
use crate::machine::*;
use meantime_abi::Trap;

const GREATER_EQUAL: Cond = Cond(10);
const LESS: Cond = Cond(11);
const LESS_EQUAL: Cond = Cond(13);

/// The whole register, as it may be a vector.
pub(super) fn mov(b: &mut Buffer, dst: Fpr, src: Fpr) {
    if dst != src {
        vector(b, ops::ORR_16B, dst.0, src.0, src.0);
    }
}

/// Changes no flags.
pub(super) fn load(b: &mut Buffer, size: Size, dst: Fpr, src: FSrc) {
    match src {
        FSrc::Reg(src) => mov(b, dst, src),
        FSrc::Frame(disp) => frame_through(b, float_load_of(size), dst.0, disp, SCRATCH2),
        FSrc::Bits(bits) => constant(b, size, dst, bits),
        FSrc::Constant(number) => {
            let (low, high, _) = b.numbered_constant(number);
            vector_constant(b, dst, low, high);
        }
    }
}

/// A constant of sixteen bytes.
pub(super) fn vector_constant(b: &mut Buffer, dst: Fpr, low: u64, high: u64) {
    if !b.far {
        let label = b.constant(low, high);
        return branch::use_19(b, ops::LDR_LITERAL_Q | u32::from(dst.0), label);
    }
    // Memory may be out of reach.
    constant(b, Size::S64, dst, low);
    imm::load(b, SCRATCH2, high);
    vector(b, ops::MOV_TO_UPPER, dst.0, SCRATCH2.0, 0);
}

/// A constant that takes more instructions than this is loaded from memory, if that is in reach.
const MAX_COST: u32 = 2;

fn constant(b: &mut Buffer, size: Size, dst: Fpr, bits: u64) {
    if bits == 0 {
        return vector(b, ops::MOVI_ZERO, dst.0, 0, 0);
    }
    if let Some(bits) = imm::float_imm(size, bits) {
        return float(b, ops::FMOV_IMM | bits << 13, size, dst.0, 0, 0);
    }
    if imm::cost(bits) > MAX_COST && !b.far {
        let op = match size {
            Size::S32 => ops::LDR_LITERAL_S,
            _ => ops::LDR_LITERAL_D,
        };
        let label = b.constant(bits, 0);
        return branch::use_19(b, op | u32::from(dst.0), label);
    }
    imm::load(b, SCRATCH2, bits);
    convert(b, ops::FMOV_OF_INT, size, size, dst.0, SCRATCH2.0);
}

pub(super) fn store(b: &mut Buffer, size: Size, to: Address, src: FSrc) {
    let int = match src {
        FSrc::Reg(src) => return access_at(b, float_store_of(size), src.0, to),
        _ if size == Size::S128 => {
            load(b, size, FLOAT_SCRATCH, src);
            return store(b, size, to, FSrc::Reg(FLOAT_SCRATCH));
        }
        FSrc::Bits(bits) => Src::Imm(bits as i64),
        FSrc::Frame(disp) => Src::Frame(disp),
        FSrc::Constant(_) => unreachable!("only vectors are such"),
    };
    store_int(b, size, to, int);
}

pub(super) fn in_reg(b: &mut Buffer, size: Size, src: FSrc, scratch: Fpr) -> Fpr {
    match src {
        FSrc::Reg(reg) => reg,
        _ => {
            load(b, size, scratch, src);
            scratch
        }
    }
}

pub(super) fn op(b: &mut Buffer, op: FloatOp, size: Size, dst: Fpr, x: FSrc, y: FSrc) {
    let op = match op {
        FloatOp::Add => ops::FADD,
        FloatOp::Sub => ops::FSUB,
        FloatOp::Mul => ops::FMUL,
        FloatOp::Div => ops::FDIV,
        FloatOp::Min => ops::FMIN,
        FloatOp::Max => ops::FMAX,
        FloatOp::Copysign => return copysign(b, size, dst, x, y),
    };
    let x = in_reg(b, size, x, FLOAT_SCRATCH);
    let y = in_reg(b, size, y, FLOAT_SCRATCH2);
    float(b, op, size, dst.0, x.0, y.0);
}

/// Each bit from one source or the other, by the bits of a mask, which the result replaces.
fn copysign(b: &mut Buffer, size: Size, dst: Fpr, x: FSrc, y: FSrc) {
    let free = |reg: Fpr| x != FSrc::Reg(reg) && y != FSrc::Reg(reg);
    let x = in_reg(b, size, x, FLOAT_SCRATCH2);
    // If neither source is in a register, the destination is free.
    let of_y = if x == FLOAT_SCRATCH2 && free(dst) {
        dst
    } else {
        FLOAT_SCRATCH2
    };
    let y = in_reg(b, size, y, of_y);
    debug_assert!(x != y || x != FLOAT_SCRATCH2);
    let mask = FLOAT_SCRATCH.0;
    // Minus zero.
    vector(b, ops::MOVI_ZERO, mask, 0, 0);
    float(b, ops::FNEG, size, mask, mask, 0);
    vector(b, ops::BSL_8B, mask, y.0, x.0);
    mov(b, dst, FLOAT_SCRATCH);
}

pub(super) fn unary(b: &mut Buffer, op: FloatUnary, size: Size, dst: Fpr, x: FSrc) {
    let op = match op {
        FloatUnary::Abs => ops::FABS,
        FloatUnary::Neg => ops::FNEG,
        FloatUnary::Ceil => ops::FRINTP,
        FloatUnary::Floor => ops::FRINTM,
        FloatUnary::Trunc => ops::FRINTZ,
        FloatUnary::Nearest => ops::FRINTN,
        FloatUnary::Sqrt => ops::FSQRT,
    };
    let x = in_reg(b, size, x, FLOAT_SCRATCH);
    float(b, op, size, dst.0, x.0, 0);
}

pub(super) fn convert_width(b: &mut Buffer, from: Size, dst: Fpr, x: FSrc) {
    let x = in_reg(b, from, x, FLOAT_SCRATCH);
    let op = match from {
        Size::S32 => ops::FCVT_TO_D,
        _ => ops::FCVT_TO_S,
    };
    float(b, op, from, dst.0, x.0, 0);
}

/// Of what a NaN is compared with, only "not equal" holds.
pub(super) fn compare(b: &mut Buffer, cc: FloatCc, size: Size, x: Fpr, y: Fpr) -> Cond {
    float(b, ops::FCMP, size, 0, x.0, y.0);
    Cond(match cc {
        FloatCc::Eq => 0,
        FloatCc::Ne => 1,
        // "Minus" and "lower or same": the signed ones would hold for what is unordered.
        FloatCc::Lt => 4,
        FloatCc::Le => 9,
        FloatCc::Gt => 12,
        FloatCc::Ge => 10,
    })
}

pub(super) fn from_int(b: &mut Buffer, signed: bool, from: Size, to: Size, dst: Fpr, x: Src) {
    let x = int::in_reg(b, from, x, SCRATCH);
    let op = if signed { ops::SCVTF } else { ops::UCVTF };
    convert(b, op, from, to, dst.0, x);
}

/// The conversions saturate. Those that trap compare first, or convert to more bits and look at the result.
pub(super) fn truncate(b: &mut Buffer, t: Truncation, dst: Gpr, x: Fpr) {
    let op = if t.signed { ops::FCVTZS } else { ops::FCVTZU };
    if !t.traps {
        return convert(b, op, t.to, t.from, dst.0, x.0);
    }
    float(b, ops::FCMP, t.from, 0, x.0, x.0);
    let nan = b.trap_label(Trap::BadConversionToInteger);
    branch::jump_if(b, OVERFLOW, nan);
    let overflow = b.trap_label(Trap::IntegerOverflow);
    if t.to == Size::S32 {
        let same = if t.signed {
            ops::SUBS_SXTW
        } else {
            ops::SUBS_UXTW
        };
        convert(b, ops::FCVTZS, Size::S64, t.from, SCRATCH.0, x.0);
        rrr(b, same, Size::S64, ZR, SCRATCH.0, SCRATCH.0);
        branch::jump_if(b, NOT_EQUAL, overflow);
        return rrr(b, ops::ORR, Size::S32, dst.0, ZR, SCRATCH.0);
    }
    let bits = |value: f64| match t.from {
        Size::S32 => u64::from((value as f32).to_bits()),
        _ => value.to_bits(),
    };
    let mut check = |value: f64, wrong: Cond| {
        constant(b, t.from, FLOAT_SCRATCH, bits(value));
        float(b, ops::FCMP, t.from, 0, x.0, FLOAT_SCRATCH.0);
        branch::jump_if(b, wrong, overflow);
    };
    if t.signed {
        check(-9223372036854775808.0, LESS);
        check(9223372036854775808.0, GREATER_EQUAL);
    } else {
        check(-1.0, LESS_EQUAL);
        check(18446744073709551616.0, GREATER_EQUAL);
    }
    convert(b, op, Size::S64, t.from, dst.0, x.0);
}
