//! [`ExternRef`]: a value of the host that the guest can hold but not look into.

use super::rooting::RootIndex;
use super::{AnyRef, Rooted};
use crate::store::from_allocate_error;
use crate::{AsContextMut, Result, StoreContext, StoreContextMut, bail};
use core::any::Any;

/// A reference to a value of the host (`externref`). Used through a [`Rooted`] or [`OwnedRooted`](crate::OwnedRooted).
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let reference = ExternRef::new(&mut store, String::from("hello"))?;
/// let data = reference.data(&store)?.unwrap();
/// assert_eq!(data.downcast_ref::<String>().unwrap(), "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Copy, Clone, Debug)]
#[repr(transparent)]
pub struct ExternRef {
    pub(super) index: RootIndex,
}

impl ExternRef {
    /// Gives a value to the store's heap and roots it.
    ///
    /// # Errors
    ///
    /// When the heap has no room.
    pub fn new<T>(mut store: impl AsContextMut, value: T) -> Result<Rooted<ExternRef>>
    where
        T: 'static + Any + Send + Sync,
    {
        let store = store.as_context_mut().0.opaque_mut();
        let object = store
            .vm_mut()
            .alloc_extern(Box::new(value))
            .map_err(from_allocate_error)?;
        Ok(Rooted::root(store, object.bits()).expect("not null"))
    }

    /// The value, or none when the reference is not the host's but an internal one that was converted.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn data<'a, T>(
        &self,
        store: impl Into<StoreContext<'a, T>>,
    ) -> Result<Option<&'a (dyn Any + Send + Sync)>>
    where
        T: 'static,
    {
        let store = store.into().0.opaque();
        let object = self.index.get(store)?;
        Ok(store.vm().gc().extern_data(object))
    }

    /// The value, to change. See [`ExternRef::data`].
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn data_mut<'a, T>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<Option<&'a mut (dyn Any + Send + Sync)>>
    where
        T: 'static,
    {
        let store = store.into().0.opaque_mut();
        let object = self.index.get(store)?;
        Ok(store.vm_mut().gc_mut().extern_data_mut(object))
    }

    /// The reference that code passed, rooted; none for null.
    ///
    /// # Errors
    ///
    /// None: a number that names no object is a root that reads as none.
    pub fn from_raw(mut store: impl AsContextMut, raw: u32) -> Option<Rooted<ExternRef>> {
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

    /// `extern.convert_any`
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn convert_any(
        mut context: impl AsContextMut,
        anyref: Rooted<AnyRef>,
    ) -> Result<Rooted<ExternRef>> {
        let store = context.as_context_mut().0.opaque_mut();
        if !anyref.belongs_to(store) {
            bail!("reference belongs to another store");
        }
        anyref.unroot(store)?;
        Ok(anyref.cast())
    }
}
