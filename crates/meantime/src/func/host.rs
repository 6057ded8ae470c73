//! Functions of the host: [`HostFunc`], a closure that is not yet in a store, and [`IntoFunc`], what closures can become one.
//!
//! The one idea: each closure gets its own `extern "C"` function, instantiated for the closure's types, that loads the parameters
//! from slots, calls it, and stores the results. Nothing is decided at run time.

use super::{Caller, Func, WasmRet, WasmTyList};
use crate::store::{StoreInner, StoreOpaque};
use crate::{Engine, Error, FuncType, Result, Val, ValRaw, bail};
use core::any::Any;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use meantime_abi::{HostFn, VmContext, VmHostContext};
use meantime_vm as vm;
use std::sync::Arc;

/// A function of the host that can be put into any store of its engine whose data is of the right type.
#[doc(hidden)]
pub struct HostFunc {
    ty: FuncType,
    func: HostFn,
    /// The closure, boxed so that its address is fixed.
    closure: Box<dyn Any + Send + Sync>,
    /// That address.
    data: *mut c_void,
}

// SAFETY: the pointer is to the closure, which is both.
#[allow(unsafe_code)]
unsafe impl Send for HostFunc {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for HostFunc {}

impl HostFunc {
    fn with_closure<F: Send + Sync + 'static>(ty: FuncType, func: HostFn, closure: F) -> HostFunc {
        let closure = Box::new(closure);
        let data = core::ptr::from_ref::<F>(&closure).cast_mut().cast();
        HostFunc {
            ty,
            func,
            closure,
            data,
        }
    }

    pub(crate) fn wrap<T, F, P, R>(engine: &Engine, closure: F) -> Result<HostFunc>
    where
        T: 'static,
        F: Fn(Caller<'_, T>, P) -> R + Send + Sync + 'static,
        P: WasmTyList,
        R: WasmRet,
    {
        let ty = FuncType::new(engine, P::valtypes(), R::valtypes());
        Ok(HostFunc::with_closure(
            ty,
            call_typed::<T, F, P, R>,
            closure,
        ))
    }

    pub(crate) fn new<T, F>(engine: &Engine, ty: FuncType, closure: F) -> Result<HostFunc>
    where
        T: 'static,
        F: Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    {
        let types = ty.clone();
        // SAFETY: the closure reads and writes values of the type, and checks what it writes.
        #[allow(unsafe_code)]
        unsafe {
            HostFunc::new_unchecked(engine, ty, move |caller: Caller<'_, T>, slots| {
                call_dynamic(&types, &closure, caller, slots)
            })
        }
    }

    /// # Safety
    ///
    /// As for [`Func::new_unchecked`].
    #[allow(unsafe_code)]
    pub(crate) unsafe fn new_unchecked<T, F>(
        engine: &Engine,
        ty: FuncType,
        closure: F,
    ) -> Result<HostFunc>
    where
        T: 'static,
        F: Fn(Caller<'_, T>, &mut [MaybeUninit<ValRaw>]) -> Result<()> + Send + Sync + 'static,
    {
        assert!(
            Engine::same(engine, ty.engine()),
            "function type used with the wrong engine"
        );
        Ok(HostFunc::with_closure(ty, call_slots::<T, F>, closure))
    }

    pub(crate) fn ty(&self) -> &FuncType {
        &self.ty
    }

    pub(crate) fn into_store(self, store: &mut StoreOpaque) -> Func {
        Arc::new(self).in_store(store)
    }

    /// Makes it a function of this store.
    ///
    /// # Panics
    ///
    /// When the store's engine is another.
    pub(crate) fn in_store(self: &Arc<Self>, store: &mut StoreOpaque) -> Func {
        self.in_store_with_code(store, core::ptr::null())
    }

    /// The same, with the trampoline for its signature.
    pub(crate) fn in_store_with_code(
        self: &Arc<Self>,
        store: &mut StoreOpaque,
        code: *const u8,
    ) -> Func {
        assert!(
            Engine::same(store.engine(), self.ty.engine()),
            "cannot use a function with a store of another engine"
        );
        debug_assert!(!self.data.is_null() || size_of_val(&*self.closure) == 0);
        let func_ref = store.vm_mut().alloc_host_func(
            self.func,
            self.data,
            Some(self.clone()),
            self.ty.id(),
            code,
        );
        Func::from_func_ref(store, func_ref)
    }
}

/// The host's side of a closure with Rust types.
#[allow(unsafe_code)]
unsafe extern "C" fn call_typed<T, F, P, R>(
    context: *mut VmHostContext,
    caller: *mut VmContext,
    values: *mut ValRaw,
    len: usize,
) -> bool
where
    T: 'static,
    F: Fn(Caller<'_, T>, P) -> R + Send + Sync + 'static,
    P: WasmTyList,
    R: WasmRet,
{
    // SAFETY: compiled code and `vm` call this with the context that `in_store` made, in a store whose data is `T` (the types of
    // `Linker` and `Func` see to that), and with slots for the closure's type.
    unsafe {
        in_host::<T>(context, |store| {
            let closure = &*(*context).data.cast::<F>();
            // As long as `len`, and known here: nothing is left to check below.
            debug_assert_eq!(len, const { count::<P, R>() });
            let slots = core::slice::from_raw_parts_mut(values, const { count::<P, R>() });
            let params = P::load(store.opaque_mut(), slots);
            let returned = Caller::with(store, caller, |caller| closure(caller, params));
            returned.store(store.opaque_mut(), slots)
        })
    }
}

/// How many slots parameters and results of these types take.
const fn count<P: WasmTyList, R: WasmRet>() -> usize {
    if P::COUNT > R::COUNT {
        P::COUNT
    } else {
        R::COUNT
    }
}

/// The host's side of a closure that takes bare slots.
#[allow(unsafe_code)]
unsafe extern "C" fn call_slots<T, F>(
    context: *mut VmHostContext,
    caller: *mut VmContext,
    values: *mut ValRaw,
    len: usize,
) -> bool
where
    T: 'static,
    F: Fn(Caller<'_, T>, &mut [MaybeUninit<ValRaw>]) -> Result<()> + Send + Sync + 'static,
{
    // SAFETY: as for `call_typed`.
    unsafe {
        in_host::<T>(context, |store| {
            let closure = &*(*context).data.cast::<F>();
            let slots = core::slice::from_raw_parts_mut(values.cast::<MaybeUninit<ValRaw>>(), len);
            Caller::with(store, caller, |caller| closure(caller, slots))
        })
    }
}

/// Runs the body of a host function: in a scope for roots, errors and panics kept for the call that entered the guest.
///
/// # Safety
///
/// The context must be of a store whose data is `T`.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn in_host<T: 'static>(
    context: *mut VmHostContext,
    body: impl FnOnce(&mut StoreInner<T>) -> Result<()>,
) -> bool {
    // SAFETY: by the caller.
    unsafe {
        let store_context = (*context).header.store;
        vm::host_body(store_context, || {
            let store = StoreInner::<T>::from_context(store_context);
            body(store).map_err(|error| store.opaque().pending(error))
        })
    }
}

/// The body of a closure whose type is known at run time.
fn call_dynamic<T: 'static>(
    ty: &FuncType,
    closure: &impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()>,
    mut caller: Caller<'_, T>,
    slots: &mut [MaybeUninit<ValRaw>],
) -> Result<()> {
    let params = ty.params().len();
    let mut values: smallvec::SmallVec<[Val; 8]> = smallvec::SmallVec::new();
    let store = caller.opaque_mut();
    for (ty, slot) in ty.params().zip(slots.iter()) {
        // SAFETY: validated code passes what the type says.
        #[allow(unsafe_code)]
        values.push(unsafe { Val::lift(store, slot.assume_init_ref(), &ty) });
    }
    for ty in ty.results() {
        values.push(Val::default_for_ty(&ty).unwrap_or_else(|| null_of(&ty)));
    }
    let (params, results) = values.split_at_mut(params);
    closure(caller.reborrow(), params, results)?;
    let store = caller.opaque_mut();
    for ((ty, value), slot) in ty.results().zip(results.iter()).zip(slots.iter_mut()) {
        if !value.belongs_to(store) {
            bail!("host function attempted to return cross-`Store` value to Wasm");
        }
        value
            .check_ty(store, &ty)
            .map_err(|e| e.context("function attempted to return an incompatible value"))?;
        slot.write(value.lower(store)?);
    }
    Ok(())
}

/// The place for a result that has no default starts as null, which fails the check unless it is written.
fn null_of(ty: &crate::ValType) -> Val {
    match ty.as_ref() {
        Some(r) => Val::null_ref(r.heap_type()),
        None => Val::I32(0),
    }
}

/// A closure that can be a function of the host. See [`Func::wrap`].
pub trait IntoFunc<T, Params, Results>: Send + Sync + 'static {
    /// Makes it one.
    #[doc(hidden)]
    fn into_func(self, engine: &Engine) -> Result<HostFunc>;
}

macro_rules! closures {
    ($(($($t:ident)*))*) => {$(
        #[allow(non_snake_case, unused_parens)]
        impl<T, F, $($t,)* R> IntoFunc<T, ($($t),*), R> for F
        where
            F: Fn($($t),*) -> R + Send + Sync + 'static,
            $($t: super::WasmTy,)*
            R: WasmRet,
            T: 'static,
        {
            fn into_func(self, engine: &Engine) -> Result<HostFunc> {
                HostFunc::wrap(engine, move |_: Caller<'_, T>, ($($t,)*): ($($t,)*)| self($($t),*))
            }
        }

        #[allow(non_snake_case)]
        impl<T, F, $($t,)* R> IntoFunc<T, (Caller<'_, T>, $($t,)*), R> for F
        where
            F: Fn(Caller<'_, T>, $($t),*) -> R + Send + Sync + 'static,
            $($t: super::WasmTy,)*
            R: WasmRet,
            T: 'static,
        {
            fn into_func(self, engine: &Engine) -> Result<HostFunc> {
                HostFunc::wrap(engine, move |caller: Caller<'_, T>, ($($t,)*): ($($t,)*)| self(caller, $($t),*))
            }
        }
    )*};
}

closures! {
    ()
    (A1)
    (A1 A2)
    (A1 A2 A3)
    (A1 A2 A3 A4)
    (A1 A2 A3 A4 A5)
    (A1 A2 A3 A4 A5 A6)
    (A1 A2 A3 A4 A5 A6 A7)
    (A1 A2 A3 A4 A5 A6 A7 A8)
    (A1 A2 A3 A4 A5 A6 A7 A8 A9)
    (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10)
    (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11)
    (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12)
    (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13)
    (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14)
    (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15)
    (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16)
    (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16 A17)
}

/// A host function that only fails, for an import that nothing defines.
pub(crate) fn failing<T: 'static>(
    engine: &Engine,
    ty: FuncType,
    error: impl Fn() -> Error + Send + Sync + 'static,
) -> Result<HostFunc> {
    // SAFETY: it reads nothing and never returns values.
    #[allow(unsafe_code)]
    unsafe {
        HostFunc::new_unchecked::<T, _>(engine, ty, move |_, _| Err(error()))
    }
}
