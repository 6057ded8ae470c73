//! Traps: by the processor where hardware faults may be traps, by a call of the runtime from a cold block where not.
//!
//! Also the check for stack overflow, which is of the same two kinds.

use super::Translator;
use crate::types::{PTR, UNREACHED, trap_code};
use cranelift_codegen::ir::{
    GlobalValueData, InstBuilder, MemFlagsData, Value, condcodes::IntCC, types,
};
use meantime_abi::{Builtin, Trap, VmHeader, VmStoreContext};
use std::mem::offset_of;

impl Translator<'_> {
    pub(super) fn signals(&self) -> bool {
        self.target.tunables.signals_based_traps
    }

    /// Traps. Ends the block.
    pub(super) fn trap(&mut self, trap: Trap) {
        if self.signals() {
            self.b.ins().trap(trap_code(trap));
        } else {
            let code = self.b.ins().iconst(types::I32, i64::from(trap as u8));
            self.builtin(Builtin::RaiseTrap, &[code]);
            self.b.ins().trap(UNREACHED);
        }
    }

    /// Traps and has what follows skipped.
    pub(super) fn trap_always(&mut self, trap: Trap) {
        self.trap(trap);
        self.reachable = false;
    }

    /// Traps when the value is not zero.
    pub(super) fn trap_if(&mut self, condition: Value, trap: Trap) {
        if self.signals() {
            self.b.ins().trapnz(condition, trap_code(trap));
            return;
        }
        let (cold, next) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(condition, cold, &[], next, &[]);
        self.trap_in(cold, trap);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
    }

    /// Traps when the value is zero.
    pub(super) fn trap_unless(&mut self, condition: Value, trap: Trap) {
        if self.signals() {
            self.b.ins().trapz(condition, trap_code(trap));
            return;
        }
        let (cold, next) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(condition, next, &[], cold, &[]);
        self.trap_in(cold, trap);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
    }

    fn trap_in(&mut self, cold: cranelift_codegen::ir::Block, trap: Trap) {
        self.b.set_cold_block(cold);
        self.b.seal_block(cold);
        self.b.switch_to_block(cold);
        self.trap(trap);
    }

    /// The sum of two integers of one type, as unsigned numbers; traps when it overflows.
    pub(super) fn add_or_trap(&mut self, x: Value, y: Value, trap: Trap) -> Value {
        if self.signals() {
            return self.b.ins().uadd_overflow_trap(x, y, trap_code(trap));
        }
        let (sum, overflow) = self.b.ins().uadd_overflow(x, y);
        self.trap_if(overflow, trap);
        sum
    }

    /// What a function does first: compare the stack pointer with the limit, which a function that polls reads where the poll leads.
    pub(super) fn prologue(&mut self) {
        let store = offset_of!(VmHeader, store) as i32;
        let limit = offset_of!(VmStoreContext, stack_limit) as i32;
        let trusted = MemFlagsData::trusted();
        if self.signals() {
            // Cranelift compares before it allocates the frame, whose size it knows.
            let func = &mut *self.b.func;
            let flags = func.dfg.mem_flags.insert_unchecked(trusted);
            let mut base = func.create_global_value(GlobalValueData::VMContext);
            let poll = self
                .polls
                .then_some(offset_of!(VmStoreContext, poll) as i32);
            for offset in [Some(store), poll, Some(limit)].into_iter().flatten() {
                base = func.create_global_value(GlobalValueData::Load {
                    base,
                    offset: offset.into(),
                    global_type: PTR,
                    flags,
                });
            }
            func.stack_limit = Some(base);
            return;
        }
        let store = self.store_context();
        let limit = self.load_store_field(store, limit);
        let sp = self.b.ins().get_stack_pointer(PTR);
        let overflow = self.b.ins().icmp(IntCC::UnsignedLessThan, sp, limit);
        self.trap_if(overflow, Trap::StackOverflow);
    }
}
