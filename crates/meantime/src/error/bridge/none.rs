//! Without the Cargo feature `anyhow`: no conversion to or from it.

use super::layer::Layer;

/// What a layer must be able to do besides: nothing.
pub(super) trait Bridge {}

impl<L: Layer> Bridge for L {}

/// What [`format_err!`](crate::format_err) does with values of that library's error type: nothing special.
pub mod constructor {}
