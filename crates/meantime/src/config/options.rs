//! The values that options of a [`Config`](super::Config) can have.

use super::PoolingAllocationConfig;
use crate::Error;
use crate::error::bail;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

pub use meantime_abi::{OptLevel, RegallocAlgorithm};

/// Which compiler to use.
#[non_exhaustive]
#[derive(PartialEq, Eq, Clone, Debug, Copy)]
pub enum Strategy {
    /// Both: a function is compiled by the baseline compiler when it is called first, and by the optimizing one, in the background, when it turns out to be
    /// hot. The default. What is serialized is compiled ahead of time by the optimizing compiler.
    Auto,
    /// The optimizing compiler, ahead of time.
    Cranelift,
    /// The baseline compiler, ahead of time and by itself but for functions that it leaves to the optimizing one.
    Winch,
}

/// Which garbage collector to use.
#[non_exhaustive]
#[derive(PartialEq, Eq, Clone, Debug, Copy, Default)]
pub enum Collector {
    /// What is best: copying.
    #[default]
    Auto,
    /// Reference counting, with deferred increments for references on the stack; not in this version.
    DeferredReferenceCounting,
    /// None: objects are never reclaimed, so a heap only grows. Allocating is as fast as can be, and nothing ever pauses: for short
    /// runs.
    Null,
    /// A copying collector: its work is proportional to what lives.
    Copying,
}

/// Which profiler to tell about compiled code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ProfilingStrategy {
    /// None.
    None,
    /// `perf` on Linux, by `/tmp/perf-PID.map`; not supported by this version.
    PerfMap,
    /// `perf` on Linux, by a jitdump file; not supported by this version.
    JitDump,
    /// VTune; not supported by this version.
    VTune,
    /// That of the Pulley interpreter, which Meantime does not have.
    Pulley,
}

/// Whether backtraces have source files and lines, which are read from a module's debug information.
#[derive(Debug, Clone, Copy)]
pub enum WasmBacktraceDetails {
    /// Always.
    Enable,
    /// Never.
    Disable,
    /// If the environment variable `MEANTIME_BACKTRACE_DETAILS` or `WASMTIME_BACKTRACE_DETAILS` is `1`. The default.
    Environment,
}

/// Whether to use what may or may not be there.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum Enabled {
    /// If it is there.
    Auto,
    /// Yes, and it is an error if it is not there.
    Yes,
    /// No.
    No,
}

/// Recording and replaying of executions, which this version of Meantime does not have.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum RRConfig {
    /// Neither.
    None,
}

/// Where the memory of instances comes from.
#[non_exhaustive]
#[derive(Clone, Debug, Default)]
pub enum InstanceAllocationStrategy {
    /// From the operating system, when it is needed.
    #[default]
    OnDemand,
    /// From a pool that is reserved ahead; not supported by this version.
    Pooling(PoolingAllocationConfig),
}

impl InstanceAllocationStrategy {
    /// From a pool with default settings.
    pub fn pooling() -> Self {
        InstanceAllocationStrategy::Pooling(PoolingAllocationConfig::new())
    }
}

impl From<PoolingAllocationConfig> for InstanceAllocationStrategy {
    fn from(cfg: PoolingAllocationConfig) -> InstanceAllocationStrategy {
        InstanceAllocationStrategy::Pooling(cfg)
    }
}

/// Which version a serialized module says it is of, and must have to be loaded.
///
/// ```
/// use meantime::{Config, ModuleVersionStrategy};
///
/// let mut config = Config::new();
/// config.module_version(ModuleVersionStrategy::Custom("nightly-1234".into())).unwrap();
/// assert!(config.module_version(ModuleVersionStrategy::Custom("x".repeat(256))).is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub enum ModuleVersionStrategy {
    /// This library's major version.
    #[default]
    WasmtimeVersion,
    /// A version of the embedder's own, of at most 255 bytes.
    Custom(String),
    /// None: modules of every version are loaded. Only for those who make sure themselves that versions agree.
    None,
}

impl ModuleVersionStrategy {
    /// The version that is written and compared.
    pub fn as_str(&self) -> &str {
        match self {
            ModuleVersionStrategy::WasmtimeVersion => env!("CARGO_PKG_VERSION_MAJOR"),
            ModuleVersionStrategy::Custom(version) => version,
            ModuleVersionStrategy::None => "",
        }
    }
}

impl Hash for ModuleVersionStrategy {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match self {
            ModuleVersionStrategy::WasmtimeVersion => env!("CARGO_PKG_VERSION").hash(hasher),
            ModuleVersionStrategy::Custom(version) => version.hash(hasher),
            ModuleVersionStrategy::None => {}
        }
    }
}

/// Which functions may be compiled into their callers.
///
/// ```
/// use meantime::Inlining;
///
/// assert_eq!("yes".parse::<Inlining>().unwrap(), Inlining::Yes);
/// assert_eq!(Inlining::InterModule.to_string(), "inter-module");
/// assert!("perhaps".parse::<Inlining>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Inlining {
    /// All.
    Yes,
    /// Those of other modules, and of the same module if it uses garbage collection.
    InterModuleAndIntraGc,
    /// Those of other modules.
    InterModule,
    /// The runtime's own only.
    Intrinsics,
    /// None.
    No,
}

impl FromStr for Inlining {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(match s {
            "y" | "yes" | "true" => Inlining::Yes,
            "n" | "no" | "false" => Inlining::No,
            "gc" => Inlining::InterModuleAndIntraGc,
            "inter-module" => Inlining::InterModule,
            "intrinsics" => Inlining::Intrinsics,
            _ => bail!(
                "invalid intra-module inlining option string: `{s}`, only \
                 yes,no,gc,inter-module,intrinsics accepted"
            ),
        })
    }
}

impl fmt::Display for Inlining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Inlining::Yes => "yes",
            Inlining::InterModuleAndIntraGc => "gc",
            Inlining::InterModule => "inter-module",
            Inlining::Intrinsics => "intrinsics",
            Inlining::No => "no",
        })
    }
}
