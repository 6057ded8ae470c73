//! Operations on vectors that take several instructions.
//!
//! The one idea: `s` is the scratch register and `t` the one that comes along; the destination is written once the first operand, which it may be, is not
//! needed any more.

use super::encode::*;
use super::float::{mov, with_constant};
use super::vector::*;
use super::{FLOAT_SCRATCH, X64, wide};
use crate::buffer::Buffer;
use crate::machine::*;
use crate::vector::{Half, Lanes, VectorOp};

/// From floats to integers of 32 bits. What has no value becomes the lowest one.
pub(super) const CVTTPS2DQ: Op = ops::scalar(false, 0x5b);
pub(super) const CVTTPD2DQ: Op = i1(0xe6);
const CVTDQ2PS: Op = ops::packed(false, 0x5b);
const PACKED_AND: Op = ops::packed(false, ops::AND);
const PACKED_OR: Op = ops::packed(false, ops::OR);
const PACKED_XOR: Op = ops::packed(false, ops::XOR);
const ANDNPS: Op = ops::packed(false, 0x55);
const S: Fpr = FLOAT_SCRATCH;

/// Predicates of comparisons of floats.
const FLOAT_EQ: u8 = 0;
const FLOAT_LE: u8 = 2;
const UNORDERED: u8 = 3;

/// A constant of equal lanes.
fn each(lanes: Lanes, value: u64) -> u64 {
    let bits = lanes.bits();
    value * (u64::MAX / (u64::MAX >> (64 - bits)))
}

/// `dst op= constant` of equal lanes.
fn with_each(b: &mut Buffer, op: Op, dst: Fpr, lanes: Lanes, value: u64) {
    let half = each(lanes, value);
    with_constant(b, op, dst, half, half);
}

fn compare_float(b: &mut Buffer, size: Size, dst: Fpr, src: Fpr, predicate: u8) {
    apply(b, ops::packed(wide(size), 0xc2), dst, src);
    imm8(b, predicate);
}

fn zero(b: &mut Buffer, reg: Fpr) {
    apply(b, PXOR, reg, reg);
}

fn ones(b: &mut Buffer, reg: Fpr) {
    apply(b, equal(Lanes::I32), reg, reg);
}

/// Flips all bits.
fn not(b: &mut Buffer, dst: Fpr) {
    ones(b, S);
    apply(b, PXOR, dst, S);
}

/// Lanes of one half, made wider.
fn extend_half(b: &mut Buffer, half: Half, dst: Fpr, x: Fpr) {
    let Half {
        lanes,
        high,
        signed,
    } = half;
    let mut from = x;
    if high {
        apply(b, PSHUFD, dst, x);
        imm8(b, 0xee);
        from = dst;
    }
    apply(b, extend(lanes, signed), dst, from);
}

pub(super) fn write(b: &mut Buffer, op: VectorOp, dst: Fpr, operands: [Fpr; 3], t: Fpr) {
    let [x, y, z] = operands;
    match op {
        VectorOp::Not => {
            ones(b, S);
            mov(b, dst, x);
            apply(b, PXOR, dst, S);
        }
        VectorOp::Bitselect | VectorOp::RelaxedSelect(Lanes::I16) => bitselect(b, dst, x, y, z, t),
        VectorOp::RelaxedSelect(lanes) => {
            // By the lanes' highest bits.
            zero(b, S);
            apply(b, greater(lanes), S, z);
            bitselect(b, dst, x, y, S, t);
        }
        VectorOp::Compare(cc, lanes) => compare(b, cc, lanes, dst, x, y),
        VectorOp::Neg(lanes) => {
            zero(b, S);
            apply(b, sub(lanes), S, x);
            mov(b, dst, S);
        }
        VectorOp::Popcnt => popcnt(b, dst, x, t),
        VectorOp::Q15Mulr => {
            mov(b, dst, x);
            apply(b, PMULHRSW, dst, y);
            // Only the lowest number squared is too large.
            mov(b, S, dst);
            with_each(b, equal(Lanes::I16), S, Lanes::I16, 0x8000);
            apply(b, PXOR, dst, S);
        }
        VectorOp::Extend(half) => extend_half(b, half, dst, x),
        VectorOp::ExtMul(half) => {
            extend_half(b, half, S, x);
            extend_half(b, half, t, y);
            let multiply = match (half.lanes, half.signed) {
                (Lanes::I8, _) => i1(0xd5),
                (Lanes::I16, _) => i2(0x40),
                (_, true) => PMULDQ,
                (_, false) => PMULUDQ,
            };
            mov(b, dst, S);
            apply(b, multiply, dst, t);
        }
        VectorOp::ExtAddPairwise(lanes, signed) => add_pairs(b, lanes, signed, dst, x),
        VectorOp::Unary(unary, size) => {
            let (lanes, sign) = match size {
                Size::S32 => (Lanes::I32, 1 << 31),
                _ => (Lanes::I64, 1 << 63),
            };
            mov(b, dst, x);
            match unary {
                FloatUnary::Neg => with_each(b, PACKED_XOR, dst, lanes, sign),
                _ => with_each(b, PACKED_AND, dst, lanes, sign - 1),
            }
        }
        VectorOp::Float(op, size) => min_max(b, op, size, dst, x, y, t),
        VectorOp::Convert(size, _) => convert_unsigned(b, size, dst, x),
        VectorOp::TruncSat(size, signed) => truncate(b, size, signed, dst, x, t),
        VectorOp::Swizzle => {
            // Numbers from sixteen on get their highest bit set, and then become zero.
            mov(b, S, y);
            with_each(b, PADDUSB, S, Lanes::I8, 0x70);
            mov(b, dst, x);
            apply(b, PSHUFB, dst, S);
        }
        VectorOp::DotBytes => {
            let [low, high] = byte_products(b, dst, x, y, t);
            apply(b, i2(0x01), low, high);
            mov(b, dst, low);
        }
        VectorOp::DotBytesAdd => {
            let [low, high] = byte_products(b, dst, x, y, t);
            for half in [low, high] {
                with_each(b, PMADDWD, half, Lanes::I16, 1);
            }
            apply(b, i2(0x02), low, high);
            apply(b, add(Lanes::I32), low, z);
            mov(b, dst, low);
        }
        VectorOp::RelaxedDotBytesAdd => {
            mov(b, S, y);
            apply(b, PMADDUBSW, S, x);
            with_each(b, PMADDWD, S, Lanes::I16, 1);
            apply(b, add(Lanes::I32), S, z);
            mov(b, dst, S);
        }
        VectorOp::MultiplyAdd(size, negate) if b.fma => {
            mov(b, dst, x);
            let opcode = if negate { 0xac } else { 0xa8 };
            fused(b, opcode, wide(size), dst.0, y.0, z.0);
        }
        VectorOp::MultiplyAdd(size, negate) => {
            mov(b, S, x);
            apply(b, ops::packed(wide(size), ops::MUL), S, y);
            mov(b, dst, z);
            let opcode = if negate { ops::SUB } else { ops::ADD };
            apply(b, ops::packed(wide(size), opcode), dst, S);
        }
        VectorOp::Abs(lanes) => {
            // Flips all bits and adds one, where the sign is set.
            zero(b, S);
            apply(b, greater(lanes), S, x);
            mov(b, dst, x);
            apply(b, PXOR, dst, S);
            apply(b, sub(lanes), dst, S);
        }
        VectorOp::Mul(_) => multiply_64(b, dst, x, y, t),
        // All else is one instruction.
        _ => debug_assert!(false, "{op:?}"),
    }
}

/// Bits of `x` where the mask has ones, else of `y`. The mask is not in `t`.
fn bitselect(b: &mut Buffer, dst: Fpr, x: Fpr, y: Fpr, mask: Fpr, t: Fpr) {
    mov(b, t, mask);
    apply(b, PANDN, t, y);
    mov(b, dst, x);
    apply(b, PAND, dst, mask);
    apply(b, POR, dst, t);
}

/// What is not one instruction.
fn compare(b: &mut Buffer, cc: IntCc, lanes: Lanes, dst: Fpr, x: Fpr, y: Fpr) {
    let by_greater = |b: &mut Buffer, x: Fpr, y: Fpr| {
        mov(b, S, x);
        apply(b, greater(lanes), S, y);
        mov(b, dst, S);
    };
    match (cc, lanes) {
        (IntCc::LeS, Lanes::I64) => by_greater(b, x, y),
        (IntCc::GeS, Lanes::I64) => by_greater(b, y, x),
        (IntCc::Ne, _) => {
            mov(b, dst, x);
            apply(b, equal(lanes), dst, y);
        }
        // An operand that is the greater one is greater or equal.
        _ => {
            let signed = matches!(cc, IntCc::LeS | IntCc::GeS);
            let extremum = match cc {
                IntCc::GeS | IntCc::GeU | IntCc::LtU => max(lanes, signed),
                _ => min(lanes, signed),
            };
            mov(b, S, x);
            apply(b, extremum, S, y);
            mov(b, dst, x);
            apply(b, equal(lanes), dst, S);
        }
    }
    if lanes == Lanes::I64 || matches!(cc, IntCc::Ne | IntCc::LtU | IntCc::GtU) {
        not(b, dst);
    }
}

/// Looks up the bits of each half of a byte.
fn popcnt(b: &mut Buffer, dst: Fpr, x: Fpr, t: Fpr) {
    let counts = u128::from_le_bytes([0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4]);
    let look_up = |b: &mut Buffer, dst: Fpr| {
        with_each(b, PAND, S, Lanes::I8, 0x0f);
        with_constant(b, ops::MOVAPS, dst, counts as u64, (counts >> 64) as u64);
        apply(b, PSHUFB, dst, S);
    };
    mov(b, S, x);
    look_up(b, t);
    mov(b, S, x);
    shift_imm(b, ShiftOp::ShrU, Lanes::I16, S, 4);
    look_up(b, dst);
    apply(b, add(Lanes::I8), dst, t);
}

fn add_pairs(b: &mut Buffer, lanes: Lanes, signed: bool, dst: Fpr, x: Fpr) {
    match (lanes, signed) {
        (Lanes::I8, true) => {
            // The first operand is the unsigned one.
            let half = each(Lanes::I8, 1);
            with_constant(b, ops::MOVAPS, S, half, half);
            apply(b, PMADDUBSW, S, x);
            mov(b, dst, S);
        }
        (Lanes::I8, false) => {
            mov(b, dst, x);
            with_each(b, PMADDUBSW, dst, Lanes::I8, 1);
        }
        (_, true) => {
            mov(b, dst, x);
            with_each(b, PMADDWD, dst, Lanes::I16, 1);
        }
        (_, false) => {
            // As numbers with signs, which are 2^15 less.
            mov(b, dst, x);
            with_each(b, PXOR, dst, Lanes::I16, 0x8000);
            with_each(b, PMADDWD, dst, Lanes::I16, 1);
            with_each(b, add(Lanes::I32), dst, Lanes::I32, 0x1_0000);
        }
    }
}

/// Products of signed bytes: of the lower half and of the upper, in the scratch register and in the destination.
fn byte_products(b: &mut Buffer, dst: Fpr, x: Fpr, y: Fpr, t: Fpr) -> [Fpr; 2] {
    const PMULLW: Op = i1(0xd5);
    let half = |high| Half {
        lanes: Lanes::I8,
        high,
        signed: true,
    };
    extend_half(b, half(false), S, x);
    extend_half(b, half(false), t, y);
    apply(b, PMULLW, S, t);
    extend_half(b, half(true), t, y);
    extend_half(b, half(true), dst, x);
    apply(b, PMULLW, dst, t);
    [S, dst]
}

/// Sums of products of halves.
fn multiply_64(b: &mut Buffer, dst: Fpr, x: Fpr, y: Fpr, t: Fpr) {
    mov(b, S, x);
    shift_imm(b, ShiftOp::ShrU, Lanes::I64, S, 32);
    apply(b, PMULUDQ, S, y);
    mov(b, t, y);
    shift_imm(b, ShiftOp::ShrU, Lanes::I64, t, 32);
    apply(b, PMULUDQ, t, x);
    apply(b, add(Lanes::I64), S, t);
    shift_imm(b, ShiftOp::Shl, Lanes::I64, S, 32);
    mov(b, dst, x);
    apply(b, PMULUDQ, dst, y);
    apply(b, add(Lanes::I64), dst, S);
}

/// The instruction gives its second operand where both are zeros or one is a NaN: both orders are tried, and what differs is the sign of a zero or
/// a NaN, whose lower bits are cleared then.
fn min_max(b: &mut Buffer, op: FloatOp, size: Size, dst: Fpr, x: Fpr, y: Fpr, t: Fpr) {
    let opcode = match op {
        FloatOp::Min => ops::MIN,
        _ => ops::MAX,
    };
    let extremum = ops::packed(wide(size), opcode);
    mov(b, S, x);
    apply(b, extremum, S, y);
    mov(b, t, y);
    apply(b, extremum, t, x);
    if op == FloatOp::Min {
        apply(b, PACKED_OR, S, t);
        compare_float(b, size, t, S, UNORDERED);
        apply(b, PACKED_OR, S, t);
    } else {
        apply(b, PACKED_XOR, t, S);
        apply(b, PACKED_OR, S, t);
        apply(b, ops::packed(wide(size), ops::SUB), S, t);
        compare_float(b, size, t, S, UNORDERED);
    }
    let (lanes, quiet) = match size {
        Size::S32 => (Lanes::I32, 10),
        _ => (Lanes::I64, 13),
    };
    shift_imm(b, ShiftOp::ShrU, lanes, t, quiet);
    apply(b, ANDNPS, t, S);
    mov(b, dst, t);
}

/// Replaces what is not equal to itself.
pub(super) fn canonical_nans(b: &mut Buffer, size: Size, dst: Fpr, t: Fpr) {
    let nan = crate::vector::canonical_nan(size);
    mov(b, S, dst);
    compare_float(b, size, S, S, UNORDERED);
    mov(b, t, S);
    apply(b, PANDN, t, dst);
    with_constant(b, PAND, S, nan, nan);
    mov(b, dst, S);
    apply(b, POR, dst, t);
}

fn convert_unsigned(b: &mut Buffer, size: Size, dst: Fpr, x: Fpr) {
    if size == Size::S32 {
        // Both halves are exact; the upper one is halved, as it may not have a sign. Only their sum is rounded.
        mov(b, S, x);
        shift_imm(b, ShiftOp::Shl, Lanes::I32, S, 16);
        shift_imm(b, ShiftOp::ShrU, Lanes::I32, S, 16);
        mov(b, dst, x);
        apply(b, sub(Lanes::I32), dst, S);
        shift_imm(b, ShiftOp::ShrU, Lanes::I32, dst, 1);
        apply(b, CVTDQ2PS, S, S);
        apply(b, CVTDQ2PS, dst, dst);
        apply(b, ops::packed(false, ops::ADD), dst, dst);
        return apply(b, ops::packed(false, ops::ADD), dst, S);
    }
    // As the lowest bits of 2^52.
    const UNPCKLPS: Op = ops::packed(false, 0x14);
    mov(b, dst, x);
    with_each(b, UNPCKLPS, dst, Lanes::I32, 0x4330_0000);
    let subtract = ops::packed(true, ops::SUB);
    with_each(b, subtract, dst, Lanes::I64, 0x4330_0000_0000_0000);
}

fn truncate(b: &mut Buffer, size: Size, signed: bool, dst: Fpr, x: Fpr, t: Fpr) {
    match (size, signed) {
        (Size::S32, true) => {
            // NaNs become zeros; the sign of the mask is that of a number that is not negative.
            mov(b, S, x);
            compare_float(b, size, S, S, FLOAT_EQ);
            mov(b, dst, x);
            apply(b, PACKED_AND, dst, S);
            apply(b, PXOR, S, dst);
            apply(b, CVTTPS2DQ, dst, dst);
            // And then a negative result was too large: it becomes the highest number.
            apply(b, PAND, S, dst);
            shift_imm(b, ShiftOp::ShrS, Lanes::I32, S, 31);
            apply(b, PXOR, dst, S);
        }
        (Size::S32, false) => {
            // NaNs and negative numbers become zeros.
            zero(b, S);
            mov(b, dst, x);
            apply(b, ops::packed(false, ops::MAX), dst, S);
            // What is left above 2^31 is added.
            mov(b, t, dst);
            let limit = u64::from(2147483648f32.to_bits());
            with_each(b, ops::packed(false, ops::SUB), t, Lanes::I32, limit);
            let half = each(Lanes::I32, limit);
            with_constant(b, ops::MOVAPS, S, half, half);
            compare_float(b, size, S, t, FLOAT_LE);
            apply(b, CVTTPS2DQ, t, t);
            apply(b, PXOR, t, S);
            zero(b, S);
            apply(b, max(Lanes::I32, true), t, S);
            apply(b, CVTTPS2DQ, dst, dst);
            apply(b, add(Lanes::I32), dst, t);
        }
        (_, true) => {
            mov(b, S, x);
            compare_float(b, size, S, S, FLOAT_EQ);
            let highest = 2147483647f64.to_bits();
            with_each(b, PACKED_AND, S, Lanes::I64, highest);
            // The second operand where the first is a NaN.
            mov(b, dst, x);
            apply(b, ops::packed(true, ops::MIN), dst, S);
            apply(b, CVTTPD2DQ, dst, dst);
        }
        (_, false) => {
            const ROUNDPD: Op = ops::simd(3, 0x09);
            const SHUFPS: Op = ops::packed(false, 0xc6);
            zero(b, S);
            mov(b, dst, x);
            apply(b, ops::packed(true, ops::MAX), dst, S);
            let highest = 4294967295f64.to_bits();
            with_each(b, ops::packed(true, ops::MIN), dst, Lanes::I64, highest);
            apply(b, ROUNDPD, dst, dst);
            imm8(b, 11);
            // As the lowest bits of 2^52.
            let add = ops::packed(true, ops::ADD);
            with_each(b, add, dst, Lanes::I64, 0x4330_0000_0000_0000);
            apply(b, SHUFPS, dst, S);
            imm8(b, 0x88);
        }
    }
}

/// Shifts of bytes, and of 64 bits with their sign, by a number that is small enough.
pub(super) fn shift(
    b: &mut Buffer,
    op: ShiftOp,
    lanes: Lanes,
    dst: Fpr,
    x: Fpr,
    count: Src,
    t: Fpr,
) {
    let words = Lanes::I16;
    X64::splat_count(b, count);
    if lanes == Lanes::I64 {
        // Where the sign bit goes, from where it is then extended.
        let sign = 1 << 63;
        with_constant(b, ops::MOVAPS, t, sign, sign);
        apply(b, super::vector::shift(ShiftOp::ShrU, lanes), t, S);
        mov(b, dst, x);
        apply(b, super::vector::shift(ShiftOp::ShrU, lanes), dst, S);
        apply(b, PXOR, dst, t);
        return apply(b, sub(lanes), dst, t);
    }
    if op == ShiftOp::ShrS {
        // Each byte twice, as a word.
        const PUNPCKLBW: Op = i1(0x60);
        const PUNPCKHBW: Op = i1(0x68);
        mov(b, t, x);
        apply(b, PUNPCKHBW, t, t);
        mov(b, dst, x);
        apply(b, PUNPCKLBW, dst, dst);
        for half in [t, dst] {
            shift_imm(b, op, words, half, 8);
            apply(b, super::vector::shift(op, words), half, S);
        }
        return apply(b, PACKSSWB, dst, t);
    }
    // Which bits of a byte are left, before it is shifted left or after it is shifted right.
    ones(b, t);
    shift_imm(b, ShiftOp::ShrU, words, t, 8);
    apply(b, super::vector::shift(ShiftOp::ShrU, words), t, S);
    apply(b, PACKUSWB, t, t);
    mov(b, dst, x);
    if op == ShiftOp::Shl {
        apply(b, PAND, dst, t);
    }
    apply(b, super::vector::shift(op, words), dst, S);
    if op == ShiftOp::ShrU {
        apply(b, PAND, dst, t);
    }
}
