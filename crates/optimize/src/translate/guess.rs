//! Calls through references whose callee is known to some degree: by a profile, mostly the same function of this module, by the same instance; or by
//! the module, in which few functions of the type can be referred to, all of them small.
//!
//! The one idea: nothing is ever taken back. A call is translated several times, behind tests of what is called: as a call of each function that is
//! expected, which may be inlined and whose signature needs no check, and as what it was.

use super::call::Known;
use super::interrupt::Flow;
use super::{Result, Translator};
use crate::TierRequest;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, condcodes::IntCC};
use meantime_abi::{DefinedFuncIndex, EscapedFuncIndex, FuncIndex, TypeIndex};
use smallvec::SmallVec;

/// What a call mostly calls.
#[derive(Copy, Clone)]
pub(super) struct Guess {
    func: FuncIndex,
    /// Where its funcref is in the context.
    place: EscapedFuncIndex,
}

/// As many functions of a type are tested for where a reference is called.
const MAX_EXPECTED: usize = 3;
/// A module with more functions that can be referred to than this is not searched for those of a type.
const MAX_ESCAPED: usize = 256;

/// The functions that are expected where one of a type is called.
pub(super) type Expected = SmallVec<[DefinedFuncIndex; MAX_EXPECTED]>;

impl Translator<'_> {
    /// The functions of this type that can be referred to, if they are few and can all be inlined here.
    pub(super) fn expected(&mut self, ty: TypeIndex) -> Result<Option<Expected>> {
        if self.in_scope() || !self.target.tunables.inlining {
            return Ok(None);
        }
        let expected = match self.s.expected.get(&ty) {
            Some(known) => known.clone(),
            None => {
                let found = self.of_type(ty);
                self.s.expected.insert(ty, found.clone());
                found
            }
        };
        for &func in &expected {
            if self
                .inlinable(self.module.func_index(func), func)?
                .is_none()
            {
                return Ok(None);
            }
        }
        Ok((!expected.is_empty()).then_some(expected))
    }

    /// The functions of this type that can be referred to; none if they are too many.
    fn of_type(&self, ty: TypeIndex) -> Expected {
        let mut found = Expected::new();
        if self.module.escaped().len() > MAX_ESCAPED {
            return found;
        }
        for &index in self.module.escaped().values() {
            if self.module.functions()[index].ty != ty {
                continue;
            }
            match self.module.defined_func(index) {
                Some(func) if found.len() < MAX_EXPECTED => found.push(func),
                _ => return Expected::new(),
            }
        }
        found
    }

    /// Calls through a funcref of this type, with tests for what is expected.
    pub(super) fn call_expected(
        &mut self,
        expected: &[DefinedFuncIndex],
        func_ref: Value,
        ty: TypeIndex,
        known: Known,
    ) -> Result<()> {
        let func_type = self.module.type_as_func(ty);
        let (params, results) = (func_type.params.len(), func_type.results.len());
        let join = self.b.create_block();
        for result in &func_type.results {
            self.append_param(join, result.repr().into());
        }
        let (flow, mark) = (self.flow, self.s.addresses.mark());
        self.canonicalize_top(params);
        let top = self.top(params);
        let args: SmallVec<[Value; 16]> = self.s.stack[top..].into();
        let mut met = None;
        for &func in expected {
            let index = self.module.func_index(func);
            let Some(escaped) = self.module.functions()[index].escaped else {
                continue;
            };
            // Each instance has its own; contexts are smaller than 2 GiB.
            let place = i64::from(self.layout.func_ref(escaped));
            let place = self.b.ins().iadd_imm_s(self.context, place);
            let right = self.b.ins().icmp(IntCC::Equal, func_ref, place);
            let (fast, other) = (self.b.create_block(), self.b.create_block());
            self.b.ins().brif(right, fast, &[], other, &[]);
            self.enter(fast);
            self.call_function(index, false)?;
            self.end_of_way(join, results, &mut met);
            self.begin_way(other, top, &args, flow);
            self.s.join(mark);
        }
        // What is left is what the host or another module made.
        let slow = self.b.create_block();
        self.b.set_cold_block(slow);
        self.b.ins().jump(slow, &[]);
        self.enter(slow);
        self.call_func_ref(func_ref, ty, known, false)?;
        self.end_of_way(join, results, &mut met);
        self.enter(join);
        self.s.join(mark);
        if let Some(met) = met {
            self.flow = met;
            self.reachable = true;
        }
        self.push_block_params(join);
        Ok(())
    }

    /// Ends one of the ways of a call, and notes what is known there if its end is reached.
    fn end_of_way(&mut self, join: Block, results: usize, met: &mut Option<Flow>) {
        if !self.reachable {
            return;
        }
        self.leave_guess(join, results);
        match met {
            Some(met) => met.meet(self.flow),
            None => *met = Some(self.flow),
        }
    }

    /// Begins another way of a call, with its arguments.
    fn begin_way(&mut self, block: Block, top: usize, args: &[Value], flow: Flow) {
        self.reachable = true;
        self.flow = flow;
        self.s.stack.truncate(top);
        self.s.stack.extend_from_slice(args);
        self.enter(block);
    }

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
