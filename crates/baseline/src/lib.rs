//! The baseline compiler: from the operators of a validated body straight to machine code, in one pass, without an intermediate
//! representation.
//!
//! It knows neither Cranelift nor the runtime. What it does not compile it says so ([`CompileError::unsupported`]), and the caller gives the
//! function to the optimizing compiler: functions that are very large in one way or another, and deterministic multiply-adds on processors without.
//!
//! The one idea: [`compile`] walks the operators once and knows no machine; what it wants of one is the trait in [`machine`], and each machine has a folder.
//! Both write into the same [`buffer`].

#![deny(unsafe_code)]

mod a64;
mod atomic;
mod buffer;
mod compile;
mod convention;
mod costs;
mod machine;
mod side_table;
mod vector;
mod x64;

pub use compile::Calls;
use compile::Scratch;
use costs::Costs;
use meantime_abi::{CompiledFunction, DefinedFuncIndex, Signature, Trampoline, Tunables};
use meantime_compile::CompileError;
use meantime_module::Module;
use std::sync::{Mutex, OnceLock, PoisonError};
use target_lexicon::Architecture;

/// The compiler of a function for one machine.
type Compile = fn(
    Box<Scratch>,
    (&Tunables, Option<&Costs>),
    &Module,
    &[u8],
    DefinedFuncIndex,
    &mut dyn Calls,
    &mut CompiledFunction,
) -> (Box<Scratch>, Result<(), CompileError>);

/// The compiler of a trampoline.
type CompileTrampoline =
    fn(&mut Scratch, &Tunables, Trampoline, &Signature) -> Result<CompiledFunction, CompileError>;

/// The baseline compiler for one machine.
pub struct Baseline {
    tunables: Tunables,
    /// Found out when there is something to compile; none where code cannot be interrupted.
    costs: OnceLock<Option<Costs>>,
    compile: Compile,
    compile_trampoline: CompileTrampoline,
    fma: bool,
    /// Memory that one compilation leaves for the next: one piece per thread that compiles at a time.
    #[allow(clippy::vec_box)]
    pool: Mutex<Vec<Box<Scratch>>>,
}

impl std::fmt::Debug for Baseline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Baseline")
            .field("tunables", &self.tunables)
            .finish_non_exhaustive()
    }
}

impl Baseline {
    /// A compiler with these options, if there is one for the architecture.
    pub fn new(architecture: Architecture, tunables: Tunables) -> Option<Baseline> {
        let (compile, compile_trampoline): (Compile, CompileTrampoline) = match architecture {
            Architecture::X86_64 => (
                compile::function::<x64::X64>,
                compile::trampoline::<x64::X64>,
            ),
            Architecture::Aarch64(_) => (
                compile::function::<a64::A64>,
                compile::trampoline::<a64::A64>,
            ),
            _ => return None,
        };
        Some(Baseline {
            costs: OnceLock::new(),
            tunables,
            compile,
            compile_trampoline,
            fma: false,
            pool: Mutex::default(),
        })
    }

    /// Whether the processor has instructions that multiply and add in one, where not every one of the architecture has. By default, it does not.
    pub fn with_fma(mut self, fma: bool) -> Baseline {
        self.fma = fma;
        self
    }

    /// Compiles one function of a module. `wasm` is what the module was decoded from; `calls` is told of its calls, and says which to count.
    ///
    /// # Errors
    ///
    /// With [`CompileError::unsupported`] set, when the function has what only the optimizing compiler can do.
    pub fn compile_function(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
        calls: &mut dyn Calls,
    ) -> Result<CompiledFunction, CompileError> {
        let mut compiled = CompiledFunction::default();
        self.compile_function_into(module, wasm, index, calls, &mut compiled)?;
        Ok(compiled)
    }

    /// The same into memory that is used again: what is there is overwritten.
    ///
    /// # Errors
    ///
    /// As [`Baseline::compile_function`]; what is there then makes no sense.
    pub fn compile_function_into(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
        calls: &mut dyn Calls,
        into: &mut CompiledFunction,
    ) -> Result<(), CompileError> {
        let tunables = &self.tunables;
        let costs = self.costs.get_or_init(|| Costs::new(tunables));
        let options = (tunables, costs.as_ref());
        self.with_scratch(|scratch| {
            (self.compile)(scratch, options, module, wasm, index, calls, into)
        })
    }

    /// Compiles a trampoline.
    ///
    /// # Errors
    ///
    /// As [`Baseline::compile_function`].
    pub fn compile_trampoline(
        &self,
        kind: Trampoline,
        signature: &Signature,
    ) -> Result<CompiledFunction, CompileError> {
        let tunables = &self.tunables;
        self.with_scratch(|mut scratch| {
            let result = (self.compile_trampoline)(&mut scratch, tunables, kind, signature);
            (scratch, result)
        })
    }

    fn with_scratch<R>(&self, work: impl FnOnce(Box<Scratch>) -> (Box<Scratch>, R)) -> R {
        let free = || self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = free().pop().unwrap_or_default();
        scratch.set_fma(self.fma);
        let (scratch, result) = work(scratch);
        free().push(scratch);
        result
    }
}
