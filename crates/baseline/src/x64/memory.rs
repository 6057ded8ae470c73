//! Loads and stores of integers.

use super::R11;
use super::encode::*;
use super::int::{in_reg, load_imm};
use crate::buffer::Buffer;
use crate::machine::*;

/// The instructions that load, and whether they are wide. The source is memory: only the destination is a register, and that is never one of
/// eight bits.
static LOADS: [(Op, bool); 9] = [
    (ops::MOVSX8.of_memory(), false),
    (ops::MOVSX8.of_memory(), true),
    (ops::MOVZX8.of_memory(), false),
    (ops::MOVSX16, false),
    (ops::MOVSX16, true),
    (ops::MOVZX16, false),
    (ops::MOVSXD, true),
    (ops::MOV_LOAD, false),
    (ops::MOV_LOAD, true),
];

pub(super) fn load(b: &mut Buffer, load: Load, dst: Gpr, from: Mem) {
    // Most loads are these, of which all but the registers and the displacement is known here.
    if let Load::U32 | Load::U64 = load {
        return access(b, ops::MOV_LOAD, load == Load::U64, dst, from);
    }
    let (op, wide) = LOADS[load as usize];
    access(b, op, wide, dst, from);
}

#[inline(always)]
fn access(b: &mut Buffer, op: Op, wide: bool, reg: Gpr, mem: Mem) {
    debug_assert_eq!(mem.scale, 0);
    if mem.index != NO_INDEX {
        rx(b, op, wide, reg.0, mem.base, mem.index, mem.disp);
    } else if mem.base & 7 != 4 {
        rb(b, op, wide, reg.0, mem.base, mem.disp);
    } else {
        rm(b, op, wide, reg.0, mem);
    }
}

#[inline(always)]
pub(super) fn load_indexed(b: &mut Buffer, load: Load, dst: Gpr, index: Gpr, offset: i32) {
    let (dst, base, index) = (dst.0, super::X64::BASE.0, index.0);
    if let Load::U32 | Load::U64 = load {
        return rx(
            b,
            ops::MOV_LOAD,
            load == Load::U64,
            dst,
            base,
            index,
            offset,
        );
    }
    let (op, wide) = LOADS[load as usize];
    rx(b, op, wide, dst, base, index, offset);
}

#[inline(always)]
pub(super) fn store_indexed(b: &mut Buffer, kind: Store, index: Gpr, offset: i32, src: Src) {
    if let Src::Reg(src) = src {
        let (src, base, index) = (src.0, super::X64::BASE.0, index.0);
        if let Store::I32 | Store::I64 = kind {
            let wide = kind == Store::I64;
            return rx(b, ops::MOV_STORE, wide, src, base, index, offset);
        }
        let (op, wide) = STORES[kind as usize];
        return rx(b, op, wide, src, base, index, offset);
    }
    let (base, index) = (super::X64::BASE.0, index.0);
    if let (Src::Imm(value), Store::I32 | Store::I64) = (src, kind) {
        let wide = kind == Store::I64;
        rx(b, ops::MOV_IMM, wide, 0, base, index, offset);
        return imm32(b, value as i32);
    }
    let to = Mem {
        base,
        index,
        scale: 0,
        disp: offset,
    };
    store(b, kind, to, src);
}

/// The instructions that store a register, and whether they are wide.
static STORES: [(Op, bool); 4] = [
    (ops::MOV_STORE8, false),
    (ops::MOV_STORE16, false),
    (ops::MOV_STORE, false),
    (ops::MOV_STORE, true),
];

/// Stores a register, or an immediate of 32 bits, sign-extended.
pub(super) fn store(b: &mut Buffer, store: Store, to: Mem, src: Src) {
    match src {
        Src::Reg(src) => {
            if let Store::I32 | Store::I64 = store {
                return access(b, ops::MOV_STORE, store == Store::I64, src, to);
            }
            let (op, wide) = STORES[store as usize];
            access(b, op, wide, src, to);
        }
        Src::Imm(value) => match store {
            Store::I8 => {
                rm(b, ops::MOV_IMM8, false, 0, to);
                imm8(b, value as u8);
            }
            Store::I16 => {
                rm(b, ops::MOV_IMM16, false, 0, to);
                b.put(u64::from(value as u16), 2);
            }
            Store::I32 | Store::I64 => {
                rm(b, ops::MOV_IMM, store == Store::I64, 0, to);
                imm32(b, value as i32);
            }
        },
        Src::Frame(_) => unreachable!("stored is a register or a short constant"),
    }
}

/// Stores any source to the stack, perhaps through the scratch register.
pub(super) fn store_int(b: &mut Buffer, size: Size, to: Mem, src: Src) {
    let store_size = match size {
        Size::S32 => Store::I32,
        _ => Store::I64,
    };
    let src = match src {
        Src::Imm(value) if size == Size::S32 || i32::try_from(value).is_ok() => src,
        Src::Imm(value) => {
            load_imm(b, R11, value as u64);
            Src::Reg(R11)
        }
        Src::Frame(_) => Src::Reg(in_reg(b, size, src)),
        Src::Reg(_) => src,
    };
    store(b, store_size, to, src);
}
