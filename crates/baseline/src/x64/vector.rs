//! Vectors: which operation is which instruction, and lanes, shifts and memory.
//!
//! The one idea: most operations are a row of a table, an instruction with two operands; those that are none are in [`super::sequence`]. Memory is only
//! an operand where its alignment is known, or the instruction asks for none.

use super::encode::*;
use super::float::{mov, with_constant};
use super::int::{self, EQUAL, NOT_EQUAL};
use super::{FLOAT_SCRATCH, R11, X64, mem, sequence, wide};
use crate::buffer::Buffer;
use crate::machine::*;
use crate::vector::{Half, Lanes, VectorMachine, VectorOp};

/// How an instruction takes an operation's operands.
#[derive(Copy, Clone)]
enum Form {
    /// The destination is the first source.
    Two,
    /// The same with the operands exchanged.
    Swapped,
    /// One source.
    One,
}

/// An operation that is one instruction, perhaps with an immediate.
struct Row {
    op: Op,
    form: Form,
    imm: Option<u8>,
}

fn row(form: Form, op: Op) -> Option<Row> {
    let imm = None;
    Some(Row { op, form, imm })
}

fn row_imm(form: Form, op: Op, imm: u8) -> Option<Row> {
    let imm = Some(imm);
    Some(Row { op, form, imm })
}

/// Opcodes of two bytes, by the second.
pub(super) const fn i1(opcode: u8) -> Op {
    ops::simd(1, opcode)
}

/// Opcodes of three bytes.
pub(super) const fn i2(opcode: u8) -> Op {
    ops::simd(2, opcode)
}

pub(super) const PSHUFD: Op = i1(0x70);
pub(super) const PSHUFB: Op = i2(0x00);
pub(super) const PAND: Op = i1(0xdb);
pub(super) const PANDN: Op = i1(0xdf);
pub(super) const POR: Op = i1(0xeb);
pub(super) const PXOR: Op = i1(0xef);
pub(super) const PADDUSB: Op = i1(0xdc);
pub(super) const PMADDUBSW: Op = i2(0x04);
pub(super) const PMADDWD: Op = i1(0xf5);
pub(super) const PMULHRSW: Op = i2(0x0b);
pub(super) const PMULUDQ: Op = i1(0xf4);
pub(super) const PMULDQ: Op = i2(0x28);
pub(super) const PACKSSWB: Op = i1(0x63);
pub(super) const PACKUSWB: Op = i1(0x67);
pub(super) const MOVDDUP: Op = ops::scalar(true, 0x12);
const PSHUFLW: Op = ops::scalar(true, 0x70);
const PUNPCKLQDQ: Op = i1(0x6c);
const PTEST: Op = i2(0x17);

pub(super) fn add(lanes: Lanes) -> Op {
    i1([0xfc, 0xfd, 0xfe, 0xd4][lanes as usize])
}

pub(super) fn sub(lanes: Lanes) -> Op {
    i1([0xf8, 0xf9, 0xfa, 0xfb][lanes as usize])
}

pub(super) fn equal(lanes: Lanes) -> Op {
    match lanes {
        Lanes::I64 => i2(0x29),
        _ => i1(0x74 + lanes.log2()),
    }
}

pub(super) fn greater(lanes: Lanes) -> Op {
    match lanes {
        Lanes::I64 => i2(0x37),
        _ => i1(0x64 + lanes.log2()),
    }
}

/// Not of 64 bits.
pub(super) fn min(lanes: Lanes, signed: bool) -> Op {
    match (lanes, signed) {
        (Lanes::I8, true) => i2(0x38),
        (Lanes::I8, false) => i1(0xda),
        (Lanes::I16, true) => i1(0xea),
        (Lanes::I16, false) => i2(0x3a),
        (_, true) => i2(0x39),
        (_, false) => i2(0x3b),
    }
}

pub(super) fn max(lanes: Lanes, signed: bool) -> Op {
    match (lanes, signed) {
        (Lanes::I8, true) => i2(0x3c),
        (Lanes::I8, false) => i1(0xde),
        (Lanes::I16, true) => i1(0xee),
        (Lanes::I16, false) => i2(0x3e),
        (_, true) => i2(0x3d),
        (_, false) => i2(0x3f),
    }
}

/// Makes the lower lanes twice as wide.
pub(super) fn extend(lanes: Lanes, signed: bool) -> Op {
    let first = if signed { 0x20 } else { 0x30 };
    i2(first + [0, 3, 5, 5][lanes as usize])
}

/// A shift of all lanes by the number in a register. Not of bytes, and 64 bits not with their sign.
pub(super) fn shift(op: ShiftOp, lanes: Lanes) -> Op {
    let first = match op {
        ShiftOp::Shl => 0xf0,
        ShiftOp::ShrS => 0xe0,
        _ => 0xd0,
    };
    i1(first + lanes.log2())
}

/// The same by an immediate.
pub(super) fn shift_imm(b: &mut Buffer, op: ShiftOp, lanes: Lanes, dst: Fpr, count: u8) {
    let number = match op {
        ShiftOp::Shl => 6,
        ShiftOp::ShrS => 4,
        _ => 2,
    };
    rr(b, i1(0x70 + lanes.log2()), false, number, dst.0);
    imm8(b, count);
}

#[rustfmt::skip]
fn table(op: VectorOp) -> Option<Row> {
    use Form::{One, Swapped, Two};
    use Lanes::{I8, I16, I64};
    use VectorOp as V;
    let float = |size: Size, opcode: u8| ops::packed(wide(size), opcode);
    match op {
        V::And => row(Two, PAND),
        V::AndNot => row(Swapped, PANDN),
        V::Or => row(Two, POR),
        V::Xor => row(Two, PXOR),
        V::Compare(IntCc::Eq, lanes) => row(Two, equal(lanes)),
        V::Compare(IntCc::GtS, lanes) => row(Two, greater(lanes)),
        V::Compare(IntCc::LtS, lanes) => row(Swapped, greater(lanes)),
        V::CompareFloat(cc, size) => {
            let (form, predicate) = match cc {
                FloatCc::Eq => (Two, 0),
                FloatCc::Ne => (Two, 4),
                FloatCc::Lt => (Two, 1),
                FloatCc::Le => (Two, 2),
                FloatCc::Gt => (Swapped, 1),
                FloatCc::Ge => (Swapped, 2),
            };
            row_imm(form, float(size, 0xc2), predicate)
        }
        V::Abs(lanes) if lanes != I64 => row(One, i2(0x1c + lanes.log2())),
        V::Add(lanes) => row(Two, add(lanes)),
        V::Sub(lanes) => row(Two, sub(lanes)),
        V::Mul(I16) => row(Two, i1(0xd5)),
        V::Mul(Lanes::I32) => row(Two, i2(0x40)),
        V::AddSat(lanes, true) => row(Two, i1(0xec + lanes.log2())),
        V::AddSat(lanes, false) => row(Two, i1(0xdc + lanes.log2())),
        V::SubSat(lanes, true) => row(Two, i1(0xe8 + lanes.log2())),
        V::SubSat(lanes, false) => row(Two, i1(0xd8 + lanes.log2())),
        V::Min(lanes, signed) => row(Two, min(lanes, signed)),
        V::Max(lanes, signed) => row(Two, max(lanes, signed)),
        V::Avgr(lanes) => row(Two, i1(if lanes == I8 { 0xe0 } else { 0xe3 })),
        V::Dot => row(Two, PMADDWD),
        V::Narrow(I8, true) => row(Two, PACKSSWB),
        V::Narrow(I8, false) => row(Two, PACKUSWB),
        V::Narrow(_, true) => row(Two, i1(0x6b)),
        V::Narrow(_, false) => row(Two, i2(0x2b)),
        V::Extend(Half { lanes, high: false, signed }) => row(One, extend(lanes, signed)),
        V::Float(FloatOp::Add, size) => row(Two, float(size, ops::ADD)),
        V::Float(FloatOp::Sub, size) => row(Two, float(size, ops::SUB)),
        V::Float(FloatOp::Mul, size) => row(Two, float(size, ops::MUL)),
        V::Float(FloatOp::Div, size) => row(Two, float(size, ops::DIV)),
        // The second source unless the first one is less, or greater.
        V::Pmin(size) | V::RelaxedMin(size) => row(Swapped, float(size, ops::MIN)),
        V::Pmax(size) | V::RelaxedMax(size) => row(Swapped, float(size, ops::MAX)),
        V::Unary(FloatUnary::Sqrt, size) => row(One, float(size, ops::SQRT)),
        V::Unary(unary, size) => {
            let mode = match unary {
                FloatUnary::Nearest => 8,
                FloatUnary::Floor => 9,
                FloatUnary::Ceil => 10,
                FloatUnary::Trunc => 11,
                _ => return None,
            };
            row_imm(One, ops::simd(3, if size == Size::S32 { 0x08 } else { 0x09 }), mode)
        }
        V::Convert(Size::S32, true) => row(One, ops::packed(false, 0x5b)),
        V::Convert(_, true) => row(One, ops::scalar(false, 0xe6)),
        V::Demote => row(One, ops::packed(true, ops::CVT_FLOAT)),
        V::Promote => row(One, ops::packed(false, ops::CVT_FLOAT)),
        V::SplatFloat(Size::S32) => row_imm(One, PSHUFD, 0),
        V::SplatFloat(_) => row(One, MOVDDUP),
        V::RelaxedSwizzle => row(Two, PSHUFB),
        V::RelaxedTrunc(Size::S32) => row(One, sequence::CVTTPS2DQ),
        V::RelaxedTrunc(_) => row(One, sequence::CVTTPD2DQ),
        V::RelaxedQ15Mulr => row(Two, PMULHRSW),
        // What is taken as unsigned has seven bits.
        V::RelaxedDotBytes => row(Swapped, PMADDUBSW),
        _ => None,
    }
}

/// `dst = op(dst, src)`, or of one source.
#[inline]
pub(super) fn apply(b: &mut Buffer, op: Op, dst: Fpr, src: Fpr) {
    rr(b, op, false, dst.0, src.0);
}

impl VectorMachine for X64 {
    const EXACT_EXTREMA: bool = false;

    fn vector_op(b: &mut Buffer, op: VectorOp, dst: Fpr, operands: [Fpr; 3], temp: Fpr) {
        let Some(Row { op, form, imm }) = table(op) else {
            return sequence::write(b, op, dst, operands, temp);
        };
        let [x, y, _] = operands;
        match form {
            Form::One => apply(b, op, dst, x),
            Form::Two => {
                mov(b, dst, x);
                apply(b, op, dst, y);
            }
            Form::Swapped if dst == x => {
                mov(b, FLOAT_SCRATCH, y);
                apply(b, op, FLOAT_SCRATCH, x);
            }
            Form::Swapped => {
                mov(b, dst, y);
                apply(b, op, dst, x);
            }
        }
        if let Some(imm) = imm {
            imm8(b, imm);
        }
        if matches!(form, Form::Swapped) && dst == x {
            mov(b, dst, FLOAT_SCRATCH);
        }
    }

    fn fuses(b: &Buffer) -> bool {
        b.fma
    }

    fn canonical_nans(b: &mut Buffer, size: Size, dst: Fpr, temp: Fpr) {
        sequence::canonical_nans(b, size, dst, temp);
    }

    fn vector_shift(
        b: &mut Buffer,
        op: ShiftOp,
        lanes: Lanes,
        dst: Fpr,
        x: Fpr,
        count: Src,
        temp: Fpr,
    ) {
        let mask = lanes.bits() as i64 - 1;
        let simple = lanes != Lanes::I8 && (lanes, op) != (Lanes::I64, ShiftOp::ShrS);
        if let Src::Imm(count) = count
            && simple
        {
            mov(b, dst, x);
            return shift_imm(b, op, lanes, dst, (count & mask) as u8);
        }
        let count = match count {
            Src::Imm(count) => Src::Imm(count & mask),
            other => {
                int::op(b, IntOp::And, Size::S32, R11, other, Src::Imm(mask));
                Src::Reg(R11)
            }
        };
        if simple {
            X64::splat_count(b, count);
            mov(b, dst, x);
            return apply(b, shift(op, lanes), dst, FLOAT_SCRATCH);
        }
        sequence::shift(b, op, lanes, dst, x, count, temp);
    }

    fn shuffle(b: &mut Buffer, bytes: [u8; 16], dst: Fpr, x: Fpr, y: Fpr) {
        let select = |b: &mut Buffer, dst: Fpr, from: Fpr, of: fn(u8) -> u8| {
            let numbers = u128::from_le_bytes(bytes.map(of));
            mov(b, dst, from);
            with_constant(b, PSHUFB, dst, numbers as u64, (numbers >> 64) as u64);
        };
        // What has its highest bit set becomes zero.
        if x == y || bytes.iter().all(|n| *n < 16) {
            select(b, dst, x, |n| n & 15);
        } else if bytes.iter().all(|n| *n >= 16) {
            select(b, dst, y, |n| n & 15);
        } else {
            select(b, FLOAT_SCRATCH, y, |n| if n < 16 { 0x80 } else { n & 15 });
            select(b, dst, x, |n| if n < 16 { n } else { 0x80 });
            apply(b, POR, dst, FLOAT_SCRATCH);
        }
    }

    fn splat(b: &mut Buffer, lanes: Lanes, dst: Fpr, src: Src) {
        let size = size_of(lanes);
        let src = int::in_reg(b, size, src);
        rr(b, ops::MOV_TO_XMM, wide(size), dst.0, src.0);
        match lanes {
            Lanes::I8 => {
                apply(b, PXOR, FLOAT_SCRATCH, FLOAT_SCRATCH);
                apply(b, PSHUFB, dst, FLOAT_SCRATCH);
            }
            Lanes::I16 => {
                apply(b, PSHUFLW, dst, dst);
                imm8(b, 0);
                apply(b, PSHUFD, dst, dst);
                imm8(b, 0);
            }
            Lanes::I32 => {
                apply(b, PSHUFD, dst, dst);
                imm8(b, 0);
            }
            Lanes::I64 => apply(b, PUNPCKLQDQ, dst, dst),
        }
    }

    fn extract_lane(b: &mut Buffer, lanes: Lanes, signed: bool, dst: Gpr, x: Fpr, lane: u8) {
        let size = size_of(lanes);
        if lane == 0 && matches!(lanes, Lanes::I32 | Lanes::I64) {
            return rr(b, ops::MOV_FROM_XMM, wide(size), x.0, dst.0);
        }
        rr(b, extract(lanes), wide(size), x.0, dst.0);
        imm8(b, lane);
        match (lanes, signed) {
            (Lanes::I8, true) => rr(b, ops::MOVSX8, false, dst.0, dst.0),
            (Lanes::I16, true) => rr(b, ops::MOVSX16, false, dst.0, dst.0),
            _ => {}
        }
    }

    fn replace_lane(b: &mut Buffer, lanes: Lanes, dst: Fpr, src: Src, lane: u8) {
        let size = size_of(lanes);
        let src = int::in_reg(b, size, src);
        rr(b, insert(lanes), wide(size), dst.0, src.0);
        imm8(b, lane);
    }

    fn extract_float(b: &mut Buffer, size: Size, dst: Fpr, x: Fpr, lane: u8) {
        if lane == 0 {
            return mov(b, dst, x);
        }
        apply(b, PSHUFD, dst, x);
        // The upper half as the lower one, or any of the four.
        imm8(b, if size == Size::S64 { 0xee } else { lane });
    }

    fn replace_float(b: &mut Buffer, size: Size, dst: Fpr, src: Fpr, lane: u8) {
        const INSERTPS: Op = ops::simd(3, 0x21);
        const UNPCKLPD: Op = i1(0x14);
        match (size, lane) {
            (Size::S32, _) => {
                apply(b, INSERTPS, dst, src);
                imm8(b, lane << 4);
            }
            (_, 0) => apply(b, ops::scalar(true, ops::MOVS_LOAD), dst, src),
            _ => apply(b, UNPCKLPD, dst, src),
        }
    }

    fn any_true(b: &mut Buffer, x: Fpr) -> Cond {
        apply(b, PTEST, x, x);
        NOT_EQUAL
    }

    fn all_true(b: &mut Buffer, lanes: Lanes, x: Fpr) -> Cond {
        apply(b, PXOR, FLOAT_SCRATCH, FLOAT_SCRATCH);
        apply(b, equal(lanes), FLOAT_SCRATCH, x);
        apply(b, PTEST, FLOAT_SCRATCH, FLOAT_SCRATCH);
        EQUAL
    }

    fn bitmask(b: &mut Buffer, lanes: Lanes, dst: Gpr, x: Fpr) {
        const PMOVMSKB: Op = i1(0xd7);
        match lanes {
            Lanes::I8 => rr(b, PMOVMSKB, false, dst.0, x.0),
            Lanes::I16 => {
                mov(b, FLOAT_SCRATCH, x);
                apply(b, PACKSSWB, FLOAT_SCRATCH, FLOAT_SCRATCH);
                rr(b, PMOVMSKB, false, dst.0, FLOAT_SCRATCH.0);
                rr(b, ops::MOVZX8, false, dst.0, dst.0);
            }
            _ => rr(b, ops::packed(lanes == Lanes::I64, 0x50), false, dst.0, x.0),
        }
    }

    fn load_extend(b: &mut Buffer, lanes: Lanes, signed: bool, dst: Fpr, from: Address) {
        rm(b, extend(lanes, signed), false, dst.0, mem(from));
    }

    fn load_splat(b: &mut Buffer, lanes: Lanes, dst: Fpr, from: Address) {
        match lanes {
            Lanes::I8 => X64::load(b, Load::U8, R11, from),
            Lanes::I16 => X64::load(b, Load::U16, R11, from),
            Lanes::I32 => {
                X64::load_float(b, Size::S32, dst, from);
                apply(b, PSHUFD, dst, dst);
                return imm8(b, 0);
            }
            Lanes::I64 => return rm(b, MOVDDUP, false, dst.0, mem(from)),
        }
        X64::splat(b, lanes, dst, Src::Reg(R11));
    }

    fn load_lane(b: &mut Buffer, lanes: Lanes, dst: Fpr, from: Address, lane: u8) {
        rm(b, insert(lanes), lanes == Lanes::I64, dst.0, mem(from));
        imm8(b, lane);
    }

    fn store_lane(b: &mut Buffer, lanes: Lanes, to: Address, src: Fpr, lane: u8) {
        rm(b, extract(lanes), lanes == Lanes::I64, src.0, mem(to));
        imm8(b, lane);
    }
}

impl X64 {
    /// A number in the lowest lane of the scratch register, as shifts have it.
    pub(super) fn splat_count(b: &mut Buffer, count: Src) {
        let count = int::in_reg(b, Size::S32, count);
        rr(b, ops::MOV_TO_XMM, false, FLOAT_SCRATCH.0, count.0);
    }
}

/// Width of a lane in an integer register.
fn size_of(lanes: Lanes) -> Size {
    match lanes {
        Lanes::I64 => Size::S64,
        _ => Size::S32,
    }
}

/// To the register or memory that is not in the field of registers.
fn extract(lanes: Lanes) -> Op {
    ops::simd(3, [0x14, 0x15, 0x16, 0x16][lanes as usize])
}

fn insert(lanes: Lanes) -> Op {
    match lanes {
        Lanes::I16 => i1(0xc4),
        Lanes::I8 => ops::simd(3, 0x20),
        _ => ops::simd(3, 0x22),
    }
}
