//! Interruption: fuel that is counted, by the rules in `meantime-abi`'s `fuel.rs`, and the epoch that is watched.
//!
//! The one idea: as in the optimizing compiler, what is known of a position costs nothing at run time. Fuel that operators cost is summed up while they
//! are compiled ([`State::owed`](super::state::State)), and is added to the counter, which has a register of its own, where ways with different sums meet, or
//! where the counter must be exact. The epoch is looked at where loops start, and before a call if that was not done a short while ago.

use super::Compiler;
use super::cold::{Cold, Rest, Saved};
use super::value::Place;
use crate::costs::Costs;
use crate::machine::*;
use meantime_abi::{
    FUEL_ENTRY, FuelUnit, MAX_GROWN_UNITS, Trap, ValRepr, VmHeader, VmStoreContext,
};
use std::mem::offset_of;

/// Bytes and elements that take no time worth watching.
const FEW: u64 = 4096;
/// Bytes of code after which it is time to look at the epoch again. Without loops they are executed at most once.
const FAR: u32 = 16 << 10;
/// The same before a call, whose callee may run to such a length without looking.
const FAR_CALLS: u32 = 1 << 10;
/// A sum that is added at once, so that none grows beyond 32 bits.
const MOST_OWED: i32 = 1 << 30;

const STORE: u32 = offset_of!(VmHeader, store) as u32;
const FUEL: i32 = offset_of!(VmStoreContext, fuel) as i32;
const INTERRUPT: i32 = offset_of!(VmStoreContext, interrupt) as i32;

impl<M: Machine> Compiler<'_, M> {
    /// The register of the counter in the function: one that calls preserve. That which passes the counter must not change in between.
    const COUNTER: Gpr = M::PINS_BESIDE_FUEL[0];

    pub(super) fn counts_fuel(&self) -> bool {
        self.tunables.consume_fuel
    }

    /// At the start of the function, before it counts.
    pub(super) fn enter_interruptible(&mut self) {
        if self.counts_fuel() {
            self.take_fuel();
            self.state.owed = FUEL_ENTRY as i32;
            self.check_fuel();
        }
    }

    /// Before the operator with this opcode, whose immediates are next, does anything.
    #[inline(never)]
    pub(super) fn before_operator(&mut self, costs: &Costs, opcode: u8) {
        let at = self.at;
        let cost = costs.of(opcode, || self.leb_u32());
        self.at = at;
        self.state.owed += i32::from(cost.fuel);
        if self.state.owed > MOST_OWED {
            self.owe(0);
        }
        let mut long = false;
        if let Some((unit, per_unit)) = cost.unit {
            long = !self.is_few();
            self.pay_for_units(unit, i64::from(per_unit));
        }
        // `unreachable`, `throw` and `throw_ref`.
        if let 0x00 | 0x08 | 0x0a = opcode {
            self.pass_fuel();
        }
        if long || self.is_far(FAR) {
            self.watch_epoch();
        }
    }

    /// Whether the topmost operand is a small number.
    fn is_few(&self) -> bool {
        let top = self.s.stack.last();
        top.is_some_and(|top| top.is_const() && top.bits <= FEW)
    }

    /// Whether so much code was executed, at most, since a look at the epoch or the start of the function.
    fn is_far(&self, bytes: u32) -> bool {
        let last = match self.state.watched {
            0 => self.start,
            watched => watched,
        };
        self.b.wasm_offset.saturating_sub(last) > bytes
    }

    /// Pays for what the topmost operand counts.
    fn pay_for_units(&mut self, unit: FuelUnit, cost: i64) {
        let Some(top) = self.s.stack.last().copied() else {
            return;
        };
        if cost == 0 {
            return;
        }
        if top.is_const() && top.bits <= FEW {
            self.state.owed += top.bits as i32 * cost as i32;
            return;
        }
        let count = self.alloc_gpr();
        // It may have got another place.
        let top = self.s.stack.last().copied().unwrap_or(top);
        let src = self.src(top);
        M::move_int(&mut self.b, top.size(), count, src);
        if unit.grows() && top.ty() == ValRepr::I64 {
            let most = Src::Reg(M::SCRATCH);
            let number = Src::Imm(i64::from(MAX_GROWN_UNITS));
            M::move_int(&mut self.b, Size::S64, M::SCRATCH, number);
            let few = M::compare(&mut self.b, IntCc::LeU, Size::S64, Src::Reg(count), most);
            M::select(&mut self.b, few, Size::S64, count, most);
        }
        let (size, units) = (Size::S64, Src::Reg(count));
        if cost != 1 {
            M::int_op(&mut self.b, IntOp::Mul, size, count, units, Src::Imm(cost));
        }
        let counter = Self::COUNTER;
        let before = Src::Reg(counter);
        M::int_op(&mut self.b, IntOp::Add, size, counter, before, units);
        self.free_gpr(count);
    }

    /// Makes the sum that is owed this one, by adding the difference to the counter. Changes no flags.
    pub(super) fn owe(&mut self, sum: i32) {
        let difference = self.state.owed - sum;
        self.state.owed = sum;
        if difference != 0 {
            let of = Address::new(Self::COUNTER, difference);
            M::address(&mut self.b, Self::COUNTER, of);
        }
    }

    /// Traps when there is no fuel left.
    fn check_fuel(&mut self) {
        let (counter, least) = (Src::Reg(Self::COUNTER), -i64::from(self.state.owed));
        let least = Src::Imm(least);
        let spent = M::compare(&mut self.b, IntCc::GeS, Size::S64, counter, least);
        let label = self.b.trap_label(Trap::OutOfFuel);
        M::jump_if(&mut self.b, spent, label);
    }

    /// Leaves the exact counter in the register that passes it. Changes no flags.
    pub(super) fn pass_fuel(&mut self) {
        if self.counts_fuel() {
            self.owe(0);
            M::move_int(&mut self.b, Size::S64, M::FUEL, Src::Reg(Self::COUNTER));
        }
    }

    /// Takes the counter from there. Nothing is owed then.
    pub(super) fn take_fuel(&mut self) {
        if self.counts_fuel() {
            self.state.owed = 0;
            M::move_int(&mut self.b, Size::S64, Self::COUNTER, Src::Reg(M::FUEL));
        }
    }

    /// Before a call of a function that may run for long.
    pub(super) fn before_call(&mut self) {
        if self.state.watched == 0 || self.is_far(FAR_CALLS) {
            self.watch_epoch();
        }
        self.pass_fuel();
    }

    /// At the start of a loop.
    pub(super) fn at_loop(&mut self) {
        if self.counts_fuel() {
            self.pass_fuel();
            self.check_fuel();
        }
        self.watch_epoch();
    }

    /// Looks whether the store is interrupted.
    fn watch_epoch(&mut self) {
        // A condition would be lost. It is used by the next operator.
        let has_condition = self
            .s
            .stack
            .last()
            .is_some_and(|v| v.place() == Place::Flags);
        if !self.tunables.epoch_interruption || has_condition {
            return;
        }
        self.state.watched = self.b.wasm_offset;
        self.load_context_field(M::SCRATCH, STORE);
        let (store, interrupt) = (Src::Reg(M::SCRATCH), Address::new(M::SCRATCH, INTERRUPT));
        let interrupted = M::compare_memory(&mut self.b, IntCc::Ne, Size::S64, store, interrupt);
        let label = self.b.label();
        M::jump_if(&mut self.b, interrupted, label);
        let rest = self.rest_of_cold(label, M::TEMPS);
        self.s.cold.push(Cold::Interrupt { rest });
    }

    /// Learns what the host wants.
    pub(super) fn cold_interrupt(&mut self, rest: &Rest, saved: &Saved) {
        let fuel = Address::new(M::SCRATCH, FUEL);
        if self.counts_fuel() {
            self.owe(0);
            self.load_context_field(M::SCRATCH, STORE);
            M::store(&mut self.b, Store::I64, fuel, Src::Reg(Self::COUNTER));
        }
        self.load_context_field(M::SCRATCH, STORE);
        M::call_memory(&mut self.b, Address::new(M::SCRATCH, INTERRUPT));
        self.note_cold_call(rest, saved);
        self.forget();
        if self.counts_fuel() {
            self.load_context_field(M::SCRATCH, STORE);
            M::load(&mut self.b, Load::U64, M::FUEL, fuel);
            self.take_fuel();
        }
    }

    /// Whether labels that a branch may lead to were promised different sums.
    pub(super) fn are_owed_differently(&self, mut frames: impl Iterator<Item = usize>) -> bool {
        let mut owed = None;
        let differs = |frame: usize| {
            let Some(state) = self.s.frames[frame].state else {
                return false;
            };
            *owed.get_or_insert(state.owed) != state.owed
        };
        self.counts_fuel() && frames.any(differs)
    }
}
