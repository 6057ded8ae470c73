//! [`Config`]: every choice that an engine is made with.
//!
//! Not here: what the choices do. The one idea: an option is never ignored. What this version cannot do yet is recorded when it is
//! switched on ([`Config::not_yet`]) and refused by [`Config::validate`], which also turns the rest into what compilers
//! and runtime read: [`Tunables`] and the set of language features.

mod compiler;
mod diagnostics;
mod execution;
mod features;
mod getters;
mod heap;
mod memory;
mod options;
mod pooling;
#[cfg(test)]
mod tests;

pub use options::{
    Collector, Enabled, Inlining, InstanceAllocationStrategy, ModuleVersionStrategy, OptLevel,
    ProfilingStrategy, RRConfig, RegallocAlgorithm, Strategy, WasmBacktraceDetails,
};
pub use pooling::PoolingAllocationConfig;

use crate::Cache;
use crate::error::{Context, Result, bail, ensure};
use meantime_abi::{FuelCosts, Tunables};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use target_lexicon::{Architecture, Triple};
use wasmparser::WasmFeatures;

/// Bytes of a memory's image up to which the decoder always makes one, however many holes it has.
const DENSE_IMAGE_SIZE: u64 = 16 << 20;

/// What an engine is made with.
///
/// The methods change one option each and can be chained. Nothing is checked before `Engine::new`, which refuses what is
/// not supported or does not fit together.
///
/// ```
/// use meantime::{Config, Engine, OptLevel};
///
/// # fn main() -> meantime::Result<()> {
/// let mut config = Config::new();
/// config.cranelift_opt_level(OptLevel::None).max_wasm_stack(1 << 20);
/// let engine = Engine::new(&config)?;
///
/// let error = Engine::new(Config::new().wasm_stack_switching(true)).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the wasm_stack_switching feature is not supported by this version of Meantime",
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Config {
    /// As the embedder sets them; [`Config::validate`] gives them in their final form.
    tunables: Tunables,
    features_on: WasmFeatures,
    features_off: WasmFeatures,
    /// Options that are switched on and not supported by this version, by method.
    not_yet: BTreeSet<&'static str>,

    pub(crate) strategy: Strategy,
    pub(crate) enable_compiler: bool,
    pub(crate) parallel_compilation: bool,
    /// None is the host.
    pub(crate) target: Option<Triple>,
    /// What a function may cost in the first tier.
    pub(crate) tier_up_budget: Option<i32>,
    /// Whether the guest waits for what it asks of the second tier.
    pub(crate) tier_up_waits: bool,
    /// Where compiled modules are kept.
    pub(crate) cache: Option<Cache>,
    /// Settings of the code generator by name that no other option covers.
    pub(crate) compiler_flags: BTreeMap<String, String>,
    inlining: Option<Inlining>,
    pub(crate) module_version: ModuleVersionStrategy,

    pub(crate) allocation_strategy: InstanceAllocationStrategy,
    /// Bytes of a memory's image beyond which holes in it are worth keeping.
    pub(crate) memory_guaranteed_dense_image_size: u64,
    /// Whether images are always copied to a file in memory, never mapped from the artifact.
    pub(crate) force_memory_init_memfd: bool,
    /// Whether shared memories can be created.
    pub(crate) shared_memory: bool,

    pub(crate) collector: Collector,
    /// Bytes that a store's heap has from the start.
    pub(crate) gc_heap_initial_size: u64,
    pub(crate) gc_heap_reservation_for_growth: u64,
    pub(crate) gc_heap_may_move: bool,
    /// Allocations between collections, where the collector is zealous.
    pub(crate) gc_zeal_alloc_counter: Option<NonZeroU32>,
    pub(crate) metadata_for_gc_heap_corruption: bool,

    /// Bytes of stack that guest code may use.
    pub(crate) max_wasm_stack: usize,
    async_stack_size: usize,

    /// Frames in a backtrace at most; none means no backtraces.
    pub(crate) wasm_backtrace_max_frames: Option<NonZeroUsize>,
    /// Whether backtraces have source files and lines.
    pub(crate) wasm_backtrace_details: bool,
    /// Whether the environment decided that, so that a backtrace can say how to get more.
    pub(crate) wasm_backtrace_details_env_used: bool,
}

impl Config {
    /// The default configuration.
    pub fn new() -> Self {
        let mut config = Config {
            tunables: Tunables::default(),
            features_on: WasmFeatures::empty(),
            features_off: WasmFeatures::empty(),
            not_yet: BTreeSet::new(),
            strategy: Strategy::Auto,
            tier_up_budget: None,
            tier_up_waits: false,
            enable_compiler: true,
            parallel_compilation: true,
            target: None,
            cache: None,
            compiler_flags: BTreeMap::new(),
            inlining: None,
            module_version: ModuleVersionStrategy::default(),
            allocation_strategy: InstanceAllocationStrategy::OnDemand,
            memory_guaranteed_dense_image_size: DENSE_IMAGE_SIZE,
            force_memory_init_memfd: false,
            shared_memory: false,
            collector: Collector::default(),
            gc_heap_initial_size: 0,
            gc_heap_reservation_for_growth: 2 << 30,
            gc_heap_may_move: true,
            gc_zeal_alloc_counter: None,
            metadata_for_gc_heap_corruption: true,
            max_wasm_stack: 512 << 10,
            async_stack_size: 2 << 20,
            wasm_backtrace_max_frames: diagnostics::DEFAULT_MAX_FRAMES,
            wasm_backtrace_details: false,
            wasm_backtrace_details_env_used: false,
        };
        config.wasm_backtrace_details(WasmBacktraceDetails::Environment);
        config
    }

    /// Records that an option that this version does not support is on or off. Every method for such an option ends
    /// in this; supporting it means to end in something else.
    fn not_yet(&mut self, method: &'static str, on: bool) -> &mut Self {
        match on {
            true => self.not_yet.insert(method),
            false => self.not_yet.remove(method),
        };
        self
    }

    /// Checks that everything is supported and fits together; gives what compiled code takes for granted and the
    /// features that modules may use.
    ///
    /// # Errors
    ///
    /// A sentence that names the option.
    pub(crate) fn validate(&self) -> Result<(Tunables, WasmFeatures)> {
        if let Some(method) = self.not_yet.first() {
            bail!("`Config::{method}` is not supported by this version of Meantime");
        }
        let features = self.check_features()?;
        self.check_compiler()?;
        self.check_heap()?;
        if self.max_wasm_stack > self.async_stack_size {
            bail!("max_wasm_stack size cannot exceed the async_stack_size");
        }
        ensure!(
            self.max_wasm_stack != 0,
            "max_wasm_stack size cannot be zero"
        );
        ensure!(
            self.memory_guaranteed_dense_image_size <= DENSE_IMAGE_SIZE,
            "memory_guaranteed_dense_image_size cannot exceed {DENSE_IMAGE_SIZE} bytes in this version of Meantime"
        );
        if let InstanceAllocationStrategy::Pooling(_) = self.allocation_strategy {
            bail!("the pooling allocator is not supported by this version of Meantime");
        }
        let mut tunables = self.tunables.clone();
        if !tunables.consume_fuel {
            // Nothing is counted, so engines that differ in it alone run each other's code.
            tunables.operator_cost = FuelCosts::default();
        }
        memory::round(&mut tunables).context("the sizes of memories' reservations and guards")?;
        tunables.inlining = matches!(self.compiler_inlining_mode(), Inlining::Yes);
        Ok((tunables, features))
    }

    fn check_compiler(&self) -> Result<()> {
        if let Some(target) = &self.target
            && !matches!(
                target.architecture,
                Architecture::X86_64 | Architecture::Aarch64(_)
            )
        {
            bail!(
                "support for the architecture of target `{target}` is not in this version of Meantime; \
                 it has x86_64 and aarch64"
            );
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Config");
        let features = self.features();
        for (name, flag) in WasmFeatures::all().iter_names() {
            let name = format!("wasm_{}", name.to_lowercase());
            f.field(&name, &features.contains(flag));
        }
        f.field("strategy", &self.strategy)
            .field("enable_compiler", &self.enable_compiler)
            .field("parallel_compilation", &self.parallel_compilation)
            .field("target", &self.target)
            .field("compiler_flags", &self.compiler_flags)
            .field("compiler_inlining", &self.compiler_inlining_mode())
            .field("module_version", &self.module_version)
            .field("allocation_strategy", &self.allocation_strategy)
            .field(
                "memory_guaranteed_dense_image_size",
                &self.memory_guaranteed_dense_image_size,
            )
            .field("force_memory_init_memfd", &self.force_memory_init_memfd)
            .field("shared_memory", &self.shared_memory)
            .field("collector", &self.collector)
            .field("gc_heap_initial_size", &self.gc_heap_initial_size)
            .field("gc_zeal_alloc_counter", &self.gc_zeal_alloc_counter)
            .field("max_wasm_stack", &self.max_wasm_stack)
            .field("async_stack_size", &self.async_stack_size)
            .field("wasm_backtrace_max_frames", &self.wasm_backtrace_max_frames)
            .field("wasm_backtrace_details", &self.wasm_backtrace_details)
            .field("tunables", &self.tunables)
            .field("not_supported_yet", &self.not_yet)
            .finish()
    }
}
