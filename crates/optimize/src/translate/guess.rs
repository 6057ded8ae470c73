//! Calls through references whose callee a profile knows: mostly the same function of this module, by the same instance.
//!
//! The one idea: nothing is ever taken back. A call is translated twice, behind a test of what is called: as a call of the function that was mostly
//! called, which may be inlined and whose signature needs no check, and as what it was.

use super::call::Known;
use super::{Result, Translator};
use crate::TierRequest;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, condcodes::IntCC};
use meantime_abi::{EscapedFuncIndex, FuncIndex, TypeIndex};
use smallvec::SmallVec;

/// What a call mostly calls.
#[derive(Copy, Clone)]
pub(super) struct Guess {
    func: FuncIndex,
    /// Where its funcref is in the context.
    place: EscapedFuncIndex,
}

impl Translator<'_> {
    /// What a call at the current position mostly calls, if that is of this type.
    pub(super) fn guess(&self, request: &TierRequest<'_>, ty: TypeIndex) -> Option<Guess> {
        // In the scope of handlers each call ends its block; that is not worth it here.
        if self.in_scope() {
            return None;
        }
        let func = (request.mostly_called)(self.location.offset)?;
        let func = self.module.func_index(func);
        let description = &self.module.functions()[func];
        let place = description.escaped.filter(|_| description.ty == ty)?;
        Some(Guess { func, place })
    }

    /// Calls through a funcref, with a guess of what it is. `checked` says whether its signature is known.
    pub(super) fn call_guessed(
        &mut self,
        guess: Guess,
        func_ref: Value,
        ty: TypeIndex,
        known: Known,
        checked: bool,
    ) -> Result<()> {
        // Each instance has one funcref of a function, in its context.
        let place = i64::from(self.layout.func_ref(guess.place));
        let expected = self.b.ins().iadd_imm_s(self.context, place);
        let right = self.b.ins().icmp(IntCC::Equal, func_ref, expected);

        let func_type = self.module.type_as_func(ty);
        let (params, results) = (func_type.params.len(), func_type.results.len());
        let (fast, slow, join) = (
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
        );
        for result in &func_type.results {
            self.append_param(join, result.repr().into());
        }
        self.b.set_cold_block(slow);
        self.b.ins().brif(right, fast, &[], slow, &[]);
        let (flow, mark) = (self.flow, self.s.addresses.mark());

        self.canonicalize_top(params);
        let top = self.top(params);
        let args: SmallVec<[Value; 16]> = self.s.stack[top..].into();
        self.b.seal_block(fast);
        self.b.switch_to_block(fast);
        self.call_function(guess.func, false)?;
        let mut other = None;
        if self.reachable {
            self.leave_guess(join, results);
            other = Some(self.flow);
        }

        self.reachable = true;
        self.flow = flow;
        self.s.stack.truncate(top);
        self.s.stack.extend(args);
        self.b.seal_block(slow);
        self.b.switch_to_block(slow);
        self.s.join(mark);
        let known = match checked {
            true => known,
            false => self.check_signature(func_ref, ty, known),
        };
        self.call_func_ref(func_ref, ty, known, false)?;
        self.leave_guess(join, results);

        self.b.seal_block(join);
        self.b.switch_to_block(join);
        self.s.join(mark);
        if let Some(other) = other {
            self.flow.meet(other);
        }
        self.push_block_params(join);
        Ok(())
    }

    /// Goes to where both ways of a guess meet, with the results.
    fn leave_guess(&mut self, join: cranelift_codegen::ir::Block, results: usize) {
        self.owe(0);
        self.canonicalize_top(results);
        let top = self.top(results);
        let values: SmallVec<[BlockArg; 4]> =
            self.s.stack[top..].iter().map(|&v| v.into()).collect();
        self.b.ins().jump(join, &values);
        self.s.stack.truncate(top);
    }
}
