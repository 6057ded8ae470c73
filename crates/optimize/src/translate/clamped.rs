//! Addresses in memories whose 64-bit indices are clamped: an index beyond the reservation is replaced by one in the guard after it.
//!
//! The one idea: unrolled loops access `x`, `x + 8`, `x + 16`, …, and one clamp of `x` serves all of them, if it lets pass what is a little
//! outside on either side: a sum that comes back inside is right then, and one that does not is in a guard. Whether there will be such accesses is
//! not known at the first, so that has the cheaper clamp, which the second rewrites. With an offset it is not the same: the sum of an index
//! and an offset does not wrap, and must trap where the index is below zero.

use super::Translator;
use super::address::Address;
use super::environment::MemoryAccess;
use super::known_address::{Clamp, KnownAddress};
use super::truncated::Movable;
use crate::types::PTR;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    Inst, InstBuilder, InstructionData, Opcode, Value,
    condcodes::IntCC,
    types::{I32, I64},
};
use meantime_abi::{Bounds, MemoryIndex, Trap};

/// What is known of a [`Bounds::Clamped`] memory.
#[derive(Copy, Clone)]
struct Limits {
    limit: u64,
    guard: u64,
    margin: u64,
}

impl Translator<'_> {
    /// The address of an access of a memory with 64-bit addresses that needs no check of the memory's length.
    pub(super) fn clamped(
        &mut self,
        memory: MemoryIndex,
        access: &MemoryAccess,
        index: Value,
        offset: u64,
        end: u64,
    ) -> Option<Address> {
        let Bounds::Clamped {
            limit,
            guard,
            margin,
        } = access.plan.bounds
        else {
            return None;
        };
        let limits = Limits {
            limit,
            guard,
            margin,
        };
        let displacement = i32::try_from(offset).ok()?;
        if end > limits.guard || self.constant(index).is_some() {
            return None;
        }
        let (origin, delta) = self.split_sum(index);
        if let Some(address) = self.known_address(memory, &limits, (origin, delta), offset, end) {
            return Some(address);
        }
        let (wide, clamp) = self.clamp(&limits, access, index, offset == 0);
        let start = self.memory_base(memory);
        let base = self.b.ins().iadd(start, wide);
        self.s.addresses.add(KnownAddress {
            memory,
            origin,
            delta,
            base,
            clamp,
        });
        Some(Address {
            base,
            offset: displacement,
        })
    }

    /// An index as a sum of a value and a constant.
    fn split_sum(&self, index: Value) -> (Value, i64) {
        let dfg = &self.b.func.dfg;
        let index = dfg.resolve_aliases(index);
        if let Some(inst) = dfg.value_def(index).inst()
            && let InstructionData::Binary {
                opcode: Opcode::Iadd,
                args: [x, y],
            } = dfg.insts[inst]
        {
            let (x, y) = (dfg.resolve_aliases(x), dfg.resolve_aliases(y));
            for (x, y) in [(x, y), (y, x)] {
                if let Some(constant) = self.constant(y) {
                    return (x, constant as i64);
                }
            }
        }
        (index, 0)
    }

    /// The address of an access from one that was computed before.
    fn known_address(
        &mut self,
        memory: MemoryIndex,
        limits: &Limits,
        (origin, delta): (Value, i64),
        offset: u64,
        end: u64,
    ) -> Option<Address> {
        let is_near = |distance: i64| {
            let distance = distance.unsigned_abs();
            distance <= limits.margin && distance + end <= limits.margin
        };
        let mut wider = None;
        let usable = |known: &mut KnownAddress| {
            let distance = delta.wrapping_sub(known.delta);
            let is_sum = is_near(distance) && offset == 0;
            let usable = match &mut known.clamp {
                // An index that is not below zero has no sum that wraps, unless something is taken away.
                Clamp::None => distance == 0 || is_sum,
                Clamp::Above { plain, .. } if distance == 0 => {
                    *plain &= offset == 0;
                    true
                }
                &mut Clamp::Above {
                    compare,
                    select,
                    plain,
                } if plain && is_sum => {
                    wider = Some((compare, select));
                    known.clamp = Clamp::Outside;
                    true
                }
                Clamp::Above { .. } | Clamp::Checked { .. } => false,
                Clamp::Outside => is_sum,
            };
            usable.then_some((known.base, distance))
        };
        let (base, distance) = self.s.addresses.of(memory, origin).find_map(usable)?;
        if let Some((compare, select)) = wider {
            self.clamp_less(limits, compare, select);
        }
        let displacement = distance.checked_add_unsigned(offset)?;
        let offset = i32::try_from(displacement).ok()?;
        Some(Address { base, offset })
    }

    /// An index that is either below the limit or the limit itself, where the guard begins. Traps instead, if an index that has more than 32 bits can
    /// only be outside.
    fn clamp(
        &mut self,
        limits: &Limits,
        access: &MemoryAccess,
        index: Value,
        plain: bool,
    ) -> (Value, Clamp) {
        if self.is_below(index, limits.limit) {
            return (index, Clamp::None);
        }
        if access.max_bytes <= 1 << 32 {
            // Not the index itself, lest speculation get past the check.
            let half = self.b.ins().ireduce(I32, index);
            let half = self.b.ins().uextend(I64, half);
            let is_large = self.b.ins().icmp(IntCC::NotEqual, half, index);
            self.trap_if(is_large, Trap::MemoryOutOfBounds);
            return (half, Clamp::None);
        }
        let limit = self.b.ins().iconst(PTR, limits.limit as i64);
        let cc = IntCC::UnsignedGreaterThanOrEqual;
        let beyond = self.b.ins().icmp(cc, index, limit);
        let clamped = self.b.ins().select_spectre_guard(beyond, limit, index);
        let dfg = &self.b.func.dfg;
        let inst = |value| dfg.value_def(value).inst();
        let clamp = match (inst(beyond), inst(clamped)) {
            (Some(compare), Some(select)) => {
                self.s.clamps.push(Movable {
                    compare,
                    select,
                    in_loop: self.in_loop(),
                });
                Clamp::Above {
                    compare,
                    select,
                    plain,
                }
            }
            _ => unreachable!("both are results"),
        };
        (clamped, clamp)
    }

    /// Makes of the clamp of [`Clamp::Above`] that of [`Clamp::Outside`].
    fn clamp_less(&mut self, limits: &Limits, compare: Inst, select: Inst) {
        let far = limits.limit + 2 * limits.margin;
        let mut cursor = FuncCursor::new(self.b.func).at_inst(compare);
        let index = cursor.func.dfg.inst_args(compare)[0];
        let margin = cursor.ins().iconst(I64, limits.margin as i64);
        let sum = cursor.ins().iadd(index, margin);
        let far = cursor.ins().iconst(I64, far as i64);
        let dfg = &mut self.b.func.dfg;
        dfg.inst_args_mut(compare).copy_from_slice(&[sum, far]);
        dfg.inst_args_mut(select)[1] = far;
    }

    /// Whether an index is below a limit of at least 2^36 for certain.
    fn is_below(&self, index: Value, limit: u64) -> bool {
        let dfg = &self.b.func.dfg;
        let Some(inst) = dfg.value_def(dfg.resolve_aliases(index)).inst() else {
            return false;
        };
        match dfg.insts[inst] {
            InstructionData::Unary {
                opcode: Opcode::Uextend,
                ..
            }
            | InstructionData::Load {
                opcode: Opcode::Uload8 | Opcode::Uload16 | Opcode::Uload32,
                ..
            } => true,
            InstructionData::Binary {
                opcode: Opcode::Band,
                args,
            } => args
                .iter()
                .any(|&arg| self.constant(arg).is_some_and(|mask| mask < limit)),
            InstructionData::Binary {
                opcode: Opcode::Ushr,
                args: [_, count],
            } => self
                .constant(count)
                .is_some_and(|count| u64::MAX >> (count % 64) < limit),
            _ => false,
        }
    }
}
