//! What registers hold that are not the operand stack's, and how paths agree on it where they meet.
//!
//! The one idea: a label has the state of the first branch to it; who comes later does what is missing. That only ever adds what is known,
//! so it may also be done ahead of a branch that is not taken.
//!
//! A local in a float register, which calls clobber, is valid in the register or saved in its slot, or both. The context and the start of the
//! first memory are in their registers or not.

use super::Compiler;
use super::local::Local;
use super::value::{bits, width};
use crate::buffer::Label;
use crate::machine::{FSrc, Fpr, Machine, Size, Src};

/// See the module.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct State {
    /// Locals that are in their float registers.
    pub(super) valid: u32,
    /// Locals that are in the slots of those registers.
    pub(super) saved: u32,
    /// Whether the context is in its register.
    pub(super) context: bool,
    /// Whether the start of the first memory is.
    pub(super) base: bool,
    /// Fuel that was used and is not in the counter yet.
    pub(super) owed: i32,
    /// A place where every way from the function's start to here looked at the epoch, or zero: the offset in the module, and no later one than the last.
    pub(super) watched: u32,
}

impl State {
    /// Whether one who has this state has all of another.
    #[inline]
    pub(super) fn has(&self, other: &State) -> bool {
        let missing = other.valid & !self.valid | other.saved & !self.saved;
        missing == 0
            && self.context >= other.context
            && self.base >= other.base
            && self.owed == other.owed
    }

    /// What two states have in common, with what must be added to this one for a local that would be nowhere.
    pub(super) fn meet(&self, other: &State) -> State {
        let valid = self.valid & other.valid;
        let saved = self.saved & other.saved;
        let nowhere = (self.valid | self.saved) & !(valid | saved);
        State {
            // As the other one has it.
            valid: valid | nowhere & other.valid,
            saved: saved | nowhere & !other.valid,
            context: self.context && other.context,
            base: self.base && other.base,
            owed: other.owed,
            watched: self.watched.min(other.watched),
        }
    }
}

/// What debug builds write over what is not known: neither an address nor a small number.
pub(super) const LOST: i64 = 0x6c6f_7374;

impl<M: Machine> Compiler<'_, M> {
    /// Does what is missing from a state. Changes no flags.
    #[inline]
    pub(super) fn conform(&mut self, to: &State) {
        self.lose_scratch();
        if !self.state.has(to) {
            self.add_missing(to);
        }
    }

    fn add_missing(&mut self, to: &State) {
        for pin in bits(to.valid & !self.state.valid) {
            self.load_float_pin(pin);
        }
        for pin in bits(to.saved & !self.state.saved) {
            self.save_float_pin(pin);
        }
        if to.context {
            self.use_context();
        }
        if to.base {
            self.use_base();
        }
        self.owe(to.owed);
        debug_assert!(self.state.has(to));
    }

    fn float_pin(&self, pin: u8) -> (Fpr, Local) {
        let local = self.s.locals[self.s.float_pins[pin as usize] as usize];
        (M::FLOAT_PINS[pin as usize], local)
    }

    fn load_float_pin(&mut self, pin: u8) {
        debug_assert!(self.state.saved & 1 << pin != 0, "a local is somewhere");
        let (reg, local) = self.float_pin(pin);
        let src = FSrc::Frame(local.disp);
        M::move_float(&mut self.b, width(local.ty), reg, src);
        self.state.valid |= 1 << pin;
    }

    pub(super) fn save_float_pin(&mut self, pin: u8) {
        debug_assert!(self.state.valid & 1 << pin != 0, "a local is somewhere");
        let (reg, local) = self.float_pin(pin);
        let src = FSrc::Reg(reg);
        M::store_frame_float(&mut self.b, width(local.ty), local.disp, src);
        self.state.saved |= 1 << pin;
    }

    /// The register of a local, which holds it then. Changes no flags.
    pub(super) fn pinned_float(&mut self, pin: u8, local: &Local) -> Fpr {
        debug_assert_eq!(self.float_pin(pin).1.disp, local.disp);
        self.lose_scratch();
        if self.state.valid & 1 << pin == 0 {
            self.load_float_pin(pin);
        }
        M::FLOAT_PINS[pin as usize]
    }

    /// Saves the locals that a call would lose.
    pub(super) fn save_float_pins(&mut self) {
        for pin in bits(self.state.valid & !self.state.saved) {
            self.save_float_pin(pin);
        }
    }

    /// After a call.
    pub(super) fn forget(&mut self) {
        debug_assert_eq!(self.state.valid & !self.state.saved, 0);
        self.state.valid = 0;
        self.state.context = false;
        self.state.base = false;
    }

    /// Debug builds overwrite what this state does not promise, so that one who relies on it fails whichever way was taken. Changes no flags.
    #[inline]
    pub(super) fn lose_unknown(&mut self) {
        if !cfg!(debug_assertions) {
            return;
        }
        self.lose_scratch();
        for (reg, known) in [(M::CONTEXT, self.state.context), (M::BASE, self.state.base)] {
            if !known {
                M::move_int(&mut self.b, Size::S64, reg, Src::Imm(LOST));
            }
        }
        for pin in 0..self.s.float_pins.len() as u8 {
            let (reg, local) = self.float_pin(pin);
            if self.state.valid & 1 << pin == 0 {
                let bits = FSrc::Bits(LOST as u64);
                M::move_float(&mut self.b, Size::S64, reg, bits);
            }
            if self.state.saved & 1 << pin == 0 {
                let lost = Src::Imm(LOST);
                M::store_frame(&mut self.b, Size::S32, local.disp, lost);
            }
        }
    }

    /// Has the context in its register. Changes no flags.
    #[inline]
    pub(super) fn use_context(&mut self) {
        if !self.state.context {
            self.load_context();
        }
    }

    fn load_context(&mut self) {
        let src = Src::Frame(super::entry::CONTEXT_DISP);
        M::move_int(&mut self.b, Size::S64, M::CONTEXT, src);
        self.state.context = true;
    }

    /// Has the start of the first memory in its register. Changes no flags.
    #[inline]
    pub(super) fn use_base(&mut self) {
        self.lose_scratch();
        if !self.state.base {
            self.load_memory_base(0, M::BASE);
            self.state.base = true;
        }
    }

    /// Begins at a label that others branch to.
    pub(super) fn bind(&mut self, label: Label, state: &State) {
        self.b.bind::<M>(label);
        self.state = *state;
        self.lose_unknown();
    }
}
