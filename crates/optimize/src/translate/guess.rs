//! Calls through references whose callee is known to some degree: by a profile, mostly a few functions of this module, by the same instance; or by
//! the module, in which few functions of the type can be referred to.
//!
//! The one idea: nothing is ever taken back. A call is translated several times, behind tests of what is called: as a call of each function that is
//! expected, which may be inlined and whose signature needs no check, and as what it was. A method that was just read from a vtable is told by
//! its number, so its funcref is looked up only where it is none that is expected.

use super::call::Known;
use super::environment::Region;
use super::interrupt::Flow;
use super::{Result, Translator};
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, condcodes::IntCC};
use meantime_abi::{EscapedFuncIndex, FuncIndex, RefType, TypeIndex, VmFuncRef};
use smallvec::SmallVec;
use std::mem::offset_of;

/// A function of this module, by the same instance, that a call may well call.
#[derive(Copy, Clone)]
pub(super) struct Guess {
    func: FuncIndex,
    /// Where its funcref is in the context.
    place: EscapedFuncIndex,
}

impl Guess {
    /// Has it tested for before all others.
    fn put_first(self, expected: &mut Expected) {
        match expected.iter().position(|other| other.func == self.func) {
            Some(place) => expected[..=place].rotate_right(1),
            None => expected.insert(0, self),
        }
    }
}

/// Has these tested for before all others, the first one first.
pub(super) fn put_first(guesses: &[Guess], expected: &mut Expected) {
    for guess in guesses.iter().rev() {
        guess.put_first(expected);
    }
}

/// As many functions of a type are tested for where a reference is called.
const MAX_EXPECTED: usize = 4;
/// A module with more functions that can be referred to than this is not searched for those of a type.
const MAX_ESCAPED: usize = 256;

/// A function that an object holds by its number, and the type of the field. Never null.
#[derive(Copy, Clone)]
pub(super) struct FuncNumber {
    pub(super) number: Value,
    pub(super) ty: RefType,
}

/// A function to be called, as far as it is known.
#[derive(Copy, Clone)]
pub(super) enum Called {
    /// Its funcref.
    Ref(Value),
    /// Its number: enough to tell whether it is one that is expected.
    Number(FuncNumber),
}

/// The functions that are expected where one of a type is called.
pub(super) type Expected = SmallVec<[Guess; MAX_EXPECTED]>;

impl Translator<'_> {
    /// The functions of this type that can be referred to, if they are few and, where `called` does not say that tests of them cost less
    /// than what they save, can all be inlined here.
    pub(super) fn expected(&mut self, ty: TypeIndex, called: Called) -> Result<Option<Expected>> {
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
        let cheap = matches!(called, Called::Number(_));
        for guess in expected.iter().filter(|_| !cheap) {
            let defined = self.module.defined_func(guess.func);
            let defined = defined.expect("only these are expected");
            if self.inlinable(guess.func, defined)?.is_none() {
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
        for (place, &func) in self.module.escaped().iter() {
            if self.module.functions()[func].ty != ty {
                continue;
            }
            if self.module.defined_func(func).is_none() || found.len() == MAX_EXPECTED {
                return Expected::new();
            }
            found.push(Guess { func, place });
        }
        found
    }

    /// Calls through a funcref, with tests for what is expected. `checked` says whether its signature is known.
    pub(super) fn call_expected(
        &mut self,
        expected: &[Guess],
        called: Called,
        ty: TypeIndex,
        known: Known,
        checked: bool,
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
        for (i, guess) in expected.iter().enumerate() {
            let right = self.is_guess(called, guess);
            let (fast, other) = (self.b.create_block(), self.b.create_block());
            if i + 1 == expected.len() {
                // What is left is what nobody expects.
                self.b.set_cold_block(other);
            }
            self.b.ins().brif(right, fast, &[], other, &[]);
            self.enter(fast);
            self.call_function(guess.func, false)?;
            self.end_of_way(join, results, &mut met);
            self.begin_way(other, top, &args, flow);
            self.s.join(mark);
        }
        let first = self.b.func.dfg.num_blocks();
        let func_ref = self.called_ref(called);
        let known = match checked {
            true => known,
            false => self.check_signature(func_ref, ty, known),
        };
        self.call_func_ref(func_ref, ty, known, false)?;
        for block in first..self.b.func.dfg.num_blocks() {
            self.b.set_cold_block(Block::from_u32(block as u32));
        }
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

    /// Whether this function is called.
    fn is_guess(&mut self, called: Called, guess: &Guess) -> Value {
        // Each instance has one funcref of a function, in its context; contexts are smaller than 2 GiB.
        let place = self.layout.func_ref(guess.place);
        match called {
            Called::Ref(func_ref) => {
                let place = self.b.ins().iadd_imm_s(self.context, i64::from(place));
                self.b.ins().icmp(IntCC::Equal, func_ref, place)
            }
            Called::Number(FuncNumber { number, .. }) => {
                // One that has no number yet has that of null, which only a corrupt heap holds here.
                let flags = self.trusted(Region::FuncRefs);
                let id = place + offset_of!(VmFuncRef, id) as u32;
                let id = self.b.ins().load(I32, flags, self.context, id as i32);
                self.b.ins().icmp(IntCC::Equal, number, id)
            }
        }
    }

    /// The funcref of what is called.
    pub(super) fn called_ref(&mut self, called: Called) -> Value {
        match called {
            Called::Ref(func_ref) => func_ref,
            Called::Number(FuncNumber { number, ty }) => self.func_of_number(number, &ty),
        }
    }

    /// Whether what an object holds in a field of this type is called by the next operator, and need not be more than a number until then.
    pub(super) fn is_called_next(&self, ty: &RefType) -> bool {
        // The opcodes of `call_ref` and `return_call_ref`.
        !ty.nullable && matches!(self.wasm.get(self.next as usize), Some(0x14 | 0x15))
    }

    /// What the topmost operand calls, which is removed.
    pub(super) fn pop_called(&mut self) -> Called {
        let value = self.pop();
        match self.number.take() {
            Some(known) if known.number == value => Called::Number(known),
            _ => Called::Ref(value),
        }
    }

    /// Ends one of the ways of a call where they meet, with its results, and notes what is known there if its end is reached.
    fn end_of_way(&mut self, join: Block, results: usize, met: &mut Option<Flow>) {
        if !self.reachable {
            return;
        }
        self.owe(0);
        self.canonicalize_top(results);
        let top = self.top(results);
        let values: SmallVec<[BlockArg; 4]> =
            self.s.stack[top..].iter().map(|&v| v.into()).collect();
        self.b.ins().jump(join, &values);
        self.s.stack.truncate(top);
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

    /// What a call at the current position mostly calls, as far as that is of this type. Of several functions, those that can be inlined here: a test
    /// more costs about what a direct call saves.
    pub(super) fn guesses(&mut self, ty: TypeIndex) -> Result<Expected> {
        let mut guesses = Expected::new();
        // In the scope of handlers each call ends its block; that is not worth it here.
        if self.in_scope() {
            return Ok(guesses);
        }
        let called = (self.request.mostly_called)(self.location.offset);
        let inlining = self.target.tunables.inlining;
        for &defined in &called {
            let func = self.module.func_index(defined);
            let description = &self.module.functions()[func];
            let Some(place) = description.escaped.filter(|_| description.ty == ty) else {
                continue;
            };
            if called.len() == 1 || inlining && self.inlinable(func, defined)?.is_some() {
                guesses.push(Guess { func, place });
            }
        }
        Ok(guesses)
    }
}
