//! Loads and stores, and from an index in a memory to an address: the sandbox rests on this file.
//!
//! An access of `size` bytes at constant offset `offset` from the operand `index` touches `index + offset .. index + offset + size`, computed without
//! wrapping, and must trap when that ends beyond the memory's length. What keeps it inside is what the memory's [`Bounds`] say, as in the optimizing
//! compiler:
//!
//! * `Guarded`: no check where `offset + size` is no more than the guard.
//! * `Clamped`: the same, for an index that is replaced by the limit when it is not below that.
//! * `Explicit`: a comparison with the current length. With hardware faults, an address that fails it is replaced by null through a
//!   conditional move, so that not even speculation reads outside; without, a branch goes to what traps.
//!
//! An index of 32 bits is zero-extended wherever it is: in a register by the invariant of all registers, from the frame by how it is loaded.

use super::Compiler;
use super::environment::MemoryAccess;
use super::float::float_type;
use super::value::Value;
use crate::machine::*;
use meantime_abi::{Bounds, MemoryIndex, Trap, ValRepr};

/// Bytes of the largest access.
const LARGEST_ACCESS: u64 = 16;

/// Loads of integers by the lower half of their opcodes, from `0x28` to `0x35`: what they read, to what, and how many bytes.
static LOADS: [(Load, ValRepr, u8); 16] = {
    use ValRepr::{I32, I64};
    let none = (Load::U8, I32, 1);
    [
        (Load::S8Wide, I64, 1),
        (Load::U8, I64, 1),
        (Load::S16Wide, I64, 2),
        (Load::U16, I64, 2),
        (Load::S32, I64, 4),
        (Load::U32, I64, 4),
        none,
        none,
        (Load::U32, I32, 4),
        (Load::U64, I64, 8),
        none,
        none,
        (Load::S8, I32, 1),
        (Load::U8, I32, 1),
        (Load::S16, I32, 2),
        (Load::U16, I32, 2),
    ]
};

/// The same for stores, from `0x36` to `0x3e`.
static STORES: [(Store, u8); 16] = {
    let mut stores = [(Store::I8, 1); 16];
    stores[0x6] = (Store::I32, 4);
    stores[0x7] = (Store::I64, 8);
    stores[0xb] = (Store::I16, 2);
    stores[0xd] = (Store::I16, 2);
    stores[0xe] = (Store::I32, 4);
    stores
};

/// What an access needs checked.
enum Check {
    /// Nothing: it is inside, or it faults.
    None,
    /// It can never be inside.
    Always,
    /// A comparison with the length of where the access ends: so many bytes after the index.
    End(u64),
}

/// An address, and the registers that are held for it.
pub(super) struct Checked {
    pub(super) address: Address,
    held: [Option<Gpr>; 2],
}

/// The immediates of an access: memory and offset.
pub(super) struct MemArg {
    pub(super) memory: MemoryIndex,
    pub(super) offset: u64,
}

impl<M: Machine> Compiler<'_, M> {
    pub(super) fn memarg(&mut self) -> MemArg {
        let word = self.word(self.at).unwrap_or_default();
        self.memarg_in(word)
    }

    /// The same, of which the first eight bytes were read.
    #[inline(always)]
    fn memarg_in(&mut self, word: u64) -> MemArg {
        let memory = MemoryIndex::from_u32(0);
        // Nearly all are two bytes, and most others three.
        if word & 0x8040 == 0 {
            self.at += 2;
            let offset = word >> 8 & 0x7f;
            return MemArg { memory, offset };
        }
        if word & 0x80_8040 == 0x8000 {
            self.at += 3;
            let offset = word >> 8 & 0x7f | (word >> 16 & 0x7f) << 7;
            return MemArg { memory, offset };
        }
        self.long_memarg()
    }

    #[inline(never)]
    fn long_memarg(&mut self) -> MemArg {
        let flags = self.leb_u32();
        let memory = if flags & 0x40 != 0 { self.leb_u32() } else { 0 };
        MemArg {
            memory: MemoryIndex::from_u32(memory),
            offset: self.leb_u64(),
        }
    }

    /// The load of an integer with this opcode, at an index that was popped. The word is what follows.
    pub(super) fn load(&mut self, opcode: u8, index: Value, word: u64) {
        let memarg = self.memarg_in(word);
        let (load, ty, size) = LOADS[usize::from(opcode % 16)];
        if !self.is_unchecked(&memarg, index) {
            return self.load_checked(load, ty, &memarg, index, size.into());
        }
        let reg = self.in_gpr(index);
        self.use_base();
        let pinned = self.pinned_dest();
        self.free_gpr(reg);
        let dst = pinned.unwrap_or_else(|| self.alloc_gpr());
        self.may_fault();
        let offset = memarg.offset as i32;
        M::load_indexed(&mut self.b, load, dst, reg, offset);
        self.push_dest(ty, dst);
    }

    #[inline(never)]
    fn load_checked(&mut self, load: Load, ty: ValRepr, memarg: &MemArg, index: Value, size: u32) {
        let Some(at) = self.general_address(memarg, index, size) else {
            return;
        };
        // The index's register, if it is not needed for anything else, gets the value.
        let pinned = self.pinned_dest();
        self.release_address(&at);
        let dst = pinned.unwrap_or_else(|| self.alloc_gpr());
        self.may_fault();
        M::load(&mut self.b, load, dst, at.address);
        self.push_dest(ty, dst);
    }

    pub(super) fn load_float(&mut self, size: Size) {
        self.load_float_as(size, float_type(size));
    }

    /// Loads to a register of floats, whose upper bits become zero.
    pub(super) fn load_float_as(&mut self, size: Size, ty: ValRepr) {
        let memarg = self.memarg();
        let Some(at) = self.address(&memarg, size.bits() / 8) else {
            return;
        };
        let dst = self.float_dest();
        self.may_fault();
        M::load_float(&mut self.b, size, dst, at.address);
        self.release_address(&at);
        self.push_fpr(ty, dst);
    }

    /// The store of an integer with this opcode, which was popped. The word is what follows.
    #[inline(never)]
    pub(super) fn store(&mut self, opcode: u8, value: Value, word: u64) {
        let memarg = self.memarg_in(word);
        let (store, size) = STORES[usize::from(opcode % 16)];
        debug_assert!(!value.is_float());
        let mut src = self.src(value);
        let short = matches!(src, Src::Imm(value) if i32::try_from(value).is_ok());
        if !short {
            src = Src::Reg(self.in_gpr(value));
        }
        let index = self.pop_number();
        if self.is_unchecked(&memarg, index) {
            let reg = self.in_gpr(index);
            self.use_base();
            self.may_fault();
            let offset = memarg.offset as i32;
            M::store_indexed(&mut self.b, store, reg, offset, src);
            self.free_gpr(reg);
        } else if let Some(at) = self.general_address(&memarg, index, size.into()) {
            self.may_fault();
            M::store(&mut self.b, store, at.address, src);
            self.release_address(&at);
        }
        if let Src::Reg(reg) = src {
            self.free_gpr(reg);
        }
    }

    pub(super) fn store_float(&mut self, size: Size) {
        let memarg = self.memarg();
        let value = self.pop();
        let reg = self.in_fpr(value);
        if let Some(at) = self.address(&memarg, size.bits() / 8) {
            self.may_fault();
            M::store_float(&mut self.b, size, at.address, reg);
            self.release_address(&at);
        }
        self.free_fpr(reg);
    }

    /// Records that the next instruction accesses a memory.
    #[inline]
    pub(super) fn may_fault(&mut self) {
        if self.signals() {
            let at = self.b.at();
            self.t.trap(at, self.b.wasm_offset, Trap::MemoryOutOfBounds);
            self.b.expect_fault();
        }
    }

    pub(super) fn release_address(&mut self, at: &Checked) {
        for reg in at.held.into_iter().flatten() {
            self.free_gpr(reg);
        }
    }

    /// Pops an index and makes the checked address of an access, or none when it always traps (and what follows cannot be reached).
    pub(super) fn address(&mut self, memarg: &MemArg, size: u32) -> Option<Checked> {
        let index = self.pop();
        if self.is_unchecked(memarg, index) {
            let reg = self.in_gpr(index);
            self.use_base();
            return Some(Checked {
                address: Self::unchecked_address(memarg, reg),
                held: [Some(reg), None],
            });
        }
        self.general_address(memarg, index, size)
    }

    /// Whether this is what nearly every access is: one of a memory behind guards, at an index of 32 bits that is not known.
    #[inline(always)]
    fn is_unchecked(&self, memarg: &MemArg, index: Value) -> bool {
        memarg.memory.as_u32() == 0 && memarg.offset < self.unchecked_offsets && !index.is_const()
    }

    /// The address of such an access, whose index is in a register.
    #[inline(always)]
    fn unchecked_address(memarg: &MemArg, index: Gpr) -> Address {
        Address {
            base: M::BASE,
            index: Some(index),
            disp: memarg.offset as i32,
        }
    }

    /// Below which offsets no access of the first memory has to be checked, whatever its size.
    pub(super) fn find_unchecked_offsets(&mut self) {
        if self.module.memories().is_empty() {
            return;
        }
        let access = self.memory_access(MemoryIndex::from_u32(0));
        if let Bounds::Guarded { guard } = access.plan.bounds {
            let max_bytes = u64::try_from(access.max_bytes).unwrap_or(u64::MAX);
            let end = guard.min(max_bytes).min(1 << 31);
            self.unchecked_offsets = end.saturating_sub(LARGEST_ACCESS - 1);
        }
    }

    #[inline(never)]
    fn general_address(&mut self, memarg: &MemArg, index: Value, size: u32) -> Option<Checked> {
        let access = self.memory_access(memarg.memory);
        let Some(end) = memarg.offset.checked_add(size.into()) else {
            self.release(index);
            self.trap_always(Trap::MemoryOutOfBounds);
            return None;
        };
        match self.check(&access, index, end) {
            Check::None => Some(self.unchecked(memarg, &access, index)),
            Check::Always => {
                self.release(index);
                self.trap_always(Trap::MemoryOutOfBounds);
                None
            }
            Check::End(end) => Some(self.checked(memarg, index, end)),
        }
    }

    fn check(&self, access: &MemoryAccess, index: Value, end: u64) -> Check {
        if u128::from(end) > access.max_bytes {
            return Check::Always;
        }
        if index.is_const() {
            let end = u128::from(index.bits) + u128::from(end);
            if end <= u128::from(access.min_bytes) {
                return Check::None;
            }
            if end > access.max_bytes {
                return Check::Always;
            }
        }
        match access.plan.bounds {
            Bounds::Guarded { guard } | Bounds::Clamped { guard, .. } if end <= guard => {
                Check::None
            }
            _ => Check::End(end),
        }
    }

    /// The start of a memory in a register, and whether that is held.
    fn base_of(&mut self, memory: MemoryIndex) -> (Gpr, Option<Gpr>) {
        if memory.as_u32() == 0 {
            self.use_base();
            return (M::BASE, None);
        }
        let reg = self.alloc_gpr();
        self.load_memory_base(memory.as_u32(), reg);
        (reg, Some(reg))
    }

    /// An index in a register, and whether that is held. Not above the limit of a clamped memory.
    fn index_of(&mut self, access: &MemoryAccess, index: Value) -> (Gpr, Option<Gpr>) {
        let Bounds::Clamped { limit, .. } = access.plan.bounds else {
            let reg = self.in_gpr(index);
            return (reg, Some(reg));
        };
        let reg = self.own_gpr(index);
        let other = self.alloc_gpr();
        M::move_int(&mut self.b, Size::S64, other, Src::Imm(limit as i64));
        let (x, y) = (Src::Reg(reg), Src::Reg(other));
        let below = M::compare(&mut self.b, IntCc::LtU, Size::S64, x, y);
        M::select(&mut self.b, below, Size::S64, reg, y);
        self.free_gpr(other);
        (reg, Some(reg))
    }

    /// The address without a comparison with the length.
    fn unchecked(&mut self, memarg: &MemArg, access: &MemoryAccess, index: Value) -> Checked {
        // A constant index is part of the displacement.
        if index.is_const()
            && let Some(sum) = index.bits.checked_add(memarg.offset)
            && let Ok(disp) = i32::try_from(sum)
        {
            let (base, held) = self.base_of(memarg.memory);
            return Checked {
                address: Address::new(base, disp),
                held: [held, None],
            };
        }
        let (index, held_index) = self.index_of(access, index);
        let (base, held_base) = self.base_of(memarg.memory);
        if let Ok(disp) = i32::try_from(memarg.offset) {
            let address = Address {
                base,
                index: Some(index),
                disp,
            };
            return Checked {
                address,
                held: [held_index, held_base],
            };
        }
        let sum = self.sum(base, index, memarg.offset);
        for reg in [held_index, held_base].into_iter().flatten() {
            self.free_gpr(reg);
        }
        Checked {
            address: Address::new(sum, 0),
            held: [Some(sum), None],
        }
    }

    /// The sum of a base, an index and an offset, in a register of its own. Held.
    fn sum(&mut self, base: Gpr, index: Gpr, offset: u64) -> Gpr {
        let sum = self.alloc_gpr();
        if let Ok(disp) = i32::try_from(offset) {
            let of = Address {
                base,
                index: Some(index),
                disp,
            };
            M::address(&mut self.b, sum, of);
            return sum;
        }
        let of = Address {
            base,
            index: Some(index),
            disp: 0,
        };
        M::address(&mut self.b, sum, of);
        let (x, y) = (Src::Reg(sum), Src::Imm(offset as i64));
        M::int_op(&mut self.b, IntOp::Add, Size::S64, sum, x, y);
        sum
    }

    /// The address of an access that is compared with the memory's length.
    fn checked(&mut self, memarg: &MemArg, index: Value, end: u64) -> Checked {
        let access = self.memory_access(memarg.memory);
        let index = self.in_gpr(index);
        let end_reg = self.alloc_gpr();
        let end = Src::Imm(end as i64);
        let x = Src::Reg(index);
        if access.addr == meantime_abi::AddrType::I32 {
            // Less than 2^32 plus less than 2^33 does not wrap.
            M::int_op(&mut self.b, IntOp::Add, Size::S64, end_reg, x, end);
        } else {
            let overflow = self.b.trap_label(Trap::MemoryOutOfBounds);
            M::add_or_jump(&mut self.b, end_reg, index, end, overflow);
        }
        let (base, held_base) = self.base_of(memarg.memory);
        if self.signals() {
            let address = self.sum(base, index, memarg.offset);
            let len = self.memory_len(memarg.memory, M::SCRATCH);
            let end = Src::Reg(end_reg);
            let inside = M::compare_memory(&mut self.b, IntCc::LeU, Size::S64, end, len);
            M::select(&mut self.b, inside, Size::S64, address, Src::Imm(0));
            for reg in [Some(index), Some(end_reg), held_base]
                .into_iter()
                .flatten()
            {
                self.free_gpr(reg);
            }
            return Checked {
                address: Address::new(address, 0),
                held: [Some(address), None],
            };
        }
        let len = self.memory_len(memarg.memory, M::SCRATCH);
        let end = Src::Reg(end_reg);
        let outside = M::compare_memory(&mut self.b, IntCc::GtU, Size::S64, end, len);
        let label = self.b.trap_label(Trap::MemoryOutOfBounds);
        M::jump_if(&mut self.b, outside, label);
        self.free_gpr(end_reg);
        if let Ok(disp) = i32::try_from(memarg.offset) {
            let address = Address {
                base,
                index: Some(index),
                disp,
            };
            return Checked {
                address,
                held: [Some(index), held_base],
            };
        }
        let sum = self.sum(base, index, memarg.offset);
        for reg in [Some(index), held_base].into_iter().flatten() {
            self.free_gpr(reg);
        }
        Checked {
            address: Address::new(sum, 0),
            held: [Some(sum), None],
        }
    }
}
