//! Registers for temporary values: which are free, and making them so.
//!
//! The one idea: a register is free, or owned by one entry of the operand stack, or held by the operator that is being compiled, which took it and releases it.
//! When none is free, the lowest entry that owns one moves to its slot.

use super::Compiler;
use super::value::{Place, bits};
use crate::machine::{FSrc, Fpr, Gpr, Machine, Size, Src};

impl<M: Machine> Compiler<'_, M> {
    /// A free register, which is held then. Changes no flags.
    #[inline]
    pub(super) fn alloc_gpr(&mut self) -> Gpr {
        if self.free_gprs == 0 {
            self.spill_gpr();
        }
        let reg = Gpr(self.free_gprs.trailing_zeros() as u8);
        self.free_gprs &= self.free_gprs - 1;
        reg
    }

    /// Has so many registers free, so that none has to be freed where not every path comes along.
    pub(super) fn reserve_gprs(&mut self, count: u32) {
        while self.free_gprs.count_ones() < count {
            self.spill_gpr();
        }
    }

    #[inline]
    pub(super) fn alloc_fpr(&mut self) -> Fpr {
        if self.free_fprs == 0 {
            self.spill_fpr();
        }
        let reg = Fpr(self.free_fprs.trailing_zeros() as u8);
        self.free_fprs &= self.free_fprs - 1;
        reg
    }

    /// The entry that owns a register.
    fn gpr_owner(&self, reg: u8) -> Option<usize> {
        let entry = self.gpr_owners[reg as usize] as usize;
        let value = self.s.stack.get(entry)?;
        (value.place == Place::Gpr && value.reg == reg).then_some(entry)
    }

    fn fpr_owner(&self, reg: u8) -> Option<usize> {
        let entry = self.fpr_owners[reg as usize] as usize;
        let value = self.s.stack.get(entry)?;
        (value.place == Place::Fpr && value.reg == reg).then_some(entry)
    }

    /// Frees a register by moving the lowest entry that has one to its slot.
    #[cold]
    fn spill_gpr(&mut self) {
        let owners = bits(M::TEMPS & !self.free_gprs).filter_map(|reg| self.gpr_owner(reg));
        // An operator holds fewer registers than there are.
        let entry = owners.min().expect("an entry owns a register");
        self.move_to_slot(entry);
    }

    #[cold]
    fn spill_fpr(&mut self) {
        let owners = bits(M::FLOAT_TEMPS & !self.free_fprs).filter_map(|reg| self.fpr_owner(reg));
        let entry = owners.min().expect("an entry owns a register");
        self.move_to_slot(entry);
    }

    /// Moves all entries below `below` that are in registers to their slots.
    #[inline]
    pub(super) fn spill_temps(&mut self, below: usize) {
        if self.free_gprs != M::TEMPS || self.free_fprs != M::FLOAT_TEMPS {
            self.spill_some_temps(below);
        }
    }

    fn spill_some_temps(&mut self, below: usize) {
        for reg in bits(M::TEMPS & !self.free_gprs) {
            if let Some(entry) = self.gpr_owner(reg).filter(|e| *e < below) {
                self.move_to_slot(entry);
            }
        }
        for reg in bits(M::FLOAT_TEMPS & !self.free_fprs) {
            if let Some(entry) = self.fpr_owner(reg).filter(|e| *e < below) {
                self.move_to_slot(entry);
            }
        }
    }

    /// Makes a certain register held, wherever its entry goes. The operator does not hold it yet.
    pub(super) fn take_gpr(&mut self, reg: Gpr) {
        if self.free_gprs & reg.bit() != 0 {
            self.free_gprs &= !reg.bit();
            return;
        }
        let entry = self.gpr_owner(reg.0).expect("an entry owns it");
        if self.free_gprs == 0 {
            self.move_to_slot(entry);
            self.free_gprs &= !reg.bit();
            return;
        }
        let to = self.alloc_gpr();
        let value = &mut self.s.stack[entry];
        value.reg = to.0;
        self.gpr_owners[to.0 as usize] = entry as u32;
        M::move_int(&mut self.b, Size::S64, to, Src::Reg(reg));
    }

    pub(super) fn take_fpr(&mut self, reg: Fpr) {
        if self.free_fprs & reg.bit() != 0 {
            self.free_fprs &= !reg.bit();
            return;
        }
        let entry = self.fpr_owner(reg.0).expect("an entry owns it");
        if self.free_fprs == 0 {
            self.move_to_slot(entry);
            self.free_fprs &= !reg.bit();
            return;
        }
        let to = self.alloc_fpr();
        let value = &mut self.s.stack[entry];
        value.reg = to.0;
        self.fpr_owners[to.0 as usize] = entry as u32;
        M::move_float(&mut self.b, Size::S64, to, FSrc::Reg(reg));
    }
}
