//! [`StructRef`]: a structure of the guest.

use super::rooting::RootIndex;
use super::{Rooted, object};
use crate::store::StoreId;
use crate::{AsContext, AsContextMut, Engine, HeapType, Result, StoreContextMut, StructType, Val};
use meantime_vm as vm;

/// Allocates structures of one type in one store: what can be done once for all of them.
pub struct StructRefPre {
    store: StoreId,
    ty: StructType,
}

impl StructRefPre {
    /// An allocator of structures of this type.
    ///
    /// # Panics
    ///
    /// When the type is of another engine than the store.
    pub fn new(mut store: impl AsContextMut, ty: StructType) -> Self {
        let store = store.as_context_mut().0.opaque_mut();
        assert!(
            Engine::same(store.engine(), ty.engine()),
            "the structure type is not associated with the store's engine"
        );
        store.admit_type(ty.registered());
        StructRefPre {
            store: store.id(),
            ty,
        }
    }
}

/// A reference to a structure (`structref`). Used through a [`Rooted`] or [`OwnedRooted`](crate::OwnedRooted).
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let ty = StructType::new(
///     store.engine(),
///     [
///         FieldType::new(Mutability::Var, StorageType::I8),
///         FieldType::new(Mutability::Const, ValType::ANYREF.into()),
///     ],
/// )?;
/// let allocator = StructRefPre::new(&mut store, ty);
/// let structure = StructRef::new(&mut store, &allocator, &[Val::I32(0x1ff), Val::null_any_ref()])?;
/// assert_eq!(structure.field(&mut store, 0)?.unwrap_i32(), 0xff);
/// structure.set_field(&mut store, 0, Val::I32(7))?;
/// assert_eq!(structure.fields(&mut store)?.next().unwrap().unwrap_i32(), 7);
/// assert!(structure.set_field(&mut store, 1, Val::null_any_ref()).is_err());
///
/// // It can be passed to guests, and stays what it is.
/// let any = structure.to_anyref();
/// assert!(any.is_struct(&store)?);
/// # Ok(())
/// # }
/// ```
#[derive(Copy, Clone, Debug)]
#[repr(transparent)]
pub struct StructRef {
    pub(super) index: RootIndex,
}

impl StructRef {
    /// A new structure with these fields. A packed field takes the lowest bits of an `i32`.
    ///
    /// # Errors
    ///
    /// When the fields do not fit the type in number or kind, when a root among them is no longer in scope, or when the heap has no room
    /// ([`GcHeapOutOfMemory`](crate::GcHeapOutOfMemory)).
    ///
    /// # Panics
    ///
    /// When the allocator or a field belongs to another store.
    pub fn new(
        mut store: impl AsContextMut,
        allocator: &StructRefPre,
        fields: &[Val],
    ) -> Result<Rooted<StructRef>> {
        let store = store.as_context_mut().0.opaque_mut();
        allocator.store.check(store);
        let types = allocator.ty.fields();
        object::check_all(store, fields, types.map(|f| f.element_type().clone()))?;
        let new = object::alloc(store, allocator.ty.id(), 0)?;
        object::Values::of(store, new)?.init(store, fields)?;
        Ok(Rooted::root(store, new.bits()).expect("not null"))
    }

    fn object(&self, store: &crate::store::StoreOpaque) -> Result<vm::GcRef> {
        self.index.get(store)
    }

    /// Its type.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn ty(&self, store: impl AsContext) -> Result<StructType> {
        let store = store.as_context();
        let store = store.0.opaque();
        match object::heap_type(store, self.object(store)?)? {
            HeapType::ConcreteStruct(ty) => Ok(ty),
            other => crate::bail!("expected a structure, found {other}"),
        }
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
    pub fn matches_ty(&self, store: impl AsContext, ty: &StructType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// Its fields, in order.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn fields<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<impl ExactSizeIterator<Item = Val> + 'a> {
        let store = store.into().0.opaque_mut();
        let object = self.object(store)?;
        object::Iter::new(store, object)
    }

    /// One of its fields, counted from zero. A packed field is extended with zeros.
    ///
    /// # Errors
    ///
    /// When there is no such field, or the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val> {
        let store = store.as_context_mut().0.opaque_mut();
        let object = self.object(store)?;
        object::Values::of(store, object)?.get(store, index)
    }

    /// Changes one of its fields.
    ///
    /// # Errors
    ///
    /// When there is no such field, when it is not mutable or of another type, or when a root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it or the value belongs to another store.
    pub fn set_field(&self, mut store: impl AsContextMut, index: usize, value: Val) -> Result<()> {
        let store = store.as_context_mut().0.opaque_mut();
        let object = self.object(store)?;
        object::Values::of(store, object)?.set(store, index, &value)
    }
}
