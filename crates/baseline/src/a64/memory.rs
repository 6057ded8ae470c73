//! Loads and stores.
//!
//! The one idea: whatever an address takes, the access itself is the last instruction. A fault is found there, four bytes before what comes next.
//!
//! Sums of addresses go to the second scratch register, as a value to be stored may be in the first one.

use super::encode::*;
use super::int::{self, add_imm, other_scratch};
use super::{FP, SCRATCH, SCRATCH2, imm};
use crate::buffer::Buffer;
use crate::machine::*;

/// The load of an integer of this width.
pub(super) fn load_of(size: Size) -> Access {
    match size {
        Size::S32 => accesses::LDR_W,
        _ => accesses::LDR_X,
    }
}

pub(super) fn store_of(size: Size) -> Access {
    match size {
        Size::S32 => accesses::STR_W,
        _ => accesses::STR_X,
    }
}

pub(super) fn float_load_of(size: Size) -> Access {
    match size {
        Size::S32 => accesses::LDR_S,
        Size::S64 => accesses::LDR_D,
        Size::S128 => accesses::LDR_Q,
    }
}

pub(super) fn float_store_of(size: Size) -> Access {
    match size {
        Size::S32 => accesses::STR_S,
        Size::S64 => accesses::STR_D,
        Size::S128 => accesses::STR_Q,
    }
}

/// A distance from a register, if an access has a field for it.
fn near(op: Access, base: u8, disp: i32) -> Option<Mode> {
    let scaled = u32::try_from(disp)
        .ok()
        .filter(|offset| offset >> op.log2 < 4096 && offset.trailing_zeros() >= u32::from(op.log2));
    if let Some(offset) = scaled {
        return Some(Mode::Scaled { base, offset });
    }
    let offset = disp;
    (-256..256)
        .contains(&disp)
        .then_some(Mode::Unscaled { base, offset })
}

/// Writes what an access cannot compute of its address, into `scratch`, which may be the base or the index.
fn resolve(b: &mut Buffer, op: Access, address: Address, scratch: Gpr) -> Mode {
    let Address { base, index, disp } = address;
    let (base, sum) = (base.0, scratch.0);
    let Some(index) = index else {
        if let Some(mode) = near(op, base, disp) {
            return mode;
        }
        let magnitude = disp.unsigned_abs();
        if magnitude < 1 << 24 {
            // What is left of the distance, the access has a field for; or there are two additions.
            let low = disp & 0xfff;
            let high = disp - low;
            if let Some(mode) = near(op, sum, low)
                && high.unsigned_abs() < 1 << 24
                && magnitude >= 4096
            {
                add_imm(b, Size::S64, sum, base, i64::from(high));
                return mode;
            }
            add_imm(b, Size::S64, sum, base, i64::from(disp));
            return Mode::Scaled {
                base: sum,
                offset: 0,
            };
        }
        let offset = if sum == base {
            other_scratch(base)
        } else {
            scratch
        };
        imm::load(b, offset, i64::from(disp) as u64);
        return Mode::Sum {
            base,
            index: offset.0,
        };
    };
    let index = index.0;
    if disp == 0 {
        return Mode::Sum { base, index };
    }
    if near(op, sum, disp).is_none() && sum != base && sum != index {
        imm::load(b, scratch, i64::from(disp) as u64);
        rrr(b, ops::ADD, Size::S64, sum, sum, index);
        return Mode::Sum { base, index: sum };
    }
    rrr(b, ops::ADD, Size::S64, sum, base, index);
    let rest = Address::new(scratch, disp);
    resolve(b, op, rest, scratch)
}

/// An access of the frame, whose address may be computed in this register.
pub(super) fn frame_through(b: &mut Buffer, op: Access, rt: u8, disp: i32, scratch: Gpr) {
    let mode = resolve(b, op, Address::new(FP, disp), scratch);
    access(b, op, rt, mode);
}

/// An access of any register. The sum is in the second scratch register.
pub(super) fn access_at(b: &mut Buffer, op: Access, rt: u8, address: Address) {
    let mode = resolve(b, op, address, SCRATCH2);
    access(b, op, rt, mode);
}

pub(super) fn load(b: &mut Buffer, load: Load, dst: Gpr, from: Address) {
    let op = match load {
        Load::S8 => accesses::LDRSB_W,
        Load::S8Wide => accesses::LDRSB_X,
        Load::U8 => accesses::LDRB,
        Load::S16 => accesses::LDRSH_W,
        Load::S16Wide => accesses::LDRSH_X,
        Load::U16 => accesses::LDRH,
        Load::S32 => accesses::LDRSW,
        Load::U32 => accesses::LDR_W,
        Load::U64 => accesses::LDR_X,
    };
    access_at(b, op, dst.0, from);
}

/// Stores a register or an immediate.
pub(super) fn store(b: &mut Buffer, store: Store, to: Address, src: Src) {
    let (op, bits) = match store {
        Store::I8 => (accesses::STRB, 0xff),
        Store::I16 => (accesses::STRH, 0xffff),
        Store::I32 => (accesses::STR_W, 0xffff_ffff),
        Store::I64 => (accesses::STR_X, u64::MAX),
    };
    match src {
        Src::Reg(src) => access_at(b, op, src.0, to),
        Src::Imm(value) => store_imm(b, op, to, value as u64 & bits),
        Src::Frame(_) => unreachable!("stored is a register or a constant"),
    }
}

fn store_imm(b: &mut Buffer, op: Access, to: Address, value: u64) {
    if value == 0 {
        return access_at(b, op, ZR, to);
    }
    let mut mode = resolve(b, op, to, SCRATCH2);
    let uses = |reg: Gpr| match mode {
        Mode::Scaled { base, .. } | Mode::Unscaled { base, .. } => base == reg.0,
        Mode::Sum { base, index } | Mode::Index { base, index } => base == reg.0 || index == reg.0,
    };
    let scratch = match (uses(SCRATCH), uses(SCRATCH2)) {
        (false, _) => SCRATCH,
        (true, false) => SCRATCH2,
        (true, true) => {
            // The value needs a register: the address is made one of a single register.
            let (base, index) = (SCRATCH.0, SCRATCH2.0);
            rrr(b, ops::ADD, Size::S64, index, base, index);
            mode = Mode::Scaled {
                base: index,
                offset: 0,
            };
            SCRATCH
        }
    };
    imm::load(b, scratch, value);
    access(b, op, scratch.0, mode);
}

/// Stores any source to the stack, perhaps through the scratch registers.
pub(super) fn store_int(b: &mut Buffer, size: Size, to: Address, src: Src) {
    let src = int::in_reg(b, size, src, SCRATCH);
    access_at(b, store_of(size), src, to);
}

/// The sum of an address, in a register that may be part of it.
pub(super) fn address(b: &mut Buffer, dst: Gpr, of: Address) {
    let mut base = of.base;
    if let Some(index) = of.index {
        rrr(b, ops::ADD, Size::S64, dst.0, base.0, index.0);
        base = dst;
    }
    if of.disp != 0 {
        add_imm(b, Size::S64, dst.0, base.0, i64::from(of.disp));
    } else {
        int::mov(b, Size::S64, dst, base);
    }
}

/// The first operand is a register or an immediate.
pub(super) fn compare_memory(b: &mut Buffer, cc: IntCc, size: Size, x: Src, y: Address) -> Cond {
    access_at(b, load_of(size), SCRATCH2.0, y);
    int::compare(b, cc, size, x, Src::Reg(SCRATCH2))
}

/// Subtracts from 32 bits in memory. Says where the subtraction is.
pub(super) fn count_down(b: &mut Buffer, at: Address, amount: u8) -> (Cond, u32) {
    let mut mode = resolve(b, accesses::LDR_W, at, SCRATCH2);
    if let Mode::Sum { base, index } = mode {
        rrr(b, ops::ADD, Size::S64, SCRATCH2.0, base, index);
        mode = Mode::Scaled {
            base: SCRATCH2.0,
            offset: 0,
        };
    }
    let base = match mode {
        Mode::Scaled { base, .. } | Mode::Unscaled { base, .. } => base,
        Mode::Sum { base, .. } | Mode::Index { base, .. } => base,
    };
    let value = other_scratch(base).0;
    access(b, accesses::LDR_W, value, mode);
    let at = b.at();
    let amount = u32::from(amount);
    imm12(b, ops::SUBS_IMM, Size::S32, value, value, amount, false);
    access(b, accesses::STR_W, value, mode);
    (int::NEGATIVE, at)
}

/// Changes what the subtraction there subtracts.
pub(super) fn set_amount(b: &mut Buffer, at: u32, amount: u8) {
    let Some(word) = b
        .code()
        .get(at as usize..)
        .and_then(|c| c.first_chunk::<4>())
    else {
        return;
    };
    let others = u32::from_le_bytes(*word) & !(0xfff << 10);
    b.patch32(at, others | u32::from(amount) << 10);
}
