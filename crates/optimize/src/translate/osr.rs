//! Functions that start in the middle: at a loop, with the values that code of another tier left off with.
//!
//! The one idea: such a function is the whole function with another entry. It loads every local and everything on the operand stack from the
//! array in the store's context and jumps to the loop; the function's own beginning is there too, but nothing leads to it, and Cranelift
//! leaves out what only follows from it. Values below the loop on the operand stack become variables, as the loop now has two ways in; and so do those
//! below the loops around it, whose next turns begin without their beginnings.

use super::environment::Region;
use super::{Local, Result, Translator};
use crate::types::{PTR, Repr};
use cranelift_codegen::ir::{Block, BlockArg, Endianness, InstBuilder, Type, Value, types};
use cranelift_frontend::Variable;
use meantime_abi::{CompositeKind, ValRaw, VmStoreContext};
use meantime_module::Module;
use smallvec::SmallVec;
use std::mem::offset_of;

/// Operands below a loop, as variables.
pub(super) type Below = SmallVec<[(Variable, Type); 8]>;

/// A loop that is open and may lie around the one at which the function starts.
pub(super) struct Outer {
    /// Blocks that are open in it, itself included.
    depth: usize,
    below: Below,
}

/// Where a function is entered in its middle.
#[derive(Copy, Clone)]
pub(super) struct Entry {
    /// Offset of the loop's opcode in the module's bytes.
    loop_at: u32,
    /// Where the function's own entry leads.
    landing: Block,
    /// How many values it takes, once the loop was met.
    values: Option<u32>,
}

/// Whether any value on the operand stack may be a reference of the heap, by the types of the module.
pub(super) fn has_gc_values(module: &Module) -> bool {
    let objects = module.types().values().any(|ty| match &ty.composite {
        meantime_abi::CompositeType::Func(func) => func
            .params
            .iter()
            .chain(&func.results)
            .any(meantime_abi::ValType::is_gc_ref),
        composite => composite.kind() != CompositeKind::Func,
    });
    let tables = module.tables().values();
    let globals = module.globals().values();
    objects
        || tables
            .into_iter()
            .any(|t| t.element.heap.repr() == meantime_abi::RefRepr::Gc)
        || globals.into_iter().any(|g| g.content.is_gc_ref())
}

impl Translator<'_> {
    /// After the prologue: the function starts at the loop whose opcode is at this offset.
    pub(super) fn enter_at_loop(&mut self, loop_at: u32) {
        let landing = self.b.create_block();
        self.b.ins().jump(landing, &[]);
        let start = self.b.create_block();
        self.b.switch_to_block(start);
        self.b.seal_block(start);
        self.osr = Some(Entry {
            loop_at,
            landing,
            values: None,
        });
    }

    /// How many values the function takes that starts at a loop.
    ///
    /// # Errors
    ///
    /// When it was to start at a loop that it does not have.
    pub(super) fn values_at_entry(&self) -> Result<u32> {
        match self.osr {
            None => Ok(0),
            Some(entry) => entry
                .values
                .ok_or_else(|| self.error("there is no such loop to start at")),
        }
    }

    /// Whether the loop that begins here is where the function starts.
    pub(super) fn is_entry(&self) -> bool {
        let here = self.location.inline.is_none();
        here && self
            .osr
            .is_some_and(|entry| entry.loop_at == self.location.offset)
    }

    /// Whether the loop that begins here may lie around the one at which the function starts.
    pub(super) fn may_be_around_entry(&self) -> bool {
        let here = self.location.inline.is_none();
        let ahead = self.osr.is_some_and(|entry| entry.values.is_none());
        here && ahead && !self.is_entry()
    }

    /// A loop that may lie around the one at which the function starts is open.
    pub(super) fn open_around_entry(&mut self, below: Below) {
        let depth = self.s.control.len();
        self.outer.push(Outer { depth, below });
    }

    /// A block was closed.
    pub(super) fn close_around_entry(&mut self) {
        let open = self.s.control.len();
        self.outer.retain(|outer| outer.depth <= open);
    }

    /// Before the jump to the header of the loop at which the function starts, or of one around it: makes variables of the operands below it.
    pub(super) fn stack_to_variables(&mut self, height: usize) -> Result<Below> {
        let mut variables = SmallVec::new();
        for i in 0..height {
            let value = self.canonical(self.s.stack[i]);
            let ty = self.b.func.dfg.value_type(value);
            if ty == types::I32 && has_gc_values(self.module) {
                // A reference or a number: only the validator knew.
                if !self.is_entry() {
                    // If the entry is inside, it is below that, too.
                    return Ok(Below::new());
                }
                let mut error = self.error("operands below the loop may be references");
                error.unsupported = true;
                return Err(error);
            }
            let variable = self.declare_variable(Repr { ty, gc: false });
            self.b.def_var(variable, value);
            variables.push((variable, ty));
        }
        Ok(variables)
    }

    /// After the jump to the header: writes the way from the function's entry to it. `params` are the loop's parameters.
    pub(super) fn land(&mut self, header: Block, variables: &[(Variable, Type)], params: usize) {
        let Some(entry) = &mut self.osr else {
            return;
        };
        let count = self.s.locals.len() + variables.len() + params;
        // Functions have at most 50,000 locals, and their values are bounded.
        entry.values = Some(count as u32);
        let landing = entry.landing;
        self.b.switch_to_block(landing);
        self.b.seal_block(landing);
        let store = self.store_context();
        let values = self.load_store_field(store, offset_of!(VmStoreContext, osr_values) as i32);
        let mut place = 0;
        let mut next = |t: &mut Self, ty: Type| -> Value {
            let flags = t.trusted(Region::Store).with_endianness(Endianness::Little);
            let value = t.b.ins().load(ty, flags, values, place);
            place += size_of::<ValRaw>() as i32;
            value
        };
        for i in 0..self.s.locals.len() {
            if let Local::Variable(variable, repr) = self.s.locals[i] {
                let value = next(self, repr.ty);
                self.b.def_var(variable, value);
            }
        }
        for (i, &(variable, ty)) in variables.iter().enumerate() {
            let value = next(self, ty);
            self.b.def_var(variable, value);
            // What is below a loop around it is below it at the same height.
            for outer in &self.outer {
                if let Some(&(variable, _)) = outer.below.get(i) {
                    self.b.def_var(variable, value);
                }
            }
        }
        let args: SmallVec<[BlockArg; 8]> = (0..params)
            .map(|i| {
                let param = self.b.block_params(header)[i];
                let ty = self.b.func.dfg.value_type(param);
                next(self, ty).into()
            })
            .collect();
        self.take_fuel();
        self.b.ins().jump(header, &args);
    }

    /// In the header: the operands below it are what the variables say.
    pub(super) fn variables_to_stack(&mut self, variables: &[(Variable, Type)]) {
        for (i, &(variable, _)) in variables.iter().enumerate() {
            self.s.stack[i] = self.b.use_var(variable);
        }
    }

    /// The place of a function's newest code, which calls of functions of the module go through while code is made as the program runs.
    pub(super) fn slot_code(&mut self, func: meantime_abi::DefinedFuncIndex) -> Value {
        let slots = offset_of!(meantime_abi::VmContext, code_slots) as u32;
        let slots = self.context_pointer(slots);
        let flags = self.trusted(Region::Store);
        // Modules have at most a million functions.
        let offset = func.as_u32() as i32 * size_of::<meantime_abi::CodeSlot>() as i32;
        self.b.ins().load(PTR, flags, slots, offset)
    }
}
