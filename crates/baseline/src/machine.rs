//! What the compiler wants of a machine: its registers and a macro-assembler.
//!
//! Not the machines themselves, which have a folder each. The one idea: operations have three operands whatever the machine's instructions have, and
//! the destination may be any of the sources; how that is encoded is the machine's business. A machine is stateless: it writes into
//! a [`Buffer`].
//!
//! Integers of 32 bits in a register are zero-extended to 64, always.

use crate::buffer::{Buffer, Label};
use meantime_abi::Trap;

/// A register for integers and references.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Gpr(pub(crate) u8);

/// A register for floats and vectors.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fpr(pub(crate) u8);

impl Gpr {
    pub(crate) const fn bit(self) -> u32 {
        1 << self.0
    }
}

impl Fpr {
    pub(crate) const fn bit(self) -> u32 {
        1 << self.0
    }
}

/// Width of an integer or a float.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Size {
    S32,
    S64,
    /// Of a vector: only where a register of floats is moved, loaded, stored or selected.
    S128,
}

impl Size {
    pub(crate) fn bits(self) -> u32 {
        match self {
            Size::S32 => 32,
            Size::S64 => 64,
            Size::S128 => 128,
        }
    }
}

/// A source of integers.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Src {
    Reg(Gpr),
    /// Sign-extended from the operation's width.
    Imm(i64),
    /// At a distance from the frame pointer.
    Frame(i32),
}

/// A source of floats.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum FSrc {
    Reg(Fpr),
    /// Of a vector, only zero.
    Bits(u64),
    /// A vector, as the buffer's constant of this number.
    Constant(u32),
    /// At a distance from the frame pointer.
    Frame(i32),
}

/// A place in memory.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    pub(crate) base: Gpr,
    pub(crate) index: Option<Gpr>,
    pub(crate) disp: i32,
}

impl Address {
    pub(crate) fn new(base: Gpr, disp: i32) -> Address {
        Address {
            base,
            index: None,
            disp,
        }
    }
}

/// A condition in the machine's flags, as the machine numbers them.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cond(pub(crate) u8);

/// Comparisons of integers.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum IntCc {
    Eq,
    Ne,
    LtS,
    LtU,
    GtS,
    GtU,
    LeS,
    LeU,
    GeS,
    GeU,
}

impl IntCc {
    /// The comparison with its operands exchanged.
    pub(crate) fn swapped(self) -> IntCc {
        use IntCc::*;
        const SWAPPED: [IntCc; 10] = [Eq, Ne, GtS, GtU, LtS, LtU, GeS, GeU, LeS, LeU];
        SWAPPED[self as usize]
    }
}

/// Comparisons of floats.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum FloatCc {
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum IntOp {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
}

impl IntOp {
    pub(crate) fn commutes(self) -> bool {
        self != IntOp::Sub
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum ShiftOp {
    Shl,
    ShrS,
    ShrU,
    Rotl,
    Rotr,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum BitOp {
    Clz,
    Ctz,
    Popcnt,
}

/// Extensions from the lowest bits.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Extend {
    S8,
    S16,
    /// To 64 bits.
    S32,
    /// To 64 bits, or of what may have other upper bits.
    U32,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum FloatOp {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    Copysign,
}

impl FloatOp {
    pub(crate) fn commutes(self) -> bool {
        matches!(self, FloatOp::Add | FloatOp::Mul)
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum FloatUnary {
    Abs,
    Neg,
    Ceil,
    Floor,
    Trunc,
    Nearest,
    Sqrt,
}

/// From a float to an integer.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Truncation {
    pub(crate) from: Size,
    pub(crate) to: Size,
    pub(crate) signed: bool,
    /// Whether what has no value traps, rather than saturates.
    pub(crate) traps: bool,
}

/// What a load of an integer reads and how it is extended.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Load {
    /// To 32 bits.
    S8,
    /// To 64 bits.
    S8Wide,
    U8,
    S16,
    S16Wide,
    U16,
    /// To 64 bits.
    S32,
    U32,
    U64,
}

/// How much a store of an integer writes.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Store {
    I8,
    I16,
    I32,
    I64,
}

/// See the module.
pub(crate) trait Machine:
    crate::atomic::AtomicMachine + crate::vector::VectorMachine + 'static
{
    /// Registers for temporary values. Calls clobber them.
    const TEMPS: u32;
    /// The same for floats.
    const FLOAT_TEMPS: u32;
    /// Registers that a function may keep locals in, and that it must save.
    const PINS: &'static [Gpr];
    /// The register that passes the counter of fuel, where that is counted: one of those that a function must save otherwise.
    const FUEL: Gpr;
    /// [`Machine::PINS`] without it.
    const PINS_BESIDE_FUEL: &'static [Gpr];
    /// Registers that it may keep locals in, and that calls clobber.
    const FLOAT_PINS: &'static [Fpr];
    /// Where a function's context is, when it is in a register.
    const CONTEXT: Gpr;
    /// Where the start of the first memory is, when it is in a register.
    const BASE: Gpr;
    /// Registers that no value is in. Operations of the machine use the first one; the compiler uses either only where nothing else is written.
    /// Debug builds see to that: they overwrite the first one wherever a value may have to be moved.
    const SCRATCH: Gpr;
    /// For the address to call: neither a parameter's nor the scratch register. It is one of the temporary ones.
    const CALLEE: Gpr;
    /// Where a block leaves a single result, and a function.
    const RESULT: Gpr;
    const FLOAT_RESULT: Fpr;
    /// Where the number of bits must be that something is shifted by.
    const SHIFT_COUNT: Option<Gpr>;
    /// Where divisions have their dividend and quotient, and the remainder.
    const DIVISION: Option<(Gpr, Gpr)>;

    /// Registers of parameters in calls of the guest; the context is the first.
    const PARAMS: &'static [Gpr];
    const FLOAT_PARAMS: &'static [Fpr];
    const RESULTS: &'static [Gpr];
    const FLOAT_RESULTS: &'static [Fpr];
    /// Where a function is told where its results' area is, if not in the first parameter's register.
    const RESULT_AREA: Option<Gpr>;
    /// Registers of parameters in calls of the runtime; the context is the first.
    const BUILTIN_PARAMS: &'static [Gpr];
    /// Where their result is.
    const BUILTIN_RESULT: Gpr;
    /// Where an exception is that lands.
    const EXCEPTION: Gpr;
    /// What the positions of functions must be a multiple of.
    const ALIGN: u32;
    /// The largest code whose branches can be short.
    const MAX_NEAR_CODE: u32;
    /// The largest code.
    const MAX_CODE: u32;

    /// Writes the position of a label to a place.
    fn patch(code: &mut [u8], at: u32, form: u32, target: u32);

    // Moves. None of them changes flags.
    fn move_int(b: &mut Buffer, size: Size, dst: Gpr, src: Src);
    fn store_frame(b: &mut Buffer, size: Size, disp: i32, src: Src);
    /// Loads what is in the frame.
    #[inline]
    fn load_frame(b: &mut Buffer, size: Size, dst: Gpr, disp: i32) {
        Self::move_int(b, size, dst, Src::Frame(disp));
    }
    /// Writes to the area of arguments on the stack.
    fn store_arg(b: &mut Buffer, size: Size, offset: u32, src: Src);
    fn swap_int(b: &mut Buffer, x: Gpr, y: Gpr);
    fn move_float(b: &mut Buffer, size: Size, dst: Fpr, src: FSrc);
    fn store_frame_float(b: &mut Buffer, size: Size, disp: i32, src: FSrc);
    fn store_arg_float(b: &mut Buffer, size: Size, offset: u32, src: FSrc);
    fn swap_float(b: &mut Buffer, x: Fpr, y: Fpr);
    fn frame_address(b: &mut Buffer, dst: Gpr, disp: i32);
    /// Clears slots of eight bytes from `disp` upwards. Clobbers temporary registers, and that of the context when it says so.
    fn clear_frame(b: &mut Buffer, disp: i32, slots: u32) -> bool;

    // Integers.
    fn int_op(b: &mut Buffer, op: IntOp, size: Size, dst: Gpr, x: Src, y: Src);
    /// The same for the one place where most of them come from.
    #[inline(always)]
    fn int_op_inline(b: &mut Buffer, op: IntOp, size: Size, dst: Gpr, x: Src, y: Src) {
        Self::int_op(b, op, size, dst, x, y);
    }
    /// The same with a small number, for any but a product.
    #[inline(always)]
    fn int_op_by(b: &mut Buffer, op: IntOp, size: Size, dst: Gpr, x: Src, y: i32) {
        Self::int_op(b, op, size, dst, x, Src::Imm(y.into()));
    }
    /// The number of bits is an immediate or in [`Machine::SHIFT_COUNT`].
    fn shift(b: &mut Buffer, op: ShiftOp, size: Size, dst: Gpr, x: Src, count: Src);
    fn bit_op(b: &mut Buffer, op: BitOp, size: Size, dst: Gpr, x: Src);
    fn extend(b: &mut Buffer, extend: Extend, size: Size, dst: Gpr, x: Src);
    /// Divides what is in the first register of [`Machine::DIVISION`] (or `x`) by `y`, which is in neither, into `dst`.
    fn divide(b: &mut Buffer, division: Division, dst: Gpr, x: Gpr, y: Src);
    /// The sum of 64 bits, unless that overflows, without sign. Then it jumps.
    fn add_or_jump(b: &mut Buffer, dst: Gpr, x: Gpr, y: Src, overflow: Label);
    /// Adds to or subtracts from two registers, low half first.
    fn add_carry(b: &mut Buffer, subtract: bool, x: (Gpr, Gpr), y: (Src, Src));
    /// The whole product of the first register of [`Machine::DIVISION`] and another: low and high halves in the registers of `dst`.
    fn multiply_wide(b: &mut Buffer, signed: bool, dst: (Gpr, Gpr), x: Gpr, y: Src);

    // Conditions.
    fn compare(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Src) -> Cond;
    /// The same for the one place where most of them come from.
    #[inline(always)]
    fn compare_inline(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Src) -> Cond {
        Self::compare(b, cc, size, x, y)
    }
    /// Whether any of some bits is set.
    fn test(b: &mut Buffer, size: Size, x: Src, mask: Src) -> Cond;
    fn compare_float(b: &mut Buffer, cc: FloatCc, size: Size, x: Fpr, y: Fpr) -> Cond;
    fn invert(cond: Cond) -> Cond;
    fn set(b: &mut Buffer, cond: Cond, dst: Gpr);
    /// Replaces `dst` when the condition does not hold. Changes no flags.
    fn select(b: &mut Buffer, cond: Cond, size: Size, dst: Gpr, otherwise: Src);
    fn select_float(b: &mut Buffer, cond: Cond, size: Size, dst: Fpr, otherwise: FSrc);

    // Floats.
    fn float_op(b: &mut Buffer, op: FloatOp, size: Size, dst: Fpr, x: FSrc, y: FSrc);
    fn float_unary(b: &mut Buffer, op: FloatUnary, size: Size, dst: Fpr, x: FSrc);
    /// To the other width.
    fn convert_float(b: &mut Buffer, from: Size, dst: Fpr, x: FSrc);
    fn int_to_float(b: &mut Buffer, signed: bool, from: Size, to: Size, dst: Fpr, x: Src);
    fn truncate(b: &mut Buffer, truncation: Truncation, dst: Gpr, x: Fpr);
    fn float_bits(b: &mut Buffer, size: Size, dst: Gpr, x: Fpr);
    fn float_of_bits(b: &mut Buffer, size: Size, dst: Fpr, x: Gpr);

    // Memory.
    fn load(b: &mut Buffer, load: Load, dst: Gpr, from: Address);
    /// An immediate fits 32 bits.
    fn store(b: &mut Buffer, store: Store, to: Address, src: Src);
    /// The same at an index and an offset in the first memory, whose start is in its register: what nearly every access is.
    #[inline]
    fn load_indexed(b: &mut Buffer, load: Load, dst: Gpr, index: Gpr, offset: i32) {
        let (base, index) = (Self::BASE, Some(index));
        let from = Address {
            base,
            index,
            disp: offset,
        };
        Self::load(b, load, dst, from);
    }
    #[inline]
    fn store_indexed(b: &mut Buffer, store: Store, index: Gpr, offset: i32, src: Src) {
        let (base, index) = (Self::BASE, Some(index));
        let to = Address {
            base,
            index,
            disp: offset,
        };
        Self::store(b, store, to, src);
    }
    /// Loads what is at a distance from a register, mostly that of the context.
    #[inline]
    fn load_field(b: &mut Buffer, size: Size, dst: Gpr, base: Gpr, disp: i32) {
        let load = if size == Size::S32 {
            Load::U32
        } else {
            Load::U64
        };
        Self::load(b, load, dst, Address::new(base, disp));
    }
    /// Stores a register there.
    #[inline]
    fn store_field(b: &mut Buffer, size: Size, base: Gpr, disp: i32, src: Gpr) {
        let store = if size == Size::S32 {
            Store::I32
        } else {
            Store::I64
        };
        Self::store(b, store, Address::new(base, disp), Src::Reg(src));
    }
    fn load_float(b: &mut Buffer, size: Size, dst: Fpr, from: Address);
    fn store_float(b: &mut Buffer, size: Size, to: Address, src: Fpr);
    /// The sum of an address.
    fn address(b: &mut Buffer, dst: Gpr, of: Address);
    /// `base + (index << shift)`.
    fn scaled(b: &mut Buffer, dst: Gpr, base: Gpr, index: Gpr, shift: u8);
    /// Compares a register with what is in memory.
    fn compare_memory(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Address) -> Cond;
    /// Subtracts from 32 bits in memory; the condition says that the difference is negative. Says where the amount is written.
    fn count_down(b: &mut Buffer, at: Address, amount: u8) -> (Cond, u32);
    /// Changes that amount, which is less than 128.
    fn set_amount(b: &mut Buffer, at: u32, amount: u8);

    // Control.
    fn jump(b: &mut Buffer, label: Label);
    fn jump_if(b: &mut Buffer, cond: Cond, label: Label);
    /// Jumps to the label of this index, which is zero-extended and inside. Clobbers it.
    fn jump_table(b: &mut Buffer, index: Gpr, labels: &[Label]);
    fn jump_to(b: &mut Buffer, code: Gpr);
    /// An instruction that faults.
    fn trap(b: &mut Buffer);
    /// Calls what a relocation names. Says where the distance is written.
    fn call_relative(b: &mut Buffer) -> u32;
    /// The same for a jump.
    fn jump_relative(b: &mut Buffer) -> u32;
    fn call_memory(b: &mut Buffer, code: Address);
    fn call_to(b: &mut Buffer, code: Gpr);
    fn relocation() -> (meantime_abi::RelocationKind, i64);
    /// Puts the stack pointer back after a call whose callee popped its arguments.
    fn after_call(b: &mut Buffer, popped: u32);

    // Frames.
    /// Saves the frame pointer and allocates a frame, whose size is not known. Says where it is written.
    fn enter_frame(b: &mut Buffer) -> u32;
    fn set_frame_size(b: &mut Buffer, at: u32, size: u32);
    /// The condition that the stack pointer is below what is in memory.
    fn compare_stack(b: &mut Buffer, limit: Address) -> Cond;
    /// Frees all of the frame but what the caller needs.
    fn shrink_to_frame(b: &mut Buffer);
    /// Frees the frame and restores the caller's frame pointer.
    fn leave_frame(b: &mut Buffer);
    fn return_(b: &mut Buffer, popped: u32);
    /// Frees the frame, with `args` bytes of arguments of a function that is jumped to in place of those of this function, of which there
    /// are `own` bytes. Clobbers what no parameter and not the callee is in.
    fn replace_frame(b: &mut Buffer, own: u32, args: u32);
    /// How many bytes of the area of arguments [`Machine::replace_frame`] uses besides.
    const REPLACE_SPACE: u32;
}

/// Which division.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Division {
    pub(crate) size: Size,
    pub(crate) signed: bool,
    pub(crate) remainder: bool,
    /// Whether the divisor may be zero.
    pub(crate) zero: bool,
    /// Whether it may be minus one.
    pub(crate) minus_one: bool,
}

impl Division {
    /// What it traps with where there is no result.
    pub(crate) const BY_ZERO: Trap = Trap::IntegerDivisionByZero;
}
