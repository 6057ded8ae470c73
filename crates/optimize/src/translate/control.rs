//! Structured control, locals, globals, constants and the other plain instructions.
//!
//! The one idea: a block gets its CLIF continuation (with a parameter per result) only when something branches to it. A block that only
//! falls through its end costs nothing. Code that cannot be reached is not translated: only its nesting is counted.

use super::interrupt::Flow;
use super::known_address::Mark;
use super::twice::{FirstCopy, Turn};
use super::{Local, Result, Translator, osr};
use crate::types::{Repr, val_repr};
use cranelift_codegen::ir::{
    Block, BlockArg, Inst, InstBuilder, JumpTableData, Value, condcodes::IntCC, types,
};
use cranelift_frontend::Variable;
use meantime_abi::{FuncIndex, GlobalIndex, Trap, TypeIndex};
use smallvec::SmallVec;
use wasmparser::{BinaryReader, BlockType, BrTable, Operator};

/// A `br_table` with more targets than this is refused, as by other engines: Cranelift's branch ranges set a limit.
const MAX_BR_TABLE: u32 = 65520;

pub(super) type Args = SmallVec<[BlockArg; 8]>;

/// A block that is open.
pub(crate) struct Frame {
    kind: Kind,
    ty: FrameType,
    /// Height of the operand stack below the parameters.
    height: usize,
    params: usize,
    results: usize,
    /// Where a branch out of it leads, once there was one.
    continuation: Option<Block>,
    /// What is known where branches to it lead, once there was one.
    flow: Flow,
    /// Which addresses were known at its beginning.
    mark: Mark,
    /// Where its operator is, if it is a loop.
    loop_at: Option<u32>,
    /// How many calls were written before it.
    calls_before: u32,
    /// Whether branches behind its end may lead to it: see `dispatch.rs`.
    pub(super) entered_later: bool,
    /// Whether it is a loop or in one.
    in_loop: bool,
}

impl Frame {
    /// Another branch out of it, from a position where this is known.
    fn meet(&mut self, here: Flow) {
        match (self.continuation, &self.kind) {
            (Some(_), _) => self.flow.meet(here),
            // Without an `else`, there is a way past its body.
            (None, Kind::If { flow, .. }) => self.flow = *flow,
            (None, _) => self.flow = here,
        }
    }

    /// What is known where branches to it lead, if there was one.
    pub(super) fn flow(&self) -> Flow {
        self.flow
    }

    /// Where its operator is, in the function itself, if it is a loop to whose start branches lead back.
    pub(super) fn loop_at(&self) -> Option<u32> {
        match self.kind {
            Kind::Loop { copy: Some(_), .. } => None,
            _ => self.loop_at,
        }
    }

    /// How many calls were written before it.
    pub(super) fn calls_before(&self) -> u32 {
        self.calls_before
    }

    /// Whether a branch out of it leads to this block.
    pub(super) fn leads_to(&self, block: Block) -> bool {
        self.continuation == Some(block)
    }
}

enum Kind {
    Block,
    Loop {
        /// Where branches to it lead.
        header: Block,
        first: Option<FirstGlobal>,
        /// Of the first copy of two.
        copy: Option<FirstCopy>,
    },
    /// An `if` before its `else`.
    If {
        branch: Inst,
        else_block: Block,
        /// Where its parameters begin in the saved ones.
        saved: usize,
        /// What was known before it.
        flow: Flow,
    },
    /// An `if` after its `else`.
    Else,
    /// A `try_table`: a block with the innermost scope of exceptions.
    TryTable,
    /// The function itself.
    Function,
    /// A call that is inlined.
    Inlined,
}

/// A global that a loop begins by reading. Each way to the loop reads it instead, where it often has just been written.
#[derive(Copy, Clone)]
struct FirstGlobal {
    global: GlobalIndex,
    /// Offset of the operator that reads it.
    at: u64,
    /// What was read.
    value: Variable,
}

#[derive(Copy, Clone)]
enum FrameType {
    Block(BlockType),
    Function(FuncIndex),
}

impl Translator<'_> {
    pub(super) fn control(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::LocalGet { local_index } => {
                let value = self.local(local_index);
                self.push(value);
            }
            Operator::LocalSet { local_index } => {
                let value = self.pop();
                self.set_local(local_index, value);
            }
            Operator::LocalTee { local_index } => self.set_local(local_index, self.peek()),
            Operator::GlobalGet { global_index } => {
                self.global_get(GlobalIndex::from_u32(global_index));
            }
            Operator::GlobalSet { global_index } => {
                self.global_set(GlobalIndex::from_u32(global_index));
            }
            Operator::Nop => {}
            Operator::Drop => {
                self.pop();
            }
            Operator::Select => self.select(false),
            Operator::TypedSelect { ty } => self.select(val_repr(self.module, ty).gc),
            Operator::Unreachable => self.trap_always(Trap::UnreachableCodeReached),
            Operator::Block { blockty } => self.push_frame(Kind::Block, blockty),
            Operator::Loop { blockty } => self.begin_loop(blockty)?,
            Operator::If { blockty } => self.begin_if(blockty),
            Operator::TryTable { ref try_table } => {
                self.push_scope(&try_table.catches);
                self.push_frame(Kind::TryTable, try_table.ty);
            }
            Operator::Else => self.begin_else(),
            Operator::End => self.end()?,
            Operator::Br { relative_depth } => self.br(relative_depth),
            Operator::BrIf { relative_depth } => {
                let condition = self.pop();
                match self.branch_hint() {
                    None => self.br_if(condition, relative_depth, true),
                    Some(likely) => self.br_if_hinted(condition, relative_depth, likely),
                }
            }
            Operator::BrTable { ref targets } => self.br_table(targets)?,
            Operator::Return => self.return_(),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Counts the nesting of code that cannot be reached.
    pub(super) fn skip(&mut self, op: &Operator<'_>) -> Result<()> {
        match op {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => self.skipped += 1,
            Operator::Else if self.skipped == 0 => self.begin_else(),
            Operator::End if self.skipped == 0 => self.end()?,
            Operator::End => self.skipped -= 1,
            _ => {}
        }
        Ok(())
    }

    /// The value of a local.
    pub(super) fn local(&mut self, index: u32) -> Value {
        match self.s.locals[self.first_local + index as usize] {
            Local::Variable(variable, _) => self.b.use_var(variable),
            Local::Value(value) => value,
        }
    }

    fn set_local(&mut self, index: u32, value: Value) {
        let Local::Variable(variable, _) = self.s.locals[self.first_local + index as usize] else {
            unreachable!("the scan found that it is never assigned");
        };
        let value = self.canonical(value);
        self.b.def_var(variable, value);
    }

    fn global_get(&mut self, index: GlobalIndex) {
        if let Some(value) = self.constant_global(index) {
            self.push(value);
            return;
        }
        if let Some(Frame {
            kind: Kind::Loop {
                first: Some(first), ..
            },
            ..
        }) = self.s.control.last()
            && first.at == self.location.offset.into()
        {
            let value = self.b.use_var(first.value);
            self.push(value);
            return;
        }
        let value = self.load_global(index);
        self.push(value);
    }

    fn load_global(&mut self, index: GlobalIndex) -> Value {
        let repr = Repr::from(self.module.globals()[index].content.repr());
        let (base, offset, flags) = self.global_place(index);
        let value = self.b.ins().load(repr.ty, flags, base, offset);
        if repr.gc {
            self.b.declare_value_needs_stack_map(value);
        }
        value
    }

    /// Whether the loop whose opcode is the current operator begins by reading a variable that holds a reference.
    fn first_global(&mut self) -> Option<FirstGlobal> {
        let at = self.next;
        let rest = self.wasm.get(usize::try_from(at).ok()?..)?;
        let mut reader = BinaryReader::new(rest, at);
        // What looks whether the guest is interrupted comes before, and the host may change a global then.
        if self.interruptible || reader.read_u8().ok()? != 0x23 {
            return None;
        }
        let global = GlobalIndex::from_u32(reader.read_var_u32().ok()?);
        let ty = self.module.globals()[global];
        if !ty.mutable || !ty.content.is_gc_ref() {
            return None;
        }
        let value = self.declare_variable(ty.content.repr().into());
        Some(FirstGlobal { global, at, value })
    }

    /// On a way to a loop that may begin by reading a global.
    fn read_first(&mut self, first: Option<FirstGlobal>) {
        if let Some(first) = first {
            let value = self.load_global(first.global);
            self.b.def_var(first.value, value);
        }
    }

    /// The value of a global that is always the same number.
    fn constant_global(&mut self, index: GlobalIndex) -> Option<Value> {
        use meantime_module::ConstOp;
        if self.module.globals()[index].mutable {
            return None;
        }
        let defined = self.module.defined_global(index)?;
        match self.module.global_inits()[defined].ops[..] {
            [ConstOp::I32Const(n)] => Some(self.b.ins().iconst(types::I32, i64::from(n))),
            [ConstOp::I64Const(n)] => Some(self.b.ins().iconst(types::I64, n)),
            _ => None,
        }
    }

    fn global_set(&mut self, index: GlobalIndex) {
        let value = self.pop();
        let value = self.canonical(value);
        let (base, offset, flags) = self.global_place(index);
        self.b.ins().store(flags, value, base, offset);
    }

    fn select(&mut self, gc: bool) {
        let (x, y, condition) = self.pop3();
        let (x, y) = (self.canonical(x), self.canonical(y));
        let value = self.b.ins().select(condition, x, y);
        if gc {
            self.b.declare_value_needs_stack_map(value);
        }
        self.push(value);
    }

    /// How many parameters and results a block has.
    fn arity(&self, ty: FrameType) -> (usize, usize) {
        match ty {
            FrameType::Block(BlockType::Empty) => (0, 0),
            FrameType::Block(BlockType::Type(_)) => (0, 1),
            FrameType::Block(BlockType::FuncType(index)) => {
                let ty = self.module.type_as_func(TypeIndex::from_u32(index));
                (ty.params.len(), ty.results.len())
            }
            FrameType::Function(index) => (0, self.module.func_type(index).results.len()),
        }
    }

    /// Gives a CLIF block the parameters or the results of a block as its parameters.
    fn append_params(&mut self, block: Block, ty: FrameType, results: bool) {
        let module = self.module;
        match ty {
            FrameType::Block(BlockType::Empty) => {}
            FrameType::Block(BlockType::Type(ty)) => {
                if results {
                    self.append_param(block, val_repr(module, ty));
                }
            }
            FrameType::Block(BlockType::FuncType(index)) => {
                let ty = module.type_as_func(TypeIndex::from_u32(index));
                let list = if results { &ty.results } else { &ty.params };
                for ty in list {
                    self.append_param(block, ty.repr().into());
                }
            }
            FrameType::Function(index) => {
                for ty in &module.func_type(index).results {
                    self.append_param(block, ty.repr().into());
                }
            }
        }
    }

    pub(super) fn append_param(&mut self, block: Block, repr: Repr) {
        let value = self.b.append_block_param(block, repr.ty);
        if repr.gc {
            self.b.declare_value_needs_stack_map(value);
        }
    }

    fn push_frame(&mut self, kind: Kind, ty: BlockType) {
        self.push_frame_of(kind, FrameType::Block(ty));
    }

    fn push_frame_of(&mut self, kind: Kind, ty: FrameType) {
        let (params, results) = self.arity(ty);
        let height = self.top(params);
        let in_loop = matches!(kind, Kind::Loop { .. }) || self.in_loop();
        let loop_at = matches!(kind, Kind::Loop { .. }).then(|| self.own_offset());
        self.s.control.push(Frame {
            in_loop,
            kind,
            ty,
            height,
            params,
            results,
            continuation: None,
            flow: self.flow,
            mark: self.s.addresses.mark(),
            loop_at,
            calls_before: self.calls,
            entered_later: false,
        });
    }

    /// Whether the current position is in a loop.
    pub(super) fn in_loop(&self) -> bool {
        let innermost = self.s.control.last();
        innermost.is_some_and(|frame| frame.in_loop)
    }

    /// Opens the function itself.
    pub(super) fn push_function_frame(&mut self, index: FuncIndex) {
        self.push_frame_of(Kind::Function, FrameType::Function(index));
    }

    /// Opens a call that is inlined. Its parameters are off the stack already.
    pub(super) fn push_inlined_frame(&mut self, index: FuncIndex) {
        self.push_frame_of(Kind::Inlined, FrameType::Function(index));
    }

    /// The topmost `count` operands as arguments of a branch.
    fn branch_args(&mut self, count: usize) -> Args {
        self.canonicalize_top(count);
        let top = self.top(count);
        self.s.stack[top..].iter().map(|&v| v.into()).collect()
    }

    pub(super) fn push_block_params(&mut self, block: Block) {
        let params = self.b.func.dfg.block_params(block);
        self.s.stack.extend_from_slice(params);
    }

    fn begin_loop(&mut self, ty: BlockType) -> Result<()> {
        let header = self.b.create_block();
        self.owe(0);
        let around = self.may_be_around_entry();
        let first = match around || self.is_entry() {
            true => None,
            false => self.first_global(),
        };
        let copy = match around || self.is_entry() {
            true => None,
            false => self.first_copy(header),
        };
        let second = copy.map(|_| self.b.create_block());
        let kind = Kind::Loop {
            header: second.unwrap_or(header),
            first,
            copy,
        };
        self.push_frame(kind, ty);
        for block in second.into_iter().chain([header]) {
            self.append_params(block, FrameType::Block(ty), false);
        }
        let params = self.s.control.last().map_or(0, |f| f.params);
        let args = self.branch_args(params);
        let height = self.top(params);
        let below = match around || self.is_entry() {
            true => self.stack_to_variables(height)?,
            false => osr::Below::new(),
        };
        self.read_first(first);
        self.b.ins().jump(header, &args);
        if self.is_entry() {
            self.land(header, &below, params);
        }
        self.b.switch_to_block(header);
        match around || self.is_entry() {
            // The function may begin here, or inside.
            true => self.s.join(Mark::default()),
            false => self.s.begin_loop(),
        }
        self.s.stack.truncate(height);
        self.push_block_params(header);
        // After that: using variables gives the header more parameters.
        self.variables_to_stack(&below);
        if around {
            self.open_around_entry(below);
        }
        self.check_fuel_of_loop();
        self.watch_with_fuel();
        if copy.is_none() {
            self.begin_dispatch();
        }
        Ok(())
    }

    /// At the end of the first copy of a loop, when there are branches to the second: opens that.
    fn begin_second_copy(&mut self, mut frame: Frame, second: Block, copy: FirstCopy) {
        if self.reachable {
            self.jump_to_continuation(&mut frame);
        }
        frame.kind = Kind::Loop {
            header: copy.start,
            first: None,
            copy: None,
        };
        self.b.switch_to_block(second);
        self.b.seal_block(second);
        self.s.join(frame.mark);
        self.s.stack.truncate(frame.height);
        self.push_block_params(second);
        (self.reachable, self.flow) = (true, copy.flow);
        self.s.control.push(frame);
        self.turn = Some(Turn::Back);
    }

    fn begin_if(&mut self, ty: BlockType) {
        let condition = self.pop();
        let (then_block, else_block) = (self.b.create_block(), self.b.create_block());
        let branch = self
            .b
            .ins()
            .brif(condition, then_block, &[], else_block, &[]);
        match self.branch_hint() {
            Some(true) => self.b.set_cold_block(else_block),
            Some(false) => self.b.set_cold_block(then_block),
            None => {}
        }
        self.b.seal_block(then_block);
        self.b.switch_to_block(then_block);
        let saved = self.s.if_params.len();
        let kind = Kind::If {
            branch,
            else_block,
            saved,
            flow: self.flow,
        };
        self.push_frame(kind, ty);
        let height = self.s.control.last().map_or(0, |f| f.height);
        self.s.if_params.extend_from_slice(&self.s.stack[height..]);
    }

    fn begin_else(&mut self) {
        let mut frame = self.s.control.pop().expect("validated: inside an if");
        let Kind::If {
            else_block,
            saved,
            flow,
            ..
        } = frame.kind
        else {
            unreachable!("validated: else ends an if");
        };
        frame.kind = Kind::Else;
        if self.reachable {
            self.jump_to_continuation(&mut frame);
        }
        self.s.stack.truncate(frame.height);
        self.s.stack.extend(self.s.if_params.drain(saved..));
        self.b.switch_to_block(else_block);
        self.b.seal_block(else_block);
        self.s.join(frame.mark);
        self.reachable = true;
        self.flow = flow;
        self.s.control.push(frame);
    }

    /// The continuation of a frame, made on first demand.
    fn continuation(&mut self, frame: &mut Frame) -> Block {
        frame.meet(self.flow);
        if let Some(block) = frame.continuation {
            return block;
        }
        let block = self.b.create_block();
        self.append_params(block, frame.ty, true);
        frame.continuation = Some(block);
        block
    }

    fn jump_to_continuation(&mut self, frame: &mut Frame) {
        let continuation = self.continuation(frame);
        self.owe(frame.flow.owed);
        let args = self.branch_args(frame.results);
        self.b.ins().jump(continuation, &args);
    }

    fn end(&mut self) -> Result<()> {
        let mut frame = self.s.control.pop().expect("validated: inside a block");
        if self.osr.is_some() {
            self.close_around_entry();
        }
        match frame.kind {
            Kind::Loop {
                header,
                copy: Some(copy),
                ..
            } if copy.goes_on => {
                self.begin_second_copy(frame, header, copy);
                return Ok(());
            }
            Kind::Loop { header, copy, .. } => {
                self.b.seal_block(copy.map_or(header, |copy| copy.start));
                self.end_dispatch(self.s.control.len());
            }
            Kind::If {
                branch,
                else_block,
                saved,
                flow,
            } => self.end_without_else(&mut frame, branch, else_block, saved, flow),
            Kind::TryTable => self.end_scope(&mut frame)?,
            Kind::Block | Kind::Else | Kind::Function | Kind::Inlined => {}
        }
        if let Some(continuation) = frame.continuation {
            if self.reachable {
                self.jump_to_continuation(&mut frame);
            }
            self.b.switch_to_block(continuation);
            if !frame.entered_later {
                self.b.seal_block(continuation);
            }
            self.s.join(frame.mark);
            self.s.stack.truncate(frame.height);
            self.push_block_params(continuation);
            self.reachable = true;
            self.flow = frame.flow;
        }
        if !self.reachable {
            self.s.stack.truncate(frame.height);
        }
        debug_assert!(
            !self.reachable || self.s.stack.len() == frame.height + frame.results,
            "validated: a block leaves its results"
        );
        if matches!(frame.kind, Kind::Function) && self.reachable {
            self.return_results(frame.results);
            self.reachable = false;
        }
        Ok(())
    }

    /// Ends the scope of a `try_table`. Where exceptions land is written between its body and what follows.
    fn end_scope(&mut self, frame: &mut Frame) -> Result<()> {
        if self.reachable && self.scope_has_landings() {
            self.jump_to_continuation(frame);
            self.reachable = false;
        }
        self.pop_scope()
    }

    /// Ends an `if` that has no `else`: its parameters are its results when the condition is zero.
    fn end_without_else(
        &mut self,
        frame: &mut Frame,
        branch: Inst,
        else_block: Block,
        saved: usize,
        flow: Flow,
    ) {
        if !self.reachable && frame.continuation.is_none() {
            // Only the else edge goes on.
            self.s.stack.truncate(frame.height);
            self.s.stack.extend(self.s.if_params.drain(saved..));
            self.b.switch_to_block(else_block);
            self.b.seal_block(else_block);
            self.s.join(frame.mark);
            self.reachable = true;
            self.flow = flow;
            return;
        }
        let continuation = self.continuation(frame);
        if frame.params == 0 {
            // The else edge leads to the continuation itself.
            self.b
                .change_jump_destination(branch, else_block, continuation);
            self.b.seal_block(else_block);
            return;
        }
        if self.reachable {
            self.jump_to_continuation(frame);
        }
        self.s.stack.truncate(frame.height);
        self.s.stack.extend(self.s.if_params.drain(saved..));
        self.b.switch_to_block(else_block);
        self.b.seal_block(else_block);
        self.s.join(frame.mark);
        self.reachable = true;
        self.flow = flow;
    }

    /// Index of the frame that a branch of this depth leads to.
    pub(super) fn frame_at(&self, depth: u32) -> usize {
        self.s.control.len() - 1 - depth as usize
    }

    /// The CLIF block that a branch to a frame leads to from the current position, and how many operands it takes along.
    pub(super) fn target(&mut self, index: usize) -> (Block, usize) {
        let frame = &mut self.s.control[index];
        if let Kind::Loop {
            header,
            first,
            copy,
        } = &mut frame.kind
        {
            if let Some(copy) = copy {
                copy.goes_on = true;
            }
            let (header, first, params) = (*header, *first, frame.params);
            self.read_first(first);
            return (header, params);
        }
        self.s.control[index].meet(self.flow);
        let frame = &self.s.control[index];
        if let Some(block) = frame.continuation {
            return (block, frame.results);
        }
        let (ty, results) = (frame.ty, frame.results);
        let block = self.b.create_block();
        self.append_params(block, ty, true);
        self.s.control[index].continuation = Some(block);
        (block, results)
    }

    fn br(&mut self, depth: u32) {
        self.branch_to(self.frame_at(depth));
    }

    /// Branches to where a branch to the frame of this index leads, with the topmost operands.
    pub(super) fn branch_to(&mut self, frame: usize) {
        self.reachable = false;
        let Some(frame) = self.follow(frame) else {
            return;
        };
        let (block, count) = self.target(frame);
        self.owe(self.s.control[frame].flow.owed);
        let args = self.branch_args(count);
        self.b.ins().jump(block, &args);
    }

    /// Where a branch of this depth leads, with the topmost operands.
    pub(super) fn branch_edge(&mut self, depth: u32) -> (Block, Args) {
        let frame = self.frame_at(depth);
        let (block, count) = self.target(frame);
        self.owe(self.s.control[frame].flow.owed);
        (block, self.branch_args(count))
    }

    /// Branches when `condition` is not zero (`when`) or is zero, with the topmost operands; goes on otherwise.
    pub(super) fn br_if(&mut self, condition: Value, depth: u32, when: bool) {
        if self.pays(depth) {
            return self.br_if_paid(condition, depth, when, None);
        }
        let (block, args) = self.branch_edge(depth);
        let next = self.b.create_block();
        if when {
            self.b.ins().brif(condition, block, &args, next, &[]);
        } else {
            self.b.ins().brif(condition, next, &[], block, &args);
        }
        self.b.seal_block(next);
        self.b.switch_to_block(next);
    }

    /// Whether a branch has fuel to pay for.
    fn pays(&mut self, depth: u32) -> bool {
        let frame = self.frame_at(depth);
        self.target(frame);
        self.s.control[frame].flow.owed != self.flow.owed
    }

    /// As [`Translator::br_if`], with a block of its own for what is paid. To pay before the branch would be less code, but Cranelift would add up what
    /// is paid then and afterwards, and so have two values of the counter at hand after the branch.
    fn br_if_paid(&mut self, condition: Value, depth: u32, when: bool, likely: Option<bool>) {
        let (edge, next) = (self.b.create_block(), self.b.create_block());
        if let Some(likely) = likely {
            self.b.set_cold_block(if likely { next } else { edge });
        }
        let (yes, no) = if when { (edge, next) } else { (next, edge) };
        self.b.ins().brif(condition, yes, &[], no, &[]);
        let flow = self.flow;
        self.enter(edge);
        self.br(depth);
        self.reachable = true;
        self.flow = flow;
        self.enter(next);
    }

    /// What the module says of the current branch.
    fn branch_hint(&self) -> Option<bool> {
        let wanted = self.target.tunables.branch_hinting;
        wanted.then(|| self.module.branch_hint(self.location.offset))?
    }

    /// As [`Translator::br_if`]. What is unlikely stands apart, also where it is only a branch: others lead to the same place.
    fn br_if_hinted(&mut self, condition: Value, depth: u32, likely: bool) {
        if self.pays(depth) {
            return self.br_if_paid(condition, depth, true, Some(likely));
        }
        let (block, args) = self.branch_edge(depth);
        let next = self.b.create_block();
        if likely {
            self.b.set_cold_block(next);
            self.b.ins().brif(condition, block, &args, next, &[]);
        } else {
            let edge = self.b.create_block();
            self.b.set_cold_block(edge);
            self.b.ins().brif(condition, edge, &[], next, &[]);
            self.enter(edge);
            self.b.ins().jump(block, &args);
        }
        self.enter(next);
    }

    fn br_table(&mut self, targets: &BrTable<'_>) -> Result<()> {
        if targets.len() > MAX_BR_TABLE {
            let message = format!(
                "a br_table has {} targets, at most {MAX_BR_TABLE} are supported",
                targets.len()
            );
            return Err(self.error(message));
        }
        let selector = self.pop();
        if targets.is_empty() {
            self.br(targets.default());
            return Ok(());
        }
        let mut depths = SmallVec::<[u32; 32]>::new();
        for depth in targets.targets() {
            depths.push(depth.map_err(super::malformed)?);
        }
        depths.push(targets.default());
        if self.note_dispatch(&depths) {
            self.choose_first(selector);
        }
        self.table_entries += depths.len();
        let (_, count) = self.target(self.frame_at(targets.default()));
        if let ([depth], 0) = (&depths[..depths.len() - 1], count) {
            self.br_table_of_one(selector, *depth, targets.default());
            return Ok(());
        }
        // Before the branch, as its edges share the operands.
        self.canonicalize_top(count);
        // Operands that go along would be copied for every entry; edges with the same target share a block that passes them.
        let mut edges = std::mem::take(&mut self.s.edges);
        edges.resize(self.s.control.len(), None);
        let mut calls = Vec::with_capacity(depths.len());
        let flow = self.flow;
        for &depth in &depths {
            let frame = self.frame_at(depth);
            let (target, _) = self.target(frame);
            let block = if count == 0 && self.s.control[frame].flow.owed == flow.owed {
                target
            } else {
                *edges[depth as usize].get_or_insert_with(|| self.b.create_block())
            };
            calls.push(self.b.func.dfg.block_call(block, &[]));
        }
        let default = calls.pop().expect("the default is last");
        let table = self
            .b
            .create_jump_table(JumpTableData::new(default, &calls));
        self.b.ins().br_table(selector, table);
        for &depth in &depths {
            let Some(edge) = edges[depth as usize].take() else {
                continue;
            };
            self.enter(edge);
            self.flow = flow;
            self.branch_to(self.frame_at(depth));
        }
        self.s.edges = edges;
        self.reachable = false;
        Ok(())
    }

    /// A table of one entry is an `if`.
    fn br_table_of_one(&mut self, selector: Value, depth: u32, default: u32) {
        let zero = self.b.ins().iconst(types::I32, 0);
        let is_first = self.b.ins().icmp(IntCC::Equal, selector, zero);
        let (first, _) = self.branch_edge(depth);
        let other = self.frame_at(default);
        let (block, _) = self.target(other);
        let same = self.s.control[other].flow.owed == self.flow.owed;
        let next = if same { block } else { self.b.create_block() };
        self.b.ins().brif(is_first, first, &[], next, &[]);
        if !same {
            self.enter(next);
            self.branch_to(other);
        }
        self.reachable = false;
    }

    /// Returns from the function being translated, or from the call being inlined.
    pub(super) fn return_(&mut self) {
        let function = |f: &Frame| matches!(f.kind, Kind::Function | Kind::Inlined);
        let index = self.s.control.iter().rposition(function);
        let index = index.expect("inside a function");
        if matches!(self.s.control[index].kind, Kind::Function) {
            let results = self.s.control[index].results;
            self.return_results(results);
            self.reachable = false;
        } else {
            let depth = self.s.control.len() - 1 - index;
            self.br(depth as u32);
        }
    }

    fn return_results(&mut self, count: usize) {
        self.pass_fuel();
        self.canonicalize_top(count);
        let top = self.top(count);
        self.b.ins().return_(&self.s.stack[top..]);
    }
}
