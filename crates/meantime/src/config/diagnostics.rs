//! Options about backtraces, debugging and profiling.

use super::{Config, ProfilingStrategy, RRConfig, WasmBacktraceDetails};
use std::num::NonZeroUsize;

/// Frames in a backtrace unless the embedder says otherwise.
pub(super) const DEFAULT_MAX_FRAMES: Option<NonZeroUsize> = NonZeroUsize::new(20);

/// Environment variables that ask for details in backtraces: Meantime's own, and the one that users know already.
const DETAILS_VARIABLES: [&str; 2] = ["MEANTIME_BACKTRACE_DETAILS", "WASMTIME_BACKTRACE_DETAILS"];

impl Config {
    /// Whether errors of guests have a backtrace. True by default. The same as a limit of no frames or, if there was none, the default
    /// one.
    pub fn wasm_backtrace(&mut self, enable: bool) -> &mut Self {
        let frames = self.wasm_backtrace_max_frames.or(DEFAULT_MAX_FRAMES);
        self.wasm_backtrace_max_frames = frames.filter(|_| enable);
        self
    }

    /// Frames in a backtrace at most, innermost first; none means no backtraces. 20 by default.
    pub fn wasm_backtrace_max_frames(&mut self, limit: Option<NonZeroUsize>) -> &mut Self {
        self.wasm_backtrace_max_frames = limit;
        self
    }

    /// Whether backtraces have source files and lines. [`WasmBacktraceDetails::Environment`] by default.
    pub fn wasm_backtrace_details(&mut self, enable: WasmBacktraceDetails) -> &mut Self {
        let set = |name: &&str| std::env::var_os(name).is_some_and(|value| value == "1");
        let (details, from_environment) = match enable {
            WasmBacktraceDetails::Enable => (true, false),
            WasmBacktraceDetails::Disable => (false, false),
            WasmBacktraceDetails::Environment => (DETAILS_VARIABLES.iter().any(set), true),
        };
        self.wasm_backtrace_details = details;
        self.wasm_backtrace_details_env_used = from_environment;
        self
    }

    /// Whether code addresses are mapped to offsets in the module, which backtraces show. True by default.
    pub fn generate_address_map(&mut self, generate: bool) -> &mut Self {
        self.tunables.generate_address_map = generate;
        self
    }

    /// Whether native unwinders can walk through compiled code, which backtraces of guests do not need. Asking for it is not supported
    /// by this version.
    pub fn native_unwind_info(&mut self, enable: bool) -> &mut Self {
        self.not_yet("native_unwind_info", enable)
    }

    /// Whether serialized modules have a symbol table. True by default; doing without is not supported by this version.
    pub fn debug_symbols(&mut self, enable: bool) -> &mut Self {
        self.not_yet("debug_symbols(false)", !enable)
    }

    /// Debug information for native debuggers. Not supported by this version.
    pub fn debug_info(&mut self, enable: bool) -> &mut Self {
        self.not_yet("debug_info", enable)
    }

    /// Debugging of guests through the API. Not supported by this version.
    pub fn guest_debug(&mut self, enable: bool) -> &mut Self {
        self.not_yet("guest_debug", enable)
    }

    /// Debug information of adapters between components. Not supported by this version.
    pub fn debug_adapter_modules(&mut self, debug: bool) -> &mut Self {
        self.not_yet("debug_adapter_modules", debug)
    }

    /// Core dumps in the errors of traps. Not supported by this version.
    pub fn coredump_on_trap(&mut self, enable: bool) -> &mut Self {
        self.not_yet("coredump_on_trap", enable)
    }

    /// Which profiler to tell about compiled code. This version supports [`ProfilingStrategy::None`] only.
    pub fn profiler(&mut self, profile: ProfilingStrategy) -> &mut Self {
        self.not_yet("profiler", profile != ProfilingStrategy::None)
    }

    /// Checks of every access against the guest's own allocator. Not supported by this version.
    pub fn wmemcheck(&mut self, enable: bool) -> &mut Self {
        self.not_yet("wmemcheck", enable)
    }

    /// Trap information for the compiler's own assertions. Not supported by this version.
    pub fn metadata_for_internal_asserts(&mut self, enable: bool) -> &mut Self {
        self.not_yet("metadata_for_internal_asserts", enable)
    }

    /// Whether traps are caught by Mach ports rather than signals. Of no effect outside macOS.
    pub fn macos_use_mach_ports(&mut self, mach_ports: bool) -> &mut Self {
        let _ = mach_ports;
        self
    }

    /// Recording and replaying. There is [`RRConfig::None`] only.
    pub fn rr(&mut self, cfg: RRConfig) -> &mut Self {
        match cfg {
            RRConfig::None => self,
        }
    }
}
