//! Interruption: fuel that is counted, by the rules in `meantime-abi`'s `fuel.rs`, and the epoch that is watched.
//!
//! The one idea: what is known of a position without a look at any value ([`Flow`]) costs nothing at run time. Fuel that operators cost is summed up
//! here, and is added to the counter, a variable, where ways with different sums meet, at a loop's end, or where the register that passes the counter
//! must have it. Ways that meet agree on the sum that the first of them brought along. Loops look at the epoch before they go round, other code before
//! a call, and only if it did not do so a short while ago; functions that do little else never do.
//!
//! A look is a load that faults when the host wants something, where the runtime can do without knowing what values are in registers: a branch would
//! end the block, which costs more than itself, as register allocation moves values around it. Elsewhere it is a comparison. A function that looks by
//! loads and calls others does so when it starts: it reads the stack's limit by way of such a load.

use super::Translator;
use super::environment::Region;
use crate::types::{PTR, interrupt_signature, trap_code};
use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, Value, condcodes::IntCC, types::I32, types::I64,
};
use meantime_abi::{
    FUEL_ENTRY, FuelUnit, FuncIndex, MAX_GROWN_UNITS, Trap, VmHeader, VmStoreContext,
};
use meantime_module::fuel_unit;
use std::mem::offset_of;
use wasmparser::Operator;

/// Bytes and elements that take no time worth watching.
const FEW: u64 = 4096;
/// Bytes of code after which it is time to look at the epoch again. Without loops they are executed at most once.
const FAR: u32 = 16 << 10;
/// The same before a call, whose callee may run to such a length without looking.
const FAR_CALLS: u32 = 1 << 10;

/// What is known of a position.
#[derive(Copy, Clone, Default, Debug)]
pub(super) struct Flow {
    /// Fuel that was used and is not in the counter yet.
    pub(super) owed: i64,
    /// A place where every way from the function's start to here looked at the epoch, if there is one: the offset in the module, and no later one
    /// than the last.
    pub(super) watched: Option<u32>,
}

impl Flow {
    /// What is known where this and another position lead. They owe the same.
    pub(super) fn meet(&mut self, other: Flow) {
        self.watched = self.watched.zip(other.watched).map(|(a, b)| a.min(b));
    }
}

impl Translator<'_> {
    /// At the start of the function.
    pub(super) fn enter_interruptible(&mut self) {
        if self.target.costs.is_none() {
            return;
        }
        let counter = self.b.declare_var(I64);
        self.fuel = Some(counter);
        self.take_fuel();
        self.flow.owed += FUEL_ENTRY;
        self.check_fuel();
    }

    /// Before an operator does anything.
    pub(super) fn before_operator(&mut self, op: &Operator<'_>) {
        let unit = fuel_unit(op);
        if let Some(costs) = self.target.costs.as_deref() {
            self.flow.owed += costs.cost(op);
            if let Some(unit) = unit {
                let cost = costs.per_unit(unit);
                self.pay_for_units(unit, cost.into());
            }
            if let Operator::Unreachable | Operator::Throw { .. } | Operator::ThrowRef = op {
                self.pass_fuel();
            }
        }
        if let Some(frame) = self.goes_round(op) {
            self.watch_in_loop(frame);
        }
        if self.is_far(FAR) || (unit.is_some() && !self.is_few(self.peek())) {
            self.watch_epoch();
        }
    }

    fn is_few(&self, count: Value) -> bool {
        self.constant(count).is_some_and(|count| count <= FEW)
    }

    /// Whether so much code was executed, at most, since a look at the epoch or the start of the function.
    fn is_far(&self, bytes: u32) -> bool {
        let last = self.flow.watched.unwrap_or(self.start);
        // What is inlined is short.
        self.location.inline.is_none() && self.location.offset.saturating_sub(last) > bytes
    }

    /// Pays for what the topmost operand counts.
    fn pay_for_units(&mut self, unit: FuelUnit, cost: i64) {
        let Some(counter) = self.fuel.filter(|_| cost > 0) else {
            return;
        };
        let mut count = self.peek();
        if let Some(known @ ..=FEW) = self.constant(count) {
            self.flow.owed += known as i64 * cost;
            return;
        }
        if self.type_of(count) != I64 {
            count = self.b.ins().uextend(I64, count);
        } else if unit.grows() {
            let most = self.b.ins().iconst(I64, i64::from(MAX_GROWN_UNITS));
            count = self.b.ins().umin(count, most);
        }
        if cost != 1 {
            count = self.b.ins().imul_imm_s(count, cost);
        }
        let value = self.b.use_var(counter);
        let value = self.b.ins().iadd(value, count);
        self.b.def_var(counter, value);
    }

    /// Makes the sum that is owed this one, by adding the difference to the counter.
    pub(super) fn owe(&mut self, sum: i64) {
        let difference = self.flow.owed - sum;
        self.flow.owed = sum;
        if let Some(counter) = self.fuel
            && difference != 0
        {
            let value = self.b.use_var(counter);
            let value = self.b.ins().iadd_imm_s(value, difference);
            self.b.def_var(counter, value);
        }
    }

    /// Traps when there is no fuel left.
    pub(super) fn check_fuel(&mut self) {
        let Some(counter) = self.fuel else {
            return;
        };
        let value = self.b.use_var(counter);
        let least = -self.flow.owed;
        let spent = self
            .b
            .ins()
            .icmp_imm_s(IntCC::SignedGreaterThanOrEqual, value, least);
        self.trap_if(spent, Trap::OutOfFuel);
    }

    /// Leaves the exact counter in its register.
    pub(super) fn pass_fuel(&mut self) {
        if let Some(counter) = self.fuel {
            self.owe(0);
            let value = self.b.use_var(counter);
            self.b.ins().set_pinned_reg(value);
        }
    }

    fn store_fuel(&mut self, value: Value) {
        let store = self.store_context();
        let flags = self.trusted(Region::Fuel);
        let offset = offset_of!(VmStoreContext, fuel) as i32;
        self.b.ins().store(flags, value, store, offset);
    }

    fn load_fuel(&mut self) -> Value {
        let store = self.store_context();
        let flags = self.trusted(Region::Fuel);
        let offset = offset_of!(VmStoreContext, fuel) as i32;
        self.b.ins().load(I64, flags, store, offset)
    }

    /// Takes the counter from its register, where nothing is owed.
    pub(super) fn take_fuel(&mut self) {
        self.flow.owed = 0;
        if let Some(counter) = self.fuel {
            let value = self.b.ins().get_pinned_reg(I64);
            self.b.def_var(counter, value);
        }
    }

    /// Before a call of a function that may run for long.
    pub(super) fn before_call(&mut self) {
        if self.flow.watched.is_none() || self.is_far(FAR_CALLS) {
            self.watch_epoch();
        }
        self.pass_fuel();
    }

    /// After a call of a function of the module: one that polls and calls itself does so when it starts.
    pub(super) fn after_call(&mut self, callee: FuncIndex) {
        let itself = self.module.defined_func(callee) == Some(self.inlining.function());
        // Code that starts at a loop may be there before the code that is called is such.
        if self.polls && itself && self.request.from_loop.is_none() {
            self.flow.watched = Some(self.own_offset());
        }
    }

    /// Before the body of a function that is translated in place of its call.
    pub(super) fn before_inlined(&mut self) {
        if self.fuel.is_some() {
            self.pass_fuel();
            self.flow.owed += FUEL_ENTRY;
            self.check_fuel();
        }
    }

    /// After it.
    pub(super) fn after_inlined(&mut self) {
        if self.reachable {
            self.pass_fuel();
        }
    }

    /// Where an exception is caught.
    pub(super) fn after_throw(&mut self) {
        self.flow.watched = None;
        self.take_fuel();
    }

    /// The loop to whose start an operator may branch, if there was no look at the epoch in it yet.
    fn goes_round(&self, op: &Operator<'_>) -> Option<usize> {
        let by = |depth: u32| Some(self.frame_at(depth)).filter(|frame| self.goes_round_by(*frame));
        match *op {
            Operator::Br { relative_depth }
            | Operator::BrIf { relative_depth }
            | Operator::BrOnNull { relative_depth }
            | Operator::BrOnNonNull { relative_depth }
            | Operator::BrOnCast { relative_depth, .. }
            | Operator::BrOnCastFail { relative_depth, .. } => by(relative_depth),
            Operator::BrTable { ref targets } => {
                let mut depths = targets.targets().flatten();
                by(targets.default()).or_else(|| depths.find_map(by))
            }
            _ => None,
        }
    }

    /// The same of a branch to the frame of this index.
    fn goes_round_by(&self, frame: usize) -> bool {
        let Some(start) = self.s.control[frame].loop_at() else {
            return false;
        };
        if self.fuel.is_some() {
            // It was at the loop's start, where all compilers have used the same fuel.
            return false;
        }
        // What is inlined is all at the offset of its call.
        self.flow.watched.is_none_or(|last| last <= start)
    }

    /// Before a branch to the frame of this index, for an exception that is caught.
    pub(super) fn before_caught(&mut self, frame: usize) {
        if self.goes_round_by(frame) {
            self.watch_in_loop(frame);
        }
    }

    /// At the start of a loop: traps when there is no fuel left, which a trap in the loop shows.
    pub(super) fn check_fuel_of_loop(&mut self) {
        self.pass_fuel();
        self.check_fuel();
    }

    /// Looks at a loop's start, or where a branch leads straight into it, if that is where fuel is looked at.
    pub(super) fn watch_with_fuel(&mut self) {
        if self.fuel.is_some() {
            self.watch_epoch();
        }
    }

    /// Looks before the loop of this frame goes round.
    fn watch_in_loop(&mut self, frame: usize) {
        // Where nothing is called there are registers for what does not change.
        let keep = self.s.control[frame].calls_before() == self.calls;
        self.watch(keep);
    }

    /// Looks whether the store is interrupted.
    pub(super) fn watch_epoch(&mut self) {
        self.watch(false);
    }

    /// The same, with the store's address kept from one look to the next or read at each.
    fn watch(&mut self, keep: bool) {
        if !self.target.tunables.epoch_interruption {
            return;
        }
        self.flow.watched = Some(self.own_offset());
        if self.polls {
            return self.poll(keep);
        }
        let store = self.store_context();
        let flags = self.trusted(Region::Store);
        let interrupt = offset_of!(VmStoreContext, interrupt) as i32;
        // Never taken for an earlier load of the same: the call below, which may change all memory, is on one of two ways from any check to the next.
        let value = self.b.ins().load(PTR, flags, store, interrupt);
        // In this order, x86 compares a register with memory.
        let interrupted = self.b.ins().icmp(IntCC::NotEqual, store, value);
        let (reached, next) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(reached);
        self.b.ins().brif(interrupted, reached, &[], next, &[]);
        self.enter(reached);
        // What is owed stays so, as it does on the other way.
        let owed = self.flow.owed;
        if let Some(counter) = self.fuel {
            let value = self.b.use_var(counter);
            let value = self.b.ins().iadd_imm_s(value, owed);
            self.store_fuel(value);
        }
        self.call_interrupt(store, interrupt);
        if let Some(counter) = self.fuel {
            let value = self.load_fuel();
            self.b.ins().set_pinned_reg(value);
            let value = self.b.ins().iadd_imm_s(value, -owed);
            self.b.def_var(counter, value);
        }
        self.b.ins().jump(next, &[]);
        self.enter(next);
    }

    /// Looks by a load that faults.
    fn poll(&mut self, keep: bool) {
        const { assert!(offset_of!(VmStoreContext, poll) == 0) };
        self.polled = true;
        let store = match keep {
            true => self.store_context(),
            false => {
                let flags = self.trusted(Region::Context);
                let offset = offset_of!(VmHeader, store) as i32;
                self.b.ins().load(PTR, flags, self.context, offset)
            }
        };
        // Atomic: nothing read before it is taken for what is there after it, neither this word nor what the host may have changed.
        self.s.forget();
        let flags = self.trusted(Region::Store);
        let word = self.b.ins().atomic_load(PTR, flags, store);
        let code = trap_code(Trap::Interrupt);
        let flags = MemFlagsData::new().with_trap_code(Some(code));
        self.b.ins().load(I32, flags, word, 0);
    }

    /// Learns what the host wants. Whatever the registers are that this needs beyond the store, loops lack them: to the register allocator, what is in a
    /// loop is executed often.
    fn call_interrupt(&mut self, store: Value, interrupt: i32) {
        self.s.forget();
        let signature = match self.s.interrupt {
            Some(signature) => signature,
            None => *self
                .s
                .interrupt
                .insert(self.b.import_signature(interrupt_signature())),
        };
        let flags = self.trusted(Region::Store);
        let code = self.b.ins().load(PTR, flags, store, interrupt);
        self.b.ins().call_indirect(signature, code, &[]);
    }
}
