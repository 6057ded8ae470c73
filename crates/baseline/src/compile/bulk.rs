//! Size and growth of memories, and the instructions on ranges of them.

use super::Compiler;
use super::environment::Arg;
use super::value::{Place, Value};
use crate::machine::*;
use meantime_abi::{AddrType, Builtin, MemoryIndex, Trap, ValRepr};

impl<M: Machine> Compiler<'_, M> {
    /// A number of the runtime's in the register of results, as one of the type of addresses.
    pub(super) fn push_address_result(&mut self, addr: AddrType) {
        match addr {
            AddrType::I32 => {
                let reg = self.builtin_result32();
                self.push_gpr(ValRepr::I32, reg);
            }
            AddrType::I64 => {
                let reg = self.builtin_result64();
                self.push_gpr(ValRepr::I64, reg);
            }
        }
    }

    pub(super) fn memory_size(&mut self, memory: u32) {
        let memory = MemoryIndex::from_u32(memory);
        let access = self.memory_access(memory);
        let dst = self.dest();
        let len = self.memory_len(memory, M::SCRATCH);
        M::load(&mut self.b, Load::U64, dst, len);
        let count = Src::Imm(access.page_size_log2.into());
        let src = Src::Reg(dst);
        M::shift(&mut self.b, ShiftOp::ShrU, Size::S64, dst, src, count);
        match access.addr {
            AddrType::I32 => {
                // With pages of one byte there can be 2^32 of them.
                M::extend(&mut self.b, Extend::U32, Size::S64, dst, src);
                self.push_gpr(ValRepr::I32, dst);
            }
            AddrType::I64 => self.push_gpr(ValRepr::I64, dst),
        }
    }

    pub(super) fn memory_grow(&mut self, memory: u32) {
        let addr = self.module.memories()[MemoryIndex::from_u32(memory)].addr;
        let delta = self.pop();
        self.builtin(
            Builtin::MemoryGrow,
            &[Arg::Number(memory.into()), Arg::Value(delta)],
        );
        self.push_address_result(addr);
    }

    /// Three operands in the order in which they were pushed.
    pub(super) fn pop3(&mut self) -> (Value, Value, Value) {
        let z = self.pop();
        let y = self.pop();
        (self.pop(), y, z)
    }

    /// Whether an address and a length of this memory add up without overflow in 64 bits.
    fn sums_fit(&self, memory: MemoryIndex) -> bool {
        self.module.memories()[memory].addr == AddrType::I32
    }

    pub(super) fn memory_copy(&mut self, dst_memory: u32, src_memory: u32) {
        let dst_index = MemoryIndex::from_u32(dst_memory);
        let src_index = MemoryIndex::from_u32(src_memory);
        let (dst, src, len) = self.pop3();
        if self.sums_fit(dst_index) && self.sums_fit(src_index) {
            let len = self.value_in_reg(len);
            let from = self.checked_range(src_index, src, len);
            let to = self.checked_range(dst_index, dst, len);
            let args = [Arg::Reg(to), Arg::Reg(from), Arg::Value(len)];
            return self.builtin(Builtin::MoveBytes, &args);
        }
        let args = [
            Arg::Number(dst_memory.into()),
            Arg::Value(dst),
            Arg::Number(src_memory.into()),
            Arg::Value(src),
            Arg::Value(len),
        ];
        self.builtin(Builtin::MemoryCopy, &args);
    }

    pub(super) fn memory_fill(&mut self, memory: u32) {
        let index = MemoryIndex::from_u32(memory);
        let (dst, value, len) = self.pop3();
        if self.sums_fit(index) {
            let len = self.value_in_reg(len);
            let to = self.checked_range(index, dst, len);
            let args = [Arg::Reg(to), Arg::Value(value), Arg::Value(len)];
            return self.builtin(Builtin::SetBytes, &args);
        }
        let args = [
            Arg::Number(memory.into()),
            Arg::Value(dst),
            Arg::Value(value),
            Arg::Value(len),
        ];
        self.builtin(Builtin::MemoryFill, &args);
    }

    /// A value that was popped, in a register unless it is a constant.
    fn value_in_reg(&mut self, value: Value) -> Value {
        if value.is_const() || value.place() == Place::Gpr {
            return value;
        }
        let reg = self.in_gpr(value);
        if 1 << reg.0 & M::TEMPS == 0 {
            // A local's register.
            return value;
        }
        value.moved(Place::Gpr, reg.0)
    }

    /// Where in the host's memory a range of a guest's starts, which is checked to lie inside. Held; the start's register is released.
    fn checked_range(&mut self, memory: MemoryIndex, start: Value, len: Value) -> Gpr {
        let end = self.alloc_gpr();
        let start_reg = self.own_gpr(start);
        // Both are less than 2^32, in registers or as constants: what is added has 64 bits.
        let len = match self.src(len) {
            Src::Imm(len) => Src::Imm(i64::from(len as u32)),
            other => other,
        };
        debug_assert!(!matches!(len, Src::Frame(_)), "its slot has 32 bits");
        M::int_op(
            &mut self.b,
            IntOp::Add,
            Size::S64,
            end,
            Src::Reg(start_reg),
            len,
        );
        let size = self.memory_len(memory, M::SCRATCH);
        let end_src = Src::Reg(end);
        let beyond = M::compare_memory(&mut self.b, IntCc::GtU, Size::S64, end_src, size);
        let label = self.b.trap_label(Trap::MemoryOutOfBounds);
        M::jump_if(&mut self.b, beyond, label);
        self.free_gpr(end);
        let base = if memory.as_u32() == 0 {
            self.use_base();
            M::BASE
        } else {
            self.load_memory_base(memory.as_u32(), M::SCRATCH);
            M::SCRATCH
        };
        let (x, y) = (Src::Reg(start_reg), Src::Reg(base));
        M::int_op(&mut self.b, IntOp::Add, Size::S64, start_reg, x, y);
        start_reg
    }

    pub(super) fn memory_init(&mut self, memory: u32, data: u32) {
        let (dst, src, len) = self.pop3();
        let args = [
            Arg::Number(memory.into()),
            Arg::Number(data.into()),
            Arg::Value(dst),
            Arg::Value(src),
            Arg::Value(len),
        ];
        self.builtin(Builtin::MemoryInit, &args);
    }

    pub(super) fn data_drop(&mut self, data: u32) {
        self.builtin(Builtin::DataDrop, &[Arg::Number(data.into())]);
    }
}
