//! Code made while the program runs: the baseline compiler at a function's first call, the optimizing one in the background for what turns
//! out to be hot.
//!
//! `module` is what one module's code asks for and gets, `stage` how far a function is, `ahead` what is compiled before it is called, `better` how it gets better code, `kept` what of it outlives the process; `sites` what calls call; `background` the threads that
//! optimize; `policy` the numbers. The one idea: a function has one stage after the other and never goes back, and whoever runs old code finishes there or
//! leaves it at the start of a loop.

mod ahead;
mod background;
mod better;
mod kept;
mod log;
mod module;
mod policy;
mod sites;
mod stage;

pub use log::{Compilation, Tier};
pub(crate) use module::{Asked, ModuleTiers};

use crate::compilers::LazyOptimizer;
use crate::{Config, Result, Strategy};
use background::Background;
use meantime_abi::Tunables;
use meantime_baseline::Baseline;
use policy::Policy;
use std::sync::atomic::AtomicUsize;

/// What the modules of an engine share: both compilers and the background.
pub(crate) struct EngineTiers {
    baseline: Baseline,
    optimizer: LazyOptimizer,
    background: Background,
    policy: Policy,
    /// Whether functions may be compiled before they are called.
    ahead: bool,
    /// Bytes of optimized code of all modules that there are.
    optimized: AtomicUsize,
}

impl EngineTiers {
    /// None where code is made ahead of time.
    pub(crate) fn new(config: &Config, tunables: &Tunables) -> Result<Option<EngineTiers>> {
        if config.strategy != Strategy::Auto || config.target.is_some() {
            return Ok(None);
        }
        let tunables = Tunables {
            tiered: true,
            ..tunables.clone()
        };
        let optimizer = LazyOptimizer::new(config, &tunables)?;
        let architecture = optimizer.triple().architecture;
        let Some(baseline) = Baseline::new(architecture, tunables) else {
            return Ok(None);
        };
        Ok(Some(EngineTiers {
            baseline: baseline.with_fma(optimizer.has_fma()),
            optimizer,
            background: Background::new(config.parallel_compilation),
            policy: Policy::new(config),
            ahead: config.parallel_compilation && !config.tier_up_waits,
            optimized: AtomicUsize::new(0),
        }))
    }

    /// Waits until nothing is queued or being optimized.
    pub(crate) fn wait(&self) {
        self.background.wait();
    }
}
