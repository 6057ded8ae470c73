//! Globals.

use super::Compiler;
use super::value::{is_float, width};
use crate::machine::*;
use meantime_abi::{GlobalIndex, VmGlobalImport};
use meantime_module::ConstOp;
use std::mem::offset_of;

impl<M: Machine> Compiler<'_, M> {
    /// Where a global is. Clobbers the scratch register.
    fn global_place(&mut self, index: GlobalIndex) -> Address {
        self.use_context();
        match self.module.defined_global(index) {
            Some(defined) => Address::new(M::CONTEXT, self.layout.global(defined) as i32),
            None => {
                let import = self.layout.global_import(index);
                let from = import + offset_of!(VmGlobalImport, from) as u32;
                self.load_context_field(M::SCRATCH, from);
                Address::new(M::SCRATCH, 0)
            }
        }
    }

    pub(super) fn global_get(&mut self, index: u32) {
        let index = GlobalIndex::from_u32(index);
        let ty = self.module.globals()[index].content.repr();
        if let Some(bits) = self.constant_global(index) {
            return self.push_const(ty, bits);
        }
        // A register first: to find one may move values through the scratch register.
        if is_float(ty) {
            let dst = self.float_dest();
            let at = self.global_place(index);
            M::load_float(&mut self.b, width(ty), dst, at);
            return self.push_fpr(ty, dst);
        }
        let dst = self.dest();
        let at = self.global_place(index);
        M::load_field(&mut self.b, width(ty), dst, at.base, at.disp);
        self.push_gpr(ty, dst);
    }

    /// The value of a global that is always the same number.
    fn constant_global(&self, index: GlobalIndex) -> Option<u64> {
        if self.module.globals()[index].mutable {
            return None;
        }
        let defined = self.module.defined_global(index)?;
        match self.module.global_inits()[defined].ops[..] {
            [ConstOp::I32Const(n)] => Some(u64::from(n as u32)),
            [ConstOp::I64Const(n)] => Some(n as u64),
            _ => None,
        }
    }

    pub(super) fn global_set(&mut self, index: u32) {
        let index = GlobalIndex::from_u32(index);
        let value = self.pop();
        let size = value.size();
        if value.is_float() {
            let reg = self.in_fpr(value);
            let at = self.global_place(index);
            M::store_float(&mut self.b, size, at, reg);
            return self.free_fpr(reg);
        }
        let src = self.src(value);
        if matches!(src, Src::Imm(value) if i32::try_from(value).is_ok()) {
            let at = self.global_place(index);
            let store = match size {
                Size::S32 => Store::I32,
                _ => Store::I64,
            };
            return M::store(&mut self.b, store, at, src);
        }
        let reg = self.in_gpr(value);
        let at = self.global_place(index);
        M::store_field(&mut self.b, size, at.base, at.disp, reg);
        self.free_gpr(reg);
    }
}
