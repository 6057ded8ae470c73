//! A store's fuel, and what it does when the engine's epoch reaches its deadline.
//!
//! Not here: counting and comparing, which compiled code does ([`Config::consume_fuel`], [`Config::epoch_interruption`]). The one idea: a guest that reaches
//! the deadline calls the store, which decides: the trap, or what the host's callback says.

use super::{Store, StoreContext, StoreContextMut, StoreInner, StoreOpaque, to_host_error};
use crate::error::{bail, ensure};
use crate::{Caller, Result};
use core::future::Future;
use core::mem;
use core::pin::Pin;
use meantime_vm as vm;

#[cfg(doc)]
use crate::{Config, Engine, Trap};

/// What a callback of [`Store::epoch_deadline_callback`] wants to happen to the guest that reached the deadline.
#[non_exhaustive]
pub enum UpdateDeadline {
    /// The guest traps with [`Trap::Interrupt`]. The deadline stays where it is, so the next guest is interrupted at once.
    Interrupt,
    /// The guest goes on, to a deadline so many epochs from now.
    Continue(u64),
    /// The same, after others had their turn. For asynchronous calls, which this version of Meantime does not have: the guest is stopped with an error.
    Yield(u64),
    /// The same, after the future is done. For asynchronous calls, which this version of Meantime does not have: the guest is stopped with an error.
    YieldCustom(u64, Pin<Box<dyn Future<Output = ()> + Send>>),
}

type Callback<T> =
    Box<dyn FnMut(StoreContextMut<'_, T>) -> Result<UpdateDeadline> + Send + Sync + 'static>;

/// What happens at the deadline.
pub(super) enum AtDeadline<T: 'static> {
    Trap,
    Call(Callback<T>),
    /// The callback is running. A guest that it calls and that reaches the deadline traps.
    Calling,
}

impl StoreOpaque {
    fn get_fuel(&self) -> Result<u64> {
        self.ensure_fuel()?;
        Ok(self.core.fuel())
    }

    fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.ensure_fuel()?;
        self.core.set_fuel(fuel);
        Ok(())
    }

    fn fuel_async_yield_interval(&self, interval: Option<u64>) -> Result<()> {
        self.ensure_fuel()?;
        match interval {
            None => Ok(()),
            Some(0) => bail!("fuel_async_yield_interval must not be 0"),
            Some(_) => bail!(
                "`fuel_async_yield_interval` needs asynchronous calls, which this version of Meantime does not support"
            ),
        }
    }

    fn ensure_fuel(&self) -> Result<()> {
        ensure!(
            self.engine.tunables().consume_fuel,
            "fuel is not configured in this store"
        );
        Ok(())
    }
}

impl<T> StoreInner<T> {
    fn epoch_deadline_trap(&mut self) {
        self.at_deadline = AtDeadline::Trap;
    }

    /// How many epochs from now the next deadline is.
    pub(super) fn at_epoch_deadline(&mut self) -> Result<u64, vm::Pending> {
        let AtDeadline::Call(mut callback) =
            mem::replace(&mut self.at_deadline, AtDeadline::Calling)
        else {
            self.at_deadline = AtDeadline::Trap;
            return Err(meantime_abi::Trap::Interrupt.into());
        };
        let update = callback(StoreContextMut(self));
        if let AtDeadline::Calling = self.at_deadline {
            self.at_deadline = AtDeadline::Call(callback);
        }
        let refused = match update {
            Ok(UpdateDeadline::Continue(epochs)) => return Ok(epochs),
            Ok(UpdateDeadline::Interrupt) => return Err(meantime_abi::Trap::Interrupt.into()),
            Ok(UpdateDeadline::Yield(_) | UpdateDeadline::YieldCustom(..)) => crate::format_err!(
                "a guest yields in asynchronous calls only, which this version of Meantime does not support"
            ),
            Err(error) => error,
        };
        Err(vm::Pending::error(to_host_error(refused)))
    }
}

impl<T> Store<T> {
    /// What is left of the fuel.
    ///
    /// In a host function this is exact: everything that the guest did before the call is paid, the call too. After a trap other than
    /// [`Trap::OutOfFuel`], which leaves nothing, it can lack what the function that trapped used since its last call, its start or that of a loop's
    /// latest round.
    ///
    /// # Errors
    ///
    /// When the engine does not count fuel ([`Config::consume_fuel`]).
    pub fn get_fuel(&self) -> Result<u64> {
        self.inner.opaque().get_fuel()
    }

    /// Gives the store so much fuel, whatever it had. A new store has none.
    ///
    /// Guests use it up as they run: see [`Config::consume_fuel`] for how fast. When none is left, they trap with [`Trap::OutOfFuel`] at the next entry of
    /// a function or start of a loop. The store can be used all the same, once it has fuel again.
    ///
    /// # Errors
    ///
    /// When the engine does not count fuel.
    ///
    /// ```
    /// use meantime::*;
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().consume_fuel(true))?;
    /// let module = Module::new(&engine, r#"(module (func (export "forever") (loop (br 0))))"#)?;
    /// let mut store = Store::new(&engine, ());
    /// store.set_fuel(10_000)?;
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let forever = instance.get_typed_func::<(), ()>(&mut store, "forever")?;
    /// let error = forever.call(&mut store, ()).unwrap_err();
    /// assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel));
    /// assert_eq!(store.get_fuel()?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.inner.opaque_mut().set_fuel(fuel)
    }

    /// How much fuel an asynchronous call uses before others have their turn. None, which it is, is that they wait until it is done.
    ///
    /// # Errors
    ///
    /// When the engine does not count fuel; and for any interval, as this version of Meantime has no asynchronous calls.
    pub fn fuel_async_yield_interval(&mut self, interval: Option<u64>) -> Result<()> {
        self.inner.opaque().fuel_async_yield_interval(interval)
    }

    /// Sets the deadline so many epochs from now: guests are interrupted once [`Engine::increment_epoch`] has been called as often.
    ///
    /// A new store's deadline is its engine's epoch zero, which has begun, so its guests are interrupted at once. Without
    /// [`Config::epoch_interruption`] guests do not look, and this has no effect.
    pub fn set_epoch_deadline(&mut self, ticks_beyond_current: u64) {
        StoreContextMut(&mut self.inner).set_epoch_deadline(ticks_beyond_current);
    }

    /// Lets guests that reach the deadline trap with [`Trap::Interrupt`], as they do in a new store.
    ///
    /// ```
    /// use meantime::*;
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().epoch_interruption(true))?;
    /// let module = Module::new(&engine, r#"(module (func (export "forever") (loop (br 0))))"#)?;
    /// let mut store = Store::new(&engine, ());
    /// store.epoch_deadline_trap();
    /// store.set_epoch_deadline(1);
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let forever = instance.get_typed_func::<(), ()>(&mut store, "forever")?;
    /// let timer = {
    ///     let engine = engine.clone();
    ///     std::thread::spawn(move || engine.increment_epoch())
    /// };
    /// let error = forever.call(&mut store, ()).unwrap_err();
    /// assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    /// # timer.join().unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn epoch_deadline_trap(&mut self) {
        self.inner.epoch_deadline_trap();
    }

    /// Calls `callback` when a guest reaches the deadline, to decide what happens to it.
    ///
    /// The callback may use the store as a host function may. An error that it returns stops the guest and comes out of the call.
    ///
    /// ```
    /// use meantime::*;
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().epoch_interruption(true))?;
    /// let module = Module::new(&engine, r#"(module (func (export "forever") (loop (br 0))))"#)?;
    /// let mut store = Store::new(&engine, 0);
    /// // Three more epochs of no length, and then an end.
    /// store.epoch_deadline_callback(|mut store| {
    ///     *store.data_mut() += 1;
    ///     match store.data() {
    ///         1..=3 => Ok(UpdateDeadline::Continue(0)),
    ///         _ => Err(Error::msg("enough")),
    ///     }
    /// });
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let forever = instance.get_typed_func::<(), ()>(&mut store, "forever")?;
    /// let error = forever.call(&mut store, ()).unwrap_err();
    /// assert!(format!("{error:?}").contains("enough"));
    /// assert_eq!(*store.data(), 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn epoch_deadline_callback(
        &mut self,
        callback: impl FnMut(StoreContextMut<'_, T>) -> Result<UpdateDeadline> + Send + Sync + 'static,
    ) {
        self.inner.at_deadline = AtDeadline::Call(Box::new(callback));
    }
}

impl<T> StoreContext<'_, T> {
    /// What is left of the fuel. See [`Store::get_fuel`].
    ///
    /// # Errors
    ///
    /// See [`Store::get_fuel`].
    pub fn get_fuel(&self) -> Result<u64> {
        self.0.opaque().get_fuel()
    }
}

impl<T> StoreContextMut<'_, T> {
    /// What is left of the fuel. See [`Store::get_fuel`].
    ///
    /// # Errors
    ///
    /// See [`Store::get_fuel`].
    pub fn get_fuel(&self) -> Result<u64> {
        self.0.opaque().get_fuel()
    }

    /// Gives the store so much fuel. See [`Store::set_fuel`].
    ///
    /// # Errors
    ///
    /// See [`Store::set_fuel`].
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.0.opaque_mut().set_fuel(fuel)
    }

    /// See [`Store::fuel_async_yield_interval`].
    ///
    /// # Errors
    ///
    /// See [`Store::fuel_async_yield_interval`].
    pub fn fuel_async_yield_interval(&mut self, interval: Option<u64>) -> Result<()> {
        self.0.opaque().fuel_async_yield_interval(interval)
    }

    /// Sets the deadline. See [`Store::set_epoch_deadline`].
    pub fn set_epoch_deadline(&mut self, ticks_beyond_current: u64) {
        let core = self.0.opaque_mut().vm_mut();
        core.set_epoch_deadline(ticks_beyond_current);
    }

    /// Lets guests that reach the deadline trap. See [`Store::epoch_deadline_trap`].
    pub fn epoch_deadline_trap(&mut self) {
        self.0.epoch_deadline_trap();
    }
}

impl<T> Caller<'_, T> {
    /// What is left of the fuel. See [`Store::get_fuel`].
    ///
    /// # Errors
    ///
    /// See [`Store::get_fuel`].
    ///
    /// ```
    /// use meantime::*;
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().consume_fuel(true))?;
    /// let module = Module::new(
    ///     &engine,
    ///     r#"(module (import "host" "look" (func $look)) (func (export "run") (call $look)))"#,
    /// )?;
    /// let mut linker = Linker::new(&engine);
    /// linker.func_wrap("host", "look", |mut caller: Caller<'_, ()>| -> Result<()> {
    ///     // One for the entry of `run`, one for its `call`.
    ///     assert_eq!(caller.get_fuel()?, 98);
    ///     caller.set_fuel(50)
    /// })?;
    /// let mut store = Store::new(&engine, ());
    /// store.set_fuel(100)?;
    /// let instance = linker.instantiate(&mut store, &module)?;
    /// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
    /// assert_eq!(store.get_fuel()?, 50);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_fuel(&self) -> Result<u64> {
        self.opaque().get_fuel()
    }

    /// Gives the store so much fuel, which the guest that called goes on with. See [`Store::set_fuel`].
    ///
    /// # Errors
    ///
    /// See [`Store::set_fuel`].
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.opaque_mut().set_fuel(fuel)
    }

    /// See [`Store::fuel_async_yield_interval`].
    ///
    /// # Errors
    ///
    /// See [`Store::fuel_async_yield_interval`].
    pub fn fuel_async_yield_interval(&mut self, interval: Option<u64>) -> Result<()> {
        self.opaque().fuel_async_yield_interval(interval)
    }
}
