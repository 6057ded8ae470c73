//! Floats: arithmetic with three operands, and conversions as the specification defines them.
//!
//! The processor's conversions to integers give one result for all that has none, so those that differ from it are looked at again.

use super::branch::{FLOAT_EQUAL, FLOAT_NOT_EQUAL};
use super::encode::*;
use super::int::{self, BELOW, CMP, NOT_EQUAL, OVERFLOW, PARITY, SIGN, XOR, arith_imm, load_imm};
use super::{FLOAT_SCRATCH, R11, X64, frame, wide};
use crate::buffer::Buffer;
use crate::machine::*;
use meantime_abi::Trap;

const ABOVE_EQUAL: Cond = Cond(3);
const BELOW_EQUAL: Cond = Cond(6);
const ABOVE: Cond = Cond(7);
const NO_SIGN: Cond = Cond(9);

pub(super) fn mov(b: &mut Buffer, dst: Fpr, src: Fpr) {
    if dst != src {
        rr(b, ops::MOVAPS, false, dst.0, src.0);
    }
}

/// An instruction whose operand is a constant of sixteen bytes.
pub(super) fn with_constant(b: &mut Buffer, op: Op, reg: Fpr, low: u64, high: u64) {
    let label = b.constant(low, high);
    let at = rip(b, op, false, reg.0);
    b.use_label::<X64>(label, at, at + 4);
}

/// Does not change flags.
pub(super) fn load(b: &mut Buffer, size: Size, dst: Fpr, src: FSrc) {
    let op = ops::moves(size, ops::MOVS_LOAD);
    match src {
        FSrc::Reg(src) => mov(b, dst, src),
        FSrc::Frame(disp) => rm(b, op, false, dst.0, frame(disp)),
        FSrc::Bits(0) => rr(b, ops::packed(false, ops::XOR), false, dst.0, dst.0),
        FSrc::Bits(bits) => with_constant(b, op, dst, bits, 0),
        FSrc::Constant(number) => {
            let (low, high, _) = b.numbered_constant(number);
            with_constant(b, ops::MOVAPS, dst, low, high);
        }
    }
}

pub(super) fn store(b: &mut Buffer, size: Size, to: Mem, src: FSrc) {
    let int = match src {
        FSrc::Reg(src) => return rm(b, ops::moves(size, ops::MOVS_STORE), false, src.0, to),
        _ if size == Size::S128 => {
            load(b, size, FLOAT_SCRATCH, src);
            return store(b, size, to, FSrc::Reg(FLOAT_SCRATCH));
        }
        FSrc::Bits(bits) if size == Size::S32 => Src::Imm(i64::from(bits as i32)),
        FSrc::Bits(bits) => Src::Imm(bits as i64),
        FSrc::Frame(disp) => Src::Frame(disp),
        FSrc::Constant(_) => unreachable!("only vectors are such"),
    };
    super::memory::store_int(b, size, to, int);
}

fn in_reg(b: &mut Buffer, size: Size, src: FSrc) -> Fpr {
    match src {
        FSrc::Reg(reg) => reg,
        _ => {
            load(b, size, FLOAT_SCRATCH, src);
            FLOAT_SCRATCH
        }
    }
}

/// `dst op= src`.
fn apply(b: &mut Buffer, op: Op, dst: Fpr, src: FSrc) {
    match src {
        FSrc::Reg(src) => rr(b, op, false, dst.0, src.0),
        FSrc::Frame(disp) => rm(b, op, false, dst.0, frame(disp)),
        FSrc::Bits(bits) => with_constant(b, op, dst, bits, 0),
        FSrc::Constant(_) => unreachable!("only vectors are such"),
    }
}

pub(super) fn op(b: &mut Buffer, op: FloatOp, size: Size, dst: Fpr, x: FSrc, y: FSrc) {
    let double = wide(size);
    let opcode = match op {
        FloatOp::Add => ops::ADD,
        FloatOp::Sub => ops::SUB,
        FloatOp::Mul => ops::MUL,
        FloatOp::Div => ops::DIV,
        FloatOp::Min | FloatOp::Max => return min_max(b, op, size, dst, x, y),
        FloatOp::Copysign => return copysign(b, size, dst, x, y),
    };
    let (x, y) = if y == FSrc::Reg(dst) && op.commutes() {
        (y, x)
    } else {
        (x, y)
    };
    let y = aside(b, size, dst, x, y);
    load(b, size, dst, x);
    apply(b, ops::scalar(double, opcode), dst, y);
}

/// The second source, moved out of the way of the first one's move to the destination.
fn aside(b: &mut Buffer, size: Size, dst: Fpr, x: FSrc, y: FSrc) -> FSrc {
    if y == FSrc::Reg(dst) && x != y {
        load(b, size, FLOAT_SCRATCH, y);
        return FSrc::Reg(FLOAT_SCRATCH);
    }
    y
}

/// The instruction knows neither that zeros have signs nor that a NaN wins: equal and unordered operands are dealt with apart.
fn min_max(b: &mut Buffer, op: FloatOp, size: Size, dst: Fpr, x: FSrc, y: FSrc) {
    let double = wide(size);
    let y = aside(b, size, dst, x, y);
    load(b, size, dst, x);
    let y = in_reg(b, size, y);
    let (opcode, equal) = match op {
        FloatOp::Min => (ops::MIN, ops::OR),
        _ => (ops::MAX, ops::AND),
    };
    let (differ, nan, done) = (b.label(), b.label(), b.label());
    rr(b, ops::packed(double, ops::UCOMIS), false, dst.0, y.0);
    X64::jump_if(b, NOT_EQUAL, differ);
    X64::jump_if(b, PARITY, nan);
    rr(b, ops::packed(false, equal), false, dst.0, y.0);
    X64::jump(b, done);
    b.bind::<X64>(nan);
    rr(b, ops::scalar(double, ops::ADD), false, dst.0, y.0);
    X64::jump(b, done);
    b.bind::<X64>(differ);
    rr(b, ops::scalar(double, opcode), false, dst.0, y.0);
    b.bind::<X64>(done);
}

fn sign_bit(size: Size) -> u64 {
    match size {
        Size::S32 => 1 << 31,
        _ => 1 << 63,
    }
}

fn magnitude(size: Size) -> u64 {
    match size {
        Size::S32 => (1 << 31) - 1,
        _ => (1 << 63) - 1,
    }
}

fn copysign(b: &mut Buffer, size: Size, dst: Fpr, x: FSrc, y: FSrc) {
    load(b, size, FLOAT_SCRATCH, y);
    load(b, size, dst, x);
    with_constant(b, ops::packed(false, ops::AND), dst, magnitude(size), 0);
    let sign = sign_bit(size);
    with_constant(b, ops::packed(false, ops::AND), FLOAT_SCRATCH, sign, 0);
    rr(
        b,
        ops::packed(false, ops::OR),
        false,
        dst.0,
        FLOAT_SCRATCH.0,
    );
}

pub(super) fn unary(b: &mut Buffer, op: FloatUnary, size: Size, dst: Fpr, x: FSrc) {
    let double = wide(size);
    // To the nearest, down, up, to zero; and never inexact.
    let mode = match op {
        FloatUnary::Abs => {
            load(b, size, dst, x);
            let op = ops::packed(false, ops::AND);
            return with_constant(b, op, dst, magnitude(size), 0);
        }
        FloatUnary::Neg => {
            load(b, size, dst, x);
            let op = ops::packed(false, ops::XOR);
            return with_constant(b, op, dst, sign_bit(size), 0);
        }
        FloatUnary::Sqrt => {
            let x = in_reg(b, size, x);
            return rr(b, ops::scalar(double, ops::SQRT), false, dst.0, x.0);
        }
        FloatUnary::Nearest => 8,
        FloatUnary::Floor => 9,
        FloatUnary::Ceil => 10,
        FloatUnary::Trunc => 11,
    };
    let op = if double { ops::ROUNDSD } else { ops::ROUNDSS };
    let x = in_reg(b, size, x);
    rr(b, op, false, dst.0, x.0);
    imm8(b, mode);
}

pub(super) fn convert(b: &mut Buffer, from: Size, dst: Fpr, x: FSrc) {
    let x = in_reg(b, from, x);
    rr(
        b,
        ops::scalar(wide(from), ops::CVT_FLOAT),
        false,
        dst.0,
        x.0,
    );
}

/// Comparisons set the flags of unsigned ones, and all of them where a NaN is compared: so "above" is the direction that is false then.
pub(super) fn compare(b: &mut Buffer, cc: FloatCc, size: Size, x: Fpr, y: Fpr) -> Cond {
    let (x, y, cond) = match cc {
        FloatCc::Eq => (x, y, FLOAT_EQUAL),
        FloatCc::Ne => (x, y, FLOAT_NOT_EQUAL),
        FloatCc::Gt => (x, y, ABOVE),
        FloatCc::Ge => (x, y, ABOVE_EQUAL),
        FloatCc::Lt => (y, x, ABOVE),
        FloatCc::Le => (y, x, ABOVE_EQUAL),
    };
    rr(b, ops::packed(wide(size), ops::UCOMIS), false, x.0, y.0);
    cond
}

pub(super) fn from_int(b: &mut Buffer, signed: bool, from: Size, to: Size, dst: Fpr, x: Src) {
    let op = ops::scalar(wide(to), ops::CVT_FROM_INT);
    let x = int::in_reg(b, from, x);
    // The instruction keeps the destination's upper half, on which it would wait.
    rr(b, ops::packed(false, ops::XOR), false, dst.0, dst.0);
    match (signed, from) {
        (true, _) => rr(b, op, wide(from), dst.0, x.0),
        // Zero-extended, it is a positive number of 64 bits.
        (false, Size::S32) => rr(b, op, true, dst.0, x.0),
        (false, _) => {
            let (large, done) = (b.label(), b.label());
            rr(b, ops::TEST, true, x.0, x.0);
            X64::jump_if(b, SIGN, large);
            rr(b, op, true, dst.0, x.0);
            X64::jump(b, done);
            b.bind::<X64>(large);
            // Half of it, rounded to odd, twice.
            half(b, x);
            rr(b, op, true, dst.0, R11.0);
            rr(b, ops::scalar(wide(to), ops::ADD), false, dst.0, dst.0);
            b.bind::<X64>(done);
        }
    }
}

/// Half of a number in the scratch register, with its lowest bit set when a bit was lost.
fn half(b: &mut Buffer, x: Gpr) {
    int::mov(b, Size::S64, R11, x);
    rr(b, ops::SHIFT_IMM, true, 5, R11.0);
    imm8(b, 1);
    // The carry is the bit that was lost: `jnc` over the `or`.
    let even = b.label();
    X64::jump_if(b, ABOVE_EQUAL, even);
    arith_imm(b, int::OR, true, R11, 1);
    b.bind::<X64>(even);
}

/// Exact bounds of what truncates to a value: the lower one, whether it is itself among those, and the upper one, which is not.
fn bounds(t: Truncation) -> (f64, bool, f64) {
    match (t.from, t.to, t.signed) {
        // Every `f64` above -2^31 - 1 truncates to at least -2^31; `f32` has no value between the two.
        (Size::S64, Size::S32, true) => (-2147483649.0, false, 2147483648.0),
        (_, Size::S32, true) => (-2147483648.0, true, 2147483648.0),
        (_, _, true) => (-9223372036854775808.0, true, 9223372036854775808.0),
        (_, Size::S32, false) => (-1.0, false, 4294967296.0),
        (_, _, false) => (-1.0, false, 18446744073709551616.0),
    }
}

fn float_bits(size: Size, value: f64) -> u64 {
    match size {
        Size::S32 => u64::from((value as f32).to_bits()),
        _ => value.to_bits(),
    }
}

fn compare_constant(b: &mut Buffer, size: Size, x: Fpr, value: f64) {
    let op = ops::packed(wide(size), ops::UCOMIS);
    with_constant(b, op, x, float_bits(size, value), 0);
}

pub(super) fn truncate(b: &mut Buffer, t: Truncation, dst: Gpr, x: Fpr) {
    if !t.signed && t.to == Size::S64 {
        return truncate_u64(b, t, dst, x);
    }
    let convert = ops::scalar(wide(t.from), ops::CVTT_TO_INT);
    let done = b.label();
    if t.signed {
        rr(b, convert, wide(t.to), dst.0, x.0);
        // Only the lowest number minus one overflows.
        arith_imm(b, CMP, wide(t.to), dst, 1);
        X64::jump_if(b, X64::invert(OVERFLOW), done);
    } else {
        // 32 bits unsigned are in 64 bits signed.
        rr(b, convert, true, dst.0, x.0);
        int::mov(b, Size::S64, R11, dst);
        rr(b, ops::SHIFT_IMM, true, 5, R11.0);
        imm8(b, 32);
        X64::jump_if(b, int::EQUAL, done);
    }
    out_of_range(b, t, dst, x, done);
    b.bind::<X64>(done);
}

/// What was converted to something that may not be right: traps or saturates where it is not.
fn out_of_range(b: &mut Buffer, t: Truncation, dst: Gpr, x: Fpr, done: crate::buffer::Label) {
    let (low, inclusive, high) = bounds(t);
    let (lowest, highest) = match (t.to, t.signed) {
        (Size::S32, true) => (u64::from(i32::MIN as u32), u64::from(i32::MAX as u32)),
        (Size::S32, false) => (0, u64::from(u32::MAX)),
        (_, true) => (i64::MIN as u64, i64::MAX as u64),
        (_, false) => (0, u64::MAX),
    };
    rr(b, ops::packed(wide(t.from), ops::UCOMIS), false, x.0, x.0);
    if t.traps {
        let nan = b.trap_label(Trap::BadConversionToInteger);
        X64::jump_if(b, PARITY, nan);
        let overflow = b.trap_label(Trap::IntegerOverflow);
        compare_constant(b, t.from, x, low);
        X64::jump_if(b, if inclusive { BELOW } else { BELOW_EQUAL }, overflow);
        compare_constant(b, t.from, x, high);
        X64::jump_if(b, ABOVE_EQUAL, overflow);
        return;
    }
    let (number, above) = (b.label(), b.label());
    X64::jump_if(b, X64::invert(PARITY), number);
    load_imm(b, dst, 0);
    X64::jump(b, done);
    b.bind::<X64>(number);
    compare_constant(b, t.from, x, high);
    X64::jump_if(b, ABOVE_EQUAL, above);
    // Not above: then it is too low, or it was right, which is the lowest number or zero.
    load_imm(b, dst, lowest);
    X64::jump(b, done);
    b.bind::<X64>(above);
    load_imm(b, dst, highest);
}

/// 64 bits unsigned: what is not below 2^63 is converted less that.
fn truncate_u64(b: &mut Buffer, t: Truncation, dst: Gpr, x: Fpr) {
    let convert = ops::scalar(wide(t.from), ops::CVTT_TO_INT);
    let (large, wrong, done) = (b.label(), b.label(), b.label());
    let middle = 9223372036854775808.0;
    compare_constant(b, t.from, x, middle);
    // Also when it is a NaN, which the next conversion finds out.
    X64::jump_if(b, ABOVE_EQUAL, large);
    rr(b, convert, true, dst.0, x.0);
    rr(b, ops::TEST, true, dst.0, dst.0);
    X64::jump_if(b, NO_SIGN, done);
    X64::jump(b, wrong);
    b.bind::<X64>(large);
    mov(b, FLOAT_SCRATCH, x);
    let subtract = ops::scalar(wide(t.from), ops::SUB);
    with_constant(b, subtract, FLOAT_SCRATCH, float_bits(t.from, middle), 0);
    rr(b, convert, true, dst.0, FLOAT_SCRATCH.0);
    rr(b, ops::TEST, true, dst.0, dst.0);
    X64::jump_if(b, SIGN, wrong);
    load_imm(b, R11, 1 << 63);
    rr(b, ops::ARITH.plus(XOR * 8), true, dst.0, R11.0);
    X64::jump(b, done);
    b.bind::<X64>(wrong);
    out_of_range(b, t, dst, x, done);
    b.bind::<X64>(done);
}
