//! `wasi_unstable`, preview 0: what compilers of 2019 import.
//!
//! It is preview 1 with an older name, without `sock_accept`, and with three differences in layout:
//! the link count of `filestat` has 32 bits, the clock in a `subscription` has a field more, and
//! the numbers of `whence` are others.

use crate::p1::{self, Version, WasiP1Ctx};
use meantime::{Linker, Result};

/// Adds all functions of `wasi_unstable` to `linker`. `get` finds the context in the data of the
/// store; it may be the same context as for preview 1.
///
/// # Errors
///
/// If the linker has one of the functions already and does not allow shadowing.
pub fn add_to_linker_sync<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) -> Result<()> {
    p1::add_to_linker(linker, "wasi_unstable", Version::Preview0, get)
}

/// The same for a linker whose guests run asynchronously.
///
/// The functions are those of [`add_to_linker_sync`]: while one waits for input or for a clock, it
/// blocks its thread and does not yield to the executor.
///
/// # Errors
///
/// As there.
pub fn add_to_linker_async<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) -> Result<()> {
    add_to_linker_sync(linker, get)
}
