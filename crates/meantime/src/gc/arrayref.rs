//! [`ArrayRef`]: an array of the guest.

use super::rooting::RootIndex;
use super::{Rooted, object};
use crate::store::{StoreId, StoreOpaque};
use crate::{
    ArrayType, AsContext, AsContextMut, Engine, HeapType, Result, StorageType, StoreContextMut,
    Val, bail, ensure, format_err,
};
use meantime_vm as vm;

/// Allocates arrays of one type in one store: what can be done once for all of them.
pub struct ArrayRefPre {
    store: StoreId,
    ty: ArrayType,
}

impl ArrayRefPre {
    /// An allocator of arrays of this type.
    ///
    /// # Panics
    ///
    /// When the type is of another engine than the store.
    pub fn new(mut store: impl AsContextMut, ty: ArrayType) -> Self {
        let store = store.as_context_mut().0.opaque_mut();
        assert!(
            Engine::same(store.engine(), ty.engine()),
            "the array type is not associated with the store's engine"
        );
        store.admit_type(ty.registered());
        ArrayRefPre {
            store: store.id(),
            ty,
        }
    }
}

/// A reference to an array (`arrayref`). Used through a [`Rooted`] or [`OwnedRooted`](crate::OwnedRooted).
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let field = FieldType::new(Mutability::Var, StorageType::I8);
/// let bytes = ArrayType::new(store.engine(), field);
/// let allocator = ArrayRefPre::new(&mut store, bytes);
/// let array = ArrayRef::new_from_i8_slice(&mut store, &allocator, b"hello")?;
/// assert_eq!(array.len(&store)?, 5);
/// array.set(&mut store, 0, Val::I32(b'j'.into()))?;
/// let mut copy = [0; 5];
/// array.copy_to_i8_slice(&mut store, &mut copy)?;
/// assert_eq!(&copy, b"jello");
/// assert!(array.get(&mut store, 5).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Copy, Clone, Debug)]
#[repr(transparent)]
pub struct ArrayRef {
    pub(super) index: RootIndex,
}

impl ArrayRef {
    /// A new array of `len` times the same element. A packed element takes the lowest bits of an `i32`.
    ///
    /// # Errors
    ///
    /// When the element is of another type, when it is a root that is no longer in scope, or when the heap has no room
    /// ([`GcHeapOutOfMemory`](crate::GcHeapOutOfMemory)).
    ///
    /// # Panics
    ///
    /// When the allocator or the element belongs to another store.
    pub fn new(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elem: &Val,
        len: u32,
    ) -> Result<Rooted<ArrayRef>> {
        let store = store.as_context_mut().0.opaque_mut();
        allocator.check(store, [elem])?;
        let new = object::alloc(store, allocator.ty.id(), len)?;
        object::Values::of(store, new)?.fill(store, elem)?;
        Ok(Rooted::root(store, new.bits()).expect("not null"))
    }

    /// A new array of these elements.
    ///
    /// # Errors
    ///
    /// As for [`ArrayRef::new`].
    ///
    /// # Panics
    ///
    /// As for [`ArrayRef::new`].
    pub fn new_fixed(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elems: &[Val],
    ) -> Result<Rooted<ArrayRef>> {
        let store = store.as_context_mut().0.opaque_mut();
        allocator.check(store, elems)?;
        let len = length(elems.len())?;
        let new = object::alloc(store, allocator.ty.id(), len)?;
        object::Values::of(store, new)?.init(store, elems)?;
        Ok(Rooted::root(store, new.bits()).expect("not null"))
    }

    /// A new array of these bytes.
    ///
    /// # Errors
    ///
    /// When the elements of the allocator's type are not `i8`, or when the heap has no room.
    ///
    /// # Panics
    ///
    /// When the allocator belongs to another store.
    pub fn new_from_i8_slice(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elems: &[u8],
    ) -> Result<Rooted<ArrayRef>> {
        let store = store.as_context_mut().0.opaque_mut();
        allocator.store.check(store);
        let ty = allocator.ty.element_type();
        ensure!(ty.is_i8(), "array element type must be `i8`, not `{ty}`");
        let new = object::alloc(store, allocator.ty.id(), length(elems.len())?)?;
        let bytes = store.vm_mut().gc_bytes_mut(new);
        match bytes.and_then(|bytes| bytes.get_mut(..elems.len())) {
            Some(bytes) => bytes.copy_from_slice(elems),
            None => bail!("the GC heap is corrupt"),
        }
        Ok(Rooted::root(store, new.bits()).expect("not null"))
    }

    /// Copies its bytes.
    ///
    /// # Errors
    ///
    /// When its elements are not `i8`, when `dst` has another length, or when the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn copy_to_i8_slice(&self, mut store: impl AsContextMut, dst: &mut [u8]) -> Result<()> {
        let store = store.as_context_mut().0.opaque_mut();
        let object = self.object(store)?;
        let ty = self.load_ty(store)?.element_type();
        ensure!(ty.is_i8(), "array element type must be `i8`, not `{ty}`");
        let len = object::Values::of(store, object)?.len();
        ensure!(
            len == dst.len(),
            "the array has {len} elements, but the slice {}",
            dst.len()
        );
        match store
            .vm()
            .gc_bytes(object)
            .and_then(|bytes| bytes.get(..len))
        {
            Some(bytes) => dst.copy_from_slice(bytes),
            None => bail!("the GC heap is corrupt"),
        }
        Ok(())
    }

    fn object(&self, store: &StoreOpaque) -> Result<vm::GcRef> {
        self.index.get(store)
    }

    fn load_ty(&self, store: &StoreOpaque) -> Result<ArrayType> {
        match object::heap_type(store, self.object(store)?)? {
            HeapType::ConcreteArray(ty) => Ok(ty),
            other => bail!("expected an array, found {other}"),
        }
    }

    /// Its type.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn ty(&self, store: impl AsContext) -> Result<ArrayType> {
        self.load_ty(store.as_context().0.opaque())
    }

    /// Whether it is of this type or a subtype of it.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When the type is of another engine.
    pub fn matches_ty(&self, store: impl AsContext, ty: &ArrayType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// How many elements it has.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    #[allow(clippy::len_without_is_empty, reason = "the API's names")]
    pub fn len(&self, store: impl AsContext) -> Result<u32> {
        let store = store.as_context();
        let store = store.0.opaque();
        length(object::Values::of(store, self.object(store)?)?.len())
    }

    /// Its elements, in order.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn elems<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<impl ExactSizeIterator<Item = Val> + 'a> {
        let store = store.into().0.opaque_mut();
        let object = self.object(store)?;
        object::Iter::new(store, object)
    }

    /// One of its elements, counted from zero. A packed element is extended with zeros.
    ///
    /// # Errors
    ///
    /// When the index is out of bounds, or the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get(&self, mut store: impl AsContextMut, index: u32) -> Result<Val> {
        let store = store.as_context_mut().0.opaque_mut();
        let object = self.object(store)?;
        object::Values::of(store, object)?.get(store, index as usize)
    }

    /// Changes one of its elements.
    ///
    /// # Errors
    ///
    /// When the index is out of bounds, when elements are not mutable or of another type, or when a root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it or the value belongs to another store.
    pub fn set(&self, mut store: impl AsContextMut, index: u32, value: Val) -> Result<()> {
        let store = store.as_context_mut().0.opaque_mut();
        let object = self.object(store)?;
        object::Values::of(store, object)?.set(store, index as usize, &value)
    }
}

impl ArrayRefPre {
    /// Checks the store and the elements that a new array is to have.
    fn check<'v>(
        &self,
        store: &StoreOpaque,
        elems: impl IntoIterator<Item = &'v Val>,
    ) -> Result<()> {
        self.store.check(store);
        let ty: StorageType = self.ty.element_type();
        for elem in elems {
            object::check(store, elem, &ty).map_err(|e| e.context("element type mismatch"))?;
        }
        Ok(())
    }
}

fn length(len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|_| format_err!("an array cannot have {len} elements"))
}
