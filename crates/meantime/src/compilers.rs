//! The compilers of an engine: which one makes code for a function.
//!
//! The one idea: to all who ask, they are one [`Backend`]. With [`Strategy::Winch`] it is the baseline compiler, and where that cannot, the
//! optimizing one; otherwise the optimizing one. Trampolines come from the baseline compiler wherever there is one.

use crate::profile::Profile;
use crate::{Config, Result, Strategy};
use meantime_abi::{CompiledFunction, DefinedFuncIndex, Signature, Trampoline, Tunables};
use meantime_baseline::Baseline;
use meantime_compile::{Backend, CompileError};
use meantime_module::Module;
use meantime_optimize::{Optimizer, TierRequest};
use std::sync::OnceLock;
use target_lexicon::Triple;

/// Both compilers.
#[derive(Debug)]
pub(crate) struct Compilers {
    optimizer: LazyOptimizer,
    baseline: Option<Baseline>,
    /// Whether the baseline compiler makes all code that it can.
    prefers_baseline: bool,
}

/// The optimizing compiler, made when it is used first if that cannot fail: small programs end before.
#[derive(Debug)]
pub(crate) struct LazyOptimizer {
    triple: Triple,
    tunables: Tunables,
    made: OnceLock<Optimizer>,
}

impl LazyOptimizer {
    pub(crate) fn new(config: &Config, tunables: &Tunables) -> Result<LazyOptimizer> {
        let (target, flags) = (config.target.clone(), config.flags());
        let for_this_machine = target.is_none() && flags.is_empty();
        let made = match for_this_machine {
            true => {
                Optimizer::check_machine()?;
                OnceLock::new()
            }
            false => OnceLock::from(Optimizer::new(target.clone(), &flags, tunables.clone())?),
        };
        Ok(LazyOptimizer {
            triple: target.unwrap_or_else(meantime_optimize::native_triple),
            tunables: tunables.clone(),
            made,
        })
    }

    pub(crate) fn triple(&self) -> &Triple {
        &self.triple
    }

    /// Whether its code multiplies and adds in one instruction.
    pub(crate) fn has_fma(&self) -> bool {
        match self.made.get() {
            Some(optimizer) => optimizer.has_fma(),
            None => Optimizer::machine_has_fma(),
        }
    }

    pub(crate) fn get(&self) -> &Optimizer {
        self.made.get_or_init(|| {
            Optimizer::new(None, &[], self.tunables.clone()).expect("this machine was checked")
        })
    }
}

/// A trampoline from the baseline compiler, or from the other one if that cannot.
pub(crate) fn trampoline(
    baseline: &Baseline,
    optimizer: &LazyOptimizer,
    kind: Trampoline,
    signature: &Signature,
) -> Result<CompiledFunction, CompileError> {
    match baseline.compile_trampoline(kind, signature) {
        Err(error) if error.unsupported => optimizer.get().compile_trampoline(kind, signature),
        result => result,
    }
}

impl Compilers {
    pub(crate) fn new(config: &Config, tunables: &Tunables) -> Result<Compilers> {
        let optimizer = LazyOptimizer::new(config, tunables)?;
        let architecture = optimizer.triple().architecture;
        let baseline = match config.strategy {
            Strategy::Cranelift => None,
            _ => Baseline::new(architecture, tunables.clone())
                .map(|baseline| baseline.with_fma(optimizer.has_fma())),
        };
        Ok(Compilers {
            optimizer,
            baseline,
            prefers_baseline: config.strategy == Strategy::Winch,
        })
    }
}

impl Backend for Compilers {
    fn triple(&self) -> &Triple {
        self.optimizer.triple()
    }

    fn tunables(&self) -> &Tunables {
        &self.optimizer.tunables
    }

    fn settings(&self) -> Vec<(String, String)> {
        self.optimizer.get().settings()
    }

    fn compile_function(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
    ) -> Result<CompiledFunction, CompileError> {
        if let Some(baseline) = self.baseline.as_ref().filter(|_| self.prefers_baseline) {
            match baseline.compile_function(module, wasm, index, &mut |_: u32| None) {
                Err(error) if error.unsupported => {}
                result => return result,
            }
        }
        self.optimizer.get().compile_function(module, wasm, index)
    }

    fn compile_trampoline(
        &self,
        kind: Trampoline,
        signature: &Signature,
    ) -> Result<CompiledFunction, CompileError> {
        match &self.baseline {
            Some(baseline) => trampoline(baseline, &self.optimizer, kind, signature),
            None => self.optimizer.get().compile_trampoline(kind, signature),
        }
    }
}

/// Both compilers, for a module of which a profile is known.
pub(crate) struct WithProfile<'a> {
    compilers: &'a Compilers,
    profile: &'a Profile,
}

impl Compilers {
    pub(crate) fn with_profile<'a>(&'a self, profile: &'a Profile) -> WithProfile<'a> {
        WithProfile {
            compilers: self,
            profile,
        }
    }
}

impl Backend for WithProfile<'_> {
    fn triple(&self) -> &Triple {
        self.compilers.triple()
    }

    fn tunables(&self) -> &Tunables {
        self.compilers.tunables()
    }

    fn settings(&self) -> Vec<(String, String)> {
        self.compilers.settings()
    }

    fn compile_function(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
    ) -> Result<CompiledFunction, CompileError> {
        if self.compilers.prefers_baseline {
            return self.compilers.compile_function(module, wasm, index);
        }
        let request = TierRequest {
            mostly_called: &|offset| self.profile.mostly_called(module, offset),
            called: &|func| self.profile.called(module.func_index(func)),
            ..TierRequest::AHEAD
        };
        let optimizer = self.compilers.optimizer.get();
        let (compiled, _) = optimizer.compile_in_tiers(module, wasm, index, &request)?;
        Ok(compiled)
    }

    fn compile_trampoline(
        &self,
        kind: Trampoline,
        signature: &Signature,
    ) -> Result<CompiledFunction, CompileError> {
        self.compilers.compile_trampoline(kind, signature)
    }
}
