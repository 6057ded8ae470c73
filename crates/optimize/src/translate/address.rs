//! From an address in a memory to an address in the machine, checked: the sandbox rests on this file.
//!
//! Every access of a memory by compiled code gets its address from [`Translator::address`]. An access of `size` bytes at constant offset `offset`
//! from the operand `index` touches `index + offset .. index + offset + size`, computed without wrapping, and must trap when that ends
//! beyond the memory's length. Three ways, as the memory's [`Bounds`] say:
//!
//! * `Guarded`: the whole 32-bit index space is mapped or faults, and so do `guard` bytes after it. No check where
//!   `offset + size` is no more than that.
//! * `Clamped`: the same for 64-bit indices below a limit; larger ones are replaced by the limit, through a conditional move. That is the
//!   matter of `clamped`, and of `truncated`, which leaves it to indices of more than 32 bits.
//! * `Explicit`: a comparison with the current length. With hardware faults, an address that fails it is replaced by null through a
//!   conditional move, so that not even speculation reads outside; without, a branch goes to a cold block that traps. What one access passed
//!   another with the same index need not pass again, if it reaches no farther: an earlier check of more would trap too early.
//!
//! A 32-bit index is always extended explicitly, and offsets are added in 64 bits.

use super::Translator;
use super::environment::MemoryAccess;
use super::known_address::{Clamp, KnownAddress};
use crate::types::PTR;
use cranelift_codegen::ir::{InstBuilder, Value, condcodes::IntCC};
use meantime_abi::{AddrType, Bounds, MemoryIndex, Trap};

/// Bytes from null on that are never mapped.
const NULL_REGION: u64 = 32 << 10;

/// An address to access: a pointer and a displacement for the instruction.
#[derive(Copy, Clone)]
pub(super) struct Address {
    pub(super) base: Value,
    pub(super) offset: i32,
}

/// What an access needs checked.
enum Check {
    /// Nothing: it is inside, or it faults.
    None,
    /// It can never be inside.
    Always,
    /// This value says that it is outside.
    Outside(Value),
}

impl Translator<'_> {
    /// The checked address of an access, or none when it always traps (and what follows cannot be reached).
    pub(super) fn address(
        &mut self,
        memory: MemoryIndex,
        index: Value,
        offset: u64,
        size: u32,
    ) -> Option<Address> {
        let access = self.memory_access(memory);
        let Some(end) = offset.checked_add(size.into()) else {
            self.trap_always(Trap::MemoryOutOfBounds);
            return None;
        };
        if let Some(address) = self.guarded(memory, &access, index, offset, end) {
            return Some(address);
        }
        let wide = self.wide_index(&access, index);
        if let Some(address) = self.checked_before(memory, (index, wide), offset, end) {
            return Some(address);
        }
        match self.check(memory, &access, wide, end) {
            Check::None => Some(self.unchecked(memory, wide, offset)),
            Check::Always => {
                self.trap_always(Trap::MemoryOutOfBounds);
                None
            }
            Check::Outside(outside) => {
                Some(self.checked(memory, (index, wide), offset, end, outside))
            }
        }
    }

    /// The address of an access that needs no check of the memory's length, whatever its index. Accesses with the same index share their base.
    fn guarded(
        &mut self,
        memory: MemoryIndex,
        access: &MemoryAccess,
        index: Value,
        offset: u64,
        end: u64,
    ) -> Option<Address> {
        if let Bounds::Clamped { .. } = access.plan.bounds {
            return self.clamped(memory, access, index, offset, end);
        }
        let Bounds::Guarded { guard } = access.plan.bounds else {
            return None;
        };
        let offset = i32::try_from(offset).ok()?;
        if end > guard || self.constant(index).is_some() {
            return None;
        }
        let unchecked = |known: &mut KnownAddress| {
            let is = known.clamp == Clamp::None;
            is.then_some(known.base)
        };
        let known = self.s.addresses.of(memory, index).find_map(unchecked);
        let base = match known {
            Some(base) => base,
            None => {
                let wide = self.wide_index(access, index);
                let start = self.memory_base(memory);
                let base = self.b.ins().iadd(start, wide);
                self.s.addresses.add(KnownAddress {
                    memory,
                    origin: index,
                    delta: 0,
                    base,
                    clamp: Clamp::None,
                });
                base
            }
        };
        Some(Address { base, offset })
    }

    /// The index in 64 bits: zero-extended, never taken to be so already.
    pub(super) fn wide_index(&mut self, access: &MemoryAccess, index: Value) -> Value {
        match access.addr {
            AddrType::I32 => match self.constant(index) {
                Some(index) => self.b.ins().iconst(PTR, index as i64),
                None => self.b.ins().uextend(PTR, index),
            },
            AddrType::I64 => index,
        }
    }

    /// What must be checked of an access that ends `end` bytes after `index`.
    fn check(
        &mut self,
        memory: MemoryIndex,
        access: &MemoryAccess,
        index: Value,
        end: u64,
    ) -> Check {
        if u128::from(end) > access.max_bytes {
            return Check::Always;
        }
        let constant_end = self
            .constant(index)
            .map(|i| u128::from(i) + u128::from(end));
        match constant_end {
            Some(end) if end <= u128::from(access.min_bytes) => return Check::None,
            Some(end) if end > access.max_bytes => return Check::Always,
            _ => {}
        }
        if let Bounds::Guarded { guard } = access.plan.bounds {
            debug_assert!(access.addr == AddrType::I32 && self.signals());
            if end <= guard {
                return Check::None;
            }
        }
        let len = self.memory_len(memory);
        if end <= access.min_bytes {
            // The length is never less than the minimum, so this difference does not wrap; and it is the same for all
            // accesses with this end. For a single byte it is the comparison `index >= len`.
            if end == 1 {
                return Check::Outside(self.b.ins().icmp(
                    IntCC::UnsignedGreaterThanOrEqual,
                    index,
                    len,
                ));
            }
            let end = self.b.ins().iconst(PTR, end as i64);
            let last = self.b.ins().isub(len, end);
            return Check::Outside(self.b.ins().icmp(IntCC::UnsignedGreaterThan, index, last));
        }
        let end_value = self.b.ins().iconst(PTR, end as i64);
        let sum = match access.addr {
            // Less than 2^32 plus less than 2^33 does not wrap.
            AddrType::I32 => self.b.ins().iadd(index, end_value),
            AddrType::I64 => self.add_or_trap(index, end_value, Trap::MemoryOutOfBounds),
        };
        Check::Outside(self.b.ins().icmp(IntCC::UnsignedGreaterThan, sum, len))
    }

    /// The address without a check.
    fn unchecked(&mut self, memory: MemoryIndex, index: Value, offset: u64) -> Address {
        let base = self.memory_base(memory);
        // A constant index is part of the displacement.
        if let Some(index) = self.constant(index)
            && let Some(offset) = index
                .checked_add(offset)
                .and_then(|sum| i32::try_from(sum).ok())
        {
            return Address { base, offset };
        }
        let base = self.b.ins().iadd(base, index);
        match i32::try_from(offset) {
            Ok(offset) => Address { base, offset },
            Err(_) => {
                let offset = self.b.ins().iconst(PTR, offset as i64);
                let base = self.b.ins().iadd(base, offset);
                Address { base, offset: 0 }
            }
        }
    }

    /// The address of an access that is outside when `outside` is not zero.
    fn checked(
        &mut self,
        memory: MemoryIndex,
        (index, wide): (Value, Value),
        offset: u64,
        end: u64,
        outside: Value,
    ) -> Address {
        let null = |t: &mut Translator<'_>| t.b.ins().iconst(PTR, 0);
        let mut known = KnownAddress {
            memory,
            origin: index,
            delta: 0,
            base: wide,
            clamp: Clamp::Checked { end, moves: false },
        };
        if !self.target.memory_guard_by_select {
            self.trap_if(outside, Trap::MemoryOutOfBounds);
            self.s.addresses.add(known);
            return self.unchecked(memory, wide, offset);
        }
        if end <= NULL_REGION && self.constant(wide).is_none() {
            let base = self.memory_base(memory);
            let base = self.b.ins().iadd(base, wide);
            let null = null(self);
            let base = self.b.ins().select_spectre_guard(outside, null, base);
            let moves = self.memory_moves(memory);
            known.base = base;
            known.clamp = Clamp::Checked { end, moves };
            self.s.addresses.add(known);
            // Less than 2^31, as the end is.
            let offset = offset as i32;
            return Address { base, offset };
        }
        // The displacement is added before the replacement, so that a replaced address is null itself.
        let address = self.unchecked(memory, wide, offset);
        let address = self.flat(address);
        let null = null(self);
        Address {
            base: self.b.ins().select_spectre_guard(outside, null, address),
            offset: 0,
        }
    }

    /// The address of an access that is inside because another with the same index was, which reached at least as far.
    fn checked_before(
        &mut self,
        memory: MemoryIndex,
        (index, wide): (Value, Value),
        offset: u64,
        end: u64,
    ) -> Option<Address> {
        let reached =
            |clamp| matches!(clamp, Clamp::Checked { end: reached, .. } if end <= reached);
        let base = self
            .s
            .addresses
            .of(memory, index)
            .find_map(|known| reached(known.clamp).then_some(known.base))?;
        if !self.target.memory_guard_by_select {
            return Some(self.unchecked(memory, wide, offset));
        }
        // Not the address as such but what the check made of it: so not even speculation gets past the check.
        let offset = i32::try_from(offset).ok()?;
        Some(Address { base, offset })
    }

    /// The address in one value, for instructions without a displacement.
    pub(super) fn flat(&mut self, address: Address) -> Value {
        match address.offset {
            0 => address.base,
            offset => {
                let offset = self.b.ins().iconst(PTR, i64::from(offset));
                self.b.ins().iadd(address.base, offset)
            }
        }
    }
}
