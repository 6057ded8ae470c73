//! [`Context`]: saying what was being done, on the way out.

use super::layer::WithContext;
use super::{Error, Result};
use std::backtrace::Backtrace;
use std::convert::Infallible;
use std::fmt::Display;

mod sealed {
    pub trait Sealed {}
    impl<T, E> Sealed for Result<T, E> {}
    impl<T> Sealed for Option<T> {}
}

/// Adds context to the error of a [`Result`], or makes an error of a `None`.
///
/// ```
/// use meantime::{Result, error::Context};
///
/// fn third(items: &[u32]) -> Result<u32> {
///     let item = items.get(2).context("fewer than three items")?;
///     Ok(*item)
/// }
///
/// assert_eq!(third(&[1, 2, 3]).unwrap(), 3);
/// assert_eq!(third(&[]).unwrap_err().to_string(), "fewer than three items");
/// ```
pub trait Context<T, E>: sealed::Sealed {
    /// Adds context that is there already.
    fn context<C>(self, context: C) -> Result<T, Error>
    where
        C: Display + Send + Sync + 'static;

    /// Adds context that is computed only if there is an error.
    fn with_context<C, F>(self, f: F) -> Result<T, Error>
    where
        C: Display + Send + Sync + 'static,
        F: FnOnce() -> C;
}

impl<T, E> Context<T, E> for Result<T, E>
where
    E: std::error::Error + Send + Sync + 'static,
{
    #[track_caller]
    fn context<C>(self, context: C) -> Result<T, Error>
    where
        C: Display + Send + Sync + 'static,
    {
        self.map_err(|e| Error::new(e).context(context))
    }

    #[track_caller]
    fn with_context<C, F>(self, f: F) -> Result<T, Error>
    where
        C: Display + Send + Sync + 'static,
        F: FnOnce() -> C,
    {
        self.map_err(|e| Error::new(e).context(f()))
    }
}

impl<T> Context<T, Error> for Result<T, Error> {
    fn context<C>(self, context: C) -> Result<T, Error>
    where
        C: Display + Send + Sync + 'static,
    {
        self.map_err(|e| e.context(context))
    }

    fn with_context<C, F>(self, f: F) -> Result<T, Error>
    where
        C: Display + Send + Sync + 'static,
        F: FnOnce() -> C,
    {
        self.map_err(|e| e.context(f()))
    }
}

impl<T> Context<T, Infallible> for Option<T> {
    #[track_caller]
    fn context<C>(self, context: C) -> Result<T, Error>
    where
        C: Display + Send + Sync + 'static,
    {
        self.with_context(|| context)
    }

    #[track_caller]
    fn with_context<C, F>(self, f: F) -> Result<T, Error>
    where
        C: Display + Send + Sync + 'static,
        F: FnOnce() -> C,
    {
        self.ok_or_else(|| {
            let layer = WithContext {
                context: f(),
                source: None,
            };
            Error::from_layer(Box::new(layer), Backtrace::capture())
        })
    }
}
