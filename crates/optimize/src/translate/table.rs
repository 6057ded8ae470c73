//! Instructions on tables.
//!
//! The one idea: where tables of functions are filled on first use, an element is zero until then, and an initialized one has its
//! lowest bit set. Reading such an element has a cold path that asks the runtime.

use super::{Result, Translator};
use crate::types::{PTR, Repr, ref_repr, trap_code};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, condcodes::IntCC, types};
use meantime_abi::{AddrType, Builtin, RefRepr, TableIndex, Trap, VmTable, VmTableImport};
use std::mem::offset_of;
use wasmparser::Operator;

impl Translator<'_> {
    pub(super) fn table(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::TableGet { table } => self.table_get(TableIndex::from_u32(table)),
            Operator::TableSet { table } => self.table_set(TableIndex::from_u32(table)),
            Operator::TableSize { table } => {
                let table = TableIndex::from_u32(table);
                let len = self.table_len(table);
                let len = self.narrow(len, self.module.tables()[table].addr);
                self.push(len);
            }
            Operator::TableGrow { table } => self.table_grow(TableIndex::from_u32(table)),
            Operator::TableFill { table } => {
                let (dst, value, len) = self.pop3();
                let (dst, value, len) = (self.widen(dst), self.widen(value), self.widen(len));
                let table = self.number(table);
                self.builtin(Builtin::TableFill, &[table, dst, value, len]);
            }
            Operator::TableCopy {
                dst_table,
                src_table,
            } => {
                let (dst, src, len) = self.pop3();
                let (dst, src, len) = (self.widen(dst), self.widen(src), self.widen(len));
                let (dst_table, src_table) = (self.number(dst_table), self.number(src_table));
                self.builtin(Builtin::TableCopy, &[dst_table, src_table, dst, src, len]);
            }
            Operator::TableInit { elem_index, table } => {
                let (dst, src, len) = self.pop3();
                let dst = self.widen(dst);
                let (table, elem) = (self.number(table), self.number(elem_index));
                self.builtin(Builtin::TableInit, &[table, elem, dst, src, len]);
            }
            Operator::ElemDrop { elem_index } => {
                let elem = self.number(elem_index);
                self.builtin(Builtin::ElemDrop, &[elem]);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn number(&mut self, index: u32) -> Value {
        self.b.ins().iconst(types::I32, i64::from(index))
    }

    /// A field of a table's descriptor.
    fn table_field(&mut self, index: TableIndex, offset: usize) -> Value {
        let (descriptor, at) = match self.module.defined_table(index) {
            Some(defined) => (self.context, self.layout.table(defined)),
            None => {
                let import = self.layout.table_import(index);
                let from = import + offset_of!(VmTableImport, from) as u32;
                (self.context_pointer(from), 0)
            }
        };
        let ty = &self.module.tables()[index];
        let region = super::environment::Region::Descriptors;
        // One that cannot grow never moves.
        let flags = if ty.max == Some(ty.min) {
            self.constant_place(region)
        } else {
            self.trusted(region)
        };
        let offset = at as i32 + offset as i32;
        self.b.ins().load(PTR, flags, descriptor, offset)
    }

    /// A table's length in elements, 64 bits.
    fn table_len(&mut self, index: TableIndex) -> Value {
        let ty = &self.module.tables()[index];
        if ty.max == Some(ty.min) {
            return self.b.ins().iconst(PTR, ty.min as i64);
        }
        self.table_field(index, offset_of!(VmTable, len))
    }

    /// The address of an element, checked, and the flags to access it with.
    fn element(&mut self, table: TableIndex, index: Value) -> (Value, MemFlagsData) {
        let ty = self.module.tables()[table];
        // A table never gets shorter than its minimum.
        let inside = self.constant(index).is_some_and(|index| index < ty.min);
        let outside = (!inside).then(|| {
            let len = self.table_len(table);
            let len = match (ty.addr, self.constant(len)) {
                // Lengths of such tables are 32 bits too, and the narrow comparison folds better.
                (AddrType::I32, Some(len)) => self.number(len as u32),
                (AddrType::I32, None) => self.b.ins().ireduce(types::I32, len),
                (AddrType::I64, _) => len,
            };
            let cc = IntCC::UnsignedGreaterThanOrEqual;
            self.b.ins().icmp(cc, index, len)
        });
        let by_select = self.target.table_guard_by_select;
        if let Some(outside) = outside.filter(|_| !by_select) {
            self.trap_if(outside, Trap::TableOutOfBounds);
        }
        let index = self.widen(index);
        let base = self.table_field(table, offset_of!(VmTable, base));
        let size = ref_repr(&ty.element.heap).ty.bytes();
        let shift = self
            .b
            .ins()
            .iconst(types::I64, i64::from(size.trailing_zeros()));
        let offset = self.b.ins().ishl(index, shift);
        let address = self.b.ins().iadd(base, offset);
        let flags = self.trusted(self.table_region(table));
        let Some(outside) = outside.filter(|_| by_select) else {
            return (address, flags);
        };
        let null = self.b.ins().iconst(PTR, 0);
        let address = self.b.ins().select_spectre_guard(outside, null, address);
        let trap = trap_code(Trap::TableOutOfBounds);
        (address, flags.with_trap_code(Some(trap)))
    }

    fn table_get(&mut self, table: TableIndex) {
        let index = self.pop();
        let value = match self.module.tables()[table].element.heap.repr() {
            RefRepr::Func => self.func_table_get(table, index),
            RefRepr::Gc => {
                let (address, flags) = self.element(table, index);
                let value = self.b.ins().load(types::I32, flags, address, 0);
                self.b.declare_value_needs_stack_map(value);
                value
            }
        };
        self.push(value);
    }

    /// An element of a table of functions: a pointer to a funcref, or null.
    pub(super) fn func_table_get(&mut self, table: TableIndex, index: Value) -> Value {
        let (address, flags) = self.element(table, index);
        let element = self.b.ins().load(PTR, flags, address, 0);
        if !self.target.tunables.table_lazy_init {
            return element;
        }
        let mask = self.b.ins().iconst(PTR, !1);
        let pointer = self.b.ins().band(element, mask);
        let (slow, next) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(slow);
        let result = self.b.append_block_param(next, PTR);
        self.b
            .ins()
            .brif(element, next, &[pointer.into()], slow, &[]);
        self.b.seal_block(slow);
        self.b.switch_to_block(slow);
        let index = self.widen(index);
        let table = self.number(table.as_u32());
        let made = self.builtin(Builtin::TableGetLazy, &[table, index]);
        let made = made.expect("the builtin has a result");
        self.b.ins().jump(next, &[made.into()]);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        result
    }

    fn table_set(&mut self, table: TableIndex) {
        let (index, value) = self.pop2();
        let (address, flags) = self.element(table, index);
        let Repr { gc, .. } = ref_repr(&self.module.tables()[table].element.heap);
        let value = if !gc && self.target.tunables.table_lazy_init {
            let tag = self.b.ins().iconst(PTR, 1);
            self.b.ins().bor(value, tag)
        } else {
            value
        };
        self.b.ins().store(flags, value, address, 0);
    }

    fn table_grow(&mut self, table: TableIndex) {
        let (init, delta) = self.pop2();
        let (init, delta) = (self.widen(init), self.widen(delta));
        let number = self.number(table.as_u32());
        let before = self.builtin(Builtin::TableGrow, &[number, delta, init]);
        let before = before.expect("the builtin has a result");
        let before = self.narrow(before, self.module.tables()[table].addr);
        self.push(before);
    }
}
