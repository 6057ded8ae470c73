//! Calls translated as the callee's body: small leaves of the same module.
//!
//! A callee is a candidate when its body is short, calls nothing and has no loop; then the code that a call costs is about as large as the body. The
//! call stays visible to backtraces: each place in the inlined code carries an [`InlineFrame`].
//!
//! The one idea: nothing is parsed ahead or kept. A body of a few dozen bytes is scanned where it is called, translated in place as
//! one more block, and parameters that it never assigns are the caller's operands themselves.

use super::{Local, Result, Translator};
use crate::types;
use meantime_abi::{DefinedFuncIndex, FuncIndex, InlineFrame};
use wasmparser::{BinaryReader, Operator, OperatorsReader};

/// The longest body that is inlined, in bytes with its declarations.
const MAX_BODY: u32 = 56;
/// The most locals of such a body, parameters included.
const MAX_LOCALS: usize = 24;
/// How many bytes of bodies are inlined into a function beyond its own length.
const BUDGET: u32 = 1024;

/// How many bytes may be inlined into a function of this length.
pub(super) fn budget(len: u32) -> u32 {
    BUDGET.saturating_add(len)
}

/// What a scan of a candidate found.
#[derive(Copy, Clone)]
pub(super) struct Candidate {
    /// A bit for each local that is assigned.
    assigned: u32,
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
        let range = &self.module.bodies()[callee].range;
        let len = range.end - range.start;
        // A candidate calls nothing, so nothing is ever inlined into inlined code.
        if len > MAX_BODY || len > self.inline_budget || self.location.inline.is_some() {
            return Ok(false);
        }
        let candidate = match self.s.candidates.get(&callee) {
            Some(&known) => known,
            None => {
                let found = self.scan(index, callee)?;
                self.s.candidates.insert(callee, found);
                found
            }
        };
        let Some(candidate) = candidate else {
            return Ok(false);
        };
        self.inline_budget -= len;
        self.inline_body(index, callee, candidate)?;
        Ok(true)
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
        let mut assigned = 0;
        let mut operators = OperatorsReader::new(reader);
        while !operators.eof() {
            match operators.read().map_err(super::malformed)? {
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                    assigned |= 1 << local_index;
                }
                // Cranelift folds a branch to a trap into the branch, which has the caller's place.
                Operator::Unreachable
                | Operator::Loop { .. }
                | Operator::Call { .. }
                | Operator::CallIndirect { .. }
                | Operator::CallRef { .. }
                | Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::ReturnCallRef { .. }
                | Operator::TryTable { .. }
                | Operator::BrTable { .. } => return Ok(None),
                _ => {}
            }
        }
        Ok(Some(Candidate { assigned }))
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

        self.release_locals();
        self.s.locals.truncate(self.first_local);
        (self.location, self.first_local) = outer;
        self.set_location(self.location.offset);
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
