//! What the runtime asks about code that is made while it runs.
//!
//! Not a compiler, nor what decides what to compile: the embedder's. The one idea: the guest asks when it calls a function without code, and when
//! the budget of one is spent; each time it gets an answer at once, but for the first call, which waits for code.

use crate::HostError;
use crate::code::CodeRegion;
use meantime_abi::{CodePtr, DefinedFuncIndex, Trampoline, TypeIndex};
use std::sync::Arc;

/// Code that continues in the middle of a function.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Osr {
    /// Where it starts: see `VmStoreContext::osr_code`.
    pub code: CodePtr,
    /// How many values it takes.
    pub values: u32,
}

/// Who makes code. Asked from several threads at once.
pub trait Tiers: Send + Sync {
    /// The code of a function, which has none or had none a moment ago. Puts it into the function's slot. It runs on the guest's stack, with
    /// little room: what needs more runs elsewhere.
    ///
    /// # Errors
    ///
    /// When it cannot be compiled, or there is no room for it.
    fn compile(&self, code: &Arc<CodeRegion>, func: DefinedFuncIndex)
    -> Result<CodePtr, HostError>;

    /// The budget of a function is spent. Refills it.
    fn budget_spent(&self, code: &Arc<CodeRegion>, func: DefinedFuncIndex);

    /// The budget of a function is spent at the start of a loop, whose opcode is at this offset of the module's bytes. Refills it.
    fn loop_budget_spent(
        &self,
        code: &Arc<CodeRegion>,
        func: DefinedFuncIndex,
        loop_at: u32,
    ) -> Option<Osr>;

    /// The trampoline for a type.
    fn trampoline(&self, code: &CodeRegion, way: Trampoline, ty: TypeIndex) -> Option<CodePtr>;
}
