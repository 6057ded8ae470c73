//! The operating system, one folder per platform.
//!
//! The rest of the crate knows no platform: it uses the functions and types that the platform's
//! folder exports, all of which take handles that the caller already has. Nothing here decides what
//! a guest may do.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::*;

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    Read,
    Write,
}
