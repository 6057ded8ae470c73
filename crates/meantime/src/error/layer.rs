//! The kinds of layers that an [`Error`] is made of.
//!
//! Each holds one value, of a type that only its maker knows; [`Layer`] is what the list asks of all of them.

use super::Error;
use super::bridge::Bridge;
use std::any::Any;
use std::error::Error as StdError;
use std::fmt;

/// One layer of an [`Error`].
pub(super) trait Layer: Bridge + Send + Sync + 'static {
    /// The layer as an error, whose sources are the layers inside.
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static);

    /// As [`Layer::as_error`], owned.
    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static>;

    /// What can be downcast to.
    fn value(&self) -> &dyn Any;

    /// What can be downcast to.
    fn value_mut(&mut self) -> &mut dyn Any;

    /// Moves the value into `slot` when that is an `Option` of its type; gives the layer inside otherwise.
    fn move_out(self: Box<Self>, slot: &mut dyn Any) -> Option<Error>;

    /// The layer inside.
    fn inner(&self) -> Option<&Error> {
        None
    }

    /// The layer inside.
    fn inner_mut(&mut self) -> Option<&mut Error> {
        None
    }
}

/// Fills `slot` when it is an `Option<V>`.
pub(super) fn fill<V: 'static>(slot: &mut dyn Any, value: V) {
    if let Some(slot) = slot.downcast_mut::<Option<V>>() {
        *slot = Some(value);
    }
}

/// An error of a type of its own.
pub(super) struct Foreign<E>(pub(super) E);

impl<E: StdError + Send + Sync + 'static> Layer for Foreign<E> {
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &self.0
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        Box::new(self.0)
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

/// A message.
pub(super) struct Message<M>(pub(super) M);

impl<M: fmt::Debug> fmt::Debug for Message<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<M: fmt::Display> fmt::Display for Message<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<M: fmt::Debug + fmt::Display> StdError for Message<M> {}

impl<M: fmt::Debug + fmt::Display + Send + Sync + 'static> Layer for Message<M> {
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
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

/// An error of a type that is not known.
pub(super) struct Boxed(pub(super) Box<dyn StdError + Send + Sync + 'static>);

impl Layer for Boxed {
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self.0
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

/// Context, around another layer or by itself (of an `Option` that was `None`).
pub(super) struct WithContext<C> {
    pub(super) context: C,
    pub(super) source: Option<Error>,
}

impl<C: fmt::Display> fmt::Debug for WithContext<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context.fmt(f)
    }
}

impl<C: fmt::Display> fmt::Display for WithContext<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context.fmt(f)
    }
}

impl<C: fmt::Display> StdError for WithContext<C> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source.as_ref())
    }
}

impl<C: fmt::Display + Send + Sync + 'static> Layer for WithContext<C> {
    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn value(&self) -> &dyn Any {
        &self.context
    }

    fn value_mut(&mut self) -> &mut dyn Any {
        &mut self.context
    }

    fn move_out(self: Box<Self>, slot: &mut dyn Any) -> Option<Error> {
        fill(slot, self.context);
        self.source
    }

    fn inner(&self) -> Option<&Error> {
        self.source.as_ref()
    }

    fn inner_mut(&mut self) -> Option<&mut Error> {
        self.source.as_mut()
    }
}
