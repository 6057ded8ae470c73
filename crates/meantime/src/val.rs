//! Values of WebAssembly as the host sees them: [`Val`] for any value, [`Ref`] for references, [`V128`] for vectors.
//!
//! A `Val` may hold a handle (a [`Func`], a [`Rooted`]); it then belongs to a store, and using it with another is an error.

use crate::gc::{AnyRef, ArrayRef, ExnRef, ExternRef, NoExtern, NoFunc, Rooted, StructRef};
use crate::store::StoreOpaque;
use crate::{AsContext, AsContextMut, Func, HeapType, RefType, Result, ValRaw, ValType};
use meantime_abi::RefRepr;

/// A vector of 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(transparent)]
pub struct V128(u128);

impl V128 {
    /// The bits, little-endian lanes.
    pub fn as_u128(&self) -> u128 {
        self.0
    }
}

impl From<u128> for V128 {
    fn from(bits: u128) -> V128 {
        V128(bits)
    }
}

impl From<V128> for u128 {
    fn from(vector: V128) -> u128 {
        vector.0
    }
}

/// A value of any type.
///
/// ```
/// use meantime::Val;
/// assert_eq!(Val::from(7i32).unwrap_i32(), 7);
/// assert!(Val::null_extern_ref().i32().is_none());
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Val {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// A 32-bit float, as its bits, so that a NaN keeps its payload.
    F32(u32),
    /// A 64-bit float, as its bits.
    F64(u64),
    /// A vector.
    V128(V128),
    /// A function or null.
    FuncRef(Option<Func>),
    /// A value of the host or null.
    ExternRef(Option<Rooted<ExternRef>>),
    /// An internal value or null.
    AnyRef(Option<Rooted<AnyRef>>),
    /// An exception or null.
    ExnRef(Option<Rooted<ExnRef>>),
}

macro_rules! accessors {
    ($($(#[$doc:meta])* $get:ident $unwrap:ident $ty:ty, $pat:pat => $out:expr;)*) => {$(
        $(#[$doc])*
        pub fn $get(&self) -> Option<$ty> {
            match self {
                $pat => Some($out),
                _ => None,
            }
        }

        /// The same, for a value that is known to be one.
        ///
        /// # Panics
        ///
        /// When it is of another type.
        pub fn $unwrap(&self) -> $ty {
            match self {
                $pat => $out,
                other => panic!("expected {}, found {other:?}", stringify!($get)),
            }
        }
    )*};
}

impl Val {
    accessors! {
        /// The 32-bit integer.
        i32 unwrap_i32 i32, Val::I32(v) => *v;
        /// The 64-bit integer.
        i64 unwrap_i64 i64, Val::I64(v) => *v;
        /// The 32-bit float.
        f32 unwrap_f32 f32, Val::F32(v) => f32::from_bits(*v);
        /// The 64-bit float.
        f64 unwrap_f64 f64, Val::F64(v) => f64::from_bits(*v);
        /// The vector.
        v128 unwrap_v128 V128, Val::V128(v) => *v;
        /// The function reference.
        func_ref unwrap_func_ref Option<&Func>, Val::FuncRef(v) => v.as_ref();
        /// The function reference.
        funcref unwrap_funcref Option<&Func>, Val::FuncRef(v) => v.as_ref();
        /// The reference to a value of the host.
        extern_ref unwrap_extern_ref Option<&Rooted<ExternRef>>, Val::ExternRef(v) => v.as_ref();
        /// The reference to a value of the host.
        externref unwrap_externref Option<&Rooted<ExternRef>>, Val::ExternRef(v) => v.as_ref();
        /// The reference to an internal value.
        any_ref unwrap_any_ref Option<&Rooted<AnyRef>>, Val::AnyRef(v) => v.as_ref();
        /// The reference to an internal value.
        anyref unwrap_anyref Option<&Rooted<AnyRef>>, Val::AnyRef(v) => v.as_ref();
        /// The reference to an exception.
        exnref unwrap_exnref Option<&Rooted<ExnRef>>, Val::ExnRef(v) => v.as_ref();
    }

    /// `ref.null func`.
    pub const fn null_func_ref() -> Val {
        Val::FuncRef(None)
    }

    /// `ref.null extern`.
    pub const fn null_extern_ref() -> Val {
        Val::ExternRef(None)
    }

    /// `ref.null any`.
    pub const fn null_any_ref() -> Val {
        Val::AnyRef(None)
    }

    /// `ref.null` of this heap type.
    pub fn null_ref(heap_type: &HeapType) -> Val {
        Ref::null(heap_type).into()
    }

    /// The value that locals of this type start with, when there is one.
    pub fn default_for_ty(ty: &ValType) -> Option<Val> {
        Some(match ty {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0),
            ValType::F64 => Val::F64(0),
            ValType::V128 => Val::V128(V128(0)),
            ValType::Ref(ty) if ty.is_nullable() => Val::null_ref(ty.heap_type()),
            ValType::Ref(_) => return None,
        })
    }

    /// The reference, when it is one.
    pub fn ref_(self) -> Option<Ref> {
        match self {
            Val::FuncRef(r) => Some(Ref::Func(r)),
            Val::ExternRef(r) => Some(Ref::Extern(r)),
            Val::AnyRef(r) => Some(Ref::Any(r)),
            Val::ExnRef(r) => Some(Ref::Exn(r)),
            _ => None,
        }
    }

    /// The most exact type of this value.
    ///
    /// # Errors
    ///
    /// When it holds a root that is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> Result<ValType> {
        self.load_ty(store.as_context().0.opaque())
    }

    pub(crate) fn load_ty(&self, store: &StoreOpaque) -> Result<ValType> {
        Ok(match self {
            Val::I32(_) => ValType::I32,
            Val::I64(_) => ValType::I64,
            Val::F32(_) => ValType::F32,
            Val::F64(_) => ValType::F64,
            Val::V128(_) => ValType::V128,
            other => ValType::Ref(
                other
                    .ref_()
                    .expect("all else are references")
                    .load_ty(store)?,
            ),
        })
    }

    /// Whether this value is of this type.
    ///
    /// # Errors
    ///
    /// When it holds a root that is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it or the type belongs to another store or engine.
    pub fn matches_ty(&self, store: impl AsContext, ty: &ValType) -> Result<bool> {
        self.is_of(store.as_context().0.opaque(), ty)
    }

    pub(crate) fn is_of(&self, store: &StoreOpaque, ty: &ValType) -> Result<bool> {
        Ok(match (self, ty) {
            (Val::I32(_), ValType::I32)
            | (Val::I64(_), ValType::I64)
            | (Val::F32(_), ValType::F32)
            | (Val::F64(_), ValType::F64)
            | (Val::V128(_), ValType::V128) => true,
            (value, ValType::Ref(ty)) => match value.ref_() {
                Some(reference) => reference.is_of(store, ty)?,
                None => false,
            },
            _ => false,
        })
    }

    pub(crate) fn check_ty(&self, store: &StoreOpaque, ty: &ValType) -> Result<()> {
        if self.is_of(store, ty)? {
            return Ok(());
        }
        let actual = self.load_ty(store)?;
        crate::bail!("type mismatch: expected {ty}, found {actual}")
    }

    pub(crate) fn belongs_to(&self, store: &StoreOpaque) -> bool {
        self.ref_().is_none_or(|r| r.belongs_to(store))
    }

    /// The value as it is passed to code: unrooted, so it must be used before the next collection.
    ///
    /// # Errors
    ///
    /// When it holds a root that is no longer in scope.
    pub fn to_raw(&self, mut store: impl AsContextMut) -> Result<ValRaw> {
        self.lower(store.as_context_mut().0.opaque_mut())
    }

    pub(crate) fn lower(&self, store: &mut StoreOpaque) -> Result<ValRaw> {
        Ok(match self {
            Val::I32(v) => ValRaw::i32(*v),
            Val::I64(v) => ValRaw::i64(*v),
            Val::F32(v) => ValRaw::f32(*v),
            Val::F64(v) => ValRaw::f64(*v),
            Val::V128(v) => ValRaw::v128(v.0),
            other => other
                .ref_()
                .expect("all else are references")
                .lower(store)?,
        })
    }

    /// The value that code passed.
    ///
    /// # Safety
    ///
    /// `raw` must hold a value of type `ty` that belongs to this store and has survived since it was made.
    #[allow(unsafe_code)]
    pub unsafe fn from_raw(mut store: impl AsContextMut, raw: ValRaw, ty: ValType) -> Val {
        // SAFETY: by the caller.
        unsafe { Val::lift(store.as_context_mut().0.opaque_mut(), &raw, &ty) }
    }

    /// # Safety
    ///
    /// As for [`Val::from_raw`].
    #[allow(unsafe_code)]
    pub(crate) unsafe fn lift(store: &mut StoreOpaque, raw: &ValRaw, ty: &ValType) -> Val {
        match ty {
            ValType::I32 => Val::I32(raw.get_i32()),
            ValType::I64 => Val::I64(raw.get_i64()),
            ValType::F32 => Val::F32(raw.get_f32()),
            ValType::F64 => Val::F64(raw.get_f64()),
            ValType::V128 => Val::V128(V128(raw.get_v128())),
            // SAFETY: by the caller.
            ValType::Ref(ty) => unsafe { Ref::lift(store, raw, ty) }.into(),
        }
    }
}

impl From<i32> for Val {
    fn from(v: i32) -> Val {
        Val::I32(v)
    }
}

impl From<i64> for Val {
    fn from(v: i64) -> Val {
        Val::I64(v)
    }
}

impl From<f32> for Val {
    fn from(v: f32) -> Val {
        Val::F32(v.to_bits())
    }
}

impl From<f64> for Val {
    fn from(v: f64) -> Val {
        Val::F64(v.to_bits())
    }
}

impl From<u128> for Val {
    fn from(v: u128) -> Val {
        Val::V128(V128(v))
    }
}

impl From<V128> for Val {
    fn from(v: V128) -> Val {
        Val::V128(v)
    }
}

impl From<Ref> for Val {
    fn from(r: Ref) -> Val {
        match r {
            Ref::Func(r) => Val::FuncRef(r),
            Ref::Extern(r) => Val::ExternRef(r),
            Ref::Any(r) => Val::AnyRef(r),
            Ref::Exn(r) => Val::ExnRef(r),
        }
    }
}

macro_rules! from_references {
    ($($ty:ty => $variant:ident $val:ident;)*) => {$(
        impl From<$ty> for Ref {
            fn from(r: $ty) -> Ref {
                Ref::$variant(Some(r))
            }
        }

        impl From<Option<$ty>> for Ref {
            fn from(r: Option<$ty>) -> Ref {
                Ref::$variant(r)
            }
        }

        impl From<$ty> for Val {
            fn from(r: $ty) -> Val {
                Val::$val(Some(r))
            }
        }

        impl From<Option<$ty>> for Val {
            fn from(r: Option<$ty>) -> Val {
                Val::$val(r)
            }
        }
    )*};
}

from_references! {
    Func => Func FuncRef;
    Rooted<ExternRef> => Extern ExternRef;
    Rooted<AnyRef> => Any AnyRef;
    Rooted<ExnRef> => Exn ExnRef;
}

macro_rules! from_objects {
    ($($ty:ident)*) => {$(
        impl From<Rooted<$ty>> for Ref {
            fn from(r: Rooted<$ty>) -> Ref {
                Ref::Any(Some(r.to_anyref()))
            }
        }

        impl From<Option<Rooted<$ty>>> for Ref {
            fn from(r: Option<Rooted<$ty>>) -> Ref {
                Ref::Any(r.map(Rooted::<$ty>::to_anyref))
            }
        }

        impl From<Rooted<$ty>> for Val {
            fn from(r: Rooted<$ty>) -> Val {
                Val::AnyRef(Some(r.to_anyref()))
            }
        }

        impl From<Option<Rooted<$ty>>> for Val {
            fn from(r: Option<Rooted<$ty>>) -> Val {
                Val::AnyRef(r.map(Rooted::<$ty>::to_anyref))
            }
        }
    )*};
}

from_objects! { StructRef ArrayRef }

/// A reference of any type.
#[derive(Clone, Debug)]
pub enum Ref {
    /// A function or null.
    Func(Option<Func>),
    /// A value of the host or null.
    Extern(Option<Rooted<ExternRef>>),
    /// An internal value or null.
    Any(Option<Rooted<AnyRef>>),
    /// An exception or null.
    Exn(Option<Rooted<ExnRef>>),
}

macro_rules! ref_accessors {
    ($($(#[$doc:meta])* $is:ident $as_:ident $unwrap:ident $variant:ident $ty:ty;)*) => {$(
        $(#[$doc])*
        pub fn $is(&self) -> bool {
            matches!(self, Ref::$variant(_))
        }

        /// The reference, when it is one of this hierarchy; the inner option is empty for null.
        pub fn $as_(&self) -> Option<Option<&$ty>> {
            match self {
                Ref::$variant(r) => Some(r.as_ref()),
                _ => None,
            }
        }

        /// The same, for a reference that is known to be one.
        ///
        /// # Panics
        ///
        /// When it is of another hierarchy.
        pub fn $unwrap(&self) -> Option<&$ty> {
            self.$as_().unwrap_or_else(|| panic!("{} on {self:?}", stringify!($unwrap)))
        }
    )*};
}

impl Ref {
    ref_accessors! {
        /// Whether it is of the function hierarchy.
        is_func as_func unwrap_func Func Func;
        /// Whether it is of the external hierarchy.
        is_extern as_extern unwrap_extern Extern Rooted<ExternRef>;
        /// Whether it is of the internal hierarchy.
        is_any as_any unwrap_any Any Rooted<AnyRef>;
        /// Whether it is of the exception hierarchy.
        is_exn as_exn unwrap_exn Exn Rooted<ExnRef>;
    }

    /// The null reference of this heap type.
    pub fn null(heap_type: &HeapType) -> Ref {
        match heap_type.top() {
            HeapType::Func => Ref::Func(None),
            HeapType::Extern => Ref::Extern(None),
            HeapType::Exn => Ref::Exn(None),
            _ => Ref::Any(None),
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(
            self,
            Ref::Func(None) | Ref::Extern(None) | Ref::Any(None) | Ref::Exn(None)
        )
    }

    /// Whether it is not null.
    pub fn is_non_null(&self) -> bool {
        !self.is_null()
    }

    /// The most exact type of this reference.
    ///
    /// # Errors
    ///
    /// When it holds a root that is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> Result<RefType> {
        self.load_ty(store.as_context().0.opaque())
    }

    pub(crate) fn load_ty(&self, store: &StoreOpaque) -> Result<RefType> {
        assert!(
            self.belongs_to(store),
            "reference used with the wrong store"
        );
        let heap = match self {
            Ref::Func(None) => HeapType::NoFunc,
            Ref::Extern(None) => HeapType::NoExtern,
            Ref::Any(None) => HeapType::None,
            Ref::Exn(None) => HeapType::NoExn,
            Ref::Func(Some(f)) => HeapType::ConcreteFunc(f.load_ty(store)),
            Ref::Extern(Some(_)) => HeapType::Extern,
            Ref::Any(Some(r)) => r.load_ty(store)?,
            Ref::Exn(Some(r)) => r.load_ty(store)?.into(),
        };
        Ok(RefType::new(self.is_null(), heap))
    }

    /// Whether this reference is of this type.
    ///
    /// # Errors
    ///
    /// When it holds a root that is no longer in scope.
    ///
    /// # Panics
    ///
    /// When it or the type belongs to another store or engine.
    pub fn matches_ty(&self, store: impl AsContext, ty: &RefType) -> Result<bool> {
        self.is_of(store.as_context().0.opaque(), ty)
    }

    pub(crate) fn is_of(&self, store: &StoreOpaque, ty: &RefType) -> Result<bool> {
        assert!(
            self.belongs_to(store),
            "reference used with the wrong store"
        );
        if self.is_null() && !ty.is_nullable() {
            return Ok(false);
        }
        Ok(match (self, ty.heap_type()) {
            // The common cases need no type object.
            (Ref::Func(_), HeapType::Func)
            | (Ref::Extern(_), HeapType::Extern)
            | (Ref::Any(_), HeapType::Any)
            | (Ref::Exn(_), HeapType::Exn) => true,
            _ => self.load_ty(store)?.heap_type().matches(ty.heap_type()),
        })
    }

    pub(crate) fn check_ty(&self, store: &StoreOpaque, ty: &RefType) -> Result<()> {
        if self.is_of(store, ty)? {
            return Ok(());
        }
        let actual = self.load_ty(store)?;
        crate::bail!("type mismatch: expected {ty}, found {actual}")
    }

    pub(crate) fn belongs_to(&self, store: &StoreOpaque) -> bool {
        match self {
            Ref::Func(r) => r.as_ref().is_none_or(|r| r.belongs_to(store)),
            Ref::Extern(r) => r.as_ref().is_none_or(|r| r.belongs_to(store)),
            Ref::Any(r) => r.as_ref().is_none_or(|r| r.belongs_to(store)),
            Ref::Exn(r) => r.as_ref().is_none_or(|r| r.belongs_to(store)),
        }
    }

    pub(crate) fn lower(&self, store: &mut StoreOpaque) -> Result<ValRaw> {
        assert!(
            self.belongs_to(store),
            "reference used with the wrong store"
        );
        Ok(match self {
            Ref::Func(None) => ValRaw::funcref(core::ptr::null_mut()),
            Ref::Func(Some(f)) => ValRaw::funcref(f.prepared(store)?.as_ptr().cast()),
            Ref::Extern(r) => ValRaw::gc_ref(r.as_ref().map_or(Ok(0), |r| r.unroot(store))?),
            Ref::Any(r) => ValRaw::gc_ref(r.as_ref().map_or(Ok(0), |r| r.unroot(store))?),
            Ref::Exn(r) => ValRaw::gc_ref(r.as_ref().map_or(Ok(0), |r| r.unroot(store))?),
        })
    }

    /// # Safety
    ///
    /// As for [`Val::from_raw`].
    #[allow(unsafe_code)]
    pub(crate) unsafe fn lift(store: &mut StoreOpaque, raw: &ValRaw, ty: &RefType) -> Ref {
        let top = ty.heap_type().top();
        match repr_of(&top) {
            // SAFETY: by the caller the slot holds a function of this store, or null.
            RefRepr::Func => Ref::Func(unsafe { Func::lift(store, raw.get_funcref()) }),
            RefRepr::Gc => {
                let raw = raw.get_gc_ref();
                match top {
                    HeapType::Extern => Ref::Extern(Rooted::root(store, raw)),
                    HeapType::Exn => Ref::Exn(Rooted::root(store, raw)),
                    _ => Ref::Any(Rooted::root(store, raw)),
                }
            }
        }
    }
}

fn repr_of(top: &HeapType) -> RefRepr {
    match top {
        HeapType::Func => RefRepr::Func,
        _ => RefRepr::Gc,
    }
}

impl NoFunc {
    /// The null function reference.
    pub fn null_ref() -> Ref {
        Ref::Func(None)
    }

    /// The null function reference as a value.
    pub fn null_val() -> Val {
        Val::FuncRef(None)
    }
}

impl NoExtern {
    /// The null external reference.
    pub fn null_ref() -> Ref {
        Ref::Extern(None)
    }

    /// The null external reference as a value.
    pub fn null_val() -> Val {
        Val::ExternRef(None)
    }
}
