//! Operations on vectors, and which operator of the prefix `0xfd` is which.
//!
//! The one idea: an operation takes up to three vectors and makes one; the numbers of the operators on integers are in four blocks, one for each
//! width of lanes, and mean the same in each.

use crate::buffer::Buffer;
use crate::machine::{
    Address, Cond, FloatCc, FloatOp, FloatUnary, Fpr, Gpr, IntCc, ShiftOp, Size, Src,
};

/// Integers as a vector's lanes.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Lanes {
    I8,
    I16,
    I32,
    I64,
}

impl Lanes {
    pub(crate) const ALL: [Lanes; 4] = [Lanes::I8, Lanes::I16, Lanes::I32, Lanes::I64];

    /// Binary logarithm of a lane's bytes.
    pub(crate) fn log2(self) -> u8 {
        self as u8
    }

    /// Of an operator in one of the blocks for integers.
    pub(crate) fn of_block(opcode: u32) -> Lanes {
        Lanes::ALL[(opcode.wrapping_sub(0x60) / 0x20) as usize & 3]
    }

    /// Of as many bits as floats.
    pub(crate) fn of_float(size: Size) -> Lanes {
        match size {
            Size::S32 => Lanes::I32,
            _ => Lanes::I64,
        }
    }

    pub(crate) fn bits(self) -> u32 {
        8 << self as u32
    }

    /// The lanes of half as many bits.
    pub(crate) fn narrower(self) -> Lanes {
        Lanes::ALL[(self as usize).saturating_sub(1)]
    }
}

/// Which lanes an operation takes that makes them wider, and how.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Half {
    /// Those that are made wider.
    pub(crate) lanes: Lanes,
    pub(crate) high: bool,
    pub(crate) signed: bool,
}

/// An operation, by the specification's names. A flag says whether lanes are signed.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum VectorOp {
    Not,
    And,
    AndNot,
    Or,
    Xor,
    Bitselect,
    Compare(IntCc, Lanes),
    CompareFloat(FloatCc, Size),
    Abs(Lanes),
    Neg(Lanes),
    Popcnt,
    Add(Lanes),
    Sub(Lanes),
    Mul(Lanes),
    AddSat(Lanes, bool),
    SubSat(Lanes, bool),
    Min(Lanes, bool),
    Max(Lanes, bool),
    Avgr(Lanes),
    Q15Mulr,
    Dot,
    /// To these lanes, from those of twice as many bits.
    Narrow(Lanes, bool),
    Extend(Half),
    ExtMul(Half),
    ExtAddPairwise(Lanes, bool),
    Unary(FloatUnary, Size),
    Float(FloatOp, Size),
    Pmin(Size),
    Pmax(Size),
    /// From integers of 32 bits to floats of this width.
    Convert(Size, bool),
    /// From floats of this width to integers of 32 bits.
    TruncSat(Size, bool),
    Demote,
    Promote,
    Swizzle,
    SplatFloat(Size),
    /// Both products of 16 bits, and their sum.
    DotBytes,
    /// Sums of four products, and a third operand.
    DotBytesAdd,
    /// With `x` negated or not.
    MultiplyAdd(Size, bool),
    // What follows may do what the machine does fastest.
    RelaxedSwizzle,
    /// Signed.
    RelaxedTrunc(Size),
    RelaxedSelect(Lanes),
    RelaxedMin(Size),
    RelaxedMax(Size),
    RelaxedQ15Mulr,
    RelaxedDotBytes,
    RelaxedDotBytesAdd,
}

const INT_CCS: [IntCc; 10] = [
    IntCc::Eq,
    IntCc::Ne,
    IntCc::LtS,
    IntCc::LtU,
    IntCc::GtS,
    IntCc::GtU,
    IntCc::LeS,
    IntCc::LeU,
    IntCc::GeS,
    IntCc::GeU,
];
const SIGNED_CCS: [IntCc; 6] = [
    IntCc::Eq,
    IntCc::Ne,
    IntCc::LtS,
    IntCc::GtS,
    IntCc::LeS,
    IntCc::GeS,
];
const FLOAT_CCS: [FloatCc; 6] = [
    FloatCc::Eq,
    FloatCc::Ne,
    FloatCc::Lt,
    FloatCc::Gt,
    FloatCc::Le,
    FloatCc::Ge,
];
const FLOAT_OPS: [FloatOp; 6] = [
    FloatOp::Add,
    FloatOp::Sub,
    FloatOp::Mul,
    FloatOp::Div,
    FloatOp::Min,
    FloatOp::Max,
];

impl VectorOp {
    /// The operation of an operator, if it is one of those.
    #[rustfmt::skip]
    pub(crate) fn of(opcode: u32) -> Option<VectorOp> {
        use FloatUnary as U;
        use Lanes::{I8, I16, I32, I64};
        use Size::{S32, S64};
        use VectorOp::*;
        let at = |first: u32| (opcode - first) as usize;
        Some(match opcode {
            0x0e => Swizzle,
            0x13 => SplatFloat(S32),
            0x14 => SplatFloat(S64),
            0x23..=0x2c => Compare(INT_CCS[at(0x23)], I8),
            0x2d..=0x36 => Compare(INT_CCS[at(0x2d)], I16),
            0x37..=0x40 => Compare(INT_CCS[at(0x37)], I32),
            0x41..=0x46 => CompareFloat(FLOAT_CCS[at(0x41)], S32),
            0x47..=0x4c => CompareFloat(FLOAT_CCS[at(0x47)], S64),
            0x4d => Not,
            0x4e => And,
            0x4f => AndNot,
            0x50 => Or,
            0x51 => Xor,
            0x52 => Bitselect,
            0x5e => Demote,
            0x5f => Promote,
            0x62 => Popcnt,
            0x67 => Unary(U::Ceil, S32),
            0x68 => Unary(U::Floor, S32),
            0x69 => Unary(U::Trunc, S32),
            0x6a => Unary(U::Nearest, S32),
            0x74 => Unary(U::Ceil, S64),
            0x75 => Unary(U::Floor, S64),
            0x7a => Unary(U::Trunc, S64),
            0x94 => Unary(U::Nearest, S64),
            0x7c..=0x7f => ExtAddPairwise(if opcode < 0x7e { I8 } else { I16 }, opcode & 1 == 0),
            0x82 => Q15Mulr,
            0xba => Dot,
            0xd6..=0xdb => Compare(SIGNED_CCS[at(0xd6)], I64),
            0xe0 => Unary(U::Abs, S32),
            0xe1 => Unary(U::Neg, S32),
            0xe3 => Unary(U::Sqrt, S32),
            0xe4..=0xe9 => Float(FLOAT_OPS[at(0xe4)], S32),
            0xea => Pmin(S32),
            0xeb => Pmax(S32),
            0xec => Unary(U::Abs, S64),
            0xed => Unary(U::Neg, S64),
            0xef => Unary(U::Sqrt, S64),
            0xf0..=0xf5 => Float(FLOAT_OPS[at(0xf0)], S64),
            0xf6 => Pmin(S64),
            0xf7 => Pmax(S64),
            0xf8 | 0xf9 => TruncSat(S32, opcode == 0xf8),
            0xfa | 0xfb => Convert(S32, opcode == 0xfa),
            0xfc | 0xfd => TruncSat(S64, opcode == 0xfc),
            0xfe | 0xff => Convert(S64, opcode == 0xfe),
            0x60..=0xdf => return Self::of_block(Lanes::of_block(opcode), opcode & 0x1f),
            0x100 => RelaxedSwizzle,
            0x101 => RelaxedTrunc(S32),
            // No machine has a faster unsigned conversion.
            0x102 => TruncSat(S32, false),
            0x103 => RelaxedTrunc(S64),
            0x104 => TruncSat(S64, false),
            0x105 | 0x106 => MultiplyAdd(S32, opcode == 0x106),
            0x107 | 0x108 => MultiplyAdd(S64, opcode == 0x108),
            0x109..=0x10c => RelaxedSelect(Lanes::ALL[at(0x109)]),
            0x10d => RelaxedMin(S32),
            0x10e => RelaxedMax(S32),
            0x10f => RelaxedMin(S64),
            0x110 => RelaxedMax(S64),
            0x111 => RelaxedQ15Mulr,
            0x112 => RelaxedDotBytes,
            0x113 => RelaxedDotBytesAdd,
            _ => return None,
        })
    }

    /// The operation of an operator on integers, by its place in the block of its lanes.
    fn of_block(lanes: Lanes, place: u32) -> Option<VectorOp> {
        use VectorOp::*;
        let small = matches!(lanes, Lanes::I8 | Lanes::I16);
        Some(match place {
            0x00 => Abs(lanes),
            0x01 => Neg(lanes),
            0x05 | 0x06 if small => Narrow(lanes, place == 0x05),
            0x07..=0x0a => Extend(Half::of(lanes, place - 0x07)),
            0x0e => Add(lanes),
            0x0f | 0x10 if small => AddSat(lanes, place == 0x0f),
            0x11 => Sub(lanes),
            0x12 | 0x13 if small => SubSat(lanes, place == 0x12),
            0x15 => Mul(lanes),
            0x16 | 0x17 if lanes != Lanes::I64 => Min(lanes, place == 0x16),
            0x18 | 0x19 if lanes != Lanes::I64 => Max(lanes, place == 0x18),
            0x1b if small => Avgr(lanes),
            0x1c..=0x1f => ExtMul(Half::of(lanes, place - 0x1c)),
            _ => return None,
        })
    }

    /// What a relaxed operation has to be the same as on every machine.
    pub(crate) fn deterministic(self) -> VectorOp {
        match self {
            VectorOp::RelaxedSwizzle => VectorOp::Swizzle,
            VectorOp::RelaxedTrunc(size) => VectorOp::TruncSat(size, true),
            VectorOp::RelaxedSelect(_) => VectorOp::Bitselect,
            VectorOp::RelaxedMin(size) => VectorOp::Float(FloatOp::Min, size),
            VectorOp::RelaxedMax(size) => VectorOp::Float(FloatOp::Max, size),
            VectorOp::RelaxedQ15Mulr => VectorOp::Q15Mulr,
            VectorOp::RelaxedDotBytes => VectorOp::DotBytes,
            VectorOp::RelaxedDotBytesAdd => VectorOp::DotBytesAdd,
            other => other,
        }
    }

    /// How many vectors it takes.
    pub(crate) fn operands(self) -> usize {
        use VectorOp::*;
        match self {
            Not | Abs(_) | Neg(_) | Popcnt | Extend(_) | ExtAddPairwise(..) | Unary(..)
            | Convert(..) | TruncSat(..) | RelaxedTrunc(_) | Demote | Promote | SplatFloat(_) => 1,
            Bitselect | RelaxedSelect(_) | MultiplyAdd(..) | DotBytesAdd | RelaxedDotBytesAdd => 3,
            _ => 2,
        }
    }

    /// The floats of its result, where it may be a NaN that is not an operand's as it was.
    pub(crate) fn arithmetic(self, exact_extrema: bool) -> Option<Size> {
        use VectorOp::*;
        match self {
            RelaxedMin(size) | RelaxedMax(size) if exact_extrema => Some(size),
            Unary(FloatUnary::Abs | FloatUnary::Neg, _) => None,
            Unary(_, size) | Float(_, size) | MultiplyAdd(size, _) => Some(size),
            Demote => Some(Size::S32),
            Promote => Some(Size::S64),
            _ => None,
        }
    }

    pub(crate) fn commutes(self) -> bool {
        use VectorOp::*;
        match self {
            And | Or | Xor | Add(_) | Mul(_) | AddSat(..) | Min(..) | Max(..) | Avgr(_) | Dot => {
                true
            }
            Compare(cc, _) => matches!(cc, IntCc::Eq | IntCc::Ne),
            Float(op, _) => op.commutes(),
            _ => false,
        }
    }
}

impl Half {
    /// Of operators that extend there are four in a row. They are in the block of the result's lanes.
    fn of(result: Lanes, place: u32) -> Half {
        Half {
            lanes: result.narrower(),
            high: place & 1 != 0,
            signed: place & 2 == 0,
        }
    }
}

/// Half of a vector of canonical NaNs.
pub(crate) fn canonical_nan(size: Size) -> u64 {
    match size {
        Size::S32 => 0x7fc0_0000_7fc0_0000,
        _ => 0x7ff8_0000_0000_0000,
    }
}

/// What the compiler wants of a machine for vectors. A place of memory is accessed by the first instruction that is written, or as the machine notes.
pub(crate) trait VectorMachine {
    /// The destination may be the first operand, but neither another one nor `temp`, which is free. Where there are fewer operands, the
    /// others are the first one again.
    fn vector_op(b: &mut Buffer, op: VectorOp, dst: Fpr, operands: [Fpr; 3], temp: Fpr);
    /// Whether relaxed minima and maxima are the exact ones, which can be NaNs that no operand was.
    const EXACT_EXTREMA: bool;
    /// Whether multiplication and addition round once.
    fn fuses(b: &Buffer) -> bool;
    /// Makes all NaNs of a vector of floats the one that is canonical.
    fn canonical_nans(b: &mut Buffer, size: Size, dst: Fpr, temp: Fpr);
    /// By a number modulo the lanes' width. Registers as for [`VectorMachine::vector_op`].
    fn vector_shift(
        b: &mut Buffer,
        op: ShiftOp,
        lanes: Lanes,
        dst: Fpr,
        x: Fpr,
        count: Src,
        temp: Fpr,
    );
    /// Bytes of two vectors by their numbers.
    fn shuffle(b: &mut Buffer, bytes: [u8; 16], dst: Fpr, x: Fpr, y: Fpr);
    fn splat(b: &mut Buffer, lanes: Lanes, dst: Fpr, src: Src);
    fn extract_lane(b: &mut Buffer, lanes: Lanes, signed: bool, dst: Gpr, x: Fpr, lane: u8);
    fn replace_lane(b: &mut Buffer, lanes: Lanes, dst: Fpr, src: Src, lane: u8);
    fn extract_float(b: &mut Buffer, size: Size, dst: Fpr, x: Fpr, lane: u8);
    /// Not with what is in the destination.
    fn replace_float(b: &mut Buffer, size: Size, dst: Fpr, src: Fpr, lane: u8);
    fn any_true(b: &mut Buffer, x: Fpr) -> Cond;
    fn all_true(b: &mut Buffer, lanes: Lanes, x: Fpr) -> Cond;
    fn bitmask(b: &mut Buffer, lanes: Lanes, dst: Gpr, x: Fpr);
    /// Loads eight bytes as such lanes and makes each twice as wide.
    fn load_extend(b: &mut Buffer, lanes: Lanes, signed: bool, dst: Fpr, from: Address);
    fn load_splat(b: &mut Buffer, lanes: Lanes, dst: Fpr, from: Address);
    fn load_lane(b: &mut Buffer, lanes: Lanes, dst: Fpr, from: Address, lane: u8);
    fn store_lane(b: &mut Buffer, lanes: Lanes, to: Address, src: Fpr, lane: u8);
}
