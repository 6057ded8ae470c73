//! The error that carries a guest's exit status out to the host.
//!
//! It is not a failure of the runtime: `proc_exit` has no other way to unwind the guest than an
//! error.

use std::error::Error;
use std::fmt;

/// The guest ended itself with `proc_exit`; the field is its exit status.
///
/// A call that ends this way returns an error whose `downcast_ref::<I32Exit>()` is `Some`. Status 0
/// is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct I32Exit(pub i32);

impl fmt::Display for I32Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exited with i32 exit status {}", self.0)
    }
}

impl Error for I32Exit {}
