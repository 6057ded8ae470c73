//! [`Func`]: a WebAssembly function, of a guest or of the host.
//!
//! The one idea: whatever it is, it is a pointer to a `VmFuncRef`, which both host and guest can call; the type is found through it.

mod caller;
mod host;
mod typed;
mod wasm_ty;

pub use caller::Caller;
pub(crate) use host::failing;
pub use host::{HostFunc, IntoFunc};
pub use typed::TypedFunc;
pub use wasm_ty::{WasmParams, WasmResults, WasmRet, WasmTy, WasmTyList};

use crate::store::{StoreId, StoreOpaque};
use crate::{AsContext, AsContextMut, FuncType, Result, Val, ValRaw, bail};
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use meantime_abi::{TypeId, VmFuncRef};
use meantime_vm as vm;

/// A WebAssembly function.
///
/// Functions are exported by instances ([`Instance::get_func`](crate::Instance::get_func)) or made from closures
/// ([`Func::wrap`], [`Func::new`]). A function belongs to its store and panics when it is used with another.
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let add = Func::wrap(&mut store, |a: i32, b: i32| a + b);
/// let add = add.typed::<(i32, i32), i32>(&store)?;
/// assert_eq!(add.call(&mut store, (1, 2))?, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Func {
    store: StoreId,
    func_ref: NonNull<VmFuncRef>,
}

// SAFETY: the pointer is only followed with the store at hand.
#[allow(unsafe_code)]
unsafe impl Send for Func {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for Func {}

impl Func {
    /// A function of the host, of a type that is known at run time.
    ///
    /// The closure gets the parameters and writes the results, which start as zeros and nulls. Slower than [`Func::wrap`].
    ///
    /// # Panics
    ///
    /// When the type belongs to another engine.
    pub fn new<T: 'static>(
        store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        Func::try_new(store, ty, func).expect("failed to make a function")
    }

    /// The same, with an error where it panics for want of memory.
    ///
    /// # Errors
    ///
    /// When memory is exhausted.
    ///
    /// # Panics
    ///
    /// When the type belongs to another engine.
    pub fn try_new<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Func> {
        let store = store.as_context_mut().0.opaque_mut();
        Ok(HostFunc::new(store.engine(), ty, func)?.into_store(store))
    }

    /// A function of the host that gets bare slots.
    ///
    /// # Safety
    ///
    /// The closure must read its parameters as the type says, and write results of the type, which belong to the store.
    ///
    /// # Panics
    ///
    /// When the type belongs to another engine.
    #[allow(unsafe_code)]
    pub unsafe fn new_unchecked<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &mut [MaybeUninit<ValRaw>]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        let store = store.as_context_mut().0.opaque_mut();
        // SAFETY: by the caller.
        let func = unsafe { HostFunc::new_unchecked(store.engine(), ty, func) };
        func.expect("failed to make a function").into_store(store)
    }

    /// A function of the host, from a closure whose Rust types say its WebAssembly type.
    ///
    /// The closure may take a [`Caller`] first; parameters are [`WasmTy`]s; it returns nothing, a [`WasmTy`], a tuple of them, or a
    /// [`Result`] of those. An error that it returns stops the guest and comes out of the call that entered it.
    ///
    /// # Panics
    ///
    /// When memory is exhausted.
    pub fn wrap<T, Params, Results>(
        store: impl AsContextMut<Data = T>,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Func
    where
        T: 'static,
    {
        Func::try_wrap(store, func).expect("failed to make a function")
    }

    /// The same, with an error where it panics for want of memory.
    ///
    /// # Errors
    ///
    /// When memory is exhausted.
    pub fn try_wrap<T, Params, Results>(
        mut store: impl AsContextMut<Data = T>,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Result<Func>
    where
        T: 'static,
    {
        let store = store.as_context_mut().0.opaque_mut();
        Ok(func.into_func(store.engine())?.into_store(store))
    }

    /// Its type.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> FuncType {
        self.load_ty(store.as_context().0.opaque())
    }

    /// Whether it is of this type.
    ///
    /// # Panics
    ///
    /// When it belongs to another store, or the type to another engine.
    pub fn matches_ty(&self, store: impl AsContext, func_ty: &FuncType) -> bool {
        self.load_ty(store.as_context().0.opaque()).matches(func_ty)
    }

    /// Calls it with parameters and places for results.
    ///
    /// ```
    /// use meantime::*;
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let negate = Func::wrap(&mut store, |a: i64| -a);
    /// let mut results = [Val::I32(0)];
    /// negate.call(&mut store, &[Val::I64(5)], &mut results)?;
    /// assert_eq!(results[0].unwrap_i64(), -5);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When parameters do not fit the type in number or kind, when there are not as many places as results, when the function
    /// traps (the error can be downcast to [`Trap`](crate::Trap) and [`WasmBacktrace`](crate::WasmBacktrace)), or when a host function in
    /// between returns an error (which can be downcast to what it was).
    ///
    /// # Panics
    ///
    /// When it belongs to another store. A panic of a host function in between continues here.
    pub fn call(
        &self,
        mut store: impl AsContextMut,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let store = store.as_context_mut().0.opaque_mut();
        self.call_opaque(store, params, results)
    }

    #[allow(unsafe_code)]
    fn call_opaque(
        &self,
        store: &mut StoreOpaque,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let ty = self.load_ty(store);
        if ty.params().len() != params.len() {
            bail!(
                "expected {} arguments, got {}",
                ty.params().len(),
                params.len()
            );
        }
        if ty.results().len() != results.len() {
            bail!(
                "expected {} results, got {}",
                ty.results().len(),
                results.len()
            );
        }
        let mut slots: smallvec::SmallVec<[ValRaw; 8]> = smallvec::SmallVec::new();
        for (ty, value) in ty.params().zip(params) {
            if !value.belongs_to(store) {
                crate::store::wrong_store();
            }
            value
                .check_ty(store, &ty)
                .map_err(|e| e.context("argument type mismatch"))?;
            slots.push(value.lower(store)?);
        }
        slots.resize(params.len().max(results.len()), ValRaw::ZERO);
        // SAFETY: parameters were checked, and there are slots for the results.
        unsafe { self.call_raw(store, &mut slots)? };
        for ((ty, slot), place) in ty.results().zip(&slots).zip(results) {
            // SAFETY: validated code returns what its type says.
            *place = unsafe { Val::lift(store, slot, &ty) };
        }
        Ok(())
    }

    /// Calls it with bare slots: as many as the larger of parameters and results, the former in, the latter out.
    ///
    /// # Errors
    ///
    /// As for [`Func::call`].
    ///
    /// # Safety
    ///
    /// The slots must be as many, and hold what the type says, belonging to this store.
    ///
    /// # Panics
    ///
    /// As for [`Func::call`].
    #[allow(unsafe_code)]
    pub unsafe fn call_unchecked(
        &self,
        mut store: impl AsContextMut,
        params_and_returns: *mut [ValRaw],
    ) -> Result<()> {
        let store = store.as_context_mut().0.opaque_mut();
        self.store.check(store);
        // SAFETY: by the caller.
        unsafe { self.call_raw(store, &mut *params_and_returns) }
    }

    /// # Safety
    ///
    /// As for [`Func::call_unchecked`]; the store was checked.
    #[inline]
    #[allow(unsafe_code)]
    pub(crate) unsafe fn call_raw(
        &self,
        store: &mut StoreOpaque,
        slots: &mut [ValRaw],
    ) -> Result<()> {
        // SAFETY: by the caller; functions live as long as their store.
        let result = unsafe {
            vm::call_wasm(
                store.vm_ptr(),
                self.func_ref,
                slots.as_mut_ptr(),
                slots.len(),
            )
        };
        match result {
            Ok(()) => Ok(()),
            Err(unwind) => Err(crate::trap::from_unwind(store, unwind)),
        }
    }

    /// This function with its type checked once, to be called with Rust values.
    ///
    /// # Errors
    ///
    /// When the types do not fit the function's.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn typed<Params, Results>(
        &self,
        store: impl AsContext,
    ) -> Result<TypedFunc<Params, Results>>
    where
        Params: WasmParams,
        Results: WasmResults,
    {
        let ty = self.load_ty(store.as_context().0.opaque());
        TypedFunc::checked(*self, ty)
    }

    /// A pointer for [`ValRaw::funcref`].
    ///
    /// # Panics
    ///
    /// When it belongs to another store, or memory is exhausted.
    pub fn to_raw(&self, mut store: impl AsContextMut) -> *mut c_void {
        let store = store.as_context_mut().0.opaque_mut();
        self.prepared(store)
            .expect("failed to compile a trampoline")
            .as_ptr()
            .cast()
    }

    /// The function that such a pointer is for; none for null.
    ///
    /// # Safety
    ///
    /// The pointer must come from this store.
    #[allow(unsafe_code)]
    pub unsafe fn from_raw(mut store: impl AsContextMut, raw: *mut c_void) -> Option<Func> {
        // SAFETY: by the caller.
        unsafe { Func::lift(store.as_context_mut().0.opaque_mut(), raw) }
    }

    /// # Safety
    ///
    /// The pointer must be null or to a function of this store.
    #[inline]
    #[allow(unsafe_code)]
    pub(crate) unsafe fn lift(store: &StoreOpaque, raw: *mut c_void) -> Option<Func> {
        let func_ref = NonNull::new(raw.cast::<VmFuncRef>())?;
        Some(Func {
            store: store.id(),
            func_ref,
        })
    }

    pub(crate) fn from_func_ref(store: &StoreOpaque, func_ref: NonNull<VmFuncRef>) -> Func {
        Func {
            store: store.id(),
            func_ref,
        }
    }

    #[inline]
    pub(crate) fn belongs_to(&self, store: &StoreOpaque) -> bool {
        self.store == store.id()
    }

    /// For use in the same store, by the host.
    pub(crate) fn func_ref(&self, store: &StoreOpaque) -> NonNull<VmFuncRef> {
        self.store.check(store);
        self.func_ref
    }

    /// For use by guest code: a function of the host gets its trampoline first.
    #[allow(unsafe_code)]
    pub(crate) fn prepared(&self, store: &StoreOpaque) -> Result<NonNull<VmFuncRef>> {
        self.store.check(store);
        // SAFETY: functions live as long as their store.
        if unsafe { self.func_ref.as_ref() }.code.is_null() {
            let ty = self.load_ty(store);
            let code = store.engine().host_trampoline(&ty)?;
            // SAFETY: a trampoline for this function's signature, which the engine keeps.
            unsafe { vm::StoreCore::set_host_code(self.func_ref, code) };
        }
        Ok(self.func_ref)
    }

    pub(crate) fn load_ty(&self, store: &StoreOpaque) -> FuncType {
        FuncType::from_id(store.engine(), self.type_id(store))
    }

    #[allow(unsafe_code)]
    pub(crate) fn type_id(&self, store: &StoreOpaque) -> TypeId {
        self.store.check(store);
        // SAFETY: functions live as long as their store.
        unsafe { self.func_ref.as_ref() }.type_id
    }
}
