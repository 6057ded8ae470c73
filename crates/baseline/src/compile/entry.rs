//! How a function begins and ends.
//!
//! The frame, from the frame pointer downwards: the context, the caller's registers, the address of the results' area, locals, the slots of
//! the operand stack, arguments of calls on the stack.

use super::Compiler;
use super::control::Kind;
use super::local::Local;
use super::value::{is_float, slot_size, width};
use crate::convention::{HiddenParams, Spot, Spots, hidden_params, result_area};
use crate::machine::{Address, FSrc, Gpr, Machine, Size, Src, Store};
use meantime_abi::{SavedRegister, ValRepr, VmHeader, VmStoreContext};
use std::mem::offset_of;

/// Where a function keeps its context.
pub(super) const CONTEXT_DISP: i32 = -8;

impl<M: Machine> Compiler<'_, M> {
    /// Where the caller's value of a register is kept.
    fn pin_disp(pin: usize) -> i32 {
        CONTEXT_DISP - 8 * (pin as i32 + 1)
    }

    /// Registers that the function may keep locals in, and that it must save.
    pub(super) fn pin_regs(&self) -> &'static [Gpr] {
        match self.counts_fuel() {
            true => M::PINS_BESIDE_FUEL,
            false => M::PINS,
        }
    }

    pub(super) fn enter_function(&mut self) {
        let ty = self.ty;
        self.result_area = result_area::<M>(ty);
        let with_area = self.result_area != 0;
        self.base = 8 + 8 * self.pins as u32;
        if with_area {
            self.base += 8;
            self.area_disp = -(self.base as i32);
        }
        // Parameters that the caller put on the stack stay there, unless they have a register or the collector must see them.
        let mut spots = Spots::<M>::params(with_area);
        for (i, param) in ty.params.iter().enumerate() {
            if let Spot::Stack(offset) = spots.next(param.repr()) {
                let local = &mut self.s.locals[i];
                let stays = local.pin().is_none() && local.ty != ValRepr::GcRef;
                if stays {
                    local.disp = 16 + offset as i32;
                }
            }
        }
        self.own_args = spots.area();
        self.place_locals();
        self.max_depth = self.base;

        self.frame_size_at = M::enter_frame(&mut self.b);
        let HiddenParams { area, context, .. } = hidden_params::<M>(with_area);
        self.check_stack(context);
        M::store_frame(&mut self.b, Size::S64, CONTEXT_DISP, Src::Reg(context));
        for pin in 0..self.pins {
            let src = Src::Reg(self.pin_regs()[pin]);
            let disp = Self::pin_disp(pin);
            M::store_frame(&mut self.b, Size::S64, disp, src);
            self.t.saved_register(SavedRegister {
                register: self.pin_regs()[pin].0,
                below_fp: -disp as u32,
            });
        }
        if with_area {
            M::store_frame(&mut self.b, Size::S64, self.area_disp, Src::Reg(area));
        }
        self.receive_params(with_area);
        M::move_int(&mut self.b, Size::S64, M::CONTEXT, Src::Reg(context));
        self.state.context = true;
        self.clear_locals();
        self.push_function_frame();
        self.enter_interruptible();
        self.count_entry();
    }

    fn check_stack(&mut self, context: Gpr) {
        self.overflow = self.b.label();
        let store = offset_of!(VmHeader, store) as i32;
        let limit = offset_of!(VmStoreContext, stack_limit) as i32;
        M::load(
            &mut self.b,
            crate::machine::Load::U64,
            M::SCRATCH,
            Address::new(context, store),
        );
        let below = M::compare_stack(&mut self.b, Address::new(M::SCRATCH, limit));
        M::jump_if(&mut self.b, below, self.overflow);
    }

    fn receive_params(&mut self, with_area: bool) {
        let ty = self.ty;
        let mut spots = Spots::<M>::params(with_area);
        for (i, param) in ty.params.iter().enumerate() {
            match spots.next(param.repr()) {
                Spot::Gpr(reg) => self.receive(i, Src::Reg(reg)),
                Spot::Fpr(reg) => self.receive_float(i, FSrc::Reg(reg)),
                Spot::Stack(offset) => {
                    let disp = 16 + offset as i32;
                    if self.s.locals[i].disp == disp {
                        continue;
                    }
                    if is_float(param.repr()) {
                        self.receive_float(i, FSrc::Frame(disp));
                    } else {
                        self.receive(i, Src::Frame(disp));
                    }
                }
            }
        }
    }

    /// Locals that are not parameters begin as zeros.
    fn clear_locals(&mut self) {
        let first = self.ty.params.len();
        let mut in_frame: Option<(i32, u32)> = None;
        for index in first..self.s.locals.len() {
            let local: Local = self.s.locals[index];
            match local.pin() {
                Some(_) if is_float(local.ty) => self.receive_float(index, FSrc::Bits(0)),
                Some(_) => self.receive(index, Src::Imm(0)),
                // They lie one below the other, but for slots of floats that have a register.
                None => match &mut in_frame {
                    None => in_frame = Some((local.disp, slot_size(local.ty) / 8)),
                    Some((lowest, slots)) => {
                        *slots += ((*lowest - local.disp) / 8) as u32;
                        *lowest = local.disp;
                    }
                },
            }
        }
        if let Some((lowest, slots)) = in_frame
            && M::clear_frame(&mut self.b, lowest, slots)
        {
            self.state.context = false;
        }
    }

    /// Writes the end of the function: its results are where branches to its label leave them.
    pub(super) fn leave_function(&mut self) {
        let ty = self.ty;
        self.pass_fuel();
        if ty.results.len() > 1 {
            self.load_results();
        }
        self.restore_pins();
        M::leave_frame(&mut self.b);
        M::return_(&mut self.b, self.own_args);
    }

    pub(super) fn restore_pins(&mut self) {
        for pin in 0..self.pins {
            let src = Src::Frame(Self::pin_disp(pin));
            let reg = self.pin_regs()[pin];
            M::move_int(&mut self.b, Size::S64, reg, src);
        }
    }

    /// Several results are in the slots of the empty operand stack.
    fn load_results(&mut self) {
        let ty = self.ty;
        let base = self.s.frames.first().map_or(self.base, |f| f.depth);
        if self.result_area != 0 {
            // Those in the area first: the others need the registers.
            let area = Src::Frame(self.area_disp);
            M::move_int(&mut self.b, Size::S64, M::SCRATCH, area);
            let mut spots = Spots::<M>::results();
            let mut slot = -(base as i32);
            for result in &ty.results {
                slot -= slot_size(result.repr()) as i32;
                if let Spot::Stack(offset) = spots.next(result.repr()) {
                    let to = Address::new(M::SCRATCH, offset as i32);
                    self.move_result(result.repr(), to, slot);
                }
            }
        }
        let mut spots = Spots::<M>::results();
        let mut slot = -(base as i32);
        for result in &ty.results {
            slot -= slot_size(result.repr()) as i32;
            let size = width(result.repr());
            match spots.next(result.repr()) {
                Spot::Gpr(reg) => M::move_int(&mut self.b, size, reg, Src::Frame(slot)),
                Spot::Fpr(reg) => M::move_float(&mut self.b, size, reg, FSrc::Frame(slot)),
                Spot::Stack(_) => {}
            }
        }
    }

    /// Moves a result from its slot to the area, before any is in its register.
    fn move_result(&mut self, ty: ValRepr, to: Address, slot: i32) {
        if ty == ValRepr::V128 {
            let reg = M::FLOAT_RESULT;
            M::move_float(&mut self.b, Size::S128, reg, FSrc::Frame(slot));
            return M::store_float(&mut self.b, Size::S128, to, reg);
        }
        let reg = M::RESULT;
        M::move_int(&mut self.b, Size::S64, reg, Src::Frame(slot));
        M::store(&mut self.b, Store::I64, to, Src::Reg(reg));
    }

    fn push_function_frame(&mut self) {
        let results = self.ty.results.len();
        self.push_frame(
            Kind::Function,
            super::control::BlockSig::Function,
            0,
            results,
        );
    }
}
