//! Calls translated as the callee's body: small functions of the same module.
//!
//! A callee is a candidate when its body is short and has no loop; then the code that a call costs is about as large as the body. What it calls may be
//! inlined in turn, also itself, a few times: a function that calls itself then does the work of several calls in one. The
//! calls stay visible to backtraces: each place in the inlined code carries an [`InlineFrame`].
//!
//! The one idea: nothing is parsed ahead or kept. A body of a few dozen bytes is scanned where it is called, translated in place as
//! one more block, and parameters that it never assigns are the caller's operands themselves.

use super::{Local, Result, Translator};
use crate::location::Location;
use crate::types;
use meantime_abi::{DefinedFuncIndex, FuncIndex, InlineFrame};
use smallvec::SmallVec;
use wasmparser::{BinaryReader, Operator, OperatorsReader};

/// The longest body that is inlined, in bytes with its declarations.
const MAX_BODY: u32 = 56;
/// The most locals of such a body, parameters included.
const MAX_LOCALS: usize = 24;
/// How many bytes of bodies are inlined into a function beyond its own length.
const BUDGET: u32 = 1024;

/// The same of bodies with calls, of which less is gained.
const CALLING_BUDGET: u32 = 384;
/// How deep calls are inlined in each other.
const MAX_DEPTH: usize = 4;
/// How often a function is inlined in itself.
const MAX_RECURSION: usize = 2;

/// What is being inlined, and how much more may be.
pub(super) struct Inlining {
    /// The function itself, and the calls that are being inlined into it, each in the one before, with where they are.
    chain: SmallVec<[(DefinedFuncIndex, Location); MAX_DEPTH + 1]>,
    /// How many more bytes of bodies may be inlined.
    budget: u32,
    /// And of bodies with calls.
    calling_budget: u32,
}

impl Inlining {
    /// Into a function whose body has so many bytes.
    pub(super) fn new(func: DefinedFuncIndex, location: Location, len: u32) -> Inlining {
        Inlining {
            chain: SmallVec::from_iter([(func, location)]),
            budget: BUDGET.saturating_add(len),
            calling_budget: CALLING_BUDGET,
        }
    }

    /// The function into which all is inlined.
    pub(super) fn function(&self) -> DefinedFuncIndex {
        self.chain[0].0
    }
}

/// What a scan of a candidate found.
#[derive(Copy, Clone)]
pub(super) struct Candidate {
    /// A bit for each local that is assigned.
    assigned: u32,
    /// Whether it calls anything.
    calls: bool,
}

impl Translator<'_> {
    /// Translates a call of a function of this module as the callee's body, where that is worth it. Says whether it did.
    pub(super) fn inline_call(
        &mut self,
        index: FuncIndex,
        callee: DefinedFuncIndex,
    ) -> Result<bool> {
        if !self.target.tunables.inlining {
            return Ok(false);
        }
        if self.inline_wide_multiply(index, callee)? {
            return Ok(true);
        }
        let Some((candidate, len)) = self.inlinable(index, callee)? else {
            return Ok(false);
        };
        if candidate.calls {
            self.inlining.calling_budget -= len;
        }
        self.inlining.budget -= len;
        self.inline_body(index, callee, candidate)?;
        Ok(true)
    }

    /// Whether a call of a function of this module is worth being inlined here: then what must be known for that, and the length of the body.
    pub(super) fn inlinable(
        &mut self,
        index: FuncIndex,
        callee: DefinedFuncIndex,
    ) -> Result<Option<(Candidate, u32)>> {
        let range = &self.module.bodies()[callee].range;
        let len = range.end - range.start;
        let Inlining { chain, budget, .. } = &self.inlining;
        if len > MAX_BODY || len > *budget || chain.len() > MAX_DEPTH {
            return Ok(None);
        }
        if chain.iter().filter(|(func, _)| *func == callee).count() > MAX_RECURSION {
            return Ok(None);
        }
        let candidate = match self.s.candidates.get(&callee) {
            Some(&known) => known,
            None => {
                let found = self.scan(index, callee)?;
                self.s.candidates.insert(callee, found);
                found
            }
        };
        let fits = |c: &Candidate| !c.calls || len <= self.inlining.calling_budget;
        Ok(candidate.filter(fits).map(|candidate| (candidate, len)))
    }

    /// Whether a function may be inlined, and what of it must be known for that.
    fn scan(&self, index: FuncIndex, callee: DefinedFuncIndex) -> Result<Option<Candidate>> {
        let mut reader = self.body_reader(callee)?;
        let mut locals = self.module.func_type(index).params.len();
        let groups = reader.read_var_u32().map_err(super::malformed)?;
        for _ in 0..groups {
            let count = reader.read_var_u32().map_err(super::malformed)?;
            reader
                .read::<wasmparser::ValType>()
                .map_err(super::malformed)?;
            locals = locals.saturating_add(count as usize);
        }
        if locals > MAX_LOCALS {
            return Ok(None);
        }
        let (mut assigned, mut calls) = (0, false);
        let mut operators = OperatorsReader::new(reader);
        while !operators.eof() {
            match operators.read().map_err(super::malformed)? {
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                    assigned |= 1 << local_index;
                }
                Operator::Call { .. }
                | Operator::CallIndirect { .. }
                | Operator::CallRef { .. }
                | Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::ReturnCallRef { .. } => calls = true,
                // Cranelift folds a branch to a trap into the branch, which has the caller's place.
                Operator::Unreachable
                | Operator::Loop { .. }
                | Operator::TryTable { .. }
                | Operator::BrTable { .. } => return Ok(None),
                _ => {}
            }
        }
        Ok(Some(Candidate { assigned, calls }))
    }

    fn inline_body(
        &mut self,
        index: FuncIndex,
        callee: DefinedFuncIndex,
        candidate: Candidate,
    ) -> Result<()> {
        self.before_inlined();
        let outer = (self.location, self.first_local);
        let frame = self.locations.inline(InlineFrame {
            func: index,
            call_wasm_offset: Some(self.location.offset),
            parent: self.location.inline,
        });
        self.inlining.chain.push((callee, self.location));
        self.first_local = self.s.locals.len();
        self.location.inline = Some(frame);

        let params = &self.module.func_type(index).params;
        self.canonicalize_top(params.len());
        let top = self.top(params.len());
        for (i, ty) in params.iter().enumerate() {
            let value = self.s.stack[top + i];
            if candidate.assigned & 1 << i == 0 {
                self.s.locals.push(Local::Value(value));
            } else {
                self.reuse_local(ty.repr().into(), value);
            }
        }
        self.s.stack.truncate(top);
        let mut reader = self.body_reader(callee)?;
        self.declare_inlined_locals(&mut reader)?;
        self.push_inlined_frame(index);
        self.operators(&mut OperatorsReader::new(reader))?;
        self.after_inlined();

        self.inlining.chain.pop();
        self.release_locals();
        self.s.locals.truncate(self.first_local);
        (self.location, self.first_local) = outer;
        self.set_location(self.location.offset);
        Ok(())
    }

    /// Where the current position is in the function itself: while a call is inlined, the place of that one which it makes.
    pub(super) fn own_offset(&self) -> u32 {
        let outermost = self.inlining.chain.get(1);
        outermost.map_or(self.location.offset, |(_, place)| place.offset)
    }

    /// Whether a call is being inlined.
    pub(super) fn is_inlined(&self) -> bool {
        self.location.inline.is_some()
    }

    /// Writes the last call of a call that is inlined: it takes that one's place, and then is where that one is. What follows is not reached.
    pub(super) fn inlined_tail_call(
        &mut self,
        call: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let here = self.location;
        let (_, place) = *self.inlining.chain.last().expect("the function itself");
        self.location = place;
        self.set_location(place.offset);
        call(self)?;
        self.location = here;
        self.set_location(here.offset);
        if self.reachable {
            self.return_();
        }
        Ok(())
    }

    fn declare_inlined_locals(&mut self, reader: &mut BinaryReader<'_>) -> Result<()> {
        let groups = reader.read_var_u32().map_err(super::malformed)?;
        for _ in 0..groups {
            let count = reader.read_var_u32().map_err(super::malformed)?;
            let ty = reader.read().map_err(super::malformed)?;
            let repr = types::val_repr(self.module, ty);
            for _ in 0..count {
                let zero = self.zero(repr.ty);
                self.reuse_local(repr, zero);
            }
        }
        Ok(())
    }

    /// A local of an inlined call. Variables of earlier ones serve again: each costs memory in proportion to the function's blocks.
    fn reuse_local(&mut self, repr: types::Repr, value: cranelift_codegen::ir::Value) {
        let free = self.s.free_variables.iter().position(|(r, _)| *r == repr);
        let variable = match free {
            Some(at) => self.s.free_variables.swap_remove(at).1,
            None => self.declare_variable(repr),
        };
        self.b.def_var(variable, value);
        self.s.locals.push(Local::Variable(variable, repr));
    }

    fn release_locals(&mut self) {
        for local in &self.s.locals[self.first_local..] {
            if let Local::Variable(variable, repr) = *local {
                self.s.free_variables.push((repr, variable));
            }
        }
    }
}
