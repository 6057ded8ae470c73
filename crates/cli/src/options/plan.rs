//! What all options add up to: the engine's configuration and what a run needs besides.
//! Not the options' spelling: rows of the tables write into a [`Plan`], commands read it.

use meantime::{Config, StoreLimits, StoreLimitsBuilder};
use std::path::PathBuf;
use std::time::Duration;

/// The sum of all options.
#[derive(Debug, Default)]
pub struct Plan {
    /// For the engine.
    pub config: Config,
    /// Whether `async-stack-size` was given, so that `max-wasm-stack` does not choose it.
    pub async_stack_size_given: bool,
    /// Whether compiled code is kept on disk, if that was said.
    pub cache: Option<bool>,
    /// The file that says where, if not the usual one.
    pub cache_config: Option<PathBuf>,
    /// Whether to say which functions ran in which tier.
    pub tiers: bool,
    /// Whether logging may be set up.
    pub logging: bool,
    /// Whether commands may export what a command should not.
    pub unknown_exports_allow: bool,
    /// What stands in for imports that nothing provides.
    pub unknown_imports: UnknownImports,
    /// What ends a run early.
    pub bounds: Bounds,
    /// What a store may grow to.
    pub limits: Limits,
    /// What WASI gives the guest.
    pub wasi: WasiPlan,
}

/// What stands in for imports that nothing provides.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum UnknownImports {
    /// Nothing: the module does not link.
    #[default]
    Error,
    /// Functions that trap when called.
    Trap,
    /// Functions that return zero values.
    Default,
}

impl UnknownImports {
    /// Chooses `choice`, or gives it up if it was chosen.
    pub fn set(&mut self, choice: UnknownImports, on: bool) {
        if on {
            *self = choice;
        } else if *self == choice {
            *self = UnknownImports::Error;
        }
    }
}

/// What ends a run early; `None` does not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// Fuel for the guest.
    pub fuel: Option<u64>,
    /// How long the guest may take.
    pub timeout: Option<Duration>,
}

/// What a store may grow to; `None` leaves the library's default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Bytes a memory may grow to.
    pub memory_size: Option<usize>,
    /// Elements a table may grow to.
    pub table_elements: Option<usize>,
    /// Instances in a store.
    pub instances: Option<usize>,
    /// Tables in a store.
    pub tables: Option<usize>,
    /// Memories in a store.
    pub memories: Option<usize>,
    /// Whether failing to grow is a trap.
    pub trap_on_grow_failure: Option<bool>,
}

impl Limits {
    /// The limiter for a store, or `None` when no limit was asked for and growing needs no questions.
    pub fn limiter(&self) -> Option<StoreLimits> {
        if *self == Limits::default() {
            return None;
        }
        let mut limits = StoreLimitsBuilder::new();
        if let Some(bytes) = self.memory_size {
            limits = limits.memory_size(bytes);
        }
        if let Some(elements) = self.table_elements {
            limits = limits.table_elements(elements);
        }
        if let Some(count) = self.instances {
            limits = limits.instances(count);
        }
        if let Some(count) = self.tables {
            limits = limits.tables(count);
        }
        if let Some(count) = self.memories {
            limits = limits.memories(count);
        }
        if let Some(trap) = self.trap_on_grow_failure {
            limits = limits.trap_on_grow_failure(trap);
        }
        Some(limits.build())
    }
}

/// What WASI gives the guest, apart from arguments, directories and variables.
#[derive(Clone, Debug)]
pub struct WasiPlan {
    /// Whether WASI is provided at all.
    pub cli: bool,
    /// Whether `wasi_unstable` is provided.
    pub preview0: bool,
    /// Whether the guest sees the host's whole environment.
    pub inherit_env: bool,
    /// Whether the guest reads the host's stdin.
    pub inherit_stdin: bool,
    /// Whether the guest writes the host's stdout.
    pub inherit_stdout: bool,
    /// Whether the guest writes the host's stderr.
    pub inherit_stderr: bool,
    /// The most random bytes the guest may ask for at once.
    pub max_random_size: Option<u64>,
    /// Where sockets listen that the guest may accept connections from.
    pub tcp_listen: Vec<String>,
}

impl Default for WasiPlan {
    fn default() -> WasiPlan {
        WasiPlan {
            cli: true,
            preview0: true,
            inherit_env: false,
            inherit_stdin: true,
            inherit_stdout: true,
            inherit_stderr: true,
            max_random_size: None,
            tcp_listen: Vec::new(),
        }
    }
}
