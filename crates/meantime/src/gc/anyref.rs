//! [`AnyRef`]: an internal value of the guest.

use super::rooting::RootIndex;
use super::{ExternRef, I31, Rooted};
use crate::{AsContext, AsContextMut, HeapType, Result, bail};

/// A reference to an internal value (`anyref`). Used through a [`Rooted`] or [`OwnedRooted`](crate::OwnedRooted).
#[derive(Copy, Clone, Debug)]
#[repr(transparent)]
pub struct AnyRef {
    pub(super) index: RootIndex,
}

impl AnyRef {
    /// `ref.i31`
    pub fn from_i31(mut store: impl AsContextMut, value: I31) -> Rooted<AnyRef> {
        Rooted::root(store.as_context_mut().0.opaque_mut(), value.bits()).expect("not null")
    }

    /// Whether it is an `i31`.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn is_i31(&self, store: impl AsContext) -> Result<bool> {
        Ok(self.as_i31(store)?.is_some())
    }

    /// The `i31` that it is, if it is one.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn as_i31(&self, store: impl AsContext) -> Result<Option<I31>> {
        let object = self.index.get(store.as_context().0.opaque())?;
        Ok(I31::from_bits(object.bits()))
    }

    /// The `i31` that it is.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it is something else.
    pub fn unwrap_i31(&self, store: impl AsContext) -> Result<I31> {
        Ok(self
            .as_i31(store)?
            .expect("AnyRef::unwrap_i31 on a reference that is not an i31"))
    }

    /// Its most exact heap type.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn ty(&self, store: impl AsContext) -> Result<HeapType> {
        Rooted::<AnyRef>::of(self).load_heap_type(store.as_context().0.opaque())
    }

    /// Whether it is of this heap type.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn matches_ty(&self, store: impl AsContext, ty: &HeapType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// The reference that code passed, rooted; none for null.
    pub fn from_raw(mut store: impl AsContextMut, raw: u32) -> Option<Rooted<AnyRef>> {
        Rooted::root(store.as_context_mut().0.opaque_mut(), raw)
    }

    /// The reference as it is passed to code: unrooted, so it must be used before the next collection.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn to_raw(&self, mut store: impl AsContextMut) -> Result<u32> {
        Ok(self
            .index
            .get(store.as_context_mut().0.opaque_mut())?
            .bits())
    }

    /// `any.convert_extern`
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope, or belongs to another store.
    pub fn convert_extern(
        mut store: impl AsContextMut,
        externref: Rooted<ExternRef>,
    ) -> Result<Rooted<AnyRef>> {
        let store = store.as_context_mut().0.opaque_mut();
        if !externref.belongs_to(store) {
            bail!("reference belongs to another store");
        }
        externref.unroot(store)?;
        Ok(externref.cast())
    }
}
