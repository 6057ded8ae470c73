//! Structured control.
//!
//! The one idea: where control flow meets, the operand stack is in its slots, but for a block's single result, which is in the register of
//! results. A block whose label nobody branches to costs nothing at its end: its results stay where they are.

use super::state::State;
use super::tier::LoopCount;
use super::value::{Place, is_float, width};
use super::{Compiler, malformed};
use crate::buffer::Label;
use crate::machine::{Cond, IntCc, Machine, Size, Src};
use meantime_abi::{TypeIndex, ValRepr};

/// A block that is open.
#[derive(Copy, Clone)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// Where a branch to it leads.
    pub(super) label: Label,
    /// What that expects, once there was one.
    pub(super) state: Option<State>,
    sig: BlockSig,
    /// Entries of the operand stack below the parameters.
    pub(super) height: usize,
    /// How far the topmost of their slots is below the frame pointer.
    pub(super) depth: u32,
    params: usize,
    results: usize,
}

#[derive(Copy, Clone)]
pub(super) enum Kind {
    Block,
    /// A loop, and where it counts, if it does.
    Loop(Option<LoopCount>),
    /// An `if` before its `else`: where that begins, and with what.
    If(Label, State),
    Else,
    /// A `try_table`: a block with the innermost scope of exceptions.
    Try,
    Function,
}

/// Where the types of a block come from.
#[derive(Copy, Clone)]
pub(super) enum BlockSig {
    Empty,
    One(ValRepr),
    Func(TypeIndex),
    Function,
}

impl Frame {
    /// How many values a branch takes along.
    pub(super) fn arity(&self) -> usize {
        match self.kind {
            Kind::Loop(_) => self.params,
            _ => self.results,
        }
    }

    /// Whether those are in slots.
    pub(super) fn in_slots(&self) -> bool {
        self.arity() > 1 || matches!(self.kind, Kind::Loop(_)) && self.params == 1
    }
}

impl<M: Machine> Compiler<'_, M> {
    fn result_type(&self, sig: BlockSig, i: usize) -> ValRepr {
        match sig {
            BlockSig::Empty => unreachable!("validated: no result"),
            BlockSig::One(ty) => ty,
            BlockSig::Func(ty) => self.module.type_as_func(ty).results[i].repr(),
            BlockSig::Function => self.ty.results[i].repr(),
        }
    }

    fn param_type(&self, sig: BlockSig, i: usize) -> ValRepr {
        match sig {
            BlockSig::Func(ty) => self.module.type_as_func(ty).params[i].repr(),
            _ => unreachable!("validated: no parameter"),
        }
    }

    /// Reads a block's type: parameters and results.
    pub(super) fn block_type(&mut self) -> (BlockSig, usize, usize) {
        match self.block_sig() {
            Some(BlockSig::Func(ty)) => {
                let func = self.module.type_as_func(ty);
                let has_vector = |types: &[meantime_abi::ValType]| {
                    types.iter().any(|t| t.repr() == ValRepr::V128)
                };
                if has_vector(&func.params) || has_vector(&func.results) {
                    self.unsupported("vectors");
                }
                (BlockSig::Func(ty), func.params.len(), func.results.len())
            }
            Some(BlockSig::One(ty)) => {
                if ty == ValRepr::V128 {
                    self.unsupported("vectors");
                }
                (BlockSig::One(ty), 0, 1)
            }
            Some(sig) => (sig, 0, 0),
            None => {
                self.error = Some(malformed());
                (BlockSig::Empty, 0, 0)
            }
        }
    }

    pub(super) fn push_frame(&mut self, kind: Kind, sig: BlockSig, params: usize, results: usize) {
        let height = self.s.stack.len().saturating_sub(params);
        let depth = match self.s.stack.get(height) {
            Some(value) => value.slot - super::value::slot_size(value.ty),
            None => self.depth,
        };
        let label = self.b.label();
        self.s.frames.push(Frame {
            kind,
            label,
            state: None,
            sig,
            height,
            depth,
            params,
            results,
        });
    }

    pub(super) fn block(&mut self) {
        let (sig, params, results) = self.block_type();
        self.flush(params);
        self.push_frame(Kind::Block, sig, params, results);
    }

    pub(super) fn begin_loop(&mut self) {
        let loop_at = self.b.wasm_offset;
        let (sig, params, results) = self.block_type();
        self.flush(params);
        self.push_frame(Kind::Loop(None), sig, params, results);
        // Most loops use memory, and to have these once in front costs little.
        self.use_context();
        if !self.module.memories().is_empty() {
            self.use_base();
        }
        // What is valid may change in the loop, and then need not be saved.
        self.state.saved &= !self.state.valid;
        let state = self.state;
        if let Some(frame) = self.s.frames.last_mut() {
            frame.state = Some(state);
            let label = frame.label;
            self.b.bind::<M>(label);
        }
        let count = self.count_loop(loop_at);
        if let Some(frame) = self.s.frames.last_mut() {
            frame.kind = Kind::Loop(count);
        }
    }

    pub(super) fn begin_if(&mut self) {
        let (sig, params, results) = self.block_type();
        let cond = self.pop_condition();
        self.flush(params);
        let otherwise = self.b.label();
        M::jump_if(&mut self.b, M::invert(cond), otherwise);
        self.push_frame(Kind::If(otherwise, self.state), sig, params, results);
    }

    /// A condition on top, perhaps made from a value.
    pub(super) fn pop_condition(&mut self) -> Cond {
        let value = self.pop();
        if value.place == Place::Flags {
            return Cond(value.reg);
        }
        let mut src = self.src(value);
        if let Src::Imm(_) = src {
            M::move_int(&mut self.b, Size::S64, M::SCRATCH, src);
            src = Src::Reg(M::SCRATCH);
        }
        let size = width(value.ty);
        let cond = M::compare(&mut self.b, IntCc::Ne, size, src, Src::Imm(0));
        self.release(value);
        cond
    }

    /// Pushes the parameters of a block, which are in their slots.
    fn push_params(&mut self, frame: &Frame) {
        for i in 0..frame.params {
            let ty = self.param_type(frame.sig, i);
            self.push_slot(ty);
        }
        self.flushed = self.s.stack.len();
    }

    pub(super) fn begin_else(&mut self) {
        let Some(mut frame) = self.s.frames.pop() else {
            self.error = Some(malformed());
            return;
        };
        let Kind::If(otherwise, state) = frame.kind else {
            self.error = Some(malformed());
            return;
        };
        frame.kind = Kind::Else;
        self.s.frames.push(frame);
        if self.reachable {
            self.branch(self.s.frames.len() - 1);
        }
        self.drop_to(frame.height);
        self.bind(otherwise, &state);
        self.push_params(&frame);
        self.reachable = true;
    }

    pub(super) fn end(&mut self) {
        let Some(frame) = self.s.frames.last().copied() else {
            self.error = Some(malformed());
            return;
        };
        match frame.kind {
            Kind::Loop(count) => self.end_count(count),
            Kind::If(otherwise, state) => self.end_if(&frame, otherwise, &state),
            Kind::Function => {
                if self.reachable {
                    self.leave_results(&frame);
                }
                if self.reachable || self.b.is_awaited(frame.label) {
                    self.b.bind::<M>(frame.label);
                    self.leave_function();
                }
                self.drop_to(0);
                self.s.frames.pop();
                self.reachable = false;
                return;
            }
            Kind::Try => {
                self.end_try(&frame);
                self.end_block(&frame);
            }
            Kind::Block | Kind::Else => self.end_block(&frame),
        }
        if !self.reachable {
            self.drop_to(frame.height);
        }
        self.s.frames.pop();
        debug_assert!(
            !self.reachable || self.s.stack.len() == frame.height + frame.results,
            "validated: a block leaves its results"
        );
    }

    /// Continues at a block's label, if somebody branches there.
    fn end_block(&mut self, frame: &Frame) {
        if !self.b.is_awaited(frame.label) {
            return;
        }
        // The copy may be older than the last branch.
        let state = self.s.frames.last().and_then(|f| f.state);
        let state = state.unwrap_or(self.state);
        if self.reachable {
            self.leave_results(frame);
            self.conform(&state);
        }
        self.drop_to(frame.height);
        self.bind(frame.label, &state);
        self.push_results(frame);
        self.reachable = true;
    }

    /// Ends an `if` that has no `else`: its parameters are its results when the condition is zero.
    fn end_if(&mut self, frame: &Frame, otherwise: Label, state: &State) {
        if self.reachable && frame.results != 1 && frame.state.is_none() {
            // Both edges go on here; what one of them lacks is done on the other or forgotten.
            self.leave_results(frame);
            let meet = self.state.meet(state);
            self.conform(&meet);
            self.drop_to(frame.height);
            self.b.bind::<M>(otherwise);
            self.bind(frame.label, &meet);
            self.push_results(frame);
            return;
        }
        if self.reachable {
            self.branch(self.s.frames.len() - 1);
        }
        self.drop_to(frame.height);
        self.bind(otherwise, state);
        self.push_params(frame);
        self.reachable = true;
        self.end_block(frame);
    }

    /// Pushes the results of a block, which are where branches leave them.
    fn push_results(&mut self, frame: &Frame) {
        if frame.results == 1 {
            let ty = self.result_type(frame.sig, 0);
            if is_float(ty) {
                self.take_fpr(M::FLOAT_RESULT);
                self.push_fpr(ty, M::FLOAT_RESULT);
            } else {
                self.take_gpr(M::RESULT);
                self.push_gpr(ty, M::RESULT);
            }
            return;
        }
        for i in 0..frame.results {
            let ty = self.result_type(frame.sig, i);
            self.push_slot(ty);
        }
        self.flushed = self.s.stack.len();
    }
}
