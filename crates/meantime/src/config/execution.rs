//! Options about running: stacks, interruption, traps.

use super::Config;
use crate::OperatorCost;
use meantime_abi::FuelCosts;

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

    /// Whether guests use up fuel as they run, and are stopped when their store has none left. False by default.
    ///
    /// This bounds what a guest does, and always at the same place: the same call with the same fuel comes to the same end on every machine. It costs
    /// more than [`Config::epoch_interruption`], which bounds the time that it takes.
    ///
    /// A store has no fuel before [`Store::set_fuel`](crate::Store::set_fuel). Entering a function uses one, and so does almost every instruction; those
    /// that only shape the code (`nop`, `drop`, `block`, `loop`, `else`, `end`, `return`, `unreachable`) use none, and those that work on many bytes
    /// or elements one more for each. [`Config::operator_cost`] changes that.
    pub fn consume_fuel(&mut self, enable: bool) -> &mut Self {
        self.tunables.consume_fuel = enable;
        self
    }

    /// How much fuel each instruction uses, where fuel is counted ([`Config::consume_fuel`]).
    ///
    /// ```
    /// use meantime::*;
    /// # fn main() -> Result<()> {
    /// let mut cost = OperatorCost::new();
    /// cost.I32DivU = 20;
    /// cost.variable.memory_fill_per_byte = 0;
    /// let engine = Engine::new(Config::new().consume_fuel(true).operator_cost(cost))?;
    /// let module = Module::new(
    ///     &engine,
    ///     r#"(module (func (export "run") (drop (i32.div_u (i32.const 6) (i32.const 3)))))"#,
    /// )?;
    /// let mut store = Store::new(&engine, ());
    /// store.set_fuel(100)?;
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
    /// // The function's entry, two constants, and the division.
    /// assert_eq!(store.get_fuel()?, 100 - 1 - 2 - 20);
    /// # Ok(())
    /// # }
    /// ```
    pub fn operator_cost(&mut self, cost: OperatorCost) -> &mut Self {
        self.tunables.operator_cost = FuelCosts::from(&cost);
        self
    }

    /// Whether guests can be interrupted from another thread, by [`Engine::increment_epoch`](crate::Engine::increment_epoch). False by default.
    ///
    /// Guests compare the engine's epoch with the deadline of their store ([`Store::set_epoch_deadline`](crate::Store::set_epoch_deadline), to be called
    /// before they run) in every round of a loop, on the way to a function's first call, and before instructions that work on many bytes or elements.
    /// What happens at the deadline is the store's choice: a trap ([`Store::epoch_deadline_trap`](crate::Store::epoch_deadline_trap)), which
    /// is the default, or [`Store::epoch_deadline_callback`](crate::Store::epoch_deadline_callback). Guests that wait in a host function are not interrupted.
    pub fn epoch_interruption(&mut self, enable: bool) -> &mut Self {
        self.tunables.epoch_interruption = enable;
        self
    }

    /// Whether faults of the hardware become traps. If not, compiled code checks for everything explicitly and the process's signal
    /// handlers are left alone. True by default.
    pub fn signals_based_traps(&mut self, enable: bool) -> &mut Self {
        self.tunables.signals_based_traps = enable;
        self
    }
}
