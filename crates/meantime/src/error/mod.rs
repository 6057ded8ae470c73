//! Errors: one type for everything that can go wrong, with its causes and a backtrace.
//!
//! The one idea: an [`Error`] is a list of layers. The innermost is what went wrong (a value of any type that can be
//! shown), each layer around it is context somebody added on the way out; every layer can be asked for by its type.
//! It is used as `anyhow::Error` is, and converts to and from it (Cargo feature `anyhow`).

#[cfg(feature = "anyhow")]
#[path = "bridge/anyhow.rs"]
mod bridge;
#[cfg(not(feature = "anyhow"))]
#[path = "bridge/none.rs"]
mod bridge;

mod context;
mod layer;
#[doc(hidden)]
pub mod macros;
mod oom;
mod to_result;
mod value;

#[cfg(test)]
mod tests;

pub use crate::{bail, ensure, format_err};
pub use context::Context;
pub use oom::OutOfMemory;
pub use to_result::ToWasmtimeResult;
pub use value::{Chain, Error};

/// A result whose error is an [`Error`] unless said otherwise.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// `Ok`, with the error type fixed to [`Error`]: for the end of a closure whose error type nothing else says.
///
/// ```
/// let read = || {
///     let port: u16 = "8080".parse()?;
///     meantime::error::Ok(port)
/// };
/// assert_eq!(read().unwrap(), 8080);
/// ```
#[allow(non_snake_case, reason = "it stands for the variant of that name")]
pub fn Ok<T>(value: T) -> Result<T> {
    core::result::Result::Ok(value)
}
