//! Validation of function bodies, on one thread or on several.
//!
//! The one idea: bodies depend on nothing but the sections before them, so they can be validated in any order; to report the
//! same mistake every time, it is always the one in the first body that has one.

use crate::ModuleError;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmparser::{FuncToValidate, FuncValidatorAllocations, FunctionBody, ValidatorResources};

/// A body and what its validation needs of the module.
pub(crate) type Body<'a> = (FuncToValidate<ValidatorResources>, FunctionBody<'a>);

/// Bytes of code below which starting threads costs more than it saves.
const PARALLEL_MIN_BYTES: u64 = 256 << 10;

/// Validates the bodies of all functions.
pub(crate) fn bodies(bodies: Vec<Body<'_>>, parallel: bool) -> Result<(), ModuleError> {
    let bytes: u64 = bodies
        .iter()
        .map(|(_, body)| body.range().end - body.range().start)
        .sum();
    if parallel && bytes >= PARALLEL_MIN_BYTES {
        on_several_threads(bodies)
    } else {
        let mut allocs = FuncValidatorAllocations::default();
        for (func, body) in bodies {
            allocs = one(allocs, func, &body)?;
        }
        Ok(())
    }
}

fn one(
    allocs: FuncValidatorAllocations,
    func: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
) -> Result<FuncValidatorAllocations, ModuleError> {
    let mut validator = func.into_validator(allocs);
    validator.validate(body).map_err(ModuleError::invalid)?;
    Ok(validator.into_allocations())
}

fn on_several_threads(bodies: Vec<Body<'_>>) -> Result<(), ModuleError> {
    // Bodies after the first that failed so far need not be looked at.
    let first_bad = AtomicUsize::new(usize::MAX);
    let worst = bodies
        .into_par_iter()
        .enumerate()
        .map_init(
            || Some(FuncValidatorAllocations::default()),
            |allocs, (i, (func, body))| {
                if i > first_bad.load(Ordering::Relaxed) {
                    return None;
                }
                match one(allocs.take().unwrap_or_default(), func, &body) {
                    Ok(back) => {
                        *allocs = Some(back);
                        None
                    }
                    Err(error) => {
                        first_bad.fetch_min(i, Ordering::Relaxed);
                        Some((i, error))
                    }
                }
            },
        )
        .flatten_iter()
        .min_by_key(|(i, _)| *i);
    match worst {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}
