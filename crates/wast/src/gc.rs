//! Arguments and results that only garbage collection and exceptions bring: all references but `funcref` and
//! `externref`.
//!
//! Not functions and host references (those are in `value`). The one idea: everything of the embedding API
//! that exists for these proposals alone is used in this file and nowhere else in the crate.

use meantime::error::Error;
use meantime::{AnyRef, ExternRef, Result, Store, ThrownException, Val, bail};
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
    if let WastRetCore::RefI31Shared = expected {
        bail!("shared references are not supported");
    }
    let Val::AnyRef(Some(any)) = actual else {
        return Ok(false);
    };
    Ok(match expected {
        WastRetCore::RefAny => true,
        WastRetCore::RefEq => any.is_eqref(&*store)?,
        WastRetCore::RefI31 => any.is_i31(&*store)?,
        WastRetCore::RefStruct => any.is_struct(&*store)?,
        WastRetCore::RefArray => any.is_array(&*store)?,
        WastRetCore::RefHost(x) => {
            let host = ExternRef::convert_any(&mut *store, *any)?;
            value::is_host_value(store, host, *x)?
        }
        _ => false,
    })
}

/// Is `error` an exception that nothing caught? If so, takes it from the store.
pub(crate) fn take_exception(store: &mut Store<()>, error: &Error) -> bool {
    let thrown = error.is::<ThrownException>();
    if thrown {
        store.take_pending_exception();
    }
    thrown
}
