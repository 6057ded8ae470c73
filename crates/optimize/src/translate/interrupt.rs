//! Interruption: fuel that is counted, by the rules in `meantime-abi`'s `fuel.rs`, and the epoch that is watched.
//!
//! The one idea: what is known of a position without a look at any value ([`Flow`]) costs nothing at run time. Fuel that operators cost is summed up
//! here, and is added to the counter, a variable, where ways with different sums meet, at a loop's end, or where the counter must be exact. Ways that
//! meet agree on the sum that the first of them brought along. The epoch is watched by a loop at its start, and otherwise on the way to the first call only.

use super::Translator;
use super::environment::Region;
use crate::types::PTR;
use cranelift_codegen::ir::{InstBuilder, Value, condcodes::IntCC, types::I64};
use meantime_abi::{Builtin, FUEL_ENTRY, FuelUnit, MAX_GROWN_UNITS, Trap, VmStoreContext};
use meantime_module::fuel_unit;
use std::mem::offset_of;
use wasmparser::Operator;

/// Bytes and elements that take no time worth watching.
const FEW: u64 = 4096;

/// What is known of a position.
#[derive(Copy, Clone, Default, Debug)]
pub(super) struct Flow {
    /// Fuel that was used and is not in the counter yet.
    pub(super) owed: i64,
    /// Whether every way from the function's start to here looked at the epoch.
    pub(super) watched: bool,
}

impl Translator<'_> {
    /// At the start of the function.
    pub(super) fn enter_interruptible(&mut self) {
        if self.target.costs.is_none() {
            return;
        }
        let counter = self.b.declare_var(I64);
        self.fuel = Some(counter);
        self.reload_fuel();
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
                self.write_fuel();
            }
        }
        if unit.is_some() && self.constant(self.peek()).is_none_or(|count| count > FEW) {
            self.watch_epoch();
        }
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
    fn check_fuel(&mut self) {
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

    /// Writes the exact counter to memory.
    pub(super) fn write_fuel(&mut self) {
        if let Some(counter) = self.fuel {
            self.owe(0);
            let value = self.b.use_var(counter);
            self.store_fuel(value);
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

    /// Reads the counter again, where nothing is owed.
    pub(super) fn reload_fuel(&mut self) {
        self.flow.owed = 0;
        if let Some(counter) = self.fuel {
            let value = self.load_fuel();
            self.b.def_var(counter, value);
        }
    }

    /// Before a call of a function that may run for long.
    pub(super) fn before_call(&mut self) {
        if !self.flow.watched {
            self.watch_epoch();
        }
        self.write_fuel();
    }

    /// Before the body of a function that is translated in place of its call.
    pub(super) fn before_inlined(&mut self) {
        if self.fuel.is_some() {
            self.write_fuel();
            self.flow.owed += FUEL_ENTRY;
            self.check_fuel();
        }
    }

    /// After it.
    pub(super) fn after_inlined(&mut self) {
        if self.reachable {
            self.write_fuel();
        }
    }

    /// Where an exception is caught: it was thrown by a call.
    pub(super) fn after_throw(&mut self) {
        self.flow.watched = true;
        self.reload_fuel();
    }

    /// At the start of a loop.
    pub(super) fn at_loop(&mut self) {
        self.check_fuel();
        self.watch_epoch();
    }

    /// Compares the epoch with the deadline.
    fn watch_epoch(&mut self) {
        if !self.target.tunables.epoch_interruption {
            return;
        }
        self.flow.watched = true;
        let store = self.store_context();
        let epoch = offset_of!(VmStoreContext, epoch) as u32;
        let epoch = self.constant_pointer(store, epoch, Region::Context);
        // Never taken for an earlier load of the same: the call below, which may change all memory, is on one of two ways from any check to the next.
        let flags = self.trusted(Region::Store);
        let now = self.b.ins().load(I64, flags, epoch, 0);
        let deadline = offset_of!(VmStoreContext, epoch_deadline) as i32;
        let deadline = self.b.ins().load(PTR, flags, store, deadline);
        let due = self
            .b
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, now, deadline);
        let (reached, next) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(reached);
        self.b.ins().brif(due, reached, &[], next, &[]);
        self.enter(reached);
        // What is owed stays so, as it does on the other way.
        let owed = self.flow.owed;
        if let Some(counter) = self.fuel {
            let value = self.b.use_var(counter);
            let value = self.b.ins().iadd_imm_s(value, owed);
            self.store_fuel(value);
        }
        self.builtin(Builtin::NewEpoch, &[]);
        if let Some(counter) = self.fuel {
            let value = self.load_fuel();
            let value = self.b.ins().iadd_imm_s(value, -owed);
            self.b.def_var(counter, value);
        }
        self.b.ins().jump(next, &[]);
        self.enter(next);
    }
}
