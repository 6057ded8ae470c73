//! Code that is rarely executed, written after the code from which it is reached.
//!
//! The one idea: such code calls the runtime and then goes on as if nothing had happened, so it saves all registers that the call clobbers and that
//! are in use, and puts them back. What is in use is noted where it is reached from.

use super::Compiler;
use super::environment::Arg;
use super::heap::{Length, ObjectSize};
use super::state::State;
use super::value::bits;
use crate::buffer::Label;
use crate::convention::hidden_params;
use crate::machine::*;
use meantime_abi::{Builtin, TableIndex, Trap, TypeId, TypeIndex};

/// What is common to all.
#[derive(Copy, Clone)]
pub(super) struct Rest {
    begin: Label,
    back: Label,
    /// Temporary registers that are in use.
    gprs: u32,
    fprs: u32,
    /// Those of them that are references to objects.
    gc: u32,
    state: State,
    wasm_offset: u32,
    /// The slots that are references, in the list of those.
    slots: (u32, u32),
}

/// A piece of code.
#[derive(Copy, Clone)]
pub(super) enum Cold {
    /// An element of a table of functions is not initialized: it is made, in the given register, which may be that of the index.
    Element {
        rest: Rest,
        table: TableIndex,
        index: Gpr,
        element: Gpr,
    },
    /// A function does not have exactly the expected type.
    Signature {
        rest: Rest,
        func: Gpr,
        ty: TypeIndex,
    },
    /// There is no space for an object.
    Alloc {
        rest: Rest,
        ty: TypeIndex,
        size: ObjectSize,
        len: Length,
        made: Gpr,
    },
    /// A function has no number yet.
    FuncToId { rest: Rest, func: Gpr, number: Gpr },
    /// A number that an object held is not that of a function of exactly the expected type.
    FuncFromId {
        rest: Rest,
        number: Gpr,
        func: Gpr,
        expected: Option<TypeIndex>,
    },
    /// Whether a type is a subtype of one of the module's: in the register of the first.
    Subtype {
        rest: Rest,
        actual: Gpr,
        ty: TypeIndex,
    },
    /// A call through a reference is to be looked at.
    Call { rest: Rest, func: Gpr, number: u32 },
    /// The store is interrupted.
    Interrupt { rest: Rest },
    /// The budget is spent at the function's entry.
    Entry { rest: Rest },
    /// It is spent at the start of a loop.
    Loop {
        rest: Rest,
        loop_at: u32,
        /// Where the values are that go along after the locals: in the list of values.
        values: Option<(u32, u32)>,
    },
}

impl<M: Machine> Compiler<'_, M> {
    /// See [`Compiler::rest_of_cold`].
    pub(super) fn rest_of_cold_at(&mut self, begin: Label, back: Label, save: u32) -> Rest {
        let gprs = M::TEMPS & !self.free_gprs & save;
        let first = self.s.cold_slots.len() as u32;
        let mut gc = 0;
        for &entry in &self.s.gc_entries {
            let value = self.s.stack[entry as usize];
            match value.place() {
                super::value::Place::Gpr => gc |= 1 << value.reg(),
                super::value::Place::Slot => self.s.cold_slots.push(value.slot()),
                _ => {}
            }
        }
        self.limit_maps();
        Rest {
            begin,
            back,
            gprs,
            fprs: M::FLOAT_TEMPS & !self.free_fprs,
            gc: gc & gprs,
            state: self.state,
            wasm_offset: self.b.wasm_offset,
            slots: (first, self.s.cold_slots.len() as u32),
        }
    }

    /// Writes all of it.
    pub(super) fn write_cold(&mut self) {
        let pieces = std::mem::take(&mut self.s.cold);
        // Registers are saved below all else.
        let save_depth = self.max_depth;
        for piece in &pieces {
            if self.error.is_some() {
                break;
            }
            match *piece {
                Cold::Element {
                    rest,
                    table,
                    index,
                    element,
                } => {
                    let saved = self.begin_cold(&rest, save_depth, element.bit());
                    let args = [Arg::Number(table.as_u32().into()), Arg::Reg(index)];
                    self.cold_call(&rest, &saved, Builtin::TableGetLazy, &args);
                    M::move_int(&mut self.b, Size::S64, element, Src::Reg(M::RESULT));
                    self.end_cold(&rest, &saved);
                }
                Cold::Signature { rest, func, ty } => {
                    let saved = self.begin_cold(&rest, save_depth, 0);
                    self.cold_signature(&rest, &saved, func, ty);
                    self.end_cold(&rest, &saved);
                }
                Cold::Alloc {
                    rest,
                    ty,
                    size,
                    len,
                    made,
                } => {
                    let saved = self.begin_cold(&rest, save_depth, made.bit());
                    self.add_type_id(1, ty);
                    let size = match size {
                        ObjectSize::Fixed(size) => Src::Imm(size.into()),
                        ObjectSize::Dynamic(reg) => Src::Reg(reg),
                    };
                    self.add_move(M::BUILTIN_PARAMS[2], size, Size::S64);
                    self.add_move(M::BUILTIN_PARAMS[3], len.src(), Size::S32);
                    self.cold_call_moved(&rest, &saved, Builtin::GcAlloc);
                    let src = Src::Reg(M::RESULT);
                    M::extend(&mut self.b, Extend::U32, Size::S64, made, src);
                    self.end_cold(&rest, &saved);
                }
                Cold::FuncToId { rest, func, number } => {
                    let saved = self.begin_cold(&rest, save_depth, number.bit());
                    let args = [Arg::Reg(func)];
                    self.cold_call(&rest, &saved, Builtin::FuncToId, &args);
                    let src = Src::Reg(M::RESULT);
                    M::extend(&mut self.b, Extend::U32, Size::S64, number, src);
                    self.end_cold(&rest, &saved);
                }
                Cold::FuncFromId {
                    rest,
                    number,
                    func,
                    expected,
                } => {
                    let saved = self.begin_cold(&rest, save_depth, func.bit());
                    self.add_move(M::BUILTIN_PARAMS[1], Src::Reg(number), Size::S64);
                    match expected {
                        Some(ty) => self.add_type_id(2, ty),
                        None => {
                            let none = Src::Imm(i64::from(TypeId::NONE.bits() as i32));
                            self.add_move(M::BUILTIN_PARAMS[2], none, Size::S32);
                        }
                    }
                    self.cold_call_moved(&rest, &saved, Builtin::FuncFromId);
                    M::move_int(&mut self.b, Size::S64, func, Src::Reg(M::RESULT));
                    self.end_cold(&rest, &saved);
                }
                Cold::Subtype { rest, actual, ty } => {
                    let saved = self.begin_cold(&rest, save_depth, actual.bit());
                    self.add_move(M::BUILTIN_PARAMS[1], Src::Reg(actual), Size::S32);
                    self.add_type_id(2, ty);
                    self.cold_call_moved(&rest, &saved, Builtin::IsSubtype);
                    let src = Src::Reg(M::RESULT);
                    M::extend(&mut self.b, Extend::U32, Size::S64, actual, src);
                    self.end_cold(&rest, &saved);
                }
                Cold::Call { rest, func, number } => {
                    let saved = self.begin_cold(&rest, save_depth, 0);
                    let args = [Arg::Number(number.into()), Arg::Reg(func)];
                    self.cold_call(&rest, &saved, Builtin::RecordCall, &args);
                    self.end_cold(&rest, &saved);
                }
                Cold::Interrupt { rest } => {
                    let saved = self.begin_cold(&rest, save_depth, 0);
                    self.cold_interrupt(&rest, &saved);
                    self.end_cold(&rest, &saved);
                }
                Cold::Entry { rest } => {
                    let saved = self.begin_cold(&rest, save_depth, 0);
                    let args = [Arg::Number(self.index.as_u32().into())];
                    self.cold_call(&rest, &saved, Builtin::TierUp, &args);
                    self.end_cold(&rest, &saved);
                }
                Cold::Loop {
                    rest,
                    loop_at,
                    values,
                } => {
                    let saved = self.begin_cold(&rest, save_depth, 0);
                    self.cold_loop(&rest, &saved, loop_at, values);
                    self.end_cold(&rest, &saved);
                }
            }
        }
        self.write_osr();
        self.s.cold = pieces;
        self.write_traps();
    }

    /// Saves registers, but for one that gets a result.
    fn begin_cold(&mut self, rest: &Rest, depth: u32, result: u32) -> Saved {
        self.bind(rest.begin, &rest.state);
        self.b.wasm_offset = rest.wasm_offset;
        let saved = Saved {
            gprs: rest.gprs & !result,
            fprs: rest.fprs,
            depth,
        };
        let mut at = depth;
        for reg in bits(saved.gprs) {
            at += 8;
            M::store_frame(&mut self.b, Size::S64, -(at as i32), Src::Reg(Gpr(reg)));
        }
        // Any of them may be a vector.
        for reg in bits(saved.fprs) {
            at += 16;
            let src = FSrc::Reg(Fpr(reg));
            M::store_frame_float(&mut self.b, Size::S128, -(at as i32), src);
        }
        self.max_depth = self.max_depth.max(at);
        self.save_float_pins();
        saved
    }

    /// Calls a function of the runtime.
    pub(super) fn cold_call(&mut self, rest: &Rest, saved: &Saved, builtin: Builtin, args: &[Arg]) {
        for (i, arg) in args.iter().enumerate() {
            let dst = M::BUILTIN_PARAMS[i + 1];
            let src = match *arg {
                Arg::Reg(reg) => Src::Reg(reg),
                Arg::Number(number) => Src::Imm(number as i64),
                Arg::Value(_) => unreachable!("there are no values any more"),
            };
            self.add_move(dst, src, Size::S64);
        }
        self.cold_call_moved(rest, saved, builtin);
    }

    /// Adds the move of a canonical type to a parameter. Only one at a time: it is in the scratch register.
    fn add_type_id(&mut self, param: usize, ty: TypeIndex) {
        self.load_type_id(M::SCRATCH, ty);
        let src = Src::Reg(M::SCRATCH);
        self.add_move(M::BUILTIN_PARAMS[param], src, Size::S32);
    }

    /// The same, once all moves of arguments were added.
    fn cold_call_moved(&mut self, rest: &Rest, saved: &Saved, builtin: Builtin) {
        self.use_context();
        self.do_moves();
        // Parameters may be where the memory's start was.
        self.state.base = false;
        let at = self.cold_builtin(builtin);
        self.map_cold_call(at, rest, saved);
    }

    /// The same for a call of other code, which returns here.
    pub(super) fn note_cold_call(&mut self, rest: &Rest, saved: &Saved) {
        let at = self.b.at();
        self.t.call(at, self.b.wasm_offset);
        self.map_cold_call(at, rest, saved);
    }

    /// The stack map of a call: slots, and references in registers, where those were saved.
    fn map_cold_call(&mut self, at: u32, rest: &Rest, saved: &Saved) {
        let slots = rest.slots.0 as usize..rest.slots.1 as usize;
        let Compiler { t, s, .. } = self;
        let in_registers = saved.places().filter(|(reg, _)| rest.gc & 1 << reg != 0);
        let in_registers = in_registers.map(|(_, depth)| depth);
        let slots = s.cold_slots[slots].iter().copied();
        t.stack_map(at, &s.gc_locals, slots.chain(in_registers));
        self.limit_maps();
    }

    /// The call; says where it returns to.
    fn cold_builtin(&mut self, builtin: Builtin) -> u32 {
        let offset = std::mem::offset_of!(meantime_abi::VmHeader, builtins) as u32;
        self.load_context_field(M::SCRATCH, offset);
        let context = Src::Reg(M::CONTEXT);
        M::move_int(&mut self.b, Size::S64, M::BUILTIN_PARAMS[0], context);
        let code = Address::new(M::SCRATCH, builtin as i32 * 8);
        M::call_memory(&mut self.b, code);
        let at = self.b.at();
        self.t.call(at, self.b.wasm_offset);
        let result = Src::Reg(M::BUILTIN_RESULT);
        M::move_int(&mut self.b, Size::S64, M::RESULT, result);
        self.forget();
        self.lose_unknown();
        at
    }

    /// Puts registers back and goes on.
    fn end_cold(&mut self, rest: &Rest, saved: &Saved) {
        for (reg, depth) in saved.places() {
            let src = Src::Frame(-(depth as i32));
            M::move_int(&mut self.b, Size::S64, Gpr(reg), src);
        }
        let mut at = saved.depth + 8 * saved.gprs.count_ones();
        for reg in bits(saved.fprs) {
            at += 16;
            let src = FSrc::Frame(-(at as i32));
            M::move_float(&mut self.b, Size::S128, Fpr(reg), src);
        }
        self.conform(&rest.state);
        M::jump(&mut self.b, rest.back);
    }

    /// Asks whether the function's type is a subtype of the expected one.
    fn cold_signature(&mut self, rest: &Rest, saved: &Saved, func: Gpr, ty: TypeIndex) {
        let (actual, expected) = (M::BUILTIN_PARAMS[1], M::BUILTIN_PARAMS[2]);
        let at = Address::new(
            func,
            std::mem::offset_of!(meantime_abi::VmFuncRef, type_id) as i32,
        );
        M::load(&mut self.b, Load::U32, M::SCRATCH, at);
        M::move_int(&mut self.b, Size::S64, actual, Src::Reg(M::SCRATCH));
        self.state.base = false;
        self.load_type_id(expected, ty);
        self.cold_call(rest, saved, Builtin::IsSubtype, &[]);
        let (result, zero) = (Src::Reg(M::RESULT), Src::Imm(0));
        let no = M::compare(&mut self.b, IntCc::Eq, Size::S32, result, zero);
        let label = self.b.trap_label(Trap::BadSignature);
        M::jump_if(&mut self.b, no, label);
    }

    /// Writes what traps. All of it calls nothing but the runtime, and comes after everything that can trap.
    fn write_traps(&mut self) {
        if self.b.is_awaited(self.overflow) {
            let overflow = self.overflow;
            self.b.bind::<M>(overflow);
            // The frame is not the guest's to use.
            M::shrink_to_frame(&mut self.b);
            self.b.wasm_offset = self.start;
            let context = hidden_params::<M>(self.result_area != 0).context;
            M::move_int(&mut self.b, Size::S64, M::CONTEXT, Src::Reg(context));
            self.state = State {
                context: true,
                ..State::default()
            };
            self.write_trap(Trap::StackOverflow);
        }
        let traps = self.b.take_traps();
        for exit in &traps {
            self.state = State::default();
            self.b.bind::<M>(exit.label);
            self.lose_unknown();
            self.b.wasm_offset = exit.wasm_offset;
            self.write_trap(exit.trap);
        }
        self.b.return_traps(traps);
    }

    fn write_trap(&mut self, trap: Trap) {
        if !self.signals() {
            let code = Src::Imm(i64::from(trap as u8));
            M::move_int(&mut self.b, Size::S64, M::BUILTIN_PARAMS[1], code);
            self.cold_builtin(Builtin::RaiseTrap);
        } else {
            let at = self.b.at();
            self.t.trap(at, self.b.wasm_offset, trap);
        }
        M::trap(&mut self.b);
    }
}

/// Registers that were saved, and below what.
pub(super) struct Saved {
    gprs: u32,
    fprs: u32,
    depth: u32,
}

impl Saved {
    /// Each integer register and how far its place is below the frame pointer.
    fn places(&self) -> impl Iterator<Item = (u8, u32)> + use<> {
        let depth = self.depth;
        bits(self.gprs)
            .enumerate()
            .map(move |(i, reg)| (reg, depth + 8 * (i as u32 + 1)))
    }
}
