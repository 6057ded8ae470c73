//! The optimizing backend: Wasm to CLIF, through Cranelift, to machine code for x86-64 and AArch64.
//!
//! It compiles one function at a time and keeps nothing of it: what comes out is bytes, relocations and a side table. It knows
//! neither the runtime nor how functions are linked; all it takes for granted of them stands in `meantime-abi`.
//!
//! The one idea: [`translate`] walks the operators of a validated body once and writes CLIF; Cranelift does the rest; [`finish`]
//! reads what it made.

#![deny(unsafe_code)]

mod finish;
mod kept;
mod location;
mod loops;
mod scratch;
mod settings;
mod slots;
mod trampolines;
mod translate;
mod types;
mod wide;

pub use settings::{SetupError, native_triple};

use cranelift_codegen::isa::OwnedTargetIsa;
use meantime_abi::{CompiledFunction, DefinedFuncIndex, Signature, Trampoline, Tunables};
use meantime_compile::{Backend, CompileError};
use meantime_module::{Module, OperatorCost};
use scratch::{Pool, Scratch};
use smallvec::SmallVec;
use target_lexicon::Triple;

/// How to compile a function: of a module whose code is made while it runs, or for which there is a profile.
#[derive(Copy, Clone)]
pub struct TierRequest<'a> {
    /// The loop at which it is to start, if not at its beginning, by the offset of its opcode in the module's bytes: see
    /// `VmStoreContext::osr_code`.
    pub from_loop: Option<u32>,
    /// Which functions are called without a look at their code slot: their code will never be replaced.
    pub direct: &'a dyn Fn(DefinedFuncIndex) -> bool,
    /// What a call through a reference mostly calls, by the offset of its opcode in the module's bytes, where that is known: the function that is called
    /// most comes first.
    pub mostly_called: &'a dyn Fn(u32) -> MostlyCalled,
    /// Which functions were ever called, as far as that is known: what leads to a call of another is laid out of the way.
    pub called: &'a dyn Fn(DefinedFuncIndex) -> bool,
    /// How large it may become.
    pub limits: Limits,
}

/// Functions of a module.
pub type MostlyCalled = SmallVec<[DefinedFuncIndex; 4]>;

/// How large a function may become in the compiler's intermediate code: what compiling it costs in time and memory. Beyond that it is refused, before
/// the dear part begins, which cannot be interrupted.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Instructions, and entries of tables of branches.
    pub instructions: usize,
    /// Blocks times variables: what making SSA of locals may take, in units of four bytes.
    pub block_variables: usize,
}

impl Limits {
    /// No limits but those of the compiler itself.
    pub const NONE: Limits = Limits {
        instructions: usize::MAX,
        block_variables: usize::MAX,
    };
}

impl TierRequest<'_> {
    /// What all code ahead of time is compiled as.
    pub const AHEAD: TierRequest<'static> = TierRequest {
        from_loop: None,
        direct: &|_| true,
        mostly_called: &|_| MostlyCalled::new(),
        called: &|_| true,
        limits: Limits::NONE,
    };
}

/// The optimizing compiler for one target and one set of options.
pub struct Optimizer {
    target: Target,
    pool: Pool,
}

/// What is fixed for a compiler: machine, options, and what follows from them.
pub(crate) struct Target {
    pub(crate) isa: OwnedTargetIsa,
    pub(crate) tunables: Tunables,
    /// What operators cost, where code counts fuel.
    pub(crate) costs: Option<Box<OperatorCost>>,
    /// Whether this is x86-64. Otherwise it is AArch64.
    pub(crate) is_x86: bool,
    /// Whether an address that failed a check of a memory is replaced by one that faults, rather than branched around.
    pub(crate) memory_guard_by_select: bool,
    /// The same for tables.
    pub(crate) table_guard_by_select: bool,
}

impl std::fmt::Debug for Optimizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Optimizer")
            .field("triple", self.target.isa.triple())
            .field("flags", &self.target.isa.flags().to_string())
            .field("tunables", &self.target.tunables)
            .finish()
    }
}

impl Optimizer {
    /// A compiler for `triple`, or for this very machine with every feature of its processor when there is none.
    ///
    /// `flags` are Cranelift's settings by name and value (or with the value "true"), set last and so with precedence.
    ///
    /// # Errors
    ///
    /// When the target is not one of ours, a flag or its value is unknown, or options contradict each other.
    pub fn new(
        triple: Option<Triple>,
        flags: &[(String, String)],
        tunables: Tunables,
    ) -> Result<Optimizer, SetupError> {
        Ok(Optimizer {
            target: settings::target(triple, flags, tunables)?,
            pool: Pool::default(),
        })
    }

    /// Checks that a flag of Cranelift exists and takes this value, for the given target or this machine.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn check_flag(triple: Option<&Triple>, name: &str, value: &str) -> Result<(), SetupError> {
        settings::check_flag(triple, name, value)
    }

    /// Checks that this machine is one that [`Optimizer::new`] makes a compiler for, unless flags say otherwise: much quicker than to make one.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn check_machine() -> Result<(), SetupError> {
        settings::check_machine()
    }

    /// Whether the processor of this machine multiplies and adds in one instruction, and rounds once.
    pub fn machine_has_fma() -> bool {
        settings::machine_has_fma()
    }

    /// The same of the target.
    pub fn has_fma(&self) -> bool {
        self.target.isa.has_native_fma()
    }

    /// Compiles a function as is requested. Returns also how many values it takes, if it starts at a loop.
    ///
    /// # Errors
    ///
    /// As [`Backend::compile_function`]; with `unsupported` set when the function or its frame is larger than the request or the compiler itself allows, and where it
    /// cannot be told which values at the start of a loop are references.
    pub fn compile_in_tiers(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
        request: &TierRequest<'_>,
    ) -> Result<(CompiledFunction, u32), CompileError> {
        let mut values = 0;
        let compiled = self.with_scratch(|target, scratch| {
            values = translate::function(target, scratch, module, wasm, index, request)?;
            finish::compile(target, scratch)
        })?;
        Ok((compiled, values))
    }

    fn with_scratch(
        &self,
        work: impl FnOnce(&Target, &mut Scratch) -> Result<CompiledFunction, CompileError>,
    ) -> Result<CompiledFunction, CompileError> {
        let mut scratch = self.pool.take();
        let compiled = work(&self.target, &mut scratch)?;
        // Not reached after an error: scratch space that was left halfway is dropped.
        self.pool.put(scratch);
        Ok(compiled)
    }

    /// The CLIF of a function before optimization, for tests and for people.
    ///
    /// # Errors
    ///
    /// When the function uses what is not supported.
    pub fn function_clif(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
    ) -> Result<String, CompileError> {
        let mut scratch = Scratch::default();
        translate::function(
            &self.target,
            &mut scratch,
            module,
            wasm,
            index,
            &TierRequest::AHEAD,
        )?;
        Ok(scratch.context.func.display().to_string())
    }

    /// The CLIF of a trampoline, for tests and for people.
    pub fn trampoline_clif(&self, kind: Trampoline, signature: &Signature) -> String {
        let mut scratch = Scratch::default();
        trampolines::build(&self.target, &mut scratch, kind, signature);
        scratch.context.func.display().to_string()
    }

    /// The assembly of a function in Cranelift's notation, for tests and for people.
    ///
    /// # Errors
    ///
    /// When the function cannot be compiled.
    pub fn function_assembly(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
    ) -> Result<String, CompileError> {
        let mut scratch = Scratch::default();
        translate::function(
            &self.target,
            &mut scratch,
            module,
            wasm,
            index,
            &TierRequest::AHEAD,
        )?;
        scratch.context.set_disasm(true);
        let code = finish::machine_code(&self.target, &mut scratch)?;
        Ok(code.vcode.unwrap_or_default())
    }
}

impl Backend for Optimizer {
    fn triple(&self) -> &Triple {
        self.target.isa.triple()
    }

    fn tunables(&self) -> &Tunables {
        &self.target.tunables
    }

    fn settings(&self) -> Vec<(String, String)> {
        settings::list(&self.target)
    }

    fn compile_function(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
    ) -> Result<CompiledFunction, CompileError> {
        self.with_scratch(|target, scratch| {
            translate::function(target, scratch, module, wasm, index, &TierRequest::AHEAD)?;
            finish::compile(target, scratch)
        })
    }

    fn compile_trampoline(
        &self,
        kind: Trampoline,
        signature: &Signature,
    ) -> Result<CompiledFunction, CompileError> {
        self.with_scratch(|target, scratch| {
            trampolines::build(target, scratch, kind, signature);
            finish::compile(target, scratch)
        })
    }
}
