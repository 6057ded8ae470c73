//! Atomic instructions.
//!
//! The one idea: aligned loads are atomic as they are; all else is one instruction that locks the bus, or a loop around `cmpxchg`.

use super::encode::*;
use super::int::{self, NOT_EQUAL};
use super::{R11, RAX, X64, branch, memory};
use crate::atomic::{AtomicMachine, AtomicOp};
use crate::buffer::Buffer;
use crate::machine::*;

const LOCK: u64 = 0xf0;

/// The forms of an instruction for eight, 16, and 32 or 64 bits.
fn form(size: Store, ops: [Op; 3]) -> (Op, bool) {
    match size {
        Store::I8 => (ops[0], false),
        Store::I16 => (ops[1], false),
        Store::I32 => (ops[2], false),
        Store::I64 => (ops[2], true),
    }
}

/// An instruction on a register and memory that locks the bus. `xchg` does without being told.
fn locked(b: &mut Buffer, size: Store, ops: [Op; 3], reg: Gpr, at: Gpr) {
    let (op, wide) = form(size, ops);
    b.put(LOCK, 1);
    rm(b, op, wide, reg.0, Mem::new(at.0, 0));
}

fn load_of(size: Store) -> Load {
    match size {
        Store::I8 => Load::U8,
        Store::I16 => Load::U16,
        Store::I32 => Load::U32,
        Store::I64 => Load::U64,
    }
}

fn mov_zero_extended(b: &mut Buffer, size: Store, dst: Gpr, src: Gpr) {
    match size {
        Store::I8 => rr(b, ops::MOVZX8, false, dst.0, src.0),
        Store::I16 => rr(b, ops::MOVZX16, false, dst.0, src.0),
        Store::I32 => rr(b, ops::MOV_LOAD, false, dst.0, src.0),
        Store::I64 => rr(b, ops::MOV_LOAD, true, dst.0, src.0),
    }
}

impl AtomicMachine for X64 {
    const READ: Option<Gpr> = Some(RAX);

    fn atomic_load(b: &mut Buffer, load: Load, dst: Gpr, at: Gpr) {
        memory::load(b, load, dst, Mem::new(at.0, 0));
    }

    fn atomic_store(b: &mut Buffer, store: Store, at: Gpr, src: Gpr) {
        let (op, wide) = form(store, ops::XCHG_FORMS);
        rm(b, op, wide, src.0, Mem::new(at.0, 0));
    }

    fn atomic_update(b: &mut Buffer, op: AtomicOp, size: Store, dst: Gpr, at: Gpr, operand: Gpr) {
        let op = match op {
            AtomicOp::Add | AtomicOp::Sub => {
                if op == AtomicOp::Sub {
                    rr(b, ops::GROUP3, true, 3, operand.0);
                }
                b.note_access();
                locked(b, size, ops::XADD_FORMS, operand, at);
                return mov_zero_extended(b, size, dst, operand);
            }
            AtomicOp::Exchange => {
                let (op, wide) = form(size, ops::XCHG_FORMS);
                rm(b, op, wide, operand.0, Mem::new(at.0, 0));
                return mov_zero_extended(b, size, dst, operand);
            }
            AtomicOp::And => IntOp::And,
            AtomicOp::Or => IntOp::Or,
            AtomicOp::Xor => IntOp::Xor,
        };
        debug_assert!(dst == RAX);
        memory::load(b, load_of(size), dst, Mem::new(at.0, 0));
        let again = b.label();
        b.bind::<X64>(again);
        int::mov(b, Size::S64, R11, dst);
        let (x, y) = (Src::Reg(R11), Src::Reg(operand));
        int::op(b, op, Size::S64, R11, x, y);
        locked(b, size, ops::CMPXCHG_FORMS, R11, at);
        branch::jump_if(b, NOT_EQUAL, again);
    }

    fn compare_exchange(
        b: &mut Buffer,
        size: Store,
        dst: Gpr,
        at: Gpr,
        expected: Gpr,
        replacement: Gpr,
    ) {
        debug_assert!(dst == RAX && expected == RAX);
        locked(b, size, ops::CMPXCHG_FORMS, replacement, at);
        // Bits beyond the size are those that were expected.
        mov_zero_extended(b, size, dst, dst);
    }

    fn fence(b: &mut Buffer) {
        // `mfence`.
        b.put(0xf0_ae0f, 3);
    }
}
