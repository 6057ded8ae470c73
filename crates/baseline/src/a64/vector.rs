//! Vectors: the processor has nearly every operation as an instruction.
//!
//! The one idea: an instruction on three registers reads its sources before it writes, so only what takes several instructions uses the scratch
//! registers; results are moved from there.

use super::encode::*;
use super::float::{mov, vector_constant};
use super::memory::access_at;
use super::{A64, FLOAT_SCRATCH, FLOAT_SCRATCH2, SCRATCH, SCRATCH2, int};
use crate::buffer::Buffer;
use crate::machine::*;
use crate::vector::{Half, Lanes, VectorMachine, VectorOp};

const S: Fpr = FLOAT_SCRATCH;
const S2: Fpr = FLOAT_SCRATCH2;

/// The bit that makes an instruction take the upper halves of its sources, or write that of its destination.
const UPPER: Op = 1 << 30;
/// The bit by which most instructions differ that take unsigned lanes.
const UNSIGNED: Op = 1 << 29;
/// The same for instructions on floats, of the first and second of two that share an opcode.
const SECOND: Op = 1 << 23;

/// Instructions on whole registers, by the mnemonics of the manual; bytes or floats of 32 bits where lanes matter.
#[rustfmt::skip]
mod v {
    use super::{Op, SECOND, UNSIGNED};

    /// Two sources of the same form as the result.
    const fn same(opcode: Op) -> Op { 0x4e20_0400 | opcode << 11 }
    /// One source.
    const fn one(opcode: Op) -> Op { 0x4e20_0800 | opcode << 12 }
    /// One lane from all.
    const fn across(opcode: Op) -> Op { 0x4e30_0800 | opcode << 12 }

    pub(super) const ADD: Op = same(0x10);
    pub(super) const SUB: Op = same(0x10) | UNSIGNED;
    pub(super) const CMEQ: Op = same(0x11) | UNSIGNED;
    pub(super) const CMGT: Op = same(0x06);
    pub(super) const CMGE: Op = same(0x07);
    pub(super) const SQADD: Op = same(0x01);
    pub(super) const SQSUB: Op = same(0x05);
    pub(super) const MUL: Op = same(0x13);
    pub(super) const SMAX: Op = same(0x0c);
    pub(super) const SMIN: Op = same(0x0d);
    pub(super) const URHADD: Op = same(0x02) | UNSIGNED;
    pub(super) const SQRDMULH: Op = same(0x16) | UNSIGNED;
    pub(super) const ADDP: Op = same(0x17);
    pub(super) const SSHL: Op = same(0x08);
    pub(super) const AND: Op = same(0x03);
    pub(super) const BIC: Op = same(0x03) | 1 << 22;
    pub(super) const ORR: Op = same(0x03) | 2 << 22;
    pub(super) const EOR: Op = same(0x03) | UNSIGNED;
    pub(super) const BSL: Op = same(0x03) | UNSIGNED | 1 << 22;
    pub(super) const FADD: Op = same(0x1a);
    pub(super) const FSUB: Op = same(0x1a) | SECOND;
    pub(super) const FMUL: Op = same(0x1b) | UNSIGNED;
    pub(super) const FDIV: Op = same(0x1f) | UNSIGNED;
    pub(super) const FMAX: Op = same(0x1e);
    pub(super) const FMIN: Op = same(0x1e) | SECOND;
    pub(super) const FMLA: Op = same(0x19);
    pub(super) const FMLS: Op = same(0x19) | SECOND;
    pub(super) const FCMEQ: Op = same(0x1c);
    pub(super) const FCMGE: Op = same(0x1c) | UNSIGNED;
    pub(super) const FCMGT: Op = same(0x1c) | UNSIGNED | SECOND;

    pub(super) const ABS: Op = one(0x0b);
    pub(super) const NEG: Op = one(0x0b) | UNSIGNED;
    pub(super) const CNT: Op = one(0x05);
    pub(super) const NOT: Op = one(0x05) | UNSIGNED;
    pub(super) const SADDLP: Op = one(0x02);
    /// With zero.
    pub(super) const CMEQ_ZERO: Op = one(0x09);
    pub(super) const CMLT_ZERO: Op = one(0x0a);
    /// To the lower half; the upper one becomes zero.
    pub(super) const SQXTN: Op = one(0x14) ^ super::UPPER;
    pub(super) const SQXTUN: Op = one(0x12) ^ super::UPPER | UNSIGNED;
    pub(super) const FABS: Op = one(0x0f) | SECOND;
    pub(super) const FNEG: Op = one(0x0f) | SECOND | UNSIGNED;
    pub(super) const FSQRT: Op = one(0x1f) | SECOND | UNSIGNED;
    pub(super) const FRINTN: Op = one(0x18);
    pub(super) const FRINTM: Op = one(0x19);
    pub(super) const FRINTP: Op = one(0x18) | SECOND;
    pub(super) const FRINTZ: Op = one(0x19) | SECOND;
    pub(super) const FCVTZS: Op = one(0x1b) | SECOND;
    pub(super) const SCVTF: Op = one(0x1d);
    /// From the two of 64 bits to the lower half, and back.
    pub(super) const FCVTN: Op = one(0x16) ^ super::UPPER | 1 << 22;
    pub(super) const FCVTL: Op = one(0x17) ^ super::UPPER | 1 << 22;

    pub(super) const ADDV: Op = across(0x1b);
    pub(super) const UMAXV: Op = across(0x0a) | UNSIGNED;
    pub(super) const UMINV: Op = across(0x1a) | UNSIGNED;

    /// Of the lower halves.
    pub(super) const SMULL: Op = 0x0e20_c000;

    /// Shifts by immediates, without those.
    pub(super) const SSHR: Op = 0x4f00_0400;
    pub(super) const SHL: Op = 0x4f00_5400;
    /// Of the lower half, to lanes twice as wide.
    pub(super) const SSHLL: Op = 0x0f00_a400;

    /// One lane to all, from a vector or an integer register.
    pub(super) const DUP: Op = 0x4e00_0400;
    pub(super) const DUP_INT: Op = 0x4e00_0c00;
    /// A lane to an integer register, of at most 32 bits.
    pub(super) const SMOV: Op = 0x0e00_2c00;
    pub(super) const UMOV: Op = 0x0e00_3c00;
    /// To a lane: an integer register, or the lowest lane of a vector.
    pub(super) const INS_INT: Op = 0x4e00_1c00;
    pub(super) const INS: Op = 0x6e00_0400;

    /// Bytes by their numbers, of one register or of two that follow each other.
    pub(super) const TBL: Op = 0x4e00_0000;
    pub(super) const TBL2: Op = 0x4e00_2000;
    pub(super) const ZIP1: Op = 0x4e00_3800;
    /// The upper half of the first source and then the lower one of the second.
    pub(super) const EXT_8: Op = 0x6e00_4000;
}

/// The field that says how wide lanes are.
fn width(lanes: Lanes) -> Op {
    u32::from(lanes.log2()) << 22
}

fn signed_or(op: Op, signed: bool) -> Op {
    if signed { op } else { op | UNSIGNED }
}

fn two(b: &mut Buffer, op: Op, dst: Fpr, x: Fpr, y: Fpr) {
    vector(b, op, dst.0, x.0, y.0);
}

fn one(b: &mut Buffer, op: Op, dst: Fpr, x: Fpr) {
    vector(b, op, dst.0, x.0, 0);
}

/// The field that says which lane.
fn lane_field(lanes: Lanes, lane: u8) -> Op {
    (u32::from(lane) << 1 | 1) << lanes.log2() << 16
}

/// Shifts by an immediate, which is not zero where it is to the right.
fn shift_imm(b: &mut Buffer, op: Op, lanes: Lanes, dst: Fpr, x: Fpr, count: u32) {
    let bits = lanes.bits();
    let field = if op & !UNSIGNED == v::SSHR {
        2 * bits - count
    } else {
        bits + count
    };
    one(b, op | field << 16, dst, x);
}

fn extend_half(b: &mut Buffer, half: Half, dst: Fpr, x: Fpr) {
    let op = signed_or(v::SSHLL, half.signed) | if half.high { UPPER } else { 0 };
    shift_imm(b, op, half.lanes, dst, x, 0);
}

/// Halves of equal lanes, as a constant.
fn constant_each(b: &mut Buffer, dst: Fpr, half: u64) {
    vector_constant(b, dst, half, half);
}

/// Products of the lower halves and of the upper, in the scratch registers.
fn products(b: &mut Buffer, lanes: Lanes, x: Fpr, y: Fpr) {
    two(b, v::SMULL | width(lanes), S, x, y);
    two(b, v::SMULL | width(lanes) | UPPER, S2, x, y);
}

/// Of each bit, that of one of two sources, by the mask in the scratch register.
fn select(b: &mut Buffer, dst: Fpr, x: Fpr, y: Fpr) {
    two(b, v::BSL, S, x, y);
    mov(b, dst, S);
}

fn compare(b: &mut Buffer, cc: IntCc, lanes: Lanes, dst: Fpr, x: Fpr, y: Fpr) {
    let (op, x, y) = match cc {
        IntCc::Eq | IntCc::Ne => (v::CMEQ, x, y),
        IntCc::GtS => (v::CMGT, x, y),
        IntCc::LtS => (v::CMGT, y, x),
        IntCc::GeS => (v::CMGE, x, y),
        IntCc::LeS => (v::CMGE, y, x),
        IntCc::GtU => (v::CMGT | UNSIGNED, x, y),
        IntCc::LtU => (v::CMGT | UNSIGNED, y, x),
        IntCc::GeU => (v::CMGE | UNSIGNED, x, y),
        IntCc::LeU => (v::CMGE | UNSIGNED, y, x),
    };
    two(b, op | width(lanes), dst, x, y);
    if cc == IntCc::Ne {
        one(b, v::NOT, dst, dst);
    }
}

fn compare_float(b: &mut Buffer, cc: FloatCc, size: Size, dst: Fpr, x: Fpr, y: Fpr) {
    let (op, x, y) = match cc {
        FloatCc::Eq | FloatCc::Ne => (v::FCMEQ, x, y),
        FloatCc::Gt => (v::FCMGT, x, y),
        FloatCc::Lt => (v::FCMGT, y, x),
        FloatCc::Ge => (v::FCMGE, x, y),
        FloatCc::Le => (v::FCMGE, y, x),
    };
    two(b, op | double(size), dst, x, y);
    if cc == FloatCc::Ne {
        one(b, v::NOT, dst, dst);
    }
}

/// Through integer registers, as there are no such lanes to multiply.
fn multiply_64(b: &mut Buffer, dst: Fpr, x: Fpr, y: Fpr) {
    for lane in 0..2 {
        A64::extract_lane(b, Lanes::I64, false, SCRATCH, x, lane);
        A64::extract_lane(b, Lanes::I64, false, SCRATCH2, y, lane);
        let regs = [SCRATCH, SCRATCH, SCRATCH2].map(|r| r.0);
        rrr(b, ops::MUL, Size::S64, regs[0], regs[1], regs[2]);
        A64::replace_lane(b, Lanes::I64, S, Src::Reg(SCRATCH), lane);
    }
    mov(b, dst, S);
}

impl VectorMachine for A64 {
    const EXACT_EXTREMA: bool = true;

    fn vector_op(b: &mut Buffer, op: VectorOp, dst: Fpr, operands: [Fpr; 3], _temp: Fpr) {
        use Lanes::{I8, I16, I32, I64};
        use VectorOp as V;
        let [x, y, z] = operands;
        match op {
            V::Not => one(b, v::NOT, dst, x),
            V::And => two(b, v::AND, dst, x, y),
            V::AndNot => two(b, v::BIC, dst, x, y),
            V::Or => two(b, v::ORR, dst, x, y),
            V::Xor => two(b, v::EOR, dst, x, y),
            V::Bitselect | V::RelaxedSelect(_) => {
                mov(b, S, z);
                select(b, dst, x, y);
            }
            V::Compare(cc, lanes) => compare(b, cc, lanes, dst, x, y),
            V::CompareFloat(cc, size) => compare_float(b, cc, size, dst, x, y),
            V::Abs(lanes) => one(b, v::ABS | width(lanes), dst, x),
            V::Neg(lanes) => one(b, v::NEG | width(lanes), dst, x),
            V::Popcnt => one(b, v::CNT, dst, x),
            V::Add(lanes) => two(b, v::ADD | width(lanes), dst, x, y),
            V::Sub(lanes) => two(b, v::SUB | width(lanes), dst, x, y),
            V::Mul(I64) => multiply_64(b, dst, x, y),
            V::Mul(lanes) => two(b, v::MUL | width(lanes), dst, x, y),
            V::AddSat(lanes, signed) => {
                two(b, signed_or(v::SQADD, signed) | width(lanes), dst, x, y);
            }
            V::SubSat(lanes, signed) => {
                two(b, signed_or(v::SQSUB, signed) | width(lanes), dst, x, y);
            }
            V::Min(lanes, signed) => two(b, signed_or(v::SMIN, signed) | width(lanes), dst, x, y),
            V::Max(lanes, signed) => two(b, signed_or(v::SMAX, signed) | width(lanes), dst, x, y),
            V::Avgr(lanes) => two(b, v::URHADD | width(lanes), dst, x, y),
            V::Q15Mulr | V::RelaxedQ15Mulr => two(b, v::SQRDMULH | width(I16), dst, x, y),
            V::Dot => {
                products(b, I16, x, y);
                two(b, v::ADDP | width(I32), dst, S, S2);
            }
            V::Narrow(lanes, signed) => {
                let op = if signed { v::SQXTN } else { v::SQXTUN } | width(lanes);
                one(b, op, S, x);
                one(b, op | UPPER, S, y);
                mov(b, dst, S);
            }
            V::Extend(half) => extend_half(b, half, dst, x),
            V::ExtMul(half) => {
                let op = signed_or(v::SMULL, half.signed) | if half.high { UPPER } else { 0 };
                two(b, op | width(half.lanes), dst, x, y);
            }
            V::ExtAddPairwise(lanes, signed) => {
                one(b, signed_or(v::SADDLP, signed) | width(lanes), dst, x);
            }
            V::Unary(unary, size) => {
                let op = match unary {
                    FloatUnary::Abs => v::FABS,
                    FloatUnary::Neg => v::FNEG,
                    FloatUnary::Ceil => v::FRINTP,
                    FloatUnary::Floor => v::FRINTM,
                    FloatUnary::Trunc => v::FRINTZ,
                    FloatUnary::Nearest => v::FRINTN,
                    FloatUnary::Sqrt => v::FSQRT,
                };
                one(b, op | double(size), dst, x);
            }
            V::Float(float, size) => {
                let op = match float {
                    FloatOp::Add => v::FADD,
                    FloatOp::Sub => v::FSUB,
                    FloatOp::Mul => v::FMUL,
                    FloatOp::Div => v::FDIV,
                    FloatOp::Min => v::FMIN,
                    FloatOp::Max => v::FMAX,
                    FloatOp::Copysign => unreachable!("vectors have no such operation"),
                };
                two(b, op | double(size), dst, x, y);
            }
            V::RelaxedMin(size) => two(b, v::FMIN | double(size), dst, x, y),
            V::RelaxedMax(size) => two(b, v::FMAX | double(size), dst, x, y),
            V::Pmin(size) => {
                compare_float(b, FloatCc::Lt, size, S, y, x);
                select(b, dst, y, x);
            }
            V::Pmax(size) => {
                compare_float(b, FloatCc::Lt, size, S, x, y);
                select(b, dst, y, x);
            }
            V::Convert(Size::S32, signed) => one(b, signed_or(v::SCVTF, signed), dst, x),
            V::Convert(size, signed) => {
                let half = Half {
                    lanes: I32,
                    high: false,
                    signed,
                };
                extend_half(b, half, dst, x);
                one(b, signed_or(v::SCVTF, signed) | double(size), dst, dst);
            }
            V::TruncSat(Size::S32, signed) => one(b, signed_or(v::FCVTZS, signed), dst, x),
            V::RelaxedTrunc(Size::S32) => one(b, v::FCVTZS, dst, x),
            V::TruncSat(..) | V::RelaxedTrunc(_) => {
                let signed = op != V::TruncSat(Size::S64, false);
                one(b, signed_or(v::FCVTZS, signed) | double(Size::S64), dst, x);
                one(b, signed_or(v::SQXTN, signed) | width(I32), dst, dst);
            }
            V::Demote => one(b, v::FCVTN, dst, x),
            V::Promote => one(b, v::FCVTL, dst, x),
            V::Swizzle | V::RelaxedSwizzle => two(b, v::TBL, dst, x, y),
            V::SplatFloat(size) => {
                let lanes = if size == Size::S32 { I32 } else { I64 };
                one(b, v::DUP | lane_field(lanes, 0), dst, x);
            }
            V::DotBytes | V::RelaxedDotBytes => {
                products(b, I8, x, y);
                two(b, v::ADDP | width(I16), dst, S, S2);
            }
            V::DotBytesAdd | V::RelaxedDotBytesAdd => {
                products(b, I8, x, y);
                for half in [S, S2] {
                    one(b, v::SADDLP | width(I16), half, half);
                }
                two(b, v::ADDP | width(I32), S, S, S2);
                two(b, v::ADD | width(I32), dst, S, z);
            }
            V::MultiplyAdd(size, negate) => {
                mov(b, S, z);
                let op = if negate { v::FMLS } else { v::FMLA };
                two(b, op | double(size), S, x, y);
                mov(b, dst, S);
            }
        }
    }

    fn fuses(_b: &Buffer) -> bool {
        true
    }

    fn canonical_nans(b: &mut Buffer, size: Size, dst: Fpr, _temp: Fpr) {
        two(b, v::FCMEQ | double(size), S, dst, dst);
        constant_each(b, S2, crate::vector::canonical_nan(size));
        select(b, dst, dst, S2);
    }

    fn vector_shift(
        b: &mut Buffer,
        op: ShiftOp,
        lanes: Lanes,
        dst: Fpr,
        x: Fpr,
        count: Src,
        _temp: Fpr,
    ) {
        let mask = i64::from(lanes.bits()) - 1;
        let signed = op == ShiftOp::ShrS;
        if let Src::Imm(count) = count {
            return match (op, (count & mask) as u32) {
                (_, 0) => mov(b, dst, x),
                (ShiftOp::Shl, count) => shift_imm(b, v::SHL, lanes, dst, x, count),
                (_, count) => shift_imm(b, signed_or(v::SSHR, signed), lanes, dst, x, count),
            };
        }
        let mask = Src::Imm(mask);
        int::op(b, IntOp::And, Size::S32, SCRATCH, count, mask);
        if op != ShiftOp::Shl {
            // To the left by less than nothing.
            rrr(b, ops::SUB, Size::S64, SCRATCH.0, ZR, SCRATCH.0);
        }
        A64::splat(b, lanes, S, Src::Reg(SCRATCH));
        two(b, signed_or(v::SSHL, signed) | width(lanes), dst, x, S);
    }

    fn shuffle(b: &mut Buffer, bytes: [u8; 16], dst: Fpr, x: Fpr, y: Fpr) {
        let constant = |b: &mut Buffer, dst: Fpr, mask: u8| {
            let numbers = u128::from_le_bytes(bytes.map(|n| n & mask));
            vector_constant(b, dst, numbers as u64, (numbers >> 64) as u64);
        };
        if x == y || bytes.iter().all(|n| *n < 16) {
            constant(b, S, 15);
            two(b, v::TBL, dst, x, S);
        } else if bytes.iter().all(|n| *n >= 16) {
            constant(b, S, 15);
            two(b, v::TBL, dst, y, S);
        } else {
            mov(b, S2, x);
            mov(b, S, y);
            constant(b, dst, 31);
            two(b, v::TBL2, dst, S2, dst);
        }
    }

    fn splat(b: &mut Buffer, lanes: Lanes, dst: Fpr, src: Src) {
        let src = int::in_reg(b, int_size(lanes), src, SCRATCH);
        vector(b, v::DUP_INT | lane_field(lanes, 0), dst.0, src, 0);
    }

    fn extract_lane(b: &mut Buffer, lanes: Lanes, signed: bool, dst: Gpr, x: Fpr, lane: u8) {
        let op = match lanes {
            Lanes::I64 => v::UMOV | UPPER,
            _ if signed => v::SMOV,
            _ => v::UMOV,
        };
        vector(b, op | lane_field(lanes, lane), dst.0, x.0, 0);
    }

    fn replace_lane(b: &mut Buffer, lanes: Lanes, dst: Fpr, src: Src, lane: u8) {
        let src = int::in_reg(b, int_size(lanes), src, SCRATCH);
        vector(b, v::INS_INT | lane_field(lanes, lane), dst.0, src, 0);
    }

    fn extract_float(b: &mut Buffer, size: Size, dst: Fpr, x: Fpr, lane: u8) {
        if lane == 0 {
            return mov(b, dst, x);
        }
        one(b, v::DUP | lane_field(Lanes::of_float(size), lane), dst, x);
    }

    fn replace_float(b: &mut Buffer, size: Size, dst: Fpr, src: Fpr, lane: u8) {
        one(
            b,
            v::INS | lane_field(Lanes::of_float(size), lane),
            dst,
            src,
        );
    }

    fn any_true(b: &mut Buffer, x: Fpr) -> Cond {
        one(b, v::UMAXV | width(Lanes::I32), S, x);
        compare_zero(b, IntCc::Ne)
    }

    fn all_true(b: &mut Buffer, lanes: Lanes, x: Fpr) -> Cond {
        if lanes == Lanes::I64 {
            one(b, v::CMEQ_ZERO | width(lanes), S, x);
            one(b, v::UMAXV | width(Lanes::I32), S, S);
            return compare_zero(b, IntCc::Eq);
        }
        one(b, v::UMINV | width(lanes), S, x);
        compare_zero(b, IntCc::Ne)
    }

    fn bitmask(b: &mut Buffer, lanes: Lanes, dst: Gpr, x: Fpr) {
        if lanes == Lanes::I64 {
            shift_imm(b, v::SSHR | UNSIGNED, lanes, S, x, 63);
            A64::extract_lane(b, lanes, false, SCRATCH, S, 1);
            A64::extract_lane(b, lanes, false, dst, S, 0);
            let regs = [dst.0, dst.0, SCRATCH.0];
            return rrr_lsl(b, ops::ADD, Size::S32, regs, 1);
        }
        // Each negative lane becomes a bit, and they are added.
        one(b, v::CMLT_ZERO | width(lanes), S, x);
        let (low, high) = match lanes {
            Lanes::I8 => (0x8040_2010_0804_0201, 0x8040_2010_0804_0201),
            Lanes::I16 => (0x0008_0004_0002_0001, 0x0080_0040_0020_0010),
            _ => (0x0000_0002_0000_0001, 0x0000_0008_0000_0004),
        };
        vector_constant(b, S2, low, high);
        two(b, v::AND, S, S, S2);
        let mut sum = lanes;
        if lanes == Lanes::I8 {
            // Lanes of the upper half are the upper bytes of words.
            two(b, v::EXT_8, S2, S, S);
            two(b, v::ZIP1, S, S, S2);
            sum = Lanes::I16;
        }
        one(b, v::ADDV | width(sum), S, S);
        A64::extract_lane(b, sum, false, dst, S, 0);
    }

    fn load_extend(b: &mut Buffer, lanes: Lanes, signed: bool, dst: Fpr, from: Address) {
        A64::load_float(b, Size::S64, dst, from);
        let half = Half {
            lanes,
            high: false,
            signed,
        };
        extend_half(b, half, dst, dst);
    }

    fn load_splat(b: &mut Buffer, lanes: Lanes, dst: Fpr, from: Address) {
        access_at(b, lane_access(lanes, true), S.0, from);
        one(b, v::DUP | lane_field(lanes, 0), dst, S);
    }

    fn load_lane(b: &mut Buffer, lanes: Lanes, dst: Fpr, from: Address, lane: u8) {
        access_at(b, lane_access(lanes, true), S.0, from);
        one(b, v::INS | lane_field(lanes, lane), dst, S);
    }

    fn store_lane(b: &mut Buffer, lanes: Lanes, to: Address, src: Fpr, lane: u8) {
        one(b, v::DUP | lane_field(lanes, lane), S, src);
        access_at(b, lane_access(lanes, false), S.0, to);
    }
}

/// Compares what an instruction left in the lowest lane of the scratch register.
fn compare_zero(b: &mut Buffer, cc: IntCc) -> Cond {
    A64::extract_lane(b, Lanes::I32, false, SCRATCH, S, 0);
    int::compare(b, cc, Size::S32, Src::Reg(SCRATCH), Src::Imm(0))
}

/// Width of a lane in an integer register.
fn int_size(lanes: Lanes) -> Size {
    match lanes {
        Lanes::I64 => Size::S64,
        _ => Size::S32,
    }
}

/// The access of the lowest lane.
fn lane_access(lanes: Lanes, load: bool) -> Access {
    match (lanes, load) {
        (Lanes::I8, true) => accesses::LDR_B,
        (Lanes::I16, true) => accesses::LDR_H,
        (Lanes::I32, true) => accesses::LDR_S,
        (Lanes::I64, true) => accesses::LDR_D,
        (Lanes::I8, false) => accesses::STR_B,
        (Lanes::I16, false) => accesses::STR_H,
        (Lanes::I32, false) => accesses::STR_S,
        (Lanes::I64, false) => accesses::STR_D,
    }
}
