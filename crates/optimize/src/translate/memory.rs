//! Instructions on memories: loads and stores, size and growth, and the bulk instructions.

use super::{Result, Translator};
use crate::types::PTR;
use cranelift_codegen::ir::{
    InstBuilder, Opcode, Type, Value,
    condcodes::IntCC,
    immediates::Offset32,
    types::{F32, F64, I8, I8X16, I16, I32, I64},
};
use meantime_abi::{AddrType, Builtin, MemoryIndex, Trap};
use wasmparser::{MemArg, MemArgTarget, Operator};

impl Translator<'_> {
    pub(super) fn memory(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::I32Load { memarg } => self.load(Opcode::Load, I32, 4, &memarg)?,
            Operator::I64Load { memarg } => self.load(Opcode::Load, I64, 8, &memarg)?,
            Operator::F32Load { memarg } => self.load(Opcode::Load, F32, 4, &memarg)?,
            Operator::F64Load { memarg } => self.load(Opcode::Load, F64, 8, &memarg)?,
            Operator::V128Load { memarg } => self.load(Opcode::Load, I8X16, 16, &memarg)?,
            Operator::I32Load8S { memarg } => self.load(Opcode::Sload8, I32, 1, &memarg)?,
            Operator::I32Load8U { memarg } => self.load(Opcode::Uload8, I32, 1, &memarg)?,
            Operator::I32Load16S { memarg } => self.load(Opcode::Sload16, I32, 2, &memarg)?,
            Operator::I32Load16U { memarg } => self.load(Opcode::Uload16, I32, 2, &memarg)?,
            Operator::I64Load8S { memarg } => self.load(Opcode::Sload8, I64, 1, &memarg)?,
            Operator::I64Load8U { memarg } => self.load(Opcode::Uload8, I64, 1, &memarg)?,
            Operator::I64Load16S { memarg } => self.load(Opcode::Sload16, I64, 2, &memarg)?,
            Operator::I64Load16U { memarg } => self.load(Opcode::Uload16, I64, 2, &memarg)?,
            Operator::I64Load32S { memarg } => self.load(Opcode::Sload32, I64, 4, &memarg)?,
            Operator::I64Load32U { memarg } => self.load(Opcode::Uload32, I64, 4, &memarg)?,
            Operator::I32Store { memarg } | Operator::F32Store { memarg } => {
                self.store(Opcode::Store, 4, &memarg)?
            }
            Operator::I64Store { memarg } | Operator::F64Store { memarg } => {
                self.store(Opcode::Store, 8, &memarg)?
            }
            Operator::V128Store { memarg } => self.store(Opcode::Store, 16, &memarg)?,
            Operator::I32Store8 { memarg } | Operator::I64Store8 { memarg } => {
                self.store(Opcode::Istore8, 1, &memarg)?;
            }
            Operator::I32Store16 { memarg } | Operator::I64Store16 { memarg } => {
                self.store(Opcode::Istore16, 2, &memarg)?;
            }
            Operator::I64Store32 { memarg } => self.store(Opcode::Istore32, 4, &memarg)?,
            Operator::MemorySize { mem } => self.memory_size(MemoryIndex::from_u32(mem)),
            Operator::MemoryGrow { mem } => self.memory_grow(MemoryIndex::from_u32(mem)),
            Operator::MemoryCopy { dst_mem, src_mem } => {
                self.memory_copy(
                    MemoryIndex::from_u32(dst_mem),
                    MemoryIndex::from_u32(src_mem),
                );
            }
            Operator::MemoryFill { mem } => self.memory_fill(MemoryIndex::from_u32(mem)),
            Operator::MemoryInit { data_index, mem } => {
                self.memory_init(data_index, MemoryIndex::from_u32(mem));
            }
            Operator::DataDrop { data_index } => {
                let data = self.b.ins().iconst(I32, i64::from(data_index));
                self.builtin(Builtin::DataDrop, &[data]);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The memory of an access.
    pub(super) fn memory_of(&self, memarg: &MemArg) -> Result<MemoryIndex> {
        match memarg.target {
            MemArgTarget::Memory(index) => Ok(MemoryIndex::from_u32(index)),
            MemArgTarget::Array(_) => {
                Err(self.error("accesses of arrays as memory are not supported"))
            }
        }
    }

    /// Loads with `opcode` a value of type `ty` from `size` bytes. None when that always traps.
    pub(super) fn load_value(
        &mut self,
        opcode: Opcode,
        ty: Type,
        size: u32,
        memarg: &MemArg,
    ) -> Result<Option<Value>> {
        let memory = self.memory_of(memarg)?;
        let index = self.pop();
        if opcode == Opcode::Load
            && let Some(value) = self.known_value(memory, index, memarg.offset, ty)
        {
            return Ok(Some(value));
        }
        let Some(address) = self.address(memory, index, memarg.offset, size) else {
            return Ok(None);
        };
        let flags = self.memory_access(memory).interned;
        let offset = Offset32::new(address.offset);
        let (inst, dfg) = self.b.ins().Load(opcode, ty, flags, offset, address.base);
        Ok(Some(dfg.first_result(inst)))
    }

    fn load(&mut self, opcode: Opcode, ty: Type, size: u32, memarg: &MemArg) -> Result<()> {
        if let Some(value) = self.load_value(opcode, ty, size, memarg)? {
            self.push(value);
        }
        Ok(())
    }

    fn store(&mut self, opcode: Opcode, size: u32, memarg: &MemArg) -> Result<()> {
        let value = self.pop();
        self.store_value(opcode, value, size, memarg)
    }

    /// Stores with `opcode` the lowest `size` bytes of a value.
    pub(super) fn store_value(
        &mut self,
        opcode: Opcode,
        value: Value,
        size: u32,
        memarg: &MemArg,
    ) -> Result<()> {
        let memory = self.memory_of(memarg)?;
        let index = self.pop();
        let Some(address) = self.address(memory, index, memarg.offset, size) else {
            return Ok(());
        };
        let flags = self.memory_access(memory).interned;
        let offset = Offset32::new(address.offset);
        let ty = self.type_of(value);
        self.b
            .ins()
            .Store(opcode, ty, flags, offset, value, address.base);
        if opcode == Opcode::Store {
            self.remember(memory, index, memarg.offset, value);
        } else {
            self.overwrite(memory, index, memarg.offset, size);
        }
        Ok(())
    }

    /// A number of the runtime's, in the type of a memory's or table's addresses. All ones stay all ones.
    pub(super) fn narrow(&mut self, value: Value, ty: AddrType) -> Value {
        match ty {
            AddrType::I32 => self.b.ins().ireduce(I32, value),
            AddrType::I64 => value,
        }
    }

    /// An address of a memory or table in 64 bits.
    pub(super) fn widen(&mut self, value: Value) -> Value {
        if self.type_of(value) == I32 {
            self.b.ins().uextend(I64, value)
        } else {
            value
        }
    }

    fn memory_number(&mut self, index: MemoryIndex) -> Value {
        self.b.ins().iconst(I32, i64::from(index.as_u32()))
    }

    fn memory_size(&mut self, index: MemoryIndex) {
        let access = self.memory_access(index);
        let len = self.memory_len(index);
        let shift = self.b.ins().iconst(PTR, i64::from(access.page_size_log2));
        let pages = self.b.ins().ushr(len, shift);
        let pages = self.narrow(pages, access.addr);
        self.push(pages);
    }

    fn memory_grow(&mut self, index: MemoryIndex) {
        let access = self.memory_access(index);
        let delta = self.pop();
        let delta = self.widen(delta);
        let memory = self.memory_number(index);
        let before = self.builtin(Builtin::MemoryGrow, &[memory, delta]);
        let before = before.expect("the builtin has a result");
        let before = self.narrow(before, access.addr);
        self.push(before);
    }

    fn memory_copy(&mut self, dst_memory: MemoryIndex, src_memory: MemoryIndex) {
        let (dst, src, len) = self.pop3();
        let (dst, src, len) = (self.widen(dst), self.widen(src), self.widen(len));
        if self.sums_fit(dst_memory) && self.sums_fit(src_memory) {
            let from = self.checked_range(src_memory, src, len);
            let to = self.checked_range(dst_memory, dst, len);
            self.builtin(Builtin::MoveBytes, &[to, from, len]);
            return;
        }
        let dst_memory = self.memory_number(dst_memory);
        let src_memory = self.memory_number(src_memory);
        self.builtin(
            Builtin::MemoryCopy,
            &[dst_memory, dst, src_memory, src, len],
        );
    }

    fn memory_fill(&mut self, memory: MemoryIndex) {
        let (dst, value, len) = self.pop3();
        let (dst, len) = (self.widen(dst), self.widen(len));
        if self.sums_fit(memory) {
            let to = self.checked_range(memory, dst, len);
            self.builtin(Builtin::SetBytes, &[to, value, len]);
            return;
        }
        let memory = self.memory_number(memory);
        self.builtin(Builtin::MemoryFill, &[memory, dst, value, len]);
    }

    /// Whether an address and a length of this memory add up without overflow in 64 bits.
    fn sums_fit(&mut self, memory: MemoryIndex) -> bool {
        self.memory_access(memory).addr == AddrType::I32
    }

    /// Where in the host's memory a range of a guest's starts, which is checked to lie inside.
    fn checked_range(&mut self, memory: MemoryIndex, start: Value, len: Value) -> Value {
        let end = self.b.ins().iadd(start, len);
        let size = self.memory_len(memory);
        let beyond = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, size);
        self.trap_if(beyond, Trap::MemoryOutOfBounds);
        let base = self.memory_base(memory);
        self.b.ins().iadd(base, start)
    }

    fn memory_init(&mut self, data: u32, memory: MemoryIndex) {
        let (dst, src, len) = self.pop3();
        let dst = self.widen(dst);
        let memory = self.memory_number(memory);
        let data = self.b.ins().iconst(I32, i64::from(data));
        self.builtin(Builtin::MemoryInit, &[memory, data, dst, src, len]);
    }

    /// The type that holds `size` bytes.
    pub(super) fn int_of_size(size: u32) -> Type {
        match size {
            1 => I8,
            2 => I16,
            4 => I32,
            _ => I64,
        }
    }
}
