//! Atomic instructions (the threads proposal). An address that is not a multiple of the access's size traps, before it is looked at further.
//!
//! The one idea: opcodes come in groups of seven, which differ in how many bits are accessed of which type.

use super::Compiler;
use super::environment::Arg;
use super::memory::MemArg;
use crate::atomic::AtomicOp;
use crate::machine::*;
use meantime_abi::{AddrType, Builtin, Trap, ValRepr};

/// The members of a group: the type of values, and what is accessed.
const GROUP: [(ValRepr, Store); 7] = [
    (ValRepr::I32, Store::I32),
    (ValRepr::I64, Store::I64),
    (ValRepr::I32, Store::I8),
    (ValRepr::I32, Store::I16),
    (ValRepr::I64, Store::I8),
    (ValRepr::I64, Store::I16),
    (ValRepr::I64, Store::I32),
];

fn bytes(size: Store) -> u32 {
    match size {
        Store::I8 => 1,
        Store::I16 => 2,
        Store::I32 => 4,
        Store::I64 => 8,
    }
}

impl<M: Machine> Compiler<'_, M> {
    /// Operators with the prefix `0xfe`.
    pub(super) fn atomic(&mut self) {
        let opcode = self.leb_u32();
        let member = |first: u32| GROUP[((opcode - first) % 7) as usize];
        match opcode {
            0x00 => self.atomic_notify(),
            0x01 => self.atomic_wait(Builtin::MemoryAtomicWait32),
            0x02 => self.atomic_wait(Builtin::MemoryAtomicWait64),
            0x03 => {
                self.byte();
                M::fence(&mut self.b);
            }
            0x10..=0x16 => self.atomic_load(member(0x10)),
            0x17..=0x1d => self.atomic_store(member(0x17).1),
            0x1e..=0x47 => {
                const OPS: [AtomicOp; 6] = [
                    AtomicOp::Add,
                    AtomicOp::Sub,
                    AtomicOp::And,
                    AtomicOp::Or,
                    AtomicOp::Xor,
                    AtomicOp::Exchange,
                ];
                let op = OPS[((opcode - 0x1e) / 7) as usize];
                self.atomic_update(op, member(0x1e));
            }
            0x48..=0x4e => self.compare_exchange(member(0x48)),
            _ => self.unsupported("an unknown operator"),
        }
    }

    /// Pops an index and makes its address, in a register that is held, or none when it always traps.
    fn atomic_address(&mut self, memarg: &MemArg, size: u32) -> Option<Gpr> {
        let index = *self.s.stack.last()?;
        let mask = size - 1;
        // Only the lowest bits count, so wrapping sums do no harm.
        let offset = memarg.offset as u32 & mask;
        if index.is_const() {
            if (index.bits as u32).wrapping_add(offset) & mask != 0 {
                let index = self.pop();
                self.release(index);
                self.trap_always(Trap::HeapMisaligned);
                return None;
            }
        } else if mask != 0 {
            let mut src = self.src(index);
            if offset != 0 || matches!(src, Src::Frame(_)) {
                M::move_int(&mut self.b, index.size(), M::SCRATCH, src);
                src = Src::Reg(M::SCRATCH);
            }
            if offset != 0 {
                let of = Address::new(M::SCRATCH, offset as i32);
                M::address(&mut self.b, M::SCRATCH, of);
            }
            let mask = Src::Imm(i64::from(mask));
            let misaligned = M::test(&mut self.b, Size::S32, src, mask);
            let label = self.b.trap_label(Trap::HeapMisaligned);
            M::jump_if(&mut self.b, misaligned, label);
        }
        let at = self.address(memarg, size)?;
        self.release_address(&at);
        let reg = self.alloc_gpr();
        M::address(&mut self.b, reg, at.address);
        Some(reg)
    }

    fn atomic_load(&mut self, (ty, size): (ValRepr, Store)) {
        let memarg = self.memarg();
        let Some(at) = self.atomic_address(&memarg, bytes(size)) else {
            return;
        };
        let load = match size {
            Store::I8 => Load::U8,
            Store::I16 => Load::U16,
            Store::I32 => Load::U32,
            Store::I64 => Load::U64,
        };
        self.may_fault();
        M::atomic_load(&mut self.b, load, at, at);
        self.push_gpr(ty, at);
    }

    fn atomic_store(&mut self, size: Store) {
        let memarg = self.memarg();
        let value = self.pop();
        let src = self.own_gpr(value);
        if let Some(at) = self.atomic_address(&memarg, bytes(size)) {
            self.may_fault();
            M::atomic_store(&mut self.b, size, at, src);
            self.free_gpr(at);
        }
        self.free_gpr(src);
    }

    /// The register of what is read, which no operand is in. Held.
    fn read_register(&mut self) -> Gpr {
        match M::READ {
            Some(reg) => {
                self.take_gpr(reg);
                reg
            }
            None => self.alloc_gpr(),
        }
    }

    fn atomic_update(&mut self, op: AtomicOp, (ty, size): (ValRepr, Store)) {
        let memarg = self.memarg();
        let dst = self.read_register();
        let value = self.pop();
        let operand = self.own_gpr(value);
        if let Some(at) = self.atomic_address(&memarg, bytes(size)) {
            self.may_fault();
            M::atomic_update(&mut self.b, op, size, dst, at, operand);
            self.free_gpr(at);
            self.free_gpr(operand);
            self.push_gpr(ty, dst);
        } else {
            self.free_gpr(operand);
            self.free_gpr(dst);
        }
    }

    fn compare_exchange(&mut self, (ty, size): (ValRepr, Store)) {
        let memarg = self.memarg();
        let dst = self.read_register();
        let value = self.pop();
        let replacement = self.in_gpr(value);
        let value = self.pop();
        let expected = if M::READ.is_some() {
            let src = self.src(value);
            M::move_int(&mut self.b, value.size(), dst, src);
            self.release(value);
            dst
        } else {
            self.in_gpr(value)
        };
        if let Some(at) = self.atomic_address(&memarg, bytes(size)) {
            self.may_fault();
            M::compare_exchange(&mut self.b, size, dst, at, expected, replacement);
            self.free_gpr(at);
            self.free_gpr(replacement);
            if expected != dst {
                self.free_gpr(expected);
            }
            self.push_gpr(ty, dst);
        } else {
            for reg in [replacement, expected, dst] {
                self.free_gpr(reg);
            }
        }
    }

    /// The address that `wait` and `notify` are about, in 64 bits; the runtime checks it further.
    fn effective_address(&mut self, memarg: &MemArg) -> Gpr {
        let index = self.pop();
        let reg = self.own_gpr(index);
        if memarg.offset == 0 {
            return reg;
        }
        let offset = Src::Imm(memarg.offset as i64);
        if self.memory_access(memarg.memory).addr == AddrType::I32 {
            // A sum of 32-bit numbers does not wrap in 64 bits, and the runtime finds it outside.
            let (size, x) = (Size::S64, Src::Reg(reg));
            M::int_op(&mut self.b, IntOp::Add, size, reg, x, offset);
        } else {
            let overflow = self.b.trap_label(Trap::MemoryOutOfBounds);
            M::add_or_jump(&mut self.b, reg, reg, offset, overflow);
        }
        reg
    }

    fn atomic_notify(&mut self) {
        let memarg = self.memarg();
        let count = self.pop();
        let address = self.effective_address(&memarg);
        let memory = Arg::Number(memarg.memory.as_u32().into());
        let args = [memory, Arg::Reg(address), Arg::Value(count)];
        self.builtin(Builtin::MemoryAtomicNotify, &args);
        let woken = self.builtin_result32();
        self.push_gpr(ValRepr::I32, woken);
    }

    fn atomic_wait(&mut self, builtin: Builtin) {
        let memarg = self.memarg();
        let timeout = self.pop();
        let expected = self.pop();
        let address = self.effective_address(&memarg);
        let memory = Arg::Number(memarg.memory.as_u32().into());
        let values = [Arg::Value(expected), Arg::Value(timeout)];
        let args = [memory, Arg::Reg(address), values[0], values[1]];
        self.builtin(builtin, &args);
        let result = self.builtin_result32();
        self.push_gpr(ValRepr::I32, result);
    }
}
