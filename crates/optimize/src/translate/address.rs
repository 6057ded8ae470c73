//! From an address in a memory to an address in the machine, checked: the sandbox rests on this file.
//!
//! Every access of a memory by compiled code gets its address from [`Translator::address`]. An access of `size` bytes at constant offset `offset`
//! from the operand `index` touches `index + offset .. index + offset + size`, computed without wrapping, and must trap when that ends
//! beyond the memory's length. Three ways, as the memory's [`Bounds`] say:
//!
//! * `Guarded`: the whole 32-bit index space is mapped or faults, and so do `guard` bytes after it. No check where
//!   `offset + size` is no more than that.
//! * `Clamped`: the same for 64-bit indices below a limit; larger ones are replaced by the limit, through a conditional move.
//! * `Explicit`: a comparison with the current length. With hardware faults, an address that fails it is replaced by null through a
//!   conditional move, so that not even speculation reads outside; without, a branch goes to a cold block that traps.
//!
//! A 32-bit index is always extended explicitly, and offsets are added in 64 bits.

use super::Translator;
use super::environment::MemoryAccess;
use crate::types::PTR;
use cranelift_codegen::ir::{InstBuilder, Value, condcodes::IntCC};
use meantime_abi::{AddrType, Bounds, MemoryIndex, Trap};

/// How many computed addresses are kept for accesses with the same index.
const MAX_ADDRESSES: usize = 8;

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
        match self.check(memory, &access, wide, end) {
            Check::None => Some(self.unchecked(memory, wide, offset)),
            Check::Always => {
                self.trap_always(Trap::MemoryOutOfBounds);
                None
            }
            Check::Outside(outside) => Some(self.checked(memory, wide, offset, outside)),
        }
    }

    /// The address of an access that needs no check, whatever its index. Accesses with the same index share their base.
    fn guarded(
        &mut self,
        memory: MemoryIndex,
        access: &MemoryAccess,
        index: Value,
        offset: u64,
        end: u64,
    ) -> Option<Address> {
        let guard = match access.plan.bounds {
            Bounds::Guarded { guard } | Bounds::Clamped { guard, .. } => guard,
            Bounds::Explicit => return None,
        };
        let offset = i32::try_from(offset).ok()?;
        if end > guard || self.constant(index).is_some() {
            return None;
        }
        let known = |a: &&(MemoryIndex, Value, Value)| (a.0, a.1) == (memory, index);
        let base = match self.s.addresses.iter().rev().find(known) {
            Some(&(_, _, base)) => base,
            None => {
                let wide = self.wide_index(access, index);
                let wide = self.clamped(access, wide);
                let start = self.memory_base(memory);
                let base = self.b.ins().iadd(start, wide);
                if self.s.addresses.len() == MAX_ADDRESSES {
                    self.s.addresses.remove(0);
                }
                self.s.addresses.push((memory, index, base));
                base
            }
        };
        Some(Address { base, offset })
    }

    /// An index that is either below the limit of a [`Bounds::Clamped`] memory or that limit, where its guard begins.
    fn clamped(&mut self, access: &MemoryAccess, index: Value) -> Value {
        let Bounds::Clamped { limit, .. } = access.plan.bounds else {
            return index;
        };
        let limit = self.b.ins().iconst(PTR, limit as i64);
        let cc = IntCC::UnsignedGreaterThanOrEqual;
        let beyond = self.b.ins().icmp(cc, index, limit);
        self.b.ins().select_spectre_guard(beyond, limit, index)
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
        index: Value,
        offset: u64,
        outside: Value,
    ) -> Address {
        if !self.target.memory_guard_by_select {
            self.trap_if(outside, Trap::MemoryOutOfBounds);
            return self.unchecked(memory, index, offset);
        }
        // The displacement is added before the replacement, so that a replaced address is null itself and not null plus something.
        let Address { base, offset } = self.unchecked(memory, index, offset);
        let address = match offset {
            0 => base,
            offset => {
                let offset = self.b.ins().iconst(PTR, i64::from(offset));
                self.b.ins().iadd(base, offset)
            }
        };
        let null = self.b.ins().iconst(PTR, 0);
        Address {
            base: self.b.ins().select_spectre_guard(outside, null, address),
            offset: 0,
        }
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
