//! [`ToWasmtimeResult`]: results of other libraries' error types, as [`Result`]s.

use super::Result;

/// Turns a result with an error type that is much like [`Error`](super::Error) into a [`Result`].
///
/// Coherence forbids `From<anyhow::Error> for Error`, so `?` alone cannot do it.
pub trait ToWasmtimeResult<T> {
    /// The same result.
    fn to_wasmtime_result(self) -> Result<T>;
}

impl<T> ToWasmtimeResult<T> for Result<T> {
    fn to_wasmtime_result(self) -> Result<T> {
        self
    }
}
