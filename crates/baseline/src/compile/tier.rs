//! Counting against the budget, and leaving a loop for better code.
//!
//! The one idea: entering a function and each iteration of a loop costs about an eighth of its bytes of Wasm, at most [`MAX_COST`], an odd number for the
//! one and an even number for the other; what makes the function's budget negative leads to code apart. There, at a loop's start, all values are in
//! their canonical places, from where they go to the array that the optimized code begins with.

use super::Compiler;
use super::cold::{Cold, Rest, Saved};
use super::value::{Value, is_float, width};
use crate::buffer::Label;
use crate::convention::{HiddenParams, hidden_params};
use crate::machine::*;
use meantime_abi::{Builtin, CodeSlot, ValRaw, ValRepr, VmContext, VmHeader, VmStoreContext};
use std::mem::offset_of;

/// The most that a step costs.
const MAX_COST: usize = 126;

/// A function with more locals is not left from within a loop.
const MAX_OSR_LOCALS: usize = 1000;

/// Nor one whose loops have more operands on the stack, together.
const MAX_OSR_VALUES: usize = 4096;

/// Where a loop counts.
#[derive(Copy, Clone, Debug)]
pub(super) struct LoopCount {
    /// Where its cost is in the code, which is written when its end is known.
    amount_at: u32,
    /// Where its body begins.
    begin: usize,
}

/// What going through so many bytes costs: an even number.
pub(super) fn cost(bytes: usize) -> u8 {
    (2 * (1 + bytes / 16)).min(MAX_COST) as u8
}

impl<M: Machine> Compiler<'_, M> {
    /// Counts, and says where it goes when the budget is spent, and where the cost is written.
    fn count(&mut self, cost: u8) -> (Label, u32) {
        let label = self.b.label();
        let amount_at = self.count_to(cost, label);
        (label, amount_at)
    }

    /// Counts, and goes there when the budget is spent. Says where the cost is written.
    pub(super) fn count_to(&mut self, cost: u8, label: Label) -> u32 {
        self.load_context_field(M::SCRATCH, offset_of!(VmContext, code_slots) as u32);
        let mut at = Self::code_slot(M::SCRATCH, self.index);
        at.disp += offset_of!(CodeSlot, budget) as i32;
        let (spent, amount_at) = M::count_down(&mut self.b, at, cost);
        M::jump_if(&mut self.b, spent, label);
        amount_at
    }

    pub(super) fn count_entry(&mut self) {
        if !self.tunables.tiered {
            return;
        }
        let (label, _) = self.count(cost(self.code.len()) - 1);
        let rest = self.rest_of_cold(label, M::TEMPS);
        self.s.cold.push(Cold::Entry { rest });
    }

    /// At a loop's start.
    pub(super) fn count_loop(&mut self, loop_at: u32) -> Option<LoopCount> {
        if !self.tunables.tiered {
            return None;
        }
        let (label, amount_at) = self.count(2);
        let rest = self.rest_of_cold(label, M::TEMPS);
        let values = self.osr_values();
        self.s.cold.push(Cold::Loop {
            rest,
            loop_at,
            values,
        });
        Some(LoopCount {
            amount_at,
            begin: self.at,
        })
    }

    /// At its end.
    pub(super) fn end_count(&mut self, count: Option<LoopCount>) {
        if let Some(count) = count {
            let cost = cost(self.at - count.begin);
            M::set_amount(&mut self.b, count.amount_at, cost);
        }
    }

    /// Notes the operand stack, for the code that leaves the loop.
    fn osr_values(&mut self) -> Option<(u32, u32)> {
        let first = self.s.osr_values.len();
        if self.s.locals.len() > MAX_OSR_LOCALS || first + self.s.stack.len() > MAX_OSR_VALUES {
            return None;
        }
        let Self { s, .. } = self;
        s.osr_values.extend_from_slice(&s.stack);
        Some((first as u32, s.osr_values.len() as u32))
    }

    /// Asks for better code at a loop's start, and continues there if there is some.
    pub(super) fn cold_loop(
        &mut self,
        rest: &Rest,
        saved: &Saved,
        loop_at: u32,
        values: Option<(u32, u32)>,
    ) {
        let func = super::environment::Arg::Number(self.index.as_u32().into());
        let Some((first, end)) = values else {
            return self.cold_call(rest, saved, Builtin::TierUp, &[func]);
        };
        // Better code takes it from there.
        self.pass_fuel();
        let at = super::environment::Arg::Number(loop_at.into());
        self.cold_call(rest, saved, Builtin::OsrEnter, &[func, at]);
        let (result, null) = (Src::Reg(M::RESULT), Src::Imm(0));
        let none = M::compare(&mut self.b, IntCc::Eq, Size::S64, result, null);
        let stay = self.b.label();
        M::jump_if(&mut self.b, none, stay);
        let locals = self.s.locals.len();
        for i in first..end {
            let value: Value = self.s.osr_values[i as usize];
            let index = locals + (i - first) as usize;
            if value.is_float() {
                let src = self.float_src(value);
                self.osr_store_float(index, value.ty(), src);
            } else {
                let src = self.src(value);
                self.osr_store(index, value.ty(), src);
            }
        }
        let leave = *self.osr_leave.get_or_insert_with(|| self.b.label());
        M::jump(&mut self.b, leave);
        self.b.bind::<M>(stay);
    }

    /// Writes a value to the array in the register of results.
    fn osr_store(&mut self, index: usize, ty: ValRepr, src: Src) {
        let size = width(ty);
        let reg = match src {
            Src::Reg(reg) => reg,
            _ => {
                M::move_int(&mut self.b, size, M::SCRATCH, src);
                M::SCRATCH
            }
        };
        let to = Address::new(M::RESULT, (index * size_of::<ValRaw>()) as i32);
        let store = match size {
            Size::S32 => Store::I32,
            _ => Store::I64,
        };
        M::store(&mut self.b, store, to, Src::Reg(reg));
    }

    /// The same for a float or a vector, in a register that nothing is in any more: what is in use was saved.
    fn osr_store_float(&mut self, index: usize, ty: ValRepr, src: FSrc) {
        let reg = M::FLOAT_RESULT;
        M::move_float(&mut self.b, width(ty), reg, src);
        let to = Address::new(M::RESULT, (index * size_of::<ValRaw>()) as i32);
        M::store_float(&mut self.b, width(ty), to, reg);
    }

    /// Writes the code that leaves any of the loops: with the locals, and without the frame.
    pub(super) fn write_osr(&mut self) {
        let Some(leave) = self.osr_leave.take() else {
            return;
        };
        self.b.bind::<M>(leave);
        for index in 0..self.s.locals.len() {
            let local = self.s.locals[index];
            match local.pin() {
                // Saved before the runtime was called.
                _ if is_float(local.ty) => {
                    self.osr_store_float(index, local.ty, FSrc::Frame(local.disp));
                }
                Some(pin) => self.osr_store(index, local.ty, Src::Reg(Gpr(pin))),
                None => self.osr_store(index, local.ty, Src::Frame(local.disp)),
            }
        }
        self.state = super::state::State::default();
        self.load_context_field(M::SCRATCH, offset_of!(VmHeader, store) as u32);
        let code = Address::new(M::SCRATCH, offset_of!(VmStoreContext, osr_code) as i32);
        M::load(&mut self.b, Load::U64, M::CALLEE, code);
        let with_area = self.result_area != 0;
        let HiddenParams { area, context, .. } = hidden_params::<M>(with_area);
        M::move_int(&mut self.b, Size::S64, context, Src::Reg(M::CONTEXT));
        if with_area {
            let disp = Src::Frame(self.area_disp);
            M::move_int(&mut self.b, Size::S64, area, disp);
        }
        self.restore_pins();
        M::leave_frame(&mut self.b);
        M::jump_to(&mut self.b, M::CALLEE);
    }
}
