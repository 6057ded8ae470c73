//! [`ExnRef`]: an exception.

use super::rooting::RootIndex;
use super::{Rooted, object};
use crate::store::{StoreId, StoreOpaque};
use crate::{
    AsContext, AsContextMut, Engine, ExnType, FuncType, HeapType, Result, StoreContextMut, Tag,
    Val, bail, ensure, format_err,
};
use meantime_abi::{EXN_TAG, GcStorage};
use meantime_vm as vm;

/// Allocates exceptions of one type in one store: what can be done once for all of them.
pub struct ExnRefPre {
    store: StoreId,
    ty: ExnType,
}

impl ExnRefPre {
    /// An allocator of exceptions of this type.
    ///
    /// # Panics
    ///
    /// When the type is of another engine than the store.
    pub fn new(mut store: impl AsContextMut, ty: ExnType) -> Self {
        let store = store.as_context_mut().0.opaque_mut();
        assert!(
            Engine::same(store.engine(), ty.engine()),
            "the exception type is not associated with the store's engine"
        );
        store.admit_type(ty.func().registered());
        ExnRefPre {
            store: store.id(),
            ty,
        }
    }
}

/// A reference to an exception (`exnref`). Used through a [`Rooted`] or [`OwnedRooted`](crate::OwnedRooted).
///
/// An exception has a [`Tag`], by which guests catch it, and carries values. A host function throws one by
/// [`StoreContextMut::throw`]:
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(
///     &engine,
///     r#"(module
///         (import "host" "tag" (tag $tag (param i32)))
///         (import "host" "fail" (func $fail))
///         (func (export "run") (result i32)
///             (block $caught (result i32)
///                 (try_table (catch $tag $caught) (call $fail))
///                 (i32.const 0))))"#,
/// )?;
/// let mut store = Store::new(&engine, ());
/// let ty = FuncType::new(&engine, [ValType::I32], []);
/// let tag = Tag::new(&mut store, &TagType::new(ty))?;
/// let fail = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>| -> Result<()> {
///     let ty = ExnType::from_tag_type(&tag.ty(&caller))?;
///     let allocator = ExnRefPre::new(&mut caller, ty);
///     let exception = ExnRef::new(&mut caller, &allocator, &tag, &[Val::I32(42)])?;
///     caller.as_context_mut().throw(exception)
/// });
/// let instance = Instance::new(&mut store, &module, &[tag.into(), fail.into()])?;
/// let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
/// assert_eq!(run.call(&mut store, ())?, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Copy, Clone, Debug)]
#[repr(transparent)]
pub struct ExnRef {
    pub(super) index: RootIndex,
}

impl ExnRef {
    /// A new exception with this tag that carries these values.
    ///
    /// # Errors
    ///
    /// When the tag is not of the allocator's type, when the values do not fit it in number or kind, when a root among them is no longer
    /// in scope, or when the heap has no room ([`GcHeapOutOfMemory`](crate::GcHeapOutOfMemory)).
    ///
    /// # Panics
    ///
    /// When the allocator, the tag or a value belongs to another store.
    pub fn new(
        mut store: impl AsContextMut,
        allocator: &ExnRefPre,
        tag: &Tag,
        fields: &[Val],
    ) -> Result<Rooted<ExnRef>> {
        let store = store.as_context_mut().0.opaque_mut();
        allocator.store.check(store);
        let expected = allocator.ty.func();
        ensure!(
            FuncType::eq(tag.load_ty(store).ty(), expected),
            "the tag is not of the type of the exceptions to be allocated"
        );
        let types = allocator.ty.fields();
        object::check_all(store, fields, types.map(|f| f.element_type().clone()))?;
        let number = store.vm().tag_number(tag.id(store));
        let new = object::alloc(store, expected.id(), 0)?;
        let number = crate::ValRaw::i32(number as i32);
        let written = store
            .vm_mut()
            .gc_write(new, EXN_TAG, GcStorage::I32, number);
        ensure!(written, "the GC heap is corrupt");
        object::Values::of(store, new)?.init(store, fields)?;
        Ok(Rooted::root(store, new.bits()).expect("not null"))
    }

    /// The reference that code passed, rooted; none for null.
    pub fn from_raw(mut store: impl AsContextMut, raw: u32) -> Option<Rooted<ExnRef>> {
        Rooted::root(store.as_context_mut().0.opaque_mut(), raw)
    }

    /// The reference as it is passed to code: unrooted, so it must be used before the next collection.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn to_raw(&self, mut store: impl AsContextMut) -> Result<u32> {
        let store = store.as_context_mut().0.opaque_mut();
        Ok(self.object(store)?.bits())
    }

    pub(crate) fn object(&self, store: &StoreOpaque) -> Result<vm::GcRef> {
        self.index.get(store)
    }

    pub(crate) fn load_ty(&self, store: &StoreOpaque) -> Result<ExnType> {
        match object::heap_type(store, self.object(store)?)? {
            HeapType::ConcreteExn(ty) => Ok(ty),
            other => bail!("expected an exception, found {other}"),
        }
    }

    /// Its type.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    pub fn ty(&self, store: impl AsContext) -> Result<ExnType> {
        self.load_ty(store.as_context().0.opaque())
    }

    /// Whether it is of this heap type.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When the type is of another engine.
    pub fn matches_ty(&self, store: impl AsContext, ty: &HeapType) -> Result<bool> {
        Ok(HeapType::from(self.ty(store)?).matches(ty))
    }

    /// Its tag.
    ///
    /// # Errors
    ///
    /// When the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn tag(&self, mut store: impl AsContextMut) -> Result<Tag> {
        let store = store.as_context_mut().0.opaque_mut();
        let object = self.object(store)?;
        let number = store.vm().gc_read(object, EXN_TAG, GcStorage::I32);
        let tag = number.and_then(|number| store.vm().tag_of_number(number.get_u32()));
        let tag = tag.ok_or_else(|| format_err!("the GC heap is corrupt"))?;
        Ok(Tag::from_id(store, tag))
    }

    /// The values that it carries, in order.
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

    /// One of the values that it carries, counted from zero.
    ///
    /// # Errors
    ///
    /// When there is no such value, or the root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val> {
        let store = store.as_context_mut().0.opaque_mut();
        let object = self.object(store)?;
        object::Values::of(store, object)?.get(store, index)
    }
}
