//! The compilers of an engine: which one makes code for a function.
//!
//! The one idea: to all who ask, they are one [`Backend`]. With [`Strategy::Winch`] it is the baseline compiler, and where that cannot, the
//! optimizing one; otherwise the optimizing one, and the baseline compiler for what is made to be dear to optimize or has too large a frame for it.
//! Trampolines come from the baseline compiler wherever there is one, but with [`Strategy::Cranelift`].

use crate::profile::Profile;
use crate::{Config, Result, Strategy};
use meantime_abi::{CompiledFunction, DefinedFuncIndex, Signature, Trampoline, Tunables};
use meantime_baseline::Baseline;
use meantime_compile::{Backend, CompileError};
use meantime_module::Module;
use meantime_optimize::{Limits, Optimizer, TierRequest};
use std::sync::OnceLock;
use target_lexicon::Triple;

/// Both compilers.
#[derive(Debug)]
pub(crate) struct Compilers {
    optimizer: LazyOptimizer,
    baseline: Option<Baseline>,
    strategy: Strategy,
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
        let baseline = Baseline::new(architecture, tunables.clone());
        let baseline = baseline.map(|baseline| baseline.with_fma(optimizer.has_fma()));
        Ok(Compilers {
            optimizer,
            baseline,
            strategy: config.strategy,
        })
    }
}

/// How large a function may become that is optimized ahead of time. Those of real programs stay far below; the largest that are not refused take
/// seconds, and a gigabyte or two.
const LIMITS: Limits = Limits {
    instructions: 1_000_000,
    block_variables: 128 << 20,
};

impl Compilers {
    /// Compiles a function. What grows beyond limits when it is optimized gets the code of the other compiler, if that can.
    fn compile_with(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
        request: &TierRequest<'_>,
    ) -> Result<CompiledFunction, CompileError> {
        let optimize = |limits| {
            let request = TierRequest { limits, ..*request };
            let optimizer = self.optimizer.get();
            let made = optimizer.compile_in_tiers(module, wasm, index, &request);
            made.map(|(compiled, _)| compiled)
        };
        let Some(baseline) = &self.baseline else {
            return optimize(Limits::NONE);
        };
        let baseline = || baseline.compile_function(module, wasm, index, &mut |_: u32| None);
        let can = |made: &Result<_, CompileError>| !made.as_ref().is_err_and(|e| e.unsupported);
        let prefers_baseline = self.strategy == Strategy::Winch;
        let first = match prefers_baseline {
            true => baseline(),
            false => optimize(LIMITS),
        };
        if can(&first) {
            return first;
        }
        let second = match prefers_baseline {
            true => optimize(LIMITS),
            false => baseline(),
        };
        if can(&second) {
            return second;
        }
        optimize(Limits::NONE)
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
        self.compile_with(module, wasm, index, &TierRequest::AHEAD)
    }

    fn compile_function_into(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
        into: &mut CompiledFunction,
    ) -> Result<(), CompileError> {
        // What the baseline compiler cannot is compiled as always.
        if let (Some(baseline), Strategy::Winch) = (&self.baseline, self.strategy)
            && baseline
                .compile_function_into(module, wasm, index, &mut |_: u32| None, into)
                .is_ok()
        {
            return Ok(());
        }
        *into = self.compile_function(module, wasm, index)?;
        Ok(())
    }

    fn compile_trampoline(
        &self,
        kind: Trampoline,
        signature: &Signature,
    ) -> Result<CompiledFunction, CompileError> {
        match &self.baseline {
            Some(baseline) if self.strategy != Strategy::Cranelift => {
                trampoline(baseline, &self.optimizer, kind, signature)
            }
            _ => self.optimizer.get().compile_trampoline(kind, signature),
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
        let request = TierRequest {
            mostly_called: &|offset| self.profile.mostly_called(module, offset),
            called: &|func| self.profile.called(module.func_index(func)),
            ..TierRequest::AHEAD
        };
        self.compilers.compile_with(module, wasm, index, &request)
    }

    fn compile_trampoline(
        &self,
        kind: Trampoline,
        signature: &Signature,
    ) -> Result<CompiledFunction, CompileError> {
        self.compilers.compile_trampoline(kind, signature)
    }
}
