//! Without the Cargo feature `anyhow`: no conversion to or from it.

use super::layer::Layer;
use std::any::Any;

/// What a layer must be able to do besides: nothing.
pub(super) trait Bridge {}

impl<L: Layer> Bridge for L {}

/// What is inside an error of that library: nothing, as there is none.
pub(super) fn find<E>(_: &dyn Any) -> Option<&E> {
    None
}

/// As [`find`].
pub(super) fn find_mut<E>(_: &mut dyn Any) -> Option<&mut E> {
    None
}

/// As [`find`].
pub(super) fn move_out<E>(_: Box<dyn Layer>) -> Option<E> {
    None
}

/// What [`format_err!`](crate::format_err) does with values of that library's error type: nothing special.
pub mod constructor {}
