//! [`EqRef`]: an internal value of the guest that has an identity: a structure, an array or an `i31`.

use super::rooting::RootIndex;
use super::{AnyRef, ArrayRef, I31, Rooted, StructRef};
use crate::{AsContext, AsContextMut, HeapType, Result};

/// A reference to a value that can be compared for identity (`eqref`). Used through a [`Rooted`] or
/// [`OwnedRooted`](crate::OwnedRooted).
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let five = EqRef::from_i31(&mut store, I31::wrapping_u32(5));
/// assert_eq!(five.unwrap_i31(&store)?.get_u32(), 5);
/// assert!(!five.is_struct(&store)?);
/// let same = AnyRef::from_i31(&mut store, I31::wrapping_u32(5));
/// assert!(Rooted::ref_eq(&store, &five.to_anyref(), &same)?);
/// # Ok(())
/// # }
/// ```
#[derive(Copy, Clone, Debug)]
#[repr(transparent)]
pub struct EqRef {
    pub(super) index: RootIndex,
}

impl EqRef {
    /// `ref.i31`
    pub fn from_i31(mut store: impl AsContextMut, value: I31) -> Rooted<EqRef> {
        Rooted::root(store.as_context_mut().0.opaque_mut(), value.bits()).expect("not null")
    }

    fn any(&self) -> Rooted<AnyRef> {
        Rooted::of(self).cast()
    }

    /// Its most exact heap type.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn ty(&self, store: impl AsContext) -> Result<HeapType> {
        self.any().ty(store)
    }

    /// Whether it is of this heap type.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn matches_ty(&self, store: impl AsContext, ty: &HeapType) -> Result<bool> {
        self.any().matches_ty(store, ty)
    }

    /// Whether it is an `i31`.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn is_i31(&self, store: impl AsContext) -> Result<bool> {
        self.any().is_i31(store)
    }

    /// The `i31` that it is, if it is one.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn as_i31(&self, store: impl AsContext) -> Result<Option<I31>> {
        self.any().as_i31(store)
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
        let i31 = self.as_i31(store)?;
        Ok(i31.expect("EqRef::unwrap_i31 on a reference that is not an i31"))
    }

    /// Whether it is a structure.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn is_struct(&self, store: impl AsContext) -> Result<bool> {
        self.any().is_struct(store)
    }

    /// The structure that it is, if it is one.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn as_struct(&self, store: impl AsContext) -> Result<Option<Rooted<StructRef>>> {
        self.any().as_struct(store)
    }

    /// The structure that it is.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it is something else.
    pub fn unwrap_struct(&self, store: impl AsContext) -> Result<Rooted<StructRef>> {
        let structure = self.as_struct(store)?;
        Ok(structure.expect("EqRef::unwrap_struct on a reference that is not a structure"))
    }

    /// Whether it is an array.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn is_array(&self, store: impl AsContext) -> Result<bool> {
        self.any().is_array(store)
    }

    /// The array that it is, if it is one.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn as_array(&self, store: impl AsContext) -> Result<Option<Rooted<ArrayRef>>> {
        self.any().as_array(store)
    }

    /// The array that it is.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it is something else.
    pub fn unwrap_array(&self, store: impl AsContext) -> Result<Rooted<ArrayRef>> {
        let array = self.as_array(store)?;
        Ok(array.expect("EqRef::unwrap_array on a reference that is not an array"))
    }
}
