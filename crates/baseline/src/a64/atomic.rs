//! Atomic instructions.
//!
//! The one idea: loads that acquire and stores that release; all else is a loop around a pair of those that are exclusive, which every version of the
//! architecture has.

use super::encode::*;
use super::int::{self, NOT_EQUAL};
use super::{A64, SCRATCH, SCRATCH2, branch};
use crate::atomic::{AtomicMachine, AtomicOp};
use crate::buffer::{Buffer, Label};
use crate::machine::*;

/// The instructions for bytes. Wider ones have the binary logarithm of the size in the uppermost two bits.
const LDAR: Op = 0x08df_fc00;
const STLR: Op = 0x089f_fc00;
const LDAXR: Op = 0x085f_fc00;
/// With the register that says whether it failed in the bits from 16 on.
const STLXR: Op = 0x0800_fc00;
/// `dmb ish`.
const DMB_ISH: Op = 0xd503_3bbf;

fn log2(size: Store) -> u32 {
    match size {
        Store::I8 => 0,
        Store::I16 => 1,
        Store::I32 => 2,
        Store::I64 => 3,
    }
}

fn width(size: Store) -> Size {
    match size {
        Store::I64 => Size::S64,
        _ => Size::S32,
    }
}

fn exclusive(b: &mut Buffer, op: Op, size: Store, rt: Gpr, at: Gpr) {
    b.note_access();
    put(
        b,
        log2(size) << 30 | op | u32::from(at.0) << 5 | u32::from(rt.0),
    );
}

/// Stores what was loaded and changed, or begins again.
fn store_or_again(b: &mut Buffer, size: Store, value: Gpr, at: Gpr, again: Label) {
    let failed = SCRATCH2;
    exclusive(b, STLXR | u32::from(failed.0) << 16, size, value, at);
    branch::jump_if_not_zero(b, Size::S32, failed.0, again);
}

impl AtomicMachine for A64 {
    const READ: Option<Gpr> = None;

    fn atomic_load(b: &mut Buffer, load: Load, dst: Gpr, at: Gpr) {
        let size = match load {
            Load::S8 | Load::S8Wide | Load::U8 => Store::I8,
            Load::S16 | Load::S16Wide | Load::U16 => Store::I16,
            Load::S32 | Load::U32 => Store::I32,
            Load::U64 => Store::I64,
        };
        exclusive(b, LDAR, size, dst, at);
    }

    fn atomic_store(b: &mut Buffer, store: Store, at: Gpr, src: Gpr) {
        exclusive(b, STLR, store, src, at);
    }

    fn atomic_update(b: &mut Buffer, op: AtomicOp, size: Store, dst: Gpr, at: Gpr, operand: Gpr) {
        let again = b.label();
        b.bind::<A64>(again);
        exclusive(b, LDAXR, size, dst, at);
        let op = match op {
            AtomicOp::Add => ops::ADD,
            AtomicOp::Sub => ops::SUB,
            AtomicOp::And => ops::AND,
            AtomicOp::Or => ops::ORR,
            AtomicOp::Xor => ops::EOR,
            AtomicOp::Exchange => return store_or_again(b, size, operand, at, again),
        };
        rrr(b, op, width(size), SCRATCH.0, dst.0, operand.0);
        store_or_again(b, size, SCRATCH, at, again);
    }

    fn compare_exchange(
        b: &mut Buffer,
        size: Store,
        dst: Gpr,
        at: Gpr,
        expected: Gpr,
        replacement: Gpr,
    ) {
        match size {
            Store::I64 | Store::I32 => int::mov(b, width(size), SCRATCH, expected),
            Store::I8 | Store::I16 => {
                let last = (8 << log2(size)) - 1;
                bitfield(b, ops::UBFM, Size::S32, SCRATCH.0, expected.0, 0, last);
            }
        }
        let (again, done) = (b.label(), b.label());
        b.bind::<A64>(again);
        exclusive(b, LDAXR, size, dst, at);
        rrr(b, ops::SUBS, Size::S64, ZR, dst.0, SCRATCH.0);
        branch::jump_if(b, NOT_EQUAL, done);
        store_or_again(b, size, replacement, at, again);
        b.bind::<A64>(done);
    }

    fn fence(b: &mut Buffer) {
        put(b, DMB_ISH);
    }
}
