//! Loads and stores of integers.

use super::encode::*;
use super::int::{in_reg, load_imm};
use super::{R11, wide};
use crate::buffer::Buffer;
use crate::machine::*;

pub(super) fn load(b: &mut Buffer, load: Load, dst: Gpr, from: Mem) {
    let (op, wide) = match load {
        Load::S8(size) => (ops::MOVSX8, wide(size)),
        Load::U8 => (ops::MOVZX8, false),
        Load::S16(size) => (ops::MOVSX16, wide(size)),
        Load::U16 => (ops::MOVZX16, false),
        Load::S32 => (ops::MOVSXD, true),
        Load::U32 => (ops::MOV_LOAD, false),
        Load::U64 => (ops::MOV_LOAD, true),
    };
    // The source is memory: only the destination is a register, and that is never one of eight bits.
    let op = op.of_memory();
    rm(b, op, wide, dst.0, from);
}

/// Stores a register, or an immediate of 32 bits, sign-extended.
pub(super) fn store(b: &mut Buffer, store: Store, to: Mem, src: Src) {
    match src {
        Src::Reg(src) => {
            let (op, wide) = match store {
                Store::I8 => (ops::MOV_STORE8, false),
                Store::I16 => (ops::MOV_STORE16, false),
                Store::I32 => (ops::MOV_STORE, false),
                Store::I64 => (ops::MOV_STORE, true),
            };
            rm(b, op, wide, src.0, to);
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
        Size::S64 => Store::I64,
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
