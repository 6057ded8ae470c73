//! Roots: [`Rooted`], [`OwnedRooted`] and [`RootScope`].
//!
//! The one idea: a root is a place ([`RootIndex`]) in the store's tables of roots, checked on every use, so that a root whose scope has
//! ended is an error and never another object.

use crate::gc::{AnyRef, ArrayRef, EqRef, ExnRef, ExternRef, StructRef};
use crate::store::{StoreId, StoreOpaque};
use crate::{AsContext, AsContextMut, Result, StoreContext, StoreContextMut, format_err};
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;
use meantime_vm as vm;

/// Where a root is.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
#[doc(hidden)]
pub struct RootIndex {
    store: StoreId,
    place: Place,
}

#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
enum Place {
    /// In the stack of roots.
    Scoped(vm::Root),
    /// On its own.
    Owned(vm::OwnedRootId),
}

impl RootIndex {
    fn belongs_to(&self, store: &StoreOpaque) -> bool {
        self.store == store.id()
    }

    pub(crate) fn get(&self, store: &StoreOpaque) -> Result<vm::GcRef> {
        self.store.check(store);
        let gc = store.vm().gc();
        let found = match self.place {
            Place::Scoped(root) => gc.root(root),
            Place::Owned(root) => gc.owned_by_id(root),
        };
        found.ok_or_else(|| {
            format_err!("attempted to use a garbage-collected object that has been unrooted")
        })
    }
}

/// A type of references into a store's heap. Only types of this crate are.
pub trait GcRef: Copy + fmt::Debug + Send + Sync + 'static {
    #[doc(hidden)]
    fn at(index: RootIndex) -> Self;
    #[doc(hidden)]
    fn index(&self) -> RootIndex;
}

macro_rules! gc_refs {
    ($($ty:ident)*) => {$(
        impl GcRef for $ty {
            fn at(index: RootIndex) -> $ty {
                $ty { index }
            }
            fn index(&self) -> RootIndex {
                self.index
            }
        }
    )*};
}

gc_refs! { ExternRef AnyRef EqRef StructRef ArrayRef ExnRef }

macro_rules! upcasts {
    ($($from:ident { $($method:ident $to:ident)* })*) => {$(
        impl Rooted<$from> {
            $(
                #[doc = concat!("The same root as an [`", stringify!($to), "`].")]
                pub fn $method(self) -> Rooted<$to> {
                    self.cast()
                }
            )*
        }

        impl OwnedRooted<$from> {
            $(
                #[doc = concat!("The same root as an [`", stringify!($to), "`].")]
                pub fn $method(self) -> OwnedRooted<$to> {
                    OwnedRooted {
                        inner: $to::at(self.inner.index()),
                        root: self.root,
                    }
                }
            )*
        }

        $(
            impl From<Rooted<$from>> for Rooted<$to> {
                fn from(root: Rooted<$from>) -> Rooted<$to> {
                    root.$method()
                }
            }

            impl From<OwnedRooted<$from>> for OwnedRooted<$to> {
                fn from(root: OwnedRooted<$from>) -> OwnedRooted<$to> {
                    root.$method()
                }
            }
        )*
    )*};
}

upcasts! {
    EqRef { to_anyref AnyRef }
    StructRef { to_anyref AnyRef to_eqref EqRef }
    ArrayRef { to_anyref AnyRef to_eqref EqRef }
}

/// A root that lives until its scope ends: the innermost [`RootScope`] or host function that it was made in, or else the store.
#[repr(transparent)]
pub struct Rooted<T: GcRef> {
    inner: T,
}

impl<T: GcRef> Clone for Rooted<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: GcRef> Copy for Rooted<T> {}

impl<T: GcRef> fmt::Debug for Rooted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rooted({:?})", self.inner)
    }
}

impl<T: GcRef> Deref for Rooted<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: GcRef> Rooted<T> {
    /// Roots what code passed, unless it is null.
    pub(crate) fn root(store: &mut StoreOpaque, raw: u32) -> Option<Rooted<T>> {
        let object = vm::GcRef::from_bits(raw)?;
        let place = Place::Scoped(store.vm_mut().gc_mut().push_root(object));
        Some(Rooted {
            inner: T::at(RootIndex {
                store: store.id(),
                place,
            }),
        })
    }

    /// The reference as it is passed to code.
    pub(crate) fn unroot(&self, store: &StoreOpaque) -> Result<u32> {
        Ok(self.inner.index().get(store)?.bits())
    }

    pub(crate) fn belongs_to(&self, store: &StoreOpaque) -> bool {
        self.inner.index().belongs_to(store)
    }

    /// The root that a view of it came from.
    pub(crate) fn of(view: &T) -> Rooted<T> {
        Rooted { inner: *view }
    }

    /// The same root as another type of reference.
    pub(crate) fn cast<U: GcRef>(self) -> Rooted<U> {
        Rooted {
            inner: U::at(self.inner.index()),
        }
    }

    /// Another root for the same object, which lives on its own.
    ///
    /// # Errors
    ///
    /// When this root is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn to_owned_rooted(&self, mut store: impl AsContextMut) -> Result<OwnedRooted<T>> {
        let store = store.as_context_mut().0.opaque_mut();
        let object = self.inner.index().get(store)?;
        Ok(OwnedRooted::own(store, object))
    }

    /// Whether two roots are for the same object.
    ///
    /// # Errors
    ///
    /// When one is no longer in scope.
    ///
    /// # Panics
    ///
    /// When one belongs to another store.
    pub fn ref_eq(
        store: impl AsContext,
        a: &impl RootedGcRef<T>,
        b: &impl RootedGcRef<T>,
    ) -> Result<bool> {
        ref_eq(store.as_context().0.opaque(), a, b)
    }

    /// Whether two are the same root. Different roots may be for the same object.
    pub fn rooted_eq(a: Self, b: Self) -> bool {
        a.inner.index() == b.inner.index()
    }

    /// Hashes the object's identity.
    ///
    /// # Errors
    ///
    /// When this root is no longer in scope.
    pub fn ref_hash<H: Hasher>(&self, store: impl AsContext, state: &mut H) -> Result<()> {
        self.inner
            .index()
            .get(store.as_context().0.opaque())?
            .bits()
            .hash(state);
        Ok(())
    }

    /// Hashes the root itself.
    pub fn rooted_hash<H: Hasher>(&self, state: &mut H) {
        self.inner.index().hash(state);
    }
}

/// A root that lives until it is dropped.
pub struct OwnedRooted<T: GcRef> {
    inner: T,
    root: vm::OwnedRoot,
}

impl<T: GcRef> Clone for OwnedRooted<T> {
    fn clone(&self) -> Self {
        OwnedRooted {
            inner: self.inner,
            root: self.root.clone(),
        }
    }
}

impl<T: GcRef> fmt::Debug for OwnedRooted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnedRooted({:?})", self.inner)
    }
}

impl<T: GcRef> Deref for OwnedRooted<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: GcRef> OwnedRooted<T> {
    fn own(store: &mut StoreOpaque, object: vm::GcRef) -> OwnedRooted<T> {
        let root = store.vm_mut().gc_mut().own_root(object);
        let place = Place::Owned(root.id());
        OwnedRooted {
            inner: T::at(RootIndex {
                store: store.id(),
                place,
            }),
            root,
        }
    }

    pub(crate) fn root(store: &mut StoreOpaque, raw: u32) -> Option<OwnedRooted<T>> {
        Some(OwnedRooted::own(store, vm::GcRef::from_bits(raw)?))
    }

    pub(crate) fn unroot(&self, store: &StoreOpaque) -> Result<u32> {
        Ok(self.inner.index().get(store)?.bits())
    }

    pub(crate) fn belongs_to(&self, store: &StoreOpaque) -> bool {
        self.inner.index().belongs_to(store)
    }

    /// Another root for the same object, in the innermost scope.
    ///
    /// # Panics
    ///
    /// When this root belongs to another store.
    pub fn to_rooted(&self, mut context: impl AsContextMut) -> Rooted<T> {
        let store = context.as_context_mut().0.opaque_mut();
        let object = self
            .inner
            .index()
            .get(store)
            .expect("an owned root lives while it is held");
        Rooted::root(store, object.bits()).expect("not null")
    }

    /// Whether two roots are for the same object. See [`Rooted::ref_eq`].
    ///
    /// # Errors
    ///
    /// When one is no longer in scope.
    pub fn ref_eq(
        store: impl AsContext,
        a: &impl RootedGcRef<T>,
        b: &impl RootedGcRef<T>,
    ) -> Result<bool> {
        ref_eq(store.as_context().0.opaque(), a, b)
    }

    /// Hashes the object's identity.
    pub fn ref_hash<H: Hasher>(&self, store: impl AsContext, state: &mut H) {
        let object = self.inner.index().get(store.as_context().0.opaque());
        object
            .expect("an owned root lives while it is held")
            .bits()
            .hash(state);
    }

    /// Hashes the root itself.
    pub fn rooted_hash<H: Hasher>(&self, state: &mut H) {
        self.inner.index().hash(state);
    }
}

fn ref_eq<T: GcRef>(
    store: &StoreOpaque,
    a: &impl RootedGcRef<T>,
    b: &impl RootedGcRef<T>,
) -> Result<bool> {
    Ok(a.index().get(store)? == b.index().get(store)?)
}

/// A root of either kind.
pub trait RootedGcRef<T: GcRef>: Deref<Target = T> {}

impl<T: GcRef> RootedGcRef<T> for Rooted<T> {}
impl<T: GcRef> RootedGcRef<T> for OwnedRooted<T> {}

/// A scope for roots: those made through it end when it is dropped.
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let outlived = {
///     let mut scope = RootScope::new(&mut store);
///     ExternRef::new(&mut scope, "hello")?
/// };
/// assert!(outlived.data(&store).is_err());
/// # Ok(())
/// # }
/// ```
pub struct RootScope<C: AsContextMut> {
    store: C,
    scope: Option<vm::RootScope>,
}

impl<C: AsContextMut> RootScope<C> {
    /// A new innermost scope of this store.
    pub fn new(mut store: C) -> RootScope<C> {
        let scope = store
            .as_context_mut()
            .0
            .opaque_mut()
            .vm_mut()
            .gc_mut()
            .enter_scope();
        RootScope {
            store,
            scope: Some(scope),
        }
    }

    /// Makes room for that many more roots.
    pub fn reserve(&mut self, _additional: usize) {
        // The stack of roots grows by doubling; room made ahead would change nothing that can be seen.
    }
}

impl<C: AsContextMut> Drop for RootScope<C> {
    fn drop(&mut self) {
        if let Some(scope) = self.scope.take() {
            self.store
                .as_context_mut()
                .0
                .opaque_mut()
                .vm_mut()
                .gc_mut()
                .exit_scope(scope);
        }
    }
}

impl<C: AsContextMut> AsContext for RootScope<C> {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        self.store.as_context()
    }
}

impl<C: AsContextMut> AsContextMut for RootScope<C> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        self.store.as_context_mut()
    }
}
