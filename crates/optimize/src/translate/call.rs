//! Calls: direct, through tables, through references, and as tail calls.
//!
//! The one idea: whoever may be a function of the host must find out who calls it, so every call but one of a function of this module
//! first stores the caller. What a call through a table must check is decided here once, for plain and for tail calls.

use super::environment::Region;
use super::guess::{Called, Guess, put_first};
use super::{Result, Translator};
use crate::types::{PTR, Repr, TrySignature, trap_code, try_signature};
use cranelift_codegen::ir::{InstBuilder, SigRef, Value, condcodes::IntCC, types};
use meantime_abi::{
    Builtin, CompositeKind, FuncIndex, HeapType, TableIndex, Trap, TypeIndex, ValType,
    VmFuncImport, VmFuncRef,
};
use smallvec::SmallVec;
use std::mem::offset_of;
use wasmparser::Operator;

/// What to call.
pub(super) enum Callee {
    /// A function of this module.
    Direct(FuncIndex),
    /// A function of this module, and where its code is now.
    Slot(Value),
    /// Code and its context.
    Pointer { code: Value, context: Value },
}

/// How functions of a type are called in the scope of handlers: see [`TrySignature`].
#[derive(Copy, Clone)]
pub(super) struct TryCall {
    signature: SigRef,
    before: usize,
}

/// What is known of a funcref before it is called.
#[derive(Copy, Clone)]
pub(super) struct Known {
    /// It is not null.
    pub(super) not_null: bool,
    /// What it means when it is null.
    pub(super) null: Trap,
}

impl Translator<'_> {
    pub(super) fn call(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::Call { function_index } => {
                self.call_function(FuncIndex::from_u32(function_index), false)?;
            }
            Operator::ReturnCall { function_index } => {
                self.call_function(FuncIndex::from_u32(function_index), true)?;
            }
            Operator::CallIndirect {
                type_index,
                table_index,
            } => self.call_indirect(type_index, table_index, false)?,
            Operator::ReturnCallIndirect {
                type_index,
                table_index,
            } => self.call_indirect(type_index, table_index, true)?,
            Operator::CallRef { type_index } => self.call_ref(type_index, false)?,
            Operator::ReturnCallRef { type_index } => self.call_ref(type_index, true)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn call_function(&mut self, index: FuncIndex, tail: bool) -> Result<()> {
        if tail && self.is_inlined() {
            return self.inlined_tail_call(|t| t.call_function(index, false));
        }
        let ty = self.module.functions()[index].ty;
        let callee = match self.module.defined_func(index) {
            Some(defined) if !tail && self.inline_call(index, defined)? => return Ok(()),
            Some(defined) if self.target.tunables.tiered && !(self.request.direct)(defined) => {
                Callee::Slot(self.slot_code(defined))
            }
            Some(_) => Callee::Direct(index),
            None => {
                let import = self.layout.func_import(index);
                let code = import + offset_of!(VmFuncImport, code) as u32;
                let context = import + offset_of!(VmFuncImport, context) as u32;
                Callee::Pointer {
                    code: self.context_pointer(code),
                    context: self.context_pointer(context),
                }
            }
        };
        let never = |defined| !(self.request.called)(defined);
        if self.module.defined_func(index).is_some_and(never)
            && let Some(here) = self.b.current_block().filter(|b| *b != self.entry)
        {
            self.b.set_cold_block(here);
        }
        self.emit_call(&callee, ty, tail)?;
        self.after_call(index);
        Ok(())
    }

    /// Calls with the topmost operands as arguments, and replaces them with the results.
    pub(super) fn emit_call(&mut self, callee: &Callee, ty: TypeIndex, tail: bool) -> Result<()> {
        if tail && self.is_inlined() {
            return self.inlined_tail_call(|t| t.emit_call(callee, ty, false));
        }
        self.before_call();
        self.calls = self.calls.saturating_add(1);
        self.s.forget();
        let func_type = self.module.type_as_func(ty);
        let count = func_type.params.len();
        self.canonicalize_top(count);
        let top = self.top(count);
        let attempt = (!tail && self.in_scope()).then(|| self.try_call(ty));
        let mut args = SmallVec::<[Value; 16]>::with_capacity(count + 3);
        for _ in 0..attempt.map_or(0, |attempt| attempt.before) {
            args.push(self.b.ins().iconst(PTR, 0));
        }
        args.push(match *callee {
            Callee::Direct(_) | Callee::Slot(_) => self.context,
            Callee::Pointer { context, .. } => context,
        });
        args.extend_from_slice(&self.s.stack[top..]);
        self.s.stack.truncate(top);
        if let Callee::Pointer { .. } = callee {
            self.store_caller();
        }
        let signature: SigRef = self.type_signature(ty);
        if tail {
            match *callee {
                Callee::Direct(index) => {
                    let func = self.function_ref(index);
                    self.b.ins().return_call(func, &args);
                }
                Callee::Pointer { code, .. } | Callee::Slot(code) => {
                    self.b.ins().return_call_indirect(signature, code, &args);
                }
            }
            self.reachable = false;
            return Ok(());
        }
        match attempt {
            Some(attempt) => self.emit_try_call(callee, &args, ty, attempt)?,
            None => self.emit_plain_call(callee, &args, signature, &func_type.results),
        }
        self.take_fuel();
        Ok(())
    }

    fn emit_plain_call(
        &mut self,
        callee: &Callee,
        args: &[Value],
        signature: SigRef,
        results: &[ValType],
    ) {
        let inst = match *callee {
            Callee::Direct(index) => {
                let func = self.function_ref(index);
                self.b.ins().call(func, args)
            }
            Callee::Pointer { code, .. } | Callee::Slot(code) => {
                self.b.ins().call_indirect(signature, code, args)
            }
        };
        for (i, ty) in results.iter().enumerate() {
            let value = self.b.inst_results(inst)[i];
            if Repr::from(ty.repr()).gc {
                self.b.declare_value_needs_stack_map(value);
            }
            self.s.stack.push(value);
        }
    }

    /// How functions of a type are called in the scope of handlers.
    fn try_call(&mut self, ty: TypeIndex) -> TryCall {
        if let Some(&known) = self.s.try_calls.get(&ty) {
            return known;
        }
        let made = match try_signature(self.target, self.module.type_as_func(ty)) {
            Some(TrySignature { signature, before }) => TryCall {
                signature: self.b.import_signature(signature),
                before,
            },
            None => TryCall {
                signature: self.type_signature(ty),
                before: 0,
            },
        };
        self.s.try_calls.insert(ty, made);
        made
    }

    /// A call in the scope of handlers, which ends the block; its results are the parameters of the next.
    fn emit_try_call(
        &mut self,
        callee: &Callee,
        args: &[Value],
        ty: TypeIndex,
        attempt: TryCall,
    ) -> Result<()> {
        let results = &self.module.type_as_func(ty).results;
        let TryCall { signature, before } = attempt;
        let (table, next) = self.exception_table(signature, before, results)?;
        match *callee {
            Callee::Direct(index) => {
                let func = self.function_with(index, signature);
                self.b.ins().try_call(func, args, table);
            }
            Callee::Pointer { code, .. } | Callee::Slot(code) => {
                self.b.ins().try_call_indirect(code, args, table);
            }
        }
        self.enter(next);
        self.push_block_params(next);
        Ok(())
    }

    fn call_indirect(&mut self, type_index: u32, table_index: u32, tail: bool) -> Result<()> {
        let ty = TypeIndex::from_u32(type_index);
        let table = TableIndex::from_u32(table_index);
        let element = self.module.tables()[table].element;
        let index = self.pop();
        let func_ref = self.func_table_get(table, index);
        let known = Known {
            not_null: !element.nullable,
            null: Trap::IndirectCallToNull,
        };
        let checked = self.always_has_type(&element.heap, ty);
        if !tail {
            let guesses = self.guesses(ty)?;
            if !guesses.is_empty() {
                let called = Called::Ref(func_ref);
                let mut expected = self.expected(ty, called)?.unwrap_or_default();
                put_first(&guesses, &mut expected);
                return self.call_expected(&expected, called, ty, known, checked);
            }
        }
        let known = if checked {
            known
        } else {
            self.check_signature(func_ref, ty, known)
        };
        self.call_func_ref(func_ref, ty, known, tail)
    }

    fn call_ref(&mut self, type_index: u32, tail: bool) -> Result<()> {
        let called = self.pop_called();
        let known = Known {
            not_null: matches!(called, Called::Number(_)),
            null: Trap::NullReference,
        };
        let ty = TypeIndex::from_u32(type_index);
        if !tail {
            let guesses = self.guesses(ty)?;
            return self.call_ref_to(called, ty, known, &guesses);
        }
        if self.is_inlined() && self.expected(ty, called)?.is_some() {
            // Null is the callee's error, the rest is its caller's.
            if let Called::Ref(func_ref) = called {
                self.trap_unless(func_ref, known.null);
            }
            let known = Known {
                not_null: true,
                ..known
            };
            return self.inlined_tail_call(|t| t.call_ref_to(called, ty, known, &[]));
        }
        let func_ref = self.called_ref(called);
        self.call_func_ref(func_ref, ty, known, tail)
    }

    /// Calls what is expected by the module, first of all by the profile.
    fn call_ref_to(
        &mut self,
        called: Called,
        ty: TypeIndex,
        known: Known,
        guesses: &[Guess],
    ) -> Result<()> {
        let mut expected = self.expected(ty, called)?.unwrap_or_default();
        put_first(guesses, &mut expected);
        if expected.is_empty() {
            let func_ref = self.called_ref(called);
            return self.call_func_ref(func_ref, ty, known, false);
        }
        self.call_expected(&expected, called, ty, known, true)
    }

    pub(super) fn call_func_ref(
        &mut self,
        func_ref: Value,
        ty: TypeIndex,
        known: Known,
        tail: bool,
    ) -> Result<()> {
        let code = offset_of!(VmFuncRef, code);
        let context = offset_of!(VmFuncRef, context) as i32;
        let code = self.load_func_ref(func_ref, PTR, code, known);
        let flags = self.trusted(Region::FuncRefs).with_readonly();
        let context = self.b.ins().load(PTR, flags, func_ref, context);
        self.emit_call(&Callee::Pointer { code, context }, ty, tail)
    }

    /// The first load through a funcref: the one that finds out whether it is null.
    pub(super) fn load_func_ref(
        &mut self,
        func_ref: Value,
        ty: cranelift_codegen::ir::Type,
        offset: usize,
        known: Known,
    ) -> Value {
        let mut flags = self.trusted(Region::FuncRefs).with_readonly();
        if !known.not_null {
            if self.signals() {
                // Nothing is mapped at and after null.
                flags = flags.with_trap_code(Some(trap_code(known.null)));
            } else {
                self.trap_unless(func_ref, known.null);
            }
        }
        self.b.ins().load(ty, flags, func_ref, offset as i32)
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

    /// Traps unless the function has the type. Then it is not null either.
    pub(super) fn check_signature(
        &mut self,
        func_ref: Value,
        ty: TypeIndex,
        known: Known,
    ) -> Known {
        let offset = offset_of!(VmFuncRef, type_id);
        let actual = self.load_func_ref(func_ref, types::I32, offset, known);
        let expected = self.type_id(ty);
        let equal = self.b.ins().icmp(IntCC::Equal, actual, expected);
        if self.module.types()[ty].is_final {
            self.trap_unless(equal, Trap::BadSignature);
        } else {
            let (slow, next) = (self.b.create_block(), self.b.create_block());
            self.b.set_cold_block(slow);
            self.b.ins().brif(equal, next, &[], slow, &[]);
            self.b.seal_block(slow);
            self.b.switch_to_block(slow);
            let is_subtype = self.builtin(Builtin::IsSubtype, &[actual, expected]);
            self.trap_unless(
                is_subtype.expect("the builtin has a result"),
                Trap::BadSignature,
            );
            self.b.ins().jump(next, &[]);
            self.b.seal_block(next);
            self.b.switch_to_block(next);
        }
        Known {
            not_null: true,
            ..known
        }
    }
}
