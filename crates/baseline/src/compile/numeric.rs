//! Instructions on integers.
//!
//! The one idea: what has only constants as operands is computed here; of what has one, the machine makes an immediate.

use super::Compiler;
use super::value::{Place, Value};
use crate::machine::*;
use meantime_abi::ValRepr;

/// Operators that take a condition.
const IF: u8 = 0x04;
const BR_IF: u8 = 0x0d;

/// Sums, differences and operations on bits, by the lower bits of their opcodes.
static OPERATIONS: [(IntOp, Size); 32] = {
    let mut operations = [(IntOp::Mul, Size::S64); 32];
    operations[0x6a % 32] = (IntOp::Add, Size::S32);
    operations[0x6b % 32] = (IntOp::Sub, Size::S32);
    operations[0x71 % 32] = (IntOp::And, Size::S32);
    operations[0x72 % 32] = (IntOp::Or, Size::S32);
    operations[0x73 % 32] = (IntOp::Xor, Size::S32);
    operations[0x7c % 32] = (IntOp::Add, Size::S64);
    operations[0x7d % 32] = (IntOp::Sub, Size::S64);
    operations[0x83 % 32] = (IntOp::And, Size::S64);
    operations[0x84 % 32] = (IntOp::Or, Size::S64);
    operations[0x85 % 32] = (IntOp::Xor, Size::S64);
    operations
};

/// Comparisons by their opcodes, from that of the first one on.
const FIRST_COMPARISON: u8 = 0x46;
static COMPARISONS: [(IntCc, Size); 32] = {
    use IntCc::*;
    let all = [Eq, Ne, LtS, LtU, GtS, GtU, LeS, LeU, GeS, GeU];
    let mut comparisons = [(Eq, Size::S64); 32];
    let mut i = 0;
    while i < all.len() {
        comparisons[i] = (all[i], Size::S32);
        comparisons[i + 0x51 - FIRST_COMPARISON as usize] = (all[i], Size::S64);
        i += 1;
    }
    comparisons
};

/// A shift by its opcode.
fn shift_op(opcode: u8) -> (ShiftOp, Size) {
    use ShiftOp::*;
    const SHIFTS: [ShiftOp; 8] = [Shl, ShrS, ShrU, Rotl, Rotr, Rotr, Rotr, Rotr];
    match opcode {
        0x74..=0x78 => (SHIFTS[usize::from(opcode - 0x74)], Size::S32),
        _ => (SHIFTS[usize::from(opcode - 0x86) % 8], Size::S64),
    }
}

fn int_type(size: Size) -> ValRepr {
    match size {
        Size::S32 => ValRepr::I32,
        _ => ValRepr::I64,
    }
}

/// A result as the bits of a constant.
fn truncated(size: Size, bits: u64) -> u64 {
    match size {
        Size::S32 => u64::from(bits as u32),
        _ => bits,
    }
}

/// Constants as signed numbers.
fn signed(size: Size, bits: u64) -> i64 {
    match size {
        Size::S32 => i64::from(bits as i32),
        _ => bits as i64,
    }
}

impl<M: Machine> Compiler<'_, M> {
    pub(super) fn int_op(&mut self, op: IntOp, size: Size) {
        let (x, y) = self.pop_numbers();
        self.int_op_on(op, size, x, y);
    }

    #[inline(never)]
    fn int_op_on(&mut self, op: IntOp, size: Size, x: Value, y: Value) {
        if x.is_const() && y.is_const() {
            return self.constant_op(op, size, x.bits, y.bits);
        }
        match op {
            IntOp::And if self.next_tests(size) => {
                // Whether it is zero is all that matters.
                let (src_x, src_y) = (self.src(x), self.src(y));
                let cond = M::test(&mut self.b, size, src_x, src_y);
                self.release(x);
                self.release(y);
                return match size {
                    Size::S32 => self.push_condition(cond),
                    _ => self.push_flags(cond.0),
                };
            }
            IntOp::Mul if y.is_const() && y.bits.is_power_of_two() => {
                let count = i64::from(y.bits.trailing_zeros());
                return self.shift_by(ShiftOp::Shl, size, x, count);
            }
            _ => {}
        }
        let (src_x, src_y) = (self.src(x), self.src(y));
        let dst = self.dest_of(x, op.commutes().then_some(y));
        M::int_op_inline(&mut self.b, op, size, dst, src_x, src_y);
        self.release_unless(x, dst);
        self.release_unless(y, dst);
        self.push_dest(int_type(size), dst);
    }

    /// The operation with this opcode, whose second operand is a small constant: addition, subtraction, or one of bits.
    #[inline(never)]
    pub(super) fn int_op_by(&mut self, opcode: u8, y: Value) {
        let (op, size) = OPERATIONS[usize::from(opcode % 32)];
        let x = self.pop_number();
        if x.is_const() || op == IntOp::And && self.next_tests(size) {
            return self.int_op_on(op, size, x, y);
        }
        let src = self.src(x);
        let dst = self.dest_of(x, None);
        let value = signed(size, y.bits) as i32;
        M::int_op_by(&mut self.b, op, size, dst, src, value);
        self.release_unless(x, dst);
        self.push_dest(int_type(size), dst);
    }

    #[cold]
    fn constant_op(&mut self, op: IntOp, size: Size, x: u64, y: u64) {
        let bits = match op {
            IntOp::Add => x.wrapping_add(y),
            IntOp::Sub => x.wrapping_sub(y),
            IntOp::Mul => x.wrapping_mul(y),
            IntOp::And => x & y,
            IntOp::Or => x | y,
            IntOp::Xor => x ^ y,
        };
        self.push_const(int_type(size), truncated(size, bits));
    }

    /// Whether the next operator wants to know whether this one's result is zero.
    fn next_tests(&self, size: Size) -> bool {
        match size {
            Size::S32 => self.next_uses_condition(),
            // `i64.eqz`.
            _ => self.next_byte() == Some(0x50),
        }
    }

    /// The shift with this opcode.
    pub(super) fn shift(&mut self, opcode: u8) {
        let y = self.pop_number();
        if y.is_const() {
            return self.shift_by_constant(opcode, y);
        }
        let (op, size) = shift_op(opcode);
        let x = self.pop_number();
        let Some(count) = M::SHIFT_COUNT else {
            let y_reg = self.in_gpr(y);
            let src = self.src(x);
            let dst = self.dest_of(x, None);
            M::shift(&mut self.b, op, size, dst, src, Src::Reg(y_reg));
            self.release_unless(x, dst);
            if y_reg != dst {
                self.free_gpr(y_reg);
            }
            return self.push_dest(int_type(size), dst);
        };
        // The count goes to its register, which must not be that of what is shifted.
        let mut x = x;
        if Self::is_in(x, count) {
            let to = self.alloc_gpr();
            M::move_int(&mut self.b, Size::S64, to, Src::Reg(count));
            x = x.moved(Place::Gpr, to.0);
            self.free_gpr(count);
        }
        if !Self::is_in(y, count) {
            self.take_gpr(count);
            let src = self.src(y);
            M::move_int(&mut self.b, size, count, src);
            self.release(y);
        }
        let src = self.src(x);
        let dst = self.dest_of(x, None);
        M::shift(&mut self.b, op, size, dst, src, Src::Reg(count));
        self.release_unless(x, dst);
        self.free_gpr(count);
        self.push_dest(int_type(size), dst);
    }

    /// The same by a constant, which was popped.
    #[inline(never)]
    pub(super) fn shift_by_constant(&mut self, opcode: u8, y: Value) {
        let (op, size) = shift_op(opcode);
        let x = self.pop_number();
        let count = (y.bits & u64::from(size.bits() - 1)) as i64;
        self.shift_by(op, size, x, count);
    }

    fn shift_by(&mut self, op: ShiftOp, size: Size, x: Value, count: i64) {
        if x.is_const() {
            let (bits, count) = (x.bits, count as u32);
            let bits = match (op, size) {
                (ShiftOp::Shl, _) => bits << count,
                (ShiftOp::ShrU, _) => bits >> count,
                (ShiftOp::ShrS, _) => (signed(size, bits) >> count) as u64,
                (ShiftOp::Rotl, Size::S32) => u64::from((bits as u32).rotate_left(count)),
                (ShiftOp::Rotl, _) => bits.rotate_left(count),
                (ShiftOp::Rotr, Size::S32) => u64::from((bits as u32).rotate_right(count)),
                (ShiftOp::Rotr, _) => bits.rotate_right(count),
            };
            return self.push_const(int_type(size), truncated(size, bits));
        }
        let src = self.src(x);
        let dst = self.dest_of(x, None);
        M::shift(&mut self.b, op, size, dst, src, Src::Imm(count));
        self.release_unless(x, dst);
        self.push_dest(int_type(size), dst);
    }

    /// An operation on one operand.
    fn unary(&mut self, ty: ValRepr, write: impl FnOnce(&mut crate::buffer::Buffer, Gpr, Src)) {
        let x = self.pop_number();
        let src = self.src(x);
        let dst = self.dest_of(x, None);
        write(&mut self.b, dst, src);
        self.release_unless(x, dst);
        self.push_dest(ty, dst);
    }

    pub(super) fn bit_op(&mut self, op: BitOp, size: Size) {
        self.unary(int_type(size), |b, dst, src| {
            M::bit_op(b, op, size, dst, src)
        });
    }

    pub(super) fn extend(&mut self, extend: Extend, size: Size, ty: ValRepr) {
        self.unary(ty, |b, dst, src| M::extend(b, extend, size, dst, src));
    }

    /// `i32.wrap_i64`.
    pub(super) fn wrap(&mut self) {
        self.unary(ValRepr::I32, |b, dst, src| match src {
            Src::Reg(_) => M::extend(b, Extend::U32, Size::S64, dst, src),
            _ => M::move_int(b, Size::S32, dst, src),
        });
    }

    /// `i64.extend_i32_u`: in a register, it is done.
    pub(super) fn zero_extend(&mut self) {
        let x = self.pop();
        match x.place() {
            Place::Const => self.push_const(ValRepr::I64, x.bits),
            Place::Gpr => self.push_gpr(ValRepr::I64, Gpr(x.reg())),
            _ => {
                let src = self.src(x);
                let dst = self.dest();
                M::move_int(&mut self.b, Size::S32, dst, src);
                self.push_gpr(ValRepr::I64, dst);
            }
        }
    }

    pub(super) fn eqz(&mut self, size: Size) {
        let x = self.pop_number();
        debug_assert!(x.place() == Place::Flags || x.size() == size);
        self.test_zero(x);
    }

    /// Pushes whether an operand, which was popped, is zero.
    pub(super) fn test_zero(&mut self, x: Value) {
        let cond = match x.place() {
            Place::Flags => M::invert(Cond(x.reg())),
            Place::Const => return self.push_const(ValRepr::I32, u64::from(x.bits == 0)),
            _ => self.compare_zero(IntCc::Eq, x),
        };
        self.push_condition(cond);
    }

    /// Compares an integer, which was popped and is no constant, with zero.
    #[inline]
    pub(super) fn compare_zero(&mut self, cc: IntCc, x: Value) -> Cond {
        let Some(reg) = x.gpr() else {
            let src = self.src(x);
            return M::compare(&mut self.b, cc, x.size(), src, Src::Imm(0));
        };
        let src = Src::Reg(reg);
        let cond = M::compare_inline(&mut self.b, cc, x.size(), src, Src::Imm(0));
        self.release(x);
        cond
    }

    /// The comparison with this opcode.
    #[inline]
    pub(super) fn int_compare(&mut self, opcode: u8) {
        let y = self.pop_number();
        self.int_compare_with(opcode, y);
    }

    /// The same with a second operand that was popped.
    pub(super) fn int_compare_with(&mut self, opcode: u8, y: Value) {
        let x = self.pop_number();
        let (cc, size) = COMPARISONS[usize::from(opcode - FIRST_COMPARISON) % 32];
        self.compare_ints(cc, size, x, y);
    }

    #[inline]
    pub(super) fn compare_ints(&mut self, cc: IntCc, size: Size, x: Value, y: Value) {
        if x.is_const() && y.is_const() {
            let holds = compare_constants(cc, size, x.bits, y.bits);
            return self.push_const(ValRepr::I32, u64::from(holds));
        }
        let (src_x, src_y) = (self.src(x), self.src(y));
        let cond = M::compare_inline(&mut self.b, cc, size, src_x, src_y);
        self.release(x);
        self.release(y);
        self.push_condition(cond);
    }

    /// A condition as a value. If the next operator wants a condition, it stays one, or goes to that operator at once.
    pub(super) fn push_condition(&mut self, cond: Cond) {
        if self.costs.is_none() && self.next_byte() == Some(BR_IF) {
            self.begin_operator();
            let depth = self.leb_u32();
            return self.br_if_on(depth, cond);
        }
        self.push_other_condition(cond);
    }

    #[inline(never)]
    fn push_other_condition(&mut self, cond: Cond) {
        if self.costs.is_none() && self.next_byte() == Some(IF) {
            self.begin_operator();
            return self.if_on(|_| cond);
        }
        if self.next_uses_condition() {
            return self.push_flags(cond.0);
        }
        let dst = self.dest();
        M::set(&mut self.b, cond, dst);
        self.push_dest(ValRepr::I32, dst);
    }

    pub(super) fn select(&mut self) {
        let condition = self.pop_condition();
        let y = self.pop();
        let x = self.pop();
        let size = x.size();
        if x.is_float() {
            let dst = self.own_fpr(x);
            let src = self.float_src(y);
            M::select_float(&mut self.b, condition, size, dst, src);
            self.release(y);
            self.release_float_unless(x, dst);
            return self.push_fpr(x.ty(), dst);
        }
        let dst = self.own_gpr(x);
        let src = self.src(y);
        M::select(&mut self.b, condition, size, dst, src);
        self.release(y);
        self.push_gpr(x.ty(), dst);
    }

    pub(super) fn divide(&mut self, size: Size, is_signed: bool, remainder: bool) {
        let (x, y) = self.pop_numbers();
        if !is_signed && y.is_const() && y.bits.is_power_of_two() {
            if remainder {
                let mask = Src::Imm(signed(size, y.bits - 1));
                let src = self.src(x);
                let dst = self.dest_of(x, None);
                M::int_op(&mut self.b, IntOp::And, size, dst, src, mask);
                self.release_unless(x, dst);
                return self.push_gpr(int_type(size), dst);
            }
            let count = i64::from(y.bits.trailing_zeros());
            return self.shift_by(ShiftOp::ShrU, size, x, count);
        }
        let minus_one = truncated(size, u64::MAX);
        let division = Division {
            size,
            signed: is_signed,
            remainder,
            zero: !y.is_const() || y.bits == 0,
            minus_one: is_signed && (!y.is_const() || y.bits == minus_one),
        };
        let Some((dividend, rest)) = M::DIVISION else {
            let (x_reg, y_reg) = (self.in_gpr(x), self.in_gpr(y));
            let dst = self.dest();
            M::divide(&mut self.b, division, dst, x_reg, Src::Reg(y_reg));
            self.free_gpr(x_reg);
            self.free_gpr(y_reg);
            return self.push_gpr(int_type(size), dst);
        };
        let (x, y) = self.place_dividend(x, y, dividend, rest);
        debug_assert!(Self::is_in(x, dividend));
        let (dst, other) = if remainder {
            (rest, dividend)
        } else {
            (dividend, rest)
        };
        let divisor = self.src(y);
        M::divide(&mut self.b, division, dst, dividend, divisor);
        self.release(y);
        self.free_gpr(other);
        self.push_gpr(int_type(size), dst);
    }

    /// Moves one operand to the register of dividends, and makes the other one's register and place be none that a division writes.
    /// Both of those are held.
    fn place_dividend(&mut self, x: Value, y: Value, dividend: Gpr, rest: Gpr) -> (Value, Value) {
        let (mut x, mut y) = (x, y);
        if !Self::is_in(x, rest) && !Self::is_in(y, rest) {
            self.take_gpr(rest);
        }
        if !Self::is_in(x, dividend) && !Self::is_in(y, dividend) {
            self.take_gpr(dividend);
        }
        if Self::is_in(y, dividend) || Self::is_in(y, rest) {
            // Not to a register that is taken already.
            let to = self.alloc_gpr();
            M::move_int(&mut self.b, Size::S64, to, Src::Reg(Gpr(y.reg())));
            y = y.moved(Place::Gpr, to.0);
        }
        if !Self::is_in(x, dividend) {
            let src = self.src(x);
            M::move_int(&mut self.b, x.size(), dividend, src);
            if !Self::is_in(x, rest) {
                self.release(x);
            }
            x = x.moved(Place::Gpr, dividend.0);
        }
        // Held by nobody else: released where the result is known.
        self.free_gprs &= !(dividend.bit() | rest.bit());
        (x, y)
    }

    /// `i64.add128` and `i64.sub128`.
    pub(super) fn add_wide(&mut self, subtract: bool) {
        let (y_low, y_high) = self.pop_numbers();
        let (x_low, x_high) = self.pop_numbers();
        let low = self.own_gpr(x_low);
        let high = self.own_gpr(x_high);
        let (src_low, src_high) = (self.src(y_low), self.src(y_high));
        M::add_carry(&mut self.b, subtract, (low, high), (src_low, src_high));
        self.release(y_low);
        self.release(y_high);
        self.push_gpr(ValRepr::I64, low);
        self.push_gpr(ValRepr::I64, high);
    }

    pub(super) fn multiply_wide(&mut self, is_signed: bool) {
        let (x, y) = self.pop_numbers();
        let Some((low, high)) = M::DIVISION else {
            let (x_reg, y_reg) = (self.in_gpr(x), self.in_gpr(y));
            let (low, high) = (self.alloc_gpr(), self.alloc_gpr());
            M::multiply_wide(&mut self.b, is_signed, (low, high), x_reg, Src::Reg(y_reg));
            self.free_gpr(x_reg);
            self.free_gpr(y_reg);
            self.push_gpr(ValRepr::I64, low);
            return self.push_gpr(ValRepr::I64, high);
        };
        let (_, y) = self.place_dividend(x, y, low, high);
        let src = self.src(y);
        M::multiply_wide(&mut self.b, is_signed, (low, high), low, src);
        self.release(y);
        self.push_gpr(ValRepr::I64, low);
        self.push_gpr(ValRepr::I64, high);
    }
}

fn compare_constants(cc: IntCc, size: Size, x: u64, y: u64) -> bool {
    let (sx, sy) = (signed(size, x), signed(size, y));
    match cc {
        IntCc::Eq => x == y,
        IntCc::Ne => x != y,
        IntCc::LtS => sx < sy,
        IntCc::LtU => x < y,
        IntCc::GtS => sx > sy,
        IntCc::GtU => x > y,
        IntCc::LeS => sx <= sy,
        IntCc::LeU => x <= y,
        IntCc::GeS => sx >= sy,
        IntCc::GeU => x >= y,
    }
}
