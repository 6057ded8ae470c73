//! Instructions on references: null, functions, and branches on null.
//!
//! A null of either representation is zero, so most of this needs no types.

use super::{Result, Translator};
use crate::types::{PTR, heap_repr};
use cranelift_codegen::ir::{InstBuilder, Value, condcodes::IntCC, types};
use meantime_abi::{Builtin, FuncIndex, RefRepr, Trap, VmFuncImport};
use std::mem::offset_of;
use wasmparser::Operator;

impl Translator<'_> {
    pub(super) fn reference(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::RefNull { hty } => {
                let ty = match heap_repr(self.module, hty) {
                    RefRepr::Func => PTR,
                    RefRepr::Gc => types::I32,
                };
                let null = self.b.ins().iconst(ty, 0);
                self.push(null);
            }
            Operator::RefIsNull => {
                let value = self.pop();
                let is_null = self.is_null(value);
                let is_null = self.b.ins().uextend(types::I32, is_null);
                self.push(is_null);
            }
            Operator::RefFunc { function_index } => {
                let value = self.ref_func(FuncIndex::from_u32(function_index));
                self.push(value);
            }
            Operator::RefAsNonNull => {
                let value = self.peek();
                self.trap_unless(value, Trap::NullReference);
            }
            Operator::RefEq => {
                let (x, y) = self.pop2();
                let equal = self.b.ins().icmp(IntCC::Equal, x, y);
                let equal = self.b.ins().uextend(types::I32, equal);
                self.push(equal);
            }
            Operator::BrOnNull { relative_depth } => {
                let value = self.pop();
                self.br_if(value, relative_depth, false);
                self.push(value);
            }
            Operator::BrOnNonNull { relative_depth } => {
                let value = self.peek();
                self.br_if(value, relative_depth, true);
                self.pop();
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn is_null(&mut self, value: Value) -> Value {
        let ty = self.type_of(value);
        let null = self.b.ins().iconst(ty, 0);
        self.b.ins().icmp(IntCC::Equal, value, null)
    }

    fn ref_func(&mut self, index: FuncIndex) -> Value {
        if self.module.defined_func(index).is_none() {
            // An import came with its funcref.
            let import = self.layout.func_import(index);
            return self.context_pointer(import + offset_of!(VmFuncImport, func_ref) as u32);
        }
        let func = self.b.ins().iconst(types::I32, i64::from(index.as_u32()));
        let made = self.builtin(Builtin::RefFunc, &[func]);
        made.expect("the builtin has a result")
    }
}
