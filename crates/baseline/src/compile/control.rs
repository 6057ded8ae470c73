//! Structured control.
//!
//! The one idea: where control flow meets, the operand stack is in its slots, but for a block's single result, which is in the register of
//! results. A block whose label nobody branches to costs nothing at its end: its results stay where they are.

use super::state::State;
use super::tier::LoopCount;
use super::value::{Place, Value, is_float};
use super::{Compiler, Lists, malformed};
use crate::buffer::Label;
use crate::machine::{Cond, FSrc, Gpr, IntCc, Machine, Size, Src};
use meantime_abi::{Trap, TypeIndex, ValRepr};

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
    height: u32,
    /// How far the topmost of their slots is below the frame pointer.
    pub(super) depth: u32,
    params: u32,
    results: u32,
    /// How many values a branch takes along, and whether those are in slots.
    arity: u32,
    in_slots: bool,
}

#[derive(Copy, Clone)]
pub(super) enum Kind {
    Block,
    /// A loop, and where it counts, if it does.
    Loop(Option<LoopCount>),
    /// An `if` before its `else`: where that begins. With what is the last of a list.
    If(Label),
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
    fn arity(&self) -> usize {
        self.arity as usize
    }

    /// Whether those are in slots.
    fn in_slots(&self) -> bool {
        self.in_slots
    }

    /// Whether it is a block without results, with nothing else to do at its end.
    fn is_plain(&self) -> bool {
        self.results == 0 && matches!(self.kind, Kind::Block | Kind::Else)
    }

    pub(super) fn height(&self) -> usize {
        self.height as usize
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
    #[inline(always)]
    pub(super) fn block_type(&mut self) -> (BlockSig, usize, usize) {
        if self.next_byte() == Some(0x40) {
            self.at += 1;
            return (BlockSig::Empty, 0, 0);
        }
        self.type_of_block()
    }

    #[inline(never)]
    fn type_of_block(&mut self) -> (BlockSig, usize, usize) {
        match self.block_sig() {
            Some(BlockSig::Func(ty)) => {
                let func = self.module.type_as_func(ty);
                (BlockSig::Func(ty), func.params.len(), func.results.len())
            }
            Some(BlockSig::One(ty)) => (BlockSig::One(ty), 0, 1),
            Some(sig) => (sig, 0, 0),
            None => {
                self.fail(malformed());
                (BlockSig::Empty, 0, 0)
            }
        }
    }

    #[inline]
    pub(super) fn push_frame(&mut self, kind: Kind, sig: BlockSig, params: usize, results: usize) {
        let height = self.s.stack.len().saturating_sub(params);
        let depth = match self.s.stack.get(height) {
            Some(value) => value.slot() - super::value::slot_size(value.ty()),
            None => self.depth(),
        };
        let label = self.b.label();
        let is_loop = matches!(kind, Kind::Loop(_));
        let arity = if is_loop { params } else { results };
        // Neither is more than a thousand, and entries of the stack are fewer than bytes of the body.
        self.s.frames.push(Frame {
            kind,
            label,
            state: None,
            sig,
            height: height as u32,
            depth,
            params: params as u32,
            results: results as u32,
            arity: arity as u32,
            in_slots: arity > usize::from(!is_loop),
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
        self.owe(0);
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
        self.lose_unknown();
        let count = self.count_loop(loop_at);
        // After that: better code does so too.
        self.at_loop();
        if let Some(frame) = self.s.frames.last_mut() {
            frame.kind = Kind::Loop(count);
        }
        self.begin_dispatch();
    }

    pub(super) fn begin_if(&mut self) {
        self.if_on(Self::pop_condition);
    }

    /// Begins an `if`, of which only the condition is not known.
    pub(super) fn if_on(&mut self, condition: impl FnOnce(&mut Self) -> Cond) {
        let (sig, params, results) = self.block_type();
        let cond = condition(self);
        self.flush(params);
        let otherwise = self.b.label();
        M::jump_if(&mut self.b, M::invert(cond), otherwise);
        self.s.if_states.push(self.state);
        self.push_frame(Kind::If(otherwise), sig, params, results);
    }

    /// A condition on top, perhaps made from a value.
    pub(super) fn pop_condition(&mut self) -> Cond {
        let value = self.pop_number();
        if value.place() == Place::Flags {
            return Cond(value.reg());
        }
        if value.is_const() {
            let src = self.src(value);
            M::move_int(&mut self.b, Size::S64, M::SCRATCH, src);
            return self.compare_zero(IntCc::Ne, value.moved(Place::Gpr, M::SCRATCH.0));
        }
        self.compare_zero(IntCc::Ne, value)
    }

    /// Pushes the parameters of a block, which are in their slots.
    fn push_params(&mut self, frame: &Frame) {
        for i in 0..frame.params {
            let ty = self.param_type(frame.sig, i as usize);
            self.push_slot(ty);
        }
        self.flushed = self.s.stack.len();
    }

    pub(super) fn begin_else(&mut self) {
        let Some(mut frame) = self.s.frames.pop() else {
            self.fail(malformed());
            return;
        };
        let (Kind::If(otherwise), Some(state)) = (frame.kind, self.s.if_states.pop()) else {
            self.fail(malformed());
            return;
        };
        frame.kind = Kind::Else;
        self.s.frames.push(frame);
        if self.reachable {
            self.branch(self.s.frames.len() - 1);
        }
        self.drop_to(frame.height());
        self.bind(otherwise, &state);
        self.push_params(&frame);
        self.reachable = self.error.is_none();
    }

    #[inline(always)]
    pub(super) fn end(&mut self) {
        match self.s.frames.last() {
            Some(frame) if frame.is_plain() && self.s.dispatches.is_empty() => self.end_plain(),
            _ => self.end_with_dispatches(),
        }
    }

    #[inline(never)]
    fn end_with_dispatches(&mut self) {
        if self.s.dispatches.is_empty() {
            return self.end_any();
        }
        let ending = self.s.frames.last().map(|frame| frame.label);
        self.end_any();
        if let Some(label) = ending {
            self.end_dispatched(self.s.frames.len(), label);
        }
    }

    #[inline(always)]
    fn end_any(&mut self) {
        match self.s.frames.last() {
            Some(frame) if frame.is_plain() => self.end_plain(),
            Some(frame) => {
                let frame = *frame;
                self.end_frame(&frame);
            }
            None => self.fail(malformed()),
        }
    }

    fn end_frame(&mut self, frame: &Frame) {
        match frame.kind {
            Kind::Loop(count) => self.end_count(count),
            Kind::If(otherwise) => {
                let state = self.s.if_states.pop().unwrap_or(self.state);
                self.end_if(frame, otherwise, &state);
            }
            Kind::Function => {
                if self.reachable {
                    self.leave_results(frame);
                    self.agree(0);
                }
                if self.reachable || self.b.is_awaited(frame.label) {
                    let state = self.s.frames.first().and_then(|f| f.state);
                    self.bind(frame.label, &state.unwrap_or_default());
                    self.leave_function();
                }
                self.drop_to(0);
                self.s.frames.pop();
                self.reachable = false;
                return;
            }
            Kind::Try => {
                self.end_try(frame);
                self.end_block(frame);
            }
            Kind::Block | Kind::Else => self.end_block(frame),
        }
        if !self.reachable {
            self.drop_to(frame.height());
        }
        self.s.frames.pop();
        debug_assert!(
            !self.reachable || self.s.stack.len() == frame.height() + frame.results as usize,
            "validated: a block leaves its results"
        );
    }

    /// Ends a block that has no results, and goes on at its label if somebody branches there.
    #[inline(never)]
    fn end_plain(&mut self) {
        let Some(Frame {
            label,
            state,
            height,
            ..
        }) = self.s.frames.pop()
        else {
            return;
        };
        if self.b.is_awaited(label) {
            let watched = if self.reachable {
                if let Some(state) = &state {
                    self.conform(state);
                }
                self.state.watched
            } else {
                u32::MAX
            };
            self.drop_to(height as usize);
            self.b.bind::<M>(label);
            if let Some(state) = state {
                self.state = state;
            }
            self.lose_unknown();
            self.state.watched = self.state.watched.min(watched);
            self.flushed = self.s.stack.len();
            self.reachable = self.error.is_none();
        } else if !self.reachable {
            self.drop_to(height as usize);
        }
        debug_assert!(!self.reachable || self.s.stack.len() == height as usize);
    }

    /// Continues at a block's label, if somebody branches there.
    #[inline]
    fn end_block(&mut self, frame: &Frame) {
        if self.b.is_awaited(frame.label) {
            self.end_awaited(frame);
        }
    }

    fn end_awaited(&mut self, frame: &Frame) {
        // The copy may be older than the last branch.
        let state = self.s.frames.last().and_then(|f| f.state);
        let mut state = state.unwrap_or(self.state);
        if self.reachable {
            self.leave_results(frame);
            self.conform(&state);
            state.watched = state.watched.min(self.state.watched);
        }
        self.drop_to(frame.height());
        self.bind(frame.label, &state);
        self.push_results(frame);
        self.reachable = self.error.is_none();
    }

    /// Ends an `if` that has no `else`: its parameters are its results when the condition is zero.
    fn end_if(&mut self, frame: &Frame, otherwise: Label, state: &State) {
        if self.reachable && frame.results != 1 && frame.state.is_none() {
            // Both edges go on here; what one of them lacks is done on the other or forgotten.
            self.leave_results(frame);
            let meet = self.state.meet(state);
            self.conform(&meet);
            self.drop_to(frame.height());
            self.b.bind::<M>(otherwise);
            self.bind(frame.label, &meet);
            self.push_results(frame);
            return;
        }
        if self.reachable {
            self.branch(self.s.frames.len() - 1);
        }
        self.drop_to(frame.height());
        self.bind(otherwise, state);
        self.push_params(frame);
        self.reachable = self.error.is_none();
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
            let ty = self.result_type(frame.sig, i as usize);
            self.push_slot(ty);
        }
        self.flushed = self.s.stack.len();
    }

    /// Moves the topmost values to where a branch to a frame leaves them. They stay on the stack only if they are where they were, or it is a
    /// single one in the register of results. Changes no flags.
    fn leave_results(&mut self, frame: &Frame) {
        let count = frame.arity();
        if count == 0 {
            return;
        }
        if !frame.in_slots() {
            self.leave_result();
            return;
        }
        self.limit_code();
        let first = self.s.stack.len() - count;
        // Slots only ever move down, so the lowest goes first.
        let mut depth = frame.depth;
        for entry in first..self.s.stack.len() {
            let value = self.s.stack[entry];
            depth += super::value::slot_size(value.ty());
            if value.place() != Place::Slot || value.slot() != depth {
                self.write_frame(depth, value);
            }
        }
    }

    /// Moves the topmost value to the register of results.
    fn leave_result(&mut self) {
        let top = self.s.stack.len() - 1;
        let value = self.s.stack[top];
        if value.is_float() {
            if value.place() == Place::Fpr && value.reg() == M::FLOAT_RESULT.0 {
                return;
            }
            let value = self.pop();
            self.take_fpr(M::FLOAT_RESULT);
            let src: FSrc = self.float_src(value);
            M::move_float(&mut self.b, value.size(), M::FLOAT_RESULT, src);
            self.release(value);
            self.push_fpr(value.ty(), M::FLOAT_RESULT);
        } else {
            if Self::is_in(value, M::RESULT) {
                return;
            }
            let value = self.pop();
            self.take_gpr(M::RESULT);
            let src = self.src(value);
            M::move_int(&mut self.b, value.size(), M::RESULT, src);
            self.release(value);
            self.push_gpr(value.ty(), M::RESULT);
        }
    }

    /// The frame that a branch of this depth leads to.
    pub(super) fn frame_at(&mut self, depth: u32) -> Option<usize> {
        let index = (self.s.frames.len() - 1).checked_sub(depth as usize);
        if index.is_none() {
            self.fail(malformed());
        }
        index
    }

    /// Agrees with a frame's label on the state. Changes no flags.
    #[inline(always)]
    pub(super) fn agree(&mut self, index: usize) {
        let now = self.state;
        match &mut self.s.frames[index].state {
            Some(state) if now.has(state) => state.watched = state.watched.min(now.watched),
            state @ None if index != 0 => *state = Some(now),
            _ => self.agree_on_more(index),
        }
    }

    #[inline(never)]
    fn agree_on_more(&mut self, index: usize) {
        // Little is expected where the function ends.
        let mut state = self.s.frames[index].state.unwrap_or(State {
            owed: self.state.owed,
            ..State::default()
        });
        self.conform(&state);
        state.watched = state.watched.min(self.state.watched);
        self.s.frames[index].state = Some(state);
    }

    /// Branches to a frame's label with the topmost values. What follows cannot be reached.
    pub(super) fn branch(&mut self, index: usize) {
        let frame = &self.s.frames[index];
        let label = frame.label;
        if frame.arity != 0 {
            let frame = *frame;
            self.leave_results(&frame);
        }
        self.agree(index);
        M::jump(&mut self.b, label);
        self.reachable = false;
    }

    pub(super) fn br(&mut self, depth: u32) {
        if let Some(index) = self.frame_at(depth)
            && (self.s.dispatches.is_empty() || !self.follow(index))
        {
            self.branch(index);
        }
    }

    pub(super) fn br_if(&mut self, depth: u32) {
        let cond = self.pop_condition();
        self.br_if_on(depth, cond);
    }

    pub(super) fn br_if_on(&mut self, depth: u32, cond: Cond) {
        if let Some(index) = self.frame_at(depth) {
            self.branch_if(cond, index);
        }
    }

    /// Branches to a frame's label with the topmost values when a condition holds.
    #[inline]
    pub(super) fn branch_if(&mut self, cond: Cond, index: usize) {
        let frame = &self.s.frames[index];
        if frame.arity == 0 {
            let label = frame.label;
            self.agree(index);
            return M::jump_if(&mut self.b, cond, label);
        }
        self.branch_with_values_if(cond, index);
    }

    #[inline(never)]
    fn branch_with_values_if(&mut self, cond: Cond, index: usize) {
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
        self.s.stack.len() - frame.arity() == frame.height()
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

    pub(super) fn br_table(&mut self) {
        let here = self.at - 1;
        let mut targets = std::mem::take(&mut self.s.targets);
        targets.clear();
        let count = self.leb_u32();
        if count as usize > self.code.len() - self.at {
            self.fail(malformed());
            return;
        }
        for _ in 0..=count {
            targets.push(self.leb_u32());
        }
        let deepest = targets.iter().copied().max().unwrap_or(0);
        if self.frame_at(deepest).is_some() {
            let chooses = !self.s.dispatches.is_empty() && self.note_dispatch(here, &targets);
            self.branch_by_table(&targets, chooses);
        }
        self.s.targets = targets;
    }

    /// The last of the depths is the default's. `chooses` says whether a loop only chooses by it.
    fn branch_by_table(&mut self, depths: &[u32], chooses: bool) {
        let selector = self.pop();
        let Some((default, entries)) = depths.split_last() else {
            return;
        };
        if entries.is_empty() {
            self.release(selector);
            return self.br(*default);
        }
        let outermost = self.s.frames.len() - 1;
        let frame_of = |depth: u32| outermost - depth as usize;
        let arity = self.s.frames[frame_of(*default)].arity();
        let in_slots = |d: &u32| self.s.frames[frame_of(*d)].in_slots();
        let mut with_edges = arity > 0 && depths.iter().any(in_slots);
        with_edges |= self.are_owed_differently(depths.iter().map(|d| frame_of(*d)));
        let index = self.table_index(selector, arity == 1 && !with_edges);
        if with_edges {
            // In their slots, where each edge finds them.
            self.flush(arity);
        } else {
            // Each agrees with all, and then with those that nobody branched to yet.
            for depth in depths {
                if let Some(state) = self.s.frames[frame_of(*depth)].state {
                    self.conform(&state);
                }
            }
            for depth in depths {
                self.agree(frame_of(*depth));
            }
        }
        let default_label = self.label_table(*default, entries, with_edges);
        if chooses && let Some(first) = self.s.labels.first() {
            self.choose_first(index, *first);
        }
        let count = Src::Imm(i64::from(entries.len() as i32));
        let beyond = M::compare(&mut self.b, IntCc::GeU, Size::S32, Src::Reg(index), count);
        M::jump_if(&mut self.b, beyond, default_label);
        M::jump_table(&mut self.b, index, &self.s.labels);
        self.free_gpr(index);
        if with_edges {
            self.write_edges(depths, arity);
        }
        self.reachable = false;
    }

    /// The selector in a register of its own, which is not that of a result that goes along.
    fn table_index(&mut self, selector: Value, with_result: bool) -> Gpr {
        let mut index = self.own_gpr(selector);
        if with_result {
            if index == M::RESULT {
                let other = self.alloc_gpr();
                M::move_int(&mut self.b, Size::S32, other, Src::Reg(index));
                self.free_gpr(index);
                index = other;
            }
            self.leave_result();
        }
        index
    }

    /// Lists the label of each entry, and says which is the default's: the frame's, or one of an edge that first moves the values.
    fn label_table(&mut self, default: u32, entries: &[u32], with_edges: bool) -> Label {
        let outermost = self.s.frames.len() - 1;
        self.s.labels.clear();
        if !with_edges {
            let Lists { frames, labels, .. } = &mut self.s;
            let label = |d: &u32| frames[outermost - *d as usize].label;
            labels.extend(entries.iter().map(label));
            return label(&default);
        }
        self.s.edges.clear();
        self.s.edges.resize(outermost + 1, Label::NONE);
        for depth in entries {
            let label = self.edge(*depth);
            self.s.labels.push(label);
        }
        self.edge(default)
    }

    /// The label of the edge to the frame of this depth.
    fn edge(&mut self, depth: u32) -> Label {
        let label = &mut self.s.edges[depth as usize];
        if *label == Label::NONE {
            *label = self.b.label();
        }
        *label
    }

    fn write_edges(&mut self, depths: &[u32], arity: usize) {
        let outermost = self.s.frames.len() - 1;
        let state = self.state;
        for depth in depths {
            let label = std::mem::replace(&mut self.s.edges[*depth as usize], Label::NONE);
            if label == Label::NONE {
                continue;
            }
            let frame = outermost - *depth as usize;
            self.bind(label, &state);
            self.branch(frame);
            if arity > 0 && !self.s.frames[frame].in_slots() {
                // The next edge finds the value in its slot again.
                let value = self.pop();
                self.release(value);
                self.push_slot(value.ty());
            }
        }
    }
}
