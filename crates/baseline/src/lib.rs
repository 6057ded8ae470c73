//! The baseline compiler: from the operators of a validated body straight to machine code, in one pass, without an intermediate
//! representation.
//!
//! It knows neither Cranelift nor the runtime. What it does not compile it says so ([`CompileError::unsupported`]), and the caller gives the
//! function to the optimizing compiler.

#![deny(unsafe_code)]

use meantime_abi::{CompiledFunction, DefinedFuncIndex, Tunables};
use meantime_compile::CompileError;
use meantime_module::Module;

/// The baseline compiler for this machine.
#[derive(Debug)]
pub struct Baseline {
    tunables: Tunables,
}

impl Baseline {
    /// A compiler with these options, if there is one for the architecture.
    pub fn new(architecture: target_lexicon::Architecture, tunables: Tunables) -> Option<Baseline> {
        let _ = architecture;
        Some(Baseline { tunables })
    }

    /// Compiles one function of a module. `wasm` is what the module was decoded from.
    ///
    /// # Errors
    ///
    /// With [`CompileError::unsupported`] set, when the function has what only the optimizing compiler can do.
    pub fn compile_function(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
    ) -> Result<CompiledFunction, CompileError> {
        let _ = (&self.tunables, module, wasm, index);
        Err(CompileError::unsupported("nothing is compiled yet"))
    }
}
