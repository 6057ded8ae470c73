//! Instructions on vectors.
//!
//! The one idea: operands are in registers, and of an operation's results only the first operand's register can be reused, as most machines want it;
//! everything else is the machine's.

use super::Compiler;
use super::float::float_type;
use super::value::Value;
use crate::machine::*;
use crate::vector::{Lanes, VectorOp};
use meantime_abi::ValRepr;

impl<M: Machine> Compiler<'_, M> {
    /// Operators with the prefix `0xfd`.
    #[rustfmt::skip]
    pub(super) fn vector(&mut self) {
        use Lanes::{I8, I16, I32, I64};
        use Size::{S32, S64, S128};
        let opcode = self.leb_u32();
        let from = |first: u32| Lanes::ALL[(opcode - first) as usize & 3];
        match opcode {
            0x00 => self.load_float(S128),
            0x01..=0x06 => self.load_extend(Lanes::ALL[(opcode as usize - 1) / 2], opcode & 1 != 0),
            0x07..=0x0a => self.load_splat(from(0x07)),
            0x0b => self.store_float(S128),
            0x0c => { let bytes = self.bytes(); self.vector_const(u128::from_le_bytes(bytes)); }
            0x0d => { let bytes = self.bytes(); self.shuffle(bytes); }
            0x0f..=0x12 => self.splat(from(0x0f)),
            0x15 | 0x16 => self.extract_lane(I8, opcode == 0x15),
            0x17 => self.replace_lane(I8),
            0x18 | 0x19 => self.extract_lane(I16, opcode == 0x18),
            0x1a => self.replace_lane(I16),
            0x1b => self.extract_lane(I32, false),
            0x1c => self.replace_lane(I32),
            0x1d => self.extract_lane(I64, false),
            0x1e => self.replace_lane(I64),
            0x1f => self.extract_float(S32),
            0x20 => self.replace_float(S32),
            0x21 => self.extract_float(S64),
            0x22 => self.replace_float(S64),
            0x53 => self.any_true(),
            0x54..=0x57 => self.load_lane(from(0x54)),
            0x58..=0x5b => self.store_lane(from(0x58)),
            0x5c => self.load_float_as(S32, ValRepr::V128),
            0x5d => self.load_float_as(S64, ValRepr::V128),
            0x63 | 0x83 | 0xa3 | 0xc3 => self.all_true(Lanes::of_block(opcode)),
            0x64 | 0x84 | 0xa4 | 0xc4 => self.bitmask(Lanes::of_block(opcode)),
            0x6b | 0x8b | 0xab | 0xcb => self.vector_shift(ShiftOp::Shl, Lanes::of_block(opcode)),
            0x6c | 0x8c | 0xac | 0xcc => self.vector_shift(ShiftOp::ShrS, Lanes::of_block(opcode)),
            0x6d | 0x8d | 0xad | 0xcd => self.vector_shift(ShiftOp::ShrU, Lanes::of_block(opcode)),
            _ => match VectorOp::of(opcode) {
                Some(op) => self.vector_op(op),
                None => self.unsupported("an unknown operator"),
            },
        }
    }

    fn vector_const(&mut self, bits: u128) {
        let bits = match bits {
            0 => 0,
            _ => 1 + self.b.constant_number(bits as u64, (bits >> 64) as u64),
        };
        self.push_const(ValRepr::V128, bits.into());
    }

    /// A register for a result of an operation on a vector in a register, which may be that, but none of the others. Held.
    fn vector_dest(&mut self, x: Fpr, others: &[Fpr]) -> Fpr {
        if let Some(reg) = self.pinned_float_dest()
            && !others.contains(&reg)
        {
            return reg;
        }
        if M::FLOAT_TEMPS & x.bit() != 0 {
            return x;
        }
        self.alloc_fpr()
    }

    /// Releases the registers of operands unless the result is in them.
    fn free_fprs_unless(&mut self, regs: &[Fpr], kept: Fpr) {
        for reg in regs {
            if *reg != kept {
                self.free_fpr(*reg);
            }
        }
    }

    fn push_vector(&mut self, reg: Fpr) {
        self.push_fpr(ValRepr::V128, reg);
    }

    fn vector_op(&mut self, op: VectorOp) {
        let deterministic = self.tunables.relaxed_simd_deterministic;
        let op = if deterministic {
            op.deterministic()
        } else {
            op
        };
        if deterministic && matches!(op, VectorOp::MultiplyAdd(..)) && !M::fuses(&self.b) {
            return self.unsupported("a deterministic multiply-add that the processor lacks");
        }
        let count = op.operands();
        let third = (count == 3).then(|| self.pop());
        let second = (count >= 2).then(|| self.pop());
        let first = self.pop();
        let mut x = self.in_fpr(first);
        let mut y = second.map_or(x, |value| self.in_fpr(value));
        let z = third.map_or(x, |value| self.in_fpr(value));
        if op.commutes() && M::FLOAT_TEMPS & x.bit() == 0 {
            // The other register may be one that can be reused.
            (x, y) = (y, x);
        }
        let others = [y, z];
        let dst = self.vector_dest(x, &others[..count - 1]);
        let temp = self.alloc_fpr();
        M::vector_op(&mut self.b, op, dst, [x, y, z], temp);
        if self.tunables.nan_canonicalization
            && let Some(size) = op.arithmetic(M::EXACT_EXTREMA)
        {
            M::canonical_nans(&mut self.b, size, dst, temp);
        }
        self.free_fpr(temp);
        self.free_fprs_unless(&[x, y, z][..count], dst);
        self.push_vector(dst);
    }

    fn vector_shift(&mut self, op: ShiftOp, lanes: Lanes) {
        let count = self.pop();
        let value = self.pop();
        let x = self.in_fpr(value);
        let dst = self.vector_dest(x, &[]);
        let temp = self.alloc_fpr();
        let src = self.src(count);
        M::vector_shift(&mut self.b, op, lanes, dst, x, src, temp);
        self.free_fpr(temp);
        self.release(count);
        self.free_fprs_unless(&[x], dst);
        self.push_vector(dst);
    }

    fn shuffle(&mut self, bytes: [u8; 16]) {
        let second = self.pop();
        let first = self.pop();
        let (x, y) = (self.in_fpr(first), self.in_fpr(second));
        let dst = self.vector_dest(x, &[y]);
        M::shuffle(&mut self.b, bytes, dst, x, y);
        self.free_fprs_unless(&[x, y], dst);
        self.push_vector(dst);
    }

    fn splat(&mut self, lanes: Lanes) {
        let value = self.pop();
        let src = self.src(value);
        let dst = self.float_dest();
        M::splat(&mut self.b, lanes, dst, src);
        self.release(value);
        self.push_vector(dst);
    }

    /// The number of a lane, which is an immediate.
    fn lane(&mut self, lanes: Lanes) -> u8 {
        self.byte() & (15 >> lanes.log2())
    }

    fn extract_lane(&mut self, lanes: Lanes, signed: bool) {
        let lane = self.lane(lanes);
        let value = self.pop();
        let x = self.in_fpr(value);
        let dst = self.dest();
        M::extract_lane(&mut self.b, lanes, signed, dst, x, lane);
        self.free_fpr(x);
        let ty = match lanes {
            Lanes::I64 => ValRepr::I64,
            _ => ValRepr::I32,
        };
        self.push_gpr(ty, dst);
    }

    fn replace_lane(&mut self, lanes: Lanes) {
        let lane = self.lane(lanes);
        let value = self.pop();
        let vector = self.pop();
        let dst = self.own_fpr(vector);
        let src = self.src(value);
        M::replace_lane(&mut self.b, lanes, dst, src, lane);
        self.release(value);
        self.push_vector(dst);
    }

    fn extract_float(&mut self, size: Size) {
        let lane = self.lane(Lanes::of_float(size));
        let value = self.pop();
        let x = self.in_fpr(value);
        let dst = self.vector_dest(x, &[]);
        M::extract_float(&mut self.b, size, dst, x, lane);
        self.free_fprs_unless(&[x], dst);
        self.push_fpr(float_type(size), dst);
    }

    fn replace_float(&mut self, size: Size) {
        let lane = self.lane(Lanes::of_float(size));
        let value = self.pop();
        let vector = self.pop();
        let src = self.in_fpr(value);
        let dst = self.own_fpr(vector);
        M::replace_float(&mut self.b, size, dst, src, lane);
        self.free_fpr(src);
        self.push_vector(dst);
    }

    fn any_true(&mut self) {
        let value = self.pop();
        let x = self.in_fpr(value);
        let cond = M::any_true(&mut self.b, x);
        self.free_fpr(x);
        self.push_condition(cond);
    }

    fn all_true(&mut self, lanes: Lanes) {
        let value = self.pop();
        let x = self.in_fpr(value);
        let cond = M::all_true(&mut self.b, lanes, x);
        self.free_fpr(x);
        self.push_condition(cond);
    }

    fn bitmask(&mut self, lanes: Lanes) {
        let value = self.pop();
        let x = self.in_fpr(value);
        let dst = self.dest();
        M::bitmask(&mut self.b, lanes, dst, x);
        self.free_fpr(x);
        self.push_gpr(ValRepr::I32, dst);
    }

    fn load_extend(&mut self, lanes: Lanes, signed: bool) {
        let memarg = self.memarg();
        let Some(at) = self.address(&memarg, 8) else {
            return;
        };
        let dst = self.float_dest();
        self.may_fault();
        M::load_extend(&mut self.b, lanes, signed, dst, at.address);
        self.release_address(&at);
        self.push_vector(dst);
    }

    fn load_splat(&mut self, lanes: Lanes) {
        let memarg = self.memarg();
        let Some(at) = self.address(&memarg, lanes.bits() / 8) else {
            return;
        };
        let dst = self.float_dest();
        self.may_fault();
        M::load_splat(&mut self.b, lanes, dst, at.address);
        self.release_address(&at);
        self.push_vector(dst);
    }

    fn load_lane(&mut self, lanes: Lanes) {
        let memarg = self.memarg();
        let lane = self.lane(lanes);
        let vector: Value = self.pop();
        let dst = self.own_fpr(vector);
        let Some(at) = self.address(&memarg, lanes.bits() / 8) else {
            return self.free_fpr(dst);
        };
        self.may_fault();
        M::load_lane(&mut self.b, lanes, dst, at.address, lane);
        self.release_address(&at);
        self.push_vector(dst);
    }

    fn store_lane(&mut self, lanes: Lanes) {
        let memarg = self.memarg();
        let lane = self.lane(lanes);
        let vector = self.pop();
        let x = self.in_fpr(vector);
        if let Some(at) = self.address(&memarg, lanes.bits() / 8) {
            self.may_fault();
            M::store_lane(&mut self.b, lanes, at.address, x, lane);
            self.release_address(&at);
        }
        self.free_fpr(x);
    }
}
