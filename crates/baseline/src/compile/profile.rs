//! Counting what calls through references call.
//!
//! The one idea: a call compares its callee with the one before and counts one of two things, see [`CallProfile`]; it says so only where someone gave it
//! a number, which the code has as a constant. The optimizing compiler reads the counts when the function turns out to be hot.

use super::Compiler;
use crate::machine::*;
use meantime_abi::{CallProfile, DefinedFuncIndex, Trap, VmContext, VmFuncRef};
use std::mem::offset_of;

/// Who wants to know of the calls in a function.
pub trait Calls {
    /// Gives the call through a reference whose opcode is at an offset of the module's bytes its profile's number, if it is to have one.
    fn number(&mut self, offset: u32) -> Option<u32>;

    /// A direct call of a function of the module, in the order of the body.
    fn direct(&mut self, callee: DefinedFuncIndex) {
        let _ = callee;
    }
}

impl<F: FnMut(u32) -> Option<u32>> Calls for F {
    fn number(&mut self, offset: u32) -> Option<u32> {
        self(offset)
    }
}

impl<M: Machine> Compiler<'_, M> {
    /// Counts a call of what a funcref in a register points to. If it is null, that is found out here.
    pub(super) fn profile_call(&mut self, func: Gpr, null: &mut Option<Trap>) {
        let Some(number) = self.calls.number(self.b.wasm_offset) else {
            return;
        };
        let (code, list) = (self.alloc_gpr(), self.alloc_gpr());
        self.may_be_null(null.take());
        let from = Address::new(func, offset_of!(VmFuncRef, code) as i32);
        M::load(&mut self.b, Load::U64, code, from);
        self.load_context_field(list, offset_of!(VmContext, call_profiles) as u32);
        // Profiles are at most a million.
        let start = (number as usize * size_of::<CallProfile>()) as i32;
        let field = |offset: usize| Address::new(list, start + offset as i32);
        let last = field(offset_of!(CallProfile, code));
        let same = M::compare_memory(&mut self.b, IntCc::Eq, Size::S64, Src::Reg(code), last);
        let hit = self.b.label();
        M::jump_if(&mut self.b, same, hit);
        M::store(&mut self.b, Store::I64, last, Src::Reg(code));
        M::count_down(&mut self.b, field(offset_of!(CallProfile, misses)), 1);
        self.b.bind::<M>(hit);
        M::count_down(&mut self.b, field(offset_of!(CallProfile, calls)), 1);
        self.free_gpr(code);
        self.free_gpr(list);
    }
}
