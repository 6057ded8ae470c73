//! The interface between the driver and a compiler: one function in, one [`CompiledFunction`] out.
//!
//! A backend holds settings and reusable scratch space, never results; it is asked from several threads at once.

use meantime_abi::{CompiledFunction, DefinedFuncIndex, Signature, Trampoline, Tunables};
use meantime_module::Module;

/// Why a function could not be compiled.
#[derive(Clone, Debug)]
pub struct CompileError {
    /// What is wrong, for a person.
    pub message: String,
    /// Where in the module's bytes, when that is known.
    pub offset: Option<u32>,
    /// Whether only this backend cannot compile it.
    pub unsupported: bool,
}

impl CompileError {
    /// What this backend does not compile and another does.
    pub fn unsupported(message: impl Into<String>) -> CompileError {
        CompileError {
            message: message.into(),
            offset: None,
            unsupported: true,
        }
    }
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match self.offset {
            Some(offset) => write!(f, " (at offset {offset:#x})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CompileError {}

/// A compiler.
pub trait Backend: Send + Sync {
    /// The target, as a triple.
    fn triple(&self) -> &target_lexicon::Triple;

    /// What generated code takes for granted.
    fn tunables(&self) -> &Tunables;

    /// Every setting that changes generated code, and every feature of the processor that it may use, as name and value: an artifact
    /// records them, and a host that lacks one refuses to load it.
    fn settings(&self) -> Vec<(String, String)>;

    /// Compiles one function of a module. `wasm` is what the module was decoded from.
    fn compile_function(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
    ) -> Result<CompiledFunction, CompileError>;

    /// The same into memory that is used again: what is there is overwritten, or makes no sense after an error.
    fn compile_function_into(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
        into: &mut CompiledFunction,
    ) -> Result<(), CompileError> {
        *into = self.compile_function(module, wasm, index)?;
        Ok(())
    }

    /// Compiles a trampoline. It has no relocations.
    fn compile_trampoline(
        &self,
        kind: Trampoline,
        signature: &Signature,
    ) -> Result<CompiledFunction, CompileError>;
}
