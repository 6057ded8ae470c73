//! What a function finds through its context: the store, memories, the runtime's functions.

use super::Compiler;
use crate::machine::{Address, Gpr, Load, Machine, Size, Src, Store};
use meantime_abi::{
    AddrType, Builtin, MemoryIndex, MemoryPlan, TypeIndex, VmContext, VmHeader, VmMemory,
    VmMemoryImport, VmStoreContext,
};
use std::mem::offset_of;

/// What accesses of one memory need to know.
#[derive(Copy, Clone, Debug)]
pub(super) struct MemoryAccess {
    pub(super) plan: MemoryPlan,
    pub(super) addr: AddrType,
    pub(super) page_size_log2: u8,
    /// Bytes that it always has.
    pub(super) min_bytes: u64,
    /// Bytes that it can have at most.
    pub(super) max_bytes: u128,
}

/// An argument of a function of the runtime.
#[derive(Copy, Clone, Debug)]
pub(super) enum Arg {
    /// A value that was popped; its register is released.
    Value(super::value::Value),
    /// A number.
    Number(u64),
    /// A register that is held and gets released.
    Reg(Gpr),
}

impl<M: Machine> Compiler<'_, M> {
    /// Whether a hardware fault can be a trap.
    pub(super) fn signals(&self) -> bool {
        self.tunables.signals_based_traps
    }

    /// Loads 64 bits of the context into a register, which may be any.
    pub(super) fn load_context_field(&mut self, dst: Gpr, offset: u32) {
        self.use_context();
        M::load_field(&mut self.b, Size::S64, dst, M::CONTEXT, offset as i32);
    }

    /// Says who calls, for a callee that may be a function of the host. Clobbers the scratch register.
    pub(super) fn store_caller(&mut self) {
        self.load_context_field(M::SCRATCH, offset_of!(VmHeader, store) as u32);
        let to = Address::new(M::SCRATCH, offset_of!(VmStoreContext, caller) as i32);
        M::store(&mut self.b, Store::I64, to, Src::Reg(M::CONTEXT));
    }

    /// Loads the canonical type of a type of the module.
    pub(super) fn load_type_id(&mut self, dst: Gpr, ty: TypeIndex) {
        self.load_context_field(dst, offset_of!(VmContext, type_ids) as u32);
        let offset = ty.as_u32() as i32 * size_of::<meantime_abi::TypeId>() as i32;
        M::load(&mut self.b, Load::U32, dst, Address::new(dst, offset));
    }

    pub(super) fn memory_access(&mut self, index: MemoryIndex) -> MemoryAccess {
        let at = index.as_u32() as usize;
        if let Some(access) = self.s.memories[at] {
            return access;
        }
        let ty = self.module.memories()[index];
        let max = ty.max.unwrap_or(u64::MAX).min(ty.max_pages_by_addr());
        let access = MemoryAccess {
            plan: MemoryPlan::new(&ty, self.tunables),
            addr: ty.addr,
            page_size_log2: ty.page_size_log2,
            min_bytes: ty.min_bytes().unwrap_or(u64::MAX),
            max_bytes: u128::from(max) << ty.page_size_log2,
        };
        self.s.memories[at] = Some(access);
        access
    }

    /// Where the descriptor of a memory is. May load its address into `reg`.
    fn memory_descriptor(&mut self, index: MemoryIndex, reg: Gpr) -> Address {
        self.use_context();
        match self.module.defined_memory(index) {
            Some(defined) => Address::new(M::CONTEXT, self.layout.memory(defined) as i32),
            None => {
                let import = self.layout.memory_import(index);
                let from = import + offset_of!(VmMemoryImport, from) as u32;
                self.load_context_field(reg, from);
                Address::new(reg, 0)
            }
        }
    }

    /// Loads the address of a memory's first byte. Changes no flags.
    pub(super) fn load_memory_base(&mut self, index: u32, dst: Gpr) {
        let at = self.memory_descriptor(MemoryIndex::from_u32(index), dst);
        let disp = at.disp + offset_of!(VmMemory, base) as i32;
        M::load_field(&mut self.b, Size::S64, dst, at.base, disp);
    }

    /// Where a memory's length in bytes is. May load an address into `reg`.
    pub(super) fn memory_len(&mut self, index: MemoryIndex, reg: Gpr) -> Address {
        let mut at = self.memory_descriptor(index, reg);
        at.disp += offset_of!(VmMemory, len) as i32;
        at
    }

    /// Calls a function of the runtime. All other values are in their slots then; a result is in the register of results, which is not held.
    pub(super) fn builtin(&mut self, builtin: Builtin, args: &[Arg]) {
        self.spill_temps(self.s.stack.len());
        self.save_float_pins();
        for (i, arg) in args.iter().enumerate() {
            let dst = M::BUILTIN_PARAMS[i + 1];
            match *arg {
                Arg::Value(value) => {
                    let src = self.src(value);
                    self.add_move(dst, src, value.size());
                }
                Arg::Number(number) => {
                    self.add_move(dst, Src::Imm(number as i64), Size::S64);
                }
                Arg::Reg(reg) => self.add_move(dst, Src::Reg(reg), Size::S64),
            }
        }
        self.do_moves();
        for arg in args {
            match *arg {
                Arg::Value(value) => self.release(value),
                Arg::Number(_) => {}
                Arg::Reg(reg) => self.free_gpr(reg),
            }
        }
        self.call_builtin(builtin);
    }

    /// The call itself, with the arguments where they belong.
    pub(super) fn call_builtin(&mut self, builtin: Builtin) {
        self.load_context_field(M::SCRATCH, offset_of!(VmHeader, builtins) as u32);
        let context = Src::Reg(M::CONTEXT);
        M::move_int(&mut self.b, Size::S64, M::BUILTIN_PARAMS[0], context);
        let code = Address::new(M::SCRATCH, builtin as i32 * 8);
        M::call_memory(&mut self.b, code);
        self.record_call(self.b.wasm_offset);
        if self.throwing {
            self.record_handlers();
        }
        let result = Src::Reg(M::BUILTIN_RESULT);
        M::move_int(&mut self.b, Size::S64, M::RESULT, result);
        self.forget();
        self.lose_unknown();
    }

    /// A result of 32 bits of a builtin, extended. Held.
    pub(super) fn builtin_result32(&mut self) -> Gpr {
        let reg = M::RESULT;
        let src = Src::Reg(reg);
        M::extend(
            &mut self.b,
            crate::machine::Extend::U32,
            Size::S64,
            reg,
            src,
        );
        self.take_gpr(reg);
        reg
    }

    /// A result of 64 bits. Held.
    pub(super) fn builtin_result64(&mut self) -> Gpr {
        self.take_gpr(M::RESULT);
        M::RESULT
    }

    /// Records a call that returns here.
    pub(super) fn record_call(&mut self, wasm_offset: u32) {
        let at = self.b.at();
        self.t.call(at, wasm_offset);
        if self.s.gc_locals.is_empty() && self.s.gc_entries.is_empty() {
            return;
        }
        let Compiler { t, s, .. } = self;
        let entries = s.gc_entries.iter().filter_map(|&entry| {
            let value = s.stack[entry as usize];
            (value.place() == super::value::Place::Slot).then_some(value.slot())
        });
        t.stack_map(at, &s.gc_locals, entries);
        self.limit_maps();
    }

    /// Gives up when stack maps take too much.
    pub(super) fn limit_maps(&mut self) {
        let slots = self.t.slot_count().max(self.s.cold_slots.len());
        if slots > MAX_MAP_SLOTS || self.t.listed_slots() > MAX_LISTED_SLOTS {
            self.unsupported("very large stack maps");
        }
    }
}

/// More slots of stack maps than this in one function are left to the optimizing compiler.
const MAX_MAP_SLOTS: usize = 1 << 20;
/// And more than this that were looked at, also if calls turned out to share them.
const MAX_LISTED_SLOTS: usize = 1 << 25;
