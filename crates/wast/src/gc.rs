//! Arguments and results that only garbage collection and exceptions bring: all references but `funcref` and
//! `externref`.
//!
//! Not functions and host references (those are in `value`). The one idea: everything of the embedding API
//! that exists for these proposals alone is used in this file and nowhere else in the crate.

use meantime::error::Error;
use meantime::{AnyRef, ExternRef, HeapType, Result, Store, ThrownException, Val, bail};
use wast::core::{AbstractHeapType, WastRetCore};

use crate::value;

/// The null of the hierarchy that `ty` belongs to.
pub(crate) fn null(ty: AbstractHeapType) -> Result<Val> {
    Ok(match ty {
        AbstractHeapType::Any
        | AbstractHeapType::Eq
        | AbstractHeapType::I31
        | AbstractHeapType::Struct
        | AbstractHeapType::Array
        | AbstractHeapType::None => Val::AnyRef(None),
        AbstractHeapType::Exn | AbstractHeapType::NoExn => Val::ExnRef(None),
        _ => bail!("cannot pass a null of the type {ty:?}"),
    })
}

/// Is `actual` the null of the hierarchy that `ty` belongs to?
pub(crate) fn is_null(ty: AbstractHeapType, actual: &Val) -> bool {
    match null(ty) {
        Ok(Val::AnyRef(_)) => matches!(actual, Val::AnyRef(None)),
        Ok(Val::ExnRef(_)) => matches!(actual, Val::ExnRef(None)),
        _ => false,
    }
}

/// The value of `(ref.host x)`: a host reference seen as an `anyref`.
pub(crate) fn host_reference(store: &mut Store<()>, x: u32) -> Result<Val> {
    let host = ExternRef::new(&mut *store, x)?;
    let any = AnyRef::convert_extern(&mut *store, host)?;
    Ok(Val::AnyRef(Some(any)))
}

/// Checks one result against a pattern that `value` does not know.
pub(crate) fn matches(
    store: &mut Store<()>,
    actual: &Val,
    expected: &WastRetCore<'_>,
) -> Result<bool> {
    let Val::AnyRef(Some(any)) = actual else {
        return Ok(false);
    };
    let ty = match expected {
        WastRetCore::RefAny => HeapType::Any,
        WastRetCore::RefEq => HeapType::Eq,
        WastRetCore::RefI31 => HeapType::I31,
        WastRetCore::RefStruct => HeapType::Struct,
        WastRetCore::RefArray => HeapType::Array,
        WastRetCore::RefHost(x) => {
            let host = ExternRef::convert_any(&mut *store, *any)?;
            return value::is_host_value(store, host, *x);
        }
        WastRetCore::RefI31Shared => bail!("shared references are not supported"),
        _ => return Ok(false),
    };
    any.matches_ty(&*store, &ty)
}

/// Is `error` an exception that nothing caught? If so, takes it from the store.
pub(crate) fn take_exception(store: &mut Store<()>, error: &Error) -> bool {
    let thrown = error.is::<ThrownException>();
    if thrown {
        store.take_pending_exception();
    }
    thrown
}
