//! Options about running: stacks, interruption, traps.

use super::Config;

impl Config {
    /// Bytes of stack that guest code may use, in all frames together; using more is a trap. 512 KiB by default.
    ///
    /// The embedder makes sure that threads that call guests have as much, and more for the host's own functions.
    pub fn max_wasm_stack(&mut self, size: usize) -> &mut Self {
        self.max_wasm_stack = size;
        self
    }

    /// Bytes of the stacks that asynchronous calls run on. 2 MiB by default. There are no asynchronous calls in this version; all the
    /// same it must be no less than [`Config::max_wasm_stack`].
    pub fn async_stack_size(&mut self, size: usize) -> &mut Self {
        self.async_stack_size = size;
        self
    }

    /// Clearing of stacks before they are used again. Not supported by this version.
    pub fn async_stack_zeroing(&mut self, enable: bool) -> &mut Self {
        self.not_yet("async_stack_zeroing", enable)
    }

    /// Of no effect: asynchronous functions need no option.
    #[doc(hidden)]
    #[deprecated(note = "no longer has any effect")]
    pub fn async_support(&mut self, _enable: bool) -> &mut Self {
        self
    }

    /// Concurrent calls of components. Not supported by this version.
    pub fn concurrency_support(&mut self, enable: bool) -> &mut Self {
        self.not_yet("concurrency_support", enable)
    }

    /// Counting of executed instructions. Not supported by this version.
    pub fn consume_fuel(&mut self, enable: bool) -> &mut Self {
        self.tunables.consume_fuel = enable;
        self.not_yet("consume_fuel", enable)
    }

    /// Interruption from other threads. Not supported by this version.
    pub fn epoch_interruption(&mut self, enable: bool) -> &mut Self {
        self.tunables.epoch_interruption = enable;
        self.not_yet("epoch_interruption", enable)
    }

    /// Whether faults of the hardware become traps. If not, compiled code checks for everything explicitly and the process's signal
    /// handlers are left alone. True by default.
    pub fn signals_based_traps(&mut self, enable: bool) -> &mut Self {
        self.tunables.signals_based_traps = enable;
        self
    }
}
