//! Compilation of one validated function body, in one walk over its operators.
//!
//! The one idea: nothing of a function is kept but what the position reached needs: the operand stack ([`value`]), the enclosing blocks
//! ([`control`]), where locals are ([`local`]) and what registers are known to hold ([`state`]). What is rarely executed is written after
//! the code ([`cold`]).

mod array;
mod atomic;
mod bulk;
mod call;
mod cast;
mod cold;
mod control;
mod decode;
mod dispatch;
mod entry;
mod environment;
mod exception;
mod float;
mod global;
mod heap;
mod interrupt;
mod local;
mod memory;
mod moves;
mod numeric;
mod object;
mod operators;
mod profile;
mod reference;
mod skip;
mod state;
mod table;
mod tier;
mod trampoline;
mod value;
mod vector;

use crate::buffer::{Buffer, Label};
use crate::costs::Costs;
use crate::machine::Machine;
use crate::side_table::SideTables;
use cold::Cold;
use control::Frame;
use dispatch::Dispatches;
use environment::MemoryAccess;
use exception::Scopes;
use local::Local;
use meantime_abi::{
    CompiledFunction, DefinedFuncIndex, FuncIndex, FuncType, GcFields, Relocation, Tunables,
    TypeIndex, VmLayout,
};
use meantime_compile::CompileError;
use meantime_module::Module;
use moves::Moves;
pub use profile::Calls;
use state::State;
use std::collections::HashMap;
use std::sync::Arc;
pub(crate) use trampoline::trampoline;
use value::Value;

/// What a function leaves for the next one: memory.
#[derive(Default)]
pub(crate) struct Scratch {
    buffer: Buffer,
    tables: SideTables,
    lists: Lists,
}

impl Scratch {
    /// Whether the processor multiplies and adds in one, where not every one does.
    pub(crate) fn set_fma(&mut self, fma: bool) {
        self.buffer.fma = fma;
    }
}

/// Lists of a compilation, the most used ones first.
#[derive(Default)]
#[repr(C)]
struct Lists {
    stack: Vec<Value>,
    locals: Vec<Local>,
    /// Entries of the stack that are references to objects.
    gc_entries: Vec<u32>,
    /// Enclosing blocks, innermost last.
    frames: Vec<Frame>,
    /// What is known where the `else` parts of those begin.
    if_states: Vec<State>,
    /// Slots of locals that are references to objects, by how far they are below the frame pointer.
    gc_locals: Vec<u32>,
    /// Indices of locals that have a register which calls clobber, by its place among those.
    float_pins: Vec<u32>,
    memories: Vec<Option<MemoryAccess>>,
    cold: Vec<Cold>,
    /// Operands of loops, for the code that leaves them.
    osr_values: Vec<Value>,
    /// Slots of stack maps of calls in code that is not written yet.
    cold_slots: Vec<u32>,
    moves: Moves,
    /// Depths of a `br_table`.
    targets: Vec<u32>,
    /// Its labels.
    labels: Vec<Label>,
    /// Labels of the edges of a `br_table`, by depth.
    edges: Vec<Label>,
    /// Enclosing loops that begin with a choice.
    dispatches: Dispatches,
    relocations: Vec<Relocation>,
    /// Open scopes of exceptions.
    scopes: Scopes,
    /// Where fields of types lie that were used.
    fields: HashMap<TypeIndex, Arc<GcFields>>,
}

impl Lists {
    fn clear(&mut self, module: &Module) {
        self.stack.clear();
        self.gc_entries.clear();
        self.frames.clear();
        self.if_states.clear();
        self.locals.clear();
        self.gc_locals.clear();
        self.float_pins.clear();
        self.memories.clear();
        self.memories.resize_with(module.memories().len(), || None);
        self.cold.clear();
        self.cold_slots.clear();
        self.osr_values.clear();
        self.relocations.clear();
        self.dispatches.clear();
        self.scopes.clear();
        self.fields.clear();
    }
}

/// The walk over one function. What nearly every operator uses comes first, where instructions reach it with short displacements.
#[repr(C)]
pub(crate) struct Compiler<'a, M: Machine> {
    /// The body, and where in it the next operator begins.
    code: &'a [u8],
    at: usize,
    /// Where code can be interrupted.
    costs: Option<&'a Costs>,
    /// Why the function cannot be compiled, once that is known.
    error: Option<Box<CompileError>>,
    /// Entries below are in their slots, or constants.
    flushed: usize,
    /// See [`Compiler::find_unchecked_offsets`].
    unchecked_offsets: u64,
    /// How far slots of the operand stack are below the frame pointer, but for those of eight bytes that each entry has.
    base: u32,
    /// How far the lowest slot is that is written.
    max_depth: u32,
    free_gprs: u32,
    free_fprs: u32,
    /// Where in the module's bytes the body begins.
    start: u32,
    reachable: bool,
    s: Lists,
    b: Buffer,
    t: SideTables,
    state: State,
    tunables: &'a Tunables,
    module: &'a Module,
    layout: VmLayout,
    index: DefinedFuncIndex,
    calls: &'a mut dyn Calls,
    ty: &'a FuncType,
    /// The entries that own registers.
    gpr_owners: [u32; 32],
    fpr_owners: [u32; 32],
    /// Bytes that calls need for arguments on the stack.
    out_args: u32,

    /// How many registers for locals are used that calls preserve.
    pins: usize,
    /// Whether the call being written is the one that throws.
    throwing: bool,
    /// Bytes of this function's own arguments on the stack.
    own_args: u32,
    /// Bytes of its results' area, which its caller provides.
    result_area: u32,
    /// Where it keeps that area's address.
    area_disp: i32,
    /// Where it leads that the stack overflowed.
    overflow: Label,
    /// Where code leads that leaves a loop for better code.
    osr_leave: Option<Label>,
    /// Where the frame's size is to be written.
    frame_size_at: u32,
    machine: std::marker::PhantomData<M>,
}

/// A frame that is larger is left to the optimizing compiler. Without hardware faults nothing catches a stack that a single frame overflows.
const MAX_FRAME: u32 = 4 << 20;
const MAX_UNGUARDED_FRAME: u32 = 256 << 10;
/// Bytes of a body whose code is taken to have short branches only.
const MAX_NEAR_BODY: usize = 32 << 10;

/// Compiles a function into memory that is used again. Gives the memory for what comes between back.
pub(crate) fn function<M: Machine>(
    mut scratch: Box<Scratch>,
    (tunables, costs): (&Tunables, Option<&Costs>),
    module: &Module,
    wasm: &[u8],
    index: DefinedFuncIndex,
    calls: &mut dyn Calls,
    into: &mut CompiledFunction,
) -> (Box<Scratch>, Result<(), CompileError>) {
    let range = &module.bodies()[index].range;
    let Some(code) = wasm.get(range.start as usize..range.end as usize) else {
        return (scratch, Err(*malformed()));
    };
    // All that is large is written to its place at once.
    let mut compiler = Compiler::<M> {
        b: scratch.buffer,
        t: scratch.tables,
        s: scratch.lists,
        tunables,
        costs,
        module,
        layout: module.layout(),
        index,
        calls,
        ty: module.func_type(module.func_index(index)),
        code,
        at: 0,
        start: range.start,
        error: None,
        free_gprs: M::TEMPS,
        free_fprs: M::FLOAT_TEMPS,
        gpr_owners: [0; 32],
        fpr_owners: [0; 32],
        unchecked_offsets: 0,
        base: 0,
        max_depth: 0,
        flushed: 0,
        out_args: 0,
        state: State::default(),
        reachable: true,
        // The first one is the counter's.
        pins: usize::from(tunables.consume_fuel),
        throwing: false,
        own_args: 0,
        result_area: 0,
        area_disp: 0,
        overflow: Label::NONE,
        osr_leave: None,
        frame_size_at: 0,
        machine: std::marker::PhantomData,
    };
    let result = compiler.compile(into);
    scratch.buffer = compiler.b;
    scratch.tables = compiler.t;
    scratch.lists = compiler.s;
    (scratch, result)
}

impl<M: Machine> Compiler<'_, M> {
    fn compile(&mut self, into: &mut CompiledFunction) -> Result<(), CompileError> {
        self.b.clear();
        self.t.begin(self.start, self.tunables.generate_address_map);
        self.s.clear(self.module);
        self.b.wasm_offset = self.start;
        self.b.far = self.code.len() > MAX_NEAR_BODY;
        self.declare_locals();
        if let Some(error) = self.error.take() {
            return Err(*error);
        }
        self.find_unchecked_offsets();
        self.enter_function();
        self.walk();
        if !self.s.frames.is_empty() {
            self.fail(malformed());
        }
        if let Some(error) = self.error.take() {
            return Err(*error);
        }
        self.finish(into)
    }

    /// Compiles all operators. By itself, so that nothing else takes registers from it.
    #[inline(never)]
    fn walk(&mut self) {
        loop {
            if self.reachable {
                self.check_registers();
                if self.operators().is_none() {
                    break;
                }
            } else if self.error.is_none() && self.at < self.code.len() {
                self.skip();
            } else {
                break;
            }
        }
    }

    fn finish(&mut self, into: &mut CompiledFunction) -> Result<(), CompileError> {
        self.write_cold();
        self.limit_code();
        if let Some(error) = self.error.take() {
            return Err(*error);
        }
        let frame = (self.max_depth + self.out_args).next_multiple_of(16);
        let max = if self.tunables.signals_based_traps {
            MAX_FRAME
        } else {
            MAX_UNGUARDED_FRAME
        };
        if frame > max {
            return Err(CompileError::unsupported("a large frame"));
        }
        M::set_frame_size(&mut self.b, self.frame_size_at, frame);
        let Self { b, t, .. } = self;
        t.complete_handlers(|label| (b.place_of_number(label), frame));
        self.b.put_constants::<M>();
        let max = if self.b.far {
            M::MAX_CODE
        } else {
            M::MAX_NEAR_CODE
        };
        if self.b.at() > max {
            return Err(CompileError::unsupported("large code"));
        }
        self.t.move_traps(self.b.moved_faults());
        into.code.clear();
        into.code.extend_from_slice(self.b.code());
        into.align = M::ALIGN;
        into.relocations.clone_from(&self.s.relocations);
        self.t.finish(&mut into.side_table);
        Ok(())
    }

    /// Ends the walk: nothing can be reached any more. The first reason counts.
    #[cold]
    fn fail(&mut self, error: Box<CompileError>) {
        self.error.get_or_insert(error);
        self.reachable = false;
    }

    /// Gives up when the code gets too large: to be asked where few bytes become much of it.
    fn limit_code(&mut self) {
        if self.b.is_too_large() {
            self.unsupported("large code");
        }
    }

    /// Gives the function to the optimizing compiler.
    fn unsupported(&mut self, what: &str) {
        self.fail(Box::new(CompileError::unsupported(what)));
    }

    fn func_type_of(&self, index: FuncIndex) -> meantime_abi::TypeIndex {
        self.module.functions()[index].ty
    }
}

/// Validated bytes cannot be malformed, but other bytes than those that were validated can.
fn malformed() -> Box<CompileError> {
    Box::new(CompileError {
        message: "the module's bytes are not those it was decoded from".to_owned(),
        unsupported: false,
        offset: None,
    })
}
