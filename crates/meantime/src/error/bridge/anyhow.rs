//! With the Cargo feature `anyhow`: conversion to and from its error type, layer by layer, so that what can be downcast to stays so.

use super::layer::{Boxed, Foreign, Layer, Message, WithContext, fill};
use super::{Error, Result, ToWasmtimeResult};
use std::any::Any;
use std::backtrace::Backtrace;
use std::error::Error as StdError;
use std::fmt;

/// What a layer must be able to do besides: become an `anyhow::Error`.
pub(super) trait Bridge {
    /// The layer and those inside it, as an `anyhow::Error`.
    fn into_anyhow(self: Box<Self>) -> anyhow::Error;
}

impl<E: StdError + Send + Sync + 'static> Bridge for Foreign<E> {
    fn into_anyhow(self: Box<Self>) -> anyhow::Error {
        anyhow::Error::new(self.0)
    }
}

impl<M: fmt::Debug + fmt::Display + Send + Sync + 'static> Bridge for Message<M> {
    fn into_anyhow(self: Box<Self>) -> anyhow::Error {
        anyhow::Error::msg(self.0)
    }
}

impl Bridge for Boxed {
    fn into_anyhow(self: Box<Self>) -> anyhow::Error {
        anyhow::Error::from_boxed(self.0)
    }
}

impl<C: fmt::Display + Send + Sync + 'static> Bridge for WithContext<C> {
    fn into_anyhow(self: Box<Self>) -> anyhow::Error {
        match self.source {
            Some(source) => anyhow::Error::from(source).context(self.context),
            None => anyhow::Error::msg(WithContext {
                context: self.context,
                source: None,
            }),
        }
    }
}

/// An `anyhow::Error`. Can be downcast to as such, and to what it holds.
struct Anyhow(anyhow::Error);

impl Layer for Anyhow {
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.0.as_ref()
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self.0.into_boxed_dyn_error()
    }

    fn value(&self) -> &dyn Any {
        &self.0
    }

    fn value_mut(&mut self) -> &mut dyn Any {
        &mut self.0
    }

    fn move_out(self: Box<Self>, slot: &mut dyn Any) -> Option<Error> {
        fill(slot, self.0);
        None
    }
}

impl Bridge for Anyhow {
    fn into_anyhow(self: Box<Self>) -> anyhow::Error {
        self.0
    }
}

/// What is of this type inside an `anyhow::Error`.
pub(super) fn find<E>(value: &dyn Any) -> Option<&E>
where
    E: fmt::Display + fmt::Debug + Send + Sync + 'static,
{
    value.downcast_ref::<anyhow::Error>()?.downcast_ref()
}

/// As [`find`].
pub(super) fn find_mut<E>(value: &mut dyn Any) -> Option<&mut E>
where
    E: fmt::Display + fmt::Debug + Send + Sync + 'static,
{
    value.downcast_mut::<anyhow::Error>()?.downcast_mut()
}

/// As [`find`].
pub(super) fn move_out<E>(layer: Box<dyn Layer>) -> Option<E>
where
    E: fmt::Display + fmt::Debug + Send + Sync + 'static,
{
    let mut found: Option<anyhow::Error> = None;
    layer.move_out(&mut found);
    found?.downcast().ok()
}

impl Error {
    /// Wraps an `anyhow::Error`. It can be had back by downcasting to that type, and what it holds by downcasting to its type.
    ///
    /// ```
    /// let error = meantime::Error::from_anyhow(anyhow::anyhow!("no").context("asking"));
    /// assert_eq!(format!("{error:#}"), "asking: no");
    /// assert!(error.is::<anyhow::Error>());
    /// ```
    #[cold]
    #[track_caller]
    pub fn from_anyhow(error: anyhow::Error) -> Self {
        Error::from_layer(Box::new(Anyhow(error)), Backtrace::capture())
    }
}

impl From<Error> for anyhow::Error {
    fn from(error: Error) -> anyhow::Error {
        error.into_layer().into_anyhow()
    }
}

impl<T> ToWasmtimeResult<T> for anyhow::Result<T> {
    /// ```
    /// use meantime::{Result, ToWasmtimeResult};
    ///
    /// fn other_library() -> anyhow::Result<u32> {
    ///     anyhow::bail!("no")
    /// }
    ///
    /// fn ours() -> Result<u32> {
    ///     other_library().to_wasmtime_result()
    /// }
    ///
    /// assert_eq!(ours().unwrap_err().to_string(), "no");
    /// ```
    fn to_wasmtime_result(self) -> Result<T> {
        self.map_err(Error::from_anyhow)
    }
}

/// What [`format_err!`](crate::format_err) does with an `anyhow::Error`.
pub mod constructor {
    use crate::Error;

    /// Chosen for an `anyhow::Error`.
    pub trait ForAnyhow {
        /// How to make the error.
        fn meantime_error_constructor(&self) -> fn(anyhow::Error) -> Error {
            Error::from_anyhow
        }
    }

    impl ForAnyhow for anyhow::Error {}
}
