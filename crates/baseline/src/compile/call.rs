//! Calls: direct, through tables, through references, and as tail calls.
//!
//! The one idea: whoever may be a function of the host must find out who calls it, so every call but one of a function of this module
//! first stores the caller. Arguments go from wherever they are to where the callee expects them; of the other values only those in registers
//! that calls clobber have to move.

use super::Compiler;
use super::cold::{Cold, Rest};
use super::value::{is_float, width};
use crate::convention::{Spot, Spots, hidden_params, result_area};
use crate::machine::*;
use meantime_abi::{
    CompositeKind, DefinedFuncIndex, FuncIndex, FuncType, HeapType, Relocation, TableIndex, Trap,
    TypeIndex, ValRepr, VmContext, VmFuncImport, VmFuncRef,
};
use std::mem::offset_of;

/// What to call.
#[derive(Copy, Clone)]
enum Callee {
    /// A function of this module.
    Defined(FuncIndex, DefinedFuncIndex),
    /// An imported function.
    Import(FuncIndex),
    /// What a funcref in a register points to, which is held. If it is null, that is found out at the first access.
    FuncRef(Gpr, Option<Trap>),
}

impl<M: Machine> Compiler<'_, M> {
    pub(super) fn call(&mut self, index: u32, tail: bool) {
        let index = FuncIndex::from_u32(index);
        let callee = match self.module.defined_func(index) {
            Some(defined) => {
                self.calls.direct(defined);
                Callee::Defined(index, defined)
            }
            None => Callee::Import(index),
        };
        self.emit_call(callee, self.func_type_of(index), tail);
    }

    pub(super) fn call_ref(&mut self, ty: u32, tail: bool) {
        let value = self.pop();
        let func = self.own_gpr(value);
        let null = self.check_null(func, Trap::NullReference);
        self.emit_call(Callee::FuncRef(func, null), TypeIndex::from_u32(ty), tail);
    }

    /// What a funcref that is null traps with at its first access; where that does not trap, it is checked here.
    fn check_null(&mut self, func: Gpr, trap: Trap) -> Option<Trap> {
        // Where fuel is counted, the trap comes before that is written.
        if self.signals() && !self.counts_fuel() {
            // Nothing is mapped at and after null.
            return Some(trap);
        }
        let (x, null) = (Src::Reg(func), Src::Imm(0));
        let is_null = M::compare(&mut self.b, IntCc::Eq, Size::S64, x, null);
        let label = self.b.trap_label(trap);
        M::jump_if(&mut self.b, is_null, label);
        None
    }

    /// Records that the next instruction reads through a funcref that may be null.
    pub(super) fn may_be_null(&mut self, null: Option<Trap>) {
        if let Some(trap) = null {
            let at = self.b.at();
            self.t.trap(at, self.b.wasm_offset, trap);
            self.b.expect_fault();
        }
    }

    pub(super) fn call_indirect(&mut self, ty: u32, table: u32, tail: bool) {
        let ty = TypeIndex::from_u32(ty);
        let table = TableIndex::from_u32(table);
        let element = self.module.tables()[table].element;
        let func = self.func_table_get(table);
        let mut null = None;
        if element.nullable {
            null = self.check_null(func, Trap::IndirectCallToNull);
        }
        if !self.always_has_type(&element.heap, ty) {
            self.check_signature(func, ty, null.take());
        }
        self.emit_call(Callee::FuncRef(func, null), ty, tail);
    }

    /// Whether every function of this heap type has the given type or a subtype of it.
    fn always_has_type(&self, heap: &HeapType, ty: TypeIndex) -> bool {
        let HeapType::Concrete(CompositeKind::Func, actual) = *heap else {
            return false;
        };
        let mut actual = Some(actual);
        // Supertypes have smaller indices, so this ends.
        while let Some(index) = actual {
            if index == ty {
                return true;
            }
            let next = self.module.types()[index].supertype;
            actual = next.filter(|next| *next < index);
        }
        false
    }

    /// Traps unless the function has the type.
    fn check_signature(&mut self, func: Gpr, ty: TypeIndex, null: Option<Trap>) {
        let expected = M::SCRATCH;
        self.load_type_id(expected, ty);
        let at = Address::new(func, offset_of!(VmFuncRef, type_id) as i32);
        self.may_be_null(null);
        let x = Src::Reg(expected);
        let differs = M::compare_memory(&mut self.b, IntCc::Ne, Size::S32, x, at);
        if self.module.types()[ty].is_final {
            let label = self.b.trap_label(Trap::BadSignature);
            M::jump_if(&mut self.b, differs, label);
            return;
        }
        let slow = self.b.label();
        M::jump_if(&mut self.b, differs, slow);
        let rest = self.rest_of_cold(slow, M::TEMPS);
        self.s.cold.push(Cold::Signature { rest, func, ty });
    }

    /// Calls with the topmost operands as arguments, and replaces them with the results.
    fn emit_call(&mut self, callee: Callee, ty: TypeIndex, tail: bool) {
        let func_type: &FuncType = self.module.type_as_func(ty);
        let area = result_area::<M>(func_type);
        let first = self.s.stack.len() - func_type.params.len();
        if !tail {
            self.spill_temps(first);
            self.save_float_pins();
            if let Callee::FuncRef(func, _) = callee {
                self.profile_call(func);
            }
        }
        self.before_call();
        let arg_bytes = self.pass_args(func_type, first, area != 0, tail);
        self.out_args = self
            .out_args
            .max(arg_bytes + if tail { M::REPLACE_SPACE } else { 0 });
        if let Callee::FuncRef(func, _) = callee {
            self.add_move(M::CALLEE, Src::Reg(func), Size::S64);
        }
        if !matches!(callee, Callee::Defined(..)) {
            self.store_caller();
        }
        self.use_context();
        self.do_moves();
        if let Callee::FuncRef(func, _) = callee {
            self.free_gpr(func);
        }
        self.drop_to(first);
        if tail {
            return self.jump_to_callee(callee, area != 0, arg_bytes);
        }
        self.call_callee(callee, area, arg_bytes, func_type);
    }

    /// Puts arguments on the stack, and adds the moves of the others. Says how many bytes are on the stack.
    fn pass_args(&mut self, ty: &FuncType, first: usize, with_area: bool, tail: bool) -> u32 {
        let mut spots = Spots::<M>::params(with_area);
        let room = if tail { M::REPLACE_SPACE } else { 0 };
        for i in 0..ty.params.len() {
            let value = self.s.stack[first + i];
            let size = value.size();
            match spots.next(value.ty()) {
                Spot::Gpr(dst) => {
                    let src = self.src(value);
                    self.add_move(dst, src, size);
                }
                Spot::Fpr(dst) => {
                    let src = self.float_src(value);
                    self.add_float_move(dst, src, size);
                }
                Spot::Stack(offset) if value.is_float() => {
                    let src = self.float_src(value);
                    M::store_arg_float(&mut self.b, size, room + offset, src);
                }
                Spot::Stack(offset) => {
                    let src = self.src(value);
                    M::store_arg(&mut self.b, size, room + offset, src);
                }
            }
        }
        spots.area()
    }

    /// The register of the callee's context.
    fn context_param(with_area: bool) -> Gpr {
        hidden_params::<M>(with_area).context
    }

    fn call_callee(&mut self, callee: Callee, area: u32, arg_bytes: u32, ty: &FuncType) {
        let context = Self::context_param(area != 0);
        match callee {
            Callee::Defined(index, defined) => {
                if self.tunables.tiered {
                    self.load_context_field(M::CALLEE, offset_of!(VmContext, code_slots) as u32);
                }
                M::move_int(&mut self.b, Size::S64, context, Src::Reg(M::CONTEXT));
                let area_disp = self.pass_area(area);
                if self.tunables.tiered {
                    let at = Self::code_slot(M::CALLEE, defined);
                    M::call_memory(&mut self.b, at);
                } else {
                    let at = M::call_relative(&mut self.b);
                    self.relocate(at, index);
                }
                self.returned(area_disp, arg_bytes, ty);
            }
            Callee::Import(index) => {
                let import = self.layout.func_import(index);
                let code = import + offset_of!(VmFuncImport, code) as u32;
                self.load_context_field(M::CALLEE, code);
                let field = import + offset_of!(VmFuncImport, context) as u32;
                self.load_context_field(context, field);
                let area_disp = self.pass_area(area);
                M::call_to(&mut self.b, M::CALLEE);
                self.returned(area_disp, arg_bytes, ty);
            }
            Callee::FuncRef(_, null) => {
                let at = Address::new(M::CALLEE, offset_of!(VmFuncRef, context) as i32);
                self.may_be_null(null);
                M::load(&mut self.b, Load::U64, context, at);
                let area_disp = self.pass_area(area);
                let at = Address::new(M::CALLEE, offset_of!(VmFuncRef, code) as i32);
                M::call_memory(&mut self.b, at);
                self.returned(area_disp, arg_bytes, ty);
            }
        }
    }

    /// Where a function's newest code is, in the list of code slots.
    pub(super) fn code_slot(list: Gpr, index: DefinedFuncIndex) -> Address {
        let size = size_of::<meantime_abi::CodeSlot>() as i32;
        Address::new(list, index.as_u32() as i32 * size)
    }

    fn relocate(&mut self, offset: u32, target: FuncIndex) {
        let (kind, addend) = M::relocation();
        self.s.relocations.push(Relocation {
            offset,
            kind,
            target,
            addend,
        });
    }

    /// Passes the address of an area for results, in the frame above all that is in use.
    fn pass_area(&mut self, area: u32) -> i32 {
        if area == 0 {
            return 0;
        }
        // Results are moved from there to their slots, of which there are no more than this.
        let lowest = (self.depth() + 2 * area + 16 * 32).next_multiple_of(16);
        self.use_slot(lowest);
        let disp = -(lowest as i32);
        M::frame_address(&mut self.b, hidden_params::<M>(true).area, disp);
        disp
    }

    /// After a call: pushes the results.
    fn returned(&mut self, area_disp: i32, arg_bytes: u32, ty: &FuncType) {
        self.record_call(self.b.wasm_offset);
        self.record_handlers();
        M::after_call(&mut self.b, arg_bytes);
        self.forget();
        // Several results are in registers of which that would overwrite some.
        if ty.results.len() < 2 {
            self.lose_unknown();
        }
        if let [result] = &ty.results[..] {
            self.push_result(result.repr());
            return self.take_fuel();
        }
        self.limit_code();
        let mut spots = Spots::<M>::results();
        for result in &ty.results {
            let ty = result.repr();
            let size = width(ty);
            let spot = spots.next(ty);
            self.push_slot(ty);
            let slot = -(self.depth() as i32);
            match spot {
                Spot::Gpr(reg) => M::store_frame(&mut self.b, size, slot, Src::Reg(reg)),
                Spot::Fpr(reg) => M::store_frame_float(&mut self.b, size, slot, FSrc::Reg(reg)),
                Spot::Stack(offset) if ty == ValRepr::V128 => {
                    let src = FSrc::Frame(area_disp + offset as i32);
                    M::store_frame_float(&mut self.b, size, slot, src);
                }
                Spot::Stack(offset) => {
                    let src = Src::Frame(area_disp + offset as i32);
                    M::store_frame(&mut self.b, Size::S64, slot, src);
                }
            }
        }
        self.take_fuel();
    }

    /// The single result of a call.
    fn push_result(&mut self, ty: ValRepr) {
        if is_float(ty) {
            self.take_fpr(M::FLOAT_RESULT);
            return self.push_fpr(ty, M::FLOAT_RESULT);
        }
        self.take_gpr(M::RESULT);
        if width(ty) == Size::S32 {
            let reg = M::RESULT;
            M::extend(&mut self.b, Extend::U32, Size::S64, reg, Src::Reg(reg));
        }
        self.push_gpr(ty, M::RESULT);
    }

    /// A tail call, with the arguments where they belong but for those on the stack.
    fn jump_to_callee(&mut self, callee: Callee, with_area: bool, arg_bytes: u32) {
        let context = Self::context_param(with_area);
        match callee {
            Callee::Defined(_, defined) => {
                if self.tunables.tiered {
                    self.load_context_field(M::CALLEE, offset_of!(VmContext, code_slots) as u32);
                    let at = Self::code_slot(M::CALLEE, defined);
                    M::load(&mut self.b, Load::U64, M::CALLEE, at);
                }
                M::move_int(&mut self.b, Size::S64, context, Src::Reg(M::CONTEXT));
            }
            Callee::Import(index) => {
                let import = self.layout.func_import(index);
                let code = import + offset_of!(VmFuncImport, code) as u32;
                self.load_context_field(M::CALLEE, code);
                let field = import + offset_of!(VmFuncImport, context) as u32;
                self.load_context_field(context, field);
            }
            Callee::FuncRef(_, null) => {
                let at = Address::new(M::CALLEE, offset_of!(VmFuncRef, context) as i32);
                self.may_be_null(null);
                M::load(&mut self.b, Load::U64, context, at);
                let at = Address::new(M::CALLEE, offset_of!(VmFuncRef, code) as i32);
                M::load(&mut self.b, Load::U64, M::CALLEE, at);
            }
        }
        if with_area {
            // The callee has the same results.
            let area = Src::Frame(self.area_disp);
            M::move_int(&mut self.b, Size::S64, hidden_params::<M>(true).area, area);
        }
        self.restore_pins();
        M::replace_frame(&mut self.b, self.own_args, arg_bytes);
        match callee {
            Callee::Defined(index, _) if !self.tunables.tiered => {
                let at = M::jump_relative(&mut self.b);
                self.relocate(at, index);
            }
            _ => M::jump_to(&mut self.b, M::CALLEE),
        }
        self.state.context = false;
        self.state.base = false;
        self.reachable = false;
    }

    /// What code that is written later must know to go on here: its label is `begin`; what it returns to is here. Of the temporary registers,
    /// those in `save` are preserved if they are in use.
    pub(super) fn rest_of_cold(&mut self, begin: crate::buffer::Label, save: u32) -> Rest {
        let back = self.b.label();
        self.b.bind::<M>(back);
        self.rest_of_cold_at(begin, back, save)
    }
}
