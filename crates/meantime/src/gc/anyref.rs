//! [`AnyRef`]: an internal value of the guest.

use super::rooting::RootIndex;
use super::{ArrayRef, EqRef, ExternRef, I31, Rooted, StructRef, object};
use crate::store::StoreOpaque;
use crate::{AsContext, AsContextMut, HeapType, Result, bail};

/// A reference to an internal value (`anyref`). Used through a [`Rooted`] or [`OwnedRooted`](crate::OwnedRooted).
///
/// It is an `i31`, a structure, an array, or a value of the host that was made internal.
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let ty = StructType::new(store.engine(), [])?;
/// let allocator = StructRefPre::new(&mut store, ty.clone());
/// let any = StructRef::new(&mut store, &allocator, &[])?.to_anyref();
/// assert!(any.is_eqref(&store)? && any.is_struct(&store)? && !any.is_array(&store)?);
/// assert!(any.unwrap_struct(&store)?.matches_ty(&store, &ty)?);
///
/// let host = ExternRef::new(&mut store, 5u32)?;
/// let host = AnyRef::convert_extern(&mut store, host)?;
/// assert!(!host.is_eqref(&store)? && host.matches_ty(&store, &HeapType::Any)?);
/// # Ok(())
/// # }
/// ```
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

    /// Whether it is an `i31`, a structure or an array.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn is_eqref(&self, store: impl AsContext) -> Result<bool> {
        self.is(store, &HeapType::Eq)
    }

    /// The same root as an [`EqRef`], if it is one.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn as_eqref(&self, store: impl AsContextMut) -> Result<Option<Rooted<EqRef>>> {
        let is = self.is_eqref(store)?;
        Ok(is.then(|| Rooted::of(self).cast()))
    }

    /// The same root as an [`EqRef`].
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it is something else.
    pub fn unwrap_eqref(&self, store: impl AsContextMut) -> Result<Rooted<EqRef>> {
        let eq = self.as_eqref(store)?;
        Ok(eq.expect("AnyRef::unwrap_eqref on a reference that is not an eqref"))
    }

    /// Whether it is a structure.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn is_struct(&self, store: impl AsContext) -> Result<bool> {
        self.is(store, &HeapType::Struct)
    }

    /// The same root as a [`StructRef`], if it is one.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn as_struct(&self, store: impl AsContext) -> Result<Option<Rooted<StructRef>>> {
        let is = self.is_struct(store)?;
        Ok(is.then(|| Rooted::of(self).cast()))
    }

    /// The same root as a [`StructRef`].
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
        Ok(structure.expect("AnyRef::unwrap_struct on a reference that is not a structure"))
    }

    /// Whether it is an array.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn is_array(&self, store: impl AsContext) -> Result<bool> {
        self.is(store, &HeapType::Array)
    }

    /// The same root as an [`ArrayRef`], if it is one.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn as_array(&self, store: impl AsContext) -> Result<Option<Rooted<ArrayRef>>> {
        let is = self.is_array(store)?;
        Ok(is.then(|| Rooted::of(self).cast()))
    }

    /// The same root as an [`ArrayRef`].
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
        Ok(array.expect("AnyRef::unwrap_array on a reference that is not an array"))
    }

    pub(crate) fn load_ty(&self, store: &StoreOpaque) -> Result<HeapType> {
        object::heap_type(store, self.index.get(store)?)
    }

    fn is(&self, store: impl AsContext, ty: &HeapType) -> Result<bool> {
        let ty_of_this = self.load_ty(store.as_context().0.opaque())?;
        Ok(ty_of_this.matches(ty))
    }

    /// Its most exact heap type.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn ty(&self, store: impl AsContext) -> Result<HeapType> {
        self.load_ty(store.as_context().0.opaque())
    }

    /// Whether it is of this heap type.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn matches_ty(&self, store: impl AsContext, ty: &HeapType) -> Result<bool> {
        self.is(store, ty)
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
