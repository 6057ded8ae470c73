//! Atomic instructions (the threads proposal). An address that is not a multiple of the access's size traps, before it is looked at further.

use super::{Result, Translator};
use cranelift_codegen::ir::{
    AtomicRmwOp, InstBuilder, MemFlagsData, Type, Value,
    condcodes::IntCC,
    types::{I8, I16, I32, I64},
};
use meantime_abi::{Builtin, MemoryIndex, Trap};
use wasmparser::{MemArg, Operator as O};

impl Translator<'_> {
    #[rustfmt::skip]
    pub(super) fn atomic(&mut self, op: &O<'_>) -> Result<bool> {
        use AtomicRmwOp::{Add, And, Or, Sub, Xchg, Xor};
        match *op {
            O::AtomicFence { .. } => { self.s.forget(); self.b.ins().fence(); }
            O::MemoryAtomicNotify { memarg } => self.atomic_notify(&memarg)?,
            O::MemoryAtomicWait32 { memarg } => self.atomic_wait(Builtin::MemoryAtomicWait32, &memarg)?,
            O::MemoryAtomicWait64 { memarg } => self.atomic_wait(Builtin::MemoryAtomicWait64, &memarg)?,

            O::I32AtomicLoad { memarg } => self.atomic_load(I32, I32, &memarg)?,
            O::I64AtomicLoad { memarg } => self.atomic_load(I64, I64, &memarg)?,
            O::I32AtomicLoad8U { memarg } => self.atomic_load(I8, I32, &memarg)?,
            O::I32AtomicLoad16U { memarg } => self.atomic_load(I16, I32, &memarg)?,
            O::I64AtomicLoad8U { memarg } => self.atomic_load(I8, I64, &memarg)?,
            O::I64AtomicLoad16U { memarg } => self.atomic_load(I16, I64, &memarg)?,
            O::I64AtomicLoad32U { memarg } => self.atomic_load(I32, I64, &memarg)?,

            O::I32AtomicStore { memarg } => self.atomic_store(I32, &memarg)?,
            O::I64AtomicStore { memarg } => self.atomic_store(I64, &memarg)?,
            O::I32AtomicStore8 { memarg } | O::I64AtomicStore8 { memarg } => self.atomic_store(I8, &memarg)?,
            O::I32AtomicStore16 { memarg } | O::I64AtomicStore16 { memarg } => self.atomic_store(I16, &memarg)?,
            O::I64AtomicStore32 { memarg } => self.atomic_store(I32, &memarg)?,

            O::I32AtomicRmwAdd { memarg } => self.atomic_rmw(Add, I32, I32, &memarg)?,
            O::I64AtomicRmwAdd { memarg } => self.atomic_rmw(Add, I64, I64, &memarg)?,
            O::I32AtomicRmw8AddU { memarg } => self.atomic_rmw(Add, I8, I32, &memarg)?,
            O::I32AtomicRmw16AddU { memarg } => self.atomic_rmw(Add, I16, I32, &memarg)?,
            O::I64AtomicRmw8AddU { memarg } => self.atomic_rmw(Add, I8, I64, &memarg)?,
            O::I64AtomicRmw16AddU { memarg } => self.atomic_rmw(Add, I16, I64, &memarg)?,
            O::I64AtomicRmw32AddU { memarg } => self.atomic_rmw(Add, I32, I64, &memarg)?,

            O::I32AtomicRmwSub { memarg } => self.atomic_rmw(Sub, I32, I32, &memarg)?,
            O::I64AtomicRmwSub { memarg } => self.atomic_rmw(Sub, I64, I64, &memarg)?,
            O::I32AtomicRmw8SubU { memarg } => self.atomic_rmw(Sub, I8, I32, &memarg)?,
            O::I32AtomicRmw16SubU { memarg } => self.atomic_rmw(Sub, I16, I32, &memarg)?,
            O::I64AtomicRmw8SubU { memarg } => self.atomic_rmw(Sub, I8, I64, &memarg)?,
            O::I64AtomicRmw16SubU { memarg } => self.atomic_rmw(Sub, I16, I64, &memarg)?,
            O::I64AtomicRmw32SubU { memarg } => self.atomic_rmw(Sub, I32, I64, &memarg)?,

            O::I32AtomicRmwAnd { memarg } => self.atomic_rmw(And, I32, I32, &memarg)?,
            O::I64AtomicRmwAnd { memarg } => self.atomic_rmw(And, I64, I64, &memarg)?,
            O::I32AtomicRmw8AndU { memarg } => self.atomic_rmw(And, I8, I32, &memarg)?,
            O::I32AtomicRmw16AndU { memarg } => self.atomic_rmw(And, I16, I32, &memarg)?,
            O::I64AtomicRmw8AndU { memarg } => self.atomic_rmw(And, I8, I64, &memarg)?,
            O::I64AtomicRmw16AndU { memarg } => self.atomic_rmw(And, I16, I64, &memarg)?,
            O::I64AtomicRmw32AndU { memarg } => self.atomic_rmw(And, I32, I64, &memarg)?,

            O::I32AtomicRmwOr { memarg } => self.atomic_rmw(Or, I32, I32, &memarg)?,
            O::I64AtomicRmwOr { memarg } => self.atomic_rmw(Or, I64, I64, &memarg)?,
            O::I32AtomicRmw8OrU { memarg } => self.atomic_rmw(Or, I8, I32, &memarg)?,
            O::I32AtomicRmw16OrU { memarg } => self.atomic_rmw(Or, I16, I32, &memarg)?,
            O::I64AtomicRmw8OrU { memarg } => self.atomic_rmw(Or, I8, I64, &memarg)?,
            O::I64AtomicRmw16OrU { memarg } => self.atomic_rmw(Or, I16, I64, &memarg)?,
            O::I64AtomicRmw32OrU { memarg } => self.atomic_rmw(Or, I32, I64, &memarg)?,

            O::I32AtomicRmwXor { memarg } => self.atomic_rmw(Xor, I32, I32, &memarg)?,
            O::I64AtomicRmwXor { memarg } => self.atomic_rmw(Xor, I64, I64, &memarg)?,
            O::I32AtomicRmw8XorU { memarg } => self.atomic_rmw(Xor, I8, I32, &memarg)?,
            O::I32AtomicRmw16XorU { memarg } => self.atomic_rmw(Xor, I16, I32, &memarg)?,
            O::I64AtomicRmw8XorU { memarg } => self.atomic_rmw(Xor, I8, I64, &memarg)?,
            O::I64AtomicRmw16XorU { memarg } => self.atomic_rmw(Xor, I16, I64, &memarg)?,
            O::I64AtomicRmw32XorU { memarg } => self.atomic_rmw(Xor, I32, I64, &memarg)?,

            O::I32AtomicRmwXchg { memarg } => self.atomic_rmw(Xchg, I32, I32, &memarg)?,
            O::I64AtomicRmwXchg { memarg } => self.atomic_rmw(Xchg, I64, I64, &memarg)?,
            O::I32AtomicRmw8XchgU { memarg } => self.atomic_rmw(Xchg, I8, I32, &memarg)?,
            O::I32AtomicRmw16XchgU { memarg } => self.atomic_rmw(Xchg, I16, I32, &memarg)?,
            O::I64AtomicRmw8XchgU { memarg } => self.atomic_rmw(Xchg, I8, I64, &memarg)?,
            O::I64AtomicRmw16XchgU { memarg } => self.atomic_rmw(Xchg, I16, I64, &memarg)?,
            O::I64AtomicRmw32XchgU { memarg } => self.atomic_rmw(Xchg, I32, I64, &memarg)?,

            O::I32AtomicRmwCmpxchg { memarg } => self.atomic_cmpxchg(I32, I32, &memarg)?,
            O::I64AtomicRmwCmpxchg { memarg } => self.atomic_cmpxchg(I64, I64, &memarg)?,
            O::I32AtomicRmw8CmpxchgU { memarg } => self.atomic_cmpxchg(I8, I32, &memarg)?,
            O::I32AtomicRmw16CmpxchgU { memarg } => self.atomic_cmpxchg(I16, I32, &memarg)?,
            O::I64AtomicRmw8CmpxchgU { memarg } => self.atomic_cmpxchg(I8, I64, &memarg)?,
            O::I64AtomicRmw16CmpxchgU { memarg } => self.atomic_cmpxchg(I16, I64, &memarg)?,
            O::I64AtomicRmw32CmpxchgU { memarg } => self.atomic_cmpxchg(I32, I64, &memarg)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Pops an index and checks it and its alignment. None when the access always traps.
    fn pop_aligned(&mut self, memarg: &MemArg, ty: Type) -> Result<Option<(MemFlagsData, Value)>> {
        self.s.forget();
        let memory = self.memory_of(memarg)?;
        let index = self.pop();
        let size = ty.bytes();
        if size > 1 {
            // Only the lowest bits count, so wrapping sums do no harm.
            let mut address = index;
            if !memarg.offset.is_multiple_of(u64::from(size)) {
                let index_type = self.type_of(index);
                let offset = self
                    .b
                    .ins()
                    .iconst(index_type, i64::from(memarg.offset as u32 % size));
                address = self.b.ins().iadd(index, offset);
            }
            let index_type = self.type_of(address);
            let mask = self.b.ins().iconst(index_type, i64::from(size - 1));
            let low = self.b.ins().band(address, mask);
            let zero = self.b.ins().iconst(index_type, 0);
            let misaligned = self.b.ins().icmp(IntCC::NotEqual, low, zero);
            self.trap_if(misaligned, Trap::HeapMisaligned);
        }
        let Some(address) = self.address(memory, index, memarg.offset, size) else {
            return Ok(None);
        };
        let flags = self.memory_access(memory).flags;
        Ok(Some((flags, self.flat(address))))
    }

    fn reduce(&mut self, value: Value, ty: Type) -> Value {
        if self.type_of(value) == ty {
            value
        } else {
            self.b.ins().ireduce(ty, value)
        }
    }

    fn push_extended(&mut self, value: Value, ty: Type) {
        let value = if self.type_of(value) == ty {
            value
        } else {
            self.b.ins().uextend(ty, value)
        };
        self.push(value);
    }

    fn atomic_load(&mut self, access: Type, result: Type, memarg: &MemArg) -> Result<()> {
        if let Some((flags, address)) = self.pop_aligned(memarg, access)? {
            let value = self.b.ins().atomic_load(access, flags, address);
            self.push_extended(value, result);
        }
        Ok(())
    }

    fn atomic_store(&mut self, access: Type, memarg: &MemArg) -> Result<()> {
        let value = self.pop();
        if let Some((flags, address)) = self.pop_aligned(memarg, access)? {
            let value = self.reduce(value, access);
            self.b.ins().atomic_store(flags, value, address);
        }
        Ok(())
    }

    fn atomic_rmw(
        &mut self,
        op: AtomicRmwOp,
        access: Type,
        result: Type,
        memarg: &MemArg,
    ) -> Result<()> {
        let operand = self.pop();
        if let Some((flags, address)) = self.pop_aligned(memarg, access)? {
            let operand = self.reduce(operand, access);
            let before = self.b.ins().atomic_rmw(access, flags, op, address, operand);
            self.push_extended(before, result);
        }
        Ok(())
    }

    fn atomic_cmpxchg(&mut self, access: Type, result: Type, memarg: &MemArg) -> Result<()> {
        let (expected, replacement) = self.pop2();
        if let Some((flags, address)) = self.pop_aligned(memarg, access)? {
            // Operands of a narrow access wrap: bits beyond its size are not compared.
            let expected = self.reduce(expected, access);
            let replacement = self.reduce(replacement, access);
            let before = self
                .b
                .ins()
                .atomic_cas(flags, address, expected, replacement);
            self.push_extended(before, result);
        }
        Ok(())
    }

    /// The address that `wait` and `notify` are about, in 64 bits; the runtime checks it further.
    fn pop_effective_address(&mut self, memarg: &MemArg) -> Result<(Value, MemoryIndex)> {
        let memory = self.memory_of(memarg)?;
        let index = self.pop();
        let access = self.memory_access(memory);
        let index = self.wide_index(&access, index);
        if memarg.offset == 0 {
            return Ok((index, memory));
        }
        let offset = self.b.ins().iconst(I64, memarg.offset as i64);
        // A sum of 32-bit numbers does not wrap in 64 bits, and the runtime finds it outside.
        let sum = match access.addr {
            meantime_abi::AddrType::I32 => self.b.ins().iadd(index, offset),
            meantime_abi::AddrType::I64 => self.add_or_trap(index, offset, Trap::MemoryOutOfBounds),
        };
        Ok((sum, memory))
    }

    fn atomic_notify(&mut self, memarg: &MemArg) -> Result<()> {
        let count = self.pop();
        let (address, memory) = self.pop_effective_address(memarg)?;
        let memory = self.b.ins().iconst(I32, i64::from(memory.as_u32()));
        let woken = self.builtin(Builtin::MemoryAtomicNotify, &[memory, address, count]);
        self.push(woken.expect("the builtin has a result"));
        Ok(())
    }

    fn atomic_wait(&mut self, builtin: Builtin, memarg: &MemArg) -> Result<()> {
        let (expected, timeout) = self.pop2();
        let (address, memory) = self.pop_effective_address(memarg)?;
        let memory = self.b.ins().iconst(I32, i64::from(memory.as_u32()));
        let result = self.builtin(builtin, &[memory, address, expected, timeout]);
        self.push(result.expect("the builtin has a result"));
        Ok(())
    }
}
