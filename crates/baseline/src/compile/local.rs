//! Locals: which have a register, and reading and writing them.
//!
//! The one idea: the first few integers and references to functions live in registers that calls preserve, the first few floats in registers that
//! calls clobber (see [`super::state`]), all others in the frame. References to objects are always in the frame, where the collector finds
//! them.
//!
//! Reading a local only notes that it was read. Who changes it first copies it for the readers that are still on the stack, above what control flow moved
//! to its slots.

use super::value::{Place, Value, is_float, slot_size, width};
use super::{Compiler, malformed};
use crate::machine::{FSrc, Fpr, Gpr, Machine, Src};
use meantime_abi::ValRepr;

const NO_PIN: u8 = u8::MAX;

/// A local.
#[derive(Copy, Clone, Debug)]
pub(super) struct Local {
    pub(super) ty: ValRepr,
    /// Its register: of an integer the register's number, of a float its place among the machine's.
    pin: u8,
    /// The same of integers only.
    int_pin: u8,
    /// What entries are that are this local.
    kind: u32,
    /// Its slot, as a distance from the frame pointer.
    pub(super) disp: i32,
}

impl Local {
    pub(super) fn pin(&self) -> Option<u8> {
        (self.pin != NO_PIN).then_some(self.pin)
    }

    /// What an entry of the operand stack is that is this local.
    pub(super) fn kind(&self) -> u32 {
        self.kind
    }

    /// The bits of such an entry.
    #[inline(always)]
    pub(super) fn bits(&self, index: u32) -> u64 {
        u64::from(index) | u64::from(self.disp as u32) << 32
    }
}

/// What operators that are only in the operand's way are.
const LOCAL_SET: u8 = 0x21;
const LOCAL_TEE: u8 = 0x22;

/// Entries that are looked at where a local changes: where there are more, all go to their slots, so that nothing is looked at again and again.
const MAX_UNFLUSHED: usize = 64;

/// A function with more is left to the optimizing compiler.
const MAX_LOCALS: u32 = 100_000;

impl<M: Machine> Compiler<'_, M> {
    /// Reads which locals there are, and gives each its place but for parameters on the stack.
    pub(super) fn declare_locals(&mut self) {
        for param in &self.ty.params {
            self.declare_local(param.repr());
        }
        for _ in 0..self.leb_u32() {
            let count = self.leb_u32();
            let Some(ty) = self.val_type() else {
                self.fail(malformed());
                return;
            };
            if self.s.locals.len() as u32 + count > MAX_LOCALS {
                return self.unsupported("very many locals");
            }
            for _ in 0..count {
                self.declare_local(ty);
            }
        }
    }

    fn declare_local(&mut self, ty: ValRepr) {
        let pin = match ty {
            ValRepr::I32 | ValRepr::I64 | ValRepr::FuncRef if self.pins < self.pin_regs().len() => {
                self.pins += 1;
                self.pin_regs()[self.pins - 1].0
            }
            ValRepr::F32 | ValRepr::F64 | ValRepr::V128
                if self.s.float_pins.len() < M::FLOAT_PINS.len() =>
            {
                self.s.float_pins.push(self.s.locals.len() as u32);
                self.s.float_pins.len() as u8 - 1
            }
            _ => NO_PIN,
        };
        let place = if pin != NO_PIN && !is_float(ty) {
            Place::PinnedLocal
        } else {
            Place::Local
        };
        self.s.locals.push(Local {
            ty,
            pin,
            int_pin: if is_float(ty) { NO_PIN } else { pin },
            kind: Value::kind(place, ty, pin),
            disp: 0,
        });
    }

    /// Gives locals their slots, from `depth` on. Says how many of the first ones are parameters.
    pub(super) fn place_locals(&mut self) {
        for index in 0..self.s.locals.len() {
            let local = &mut self.s.locals[index];
            // A parameter that stays where the caller left it has its place already.
            if local.disp != 0 || local.pin != NO_PIN && !is_float(local.ty) {
                continue;
            }
            self.base += slot_size(local.ty);
            local.disp = -(self.base as i32);
            if local.ty == ValRepr::GcRef {
                self.s.gc_locals.push(self.base);
            }
        }
    }

    /// The local that the next operator sets, if that is one of one byte.
    fn next_set(&self) -> Option<usize> {
        match self.code.get(self.at..)?.first_chunk()? {
            [LOCAL_SET..=LOCAL_TEE, index @ ..0x80] => Some(usize::from(*index)),
            _ => None,
        }
    }

    /// The register of an integer that the next operator sets, for a result to be computed in. Nobody else needs what is in it.
    /// Changes no flags.
    #[inline]
    pub(super) fn pinned_dest(&mut self) -> Option<Gpr> {
        let index = self.next_set()?;
        let local = self.s.locals.get(index)?;
        let pin = local.int_pin;
        if pin == NO_PIN {
            return None;
        }
        self.flush_readers(index);
        Some(Gpr(pin))
    }

    pub(super) fn pinned_float_dest(&mut self) -> Option<Fpr> {
        let index = self.next_set()?;
        let local = self.s.locals.get(index)?;
        if !is_float(local.ty) {
            return None;
        }
        let pin = local.pin()?;
        self.flush_readers(index);
        Some(M::FLOAT_PINS[pin as usize])
    }

    /// A register for a result. Held.
    pub(super) fn dest(&mut self) -> Gpr {
        match self.pinned_dest() {
            Some(reg) => reg,
            None => self.alloc_gpr(),
        }
    }

    /// A register for a result, which may be that of one of the operands. Those are to be released unless it is.
    #[inline]
    pub(super) fn dest_of(&mut self, x: Value, y: Option<Value>) -> Gpr {
        if let Some(reg) = self.pinned_dest() {
            return reg;
        }
        if x.place() == Place::Gpr && 1 << x.reg() & M::TEMPS != 0 {
            return Gpr(x.reg());
        }
        if let Some(y) = y
            && y.place() == Place::Gpr
            && 1 << y.reg() & M::TEMPS != 0
        {
            return Gpr(y.reg());
        }
        self.alloc_gpr()
    }

    /// Pushes a number that is a result, in the register that was found for it. If that is a local's, this does what the next operator would, which sets the local.
    #[inline(always)]
    pub(super) fn push_dest(&mut self, ty: ValRepr, dst: Gpr) {
        if dst.bit() & M::TEMPS == 0 && self.costs.is_none() {
            return self.set_dest(ty, dst);
        }
        self.gpr_owners[dst.0 as usize] = self.s.stack.len() as u32;
        self.push_number(Place::Gpr, ty, dst.0, 0);
    }

    #[inline(never)]
    fn set_dest(&mut self, ty: ValRepr, dst: Gpr) {
        let Some(&[operator, index]) = self.code.get(self.at..).and_then(|c| c.first_chunk())
        else {
            return self.push_gpr(ty, dst);
        };
        self.at += 2;
        if operator == LOCAL_TEE {
            self.push_local(index.into());
        }
    }

    pub(super) fn float_dest(&mut self) -> Fpr {
        match self.pinned_float_dest() {
            Some(reg) => reg,
            None => self.alloc_fpr(),
        }
    }

    pub(super) fn float_dest_of(&mut self, x: Value, y: Option<Value>) -> Fpr {
        if let Some(reg) = self.pinned_float_dest() {
            return reg;
        }
        for value in [Some(x), y].into_iter().flatten() {
            if value.place() == Place::Fpr && 1 << value.reg() & M::FLOAT_TEMPS != 0 {
                return Fpr(value.reg());
            }
        }
        self.alloc_fpr()
    }

    /// Copies a local for the entries that are it. Changes no flags.
    #[inline]
    fn flush_readers(&mut self, index: usize) {
        self.lose_scratch();
        if self.flushed < self.s.stack.len() {
            self.copy_readers(index);
        }
    }

    #[inline(never)]
    fn copy_readers(&mut self, index: usize) {
        if self.s.stack.len() - self.flushed > MAX_UNFLUSHED {
            return self.flush(0);
        }
        for entry in (self.flushed..self.s.stack.len()).rev() {
            let value = self.s.stack[entry];
            if value.is_local() && value.local() == index {
                self.copy_reader(entry, value);
            }
        }
    }

    /// To a register if there is one, otherwise to the entry's slot.
    fn copy_reader(&mut self, entry: usize, value: Value) {
        if value.is_float() {
            if self.free_fprs == 0 {
                return self.move_to_slot(entry);
            }
            let reg = self.own_fpr(value);
            self.fpr_owners[reg.0 as usize] = entry as u32;
            self.s.stack[entry] = value.moved(Place::Fpr, reg.0);
        } else {
            if self.free_gprs == 0 {
                return self.move_to_slot(entry);
            }
            let reg = self.own_gpr(value);
            self.gpr_owners[reg.0 as usize] = entry as u32;
            self.s.stack[entry] = value.moved(Place::Gpr, reg.0);
        }
    }

    #[inline]
    pub(super) fn local_get(&mut self, index: u32) {
        if self.push_local(index).is_none() {
            self.fail(malformed());
        }
    }

    #[inline]
    pub(super) fn local_set(&mut self, index: u32) {
        let value = self.pop();
        self.write_local(index as usize, value);
        self.release(value);
    }

    pub(super) fn local_tee(&mut self, index: u32) {
        let value = self.pop();
        self.write_local(index as usize, value);
        let local = &self.s.locals[index as usize];
        let in_temp = match value.place() {
            Place::Gpr => 1 << value.reg() & M::TEMPS != 0,
            Place::Fpr => 1 << value.reg() & M::FLOAT_TEMPS != 0,
            _ => false,
        };
        if value.is_const() {
            self.push_const(value.ty(), value.bits);
        } else if local.pin().is_none() && in_temp {
            // It is in the frame now, but the register is faster.
            if value.is_float() {
                self.push_fpr(value.ty(), Fpr(value.reg()));
            } else {
                self.push_gpr(value.ty(), Gpr(value.reg()));
            }
        } else {
            self.release(value);
            self.push_local(index);
        }
    }

    #[inline]
    pub(super) fn write_local(&mut self, index: usize, value: Value) {
        // Most values are in registers, and go to the frame.
        let local = self.s.locals[index];
        if value.is_in_gpr()
            && local.pin == NO_PIN
            && self.flushed >= self.s.stack.len()
            && self.s.dispatches.is_empty()
        {
            let src = Src::Reg(Gpr(value.reg()));
            return M::store_frame(&mut self.b, value.size(), local.disp, src);
        }
        self.write_any_local(index, value);
    }

    #[inline(never)]
    fn write_any_local(&mut self, index: usize, value: Value) {
        if !self.s.dispatches.is_empty() {
            self.note_local(index, value);
        }
        if value.is_local() && value.local() == index {
            return;
        }
        let local = self.s.locals[index];
        self.flush_readers(index);
        if is_float(local.ty) {
            return self.write_float(index, value);
        }
        let (size, pin, disp) = (width(local.ty), local.pin(), local.disp);
        let src = self.src(value);
        match pin {
            Some(pin) => M::move_int(&mut self.b, size, Gpr(pin), src),
            None => M::store_frame(&mut self.b, size, disp, src),
        }
    }

    #[inline(never)]
    fn write_float(&mut self, index: usize, value: Value) {
        let src = self.float_src(value);
        let local = self.s.locals[index];
        let size = width(local.ty);
        match local.pin() {
            Some(pin) => {
                M::move_float(&mut self.b, size, M::FLOAT_PINS[pin as usize], src);
                self.state.valid |= 1 << pin;
                self.state.saved &= !(1 << pin);
            }
            None => M::store_frame_float(&mut self.b, size, local.disp, src),
        }
    }

    /// A local as it is at the function's start, from where the caller left it.
    pub(super) fn receive(&mut self, index: usize, from: Src) {
        let local = self.s.locals[index];
        match local.pin() {
            Some(pin) => M::move_int(&mut self.b, width(local.ty), Gpr(pin), from),
            None => M::store_frame(&mut self.b, width(local.ty), local.disp, from),
        }
    }

    pub(super) fn receive_float(&mut self, index: usize, from: FSrc) {
        let local = self.s.locals[index];
        let size = width(local.ty);
        match local.pin() {
            Some(pin) => {
                M::move_float(&mut self.b, size, M::FLOAT_PINS[pin as usize], from);
                self.state.valid |= 1 << pin;
            }
            None => M::store_frame_float(&mut self.b, size, local.disp, from),
        }
    }
}
