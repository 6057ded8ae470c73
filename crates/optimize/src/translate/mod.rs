//! Translation of one validated function body from Wasm to CLIF.
//!
//! The one idea: a single walk over the operators. The operand stack exists only here, as a list of CLIF values; locals are
//! variables of `cranelift-frontend`, which makes SSA of them. Each family of operators has its own file, and each such file one
//! method that says whether an operator was its own.

mod address;
mod atomic;
mod call;
mod cast;
mod clamped;
mod control;
mod dispatch;
mod environment;
mod exception;
mod forward;
mod gc_array;
mod gc_object;
mod guess;
mod heap;
mod inline;
mod interrupt;
mod known_address;
mod memory;
mod numeric;
mod osr;
mod reference;
mod simd;
mod simd_arith;
mod stack;
mod table;
mod trap;
mod truncated;
mod twice;
mod wide_multiply;

use crate::location::{Location, Locations};
use crate::scratch::Scratch;
use crate::types::{self, Repr};
use crate::{Target, TierRequest};
use control::Frame;
use cranelift_codegen::ir::{
    Block, FuncRef, InstBuilder, SigRef, Type, UserFuncName, Value, immediates, types as clif,
};
use cranelift_frontend::{FunctionBuilder, Variable};
use dispatch::Dispatch;
use environment::MemoryAccess;
use exception::Scopes;
use forward::Fact;
use guess::FuncNumber;
use hashbrown::HashMap;
use inline::{Candidate, Inlining};
use interrupt::Flow;
use known_address::KnownAddresses;
use meantime_abi::{Builtin, DefinedFuncIndex, FuncIndex, GcFields, OptLevel, TypeIndex, VmLayout};
use meantime_compile::CompileError;
use meantime_module::Module;
use std::sync::Arc;
use twice::Turn;
use wasmparser::{BinaryReader, Operator, OperatorsReader};
use wide_multiply::WideMultiply;

type Result<T, E = CompileError> = std::result::Result<T, E>;

/// More values than this in one function are refused: no register allocator takes them, and memory must be bounded.
const MAX_VALUES: usize = 1 << 23;

/// A local.
#[derive(Copy, Clone)]
enum Local {
    /// One that may be assigned.
    Variable(Variable, Repr),
    /// One that never is, and its value.
    Value(Value),
}

/// Lists of a translation that keep their memory for the next one.
#[derive(Default)]
pub(crate) struct State {
    /// The operand stack.
    stack: Vec<Value>,
    /// Enclosing blocks, innermost last.
    control: Vec<Frame>,
    /// Enclosing loops that begin with a choice.
    dispatches: Vec<Dispatch>,
    /// Parameters of enclosing `if`s, for their `else`.
    if_params: Vec<Value>,
    /// Locals of the function, and then of the call being inlined.
    locals: Vec<Local>,
    /// Variables that served as locals of calls that were inlined.
    free_variables: Vec<(Repr, Variable)>,
    /// What is known to be in memories.
    facts: Vec<Fact>,
    /// Addresses that were computed where the current position follows.
    addresses: KnownAddresses,
    /// Clamps of indices in memories with 64-bit addresses.
    clamps: Vec<truncated::Movable>,
    /// Pointers that never change, loaded at the start of the function: base, offset, value.
    pointers: Vec<(Value, u32, Value)>,
    /// Which functions may be inlined, as far as they were called.
    candidates: HashMap<DefinedFuncIndex, Option<Candidate>>,
    /// Which functions are multiplications, as far as they were called.
    wide_multiplies: HashMap<DefinedFuncIndex, Option<WideMultiply>>,
    /// Open scopes of exceptions.
    scopes: Scopes,
    /// Where fields of types lie that were used.
    fields: HashMap<TypeIndex, Arc<GcFields>>,
    /// What is known of memories that were used.
    memories: Vec<Option<MemoryAccess>>,
    /// Blocks on the edges of a `br_table`, by depth.
    edges: Vec<Option<Block>>,
    signatures: HashMap<TypeIndex, SigRef>,
    functions: HashMap<FuncIndex, FuncRef>,
    /// How functions are called in the scope of handlers, by their types, and those that were.
    try_calls: HashMap<TypeIndex, call::TryCall>,
    try_functions: HashMap<FuncIndex, FuncRef>,
    /// The functions that are expected where one of a type is called.
    expected: HashMap<TypeIndex, guess::Expected>,
    builtins: [Option<SigRef>; Builtin::COUNT],
    /// The signature of what an interrupted guest calls.
    interrupt: Option<SigRef>,
}

impl State {
    fn clear(&mut self, module: &Module) {
        self.stack.clear();
        self.control.clear();
        self.dispatches.clear();
        self.if_params.clear();
        self.locals.clear();
        self.free_variables.clear();
        self.facts.clear();
        self.addresses.clear();
        self.clamps.clear();
        self.pointers.clear();
        self.candidates.clear();
        self.wide_multiplies.clear();
        self.scopes.clear();
        self.fields.clear();
        self.memories.clear();
        self.memories.resize_with(module.memories().len(), || None);
        self.edges.clear();
        self.signatures.clear();
        self.functions.clear();
        self.try_calls.clear();
        self.try_functions.clear();
        self.expected.clear();
        self.builtins = [None; Builtin::COUNT];
        self.interrupt = None;
    }
}

/// The walk over one function, with the calls that are inlined into it.
pub(crate) struct Translator<'a> {
    b: FunctionBuilder<'a>,
    s: &'a mut State,
    locations: &'a mut Locations,
    target: &'a Target,
    module: &'a Module,
    wasm: &'a [u8],
    layout: VmLayout,
    /// The function's own context.
    context: Value,
    /// Where the function starts.
    entry: Block,
    /// Whether Cranelift places computations without effects where they are used, whatever block they are written in.
    optimizes: bool,
    /// Whether the current position can be reached.
    reachable: bool,
    /// How many blocks were opened since it cannot.
    skipped: u32,
    /// Where the current operator is.
    location: Location,
    /// Where the next one is.
    next: u64,
    /// Index of the first local of the function being translated: not zero while a call is inlined.
    first_local: usize,
    /// How many variables there are.
    variables: usize,
    /// How many entries the tables of branches have.
    table_entries: usize,
    /// What is being inlined, and how much more may be.
    inlining: Inlining,
    /// Where its body begins in the module.
    start: u32,
    /// Whether fuel is counted or the epoch watched.
    interruptible: bool,
    /// The counter of fuel, where it is counted.
    fuel: Option<Variable>,
    /// What is known of the current position.
    flow: Flow,
    /// Whether looks at the epoch are loads that fault: where no value in a register is a reference.
    polls: bool,
    /// Whether there is one.
    polled: bool,
    /// Whether exceptions that are caught are kept as references.
    keeps_exceptions: bool,
    /// How many calls were written.
    calls: u32,
    /// Whether this is where an exception lands.
    landing: bool,
    /// The loop at which the function starts, if not at its beginning.
    osr: Option<osr::Entry>,
    /// Loops around that.
    outer: Vec<osr::Outer>,
    /// What is to be done with the reader of operators.
    turn: Option<Turn>,
    /// What was just read from an object to be called next.
    number: Option<FuncNumber>,
    /// How the function is compiled.
    request: &'a TierRequest<'a>,
}

/// Translates a function into `scratch.context.func`; as is requested. Returns how many values it takes if it starts at a loop.
pub(crate) fn function<'a>(
    target: &'a Target,
    scratch: &mut Scratch,
    module: &Module,
    wasm: &[u8],
    index: DefinedFuncIndex,
    request: &'a TierRequest<'a>,
) -> Result<u32> {
    let tunables = &target.tunables;
    let polls = tunables.epoch_interruption
        && tunables.signals_based_traps
        && target.costs.is_none()
        && !osr::has_gc_values(module);
    if let Some(values) = attempt(target, scratch, module, wasm, index, request, polls)? {
        return Ok(values);
    }
    let values = attempt(target, scratch, module, wasm, index, request, false)?;
    Ok(values.expect("it does not poll"))
}

/// The same, with or without looks at the epoch that see no references. None where it would need to.
fn attempt<'a>(
    target: &'a Target,
    scratch: &mut Scratch,
    module: &Module,
    wasm: &[u8],
    index: DefinedFuncIndex,
    request: &'a TierRequest<'a>,
    polls: bool,
) -> Result<Option<u32>> {
    let func_index = module.func_index(index);
    let ty = module.func_type(func_index);
    scratch.context.clear();
    scratch.locations.clear();
    scratch.state.clear(module);
    let func = &mut scratch.context.func;
    func.name = UserFuncName::user(0, func_index.as_u32());
    func.signature = types::func_signature(ty);

    let layout = module.layout();
    let mut b = FunctionBuilder::new(func, &mut scratch.builder);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    b.ensure_inserted_block();
    let context = b.block_params(entry)[0];

    let range = &module.bodies()[index].range;
    let start = Location {
        inline: None,
        offset: range.start,
    };
    let mut t = Translator {
        b,
        s: &mut scratch.state,
        locations: &mut scratch.locations,
        target,
        module,
        wasm,
        layout,
        context,
        entry,
        optimizes: target.tunables.opt_level != OptLevel::None,
        reachable: true,
        skipped: 0,
        location: start,
        next: 0,
        first_local: 0,
        variables: 0,
        table_entries: 0,
        inlining: Inlining::new(index, start, range.end - range.start),
        start: range.start,
        interruptible: target.costs.is_some() || target.tunables.epoch_interruption,
        fuel: None,
        flow: Flow {
            owed: 0,
            watched: polls.then_some(range.start),
        },
        polls,
        polled: false,
        keeps_exceptions: false,
        calls: 0,
        landing: false,
        osr: None,
        outer: Vec::new(),
        turn: None,
        number: None,
        request,
    };
    t.set_location(range.start);
    t.tell_slots_apart();
    t.prologue();
    if let Some(loop_at) = request.from_loop {
        t.enter_at_loop(loop_at);
    }
    t.enter_interruptible();
    for (i, param) in ty.params.iter().enumerate() {
        let value = t.b.block_params(entry)[i + 1];
        t.declare_local(param.repr().into(), Some(value));
    }
    let mut reader = t.body_reader(index)?;
    t.declare_locals(&mut reader)?;
    t.push_function_frame(func_index);
    let allocations = std::mem::take(&mut scratch.reader);
    let mut operators = OperatorsReader::new_with_allocs(reader, allocations);
    t.operators(&mut operators)?;
    let values = t.values_at_entry()?;
    scratch.reader = operators.into_allocations();
    let hides_references = t.polled && t.keeps_exceptions;
    t.b.finalize(target.isa.frontend_config());
    if hides_references {
        return Ok(None);
    }
    if target.tunables.opt_level != OptLevel::None {
        scratch.state.truncate_indices(&mut scratch.context.func);
    }
    Ok(Some(values))
}

impl<'a> Translator<'a> {
    /// A reader at the start of a body: declarations of locals, then operators.
    fn body_reader(&self, index: DefinedFuncIndex) -> Result<BinaryReader<'a>> {
        let range = &self.module.bodies()[index].range;
        let bytes = self
            .wasm
            .get(range.start as usize..range.end as usize)
            .ok_or_else(|| self.error("the module's bytes are not those it was decoded from"))?;
        Ok(BinaryReader::new(bytes, range.start.into()))
    }

    /// Declares and clears the locals that a body lists.
    fn declare_locals(&mut self, reader: &mut BinaryReader<'_>) -> Result<()> {
        let groups = reader.read_var_u32().map_err(malformed)?;
        for _ in 0..groups {
            let count = reader.read_var_u32().map_err(malformed)?;
            let ty: wasmparser::ValType = reader.read().map_err(malformed)?;
            let repr = types::val_repr(self.module, ty);
            let zero = (count > 0).then(|| self.zero(repr.ty));
            for _ in 0..count {
                self.declare_local(repr, zero);
            }
        }
        Ok(())
    }

    fn declare_local(&mut self, repr: Repr, value: Option<Value>) {
        let variable = self.declare_variable(repr);
        if let Some(value) = value {
            self.b.def_var(variable, value);
        }
        self.s.locals.push(Local::Variable(variable, repr));
    }

    fn declare_variable(&mut self, repr: Repr) -> Variable {
        let variable = self.b.declare_var(repr.ty);
        self.variables += 1;
        if repr.gc {
            self.b.declare_var_needs_stack_map(variable);
        }
        variable
    }

    /// The value that a local of this type begins with: zero, or null.
    fn zero(&mut self, ty: Type) -> Value {
        match ty {
            clif::F32 => self.b.ins().f32const(immediates::Ieee32::with_bits(0)),
            clif::F64 => self.b.ins().f64const(immediates::Ieee64::with_bits(0)),
            clif::I8X16 => self.vector_const(&[0; 16]),
            int => self.b.ins().iconst(int, 0),
        }
    }

    /// Translates operators until the end of the function they belong to.
    fn operators(&mut self, reader: &mut OperatorsReader<'_>) -> Result<()> {
        let mut kept = None;
        while !reader.eof() {
            let offset = reader.original_position();
            let operator = reader.read().map_err(malformed)?;
            self.next = reader.original_position();
            // Module bytes are less than 4 GiB: their ranges are 32 bits.
            self.set_location(offset as u32);
            if self.reachable {
                if self.interruptible {
                    self.before_operator(&operator);
                }
                self.operator(&operator)?;
                self.check_size()?;
            } else {
                self.skip(&operator)?;
            }
            match self.turn.take() {
                None => {}
                Some(Turn::Keep) => kept = Some(reader.clone()),
                Some(Turn::Back) => reader.clone_from(kept.as_ref().expect("a loop began")),
            }
        }
        Ok(())
    }

    /// Refuses a function that became too large.
    fn check_size(&self) -> Result<()> {
        let (dfg, limits) = (&self.b.func.dfg, &self.request.limits);
        let block_variables = dfg.num_blocks().saturating_mul(self.variables);
        if dfg.num_values() > MAX_VALUES
            || dfg.num_insts() + self.table_entries > limits.instructions
            || block_variables > limits.block_variables
        {
            return Err(CompileError {
                unsupported: true,
                ..self.error("a function is too large to be compiled")
            });
        }
        Ok(())
    }

    fn set_location(&mut self, offset: u32) {
        self.location.offset = offset;
        let bits = self.locations.encode(self.location);
        self.b.set_srcloc(bits);
    }

    fn operator(&mut self, op: &Operator<'_>) -> Result<()> {
        let known = self.control(op)?
            || self.numeric(op)?
            || self.memory(op)?
            || self.call(op)?
            || self.simd(op)?
            || self.simd_arith(op)?
            || self.table(op)?
            || self.reference(op)?
            || self.gc_object(op)?
            || self.gc_array(op)?
            || self.cast(op)?
            || self.exception(op)?
            || self.atomic(op)?;
        if known {
            return Ok(());
        }
        Err(self.error(format!("operator {op:?} is not supported")))
    }

    fn error(&self, message: impl Into<String>) -> CompileError {
        CompileError {
            message: message.into(),
            unsupported: false,
            offset: Some(self.location.offset),
        }
    }
}

/// Validated bytes cannot be malformed, but other bytes than those that were validated can.
fn malformed(error: wasmparser::Error) -> CompileError {
    CompileError {
        message: error.message().to_owned(),
        unsupported: false,
        offset: u32::try_from(error.offset()).ok(),
    }
}
