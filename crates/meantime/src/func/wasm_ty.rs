//! Rust types that are WebAssembly types: [`WasmTy`] for one value, [`WasmParams`] and [`WasmResults`] for lists.
//!
//! The one idea: a list of Rust types knows, at compile time of the host, the array of [`ValRaw`]s that carries it, so
//! that a typed call copies values to and from the stack and looks at nothing else. The traits are sealed in effect: they are unsafe, and
//! implemented here for all types that can be passed.

use crate::gc::{
    AnyRef, ArrayRef, EqRef, ExnRef, ExternRef, I31, NoExtern, NoFunc, NoneRef, OwnedRooted,
    Rooted, StructRef,
};
use crate::store::StoreOpaque;
use crate::{Error, Func, FuncType, HeapType, RefType, Result, V128, ValRaw, ValType, bail};

/// A Rust type that stands for a WebAssembly value type.
///
/// # Safety
///
/// `store` and `load` must agree with machine code on the representation of `valtype`.
#[allow(unsafe_code)]
pub unsafe trait WasmTy: Send {
    /// The type it stands for.
    #[doc(hidden)]
    fn valtype() -> ValType;

    /// Whether the value may be passed to this store.
    #[doc(hidden)]
    #[inline]
    fn belongs_to(&self, _store: &StoreOpaque) -> bool {
        true
    }

    /// Whether the value has a more exact type than `valtype` says.
    #[doc(hidden)]
    #[inline]
    fn check_exact(&self, _store: &StoreOpaque, _ty: &RefType) -> Result<()> {
        Ok(())
    }

    /// Writes the value to a slot.
    #[doc(hidden)]
    fn store(self, store: &mut StoreOpaque, slot: &mut ValRaw) -> Result<()>;

    /// Reads a value from a slot.
    ///
    /// # Safety
    ///
    /// The slot must hold a value of `valtype` that belongs to the store.
    #[doc(hidden)]
    unsafe fn load(store: &mut StoreOpaque, slot: &ValRaw) -> Self;
}

macro_rules! numbers {
    ($($ty:ty => $valtype:ident $set:ident $get:ident |$v:ident| $lower:expr, $lift:expr;)*) => {$(
        // SAFETY: a number of this width, in the lowest bytes of the slot.
        #[allow(unsafe_code)]
        unsafe impl WasmTy for $ty {
            fn valtype() -> ValType {
                ValType::$valtype
            }
            #[inline]
            fn store(self, _: &mut StoreOpaque, slot: &mut ValRaw) -> Result<()> {
                let $v = self;
                slot.$set($lower);
                Ok(())
            }
            #[inline]
            unsafe fn load(_: &mut StoreOpaque, slot: &ValRaw) -> $ty {
                let $v = slot.$get();
                $lift
            }
        }
    )*};
}

numbers! {
    i32 => I32 set_i32 get_i32 |v| v, v;
    u32 => I32 set_i32 get_u32 |v| v as i32, v;
    i64 => I64 set_i64 get_i64 |v| v, v;
    u64 => I64 set_i64 get_u64 |v| v as i64, v;
    f32 => F32 set_f32 get_f32 |v| v.to_bits(), f32::from_bits(v);
    f64 => F64 set_f64 get_f64 |v| v.to_bits(), f64::from_bits(v);
    V128 => V128 set_v128_bytes get_v128 |v| v.as_u128().to_le_bytes(), V128::from(v);
}

// SAFETY: a pointer to a `VmFuncRef` of the store, never null.
#[allow(unsafe_code)]
unsafe impl WasmTy for Func {
    fn valtype() -> ValType {
        ValType::Ref(RefType::new(false, HeapType::Func))
    }
    #[inline]
    fn belongs_to(&self, store: &StoreOpaque) -> bool {
        Func::belongs_to(self, store)
    }
    fn check_exact(&self, store: &StoreOpaque, ty: &RefType) -> Result<()> {
        crate::Ref::Func(Some(*self)).check_ty(store, ty)
    }
    fn store(self, store: &mut StoreOpaque, slot: &mut ValRaw) -> Result<()> {
        slot.set_funcref(self.prepared(store)?.as_ptr().cast());
        Ok(())
    }
    unsafe fn load(store: &mut StoreOpaque, slot: &ValRaw) -> Func {
        // SAFETY: by the caller.
        unsafe { Func::lift(store, slot.get_funcref()) }.expect("validated: not null")
    }
}

// SAFETY: as above, or null.
#[allow(unsafe_code)]
unsafe impl WasmTy for Option<Func> {
    fn valtype() -> ValType {
        ValType::FUNCREF
    }
    #[inline]
    fn belongs_to(&self, store: &StoreOpaque) -> bool {
        self.as_ref().is_none_or(|f| f.belongs_to(store))
    }
    fn check_exact(&self, store: &StoreOpaque, ty: &RefType) -> Result<()> {
        crate::Ref::Func(*self).check_ty(store, ty)
    }
    fn store(self, store: &mut StoreOpaque, slot: &mut ValRaw) -> Result<()> {
        match self {
            Some(func) => WasmTy::store(func, store, slot),
            None => {
                slot.set_funcref(core::ptr::null_mut());
                Ok(())
            }
        }
    }
    unsafe fn load(store: &mut StoreOpaque, slot: &ValRaw) -> Option<Func> {
        // SAFETY: by the caller.
        unsafe { Func::lift(store, slot.get_funcref()) }
    }
}

macro_rules! roots {
    ($($ty:ty, $heap:ident, $hierarchy:ident;)*) => {$(
        // SAFETY: a 32-bit reference into the store's heap, never null.
        #[allow(unsafe_code)]
        unsafe impl WasmTy for Rooted<$ty> {
            fn valtype() -> ValType {
                ValType::Ref(RefType::new(false, HeapType::$heap))
            }
            fn belongs_to(&self, store: &StoreOpaque) -> bool {
                Rooted::belongs_to(self, store)
            }
            fn check_exact(&self, store: &StoreOpaque, ty: &RefType) -> Result<()> {
                crate::Ref::$hierarchy(Some(self.cast())).check_ty(store, ty)
            }
            fn store(self, store: &mut StoreOpaque, slot: &mut ValRaw) -> Result<()> {
                slot.set_gc_ref(self.unroot(store)?);
                Ok(())
            }
            unsafe fn load(store: &mut StoreOpaque, slot: &ValRaw) -> Self {
                Rooted::root(store, slot.get_gc_ref()).expect("validated: not null")
            }
        }

        // SAFETY: as above, or null.
        #[allow(unsafe_code)]
        unsafe impl WasmTy for Option<Rooted<$ty>> {
            fn valtype() -> ValType {
                ValType::Ref(RefType::new(true, HeapType::$heap))
            }
            fn belongs_to(&self, store: &StoreOpaque) -> bool {
                self.as_ref().is_none_or(|r| r.belongs_to(store))
            }
            fn check_exact(&self, store: &StoreOpaque, ty: &RefType) -> Result<()> {
                crate::Ref::$hierarchy(self.map(Rooted::cast)).check_ty(store, ty)
            }
            fn store(self, store: &mut StoreOpaque, slot: &mut ValRaw) -> Result<()> {
                slot.set_gc_ref(self.map_or(Ok(0), |r| r.unroot(store))?);
                Ok(())
            }
            unsafe fn load(store: &mut StoreOpaque, slot: &ValRaw) -> Self {
                Rooted::root(store, slot.get_gc_ref())
            }
        }

        // SAFETY: as for `Rooted`.
        #[allow(unsafe_code)]
        unsafe impl WasmTy for OwnedRooted<$ty> {
            fn valtype() -> ValType {
                <Rooted<$ty>>::valtype()
            }
            fn belongs_to(&self, store: &StoreOpaque) -> bool {
                OwnedRooted::belongs_to(self, store)
            }
            fn check_exact(&self, store: &StoreOpaque, ty: &RefType) -> Result<()> {
                crate::Ref::$hierarchy(Some(Rooted::of(&**self).cast())).check_ty(store, ty)
            }
            fn store(self, store: &mut StoreOpaque, slot: &mut ValRaw) -> Result<()> {
                slot.set_gc_ref(self.unroot(store)?);
                Ok(())
            }
            unsafe fn load(store: &mut StoreOpaque, slot: &ValRaw) -> Self {
                OwnedRooted::root(store, slot.get_gc_ref()).expect("validated: not null")
            }
        }

        // SAFETY: as for `Option<Rooted>`.
        #[allow(unsafe_code)]
        unsafe impl WasmTy for Option<OwnedRooted<$ty>> {
            fn valtype() -> ValType {
                <Option<Rooted<$ty>>>::valtype()
            }
            fn belongs_to(&self, store: &StoreOpaque) -> bool {
                self.as_ref().is_none_or(|r| r.belongs_to(store))
            }
            fn check_exact(&self, store: &StoreOpaque, ty: &RefType) -> Result<()> {
                let root = self.as_ref().map(|r| Rooted::of(&**r).cast());
                crate::Ref::$hierarchy(root).check_ty(store, ty)
            }
            fn store(self, store: &mut StoreOpaque, slot: &mut ValRaw) -> Result<()> {
                slot.set_gc_ref(self.as_ref().map_or(Ok(0), |r| r.unroot(store))?);
                Ok(())
            }
            unsafe fn load(store: &mut StoreOpaque, slot: &ValRaw) -> Self {
                OwnedRooted::root(store, slot.get_gc_ref())
            }
        }
    )*};
}

roots! {
    ExternRef, Extern, Extern;
    AnyRef, Any, Any;
    EqRef, Eq, Any;
    StructRef, Struct, Any;
    ArrayRef, Array, Any;
    ExnRef, Exn, Exn;
}

// SAFETY: an `i31` is its value shifted left, with the lowest bit set.
#[allow(unsafe_code)]
unsafe impl WasmTy for I31 {
    fn valtype() -> ValType {
        ValType::Ref(RefType::new(false, HeapType::I31))
    }
    fn store(self, _: &mut StoreOpaque, slot: &mut ValRaw) -> Result<()> {
        slot.set_gc_ref(self.bits());
        Ok(())
    }
    unsafe fn load(_: &mut StoreOpaque, slot: &ValRaw) -> I31 {
        I31::from_bits(slot.get_gc_ref()).expect("validated: an i31, not null")
    }
}

// SAFETY: as above, or null.
#[allow(unsafe_code)]
unsafe impl WasmTy for Option<I31> {
    fn valtype() -> ValType {
        ValType::Ref(RefType::new(true, HeapType::I31))
    }
    fn store(self, _: &mut StoreOpaque, slot: &mut ValRaw) -> Result<()> {
        slot.set_gc_ref(self.map_or(0, |v| v.bits()));
        Ok(())
    }
    unsafe fn load(_: &mut StoreOpaque, slot: &ValRaw) -> Option<I31> {
        I31::from_bits(slot.get_gc_ref())
    }
}

macro_rules! nulls {
    ($($ty:ty, $heap:ident, $null:expr;)*) => {$(
        // SAFETY: a type without values.
        #[allow(unsafe_code)]
        unsafe impl WasmTy for $ty {
            fn valtype() -> ValType {
                ValType::Ref(RefType::new(false, HeapType::$heap))
            }
            fn store(self, _: &mut StoreOpaque, _: &mut ValRaw) -> Result<()> {
                match self._inner {}
            }
            unsafe fn load(_: &mut StoreOpaque, _: &ValRaw) -> Self {
                unreachable!("validated: a type without values")
            }
        }

        // SAFETY: always null.
        #[allow(unsafe_code)]
        unsafe impl WasmTy for Option<$ty> {
            fn valtype() -> ValType {
                ValType::Ref(RefType::new(true, HeapType::$heap))
            }
            fn store(self, _: &mut StoreOpaque, slot: &mut ValRaw) -> Result<()> {
                *slot = $null;
                Ok(())
            }
            unsafe fn load(_: &mut StoreOpaque, _: &ValRaw) -> Self {
                None
            }
        }
    )*};
}

nulls! {
    NoFunc, NoFunc, ValRaw::funcref(core::ptr::null_mut());
    NoExtern, NoExtern, ValRaw::gc_ref(0);
    NoneRef, None, ValRaw::gc_ref(0);
}

/// Parameters of a function: a tuple of [`WasmTy`]s, or one alone.
///
/// # Safety
///
/// See [`WasmTy`].
#[allow(unsafe_code)]
pub unsafe trait WasmParams: Send {
    /// An array of as many slots as there are values.
    #[doc(hidden)]
    type Slots: AsMut<[ValRaw]> + AsRef<[ValRaw]> + Copy;

    /// That array with zeros.
    #[doc(hidden)]
    const EMPTY: Self::Slots;

    /// Whether these are parameters for functions with these.
    #[doc(hidden)]
    fn typecheck(params: &mut dyn ExactSizeIterator<Item = ValType>) -> Result<()>;

    /// Writes the values to slots.
    #[doc(hidden)]
    fn store(
        self,
        store: &mut StoreOpaque,
        exact: Option<&FuncType>,
        slots: &mut Self::Slots,
    ) -> Result<()>;

    /// Whether a call must look at the function's exact type: whether any parameter is a reference to a defined type.
    #[doc(hidden)]
    fn needs_exact(ty: &FuncType) -> bool {
        ty.params()
            .any(|p| p.as_ref().is_some_and(|r| r.heap_type().is_concrete()))
    }
}

/// Results of a function: a tuple of [`WasmTy`]s, or one alone.
///
/// # Safety
///
/// See [`WasmTy`].
#[allow(unsafe_code)]
pub unsafe trait WasmResults: WasmParams {
    /// Whether these are results of functions with these.
    #[doc(hidden)]
    fn typecheck_results(results: &mut dyn ExactSizeIterator<Item = ValType>) -> Result<()>;

    /// Reads the values from slots.
    ///
    /// # Safety
    ///
    /// The slots must hold values of these types that belong to the store.
    #[doc(hidden)]
    unsafe fn load(store: &mut StoreOpaque, slots: &[ValRaw]) -> Self;
}

fn check_param<T: WasmTy>(actual: &ValType) -> Result<()> {
    let given = T::valtype();
    let fits = given.matches(actual)
        // A reference whose static type is wider is checked at each call.
        || match (given.as_ref(), actual.as_ref()) {
            (Some(given), Some(actual)) => {
                actual.heap_type().is_concrete() && actual.heap_type().matches(given.heap_type())
            }
            _ => false,
        };
    if fits {
        Ok(())
    } else {
        Err(mismatch(actual, &given))
    }
}

fn check_result<T: WasmTy>(actual: &ValType) -> Result<()> {
    let wanted = T::valtype();
    if actual.matches(&wanted) {
        Ok(())
    } else {
        Err(mismatch(&wanted, actual))
    }
}

#[cold]
fn mismatch(expected: &ValType, found: &ValType) -> Error {
    crate::format_err!("type mismatch: expected {expected}, found {found}")
}

fn check_count(expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    bail!("expected {expected} types, found {found}")
}

macro_rules! lists {
    ($(($n:literal $($t:ident $i:tt)*))*) => {$(
        // SAFETY: as for each value.
        #[allow(unsafe_code, non_snake_case, unused_variables)]
        unsafe impl<$($t: WasmTy),*> WasmParams for ($($t,)*) {
            type Slots = [ValRaw; $n];
            const EMPTY: [ValRaw; $n] = [ValRaw::ZERO; $n];

            fn typecheck(params: &mut dyn ExactSizeIterator<Item = ValType>) -> Result<()> {
                check_count($n, params.len())?;
                $(check_param::<$t>(&params.next().expect("counted"))?;)*
                Ok(())
            }

            #[inline]
            fn store(
                self,
                store: &mut StoreOpaque,
                exact: Option<&FuncType>,
                slots: &mut [ValRaw; $n],
            ) -> Result<()> {
                let ($($t,)*) = self;
                $(
                    if !$t.belongs_to(store) {
                        crate::store::wrong_store();
                    }
                    if let Some(ty) = exact {
                        if let Some(r) = ty.param($i).as_ref().and_then(|p| p.as_ref()) {
                            $t.check_exact(store, r)?;
                        }
                    }
                )*
                $($t.store(store, &mut slots[$i])?;)*
                Ok(())
            }
        }

        // SAFETY: as for each value.
        #[allow(unsafe_code, unused_unsafe, non_snake_case, unused_variables, clippy::unused_unit)]
        unsafe impl<$($t: WasmTy),*> WasmResults for ($($t,)*) {
            fn typecheck_results(results: &mut dyn ExactSizeIterator<Item = ValType>) -> Result<()> {
                check_count($n, results.len())?;
                $(check_result::<$t>(&results.next().expect("counted"))?;)*
                Ok(())
            }

            #[inline]
            unsafe fn load(store: &mut StoreOpaque, slots: &[ValRaw]) -> Self {
                // SAFETY: by the caller.
                unsafe { ($($t::load(store, &slots[$i]),)*) }
            }
        }

        // SAFETY: as for each value.
        #[allow(unsafe_code, unused_unsafe, unused_variables, unused_mut, clippy::unused_unit)]
        unsafe impl<$($t: WasmTy),*> WasmTyList for ($($t,)*) {
            const COUNT: usize = $n;

            fn valtypes() -> impl ExactSizeIterator<Item = ValType> {
                [$($t::valtype()),*].into_iter()
            }

            #[inline]
            unsafe fn load(store: &mut StoreOpaque, slots: &[ValRaw]) -> Self {
                // SAFETY: by the caller.
                unsafe { ($($t::load(store, &slots[$i]),)*) }
            }
        }

        // SAFETY: as for each value.
        #[allow(unsafe_code, non_snake_case, unused_variables)]
        unsafe impl<$($t: WasmTy),*> WasmRet for ($($t,)*) {
            const COUNT: usize = $n;
            type Fallible = Result<Self>;

            #[inline]
            fn into_fallible(self) -> Result<Self> {
                Ok(self)
            }

            fn from_error(error: Error) -> Result<Self> {
                Err(error)
            }

            #[inline]
            unsafe fn store(self, store: &mut StoreOpaque, slots: &mut [ValRaw]) -> Result<()> {
                let ($($t,)*) = self;
                $(check_returned(&$t, store)?;)*
                $($t.store(store, &mut slots[$i])?;)*
                Ok(())
            }

            fn valtypes() -> Vec<ValType> {
                vec![$($t::valtype()),*]
            }
        }
    )*};
}

lists! {
    (0)
    (1 A1 0)
    (2 A1 0 A2 1)
    (3 A1 0 A2 1 A3 2)
    (4 A1 0 A2 1 A3 2 A4 3)
    (5 A1 0 A2 1 A3 2 A4 3 A5 4)
    (6 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5)
    (7 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6)
    (8 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7)
    (9 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8)
    (10 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9)
    (11 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10)
    (12 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10 A12 11)
    (13 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10 A12 11 A13 12)
    (14 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10 A12 11 A13 12 A14 13)
    (15 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10 A12 11 A13 12 A14 13 A15 14)
    (16 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10 A12 11 A13 12 A14 13 A15 14 A16 15)
    (17 A1 0 A2 1 A3 2 A4 3 A5 4 A6 5 A7 6 A8 7 A9 8 A10 9 A11 10 A12 11 A13 12 A14 13 A15 14 A16 15 A17 16)
}

// SAFETY: as for the tuple of one.
#[allow(unsafe_code)]
unsafe impl<T: WasmTy> WasmParams for T {
    type Slots = [ValRaw; 1];
    const EMPTY: [ValRaw; 1] = [ValRaw::ZERO; 1];

    fn typecheck(params: &mut dyn ExactSizeIterator<Item = ValType>) -> Result<()> {
        <(T,)>::typecheck(params)
    }
    #[inline]
    fn store(
        self,
        store: &mut StoreOpaque,
        exact: Option<&FuncType>,
        slots: &mut [ValRaw; 1],
    ) -> Result<()> {
        WasmParams::store((self,), store, exact, slots)
    }
}

// SAFETY: as for the tuple of one.
#[allow(unsafe_code)]
unsafe impl<T: WasmTy> WasmResults for T {
    fn typecheck_results(results: &mut dyn ExactSizeIterator<Item = ValType>) -> Result<()> {
        <(T,)>::typecheck_results(results)
    }
    #[inline]
    unsafe fn load(store: &mut StoreOpaque, slots: &[ValRaw]) -> T {
        // SAFETY: by the caller.
        unsafe { <T as WasmTy>::load(store, &slots[0]) }
    }
}

/// Parameters of a host function, as a tuple of [`WasmTy`]s.
///
/// # Safety
///
/// See [`WasmTy`].
#[allow(unsafe_code)]
pub unsafe trait WasmTyList {
    /// How many they are.
    #[doc(hidden)]
    const COUNT: usize;

    /// Their types.
    #[doc(hidden)]
    fn valtypes() -> impl ExactSizeIterator<Item = ValType>;

    /// Reads the values from slots.
    ///
    /// # Safety
    ///
    /// The slots must hold values of these types that belong to the store.
    #[doc(hidden)]
    unsafe fn load(store: &mut StoreOpaque, slots: &[ValRaw]) -> Self;
}

/// What a host function may return: a [`WasmTy`], a tuple of them, or a [`Result`] of either.
///
/// # Safety
///
/// See [`WasmTy`].
#[allow(unsafe_code)]
pub unsafe trait WasmRet {
    /// How many values they are.
    #[doc(hidden)]
    const COUNT: usize;

    /// The same in a `Result`.
    #[doc(hidden)]
    type Fallible: WasmRet;

    /// Into a `Result`.
    #[doc(hidden)]
    fn into_fallible(self) -> Self::Fallible;

    /// From an error.
    #[doc(hidden)]
    fn from_error(error: Error) -> Self::Fallible;

    /// Writes the values to slots.
    ///
    /// # Safety
    ///
    /// There must be as many slots as `valtypes`.
    #[doc(hidden)]
    unsafe fn store(self, store: &mut StoreOpaque, slots: &mut [ValRaw]) -> Result<()>;

    /// Their types.
    #[doc(hidden)]
    fn valtypes() -> Vec<ValType>;
}

#[inline]
fn check_returned<T: WasmTy>(value: &T, store: &StoreOpaque) -> Result<()> {
    if value.belongs_to(store) {
        return Ok(());
    }
    bail!("host function attempted to return cross-`Store` value to Wasm")
}

// SAFETY: as for the tuple of one.
#[allow(unsafe_code)]
unsafe impl<T: WasmTy> WasmRet for T {
    const COUNT: usize = 1;
    type Fallible = Result<T>;

    #[inline]
    fn into_fallible(self) -> Result<T> {
        Ok(self)
    }
    fn from_error(error: Error) -> Result<T> {
        Err(error)
    }
    #[inline]
    unsafe fn store(self, store: &mut StoreOpaque, slots: &mut [ValRaw]) -> Result<()> {
        check_returned(&self, store)?;
        WasmTy::store(self, store, &mut slots[0])
    }
    fn valtypes() -> Vec<ValType> {
        vec![T::valtype()]
    }
}

// SAFETY: as for the value inside.
#[allow(unsafe_code)]
unsafe impl<T: WasmRet> WasmRet for Result<T> {
    const COUNT: usize = T::COUNT;
    type Fallible = Self;

    #[inline]
    fn into_fallible(self) -> Self {
        self
    }
    fn from_error(error: Error) -> Self {
        Err(error)
    }
    #[inline]
    unsafe fn store(self, store: &mut StoreOpaque, slots: &mut [ValRaw]) -> Result<()> {
        // SAFETY: by the caller.
        unsafe { self?.store(store, slots) }
    }
    fn valtypes() -> Vec<ValType> {
        T::valtypes()
    }
}
