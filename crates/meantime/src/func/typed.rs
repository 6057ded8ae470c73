//! [`TypedFunc`]: a function whose type was checked once.

use super::{Func, WasmParams, WasmResults};
use crate::{AsContext, AsContextMut, FuncType, Result, ValRaw};
use core::marker::PhantomData;

/// A function that is called with Rust values, at the least cost.
///
/// Made by [`Func::typed`] and [`Instance::get_typed_func`](crate::Instance::get_typed_func).
pub struct TypedFunc<Params, Results> {
    func: Func,
    /// The function's type, where parameters must be compared with it at each call.
    exact: Option<FuncType>,
    _types: PhantomData<fn(Params) -> Results>,
}

impl<Params, Results> Clone for TypedFunc<Params, Results> {
    fn clone(&self) -> Self {
        TypedFunc {
            func: self.func,
            exact: self.exact.clone(),
            _types: PhantomData,
        }
    }
}

/// Room for parameters or results, whichever are more.
union Slots<P: Copy, R: Copy> {
    params: P,
    results: R,
}

impl<Params, Results> TypedFunc<Params, Results>
where
    Params: WasmParams,
    Results: WasmResults,
{
    pub(super) fn checked(func: Func, ty: FuncType) -> Result<Self> {
        Params::typecheck(&mut ty.params())
            .map_err(|e| e.context("type mismatch with parameters"))?;
        Results::typecheck_results(&mut ty.results())
            .map_err(|e| e.context("type mismatch with results"))?;
        let exact = Params::needs_exact(&ty).then_some(ty);
        Ok(TypedFunc {
            func,
            exact,
            _types: PhantomData,
        })
    }

    /// A typed function without the check.
    ///
    /// # Safety
    ///
    /// The function must have these types.
    #[allow(unsafe_code)]
    pub unsafe fn new_unchecked(store: impl AsContext, func: Func) -> TypedFunc<Params, Results> {
        let ty = func.load_ty(store.as_context().0.opaque());
        let exact = Params::needs_exact(&ty).then_some(ty);
        TypedFunc {
            func,
            exact,
            _types: PhantomData,
        }
    }

    /// The function.
    pub fn func(&self) -> &Func {
        &self.func
    }

    /// Calls it.
    ///
    /// # Errors
    ///
    /// When it traps or a host function in between returns an error, as for [`Func::call`].
    ///
    /// # Panics
    ///
    /// When it belongs to another store. A panic of a host function in between continues here.
    #[inline]
    #[allow(unsafe_code)]
    pub fn call(&self, mut store: impl AsContextMut, params: Params) -> Result<Results> {
        let store = store.as_context_mut().0.opaque_mut();
        if !self.func.belongs_to(store) {
            crate::store::wrong_store();
        }
        let mut slots: Slots<Params::Slots, Results::Slots> =
            if size_of::<Params::Slots>() >= size_of::<Results::Slots>() {
                Slots {
                    params: Params::EMPTY,
                }
            } else {
                Slots {
                    results: Results::EMPTY,
                }
            };
        let len = size_of_val(&slots) / size_of::<ValRaw>();
        // SAFETY: all bytes are initialized (the larger field was written), and every slot is valid for any bits. The types were
        // checked when `self` was made, so the function reads parameters and writes results as they are laid out here.
        unsafe {
            params.store(store, self.exact.as_ref(), &mut slots.params)?;
            let pointer = core::ptr::from_mut(&mut slots).cast::<ValRaw>();
            self.func
                .call_raw(store, core::slice::from_raw_parts_mut(pointer, len))?;
            Ok(<Results as WasmResults>::load(
                store,
                slots.results.as_ref(),
            ))
        }
    }
}
