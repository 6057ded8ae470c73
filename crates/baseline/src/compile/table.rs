//! Instructions on tables.
//!
//! The one idea: where tables of functions are filled on first use, an element is zero until then, and an initialized one has its
//! lowest bit set. What reads an element that is not initialized asks the runtime, in code apart.

use super::Compiler;
use super::cold::Cold;
use super::environment::Arg;
use super::value::Value;
use crate::machine::*;
use meantime_abi::{AddrType, Builtin, RefRepr, TableIndex, Trap, ValRepr, VmTable, VmTableImport};
use std::mem::offset_of;

/// An element's address, and what is held for it.
struct Element {
    address: Gpr,
    /// Whether an access through null traps.
    faults: bool,
}

impl<M: Machine> Compiler<'_, M> {
    /// Where a table's descriptor is. May load its address into `reg`.
    fn table_descriptor(&mut self, index: TableIndex, reg: Gpr) -> Address {
        self.use_context();
        match self.module.defined_table(index) {
            Some(defined) => Address::new(M::CONTEXT, self.layout.table(defined) as i32),
            None => {
                let import = self.layout.table_import(index);
                let from = import + offset_of!(VmTableImport, from) as u32;
                self.load_context_field(reg, from);
                Address::new(reg, 0)
            }
        }
    }

    fn table_field(&mut self, index: TableIndex, reg: Gpr, offset: usize) -> Address {
        let mut at = self.table_descriptor(index, reg);
        at.disp += offset as i32;
        at
    }

    /// The address of an element, checked, in a register that is held. The index is in a register, or a constant.
    fn element(&mut self, table: TableIndex, index: Value, index_src: Src) -> Element {
        let ty = self.module.tables()[table];
        let shift = ty.element.size().trailing_zeros() as u8;
        // A table never gets shorter than its minimum.
        let inside = index.is_const() && index.bits < ty.min;
        let by_select = self.signals() && !inside;
        let address = self.alloc_gpr();
        if !by_select && !inside {
            let outside = self.compare_length(table, index_src, IntCc::GeU);
            let label = self.b.trap_label(Trap::TableOutOfBounds);
            M::jump_if(&mut self.b, outside, label);
        }
        let base = self.table_field(table, address, offset_of!(VmTable, base));
        M::load(&mut self.b, Load::U64, address, base);
        match index_src {
            Src::Reg(index) => M::scaled(&mut self.b, address, address, index, shift),
            _ => {
                // Without a check it is inside; with one, only what comes of an index outside is replaced.
                let offset = (index.bits << shift) as i64;
                let (x, y) = (Src::Reg(address), Src::Imm(offset));
                M::int_op(&mut self.b, IntOp::Add, Size::S64, address, x, y);
            }
        }
        if by_select {
            let inside = self.compare_length(table, index_src, IntCc::LtU);
            M::select(&mut self.b, inside, Size::S64, address, Src::Imm(0));
        }
        Element {
            address,
            faults: by_select,
        }
    }

    /// Compares an index with a table's length. Clobbers the scratch register.
    fn compare_length(&mut self, table: TableIndex, index: Src, cc: IntCc) -> Cond {
        let ty = self.module.tables()[table];
        let size = match ty.addr {
            AddrType::I32 => Size::S32,
            AddrType::I64 => Size::S64,
        };
        let fixed = ty.max == Some(ty.min);
        let short = match size {
            Size::S32 => ty.min as i32 as i64,
            _ => ty.min as i64,
        };
        if fixed && matches!(index, Src::Reg(_)) {
            return M::compare(&mut self.b, cc, size, index, Src::Imm(short));
        }
        let len = self.table_field(table, M::SCRATCH, offset_of!(VmTable, len));
        M::compare_memory(&mut self.b, cc, size, index, len)
    }

    /// An index as an operand of comparisons and additions: a register, or a number that fits in either.
    fn index_src(&mut self, index: Value) -> Src {
        let src = self.src(index);
        match src {
            Src::Imm(_) if index.bits < 1 << 28 => src,
            _ => Src::Reg(self.in_gpr(index)),
        }
    }

    fn release_index(&mut self, index: Src) {
        if let Src::Reg(reg) = index {
            self.free_gpr(reg);
        }
    }

    /// Records that the next instruction accesses an element.
    fn element_may_fault(&mut self, element: &Element) {
        if element.faults {
            let at = self.b.at();
            self.t.trap(at, self.b.wasm_offset, Trap::TableOutOfBounds);
            self.b.expect_fault();
        }
    }

    pub(super) fn table_get(&mut self, table: u32) {
        let table = TableIndex::from_u32(table);
        if self.module.tables()[table].element.heap.repr() == RefRepr::Func {
            let func = self.func_table_get(table);
            return self.push_gpr(ValRepr::FuncRef, func);
        }
        let index = self.pop();
        let src = self.index_src(index);
        let element = self.element(table, index, src);
        self.release_index(src);
        self.element_may_fault(&element);
        let reg = element.address;
        M::load(&mut self.b, Load::U32, reg, Address::new(reg, 0));
        self.push_gpr(ValRepr::GcRef, reg);
    }

    /// Pops an index and reads that element of a table of functions: a pointer to a funcref, or null. Held.
    pub(super) fn func_table_get(&mut self, table: TableIndex) -> Gpr {
        let index = self.pop();
        let mut src = self.index_src(index);
        let lazy = self.tunables.table_lazy_init;
        if lazy && let Src::Imm(_) = src {
            // The runtime may be asked with it.
            src = Src::Reg(self.in_gpr(index));
        }
        let element = self.element(table, index, src);
        self.element_may_fault(&element);
        let reg = element.address;
        M::load(&mut self.b, Load::U64, reg, Address::new(reg, 0));
        if let (true, Src::Reg(index)) = (lazy, src) {
            let (x, zero) = (Src::Reg(reg), Src::Imm(0));
            let missing = M::compare(&mut self.b, IntCc::Eq, Size::S64, x, zero);
            let slow = self.b.label();
            M::jump_if(&mut self.b, missing, slow);
            M::int_op(&mut self.b, IntOp::And, Size::S64, reg, x, Src::Imm(!1));
            let rest = self.rest_of_cold(slow, M::TEMPS);
            self.s.cold.push(Cold::Element {
                rest,
                table,
                index,
                element: reg,
            });
        }
        self.release_index(src);
        reg
    }

    pub(super) fn table_set(&mut self, table: u32) {
        let table = TableIndex::from_u32(table);
        let value = self.pop();
        let index = self.pop();
        let is_func = self.module.tables()[table].element.heap.repr() == RefRepr::Func;
        let reg = if is_func && self.tunables.table_lazy_init {
            let reg = self.own_gpr(value);
            let x = Src::Reg(reg);
            M::int_op(&mut self.b, IntOp::Or, Size::S64, reg, x, Src::Imm(1));
            reg
        } else {
            self.in_gpr(value)
        };
        let src = self.index_src(index);
        let element = self.element(table, index, src);
        self.element_may_fault(&element);
        let store = if is_func { Store::I64 } else { Store::I32 };
        let to = Address::new(element.address, 0);
        M::store(&mut self.b, store, to, Src::Reg(reg));
        self.free_gpr(element.address);
        self.release_index(src);
        self.free_gpr(reg);
    }

    pub(super) fn table_size(&mut self, table: u32) {
        let table = TableIndex::from_u32(table);
        let ty = self.module.tables()[table];
        let repr = match ty.addr {
            AddrType::I32 => ValRepr::I32,
            AddrType::I64 => ValRepr::I64,
        };
        if ty.max == Some(ty.min) {
            return self.push_const(repr, ty.min);
        }
        let dst = self.dest();
        let len = self.table_field(table, M::SCRATCH, offset_of!(VmTable, len));
        let load = match ty.addr {
            AddrType::I32 => Load::U32,
            AddrType::I64 => Load::U64,
        };
        M::load(&mut self.b, load, dst, len);
        self.push_gpr(repr, dst);
    }

    pub(super) fn table_grow(&mut self, table: u32) {
        let delta = self.pop();
        let init = self.pop();
        let args = [
            Arg::Number(table.into()),
            Arg::Value(delta),
            Arg::Value(init),
        ];
        self.builtin(Builtin::TableGrow, &args);
        self.push_address_result(self.module.tables()[TableIndex::from_u32(table)].addr);
    }

    pub(super) fn table_fill(&mut self, table: u32) {
        let (dst, value, len) = self.pop3();
        let args = [
            Arg::Number(table.into()),
            Arg::Value(dst),
            Arg::Value(value),
            Arg::Value(len),
        ];
        self.builtin(Builtin::TableFill, &args);
    }

    pub(super) fn table_copy(&mut self, dst_table: u32, src_table: u32) {
        let (dst, src, len) = self.pop3();
        let args = [
            Arg::Number(dst_table.into()),
            Arg::Number(src_table.into()),
            Arg::Value(dst),
            Arg::Value(src),
            Arg::Value(len),
        ];
        self.builtin(Builtin::TableCopy, &args);
    }

    pub(super) fn table_init(&mut self, table: u32, elem: u32) {
        let (dst, src, len) = self.pop3();
        let args = [
            Arg::Number(table.into()),
            Arg::Number(elem.into()),
            Arg::Value(dst),
            Arg::Value(src),
            Arg::Value(len),
        ];
        self.builtin(Builtin::TableInit, &args);
    }

    pub(super) fn elem_drop(&mut self, elem: u32) {
        self.builtin(Builtin::ElemDrop, &[Arg::Number(elem.into())]);
    }
}
