//! The compilers of an engine: which one makes code for a function.
//!
//! The one idea: to all who ask, they are one [`Backend`]. With [`Strategy::Winch`] it is the baseline compiler, and where that cannot, the
//! optimizing one; otherwise the optimizing one.

use crate::{Config, Result, Strategy};
use meantime_abi::{CompiledFunction, DefinedFuncIndex, Signature, Trampoline, Tunables};
use meantime_baseline::Baseline;
use meantime_compile::{Backend, CompileError};
use meantime_module::Module;
use meantime_optimize::Optimizer;
use target_lexicon::Triple;

/// Both compilers.
#[derive(Debug)]
pub(crate) struct Compilers {
    optimizer: Optimizer,
    /// Only where it is asked for.
    baseline: Option<Baseline>,
}

impl Compilers {
    pub(crate) fn new(config: &Config, tunables: &Tunables) -> Result<Compilers> {
        let optimizer = Optimizer::new(config.target.clone(), &config.flags(), tunables.clone())?;
        let architecture = optimizer.triple().architecture;
        let baseline = match config.strategy {
            Strategy::Winch => Baseline::new(architecture, tunables.clone()),
            _ => None,
        };
        Ok(Compilers {
            optimizer,
            baseline,
        })
    }
}

impl Backend for Compilers {
    fn triple(&self) -> &Triple {
        self.optimizer.triple()
    }

    fn tunables(&self) -> &Tunables {
        self.optimizer.tunables()
    }

    fn settings(&self) -> Vec<(String, String)> {
        self.optimizer.settings()
    }

    fn compile_function(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
    ) -> Result<CompiledFunction, CompileError> {
        if let Some(baseline) = &self.baseline {
            match baseline.compile_function(module, wasm, index, &mut |_| None) {
                Err(error) if error.unsupported => {}
                result => return result,
            }
        }
        self.optimizer.compile_function(module, wasm, index)
    }

    fn compile_trampoline(
        &self,
        kind: Trampoline,
        signature: &Signature,
    ) -> Result<CompiledFunction, CompileError> {
        self.optimizer.compile_trampoline(kind, signature)
    }
}
