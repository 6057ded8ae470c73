//! [`ContType`]: the types of continuations, of which there are none yet.

use crate::Engine;
use std::convert::Infallible;
use std::fmt;

/// The type of a continuation.
///
/// This version of Meantime has no stack switching, so there is no value of this type; it stands where the types of
/// references name it.
#[derive(Clone, Debug, Hash)]
pub struct ContType {
    never: Infallible,
}

impl ContType {
    /// The engine that it belongs to.
    pub fn engine(&self) -> &Engine {
        match self.never {}
    }

    /// Whether this is the other type.
    pub fn matches(&self, _other: &ContType) -> bool {
        match self.never {}
    }
}

impl fmt::Display for ContType {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.never {}
    }
}
