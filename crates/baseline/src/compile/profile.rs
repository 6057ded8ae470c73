//! Having it noted what calls through references call.
//!
//! The one idea: a call has the runtime look at its callee now and then, see [`CallProfile`], and counts down to it; only where someone gave it
//! a number, which the code has as a constant. The optimizing compiler reads what was seen when the function turns out to be hot.

use super::Compiler;
use super::cold::Cold;
use crate::machine::*;
use meantime_abi::{CallProfile, DefinedFuncIndex, VmContext};
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
    /// Has it noted, when it is time to, that what a funcref in a register points to is called, or null.
    pub(super) fn profile_call(&mut self, func: Gpr) {
        let Some(number) = self.calls.number(self.b.wasm_offset) else {
            return;
        };
        self.load_context_field(M::SCRATCH, offset_of!(VmContext, call_profiles) as u32);
        // Profiles are at most a million.
        let start = number as usize * size_of::<CallProfile>();
        let wait = Address::new(M::SCRATCH, (start + offset_of!(CallProfile, wait)) as i32);
        let (over, _) = M::count_down(&mut self.b, wait, 1);
        let label = self.b.label();
        M::jump_if(&mut self.b, over, label);
        let rest = self.rest_of_cold(label, M::TEMPS);
        self.s.cold.push(Cold::Call { rest, func, number });
    }
}
