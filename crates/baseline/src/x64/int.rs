//! Integer instructions with three operands, made of those with two.

use super::encode::*;
use super::{R11, RAX, RDX, X64, frame, wide};
use crate::buffer::{Buffer, Label};
use crate::machine::*;
use meantime_abi::Trap;

/// Numbers of the arithmetic group.
pub(super) const ADD: u8 = 0;
pub(super) const OR: u8 = 1;
pub(super) const ADC: u8 = 2;
pub(super) const SBB: u8 = 3;
pub(super) const AND: u8 = 4;
pub(super) const SUB: u8 = 5;
pub(super) const XOR: u8 = 6;
pub(super) const CMP: u8 = 7;

/// Numbers of the conditions of integers.
pub(super) const BELOW: Cond = Cond(2);
pub(super) const EQUAL: Cond = Cond(4);
pub(super) const NOT_EQUAL: Cond = Cond(5);
pub(super) const SIGN: Cond = Cond(8);
pub(super) const PARITY: Cond = Cond(10);
pub(super) const OVERFLOW: Cond = Cond(0);

/// The numbers of all comparisons, in the order of their declaration.
const CONDITIONS: [u8; 10] = [4, 5, 12, 2, 15, 7, 14, 6, 13, 3];

#[inline]
pub(super) fn cond(cc: IntCc) -> Cond {
    Cond(CONDITIONS[cc as usize])
}

/// A register to itself is no instruction.
#[inline]
pub(super) fn mov(b: &mut Buffer, size: Size, dst: Gpr, src: Gpr) {
    if dst != src {
        rr(b, ops::MOV_LOAD, wide(size), dst.0, src.0);
    }
}

/// Does not change flags.
#[inline(never)]
pub(super) fn load_imm(b: &mut Buffer, dst: Gpr, value: u64) {
    if let Ok(value) = u32::try_from(value) {
        mov_imm32(b, dst.0, value);
    } else if let Ok(value) = i32::try_from(value as i64) {
        rr(b, ops::MOV_IMM, true, 0, dst.0);
        imm32(b, value);
    } else {
        mov_imm64(b, dst.0, value);
    }
}

/// An immediate as it is in a register.
fn extended(size: Size, value: i64) -> u64 {
    match size {
        Size::S32 => u64::from(value as u32),
        _ => value as u64,
    }
}

#[inline]
pub(super) fn load(b: &mut Buffer, size: Size, dst: Gpr, src: Src) {
    match operand(src) {
        Ok(from) if src != Src::Reg(dst) => ro(b, ops::MOV_LOAD, wide(size), dst.0, from),
        Ok(_) => {}
        Err(value) => load_imm(b, dst, extended(size, value)),
    }
}

/// A source as an operand, or the immediate that it is.
#[inline(always)]
fn operand(src: Src) -> Result<Operand, i64> {
    match src {
        Src::Reg(reg) => Ok(Operand::reg(reg.0)),
        Src::Frame(disp) => Ok(Operand::frame(disp)),
        Src::Imm(value) => Err(value),
    }
}

/// The source in a register: its own, or the scratch register.
pub(super) fn in_reg(b: &mut Buffer, size: Size, src: Src) -> Gpr {
    if let Src::Reg(reg) = src {
        return reg;
    }
    load(b, size, R11, src);
    R11
}

#[inline(always)]
pub(super) fn arith_imm(b: &mut Buffer, number: u8, wide: bool, dst: Gpr, value: i32) {
    ri(
        b,
        ops::ARITH_IMM8,
        ops::ARITH_IMM32,
        wide,
        number,
        dst.0,
        value,
    );
}

/// `dst op= src`. An immediate that does not fit is loaded first.
#[inline(always)]
fn arith(b: &mut Buffer, number: u8, size: Size, dst: Gpr, src: Src) {
    let wide = wide(size);
    let src = match operand(src) {
        Ok(src) => src,
        Err(value) => match i32::try_from(value) {
            Ok(value) => return arith_imm(b, number, wide, dst, value),
            Err(_) => {
                load_imm(b, R11, value as u64);
                Operand::reg(R11.0)
            }
        },
    };
    ro(b, ops::ARITH.plus(number * 8), wide, dst.0, src);
}

#[inline(always)]
pub(super) fn op(b: &mut Buffer, op: IntOp, size: Size, dst: Gpr, x: Src, y: Src) {
    if op == IntOp::Add {
        return add(b, size, dst, x, y);
    }
    if op == IntOp::Sub {
        return sub(b, size, dst, x, y);
    }
    if op == IntOp::Mul {
        return mul(b, size, dst, x, y);
    }
    const NUMBERS: [u8; 6] = [ADD, SUB, 0, AND, OR, XOR];
    let (x, y) = if y == Src::Reg(dst) { (y, x) } else { (x, y) };
    load(b, size, dst, x);
    arith(b, NUMBERS[op as usize], size, dst, y);
}

/// The same for the operations of the arithmetic group and a small number.
#[inline(always)]
pub(super) fn op_by(b: &mut Buffer, op: IntOp, size: Size, dst: Gpr, x: Src, y: i32) {
    const NUMBERS: [u8; 6] = [ADD, ADD, 0, AND, OR, XOR];
    let number = NUMBERS[op as usize];
    let y = if op == IntOp::Sub { -y } else { y };
    if let Src::Reg(base) = x
        && number == ADD
        && base != dst
    {
        return rm(b, ops::LEA, wide(size), dst.0, Mem::new(base.0, y));
    }
    load(b, size, dst, x);
    arith_imm(b, number, wide(size), dst, y);
}

#[inline(always)]
fn add(b: &mut Buffer, size: Size, dst: Gpr, x: Src, y: Src) {
    let (x, y) = if y == Src::Reg(dst) || matches!(x, Src::Imm(_)) {
        (y, x)
    } else {
        (x, y)
    };
    if let Src::Reg(base) = x
        && base != dst
    {
        // Three operands in one instruction.
        match y {
            Src::Reg(index) => {
                let of = Mem {
                    base: base.0,
                    index: index.0,
                    scale: 0,
                    disp: 0,
                };
                return rm(b, ops::LEA, wide(size), dst.0, of);
            }
            Src::Imm(value) => {
                if let Ok(disp) = i32::try_from(value) {
                    return rm(b, ops::LEA, wide(size), dst.0, Mem::new(base.0, disp));
                }
            }
            Src::Frame(_) => {}
        }
    }
    load(b, size, dst, x);
    arith(b, ADD, size, dst, y);
}

#[inline(never)]
fn sub(b: &mut Buffer, size: Size, dst: Gpr, x: Src, y: Src) {
    if let Src::Imm(value) = y
        && let Some(negated) = value.checked_neg()
    {
        let negated = match size {
            Size::S32 => i64::from(negated as i32),
            _ => negated,
        };
        return add(b, size, dst, x, Src::Imm(negated));
    }
    if y == Src::Reg(dst) && x != y {
        rr(b, ops::GROUP3, wide(size), 3, dst.0);
        return arith(b, ADD, size, dst, x);
    }
    load(b, size, dst, x);
    arith(b, SUB, size, dst, y);
}

#[inline(never)]
fn mul(b: &mut Buffer, size: Size, dst: Gpr, x: Src, y: Src) {
    let wide = wide(size);
    let (x, y) = if matches!(x, Src::Imm(_)) {
        (y, x)
    } else {
        (x, y)
    };
    if let Src::Imm(value) = y
        && let Ok(value) = i32::try_from(value)
    {
        let short = i8::try_from(value);
        let op = if short.is_ok() {
            ops::IMUL_IMM8
        } else {
            ops::IMUL_IMM32
        };
        match x {
            Src::Frame(disp) => rm(b, op, wide, dst.0, frame(disp)),
            _ => {
                let x = in_reg(b, size, x);
                rr(b, op, wide, dst.0, x.0);
            }
        }
        match short {
            Ok(value) => imm8(b, value as u8),
            Err(_) => imm32(b, value),
        }
        return;
    }
    let (x, y) = if y == Src::Reg(dst) { (y, x) } else { (x, y) };
    load(b, size, dst, x);
    match y {
        Src::Frame(disp) => rm(b, ops::IMUL, wide, dst.0, frame(disp)),
        _ => {
            let y = in_reg(b, size, y);
            rr(b, ops::IMUL, wide, dst.0, y.0);
        }
    }
}

pub(super) fn shift(b: &mut Buffer, op: ShiftOp, size: Size, dst: Gpr, x: Src, count: Src) {
    let number = match op {
        ShiftOp::Rotl => 0,
        ShiftOp::Rotr => 1,
        ShiftOp::Shl => 4,
        ShiftOp::ShrU => 5,
        ShiftOp::ShrS => 7,
    };
    if let Src::Imm(count) = count {
        load(b, size, dst, x);
        let count = count as u8 & (size.bits() as u8 - 1);
        match (count, op) {
            (0, _) => {}
            (1, ShiftOp::Shl) => rr(b, ops::ARITH, wide(size), dst.0, dst.0),
            _ => {
                rr(b, ops::SHIFT_IMM, wide(size), number, dst.0);
                imm8(b, count);
            }
        }
        return;
    }
    // The count is in `cl`, which must be read before it is written.
    if dst == super::RCX {
        load(b, size, R11, x);
        rr(b, ops::SHIFT_CL, wide(size), number, R11.0);
        mov(b, size, dst, R11);
        return;
    }
    load(b, size, dst, x);
    rr(b, ops::SHIFT_CL, wide(size), number, dst.0);
}

#[inline(always)]
pub(super) fn extend(b: &mut Buffer, extend: Extend, size: Size, dst: Gpr, x: Src) {
    let (op, wide) = match extend {
        Extend::S8 => (ops::MOVSX8, wide(size)),
        Extend::S16 => (ops::MOVSX16, wide(size)),
        Extend::S32 => (ops::MOVSXD, true),
        Extend::U32 => (ops::MOV_LOAD, false),
    };
    match x {
        Src::Reg(x) => rr(b, op, wide, dst.0, x.0),
        Src::Frame(disp) => rm(b, op, wide, dst.0, frame(disp)),
        Src::Imm(value) => {
            load_imm(b, R11, value as u64);
            rr(b, op, wide, dst.0, R11.0);
        }
    }
}

/// The dividend is in `rax`.
pub(super) fn divide(b: &mut Buffer, division: Division, y: Src) {
    let size = division.size;
    let wide = wide(size);
    let y = in_reg(b, size, y);
    debug_assert!(y != RAX && y != RDX);
    if division.zero {
        rr(b, ops::TEST, wide, y.0, y.0);
        let zero = b.trap_label(Division::BY_ZERO);
        X64::jump_if(b, EQUAL, zero);
    }
    if !division.signed {
        rr(b, ops::ARITH.plus(XOR * 8), false, RDX.0, RDX.0);
        rr(b, ops::GROUP3, wide, 6, y.0);
        return;
    }
    let done = b.label();
    if division.minus_one {
        let usual = b.label();
        arith_imm(b, CMP, wide, y, -1);
        X64::jump_if(b, NOT_EQUAL, usual);
        if division.remainder {
            rr(b, ops::ARITH.plus(XOR * 8), false, RDX.0, RDX.0);
            X64::jump(b, done);
        } else {
            // Negation overflows exactly where the division does.
            rr(b, ops::GROUP3, wide, 3, RAX.0);
            let overflow = b.trap_label(Trap::IntegerOverflow);
            X64::jump_if(b, OVERFLOW, overflow);
            X64::jump(b, done);
        }
        b.bind::<X64>(usual);
    }
    // `cdq` or `cqo`.
    if wide {
        b.put(0x9948, 2);
    } else {
        b.put(0x99, 1);
    }
    rr(b, ops::GROUP3, wide, 7, y.0);
    b.bind::<X64>(done);
}

pub(super) fn add_or_jump(b: &mut Buffer, dst: Gpr, x: Gpr, y: Src, overflow: Label) {
    debug_assert!(y != Src::Reg(dst));
    mov(b, Size::S64, dst, x);
    arith(b, ADD, Size::S64, dst, y);
    X64::jump_if(b, BELOW, overflow);
}

pub(super) fn add_carry(b: &mut Buffer, subtract: bool, x: (Gpr, Gpr), y: (Src, Src)) {
    let (low, high) = if subtract { (SUB, SBB) } else { (ADD, ADC) };
    arith(b, low, Size::S64, x.0, y.0);
    // What loads an immediate here changes no flags.
    arith(b, high, Size::S64, x.1, y.1);
}

/// `rdx:rax = rax * y`.
pub(super) fn multiply_wide(b: &mut Buffer, signed: bool, y: Src) {
    let number = if signed { 5 } else { 4 };
    match y {
        Src::Frame(disp) => rm(b, ops::GROUP3, true, number, frame(disp)),
        _ => {
            let y = in_reg(b, Size::S64, y);
            rr(b, ops::GROUP3, true, number, y.0);
        }
    }
}

/// At most one of the operands is an immediate.
#[inline(always)]
pub(super) fn compare(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Src) -> Cond {
    let wide = wide(size);
    let (cc, x, y) = match x {
        Src::Imm(_) => (cc.swapped(), y, x),
        _ => (cc, x, y),
    };
    match (x, y) {
        (Src::Reg(x), Src::Imm(0)) => rr(b, ops::TEST, wide, x.0, x.0),
        (Src::Reg(x), _) => arith(b, CMP, size, x, y),
        (Src::Frame(disp), Src::Imm(value)) if i32::try_from(value).is_ok() => {
            compare_frame_imm(b, wide, disp, value as i32);
        }
        (Src::Frame(_), Src::Frame(_)) => {
            load(b, size, R11, x);
            arith(b, CMP, size, R11, y);
        }
        (Src::Frame(disp), _) => {
            let y = in_reg(b, size, y);
            ro(b, ops::CMP_STORE, wide, y.0, Operand::frame(disp));
        }
        (Src::Imm(_), _) => unreachable!("two constants are not compared"),
    }
    cond(cc)
}

#[inline(never)]
fn compare_frame_imm(b: &mut Buffer, wide: bool, disp: i32, value: i32) {
    if let Ok(value) = i8::try_from(value) {
        rm(b, ops::ARITH_IMM8, wide, CMP, frame(disp));
        imm8(b, value as u8);
    } else {
        rm(b, ops::ARITH_IMM32, wide, CMP, frame(disp));
        imm32(b, value);
    }
}

/// The first operand is a register, or an immediate of 32 bits.
pub(super) fn compare_memory(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Mem) -> Cond {
    let wide = wide(size);
    match x {
        Src::Reg(x) => {
            rm(b, ops::ARITH.plus(CMP * 8), wide, x.0, y);
            cond(cc)
        }
        Src::Imm(value) if i32::try_from(value).is_ok() => {
            rm(b, ops::ARITH_IMM32, wide, CMP, y);
            imm32(b, value as i32);
            cond(cc.swapped())
        }
        _ => unreachable!("compared with memory is a register or a short constant"),
    }
}

/// At most one of the operands is an immediate.
pub(super) fn test(b: &mut Buffer, size: Size, x: Src, mask: Src) -> Cond {
    let wide = wide(size);
    let (x, mask) = match x {
        Src::Imm(_) => (mask, x),
        _ => (x, mask),
    };
    let short = match mask {
        Src::Imm(value) => i32::try_from(value).ok(),
        _ => None,
    };
    match (x, short) {
        (Src::Reg(x), Some(value)) => {
            rr(b, ops::GROUP3, wide, 0, x.0);
            imm32(b, value);
        }
        (Src::Frame(disp), Some(value)) => {
            rm(b, ops::GROUP3, wide, 0, frame(disp));
            imm32(b, value);
        }
        (Src::Reg(x), None) => {
            let mask = in_reg(b, size, mask);
            rr(b, ops::TEST, wide, x.0, mask.0);
        }
        (Src::Frame(disp), None) => {
            let mask = in_reg(b, size, mask);
            rm(b, ops::TEST, wide, mask.0, frame(disp));
        }
        (Src::Imm(_), _) => unreachable!("two constants are not tested"),
    }
    NOT_EQUAL
}

/// Subtracts from 32 bits in memory.
pub(super) fn count_down(b: &mut Buffer, at: Mem, amount: u8) -> (Cond, u32) {
    debug_assert!(amount < 128);
    rm(b, ops::ARITH_IMM8, false, SUB, at);
    imm8(b, amount);
    (SIGN, b.at() - 1)
}
