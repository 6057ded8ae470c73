//! Branches.
//!
//! The one idea: a branch brings about what its label expects: values where they are when control flow meets, and what registers hold. What that adds
//! does no harm where a branch is not taken, so mostly it is done before the branch.

use super::control::Frame;
use super::value::{Place, is_float, slot_size, width};
use super::{Compiler, malformed};
use crate::machine::*;
use meantime_abi::Trap;

impl<M: Machine> Compiler<'_, M> {
    /// Moves the topmost values to where a branch to a frame leaves them. They stay on the stack only if they are where they were, or it is a
    /// single one in the register of results. Changes no flags.
    pub(super) fn leave_results(&mut self, frame: &Frame) {
        let count = frame.arity();
        if count == 0 {
            return;
        }
        if !frame.in_slots() {
            self.leave_result();
            return;
        }
        let first = self.s.stack.len() - count;
        // Slots only ever move down, so the lowest goes first.
        let mut depth = frame.depth;
        for entry in first..self.s.stack.len() {
            let value = self.s.stack[entry];
            depth += slot_size(value.ty);
            if value.place != Place::Slot || value.slot != depth {
                self.write_frame(-(depth as i32), value);
            }
        }
    }

    /// Moves the topmost value to the register of results.
    pub(super) fn leave_result(&mut self) {
        let top = self.s.stack.len() - 1;
        let value = self.s.stack[top];
        if is_float(value.ty) {
            if value.place == Place::Fpr && value.reg == M::FLOAT_RESULT.0 {
                return;
            }
            let value = self.pop();
            self.take_fpr(M::FLOAT_RESULT);
            let src: FSrc = self.float_src(value);
            M::move_float(&mut self.b, width(value.ty), M::FLOAT_RESULT, src);
            self.release(value);
            self.push_fpr(value.ty, M::FLOAT_RESULT);
        } else {
            if Self::is_in(value, M::RESULT) {
                return;
            }
            let value = self.pop();
            self.take_gpr(M::RESULT);
            let src = self.src(value);
            M::move_int(&mut self.b, width(value.ty), M::RESULT, src);
            self.release(value);
            self.push_gpr(value.ty, M::RESULT);
        }
    }

    /// The frame that a branch of this depth leads to.
    pub(super) fn frame_at(&mut self, depth: u32) -> Option<usize> {
        let index = (self.s.frames.len() - 1).checked_sub(depth as usize);
        if index.is_none() {
            self.error = Some(malformed());
        }
        index
    }

    /// Agrees with a frame's label on the state. Changes no flags.
    pub(super) fn agree(&mut self, index: usize) {
        match self.s.frames[index].state {
            Some(state) => self.conform(&state),
            // Nothing is expected where the function ends.
            None if index == 0 => {}
            None => self.s.frames[index].state = Some(self.state),
        }
    }

    /// Branches to a frame's label with the topmost values. What follows cannot be reached.
    pub(super) fn branch(&mut self, index: usize) {
        let frame = self.s.frames[index];
        self.leave_results(&frame);
        self.agree(index);
        M::jump(&mut self.b, frame.label);
        self.reachable = false;
    }

    pub(super) fn br(&mut self, depth: u32) {
        if let Some(index) = self.frame_at(depth) {
            self.branch(index);
        }
    }

    pub(super) fn br_if(&mut self, depth: u32) {
        let Some(index) = self.frame_at(depth) else {
            return;
        };
        let cond = self.pop_condition();
        self.branch_if(cond, index);
    }

    /// Branches to a frame's label with the topmost values when a condition holds.
    pub(super) fn branch_if(&mut self, cond: Cond, index: usize) {
        let frame = self.s.frames[index];
        if !frame.in_slots() || self.are_in_place(&frame) {
            if frame.in_slots() {
                self.flush(frame.arity());
            } else {
                self.leave_results(&frame);
            }
            self.agree(index);
            M::jump_if(&mut self.b, cond, frame.label);
            return;
        }
        // The slots that they go to are those of other values, which are still wanted when there is no branch.
        let skip = self.b.label();
        M::jump_if(&mut self.b, M::invert(cond), skip);
        let state = self.state;
        self.leave_results(&frame);
        self.agree(index);
        M::jump(&mut self.b, frame.label);
        self.bind(skip, &state);
    }

    /// Whether the slots of the topmost values are those in which a branch leaves them.
    fn are_in_place(&self, frame: &Frame) -> bool {
        self.s.stack.len() - frame.arity() == frame.height
    }

    pub(super) fn return_(&mut self) {
        self.branch(0);
    }

    pub(super) fn unreachable(&mut self) {
        self.trap_always(Trap::UnreachableCodeReached);
    }

    /// Traps. What follows cannot be reached.
    pub(super) fn trap_always(&mut self, trap: Trap) {
        if self.signals() {
            self.t.trap(self.b.at(), self.b.wasm_offset, trap);
            M::trap(&mut self.b);
        } else {
            let label = self.b.trap_label(trap);
            M::jump(&mut self.b, label);
        }
        self.reachable = false;
    }
}
