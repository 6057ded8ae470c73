//! References to what a store's heap holds, and how the host keeps them alive.
//!
//! The one idea: the host never holds a bare reference. A [`Rooted`] is a place in a stack of roots that ends with its scope (a
//! [`RootScope`], or the host function it was made in); an [`OwnedRooted`] is a root of its own that ends when it is dropped.

mod anyref;
mod arrayref;
mod eqref;
mod exnref;
mod externref;
mod i31;
pub(crate) mod object;
mod rooting;
mod structref;

pub use anyref::AnyRef;
pub use arrayref::{ArrayRef, ArrayRefPre};
pub use eqref::EqRef;
pub use exnref::{ExnRef, ExnRefPre};
pub use externref::ExternRef;
pub use i31::I31;
pub use rooting::{GcRef, OwnedRooted, RootScope, Rooted, RootedGcRef};
pub use structref::{StructRef, StructRefPre};

use core::convert::Infallible;

/// The bottom of the function hierarchy: a type without values. Its null is `None::<NoFunc>`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct NoFunc {
    pub(crate) _inner: Infallible,
}

impl NoFunc {
    /// Null.
    pub fn null() -> Option<NoFunc> {
        None
    }
}

/// The bottom of the external hierarchy: a type without values. Its null is `None::<NoExtern>`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct NoExtern {
    pub(crate) _inner: Infallible,
}

impl NoExtern {
    /// Null.
    pub fn null() -> Option<NoExtern> {
        None
    }
}

/// The bottom of the internal hierarchy: a type without values. Its null is `None::<NoneRef>`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct NoneRef {
    pub(crate) _inner: Infallible,
}

impl NoneRef {
    /// Null.
    pub fn null() -> Option<NoneRef> {
        None
    }

    /// Null as a reference.
    pub fn null_ref() -> crate::Ref {
        crate::Ref::Any(None)
    }

    /// Null as a value.
    pub fn null_val() -> crate::Val {
        crate::Val::AnyRef(None)
    }
}

/// The error of a call that ended with an exception that nothing caught; the exception waits in the store
/// ([`Store::take_pending_exception`](crate::Store::take_pending_exception)).
///
/// A host function that returns this error, its own or that of a call that it made, throws the exception that waits in the store.
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(
///     &engine,
///     r#"(module
///         (tag $tag (export "tag") (param i64))
///         (func (export "run") (throw $tag (i64.const 7))))"#,
/// )?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
///
/// let error = run.call(&mut store, ()).unwrap_err();
/// assert!(error.is::<ThrownException>() && error.is::<WasmBacktrace>());
/// let exception = store.take_pending_exception().unwrap();
/// let tag = instance.get_tag(&mut store, "tag").unwrap();
/// assert!(Tag::eq(&exception.tag(&mut store)?, &tag, &store));
/// assert_eq!(exception.field(&mut store, 0)?.unwrap_i64(), 7);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ThrownException;

impl core::fmt::Display for ThrownException {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("thrown Wasm exception")
    }
}

impl core::error::Error for ThrownException {}

/// The heap has no room for a value, which comes back with the error.
#[derive(Debug)]
pub struct GcHeapOutOfMemory<T> {
    value: T,
}

impl GcHeapOutOfMemory<()> {
    pub(crate) fn new() -> Self {
        GcHeapOutOfMemory { value: () }
    }
}

impl<T> GcHeapOutOfMemory<T> {
    /// The value that there is no room for.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The value that there is no room for, and the rest of the error.
    pub fn take_inner(self) -> (T, GcHeapOutOfMemory<()>) {
        (self.value, GcHeapOutOfMemory { value: () })
    }
}

impl<T> core::fmt::Display for GcHeapOutOfMemory<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("GC heap out of memory")
    }
}

impl<T: core::fmt::Debug + Send + Sync + 'static> core::error::Error for GcHeapOutOfMemory<T> {}
